"""Learning with stochastic few-state synapses: in-situ, ex-situ, and the float baseline."""

from barkhausen.core.renamed import old_names
from barkhausen.learning.ageing import endurance, wait
from barkhausen.learning.averaging import program
from barkhausen.learning.chips import Chips, evaluate, fresh_chip, outputs_of, transfer
from barkhausen.learning.conversion_report import ConversionReport, conversion_report
from barkhausen.learning.convert import DigitalWeightsWarning, convert
from barkhausen.learning.deploy import deployed
from barkhausen.learning.energy import programming_energy
from barkhausen.learning.layers.bare_optimizer import BareOptimizerWarning
from barkhausen.learning.layers.base import SynapseLayer, synapse_layers
from barkhausen.learning.layers.convolution import SynapseConv1d, SynapseConv2d
from barkhausen.learning.layers.crossbar import CrossbarLayer, crossbar_layers, on_crossbar, refresh
from barkhausen.learning.layers.linear import SynapseLinear
from barkhausen.learning.layers.quantiser import Quantiser
from barkhausen.learning.layers.recurrent import SynapseGRU, SynapseLSTM, SynapseRecurrent
from barkhausen.learning.layers.ternary_gradient import with_ternary_gradients
from barkhausen.learning.margin import default_margin
from barkhausen.learning.networks.activations import QuantisedHardtanh
from barkhausen.learning.networks.normalisation import ShiftBatchNorm
from barkhausen.learning.networks.perceptron import multilayer_perceptron
from barkhausen.learning.rules.base import Learner
from barkhausen.learning.rules.ex_situ import Precursor
from barkhausen.learning.rules.in_situ import InSitu
from barkhausen.learning.rules.last_verified import LastVerified
from barkhausen.learning.rules.level_change import LevelChange
from barkhausen.learning.rules.margin_schedule import CosineMargin, LinearMargin
from barkhausen.learning.rules.monitoring import Monitoring
from barkhausen.learning.rules.periodic import PeriodicInSitu
from barkhausen.learning.rules.pulsed import BlindPulse, MixedPrecision, PulsedInSitu, PulsedLearner, PulsedSGD
from barkhausen.learning.rules.split_precision import SplitPrecision
from barkhausen.learning.rules.tiki_taka import TikiTaka
from barkhausen.learning.rules.wage import Wage

__all__ = [
    "BareOptimizerWarning",
    "BlindPulse",
    "Chips",
    "ConversionReport",
    "CosineMargin",
    "CrossbarLayer",
    "DigitalWeightsWarning",
    "InSitu",
    "LastVerified",
    "Learner",
    "LevelChange",
    "LinearMargin",
    "MixedPrecision",
    "Monitoring",
    "PeriodicInSitu",
    "Precursor",
    "PulsedInSitu",
    "PulsedLearner",
    "PulsedSGD",
    "QuantisedHardtanh",
    "Quantiser",
    "ShiftBatchNorm",
    "SplitPrecision",
    "SynapseConv1d",
    "SynapseConv2d",
    "SynapseGRU",
    "SynapseLSTM",
    "SynapseLayer",
    "SynapseLinear",
    "SynapseRecurrent",
    "TikiTaka",
    "Wage",
    "conversion_report",
    "convert",
    "crossbar_layers",
    "default_margin",
    "deployed",
    "endurance",
    "evaluate",
    "fresh_chip",
    "multilayer_perceptron",
    "on_crossbar",
    "outputs_of",
    "program",
    "programming_energy",
    "refresh",
    "synapse_layers",
    "transfer",
    "wait",
    "with_ternary_gradients",
]

__getattr__ = old_names(__name__)
