"""Domain-wall racetracks: track, pulses, junction, characterisation and retention."""
