"""The score of a task: the number by which its networks are judged, with its unit and its direction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from barkhausen.core.errors import InputError

NO_VALUE = "–"


@dataclass(frozen=True)
class Score:
    """A score.

    Attributes:
        name: Name of its column in tables.
        label: Name in a sentence.
        unit: Unit of the values as pages show them.
        scale: Factor from the value in tables to the value on pages.
        decimals: Fixed number of decimals on pages. Default: four significant digits.
        higher_is_better: Direction of improvement.
        limits: Smallest and greatest possible value.
    """

    name: str
    label: str
    unit: str = ""
    scale: float = 1.0
    decimals: int | None = None
    higher_is_better: bool = True
    limits: tuple[float, float] = (-math.inf, math.inf)

    @property
    def title(self) -> str:
        """Label with unit, for axes and heads of tables."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def train_column(self) -> str:
        """Name of the column of its value on training samples."""
        return f"train_{self.name}"

    @property
    def unseen_column(self) -> str:
        """Name of the column of its value on chips that took no part in training."""
        return "unseen_chips" if self.name == "accuracy" else f"unseen_{self.name}"

    @property
    def chip_column(self) -> str:
        """Name of the column of its standard deviation between chips."""
        return "chip_std" if self.name == "accuracy" else f"{self.name}_chip_std"

    @property
    def of_differences(self) -> str:
        """Unit of a difference of two values."""
        return "points" if self.unit == "%" else self.unit

    def number(self, value: float | None) -> str:
        """A value as text, without its unit; a dash for none."""
        if value is None or math.isnan(value):
            return NO_VALUE
        return f"{self.scale * value:.4g}" if self.decimals is None else f"{self.scale * value:.{self.decimals}f}"

    def shown(self, value: float | None) -> str:
        """A value as text, with its unit."""
        text = self.number(value)
        return text if text == NO_VALUE or not self.unit else f"{text} {self.unit}"

    def spread(self, mean: float, deviation: float) -> str:
        """Mean and standard deviation as text."""
        return f"{self.number(mean)} ± {self.number(deviation)}{self.unit and f' {self.unit}'}"

    def loss(self, own: float, other: float) -> float:
        """How much worse another value is; negative where it is better."""
        return own - other if self.higher_is_better else other - own

    def checked(self, value: float, task: str) -> float:
        """The value, if it is possible.

        Raises:
            InputError: It is not; tables and pages could not show it.
        """
        if not self.possible(value):
            bounds = "a fraction from 0 to 1" if self.limits == (0.0, 1.0) else "from {:g} to {:g}".format(*self.limits)
            raise InputError(f"task '{task}': {self.name} = {value:g}: must be {bounds}")
        return value

    def possible(self, value: float) -> bool:
        """Whether it is a value that the score can have."""
        return self.limits[0] <= value <= self.limits[1]

    def in_unit(self, unit: str) -> Score:
        """The same in the unit of a data set."""
        return replace(self, unit=unit)

    def summary(self) -> dict[str, Any]:
        """The score as a summary keeps it."""
        return {key: value for key, value in asdict(self).items() if key != "limits"}


ACCURACY = Score("accuracy", "accuracy", "%", 100.0, 2, limits=(0.0, 1.0))
"""Share of samples for which the network is right."""


def score_of(summary: Mapping[str, Any]) -> Score:
    """The score of a run."""
    found = summary.get("score")
    if not found:
        return ACCURACY
    return Score(**{key: found[key] for key in ("name", "label", "unit", "scale", "decimals", "higher_is_better")})


def score_on(summary: Mapping[str, Any], part: str) -> float | None:
    """Value of the score of a run on a part of the data, ``test``, ``validation`` or ``train``; None where it was not
    measured."""
    found = summary.get("score")
    value = summary[f"{part}_accuracy"] if not found else found[part]
    return None if value is None else float(value)


def measured_on(summary: Mapping[str, Any]) -> str:
    """Part of the data that a run was measured on: ``test``, or ``validation`` where it did not touch the test part."""
    return "validation" if score_on(summary, "test") is None else "test"


def held_out(summary: Mapping[str, Any]) -> float:
    """Value of the score on the test part, or on the validation samples of a run that did not touch it."""
    value = score_on(summary, measured_on(summary))
    assert value is not None
    return value
