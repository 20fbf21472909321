"""The array of a device: which class of synapses a device makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, PulsedDevice
from barkhausen.synapse.array import SynapseArray
from barkhausen.synapse.pulsed.array import PulsedArray
from barkhausen.synapse.write_verify import WriteVerify

ARRAYS: dict[type, Callable[..., SynapseArray | PulsedArray]] = {
    CharacterisedDevice: SynapseArray,
    PulsedDevice: PulsedArray,
}
"""Class of the array of each class of device."""


def array_of(
    shape: tuple[int, ...], device: Any, write: WriteVerify, generator: torch.Generator | None
) -> SynapseArray | PulsedArray:
    """An array of fresh devices.

    Args:
        shape: Shape of the array.
        device: Device of any kind that makes synapses.
        write: Write-verify settings.
        generator: Generator that draws the devices.

    Raises:
        InputError: The device makes no synapses, or cannot have the settings.
    """
    for kind, make in ARRAYS.items():
        if isinstance(device, kind):
            return make(shape, device, write, generator=generator)
    raise InputError(f"device = {device!r}: makes no synapses")
