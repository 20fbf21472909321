"""Names of version 0.1.0 and what took their place: keys of files, which are read for ever, and names in Python."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

RECIPE_KEYS = {
    "optimizer.memory_rate": "optimizer.latent_rate",
    "faults.lost_walls": "faults.annihilated_walls",
}
"""Dotted keys of a recipe."""

STATE_KEYS = {"memory": "latent_weight"}
"""Last parts of the keys of a network's state."""

SUMMARY_KEYS = {"fresh_chip_copy": "unseen_chips"}
"""Keys of ``summary.json`` (schema 1)."""

COLUMNS = {"fresh_chip_copy": "unseen_chips"}
"""Columns of tables."""


def deprecated(old: str, new: str, *, stacklevel: int = 3) -> None:
    """Warn that a name has another one now."""
    warnings.warn(f"{old} is now {new}; the old name still works", DeprecationWarning, stacklevel=stacklevel)


def renamed_keys(values: Mapping[str, Any], names: Mapping[str, str], prefix: str = "") -> dict[str, Any]:
    """Nested tables with old keys replaced, each with a warning; a new key beside the old one wins."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        place = f"{prefix}{key}"
        if place in names:
            deprecated(place, names[place], stacklevel=4)
            key = names[place].rpartition(".")[2]  # noqa: PLW2901  # goes on under its new name
            if key in values:
                continue
        result[key] = renamed_keys(value, names, f"{place}.") if isinstance(value, dict) else value
    return result
