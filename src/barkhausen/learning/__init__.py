"""Learning with stochastic few-state synapses: in-situ, ex-situ, and the float twin."""

from barkhausen.learning.ex_situ import Precursor, fresh_chip
from barkhausen.learning.in_situ import InSitu
from barkhausen.learning.layers import DomainWallLinear, domain_wall_layers
from barkhausen.learning.learner import Learner
from barkhausen.learning.network import multilayer_perceptron
from barkhausen.learning.quantiser import Quantiser

__all__ = [
    "DomainWallLinear",
    "InSitu",
    "Learner",
    "Precursor",
    "Quantiser",
    "domain_wall_layers",
    "fresh_chip",
    "multilayer_perceptron",
]
