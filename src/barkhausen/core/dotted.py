"""Dotted keys: places in nested tables and lists, such as ``shape.notches.0.depth``."""

from __future__ import annotations

from typing import Any

from barkhausen.core.errors import InputError, shortened


def put(values: dict[str, Any], key: str, value: Any) -> None:
    """Set one value of nested tables, in place; tables that are missing are made.

    Args:
        values: Nested dictionaries and lists, as read from TOML.
        key: Dotted key. A number names an entry of a list, from 0.
        value: New value.

    Raises:
        InputError: A part of the key is neither a table nor an entry of a list.
    """
    *parents, last = key.split(".")
    within: Any = values
    for place, part in enumerate(parents):
        here = ".".join(parents[: place + 1])
        follows = (*parents, last)[place + 1]
        if isinstance(within, dict):
            if part not in within and follows.isdigit():
                raise InputError(f"'{shortened(here)}' has no entry {shortened(follows)}: give the whole list first")
            within = within.setdefault(part, {})
        else:
            within = within[_entry(within, part, ".".join(parents[:place]))]
        if not isinstance(within, (dict, list)):
            raise InputError(f"'{shortened(part)}' is not a table{' or a list' if follows.isdigit() else ''}")
    if isinstance(within, dict):
        within[last] = value
    else:
        within[_entry(within, last, ".".join(parents))] = value


def taken(values: dict[str, Any], key: str) -> Any:
    """Value at a dotted key; None where there is none."""
    within: Any = values
    for part in key.split("."):
        if isinstance(within, dict):
            within = within.get(part)
        elif isinstance(within, list) and part.isdigit() and int(part) < len(within):
            within = within[int(part)]
        else:
            return None
    return within


def _entry(values: list[Any], part: str, where: str) -> int:
    """Index of an entry that the list has."""
    if not part.isdigit() or not part.isascii() or len(part) > 9 or int(part) >= len(values):
        have = f"the entries 0 to {len(values) - 1}" if values else "no entries"
        raise InputError(f"'{shortened(where)}' is a list with {have}, not '{shortened(part)}'")
    return int(part)
