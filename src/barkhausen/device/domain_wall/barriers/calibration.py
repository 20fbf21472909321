"""The compact model with the factor of one design, from the paths of a few of its devices.

Most of the model's error is common to all notches and devices of a design (:mod:`.tilted`), so that the paths of one or
two devices take it away for all others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float

from barkhausen.core.errors import OutcomeError
from barkhausen.core.progress import Progress
from barkhausen.core.units import BOLTZMANN
from barkhausen.device.domain_wall.barriers.string import RELATIVE_ERROR, string_barriers
from barkhausen.device.domain_wall.barriers.tilted import tilted_landscapes
from barkhausen.device.domain_wall.compact.wall_energy import CompactParameters
from barkhausen.device.domain_wall.parameters import DeviceParameters

NEAR = 8e-9
"""Distance in m within which the model's minimum belongs to a rest of the paths."""

LEAST = 2.0
"""Smallest barrier of a path in kB T that counts."""

LEAST_SPREAD = 0.02
"""Smallest relative standard error that the few barriers of a fit can vouch for."""


def calibrated_landscapes(
    parameters: DeviceParameters,
    positions: Float[np.ndarray, "state device"],
    *,
    temperature: float | None = None,
    devices: Sequence[int] = (0, 1),
    checkpoint: Path | None = None,
    threads: int | None = None,
    progress: Progress | bool | None = None,
) -> xr.Dataset:
    """Energy of the walls of all devices by the compact model, its factor fitted to the paths of some.

    Args:
        parameters: Parameters of the device.
        positions: Wall positions in m [state, device], NaN where missing.
        temperature: Temperature in K. Default: that of ``characterisation``.
        devices: Devices whose paths are found; their landscapes are those of the paths.
        checkpoint, threads, progress: As in :func:`.string_barriers`.

    Returns:
        As :func:`.tilted_landscapes`. Attributes: ``factor``, ``fit_spread`` (relative standard deviation of the
        barriers from the fit), ``relative_error`` (with that of the paths), ``fitted_pairs``.

    Raises:
        OutcomeError: No path has a barrier to fit to.
    """
    temperature = parameters.characterisation.temperature if temperature is None else temperature
    chosen = [d for d in devices if d < parameters.characterisation.devices]
    paths = string_barriers(
        parameters, positions, temperature=temperature, devices=chosen, checkpoint=checkpoint, threads=threads,
        progress=progress,
    )  # fmt: skip
    model = tilted_landscapes(parameters.film_at(temperature), CompactParameters(), 1.0)
    ratios = barrier_ratios(model, paths, LEAST * BOLTZMANN * temperature)
    if not ratios.size:
        raise OutcomeError(f"barriers: no wall of the devices {chosen} has a barrier that the model can be fitted to")
    factor = float(np.exp(np.log(ratios).mean()))
    spread = max(LEAST_SPREAD, float(np.log(ratios).std(ddof=1)) if ratios.size > 1 else 0.0)
    energy = factor * model["energy"].values
    for device in chosen:
        own = paths["energy"].values[device]
        energy[device] = np.where(np.isfinite(own), own, energy[device])
    return model.assign(energy=(("device", "place"), energy, {"units": "J"})).assign_attrs(
        factor=factor, fit_spread=spread, relative_error=math.hypot(spread, RELATIVE_ERROR), fitted_pairs=ratios.size
    )


def barrier_ratios(
    model: xr.Dataset, paths: xr.Dataset, least: float, devices: Sequence[int] | None = None
) -> Float[np.ndarray, " pair"]:
    """Barriers of paths over those of a model, both directions of each way between two rests.

    Args:
        model: Landscapes of the model.
        paths: Result of :func:`.string_barriers`.
        least: Smallest barrier in J that counts.
        devices: Devices that count. Default: all.
    """
    places, ratios = model["place"].values, []
    for way in range(paths.sizes["way"]):
        row = paths.isel(way=way)
        device = int(row["device_of_way"])
        if int(row["end_of_way"]) or not bool(row["converged"]) or (devices is not None and device not in devices):
            continue
        energy = model["energy"].values[device]
        low, high = (
            int(near[energy[near].argmin()])
            for near in (np.nonzero(np.abs(places - float(row[name])) < NEAR)[0] for name in ("begin", "end"))
        )
        if high <= low:
            continue
        top = energy[low : high + 1].max()
        for name, rest in (("barrier_forward", low), ("barrier_backward", high)):
            climb = float(top - energy[rest])
            if min(climb, float(row[name])) >= least:
                ratios.append(float(row[name]) / climb)
    return np.array(ratios)
