"""Search for designs that trade energy against retention and distinguishability, under constraints."""

from barkhausen.device.domain_wall.design.front.appraisal import Appraisal, Conditions, appraise, corrected, kept
from barkhausen.device.domain_wall.design.front.merits import (
    MERITS,
    RISES,
    Limits,
    Merits,
    Objective,
    goal,
    merits_of,
)
from barkhausen.device.domain_wall.design.front.space import Bounds, FrontSpace, VoltageScan
from barkhausen.device.domain_wall.design.front.trade import Found, Points, front, trade
from barkhausen.device.domain_wall.design.front.voltages import chosen, shares

__all__ = [
    "MERITS",
    "RISES",
    "Appraisal",
    "Bounds",
    "Conditions",
    "Found",
    "FrontSpace",
    "Limits",
    "Merits",
    "Objective",
    "Points",
    "VoltageScan",
    "appraise",
    "chosen",
    "corrected",
    "front",
    "goal",
    "kept",
    "merits_of",
    "shares",
    "trade",
]
