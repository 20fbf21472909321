"""Uncertainty of classifiers: members (passes, chips, networks), their predictive mean, and how far to trust it."""

from barkhausen.learning.uncertainty.measured import Uncertainty, measure_uncertainty
from barkhausen.learning.uncertainty.members import Member, ensemble_outputs, member_outputs, members_of
from barkhausen.learning.uncertainty.predictive import Predictive

__all__ = [
    "Member",
    "Predictive",
    "Uncertainty",
    "ensemble_outputs",
    "measure_uncertainty",
    "member_outputs",
    "members_of",
]
