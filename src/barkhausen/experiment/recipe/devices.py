"""Device that a recipe names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from barkhausen.device import (
    gaussian_device,
    read_device,
    shipped_file,
)
from barkhausen.experiment.recipe.pulsed_device import pulsed_device
from barkhausen.experiment.recipe.recipe import Recipe
from barkhausen.learning.rules.registry import PULSES


def build_device(recipe: Recipe) -> Any:
    """The device that the recipe names, for a learning rule on devices.

    Raises:
        InputError: Its device file cannot be used.
    """
    file = device_file(recipe)
    if recipe.learning_rule.devices == PULSES:
        return pulsed_device(recipe.device)
    if file is not None:
        return read_device(file)
    assert recipe.device.sigma is not None
    return gaussian_device(recipe.states, recipe.device.sigma)


def device_file(recipe: Recipe) -> Path | None:
    """The device file that the recipe names, or that of the shipped device.

    None for a textbook Gaussian, and for a learning rule without devices.

    Raises:
        InputError: No such device is shipped.
    """
    choice = recipe.device
    if not recipe.learning_rule.on_devices:
        return None
    if choice.file is not None:
        return Path(choice.file)
    if recipe.learning_rule.devices == PULSES:
        return None
    return None if choice.preset == "gaussian" else shipped_file(f"{choice.preset}-{recipe.states}")
