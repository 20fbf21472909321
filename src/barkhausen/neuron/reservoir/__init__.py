"""Reservoirs: driven elements, open and closed loops, linear read-outs, capacities and energies."""

from barkhausen.neuron.reservoir.base import Element, Run
from barkhausen.neuron.reservoir.capacity import Capacities, capacities, random_bits
from barkhausen.neuron.reservoir.echo_state import DelayLine, EchoStateNetwork
from barkhausen.neuron.reservoir.films import DrivenFilm, coupled_dots, macrospin, skyrmion_disc
from barkhausen.neuron.reservoir.loops import Checkpoint, Feedback, Record, drive
from barkhausen.neuron.reservoir.parameters import CoupledDots, EchoStateOptions, Macrospin, SkyrmionDisc
from barkhausen.neuron.reservoir.read_out import LinearReadOut, RecursiveLeastSquares, ridge, with_taps
from barkhausen.neuron.reservoir.scores import horizons, nrmse
from barkhausen.neuron.reservoir.segments import forced_states
from barkhausen.neuron.reservoir.with_input import WithInput

__all__ = [
    "Capacities",
    "Checkpoint",
    "CoupledDots",
    "DelayLine",
    "DrivenFilm",
    "EchoStateNetwork",
    "EchoStateOptions",
    "Element",
    "Feedback",
    "LinearReadOut",
    "Macrospin",
    "Record",
    "RecursiveLeastSquares",
    "Run",
    "SkyrmionDisc",
    "WithInput",
    "capacities",
    "coupled_dots",
    "drive",
    "forced_states",
    "horizons",
    "macrospin",
    "nrmse",
    "random_bits",
    "ridge",
    "skyrmion_disc",
    "with_taps",
]
