"""One self-contained page about a device of another kind than states: moved by pulses, passing by chance, or a neuron.

Figures and tables come from one module for each kind; the words around them are in ``device_kind.html.jinja``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.core.registry import Registry
from barkhausen.device.labels import LabelledDevice
from barkhausen.device.technology import TECHNOLOGIES
from barkhausen.report.panels import Panel
from barkhausen.report.render import render, toml


@dataclass(frozen=True)
class KindOfPage:
    """What the page about a kind of device shows.

    Attributes:
        device: Class of the devices.
        lede: Function from a device to the sentences at the top.
        panels: Function from a device and the history of its walls, where there is one, to figures and tables.
    """

    device: type[LabelledDevice]
    lede: Callable[[Any], str]
    panels: Callable[[Any, xr.Dataset | None], list[Panel]]


@dataclass(frozen=True)
class _About:
    """What the file says of itself."""

    technology: str
    source: str
    assumed: list[str]
    parameters: str
    metadata: dict[str, str] = field(default_factory=dict)


PAGES: Registry[KindOfPage] = Registry("page of a device", "kind")
"""Pages by the kind of device file."""

KNOWN = ("parameters", "assumed", "attributes", "technology", "source", "kind")


def write_kind_page(device: LabelledDevice, path: str | Path, *, name: str, history: xr.Dataset | None = None) -> None:
    """Write the page about a device.

    Args:
        device: Device of a kind that has a page.
        path: File of the page.
        name: Name of the device.
        history: Histories that its characterisation has left.

    Raises:
        InputError: Its kind has no page, or ``path`` cannot be written.
    """
    found = next((entry for entry in PAGES.values() if isinstance(device, entry.device)), None)
    if found is None:
        raise InputError(f"--report: there is no page about a {type(device).__name__}")
    page = render(
        "device_kind/device_kind.html.jinja",
        name=name,
        lede=found.lede(device),
        panels=found.panels(device, history),
        about=_about(device),
    )
    atomic_write(Path(path), page)


def _about(device: LabelledDevice) -> _About:
    attributes = device.data.attrs
    entry = TECHNOLOGIES.get(device.technology)
    stored = json.loads(str(attributes.get("parameters", "{}")))
    further = json.loads(str(attributes.get("attributes", "{}")))
    metadata = {str(key).replace("_", " "): str(value) for key, value in attributes.items() if key not in KNOWN}
    metadata |= {key.replace("_", " "): str(value) for key, value in further.items() if value not in ([], {}, "", None)}
    return _About(
        device.technology if entry is None else entry.label,
        device.source,
        device.assumed,
        toml(stored) if stored else "",
        metadata,
    )
