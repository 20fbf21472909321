"""Devices that identical pulses move up and down: the data model, laws of the step, fits and exchange formats."""
