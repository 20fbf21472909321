"""Device files of kind ``pulses``, and textbook devices by name."""

from __future__ import annotations

import re
from pathlib import Path

from barkhausen.core.errors import InputError
from barkhausen.core.files.kinds import names_device_file
from barkhausen.device.file import read_device_of_kind
from barkhausen.device.kinds import DEVICE_KINDS, DeviceKind
from barkhausen.device.pulses.device import PulsedDevice
from barkhausen.device.pulses.schema import KIND
from barkhausen.device.technology import SHIPPED


def read_pulsed_device(path: str | Path) -> PulsedDevice:
    """Read and validate the device file of a device moved by pulses.

    Raises:
        InputError: The file is missing, is not NetCDF, has another format version, is of another kind, or holds values
            that are impossible for a device. The message names the file and the variable.
    """
    device: PulsedDevice = read_device_of_kind(path, KIND)
    return device


def pulsed_names() -> list[str]:
    """Names of the devices moved by pulses that are simulated and shipped with the package."""
    return ["pulses-patched", "pulses-plain"]


def named_pulsed_device(name: str) -> PulsedDevice:
    """The device of a device file, a shipped device, or a textbook device of that name.

    Textbook devices are ``linear-N`` (constant steps), ``soft-bounds-N`` (both with N steps in the range at w = 0) and
    ``exponential-NU`` (ν = NU, first step 1/32 of the range); all with 30 % of cycle-to-cycle noise.

    Raises:
        InputError: The file cannot be read, or there is no such device.
    """
    found = read_pulsed_device(name) if names_device_file(name) else _known(name)
    if found is None:
        raise InputError(
            f"no device moved by pulses '{name}'; known: {', '.join([*pulsed_names(), 'linear-N', 'soft-bounds-N'])} "
            "for N steps in the range, exponential-NU for a nonlinearity NU, and device files (.nc)"
        )
    return found


def _known(name: str) -> PulsedDevice | None:
    """A shipped or textbook device; None if it has another name."""
    if name in pulsed_names():
        return read_pulsed_device(SHIPPED / f"{name}.nc")
    if match := re.fullmatch(r"(linear|soft-bounds)-(\d{1,5})", name):
        if int(match[2]) < 2:
            raise InputError(f"device {name!r}: must have at least 2 steps in its range")
        make = PulsedDevice.linear if match[1] == "linear" else PulsedDevice.soft_bounds
        return make(2.0 / int(match[2]))
    if match := re.fullmatch(r"exponential-(\d{1,2}(?:\.\d+)?)", name):
        return PulsedDevice.exponential(float(match[1]))
    return None


DEVICE_KINDS.register(KIND, DeviceKind(KIND, "a device moved by pulses", PulsedDevice, named=_known))
