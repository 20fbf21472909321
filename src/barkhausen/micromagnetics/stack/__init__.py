"""Several magnetic layers, or the two sublattices of an antiferromagnet, as the rows of one batch."""

from barkhausen.micromagnetics.stack.antiferromagnet import antiferromagnet
from barkhausen.micromagnetics.stack.interlayer_exchange import InterlayerExchange
from barkhausen.micromagnetics.stack.layer import Layer
from barkhausen.micromagnetics.stack.observables import LayerJunction, NeelVector, OfNeelVector, StackMagnetisation
from barkhausen.micromagnetics.stack.stack import Stack
from barkhausen.micromagnetics.stack.stack_demag import StackDemag
from barkhausen.micromagnetics.stack.sublattice_exchange import SublatticeExchange

__all__ = [
    "InterlayerExchange",
    "Layer",
    "LayerJunction",
    "NeelVector",
    "OfNeelVector",
    "Stack",
    "StackDemag",
    "StackMagnetisation",
    "SublatticeExchange",
    "antiferromagnet",
]
