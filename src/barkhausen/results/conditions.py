"""Selection of table rows by conditions such as ``device.margin=0.4``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from barkhausen.core.errors import InputError
from barkhausen.results.columns import key_column

CONDITION = re.compile(r"\s*(?P<key>[^<>=!]+?)\s*(?P<sign><=|>=|!=|==|=|<|>)\s*(?P<value>.*?)\s*", re.DOTALL)


def chosen(frame: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """The rows that meet all conditions, such as ``device.margin=0.4`` or ``epochs>=5``.

    The operators are ``=``, ``!=``, ``<``, ``<=``, ``>`` and ``>=``. Numbers are compared as numbers, and lists without
    regard to spaces. An empty cell meets only ``!=``.

    Raises:
        InputError: A condition cannot be read, its column is unknown or not comparable, or no row is left.
    """
    kept = np.ones(len(frame), dtype=bool)
    for condition in conditions:
        kept &= rows_that_meet(frame, condition)
    if not kept.any():
        raise InputError(f"none of the {len(frame)} rows of the table has {' and '.join(conditions) or 'anything'}")
    return frame[kept].reset_index(drop=True)


def rows_that_meet(frame: pd.DataFrame, condition: str) -> np.ndarray:
    """Which rows meet a condition; see :func:`chosen`."""
    match = CONDITION.fullmatch(condition)
    if not match:
        raise InputError(f"condition '{condition}': must be a column, one of = != < <= > >=, and a value")
    key, sign, text = key_column(frame, match["key"]), match["sign"], match["value"].strip("\"'")
    column = frame[key]
    left: Any
    right: Any
    if pd.api.types.is_bool_dtype(column):
        if text.lower() not in ("true", "false"):
            raise InputError(f"condition '{condition}': column '{key}' holds true and false")
        left, right = column.astype("float64").to_numpy(), float(text.lower() == "true")
    elif pd.api.types.is_numeric_dtype(column):
        left, right = column.to_numpy(np.float64, na_value=np.nan), number_of(text)
        if right is None:
            raise InputError(f"condition '{condition}': column '{key}' holds numbers, {text!r} is none")
    elif sign in ("=", "==", "!="):
        left = np.array([_squeezed(value) for value in column], dtype=object)
        right = _squeezed(text)
    else:
        right = number_of(text)
        left = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        if right is None or np.isnan(left[column.notna().to_numpy()]).any():
            raise InputError(f"condition '{condition}': column '{key}' holds text, which is only = or != something")
    compared = {
        "=": np.equal,
        "==": np.equal,
        "!=": np.not_equal,
        "<": np.less,
        "<=": np.less_equal,
        ">": np.greater,
        ">=": np.greater_equal,
    }[sign](left, right)
    return np.asarray(compared, dtype=bool)


def number_of(text: str) -> float | None:
    """The number that a text is, if it is one."""
    try:
        return float(text)
    except ValueError:
        return None


def _squeezed(value: object) -> str:
    text = "" if value is None or value is pd.NA or value != value else str(value)  # noqa: PLR0124
    return re.sub(r"\s", "", text) if text.startswith("[") else text
