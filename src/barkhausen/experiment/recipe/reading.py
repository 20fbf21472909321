"""Reading of recipes, with settings and with what a device decides."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from barkhausen.core.config import (
    apply_setting,
    read_toml,
    source_of,
    validated,
)
from barkhausen.core.errors import InputError, warn
from barkhausen.core.files.kinds import RECIPE, refuse_other_kind
from barkhausen.core.files.recipes import recipe_file
from barkhausen.core.renamed import RECIPE_KEYS, renamed_keys, renamed_setting
from barkhausen.device import (
    CharacterisedDevice,
    PulsedDevice,
    read_device,
    shipped_names,
)
from barkhausen.experiment.recipe.defaults import latent_rate_of, margin_of, with_defaults
from barkhausen.experiment.recipe.device import Preset
from barkhausen.experiment.recipe.devices import build_device
from barkhausen.experiment.recipe.recipe import Recipe
from barkhausen.learning.networks.settings import TOPOLOGY
from barkhausen.learning.rules.registry import PULSES


def load_recipe(path: str | Path, settings: list[str] | None = None) -> Recipe:
    """Read a recipe and apply ``key=value`` settings to it.

    Args:
        path: The TOML file, or name of a recipe of the package.
        settings: Settings such as ``states=3`` or ``dataset.name=digits``. A value is read as TOML, or as a string
            where it is not TOML. ``device.file=…`` replaces the recipe's preset with its sigma and states, and
            ``device.sigma=…`` replaces the preset by ``gaussian``.

    Raises:
        InputError: The file cannot be read, or a key or value is unknown or wrong.
    """
    path = recipe_file(path)
    # Renamed before the settings: an old key of the file must not stand beside the new one of a setting, or reversed.
    values = renamed_keys(read_toml(path), RECIPE_KEYS)
    refuse_other_kind(values, RECIPE, path)
    settings = [renamed_setting(setting, RECIPE_KEYS) for setting in settings or []]
    replace_device(values, [setting.partition("=")[0].strip() for setting in settings])
    for setting in settings:
        apply_setting(values, setting)
    return recipe_from(values, str(path), settings)


def recipe_from(values: dict[str, Any], origin: str, settings: Sequence[str] = ()) -> Recipe:
    """Validate nested values as a recipe, and fill in what its device decides.

    The number of states of a device file fills in a missing ``states``, and the default of the learning rule for the
    device a missing ``device.margin``. Keys of earlier versions are read with a ``DeprecationWarning``.

    Args:
        values: Content of the recipe.
        origin: Name of its source, for messages.
        settings: Settings that were applied to the values, for messages.

    Raises:
        InputError: A key or value is unknown or wrong.
    """
    values = renamed_keys(values, RECIPE_KEYS)
    recipe = validated(Recipe, values, origin, settings)
    if not recipe.learning_rule.on_devices:
        if recipe.device.file is not None and "device" in type(recipe.rule).model_fields:
            warn(f"{origin}: device.file has no effect with mode = {recipe.mode!r}, whose device is rule.device")
        if recipe.precision.lowered:
            warn(f"{origin}: precision has no effect with mode = {recipe.mode!r}, whose weights no device holds")
        return with_defaults(recipe, margin_of(recipe, None))
    if recipe.learning_rule.devices == PULSES:
        return _with_pulsed_device(recipe, values)
    if recipe.device.file is None:
        _check_shipped(recipe, source_of("states", origin, settings))
        return with_device_defaults(recipe)
    if "preset" in values["device"]:
        warn(
            f"{origin}: device.preset = {values['device']['preset']!r} has no effect beside device.file = "
            f"{recipe.device.file!r}; leave it out"
        )
    device = read_device(Path(recipe.device.file))
    states = device.states
    if "states" in recipe.model_fields_set and recipe.states != states:
        raise InputError(
            f"{source_of('states', origin, settings)}: states = {recipe.states} but the device file "
            f"{recipe.device.file} has {states} states"
        )
    return with_device_defaults(recipe.model_copy(update={"states": states}), device)


def _with_pulsed_device(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """The recipe with what its device moved by pulses decides."""
    device = build_device(recipe)
    states = max(2, min(256, round(device.states)))
    if "states" in recipe.model_fields_set and recipe.states != states:
        warn(f"states = {recipe.states} has no effect with mode = {recipe.mode!r}, whose devices are moved by pulses")
    return with_device_defaults(recipe.model_copy(update={"states": states}), device)


def with_device_defaults(recipe: Recipe, device: CharacterisedDevice | PulsedDevice | None = None) -> Recipe:
    """The recipe with the margin and the latent rate of its learning rule and device where it states none.

    Args:
        recipe: Any recipe.
        device: Its device. Default: read from its file, where it is needed.

    Raises:
        InputError: The device file cannot be used.
    """
    if recipe.device.margin is None and device is None and recipe.learning_rule.on_devices:
        device = build_device(recipe)
    return with_defaults(recipe, margin_of(recipe, device), latent_rate_of(recipe))


def _check_shipped(recipe: Recipe, origin: str) -> None:
    family, states = recipe.device.preset, recipe.states
    if family != "gaussian" and f"{family}-{states}" not in shipped_names():
        there_are = ", ".join(name for name in shipped_names() if name.startswith(f"{family}-"))
        raise InputError(
            f"{origin}: states = {states}: no {family}-{states} is shipped, only {there_are}; name a device file "
            '(device.file) or take textbook Gaussians (device.preset = "gaussian")'
        )


def replace_device(values: dict[str, Any], settings: Collection[str]) -> None:
    """Remove from a recipe what settings replace, in place.

    ``device.file`` replaces the preset with its sigma and the number of states, and ``device.sigma``, which belongs to
    the Gaussian preset, another preset.

    ``network.factory`` replaces the kind of network with its topology.

    Args:
        values: Content of the recipe.
        settings: Keys of the settings.
    """
    network = values.get("network")
    if "network.factory" in settings and isinstance(network, dict):
        for name in ("kind", "factory_sha256", "options", *TOPOLOGY):
            if not any(f"{key}.".startswith(f"network.{name}.") for key in settings):
                network.pop(name, None)
    device = values.get("device")
    table: dict[str, Any] = device if isinstance(device, dict) else {}
    if "device.file" in settings:
        if "states" not in settings:
            values.pop("states", None)
        for name in ("preset", "sigma"):
            if f"device.{name}" not in settings:
                table.pop(name, None)
    elif "device.sigma" in settings and "device.preset" not in settings and table.get("preset") in get_args(Preset):
        table.pop("preset")
