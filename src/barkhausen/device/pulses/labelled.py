"""Labelled data set of a device moved by pulses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from barkhausen.core.errors import InputError
from barkhausen.device.coordinate import StateCoordinate
from barkhausen.device.pulses.schema import SIGNS

Spreads = tuple[tuple[float, float], float, tuple[float, float]]


def step_dataset(
    mean: Float[np.ndarray, "sign grid"],
    sd: Float[np.ndarray, "sign grid"],
    *,
    coordinate: StateCoordinate,
    state_range: tuple[float, float],
    spreads: Spreads,
    read_sd: float | None,
    energies: Mapping[str, tuple[float, float]] | None,
    causes: Mapping[str, str],
) -> xr.Dataset:
    """The variables of a device file of kind ``pulses``.

    Args:
        mean, sd: Mean and cycle-to-cycle standard deviation of the change of weight by a pulse up and down.
        coordinate: State coordinate.
        state_range: State coordinate at w = −1 and w = 1.
        spreads: Relative spread of steps up and down between devices, their correlation, and the spread of the lower
            and upper bound.
        read_sd: Standard deviation of one read in weight units.
        energies: Energies in J of one pulse up and one pulse down, by cause.
        causes: Label of each cause.

    Raises:
        InputError: The tables do not have two rows of equal length.
    """
    tables = [np.array(table, np.float64) for table in (mean, sd)]
    if tables[0].ndim != 2 or tables[0].shape != tables[1].shape or len(tables[0]) != len(SIGNS):
        raise InputError(f"steps have the shapes {tables[0].shape} and {tables[1].shape}: must be (2, points)")
    scale_sd, correlation, bound_sd = spreads
    where = {"units": coordinate.unit, "coordinate": coordinate.name, "long_name": coordinate.long_name}
    contents: dict[str, Any] = {
        "grid_weight": ("grid", np.linspace(-1, 1, tables[0].shape[1]), {"long_name": "weight"}),
        "step_mean": (("sign", "grid"), tables[0], {"long_name": "mean change of weight by one pulse"}),
        "step_sd": (("sign", "grid"), tables[1], {"long_name": "cycle-to-cycle standard deviation of the change"}),
        "scale_sd": ("sign", np.array(scale_sd, np.float64), {"long_name": "relative spread of steps between devices"}),
        "scale_correlation": ((), np.float64(correlation), {"long_name": "correlation of this spread, up and down"}),
        "bound_sd": ("bound", np.array(bound_sd, np.float64), {"long_name": "spread of bounds between devices"}),
        "state_range": ("bound", np.array(state_range, np.float64), where),
    }
    if read_sd is not None:
        contents["read_sd"] = ((), np.float64(read_sd), {"long_name": "standard deviation of one read"})
    coordinates: dict[str, Any] = {"sign": ("sign", np.array(SIGNS, object), {"long_name": "sign of the pulse"})}
    if energies:
        names = list(energies)
        values = np.array([energies[name] for name in names], np.float64)
        coordinates["cause"] = ("cause", np.array(names, object), {"long_name": "cause of energy"})
        contents["energy_label"] = ("cause", np.array([causes.get(name, name) for name in names], object))
        contents["energy"] = (("cause", "sign"), values, {"units": "J", "long_name": "energy of one pulse"})
    return xr.Dataset(contents, coords=coordinates)
