"""Device data sets as version 0.1.0 wrote them, made from those of today."""

from __future__ import annotations

import json

import xarray as xr

from barkhausen.core.renamed import DEVICE_ATTRIBUTES, DEVICE_DIMENSIONS, DEVICE_METADATA, DEVICE_VARIABLES
from barkhausen.device import CharacterisedDevice


def as_version_1(device: CharacterisedDevice) -> xr.Dataset:
    """A domain-wall device under the names of version 1, with its energy split into three variables."""
    data = device.data.copy(deep=True)
    for cause in ("sot", "gate", "read"):
        data[f"{cause}_energy"] = ("state", device.energy(cause))
    data["programming_energy"] = ("state", device.energy("sot") + device.energy("gate"))
    data["track_length"] = ((), device.state_range[1])
    new = ["energy", "cause", "energy_label", "state_range", "read_voltage", "read_time", "resistance_area"]
    data = data.drop_vars([name for name in new if name in data.variables])
    names = {
        new: old
        for old, new in (DEVICE_VARIABLES | DEVICE_DIMENSIONS).items()
        if new in data.variables or new in data.dims
    }
    data = data.rename(names)
    data["position"].attrs = {"units": "m", "long_name": "resting position of the wall"}
    attributes = {
        name: value for name, value in data.attrs.items() if name not in ("technology", "kind", "conductance_map")
    }
    for old, new_name in DEVICE_ATTRIBUTES.items():
        if new_name in attributes:
            attributes[old] = attributes.pop(new_name)
    back = {new_name: old for old, new_name in DEVICE_METADATA.items()}
    metadata = json.loads(attributes["attributes"])
    attributes["attributes"] = json.dumps({back.get(key, key): value for key, value in metadata.items()})
    data.attrs = {**attributes, "format_version": 1}
    return data
