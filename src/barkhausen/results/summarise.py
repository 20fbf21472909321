"""Summary of a table by groups of tasks: mean, spread, number, interval, and difference from a baseline.

The numbers are those of :mod:`barkhausen.results.statistics`; here rows of a table become samples of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from barkhausen.core.errors import InputError
from barkhausen.experiment.tasks.registry import TASKS
from barkhausen.learning.rules import RULES
from barkhausen.results import statistics
from barkhausen.results.columns import (
    FAILED,
    FINISHED,
    PLANNED,
    job_of,
    key_column,
    seed_column,
    swept_keys,
    value_column,
)
from barkhausen.results.conditions import CONDITION, number_of, rows_that_meet
from barkhausen.results.findings import Findings, counted, unlike
from barkhausen.results.notes import Note


def spread_column(value: str) -> str | None:
    """Column of the spread between the chips that a column is the mean of; empty if it has none, None if the column is
    no mean over chips."""
    for entry in TASKS.values():
        score = entry.scores[0]
        if value == score.name:
            return score.chip_column
        if value == score.unseen_column:
            return ""
    return None


NOT_OF_FLOAT = ("states", "device", "device.", "faults.", "transfer.", "optimizer.latent_rate")
"""Keys (or their beginnings) that a float network does not use; they are ignored when baselines are matched."""

STATISTICS = ("mean", "std", "n", "low", "high", "method", "std_seeds", "std_chips", "clipped")
"""Statistics of each value, as columns ``VALUE_mean`` and so on."""

AGAINST = (
    "difference",
    "difference_low",
    "difference_high",
    "difference_method",
    "pairs",
    "effect_size",
    "p_t",
    "p_t_holm",
    "p_permutation",
    "p_permutation_holm",
    "p_permutation_smallest",
)
"""Statistics of each value's difference from the baseline."""


@dataclass(frozen=True)
class Summary:
    """A summarised table.

    Attributes:
        frame: One row a group: its keys, ``tasks``, ``failed``, ``planned``, then for each value the columns of
            :data:`STATISTICS` and, against a baseline, of :data:`AGAINST`, each behind the value's name and an
            underscore.
        group: Keys of the groups.
        values: Summarised columns.
        against: Conditions that select baselines, if any.
        notes: Notes for the reader.
    """

    frame: pd.DataFrame
    group: tuple[str, ...]
    values: tuple[str, ...]
    against: tuple[str, ...] = ()
    notes: tuple[Note, ...] = field(default=())


def summarise(
    frame: pd.DataFrame,
    values: Sequence[str] | None = None,
    group: Sequence[str] | None = None,
    *,
    chips: pd.DataFrame | None = None,
    against: Sequence[str] = (),
    baselines: pd.DataFrame | None = None,
    level: float = statistics.LEVEL,
    seed: int = 0,
) -> Summary:
    """Mean, standard deviation between seeds, number of seeds and interval of each group.

    Rows of one group with the same seed are averaged before anything else, so that ``n`` is the number of seeds.

    Args:
        frame: Rows of one kind of task.
        values: Numeric columns. Default: those of the job of the tasks.
        group: Columns to group by. Default: every swept key except the seed.
        chips: Single chips of the tasks, where known.
        against: Conditions; rows that meet them are baselines, and every other row is compared with the baseline that
            has the same seed and the same swept keys (of those that the baseline uses).
        baselines: Where baselines are looked for, such as the whole table that ``frame`` is a part of. Default:
            ``frame``.
        level: Confidence level of the intervals.
        seed: Seed of the random numbers of each group, so that a group's numbers do not depend on other groups.

    Raises:
        InputError: A column is unknown or holds no numbers, or there is no baseline.
    """
    if values is None:
        values = default_values(frame)
    names = list(dict.fromkeys(value_column(frame, value) for value in values))
    swept = [key for key in swept_keys(frame) if key != seed_column(frame)]
    keys = list(dict.fromkeys(swept if group is None else [key_column(frame, key) for key in group]))
    parts = _parts(frame, keys)
    own_chips = _chips_by_task(chips)
    findings = Findings()
    pairing = _Baseline(frame if baselines is None else baselines, against) if against else None
    rows = []
    for labels, part in parts:
        status = part["status"].value_counts()
        row = dict(zip(keys, labels, strict=True))
        row |= {"tasks": len(part), FAILED: int(status.get(FAILED, 0)), PLANNED: int(status.get(PLANNED, 0))}
        done = part[part["status"] == FINISHED]
        for value in names:
            row |= _described(*samples_of(done, value, own_chips), value, findings, level=level, seed=seed)
            findings.count_rows(done, value, row[f"{value}_n"])
            if pairing is not None:
                row |= pairing.compared(done, value, level, seed)
        rows.append(row)
    result = pd.DataFrame(rows)
    if pairing is not None:
        for value in names:
            for test in ("p_t", "p_permutation"):
                result[f"{value}_{test}_holm"] = statistics.holm(result[f"{value}_{test}"].to_numpy(np.float64))
    result = result[[*keys, "tasks", FAILED, PLANNED, *_columns(names, pairing is not None)]]
    for key in keys:
        result[key] = result[key].astype(frame[key].dtype)
    notes = [*counted(frame), *_methods(result, names, level), *findings.notes(keys)]
    notes += unlike(parts, keys, [key for key in swept if key not in keys])
    notes += [] if pairing is None else pairing.notes(result, names)
    if "measured_on" in frame.columns and frame["measured_on"].nunique() > 1:
        text = "some results are of validation samples, others of the test set (column measured_on)"
        notes.append(Note("mixed-samples", text))
    return Summary(result, tuple(keys), tuple(names), tuple(against), tuple(notes))


def raw_rows(
    frame: pd.DataFrame, values: Sequence[str] | None = None, *, full: bool = True
) -> tuple[pd.DataFrame, list[Note]]:
    """Rows, and what is to be said of them.

    Args:
        frame: Rows.
        values: Columns shown beside task, status, and swept keys; all columns unless given.
        full: Without ``values``, all columns, and not only swept keys and the default values.

    Raises:
        InputError: There is no such column.
    """
    notes = counted(frame)
    if values is None and full:
        return frame, notes
    names = values or default_values(frame)
    columns = ["task", "status", "error", *swept_keys(frame), *(key_column(frame, value) for value in names)]
    return frame[list(dict.fromkeys(column for column in columns if column in frame.columns))], notes


def default_values(frame: pd.DataFrame) -> list[str]:
    """The columns that the job of a table's tasks summarises unless others are named."""
    job = job_of(frame)
    return [value for value in (job.summarised if job is not None else ()) if value in frame.columns]


def _columns(values: Sequence[str], against: bool) -> list[str]:
    return [f"{value}_{name}" for value in values for name in (*STATISTICS, *(AGAINST if against else ()))]


def _parts(frame: pd.DataFrame, keys: Sequence[str]) -> list[tuple[tuple[Any, ...], pd.DataFrame]]:
    """Rows of each group, in the order of the table."""
    if not keys:
        return [((), frame)]
    groups = frame.groupby(list(keys), dropna=False, sort=False)
    return [(labels if isinstance(labels, tuple) else (labels,), part) for labels, part in groups]


def _by_seed(rows: pd.DataFrame, value: str) -> pd.Series[Any]:
    """Mean of each seed; rows without a seed are seeds of their own."""
    key = seed_column(rows)
    if key is None or rows[key].isna().all():
        return rows[value].reset_index(drop=True)
    return rows.groupby(key, dropna=False)[value].mean()


def _chips_by_task(chips: pd.DataFrame | None) -> dict[str, np.ndarray]:
    if chips is None or chips.empty:
        return {}
    known = chips.dropna(subset=["accuracy"])
    return {str(task): part["accuracy"].to_numpy(np.float64) for task, part in known.groupby("task", sort=False)}


def samples_of(
    rows: pd.DataFrame, value: str, chips: dict[str, np.ndarray]
) -> tuple[statistics.Samples, statistics.Samples]:
    """A value's samples ``[seed, chip]`` for resampling, and those for the components of variance.

    Chips belong to a column that is their mean. Where single chips are not known but their number and spread are, the
    second array has chips with these moments, and the first the mean of each seed.
    """
    finite = rows[rows[value].notna()]
    key = seed_column(rows)
    between = spread_column(value)
    if between is None or (key is not None and finite[key].dropna().duplicated().any()):
        means = _by_seed(finite, value).to_numpy(np.float64)[:, None]
        return means, means
    known, moments = [], []
    for _, row in finite.iterrows():
        mean = float(row[value])
        own = chips.get(str(row["task"]))
        if own is not None and math.isclose(float(own.mean()), mean, rel_tol=0, abs_tol=1e-6):
            known.append(own)
            moments.append(own)
            continue
        known.append(np.array([mean]))
        number, spread = (number_of(str(row.get(name))) for name in ("chips", between))
        if between and number is not None and spread is not None and math.isfinite(number + spread):
            moments.append(statistics.with_moments(int(number), mean, spread))
        else:
            moments.append(known[-1])
    return statistics.nested(known), statistics.nested(moments)


def _described(
    samples: statistics.Samples,
    moments: statistics.Samples,
    value: str,
    findings: Findings,
    *,
    level: float,
    seed: int,
) -> dict[str, Any]:
    means = statistics.seed_means(samples)
    number = len(means)
    interval = statistics.mean_interval(samples, seed, level=level)
    parts = statistics.components(moments)
    if parts.clipped:
        findings.clipped.append(value)
    found = {
        "mean": float(means.mean()) if number else math.nan,
        "std": float(means.std(ddof=1)) if number > 1 else math.nan,
        "n": number,
        "low": interval.low,
        "high": interval.high,
        "method": interval.method,
        "std_seeds": parts.seeds,
        "std_chips": parts.chips,
        "clipped": parts.clipped,
    }
    return {f"{value}_{name}": item for name, item in found.items()}


def _methods(frame: pd.DataFrame, values: Sequence[str], level: float) -> list[Note]:
    """How the intervals came about, all on one line."""
    methods = dict.fromkeys(method for value in values for method in frame[f"{value}_method"])
    known = [method for method in methods if not method.startswith("none")]
    if not known:
        return [Note("no-spread", "fewer than two seeds everywhere: no spread and no interval")]
    text = f"± is the standard deviation between n seeds; {100 * level:g} % intervals are of the mean: "
    return [Note("intervals", text + ", ".join(known))]


class _Baseline:
    """The rows that others are compared with."""

    def __init__(self, frame: pd.DataFrame, conditions: Sequence[str]) -> None:
        self.conditions = conditions
        swept = [key for key in swept_keys(frame) if key != seed_column(frame)]
        meets = np.ones(len(frame), dtype=bool)
        for condition in conditions:
            meets &= rows_that_meet(frame, condition)
        meets &= (frame["status"] == FINISHED).to_numpy(bool)
        if not meets.any():
            raise InputError(f"no finished row of the table has {' and '.join(conditions)}: there is no baseline")
        self.seed = seed_column(frame) or ""
        if not self.seed or frame.loc[meets, self.seed].isna().any():
            raise InputError("rows without a seed cannot be paired with a baseline")
        self.rows = frame[meets]
        self.tasks = frozenset(self.rows["task"])
        self.means: dict[str, pd.DataFrame] = {}
        fixed = {matched["key"] for matched in map(CONDITION.fullmatch, conditions) if matched}
        is_float = "mode" in frame.columns and all(map(_without_devices, self.rows["mode"].dropna().unique()))
        self.keys = [key for key in swept if key not in fixed and not (is_float and _unused_by_float(key))]

    def compared(self, rows: pd.DataFrame, value: str, level: float, seed: int) -> dict[str, Any]:
        """The columns of :data:`AGAINST` but Holm's, of one group."""
        empty: dict[str, Any] = {f"{value}_{name}": math.nan for name in AGAINST if not name.endswith("holm")}
        empty |= {f"{value}_pairs": 0, f"{value}_difference_method": ""}
        others = rows[[task not in self.tasks for task in rows["task"]]]
        keys = [self.seed, *self.keys]
        others = others[others[value].notna()]
        if others.empty:
            return empty
        if value not in self.means:
            means = self.rows[self.rows[value].notna()].groupby(keys, dropna=False)[value].mean()
            self.means[value] = means.rename("_baseline").reset_index()
        pairs = others[[*keys, value]].merge(self.means[value], on=keys, how="inner")
        if pairs.empty:
            return empty
        by_seed = pairs.groupby(self.seed)[[value, "_baseline"]].mean()
        values, theirs = by_seed[value].to_numpy(np.float64), by_seed["_baseline"].to_numpy(np.float64)
        test = statistics.paired_test(values, theirs, seed, level=level)
        found = {
            "difference": test.difference,
            "difference_low": test.interval.low,
            "difference_high": test.interval.high,
            "difference_method": test.interval.method,
            "pairs": test.pairs,
            "effect_size": test.effect_size,
            "p_t": test.p_t,
            "p_permutation": test.p_permutation,
            "p_permutation_smallest": test.p_smallest,
        }
        return {f"{value}_{name}": item for name, item in found.items()}

    def notes(self, frame: pd.DataFrame, values: Sequence[str]) -> list[Note]:
        """How was paired, and what so few pairs can show."""
        same = ", ".join([self.seed, *self.keys])
        text = f"differences are from the rows with {' and '.join(self.conditions)} and the same {same}, seed by seed"
        notes = [Note("baseline", text)]
        for value in values:
            pairs = frame.loc[frame[f"{value}_pairs"] > 0, f"{value}_pairs"]
            if pairs.empty:
                notes.append(Note("no-pairs", f"{value}: no row has a baseline with a value"))
                continue
            most = int(pairs.max())
            smallest = float(frame[f"{value}_p_permutation_smallest"].min())
            if smallest > 0.05:
                text = (
                    f"{value}: with {most} pairs the permutation test cannot give p below {smallest:.3g}: it shows "
                    "nothing at 0.05 whatever the data; the t test takes normal differences for granted"
                )
                notes.append(Note("few-pairs", text))
            elif len(pairs) * smallest > 0.05:
                text = (
                    f"{value}: Holm's correction for {len(pairs)} groups leaves no permutation p below "
                    f"{len(pairs) * smallest:.3g} with so few pairs"
                )
                notes.append(Note("holm", text))
        return notes


def _without_devices(mode: str) -> bool:
    """Whether a learning rule trains networks without devices."""
    rule = RULES.find(mode)
    return rule is not None and not rule.on_devices


def _unused_by_float(key: str) -> bool:
    return any(key == name or (name.endswith(".") and key.startswith(name)) for name in NOT_OF_FLOAT)
