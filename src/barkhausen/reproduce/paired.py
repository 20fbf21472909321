"""The effect of one choice on the score of runs, seed by seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from barkhausen.experiment.score import Score, held_out
from barkhausen.experiment.work.rows import Summary
from barkhausen.reproduce.systems import Reading
from barkhausen.results.statistics import PairedTest, paired_test
from barkhausen.results.table import score_of_all

Choice = Callable[[Summary], bool]


@dataclass(frozen=True)
class Effect:
    """How much better runs are with a choice than without it.

    Attributes:
        label: What the runs are.
        score: Their score.
        test: Gains of single seeds, in the unit of tables; positive where the choice is better.
    """

    label: str
    score: Score
    test: PairedTest

    @property
    def verdict(self) -> str:
        """What the 95 % interval says."""
        low, high = self.test.interval.low, self.test.interval.high
        if math.isnan(low):
            return "too few seeds"
        return "better" if low > 0 else "worse" if high < 0 else "not resolved"

    def reading(self, what: str, published: str = "") -> Reading:
        """A row of the page.

        Args:
            what: The choice, in words.
            published: What the paper says of it.
        """
        score, test = self.score, self.test
        unit = score.of_differences and f" {score.of_differences}"
        ends = "" if math.isnan(test.interval.low) else f"{_signed(score, test.interval.low)} to "
        ends = ends and f" (95 % interval {ends}{_signed(score, test.interval.high)})"
        ours = f"{_signed(score, test.difference)}{unit}{ends}, n = {test.pairs}"
        return Reading(self.label, f"gain in {score.label} by {what}, paired over seeds", ours, published, self.verdict)


def effect(runs: Sequence[Summary], label: str, with_it: Choice, without_it: Choice) -> Effect | None:
    """The effect of a choice; None where no seed has runs of both.

    A seed that has several runs of one kind counts with their mean.

    Args:
        runs: Summaries.
        label: What the runs are.
        with_it, without_it: Whether a run is one with the choice, or one without it.
    """
    score = score_of_all(runs)
    own, other = _by_seed(runs, with_it), _by_seed(runs, without_it)
    seeds = sorted(own.keys() & other.keys())
    if not seeds:
        return None
    sign = 1.0 if score.higher_is_better else -1.0
    values, baseline = (sign * np.array([part[seed] for seed in seeds]) for part in (own, other))
    return Effect(label, score, paired_test(values, baseline, 0))


def _by_seed(runs: Sequence[Summary], chosen: Choice) -> dict[int, float]:
    found: dict[int, list[float]] = {}
    for run in runs:
        if chosen(run):
            found.setdefault(int(run["seed"]), []).append(held_out(run))
    return {seed: float(np.mean(values)) for seed, values in found.items()}


def _signed(score: Score, value: float) -> str:
    number = score.scale * value
    text = f"{number:+.3g}" if score.decimals is None else f"{number:+.{score.decimals}f}"
    return text.replace("-", "−")
