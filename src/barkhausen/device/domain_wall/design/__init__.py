"""Search for device designs with evenly spaced states and small overlap."""

from barkhausen.device.domain_wall.design.around import Scenario, Sweep, scenarios, sensitivity
from barkhausen.device.domain_wall.design.evolution import (
    BATCH,
    Archive,
    Candidate,
    Vector,
    best_by_generation,
    cheapest,
    search,
)
from barkhausen.device.domain_wall.design.score import PARTS, SCORES, Score, StateStatistics, Weights
from barkhausen.device.domain_wall.design.space import FAMILIES, DesignSpace, Family, Ranges, Variable
from barkhausen.device.domain_wall.design.trial import Trial, assess_of, trials

__all__ = [
    "BATCH",
    "FAMILIES",
    "PARTS",
    "SCORES",
    "Archive",
    "Candidate",
    "DesignSpace",
    "Family",
    "Ranges",
    "Scenario",
    "Score",
    "StateStatistics",
    "Sweep",
    "Trial",
    "Variable",
    "Vector",
    "Weights",
    "assess_of",
    "best_by_generation",
    "cheapest",
    "scenarios",
    "search",
    "sensitivity",
    "trials",
]
