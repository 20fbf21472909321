"""Neurons: devices whose state moves in steps until it passes a threshold, or that fire with a probability."""

from barkhausen.device.neuron.device import NEURON, Cycles, Joules, NeuronDevice
from barkhausen.device.neuron.measured import import_firing_curve
from barkhausen.device.neuron.steps import StepTables, step_tables

__all__ = ["NEURON", "Cycles", "Joules", "NeuronDevice", "StepTables", "import_firing_curve", "step_tables"]
