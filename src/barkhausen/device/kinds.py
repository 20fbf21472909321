"""Registry of the kinds of device files: what a device of each kind is called, and how its data set is opened."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.core.registry import Registry

STATES = "states"
"""Kind of files that name none, as those of version 1."""


@dataclass(frozen=True)
class DeviceKind:
    """One kind of device file.

    Args:
        name: Name in device files, such as ``"pulses"``.
        label: Name of a device in sentences, with its article.
        opened: Function from the content of a device file to the device.
        has_states: Whether the device is programmed to states, and is a
            :class:`~barkhausen.device.CharacterisedDevice`.
        named: Function from the name of a shipped or textbook device to the device, or None if it has another name.
            Default: there are none.
        shipped: Names of the devices of this kind that come with the package, where it has a list of its own.
        simulated: Name of the module whose ``parameters_from`` makes parameters from the values of a parameter file,
            settings and the name of their source, and whose ``characterise`` simulates a device from them; it takes
            ``checkpoint``, ``progress``, ``backend``, ``threads``, ``accelerator`` and ``attributes``. None for a kind
            that is not simulated by ``kind`` of a parameter file.
        technologies: Names of such modules for technologies that have their own, by the ``technology`` of the parameter
            file.
        lines: Function from a device to lines of text that describe it.
    """

    name: str
    label: str
    opened: Callable[[xr.Dataset], Any]
    has_states: bool = False
    named: Callable[[str], Any | None] | None = None
    shipped: Sequence[str] = ()
    simulated: str | None = None
    technologies: Mapping[str, str] = field(default_factory=dict)
    lines: Callable[[Any], list[str]] = lambda device: []

    def simulator(self, values: Mapping[str, Any]) -> Any:
        """The module that simulates the device of a parameter file.

        Args:
            values: Values of the parameter file.
        """
        assert self.simulated is not None
        technology = values.get("technology")
        own = self.technologies.get(technology) if isinstance(technology, str) else None
        return importlib.import_module(own or self.simulated)


DEVICE_KINDS: Registry[DeviceKind] = Registry("kind of device", "kind")
"""Kinds of device files by name."""


def kind_of(data: xr.Dataset) -> DeviceKind:
    """The kind of a data set.

    Raises:
        InputError: It has a kind that is not known.
    """
    name = data.attrs.get("kind", STATES)
    found = DEVICE_KINDS.find(name) if np.ndim(name) == 0 else None
    if found is None:
        raise InputError(f"kind = {name!r}: no such {DEVICE_KINDS.what}{did_you_mean(str(name), DEVICE_KINDS)}")
    return found


def check_kind(data: xr.Dataset, wanted: str) -> None:
    """Refuse a data set of another kind.

    Raises:
        InputError: The data set is of another kind; the message says which.
    """
    found, other = kind_of(data), DEVICE_KINDS[wanted]
    if found is not other and not (wanted == STATES and found.has_states):
        raise InputError(
            f"is {found.label} (kind = {found.name!r}), but {other.label} (kind = {other.name!r}) is needed here"
        )
