"""Import of measured devices, and of devices simulated with other programs."""
