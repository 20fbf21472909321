"""Defaults of a recipe that follow from its learning rule and its device, and those that runs of 0.1.0 began with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from barkhausen.core.config import Parameters

if TYPE_CHECKING:
    from barkhausen.device import CharacterisedDevice, PulsedDevice
    from barkhausen.experiment.recipe import Recipe

WITHOUT_DEVICES = 0.4
"""Margin in the resolved recipe of a learning rule without devices, which has no use for it."""


EARLIER_PRESET = "racetrack"
"""Default of ``device.preset`` in version 0.1.0."""


def margin_of(recipe: Recipe, device: CharacterisedDevice | PulsedDevice | None) -> float:
    """The margin that a recipe states, or the default of its learning rule for the device.

    Args:
        recipe: Any recipe.
        device: Its device; None for a learning rule without devices.
    """
    if recipe.device.margin is not None:
        return recipe.device.margin
    return WITHOUT_DEVICES if device is None else recipe.learning_rule.margin.of(device)


def latent_rate_of(recipe: Recipe) -> float:
    """The latent rate that a recipe states, or the default of its learning rule."""
    stated = recipe.optimizer.latent_rate
    return recipe.learning_rule.latent_rate if stated is None else stated


def with_defaults(recipe: Recipe, margin: float, latent_rate: float | None = None) -> Recipe:
    """The recipe with values for margin and latent rate where it states none.

    They stay marked as defaults: they are not among the ``model_fields_set`` of their tables, and may be replaced
    again.

    Args:
        recipe: Any recipe.
        margin: Margin in weight units.
        latent_rate: Latent rate. Default: that of the learning rule.
    """
    found: dict[str, Any] = {}
    if is_default(recipe.device, "margin"):
        found["device"] = _with_default(recipe.device, "margin", margin)
    if is_default(recipe.optimizer, "latent_rate"):
        rate = recipe.learning_rule.latent_rate if latent_rate is None else latent_rate
        found["optimizer"] = _with_default(recipe.optimizer, "latent_rate", rate)
    return recipe.model_copy(update=found) if found else recipe


def with_earlier_preset(recipe: Recipe) -> Recipe:
    """The recipe with the default device of version 0.1.0 where it names none."""
    if recipe.device.file is not None or not is_default(recipe.device, "preset"):
        return recipe
    return recipe.model_copy(update={"device": _with_default(recipe.device, "preset", EARLIER_PRESET)})


def is_default(table: Parameters, key: str) -> bool:
    """Whether the value of a recipe's table is a default."""
    return key not in table.model_fields_set


def _with_default(table: Parameters, key: str, value: float | str) -> Parameters:
    made = table.model_copy(update={key: value})
    made.model_fields_set.discard(key)
    return made
