"""The page about a characterised device of any technology, simulated, measured or declared.

All numbers on the page are computed from the device file and, where there is one, the history of its walls; the text
around them is in ``device.html.jinja``. The page is self-contained: it loads nothing from elsewhere.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.device import LEAST_DEVICES, CharacterisedDevice
from barkhausen.device.categories.device import CategoricalDevice
from barkhausen.device.coordinate import Quantity
from barkhausen.device.domain_wall.characterise import Characterisation
from barkhausen.device.file_statistics import why_no_intervals
from barkhausen.device.technology import DEFAULT_TECHNOLOGY
from barkhausen.report.device import figures
from barkhausen.report.device.numbers import DeviceNumbers
from barkhausen.report.device.remarks import warnings_of
from barkhausen.report.device.walls import walls_of
from barkhausen.report.device.words import lasting, overlap_text, volt, words_of
from barkhausen.report.device_kind.categories import transition_panels
from barkhausen.report.render import render, toml
from barkhausen.results.table import NO_VALUE

__all__ = ["lasting", "overlap_text", "volt", "write_characterisation_report", "write_device_report"]

LARGEST_MATRIX = 24
"""Largest number of states for which overlaps of all pairs are tabulated; beyond, only neighbours are listed."""

COMMAND = "barkhausen characterize device.toml --out device.nc"


def write_characterisation_report(characterisation: Characterisation, path: str | Path) -> None:
    """Write one page about a characterised device with its walls in motion.

    Args:
        characterisation: Device with the history of its walls.
        path: File of the page.

    Raises:
        InputError: The history does not belong to this device, the device file does not hold its parameters, or
            ``path`` cannot be written.
    """
    path = Path(path)
    # Only walls in motion have pictures.
    history = characterisation.history if "wall_position" in characterisation.history else None
    write_device_report(characterisation.device, path, history=history)


def write_device_report(device: CharacterisedDevice, path: str | Path, *, history: xr.Dataset | None = None) -> None:
    """Write one page about a device of any technology.

    Args:
        device: Device, simulated, measured or declared.
        path: File of the page.
        history: History that a characterisation of domain walls leaves, for the pictures of walls in motion.

    Raises:
        InputError: The history does not belong to this device, the parameters in the file are not those of its
            technology, or ``path`` cannot be written.
    """
    path = Path(path)
    numbers = DeviceNumbers.of(device)
    states = len(numbers.states)
    quantity = Quantity.of(device.coordinate, [state.mean.value for state in numbers.states])
    labels = numbers.attributes.get("state_labels")
    walls = None if history is None else walls_of(history, numbers)
    page = render(
        "device/device.html.jinja",
        dark_colours=figures.dark_colours(states),
        title=f"Characterisation of a {numbers.label}",
        description=_description(numbers),
        n=numbers,
        warnings=warnings_of(numbers),
        attributes=_metadata(numbers, quantity),
        program=_program(numbers),
        command=_command(numbers),
        parameter_file=_parameter_file(numbers),
        state_names=[f"state {state}" for state in range(states)],
        labels_column=["label"] if isinstance(labels, list) and len(labels) == states else [],
        assumed_drives=[drive.label for drive in numbers.varying if drive.assumed],
        toml=_toml(numbers),
        colours=figures.state_colours(states),
        plots=figures,
        walls=walls,
        moving=None if walls is None else walls["moving"],
        largest_matrix=LARGEST_MATRIX,
        least_devices=LEAST_DEVICES,
        transitions=transition_panels(device) if isinstance(device, CategoricalDevice) else [],
        why_no_intervals=why_no_intervals(device.data) if not device.declared else "",
        **words_of(quantity),
    )
    atomic_write(path, page)


def page_path(wanted: str, name: str, beside: Path) -> Path:
    """File of a page about a device.

    Args:
        wanted: File that ends in ``.html``, or directory; empty: the directory ``beside``.
        name: Name of the device, without ending.
        beside: Directory of the device file.

    Raises:
        InputError: ``wanted`` has the ending of another kind of file, or its directory does not exist.
    """
    path = Path(wanted) if wanted else beside
    if path.suffix in (".html", ".htm"):
        return path
    if path.is_dir():
        return path / f"{name}.html"
    raise InputError(f"--report {wanted}: must be a file that ends in .html or a directory that exists")


def _description(numbers: DeviceNumbers) -> str:
    article = "an" if numbers.label[:1] in "aeiou" else "a"
    entry, parameters = numbers.technology, numbers.parameters
    size = "" if entry is None or entry.size is None or parameters is None else f" of {entry.size(parameters)}"
    return f"{article} {numbers.label}{size}"


def _metadata(numbers: DeviceNumbers, quantity: Quantity) -> dict[str, object]:
    """Further metadata of the device file, under readable names."""
    how = numbers.simulation
    named: dict[str, object] = {"technology": numbers.label}
    if how:
        named |= {
            "seed": how["seed"],
            "temperature": f"{how['temperature']:g} K",
            "cells": f"{1e9 * how['cell']:g} nm",
        }
    named["code version"] = numbers.device.data.attrs.get("code_version", NO_VALUE)
    for key, value in numbers.attributes.items():
        if key == "dt":
            named["time step"] = f"{1e15 * float(value):.4g} fs"
        elif key == "duration":
            named["duration of an event"] = f"{1e9 * float(value):.4g} ns"
        elif key in ("reset_position", "reset_position_spread"):
            named[key.replace("_", " ")] = quantity.with_unit(float(value))
        elif key not in named and key != "command" and value not in ([], {}, "", None):
            named[key.replace("_", " ")] = value
    return named


def _toml(numbers: DeviceNumbers) -> str:
    """Parameter file of the device; empty if the file holds no parameters."""
    if not numbers.stored:
        return ""
    values: Mapping[str, Any] = numbers.stored
    if numbers.parameters is not None:
        values = numbers.parameters.model_dump(mode="json", exclude_none=True)
    if numbers.device.technology != DEFAULT_TECHNOLOGY:
        values = {"technology": numbers.device.technology, **values}
    return toml(values)


def _command(numbers: DeviceNumbers) -> str:
    """Command that makes the device from its parameters and, if it was measured, its table."""
    if "command" in numbers.attributes:
        return str(numbers.attributes["command"])
    if numbers.device.source == "measured":
        table = str(numbers.attributes.get("imported_from", "measured.csv"))
        return shlex.join(["barkhausen", "import-device", table, "--parameters", "device.toml", "--out", "device.nc"])
    if numbers.device.source == "gaussian":
        return f"barkhausen devices gaussian-{len(numbers.states)} --out device.nc"
    return COMMAND


def _parameter_file(numbers: DeviceNumbers) -> str:
    """Name of the parameter file in the command; any, if a file's command is none."""
    try:
        words = shlex.split(_command(numbers))
    except ValueError:
        words = []
    return next((word for word in words if word.endswith(".toml")), "device.toml")


def _program(numbers: DeviceNumbers) -> str:
    """Python program that reproduces a simulated or declared device from its parameters."""
    path = json.dumps(_parameter_file(numbers))
    if numbers.device.source == "measured":
        return ""
    if numbers.device.source == "declared":
        return (
            "from pathlib import Path\n\n"
            "from barkhausen.device import load_technology\n\n"
            f"technology, parameters = load_technology(Path({path}))\n"
            "made_again = technology.declare(parameters)"
        )
    if numbers.device.source == "gaussian":
        sizes = numbers.device.data.sizes
        given = {key: numbers.attributes.get(key) for key in ("sigma_device", "sigma_cycle", "seed")}
        options = "".join(f", {key}={value!r}" for key, value in given.items() if isinstance(value, (int, float)))
        return (
            "from pathlib import Path\n\n"
            "from barkhausen.device import gaussian_device, load_technology\n\n"
            f"_, parameters = load_technology(Path({path}))\n"
            f"made_again = gaussian_device({len(numbers.states)}{options}, parameters=parameters, "
            f"devices={sizes['device']}, cycles={sizes['cycle']})"
        )
    if numbers.device.technology != DEFAULT_TECHNOLOGY:
        return (
            "from pathlib import Path\n\n"
            "from barkhausen.device import load_technology\n\n"
            f"technology, parameters = load_technology(Path({path}))\n"
            "made_again = technology.simulated()(parameters)"
        )
    backend = numbers.attributes.get("backend")
    how = f", backend={json.dumps(backend)}" if isinstance(backend, str) else ""
    return (
        "from pathlib import Path\n\n"
        "from barkhausen.device import load_parameters\n"
        "from barkhausen.device.domain_wall.characterise import characterise\n\n"
        f"made_again = characterise(load_parameters(Path({path})){how})"
    )
