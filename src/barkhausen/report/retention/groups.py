"""Results of networks left alone, grouped: seeds of one kind of network together, with means and intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from barkhausen.results.statistics import Samples, mean_interval, nested

Summary = Mapping[str, Any]

NETWORKS = {"trained": "trained chip", "transferred": "transferred to unseen chips"}
"""Names of the networks in sentences."""

UNITS = ((31_557_600.0, "y"), (86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval; NaN where there are too few values."""

    mean: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether the interval is known."""
        return math.isfinite(self.low)


@dataclass(frozen=True)
class Group:
    """Seeds of one kind of network.

    Attributes:
        label: Name of the group.
        runs: Summaries of its networks, one a seed.
    """

    label: str
    runs: Sequence[Summary]

    @property
    def first(self) -> Summary:
        """Summary of the first seed."""
        return self.runs[0]

    @property
    def draws(self) -> int:
        """Number of draws of each network."""
        return int(self.first["fresh"]["count"])

    @property
    def state_names(self) -> list[str]:
        """Names of the states of the device."""
        return [f"state {state}" for state in range(int(self.first["states"]))]

    @property
    def fresh(self) -> Estimate:
        """Accuracy before waiting, as a fraction."""
        return estimate(nested([run["fresh"]["values"] for run in self.runs]))

    @property
    def temperatures(self) -> list[float]:
        """Temperatures in K, ascending."""
        return sorted({float(found["temperature"]) for found in self.first["conditions"]})

    def times(self, temperature: float, barriers: str = "") -> list[float]:
        """Waiting times in s at a temperature, ascending."""
        found = self.first["conditions"]
        return sorted(
            float(one["seconds"]) for one in found if one["temperature"] == temperature and one["barriers"] == barriers
        )

    def accuracy(self, temperature: float, seconds: float, barriers: str = "") -> Estimate:
        """Accuracy after waiting, as a fraction."""
        return estimate(nested([row["accuracy"]["values"] for row in self._rows(temperature, seconds, barriers)]))

    def loss(self, temperature: float, seconds: float, barriers: str = "") -> Estimate:
        """Loss of accuracy in percentage points, of each draw against itself before waiting."""
        rows = self._rows(temperature, seconds, barriers)
        return estimate(
            nested(
                [
                    [
                        100 * (before - after)
                        for before, after in zip(run["fresh"]["values"], row["accuracy"]["values"], strict=True)
                    ]
                    for run, row in zip(self.runs, rows, strict=True)
                ]
            )
        )

    def share(self, name: str, temperature: float, seconds: float) -> float:
        """Mean share of the walls that have ``moved``, or are ``lost``."""
        return fmean(float(row[name]) for row in self._rows(temperature, seconds, ""))

    @property
    def has_interval_of_barriers(self) -> bool:
        """Whether the error of the barriers is known."""
        return any(found["barriers"] for found in self.first["conditions"])

    def _rows(self, temperature: float, seconds: float, barriers: str) -> list[Summary]:
        return [
            next(
                found
                for found in run["conditions"]
                if (found["temperature"], found["seconds"], found["barriers"]) == (temperature, seconds, barriers)
            )
            for run in self.runs
        ]


def groups_of(summaries: Sequence[Summary]) -> list[Group]:
    """Summaries in groups that differ in their seed alone; each label names what differs between groups."""
    keys = ("mode", "states", "device", "dataset", "network")
    found: dict[tuple[Any, ...], list[Summary]] = {}
    for summary in summaries:
        name = (*(summary[key] for key in keys), repr(summary["settings"]))
        found.setdefault(name, []).append(summary)
    varied = [key for place, key in enumerate(keys) if len({name[place] for name in found}) > 1]
    groups = []
    for runs in found.values():
        words = {
            "mode": str(runs[0]["mode"]),
            "states": f"{runs[0]['states']} states",
            "device": str(runs[0]["device"]),
            "dataset": str(runs[0]["dataset"]),
            "network": NETWORKS[str(runs[0]["network"])],
        }
        shown = [words[key] for key in varied if key != "network"]
        label = ", ".join([*(shown or [words["mode"]]), words["network"]])
        groups.append(Group(label, sorted(runs, key=lambda run: int(run["seed"]))))
    return groups


def estimate(samples: Samples) -> Estimate:
    """Mean over seeds of means over draws, and its interval: Student's t over seeds, or over the draws of one seed."""
    rows = samples if len(samples) > 1 else samples.T
    interval = mean_interval(rows, 0, method="student-t")
    return Estimate(float(np.nanmean(np.nanmean(samples, axis=1))), interval.low, interval.high)


def duration(seconds: float) -> str:
    """A time in words, in the largest unit that leaves a number of at least one."""
    if not math.isfinite(seconds) or seconds >= 1e6 * UNITS[0][0]:
        return "> 10⁶ y"
    for unit, name in UNITS:
        if seconds >= unit * (1 - 1e-9):
            return f"{seconds / unit:.3g}\N{NO-BREAK SPACE}{name}"
    return f"{seconds * 1e9:.3g}\N{NO-BREAK SPACE}ns"
