"""The device moved by pulses of a recipe: that of a file, or a textbook device with what the recipe assumes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.device import PulsedDevice, ReadOut, named_pulsed_device, read_pulsed_device
from barkhausen.device.old_format import read_out_variables
from barkhausen.device.pulses.cell import PulsedCell

if TYPE_CHECKING:
    from barkhausen.experiment.recipe import DeviceRecipe

USUAL_PULSED = "soft-bounds-64"
"""Device of a rule on devices moved by pulses where a recipe names none."""

READ_OUT = ReadOut(0.1, 10e-9)
"""Read of a device whose pulses get an energy and that states no read: 0.1 V for 10 ns; our assumption."""


def pulsed_device(choice: DeviceRecipe) -> PulsedDevice:
    """The device moved by pulses that a recipe names.

    Args:
        choice: The table ``[device]``.

    Raises:
        InputError: The file cannot be used, or there is no such device.
    """
    return _in_cells(_device(choice), choice.cell)


def _in_cells(device: PulsedDevice, cell: PulsedCell) -> PulsedDevice:
    """The device in the cells of a recipe, where that has any."""
    if cell == PulsedCell():
        return device
    known = json.loads(str(device.data.attrs.get("assumed", "[]")))
    return device.in_cells(cell).extended(
        xr.Dataset(attrs={"assumed": json.dumps([*known, f"{cell.words()} (recipe)"])})
    )


def _device(choice: DeviceRecipe) -> PulsedDevice:
    if choice.file is None:
        device = named_pulsed_device(choice.pulsed or USUAL_PULSED)
    else:
        if choice.pulsed is not None:
            raise InputError(f"device.pulsed = '{choice.pulsed}': is not used beside device.file; leave one out")
        device = read_pulsed_device(Path(choice.file))
    given, lines = xr.Dataset(), []
    if choice.pulse_spread:
        spread = np.full(2, choice.pulse_spread)
        given = given.assign(scale_sd=("sign", spread, device.data["scale_sd"].attrs))
        lines.append(f"steps of devices differ by a factor with standard deviation {choice.pulse_spread:g} (recipe)")
    if choice.pulse_energy is not None:
        if "energy" in device.data:
            raise InputError("device.pulse_energy: the device states the energies of its pulses; leave the key out")
        joule = np.full((1, 2), choice.pulse_energy)
        given = given.assign(
            energy=(("cause", "sign"), joule, {"units": "J", "long_name": "energy of one pulse"}),
            energy_label=("cause", np.array(["write pulses"], object)),
            **({} if "read_voltage" in device.data else read_out_variables(READ_OUT)),
        ).assign_coords(cause=("cause", np.array(["write"], object)))
        voltage, time = (
            float(given[name] if name in given else device.data[name]) for name in ("read_voltage", "read_time")
        )
        lines.append(f"a pulse takes {choice.pulse_energy:g} J (recipe); reads at {voltage:g} V for {time:g} s")
    if not lines:
        return device
    known = json.loads(str(device.data.attrs.get("assumed", "[]")))
    return device.extended(given.assign_attrs(assumed=json.dumps([*known, *lines])))
