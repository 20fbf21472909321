"""Learning rules: one file each, registered in ``RULES``."""

from barkhausen.learning.rules.monitoring import Monitoring
from barkhausen.learning.rules.registry import RULES, LearnerParts, Rule

# The order of tables and figures.
# isort: off
from barkhausen.learning.rules import in_situ
from barkhausen.learning.rules import level_change
from barkhausen.learning.rules import last_verified
from barkhausen.learning.rules import periodic
from barkhausen.learning.rules import pulsed
from barkhausen.learning.rules import tiki_taka
from barkhausen.learning.rules import wage
from barkhausen.learning.rules import split_precision
from barkhausen.learning.rules import ex_situ
from barkhausen.learning.rules import quantised
from barkhausen.learning.rules import float_baseline
from barkhausen.learning.rules import stochastic_read
from barkhausen.learning.rules import stdp
# isort: on

__all__ = [
    "RULES",
    "LearnerParts",
    "Monitoring",
    "Rule",
    "ex_situ",
    "float_baseline",
    "in_situ",
    "last_verified",
    "level_change",
    "periodic",
    "pulsed",
    "quantised",
    "split_precision",
    "stdp",
    "stochastic_read",
    "tiki_taka",
    "wage",
]
