"""Dotted keys reach into tables and lists, and say where they cannot."""

from __future__ import annotations

from typing import Any

import pytest

from barkhausen.core.config import apply_setting, source_of
from barkhausen.core.dotted import put, taken
from barkhausen.core.errors import InputError


def tables() -> dict[str, Any]:
    return {"shape": {"notches": [{"depth": 4e-9}, {"depth": 5e-9}]}, "hidden": [32, 16], "seed": 0}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shape.notches.1.depth", 7e-9),
        ("shape.notches.0", {"depth": 1e-9}),
        ("shape.notches.0.width", 3e-9),
        ("hidden.1", 8),
        ("new.table.key", 1),
        ("seed", 2),
    ],
)
def test_a_value_is_put_in_its_place_and_nowhere_else(key: str, value: Any) -> None:
    values, before = tables(), tables()
    put(values, key, value)
    assert taken(values, key) == value
    others = ["shape.notches.0.depth", "shape.notches.1.depth", "hidden.0", "hidden.1", "seed"]
    for other in others:
        if not key.startswith(other) and not other.startswith(key):
            assert taken(values, other) == taken(before, other)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("shape.notches.2.depth=1", r"'shape\.notches' is a list with the entries 0 to 1, not '2'"),
        ("shape.notches.-1.depth=1", r"'shape\.notches' is a list with the entries 0 to 1, not '-1'"),
        ("shape.notches.first=1", r"'shape\.notches' is a list with the entries 0 to 1, not 'first'"),
        ("hidden.²=1", r"'hidden' is a list with the entries 0 to 1, not '²'"),
        ("seed.x=1", "'seed' is not a table"),
        ("seed.0=1", "'seed' is not a table or a list"),
        ("hidden.0.x=1", "'0' is not a table"),
        ("stops.0.depth=1", r"'stops' has no entry 0: give the whole list first"),
        ("x" * 9000 + ".y.z", r"^--set x+…x+\.y\.z: must be key=value"),
    ],
)
def test_a_place_that_is_none_is_named(key: str, message: str) -> None:
    values = tables()
    with pytest.raises(InputError, match=message) as caught:
        apply_setting(values, key)
    assert len(str(caught.value)) < 400


def test_a_missing_place_holds_nothing() -> None:
    assert [taken(tables(), key) for key in ("shape.notches.2.depth", "shape.x.y", "seed.x")] == [None, None, None]


def test_a_message_names_the_last_setting_that_gave_a_value() -> None:
    settings = ["states=3", "device.margin=0.1", "device.margin = -1", "network={hidden=[0]}"]
    assert source_of("device.margin", "recipe.toml", settings) == "--set device.margin = -1"
    assert source_of("network.hidden.0", "recipe.toml", settings) == "--set network={hidden=[0]}"
    assert source_of("statesmen", "recipe.toml", settings) == "recipe.toml"
    # What concerns a whole table may be the fault of the file or of the settings.
    assert source_of("device", "recipe.toml", settings[:2]) == "recipe.toml with --set device.margin=0.1"
    assert source_of("", "recipe.toml", settings) == "recipe.toml"
