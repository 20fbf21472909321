"""Spiking neurons as modules of torch: cells, surrogate gradients, encoders, read-outs and losses."""

from barkhausen.learning.spiking.cell import RESETS, Cell, Reset, State
from barkhausen.learning.spiking.device import DeviceCell, FiringCell, device_cell
from barkhausen.learning.spiking.encoders import ConstantCurrent, Encoder, Latency, Poisson
from barkhausen.learning.spiking.energy import LayerUse, counted_neurons, neuron_energy
from barkhausen.learning.spiking.leaky import IntegrateCell, LeakyCell
from barkhausen.learning.spiking.losses import count_loss, max_over_time_loss, rate_loss
from barkhausen.learning.spiking.normalisation import StepNorm
from barkhausen.learning.spiking.operations import Operations
from barkhausen.learning.spiking.read_out import Decoding, LeakyReadOut, decoded
from barkhausen.learning.spiking.registry import CELLS, ENCODERS, CellKind, EncoderKind
from barkhausen.learning.spiking.surrogate import Surrogate, spike
from barkhausen.learning.spiking.wall import WallCell, WallLaw

__all__ = [
    "CELLS",
    "ENCODERS",
    "RESETS",
    "Cell",
    "CellKind",
    "ConstantCurrent",
    "Decoding",
    "DeviceCell",
    "Encoder",
    "EncoderKind",
    "FiringCell",
    "IntegrateCell",
    "Latency",
    "LayerUse",
    "LeakyCell",
    "LeakyReadOut",
    "Operations",
    "Poisson",
    "Reset",
    "State",
    "StepNorm",
    "Surrogate",
    "WallCell",
    "WallLaw",
    "count_loss",
    "counted_neurons",
    "decoded",
    "device_cell",
    "max_over_time_loss",
    "neuron_energy",
    "rate_loss",
    "spike",
]
