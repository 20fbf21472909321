"""Characterisation of a device as a task."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tomli_w

from barkhausen.core.files import atomic_write
from barkhausen.core.units import FEMTO
from barkhausen.device import CharacterisedDevice
from barkhausen.device.file_statistics import described
from barkhausen.experiment.characterisation.states import characterise_to_file
from barkhausen.experiment.work.base import Order, Result
from barkhausen.experiment.work.rows import Row, number

DEVICE_FILE = "device.nc"


def characterize(order: Order) -> Result:
    """Characterise a device, or resume its characterisation; device file and histories stand in the directory."""
    source, out = parameter_file(order), order.directory / DEVICE_FILE
    device = characterise_to_file(source, out, threads=order.threads).device
    return Result({"device_file": out.relative_to(order.root).as_posix(), **device_row(device)})


def parameter_file(order: Order) -> Path:
    """The parameter file of a device, written without defaults: the device file says which values were assumed."""
    path = order.directory / "device.toml"
    atomic_write(path, tomli_w.dumps(order.given))
    return path


def device_row(device: CharacterisedDevice) -> Row:
    """Results of a characterisation.

    The smallest gap of neighbouring mean positions is a share of the range of mean positions; sigmas are means over
    states in weight units; energies are of one attempt, means over states.
    """
    mean, sigma_device, sigma_cycle = device.moments
    scale = 2.0 / (mean[-1] - mean[0])
    data = described(device).data
    overlaps = None
    if "overlap" in data:
        overlaps = data["overlap"].transpose("state", "other_state").values
        overlaps = overlaps[~np.eye(len(overlaps), dtype=bool)]
    return {
        "states": device.states,
        "information_bits": number(data["mutual_information"].item()) if "mutual_information" in data else None,
        "smallest_gap": number(np.diff(mean).min() / (mean[-1] - mean[0])),
        "worst_overlap": None if overlaps is None else number(overlaps.max()),
        "mean_sigma_device": number(scale * np.nanmean(sigma_device)),
        "mean_sigma_cycle": number(scale * np.nanmean(sigma_cycle)),
        **{f"{cause}_femtojoule": number(FEMTO * device.energy(cause).mean()) for cause in device.energy_causes},
    }
