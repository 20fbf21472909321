"""Settings of a synapse layer, checked once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from barkhausen.core.errors import InputError
from barkhausen.device import (
    CharacterisedDevice,
    PulsedDevice,
    declared_names,
    named_pulsed_device,
    preset,
    read_any_device,
    shipped_names,
)
from barkhausen.learning.layers.weight_fit import Start
from barkhausen.learning.margin import default_margin
from barkhausen.synapse.write_verify import WriteSettings, WriteVerify


@dataclass(frozen=True, eq=False)
class LayerSettings:
    """Device, write-verify settings and initial weights of a layer."""

    device: CharacterisedDevice | PulsedDevice
    write: WriteVerify
    start: Start
    stated: bool = True
    """Whether the margin was given, and not the default of the device."""

    @classmethod
    def of(
        cls,
        device: CharacterisedDevice | PulsedDevice | str | Path,
        write: WriteVerify | None,
        start: Start,
        **settings: Any,
    ) -> LayerSettings:
        """Settings from what a user gives.

        Args:
            device: Characterised device, name of a shipped device, or path of a device file.
            write: Write-verify settings.
            start: ``"weights"`` or ``"fresh"``.
            settings: Fields of :class:`WriteVerify`, instead of ``write``. Default of the margin: that of the device.

        Raises:
            InputError: A value is wrong.
        """
        _check_start(start)
        made = as_device(device)
        stated = write is not None or "margin" in settings
        write = WriteVerify.given(write, **(settings if stated else {"margin": default_margin(made), **settings}))
        return cls(made, write, start, stated)

    def overridden(self, values: Mapping[str, Any]) -> LayerSettings:
        """The same with some other values.

        Args:
            values: ``device``, ``start``, ``write``, and fields of :class:`WriteVerify`.

        Raises:
            InputError: An unknown name, or a value that is wrong.
        """
        known = ["device", "start", "write", *WriteSettings.__annotations__]
        if not isinstance(values, Mapping):
            raise InputError(f"{values!r}: must be a dictionary of settings")
        for key in values:
            if key not in known:
                raise InputError(f"{key!r} is no setting of a layer; there are {', '.join(known)}")
        settings = {key: values[key] for key in WriteSettings.__annotations__ if key in values}
        # With a whole object, single settings would leave open which counts.
        write = WriteVerify.given(values["write"], **settings) if "write" in values else self.write.changed(**settings)
        start: Start = values.get("start", self.start)
        _check_start(start)
        device = as_device(values.get("device", self.device))
        stated = self.stated or "margin" in values or "write" in values
        if not stated:
            write = write.changed(margin=default_margin(device))
        return LayerSettings(device, write, start, stated)


def as_device(device: CharacterisedDevice | PulsedDevice | str | Path) -> CharacterisedDevice | PulsedDevice:
    """The given device, the shipped or textbook device of that name, or the device of a file.

    Raises:
        InputError: The argument is none of these.
    """
    if isinstance(device, CharacterisedDevice | PulsedDevice):
        return device
    if isinstance(device, str) and (
        device in [*shipped_names(), *declared_names()] or re.fullmatch(r"gaussian-\d{1,4}", device)
    ):
        return preset(device)
    if isinstance(device, (str, Path)) and Path(device).suffix == ".nc":
        made: CharacterisedDevice | PulsedDevice = read_any_device(Path(device))
        if not isinstance(made, CharacterisedDevice | PulsedDevice):
            raise InputError(f"{device}: is of a kind that makes no synapses")
        return made
    if isinstance(device, str) and re.fullmatch(r"(linear|soft-bounds|exponential)-\d.*", device):
        return named_pulsed_device(device)
    raise InputError(
        f"device = {device!r}: must be a characterised device, one of "
        f"{', '.join([*shipped_names(), *declared_names()])}, gaussian-N with N states, linear-N, soft-bounds-N or "
        "exponential-NU (moved by pulses), or the path of a device file (.nc)"
    )


def _check_start(start: str) -> None:
    if start not in get_args(Start):
        raise InputError(f"start = {start!r}: must be one of {', '.join(map(repr, get_args(Start)))}")
