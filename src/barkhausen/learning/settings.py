"""What a layer of devices is made with, checked once."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, preset, read_device, shipped_names
from barkhausen.learning.layers.weight_fit import Start
from barkhausen.synapse.faults import Faults


@dataclass(frozen=True, eq=False)
class LayerSettings:
    """Device, margin and write-verify of a layer, and how it starts."""

    device: CharacterisedDevice
    margin: float
    max_attempts: int
    start: Start
    faults: Faults
    count_writes: bool

    @classmethod
    def of(cls, values: Mapping[str, Any], *, where: str) -> LayerSettings:
        """From the values of all of them.

        Raises:
            InputError: one of them cannot be; ``where`` says whose.
        """
        try:
            _check(values)
            return cls(**{**values, "device": as_device(values["device"])})
        except InputError as error:
            raise InputError(f"{where}: {error}") from None

    def overridden(self, values: Mapping[str, Any], *, where: str) -> LayerSettings:
        """With some other values.

        Raises:
            InputError: an unknown name, or a value that cannot be.
        """
        known = [field.name for field in dataclasses.fields(self)]
        for key in values:
            if key not in known:
                raise InputError(f"{where}: {key!r} is no setting of a layer; there are {', '.join(known)}")
        return type(self).of({**{name: getattr(self, name) for name in known}, **values}, where=where)


def as_device(device: CharacterisedDevice | str | Path) -> CharacterisedDevice:
    """The device itself, the shipped one of that name, or that of a file.

    Raises:
        InputError: neither.
    """
    if isinstance(device, CharacterisedDevice):
        return device
    if isinstance(device, str) and (device in shipped_names() or re.fullmatch(r"gaussian-\d{1,4}", device)):
        return preset(device)
    if isinstance(device, (str, Path)) and Path(device).suffix == ".nc":
        return read_device(Path(device))
    raise InputError(
        f"device = {device!r}: must be a characterised device, one of {', '.join(shipped_names())}, gaussian-N with N "
        "states, or the path of a device file (.nc)"
    )


def _check(values: Mapping[str, Any]) -> None:
    margin, attempts = values["margin"], values["max_attempts"]
    if isinstance(margin, bool) or not isinstance(margin, (int, float)) or not margin >= 0:
        raise InputError(f"margin = {margin!r}: must be a number, zero or positive")
    if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
        raise InputError(f"max_attempts = {attempts!r}: must be a whole number, 1 or more")
    if values["start"] not in get_args(Start):
        raise InputError(f"start = {values['start']!r}: must be one of {', '.join(map(repr, get_args(Start)))}")
    if not isinstance(values["faults"], Faults):
        raise InputError(f"faults = {values['faults']!r}: must be a barkhausen.synapse.Faults")
