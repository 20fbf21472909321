"""Columns of long-format tables: their names and types, which of them were swept, and look-up by name.

``docs/tables-and-statistics.md`` describes each column.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.core.renamed import COLUMNS, RECIPE_KEYS, deprecated
from barkhausen.experiment.jobs import JOBS, Job

SEED = "seed"

IDENTITY = ("task", "kind", "status", "error")
"""Columns that every table begins with."""

ALWAYS = ("mode", "states", SEED, "dataset", "device")
"""Columns that tables of networks have whether or not they were swept."""

FINISHED, FAILED, PLANNED = "finished", "failed", "planned"


def job_of(frame: pd.DataFrame) -> Job | None:
    """The job whose tasks a table is of; None where it does not say."""
    if "kind" not in frame.columns or not frame["kind"].notna().any():
        return None
    return JOBS.named(str(frame["kind"].dropna().iloc[0])).for_results(map(str, frame.columns))


def dtype_of(column: str, job: Job | None = None) -> str:
    """Type of a column that was not swept."""
    fixed = dict.fromkeys((*IDENTITY, "mode", "dataset", "device"), "string") | {"states": "Int64", SEED: "Int64"}
    jobs = JOBS.values() if job is None else [job]
    own = {each.name: each.dtype for one in jobs for each in one.every_column}
    return (own | fixed).get(column, "float64")


def current_name(name: str) -> str:
    """Current name of a column that may have a name of an earlier version."""
    return COLUMNS.get(name, RECIPE_KEYS.get(name, name))


def swept_keys(frame: pd.DataFrame) -> list[str]:
    """Columns that distinguish tasks, in the order of the table: swept keys, including the seed if it varies.

    Of the columns that every table has (mode, states, data set, device) those count that vary and do not follow from
    the swept ones; keys that follow from the mode (such as a margin of its own for each) are left out.
    """
    job = job_of(frame)
    jobs = list(JOBS.values()) if job is None else [job]
    results = {column.name for one in jobs for column in one.every_column}
    if job is None or job.networks:
        results -= set(ALWAYS)
    own = {*IDENTITY, *ALWAYS, *results}
    keys = [key for key in frame.columns if key not in own and not key.endswith(("_picojoule", "_femtojoule"))]
    if "mode" in frame.columns and frame["mode"].nunique(dropna=False) > 1:
        keys = [key for key in keys if not _follows(frame, key, ["mode"])]
    for column in ALWAYS:
        if column in results or column not in frame.columns or frame[column].nunique(dropna=False) < 2:
            continue
        if column in ("dataset", "device") and _follows(frame, column, [*keys, "mode", "states"]):
            continue
        # One number of states, and none for the float baseline.
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
        InputError: It is not.
    """
    name = _renamed(frame, name)
    numbers = [column for column in frame.columns if pd.api.types.is_numeric_dtype(frame[column])]
    if name not in frame.columns:
        raise InputError(f"no column '{name}' in the table{did_you_mean(name, numbers)}")
    if name not in numbers:
        raise InputError(f"column '{name}' holds no numbers{did_you_mean(name, numbers)}")
    return name


def key_column(frame: pd.DataFrame, name: str) -> str:
    """The name, if it is a column.

    Raises:
        InputError: It is not.
    """
    name = _renamed(frame, name)
    if name not in frame.columns:
        raise InputError(f"no column '{name}' in the table{did_you_mean(name, [str(key) for key in frame.columns])}")
    return name


def _renamed(frame: pd.DataFrame, name: str) -> str:
    """The name of today of a column that has another one than in earlier versions."""
    now = current_name(name)
    if now == name or name in frame.columns or now not in frame.columns:
        return name
    deprecated(name, now, stacklevel=4)
    return now
