"""Conversion of a long-format table to labelled arrays with an axis for each swept key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.results.columns import key_column, swept_keys, value_column


def to_xarray(frame: pd.DataFrame, values: Sequence[str], dims: Sequence[str] | None = None) -> xr.Dataset:
    """Columns of results as arrays with labelled axes; combinations that were not run, or failed, are NaN.

    Args:
        frame: Table of :func:`load_table` or :func:`table_of_runs`, or some of its rows.
        values: Names of numeric columns.
        dims: Columns that become axes, in this order. Default: every swept key, including the seed. Numbers on an axis
            ascend; other labels are in the order of the table.

    Raises:
        InputError: Several rows have the same labels (name the seed as a dimension, or select rows), a label is
            missing, or there is no such column.
    """
    names = list(swept_keys(frame) if dims is None else dims)
    chosen = [value_column(frame, value) for value in values]
    if not names:
        raise InputError("no dimensions: nothing varies in the table; name the columns that are to be axes")
    for name in names:
        missing = int(frame[key_column(frame, name)].isna().sum())
        if missing:
            raise InputError(f"column '{name}' is empty in {missing} rows and cannot be an axis; leave them out first")
    again = frame.duplicated(names)
    if again.any():
        first = frame.loc[again, names].iloc[0]
        labels = ", ".join(f"{name} = {first[name]}" for name in names)
        differing = [key for key in swept_keys(frame) if key not in names]
        more = f"; {', '.join(differing)} differ: name them as dimensions too" if differing else ""
        number = int((frame[names] == first).all(axis=1).sum())
        raise InputError(f"{number} rows have {labels}{more}")
    axes = {name: _labels(frame[name]) for name in names}
    places = tuple(pd.Index(axes[name]).get_indexer(frame[name].to_numpy(axes[name].dtype)) for name in names)
    data = {}
    for value in chosen:
        array = np.full([len(labels) for labels in axes.values()], np.nan)
        array[places] = frame[value].to_numpy(np.float64, na_value=np.nan)
        data[value] = (names, array)
    return xr.Dataset(data, coords=axes)


def _labels(column: pd.Series[Any]) -> np.ndarray:
    if pd.api.types.is_bool_dtype(column):
        return np.array(sorted(column.unique()), dtype=bool)
    if pd.api.types.is_integer_dtype(column):
        return np.sort(column.unique().astype(np.int64))
    if pd.api.types.is_numeric_dtype(column):
        return np.sort(column.unique().astype(np.float64))
    return np.array(list(dict.fromkeys(column)), dtype=object)
