"""The crossbar around the synapses: wires, tiles, and what they make of a weight matrix."""

from barkhausen.synapse.crossbar.tiles import CrossbarTiles, Scheme, Tiling
from barkhausen.synapse.crossbar.wires import IDEAL, Wires, effective_conductance

__all__ = [
    "IDEAL",
    "CrossbarTiles",
    "Scheme",
    "Tiling",
    "Wires",
    "effective_conductance",
]
