"""Names of version 0.1.0 and what took their place: keys of files, which are read for ever, and names in Python."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from barkhausen.core.errors import InputError


class RenamedWarning(DeprecationWarning):
    """A name of an earlier version was used; the command line shows it, Python by its own rules for deprecations."""


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

DEVICE_VARIABLES = {
    "position": "state_value",
    "position_mean": "state_mean",
    "position_sigma_device": "sigma_device",
    "position_sigma_cycle": "sigma_cycle",
    "position_noise": "read_noise",
    "misread_rate": "read_error_rate",
    "misread_interval": "read_error_interval",
    "mixture_decider": "mixture_level",
    "conductance_antiparallel": "conductance_low",
    "conductance_parallel": "conductance_high",
}
"""Variables of a device file (version 1)."""

DEVICE_DIMENSIONS = {"law": "distribution"}
"""Dimensions of a device file (version 1)."""

DEVICE_ATTRIBUTES = {"fit_laws": "fit_distributions"}
"""Attributes of a device file (version 1)."""

DEVICE_METADATA = {
    "home": "reset_position",
    "home_spread": "reset_position_spread",
    "resets_that_came_home": "completed_resets",
}
"""Keys of the attribute ``attributes`` of a device file (version 1)."""

PYTHON_NAMES = {
    "barkhausen.synapse": {
        "EnergyBill": "EnergyBreakdown",
        "EnergyLedger": "AttemptEnergies",
        "WrittenWeights": "ProgrammedWeights",
    },
    "barkhausen.synapse.faults": {"SOUND": "FAULT_FREE"},
    "barkhausen.learning": {
        "DomainWallConv1d": "SynapseConv1d",
        "DomainWallConv2d": "SynapseConv2d",
        "DomainWallLayer": "SynapseLayer",
        "DomainWallLinear": "SynapseLinear",
        "domain_wall_layers": "synapse_layers",
    },
}
"""Names in the modules of the package."""


def old_names(module: str) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module: its names of version 0.1.0, each with a warning.

    Args:
        module: Name of the module.
    """

    def named(name: str) -> Any:
        new = PYTHON_NAMES[module].get(name)
        if new is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        deprecated(f"{module}.{name}", f"{module}.{new}")
        return getattr(sys.modules[module], new)

    return named


def deprecated(old: str, new: str, *, stacklevel: int = 3) -> None:
    """Warn that a name has another one now."""
    warnings.warn(f"{old} is now {new}; the old name still works", RenamedWarning, stacklevel=stacklevel)


def renamed_keys(values: Mapping[str, Any], names: Mapping[str, str], prefix: str = "") -> dict[str, Any]:
    """Nested tables with old keys replaced, each with a warning.

    Raises:
        InputError: An old key stands beside the one that took its place.
    """
    result: dict[str, Any] = {}
    for key, value in values.items():
        place = f"{prefix}{key}"
        if place in names:
            new = names[place].rpartition(".")[2]
            if new in values:
                raise InputError(f"{place} and {names[place]} are two names of one key; give the second alone")
            deprecated(place, names[place], stacklevel=4)
            key = new  # noqa: PLW2901  # goes on under its new name
        result[key] = renamed_keys(value, names, f"{place}.") if isinstance(value, dict) else value
    return result


def renamed_setting(setting: str, names: Mapping[str, str]) -> str:
    """``key=value`` of the command line with an old key replaced, with a warning."""
    key, equals, value = setting.partition("=")
    new = renamed_key(key.strip(), names)
    return setting if new == key.strip() else f"{new}{equals}{value}"


def renamed_key(key: str, names: Mapping[str, str]) -> str:
    """A dotted key with an old name in it replaced, with a warning."""
    for old, new in names.items():
        if key == old or key.startswith(f"{old}."):
            deprecated(old, new, stacklevel=5)
            return new + key.removeprefix(old)
    return key
