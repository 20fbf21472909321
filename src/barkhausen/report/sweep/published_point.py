"""The published figures that a sweep may stand beside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from barkhausen.report.sweep.figures import Quantity
from barkhausen.report.sweep.metadata import content_of
from barkhausen.results.published import Figure, network_of, published
from barkhausen.sweep.store import Store


def published_point(
    frame: pd.DataFrame, networks: Sequence[str | None], cost: Quantity, gain: Quantity
) -> tuple[Figure, Figure] | None:
    """Published cost and gain under the conditions of one of these tasks; None where there are none of both."""
    if not {"dataset", "mode"} <= set(frame.columns):
        return None
    for dataset, rule in frame[["dataset", "mode"]].dropna().drop_duplicates().itertuples(index=False):
        for network in networks:
            of_cost, of_gain = (published(quantity.column, dataset, rule, network) for quantity in (cost, gain))
            if of_cost is not None and of_gain is not None:
                return of_cost, of_gain
    return None


def networks_of(directory: Path, frame: pd.DataFrame) -> list[str | None]:
    """Kinds of network of the tasks."""
    swept = [str(name) for name in frame.columns if str(name).startswith("network.")]
    rows = frame.drop_duplicates([name for name in swept if name in ("network.kind", "network.factory")] or ["kind"])
    store = Store(directory)
    recipes = [content_of(store.of(str(task)) / "task.json").get("values", {}) for task in rows["task"]]
    return list(dict.fromkeys(network_of(recipe) for recipe in recipes))
