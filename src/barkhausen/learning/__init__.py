"""Learning with stochastic few-state synapses: in-situ, ex-situ, and the float twin."""

from barkhausen.learning.activations import QuantisedHardtanh
from barkhausen.learning.ageing import endurance, wait
from barkhausen.learning.bill import programming_energy
from barkhausen.learning.convert import convert
from barkhausen.learning.convolutions import DomainWallConv1d, DomainWallConv2d
from barkhausen.learning.crossbar_layer import CrossbarLayer, crossbar_layers, on_crossbar, refresh
from barkhausen.learning.deploy import deployed
from barkhausen.learning.ex_situ import Precursor
from barkhausen.learning.in_situ import InSitu
from barkhausen.learning.layers import DomainWallLayer, DomainWallLinear, domain_wall_layers
from barkhausen.learning.learner import Learner
from barkhausen.learning.margin_schedule import CosineMargin, LinearMargin
from barkhausen.learning.network import multilayer_perceptron
from barkhausen.learning.normalisation import ShiftBatchNorm
from barkhausen.learning.quantiser import Quantiser
from barkhausen.learning.transfer import Chips, evaluate, fresh_chip, outputs_of, transfer

__all__ = [
    "Chips",
    "CosineMargin",
    "CrossbarLayer",
    "DomainWallConv1d",
    "DomainWallConv2d",
    "DomainWallLayer",
    "DomainWallLinear",
    "InSitu",
    "Learner",
    "LinearMargin",
    "Precursor",
    "QuantisedHardtanh",
    "Quantiser",
    "ShiftBatchNorm",
    "convert",
    "crossbar_layers",
    "deployed",
    "domain_wall_layers",
    "endurance",
    "evaluate",
    "fresh_chip",
    "multilayer_perceptron",
    "on_crossbar",
    "outputs_of",
    "programming_energy",
    "refresh",
    "transfer",
    "wait",
]
