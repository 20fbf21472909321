"""The device of a run: the file that the user names, or the copy of a shipped one with which the run began."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from barkhausen.core.errors import InputError, warn
from barkhausen.core.files.reading import is_file, read_bytes
from barkhausen.device import CharacterisedDevice, read_device
from barkhausen.experiment.recipe import Recipe, build_device, device_file

RECIPE = "recipe.toml"
"""Resolved recipe in the directory of a run."""

DEVICE = "device.nc"
"""Copy of the device file in the directory of a run."""


def device_of(recipe: Recipe, directory: Path, *, begun: bool) -> CharacterisedDevice | None:
    """Device of a run; None for a learning rule without devices.

    Args:
        recipe: Recipe of the run.
        directory: Its directory.
        begun: Whether a run that the directory holds goes on. It keeps its copy of a shipped device, whatever is
            shipped now.

    Raises:
        InputError: The device file cannot be used.
    """
    file = device_file(recipe)
    if not recipe.learning_rule.on_devices:
        return None
    held = directory / DEVICE
    if begun and file is not None and recipe.device.file is None and is_file(held):
        return read_device(held)
    device: CharacterisedDevice = build_device(recipe)
    return device


def check_device(recipe: Recipe, directory: Path) -> None:
    """Refuse a device file that changed under a run, and warn of a shipped device that did.

    Raises:
        InputError: The run was begun with another device file, or its copy is missing.
    """
    named, held = device_file(recipe), directory / DEVICE
    if named is None or (is_file(held) and read_bytes(held, binary=True) == read_bytes(named, binary=True)):
        return
    if not is_file(held) or recipe.device.file is not None:
        raise InputError(
            f"{named}: is not the device file that the run in {directory} was started with; "
            "choose another --out, or --overwrite"
        )
    # The same values in an earlier format are the same device.
    if not np.array_equal(read_device(held).state_values, read_device(named).state_values, equal_nan=True):
        warn(f"{directory}: holds a run on an earlier version of {named.stem}, which it keeps")
