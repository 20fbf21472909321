"""Stability of the states of a device: retention, and noise and disturbance of reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float

from barkhausen.core.progress import Progress
from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.domain_wall.barriers import calibrated_landscapes, string_barriers
from barkhausen.device.domain_wall.compact.model import CompactParameters
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.device.domain_wall.retention import resting_places, retention
from barkhausen.device.schema import ESCAPE_DIRECTION, STABILITY, STABILITY_ERRORS

LONGEST = 1e300
"""Retention time in s written for a wall that never escapes, since files hold no infinity."""


def stability(
    parameters: DeviceParameters,
    positions: Float[np.ndarray, "state device cycle"],
    compact: CompactParameters | None = None,
    *,
    checkpoint: Path | None = None,
    threads: int | None = None,
    progress: Progress | bool | None = None,
) -> xr.Dataset:
    """Retention and read-out of each state, as optional variables of a device file.

    Args:
        parameters: Parameters of the device, at a positive temperature.
        positions: Resting positions of the walls in m. The position of a device in a state is the median of its cycles.
        compact: Parameters of the compact model, whose landscape gives the barriers. Default: the calibrated compact
            model or paths of least energy, as ``characterisation.barriers`` says (:mod:`.barriers`).
        checkpoint: Directory of finished paths, from which the same call resumes.
        threads: Number of threads of the paths.
        progress: Progress display.

    Returns:
        Data set with ``barrier`` (J), ``attempt_frequency`` (Hz), ``retention_time`` (s) and ``pinning_field`` (T) with
        the dimensions state and device (:mod:`.retention`); ``barrier_error`` (J) and ``retention_time_lower`` (s)
        where the error of the barriers is known; ``barrier_string_left`` and ``barrier_string_right`` (J) of paths; and
        ``escape_direction``, the direction of the lower barrier (−1 or 1 along x). The attribute ``method`` of
        ``barrier`` says where the barriers are from. With the dimension state (:class:`.TunnelJunction`):
        ``read_noise`` (m), the standard deviation of the position found by one read, and ``read_disturb``, the
        probability that one read moves the wall (mean over devices).
    """
    places = resting_places(positions)
    landscapes = None
    found = {"string": string_barriers, "calibrated": calibrated_landscapes}.get(parameters.characterisation.barriers)
    if compact is None and found is not None:
        landscapes = found(parameters, places, checkpoint=checkpoint, threads=threads, progress=progress)
    held = retention(parameters, places, compact, landscapes=landscapes)
    track, material, junction = parameters.track, parameters.material, parameters.junction
    heat = parameters.characterisation.temperature
    disturbed = np.array(
        [
            np.nanmean(
                [
                    junction.read_disturb(
                        track,
                        material.at(heat),
                        pinning_field=field,
                        barrier=barrier,
                        attempt_frequency=frequency,
                        temperature=heat,
                    ).probability
                    for field, barrier, frequency, there in zip(*rows, strict=True)
                    if there
                ]
            )
            for rows in zip(
                held["pinning_field"].values,
                held["barrier"].values,
                held["attempt_frequency"].values,
                np.isfinite(places),
                strict=True,
            )
        ]
    )
    noise = junction.position_noise(np.nanmean(positions, axis=(1, 2)), track, heat)
    bounded = held[[name for name in (*STABILITY, *STABILITY_ERRORS) if name in held]].map(
        lambda values: values.clip(max=LONGEST)
    )
    bounded["barrier"].attrs["method"] = held.attrs["method"]
    if landscapes is not None and held.attrs["method"] == "string":
        for side in ("left", "right"):
            bounded[f"barrier_string_{side}"] = held[f"barrier_{side}"].assign_attrs(method="string")
    bounded[ESCAPE_DIRECTION] = held["direction"].assign_attrs(long_name="side of the lower barrier")
    return bounded.assign(
        read_noise=("state", noise, {"units": "m", "long_name": "of one read"}),
        read_disturb=("state", disturbed, {"units": "1", "long_name": "probability that one read moves the wall"}),
    )


def stability_at(device: CharacterisedDevice, temperature: float) -> xr.Dataset | None:
    """Barriers and attempt frequencies of the compact model of tilted walls at a temperature, with the film's constants
    there; only ratios between temperatures are meant to be used.

    Args:
        device: Characterised domain-wall device.
        temperature: Temperature in K.

    Returns:
        Data set of :func:`.retention`. None for devices that were not simulated, since the film and the edges of
        measured ones are unknown.

    Raises:
        InputError: The temperature leaves no magnetic order.
    """
    if device.source != "micromagnetics":
        return None
    parameters = DeviceParameters.model_validate(json.loads(device.data.attrs["parameters"]))
    if parameters.characterisation.devices != device.data.sizes["device"]:
        return None
    values = device.state_values
    return retention(parameters, resting_places(values), temperature=temperature)
