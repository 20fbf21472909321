"""Statistics of the states of a device."""
