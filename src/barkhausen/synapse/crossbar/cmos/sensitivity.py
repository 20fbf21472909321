"""How much ratios to CMOS depend on each constant: every one is halved and doubled."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from barkhausen.synapse.crossbar.chip import Chip, Constants
from barkhausen.synapse.crossbar.cmos.comparison import Ratio

QUANTITIES = ("area", "energy", "latency", "step_energy")
SENSE_TIME = "sense.time"


@dataclass(frozen=True)
class Sensitivity:
    """Ratios at half and at twice the value of one constant.

    Args:
        constant: Its name.
        halved, doubled: Ratios.
    """

    constant: str
    halved: Ratio
    doubled: Ratio

    def exponent(self, quantity: str) -> float:
        """Exponent of the power law between both: 1 where a ratio goes with the constant, 0 where it stays."""
        low, high = getattr(self.halved, quantity), getattr(self.doubled, quantity)
        return math.log(high / low) / math.log(4.0)

    @property
    def strength(self) -> float:
        """Largest exponent of all quantities, without its sign."""
        return max(abs(self.exponent(quantity)) for quantity in QUANTITIES)


def sensitivities(chip: Chip, ratio_on: Callable[[Chip], Ratio]) -> list[Sensitivity]:
    """Sensitivity to every constant of a chip and to its sense time, the strongest first.

    Args:
        chip: Chip.
        ratio_on: Function that computes the ratios on a chip.
    """
    found = []
    for name in (*Constants.model_fields, SENSE_TIME):
        if name == "node_exponent":
            # An exponent, not a cost: at 45 nm it has no effect.
            continue
        halved, doubled = (ratio_on(_with_times(chip, name, factor)) for factor in (0.5, 2.0))
        found.append(Sensitivity(name, halved, doubled))
    return sorted(found, key=lambda item: item.strength, reverse=True)


def _with_times(chip: Chip, name: str, factor: float) -> Chip:
    """The chip with one constant multiplied by a factor."""
    if name == SENSE_TIME:
        return chip.model_copy(update={"sense": chip.sense.model_copy(update={"time": factor * chip.sense.time})})
    constant = getattr(chip.constants, name)
    changed = constant.model_copy(update={"value": factor * constant.value})
    return chip.model_copy(update={"constants": chip.constants.model_copy(update={name: changed})})
