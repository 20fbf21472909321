"""Crossbars of synapses: wires, tiles, converters, noise, and energy, time and area of a whole chip."""

from barkhausen.synapse.crossbar.chip import Chip, load_chip
from barkhausen.synapse.crossbar.converters import quantise_inputs, quantise_outputs
from barkhausen.synapse.crossbar.costs import SystemCosts, inference_costs, training_costs
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.noise import layer_noise
from barkhausen.synapse.crossbar.schemes import SCHEMES, ReadScheme
from barkhausen.synapse.crossbar.tiles import CrossbarTiles, Scheme, Tiling
from barkhausen.synapse.crossbar.wires import IDEAL, Wires, effective_conductance

__all__ = [
    "IDEAL",
    "SCHEMES",
    "Chip",
    "CrossbarTiles",
    "LayerLoad",
    "ReadScheme",
    "Scheme",
    "SystemCosts",
    "Tiling",
    "Wires",
    "effective_conductance",
    "inference_costs",
    "layer_noise",
    "load_chip",
    "quantise_inputs",
    "quantise_outputs",
    "training_costs",
]
