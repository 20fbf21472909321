"""Device presets: shipped, textbook and declared devices."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from barkhausen.core.config import Parameters
from barkhausen.core.errors import InputError
from barkhausen.core.files.kinds import names_device_file
from barkhausen.device.characterised import MAXIMAL_STATES, CharacterisedDevice
from barkhausen.device.file import read_any_device, read_device
from barkhausen.device.kinds import DEVICE_KINDS
from barkhausen.device.technology import (
    DEFAULT_TECHNOLOGY,
    SHIPPED,
    TECHNOLOGIES,
    load_technology,
    refuse_only_parameters,
    technology_of,
)

DECLARED_FILES = Path(__file__).parent / "declared"
"""Folder of the parameter files of declared devices."""

WINDOW = (0.2, 0.8)
"""Means of the outermost states of a textbook device, as fractions of the range of the state coordinate."""

DEVICE_SHARE = 0.6
CYCLE_SHARE = 0.8
"""Share of the cycle-to-cycle part in a textbook sigma; with the device-to-device part, 0.6² + 0.8² = 1."""


def gaussian_device(
    states: int = 5,
    sigma: float = 0.15,
    *,
    sigma_device: float | None = None,
    sigma_cycle: float | None = None,
    parameters: Parameters | None = None,
    devices: int = 32,
    cycles: int = 16,
    seed: int = 0,
) -> CharacterisedDevice:
    """A textbook device: evenly spaced states with normal spread. It is an assumption, not the result of a simulation.

    Args:
        states: Number of states, 2 to 256.
        sigma: Total standard deviation of a programmed weight in weight units, split into 0.6 sigma between devices and
            0.8 sigma between cycles.
        sigma_device: Device-to-device sigma in weight units. Default: its share of ``sigma``.
        sigma_cycle: Cycle-to-cycle sigma in weight units. Default: its share of ``sigma``.
        parameters: Parameters of a technology, which give the energies and the range of the state coordinate. Default:
            those of a domain-wall racetrack, which are our assumptions.
        devices, cycles, seed: Size and seed of the sample kept under ``state_value``; synapses are drawn from the
            declared normal distributions, not from this sample.

    Raises:
        InputError: There are fewer than two states, or a sigma is negative or not finite.
    """
    if not 2 <= states <= MAXIMAL_STATES:
        raise InputError(f"states = {states}: a synapse needs 2 to {MAXIMAL_STATES} states")
    between = DEVICE_SHARE * sigma if sigma_device is None else sigma_device
    within = CYCLE_SHARE * sigma if sigma_cycle is None else sigma_cycle
    for name, value in (("sigma", sigma), ("sigma_device", between), ("sigma_cycle", within)):
        if not (np.isfinite(value) and value >= 0):
            raise InputError(f"{name} = {value}: must be zero or positive")
    entry = TECHNOLOGIES[DEFAULT_TECHNOLOGY] if parameters is None else technology_of(parameters)
    parameters = parameters or entry.parameters()
    low, high = entry.state_range(parameters)
    length = high - low
    unit = (WINDOW[1] - WINDOW[0]) * length / 2.0
    mean = low + np.linspace(*WINDOW, states) * length
    generator = np.random.default_rng(seed)
    offsets = between * unit * generator.standard_normal((states, devices, 1))
    noise = within * unit * generator.standard_normal((states, devices, cycles))
    values = np.clip(mean[:, None, None] + offsets + noise, low, high)
    return entry.labelled(
        values,
        parameters,
        source="gaussian",
        assumed=[
            f"Gaussian states, evenly spaced; sigma between devices {between:g} and between cycles {within:g} "
            "on weights in [-1, 1]; offsets independent between states",
            f"outermost states rest at {WINDOW[0]:g} and {WINDOW[1]:g} of the {entry.extent}",
            *entry.assumed(parameters),
        ],
        moments=(mean, np.full(states, between * unit), np.full(states, within * unit)),
        attributes={"seed": seed, "sigma_device": between, "sigma_cycle": within},
    )


def shipped_names() -> list[str]:
    """Names of the simulated devices shipped with the package, each with its parameter file."""
    return [
        "racetrack-2", "racetrack-3", "racetrack-5", "notched-5",
        "nonvolatile-2", "nonvolatile-3", "nonvolatile-5", "skyrmion-3",
    ]  # fmt: skip


def shipped_file(name: str) -> Path:
    """Device file of a shipped device.

    Raises:
        InputError: There is no such device.
    """
    if name not in shipped_names():
        raise InputError(f"no shipped device '{name}'; there are {', '.join(shipped_names())}")
    return SHIPPED / f"{name}.nc"


def shipped_toml(name: str) -> str:
    """Parameter file (TOML) from which ``barkhausen characterize`` made a shipped device.

    Raises:
        InputError: There is no such device.
    """
    return shipped_file(name).with_suffix(".toml").read_text(encoding="utf-8")


def declared_names() -> list[str]:
    """Names of the devices whose states are declared: resistive cells with lognormal resistances."""
    return ["oxram-2", "oxram-3", "oxram-3-even"]


def declared_file(name: str) -> Path:
    """Parameter file of a declared device.

    Raises:
        InputError: There is no such device.
    """
    if name not in declared_names():
        raise InputError(f"no declared device '{name}'; there are {', '.join(declared_names())}")
    return DECLARED_FILES / f"{name}.toml"


def preset_names() -> list[str]:
    """Names of the presets; there is a ``gaussian-N`` for every number of states N."""
    return [*shipped_names(), *declared_names(), "gaussian-2", "gaussian-3", "gaussian-5"]


def any_named_device(name: str) -> Any:
    """The device of a device file of any kind, or the preset of that name.

    Raises:
        InputError: The file cannot be read, or there is no such preset.
    """
    if names_device_file(name):
        return read_any_device(name)
    if any(name in kind.shipped for kind in DEVICE_KINDS.values()):
        return read_any_device(SHIPPED / f"{name}.nc")
    found = (kind.named(name) for kind in DEVICE_KINDS.values() if kind.named is not None)
    return next((item for item in found if item is not None), None) or preset(name)


def named_device(name: str) -> CharacterisedDevice:
    """The device of a device file, or the preset of that name.

    Raises:
        InputError: The file cannot be read, or there is no such preset.
    """
    return read_device(name) if names_device_file(name) else preset(name)


def preset(name: str) -> CharacterisedDevice:
    """The preset of that name: a shipped or declared device, or ``gaussian-N``.

    Raises:
        InputError: There is no such preset; the message lists the presets.
    """
    if name in shipped_names():
        return read_device(shipped_file(name))
    if name in declared_names():
        entry, parameters = load_technology(declared_file(name))
        assert entry.declare is not None
        return entry.declare(parameters)
    match = re.fullmatch(r"gaussian-(\d{1,4})", name)
    if match is None:
        # Not Path.is_file, which raises an error for some impossible names.
        if os.path.isfile(name):  # noqa: PTH113
            raise InputError(
                f"{name}: is no device file (.nc); `barkhausen import-device` makes one of a table of measurements, "
                "`barkhausen characterize` of a parameter file"
            )
        refuse_only_parameters(name)
        names = ", ".join([*shipped_names(), *declared_names()])
        raise InputError(
            f"no device preset '{name}'; known: {names}, and gaussian-N for any number of states N, such as gaussian-5"
        )
    return gaussian_device(int(match.group(1)))
