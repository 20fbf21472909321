"""Columns of the tidy tables: what they are called, of what type, which were swept, and how to find one by its name.

What each holds is written down in ``docs/tables-and-statistics.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from barkhausen.core.errors import InputError, did_you_mean

SEED = "seed"

IDENTITY = ("task", "kind", "status", "error")
"""Columns that every table begins with."""

ALWAYS = ("mode", "states", SEED, "dataset", "device")
"""Columns that tables of networks have whether or not they were swept."""

RESULTS: dict[str, tuple[str, ...]] = {
    "train": (
        "accuracy",
        "measured_on",
        "train_accuracy",
        "chip_std",
        "chips",
        "fresh_chip_copy",
        "events_per_sample",
        "attempts_per_sample",
        "picojoule_per_inference",
        "sot_picojoule",
        "gate_picojoule",
        "read_picojoule",
    ),
    "characterize": (
        "device_file",
        "states",
        "information_bits",
        "smallest_gap",
        "worst_overlap",
        "mean_sigma_device",
        "mean_sigma_cycle",
        "sot_femtojoule",
        "gate_femtojoule",
        "read_femtojoule",
    ),
    "infer": (
        "ideal_accuracy",
        "accuracy",
        "tuned_accuracy",
        "system_picojoule",
        "training_picojoule",
        "latency_nanoseconds",
    ),
}
"""Columns of results of each kind of task. Inferences have one ``…_picojoule`` a cause besides."""

NEEDED: dict[str, tuple[str, ...]] = {
    "train": (*ALWAYS, "accuracy", "picojoule_per_inference"),
    "characterize": ("information_bits", "smallest_gap"),
    "infer": (*ALWAYS, "accuracy", "system_picojoule"),
}
"""Columns without which a table is of another version."""

CAUSES = ("sot", "gate", "read")

DTYPES = {"states": "Int64", SEED: "Int64", "chips": "Int64"}
TEXTS = ("task", "kind", "status", "error", "mode", "dataset", "device", "measured_on", "device_file")

FINISHED, FAILED, PLANNED = "finished", "failed", "planned"


def swept_keys(frame: pd.DataFrame) -> list[str]:
    """The columns that tell tasks apart, in the order of the table: swept keys, the seed among them if it varies.

    Of the columns that every table has (mode, states, data set, device) those count that vary and do not follow from
    the swept ones; keys that follow from the mode (such as a margin of its own for each) are left out.
    """
    results = {column for columns in RESULTS.values() for column in columns} - set(ALWAYS)
    if "kind" in frame.columns and (frame["kind"] == "characterize").any():
        results |= {"states"}
    own = {*IDENTITY, *ALWAYS, *results}
    keys = [key for key in frame.columns if key not in own and not key.endswith(("_picojoule", "_femtojoule"))]
    if "mode" in frame.columns and frame["mode"].nunique(dropna=False) > 1:
        keys = [key for key in keys if not _follows(frame, key, ["mode"])]
    for column in ALWAYS:
        if column in results or column not in frame.columns or frame[column].nunique(dropna=False) < 2:
            continue
        if column in ("dataset", "device") and _follows(frame, column, [*keys, "mode", "states"]):
            continue
        # One number of states, and none for the float twin.
        if column == "states" and frame[column].nunique() == 1 and _follows(frame, column, [*keys, "mode"]):
            continue
        keys.append(column)
    order = list(frame.columns)
    return sorted(keys, key=order.index)


def seed_column(frame: pd.DataFrame) -> str | None:
    """The column of the seed: ``seed``, or the one seed of a characterisation (``characterisation.seed``), if any."""
    if SEED in frame.columns:
        return SEED
    seeds = [str(column) for column in frame.columns if str(column).endswith(f".{SEED}")]
    return seeds[0] if len(seeds) == 1 else None


def _follows(frame: pd.DataFrame, column: str, keys: Sequence[str]) -> bool:
    """Whether rows that agree in these keys agree in that column."""
    known = [key for key in keys if key in frame.columns]
    return bool((frame.groupby(known, dropna=False)[column].nunique(dropna=False) < 2).all())


def value_column(frame: pd.DataFrame, name: str) -> str:
    """The name, if it is a column of numbers.

    Raises:
        InputError: it is not.
    """
    numbers = [column for column in frame.columns if pd.api.types.is_numeric_dtype(frame[column])]
    if name not in frame.columns:
        raise InputError(f"no column '{name}' in the table{did_you_mean(name, numbers)}")
    if name not in numbers:
        raise InputError(f"column '{name}' holds no numbers{did_you_mean(name, numbers)}")
    return name


def key_column(frame: pd.DataFrame, name: str) -> str:
    """The name, if it is a column.

    Raises:
        InputError: it is not.
    """
    if name not in frame.columns:
        raise InputError(f"no column '{name}' in the table{did_you_mean(name, [str(key) for key in frame.columns])}")
    return name
