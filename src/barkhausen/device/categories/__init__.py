"""Devices whose states are categories: what a pulse makes of each, and which pulses lead to a state."""
