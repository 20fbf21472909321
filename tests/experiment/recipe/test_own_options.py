"""Errors among the options of an entry: of a learning rule, a data set or a network."""

from __future__ import annotations

import pytest

from barkhausen.core.errors import InputError
from barkhausen.experiment.recipe import recipe_from

WRONG = [
    ({"rule": {"raeds": 3}}, r"unknown key 'rule\.raeds'; did you mean 'rule\.reads'\?$"),
    ({"rule": {"zzz": 3}}, r"unknown key 'rule\.zzz'; known: device, device_sha256, reads$"),
    ({"rule": {"reads": 0}}, r"rule\.reads = 0: input should be greater than or equal to 1$"),
    ({"rule": {"reads": 0, "zzz": 1}}, r"rule\.reads = 0: input should be greater than or equal to 1 \(and 1 more\)$"),
    ({"mode": "quantised", "rule": {"value": 1}}, r"unknown key 'rule\.value'; did you mean 'rule\.values'\?$"),
    ({"mode": "quantised", "rule": {"middle": 0.5}}, r"rule: middle = 0\.5: belongs to values = 'ternary'$"),
    ({"mode": "float", "rule": {"reads": 3}}, r"unknown key 'rule\.reads'$"),
    (
        {"dataset": {"name": "mackey-glass", "options": {"look_bak": 3}}},
        r"unknown key 'dataset\.options\.look_bak'; did you mean 'dataset\.options\.look_back'\?$",
    ),
    (
        {"network": {"kind": "spiking", "hidden": [], "options": {"step": 3}}},
        r"unknown key 'network\.options\.step'; did you mean 'network\.options\.steps'\?$",
    ),
]


@pytest.mark.parametrize(("values", "culprit"), WRONG)
def test_error_names_the_key_and_the_nearest_one(values: dict, culprit: str) -> None:
    with pytest.raises(InputError, match=rf"^mine: {culprit}"):
        recipe_from({"mode": "stochastic-read", **values}, "mine")
