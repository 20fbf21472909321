"""Schema of the device files of kind ``categories``: what they hold beyond those of kind ``states``."""

from __future__ import annotations

import numpy as np
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.device.schema import Rule, validate, validate_variable

KIND = "categories"
"""Kind of device file: what a pulse does depends on the category that the device is in."""

NONE = -1
"""No state (of a category), or no pulse (for a state)."""

MAXIMAL = 64
"""Largest number of categories and of pulses."""

_OF_CATEGORY, _TABLE = ("category",), ("pulse", "category", "next_category")
REQUIRED = {
    "category_state": Rule(_OF_CATEGORY, NONE),
    "category_value": Rule(_OF_CATEGORY),
    "transition_count": Rule(_TABLE, 0.0),
    "pulse_of": Rule(("category", "state"), NONE),
    "pulse_energy": Rule(("cause", "pulse"), 0.0),
}
OPTIONAL = {
    "category_sigma": Rule(_OF_CATEGORY, 0.0),
    "category_barrier": Rule(_OF_CATEGORY, 0.0, holes=True),
    "read_energy": Rule((), 0.0),
    "pulse_duration": Rule(("pulse",), 0.0),
    "analogue_value": Rule(_OF_CATEGORY, holes=True),
    "analogue_sigma": Rule(_OF_CATEGORY, 0.0, holes=True),
}
NAMES = ("category", "pulse")
"""Dimensions whose entries have names."""


def validate_categories(data: xr.Dataset) -> None:
    """Check a data set of kind ``categories``.

    Raises:
        InputError: A variable is missing, has the wrong shape, or holds a value that is impossible for a device.
    """
    validate(data, KIND)
    for name, rule in (REQUIRED | OPTIONAL).items():
        if name in data:
            validate_variable(data[name], rule)
        elif name in REQUIRED:
            raise InputError(f"variable '{name}' is missing from the device file")
    for name in NAMES:
        _validate_names(data, name)
    if data.sizes["next_category"] != data.sizes["category"]:
        raise InputError(
            f"dimension 'next_category' has {data.sizes['next_category']} entries, must have as many as 'category' "
            f"({data.sizes['category']})"
        )
    _validate_states(data)
    _validate_policy(data)


def _validate_names(data: xr.Dataset, name: str) -> None:
    if not 1 <= data.sizes[name] <= MAXIMAL:
        raise InputError(f"dimension '{name}' has {data.sizes[name]} entries, must have 1 to {MAXIMAL}")
    names = data[name].values.tolist() if name in data.coords else []
    if not names or not all(isinstance(entry, str) and entry for entry in names):
        raise InputError(f"variable '{name}' must hold a name for each {name}")
    if len(set(names)) < len(names):
        raise InputError(f"variable '{name}' holds a name twice")


def _whole(data: xr.Dataset, name: str, below: int | None = None) -> np.ndarray:
    values = data[name].values
    if (values != np.round(values)).any():
        raise InputError(f"variable '{name}' holds a value that is no whole number")
    if below is not None and (values >= below).any():
        raise InputError(f"variable '{name}' holds {values.max():g}, must be at most {below - 1}")
    return np.asarray(values, np.int64)


def _validate_states(data: xr.Dataset) -> None:
    states = _whole(data, "category_state", data.sizes["state"])
    missing = sorted(set(range(data.sizes["state"])) - set(states.tolist()))
    if missing:
        raise InputError(f"variable 'category_state' gives no category of state {missing[0]}")


def _validate_policy(data: xr.Dataset) -> None:
    counts = data["transition_count"].transpose(*_TABLE)
    _whole(data, "transition_count")
    of = data["pulse_of"].transpose("category", "state")
    pulses = _whole(data.assign(pulse_of=of), "pulse_of", data.sizes["pulse"])
    categories = [str(name) for name in data["category"].values]
    names = [str(name) for name in data["pulse"].values]
    states = data["category_state"].values
    for category, row in enumerate(pulses.tolist()):
        for state, pulse in enumerate(row):
            if pulse == NONE:
                if states[category] != state:
                    raise InputError(f"variable 'pulse_of' gives no pulse from {categories[category]} to state {state}")
            elif not counts.values[pulse, category].any():
                raise InputError(
                    f"variable 'pulse_of' names {names[pulse]!r} for {categories[category]}, but 'transition_count' "
                    "has no outcome of it"
                )
