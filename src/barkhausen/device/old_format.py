"""Conversion of device files of version 1 to version 2. Version 1 stays readable for good."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr
from pydantic import ValidationError

from barkhausen.core.errors import InputError
from barkhausen.core.renamed import DEVICE_ATTRIBUTES, DEVICE_DIMENSIONS, DEVICE_METADATA, DEVICE_VARIABLES
from barkhausen.device.coordinate import ReadOut
from barkhausen.device.domain_wall.junction import TunnelJunction

CAUSES = {"sot": "SOT pulses", "gate": "gate", "read": "verify read"}
"""Causes of energy in version 1, with their labels."""

COORDINATE = {"units": "m", "coordinate": "wall position", "long_name": "resting position of the wall"}


def renamed(data: xr.Dataset) -> xr.Dataset:
    """The same data under the names of version 2."""
    names: dict[Any, Any] = {
        old: new for old, new in DEVICE_VARIABLES.items() if old in data.variables and new not in data
    }
    names |= {old: new for old, new in DEVICE_DIMENSIONS.items() if old in data.dims}
    data = data.rename(names) if names else data
    return data.assign_attrs({DEVICE_ATTRIBUTES.get(str(name), name): value for name, value in data.attrs.items()})


def upgraded(data: xr.Dataset) -> xr.Dataset:
    """A data set of version 1 as one of version 2; every number stays as it is.

    Raises:
        InputError: A variable that version 1 needs is missing, or has the wrong shape.
    """
    for name in ("position", "gate_voltage", "current_density", "pulse_width", "programming_energy", "track_length"):
        if name not in data.variables:
            raise InputError(f"variable '{name}' is missing from the device file")
    length = data["track_length"]
    if length.dims or length.dtype.kind not in "fiu":
        raise InputError("variable 'track_length' must be a single number")
    lines = _energies(data)
    data = _with_energy(data)
    data = _with_read_out(data)
    data = renamed(data).drop_vars([name for name in DEVICE_ATTRIBUTES if name in data.variables])
    data["state_range"] = ("bound", np.array([0.0, float(length)]), {"units": "m"})
    data["state_value"] = data["state_value"].assign_attrs(COORDINATE)
    attributes = {name: value for name, value in data.attrs.items() if name not in DEVICE_ATTRIBUTES}
    attributes |= {
        "format_version": 2,
        "technology": "domain-wall",
        "kind": "states",
        "conductance_map": "linear",
        "assumed": json.dumps([*_json(data, "assumed", []), *lines]),
    }
    metadata = _json(data, "attributes", {})
    attributes["attributes"] = json.dumps({DEVICE_METADATA.get(key, key): value for key, value in metadata.items()})
    data = data.drop_vars("track_length")
    data.attrs = attributes
    return data


def _energies(data: xr.Dataset) -> list[str]:
    """Assumptions about the energies."""
    lines = []
    if not all(name in data for name in ("sot_energy", "gate_energy")):
        lines.append("the device file does not split its programming energy: all of it is counted as SOT")
    if "read_energy" not in data:
        lines.append("the device file gives no read energy: reads are counted as free")
    return lines


def _with_energy(data: xr.Dataset) -> xr.Dataset:
    states = data.sizes.get("state", 0)
    split = all(name in data for name in ("sot_energy", "gate_energy"))
    sources = {"sot": "sot_energy" if split else "programming_energy", "gate": "gate_energy" if split else None}
    sources["read"] = "read_energy" if "read_energy" in data else None
    rows = []
    for name in (*sources.values(), "programming_energy"):
        if name is None:
            rows.append(np.zeros(states))
            continue
        if data[name].dims != ("state",):
            raise InputError(f"variable '{name}' has dimensions {data[name].dims}, must be ('state',)")
        if data[name].dtype.kind not in "fiu":
            raise InputError(f"variable '{name}' is not numeric but {data[name].dtype}")
        rows.append(np.asarray(data[name].values, np.float64))
        if not np.isfinite(rows[-1]).all():
            raise InputError(f"variable '{name}' holds a value that is not finite")
        if (rows[-1] < 0).any():
            raise InputError(f"variable '{name}' holds a negative energy")
    old = [
        name for name in data.variables if str(name).removesuffix("_energy") in ("sot", "gate", "read", "programming")
    ]
    return data.drop_vars([name for name in old if str(name).endswith("_energy")]).assign(
        energy_variables(dict(zip(CAUSES, rows, strict=False)), CAUSES)
    )


def energy_variables(energies: dict[str, np.ndarray], labels: Any) -> dict[str, Any]:
    """The variables ``energy``, ``cause`` and ``energy_label`` of a device file."""
    causes = list(energies)
    words = {"units": "J", "long_name": "energy of one programming attempt"}
    return {
        "energy": (("cause", "state"), np.array([energies[cause] for cause in causes], np.float64), words),
        "cause": ("cause", np.array(causes, object), {"long_name": "cause of energy"}),
        "energy_label": ("cause", np.array([labels.get(cause, cause) for cause in causes], object)),
    }


def _with_read_out(data: xr.Dataset) -> xr.Dataset:
    """Add the read-out that a chip needs, from the parameters of the junction in the file."""
    junction = _json(data, "parameters", {}).get("junction")
    if not isinstance(junction, dict):
        return data
    try:
        whole = TunnelJunction.model_validate(junction)
    except ValidationError:
        # Parameters of another kind: training works with such a file, but a chip needs the read-out.
        return data
    return data.assign(read_out_variables(ReadOut(whole.read_voltage, whole.read_time, whole.resistance_area)))


def read_out_variables(read_out: ReadOut) -> dict[str, Any]:
    """Variables of a device file that describe the verify read."""
    values = {
        "read_voltage": (read_out.voltage, "V", "voltage of a verify read"),
        "read_time": (read_out.time, "s", "duration of a verify read"),
        "resistance_area": (read_out.resistance_area, "ohm m2", "product of resistance and area"),
    }
    return {
        name: ((), np.float64(value), {"units": units, "long_name": words})
        for name, (value, units, words) in values.items()
        if value is not None
    }


def _json(data: xr.Dataset, name: str, default: Any) -> Any:
    try:
        value = json.loads(str(data.attrs.get(name, json.dumps(default))))
    except (ValueError, RecursionError):
        raise InputError(f"attribute '{name}' is not JSON") from None
    if not isinstance(value, type(default)):
        raise InputError(f"attribute '{name}' is not a JSON {type(default).__name__}")
    return value
