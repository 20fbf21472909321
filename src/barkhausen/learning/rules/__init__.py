"""Learning rules: one file each, registered in ``RULES``."""

from barkhausen.learning.rules.registry import RULES, LearnerParts, Rule

# The order of tables and figures.
# isort: off
from barkhausen.learning.rules import in_situ
from barkhausen.learning.rules import ex_situ
from barkhausen.learning.rules import float_baseline
# isort: on

__all__ = ["RULES", "LearnerParts", "Rule", "ex_situ", "float_baseline", "in_situ"]
