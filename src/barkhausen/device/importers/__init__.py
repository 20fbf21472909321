"""Import of measured and simulated devices from the files of others."""
