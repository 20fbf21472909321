"""Domain-wall neurons: a tapered track on which pulses integrate, a junction fires and the wall is expelled."""

from barkhausen.device.domain_wall.neuron.leak import Leak, leak_of
from barkhausen.device.domain_wall.neuron.parameters import NeuronParameters, NeuronProtocol, parameters_from
from barkhausen.device.domain_wall.neuron.simulation import characterise_neuron as characterise

__all__ = ["Leak", "NeuronParameters", "NeuronProtocol", "characterise", "leak_of", "parameters_from"]
