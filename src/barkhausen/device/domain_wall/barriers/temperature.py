"""Barriers, attempt frequencies and retention times of a device file at any temperature."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from jaxtyping import Float

from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN
from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.domain_wall.parameters import NAME, DeviceParameters
from barkhausen.device.domain_wall.retention import ONE_SIDED, resting_places, retention
from barkhausen.device.schema import STABILITY


def retention_at(device: CharacterisedDevice, temperature: float) -> xr.Dataset:
    """Barriers and retention of every state of every device of a file at another temperature than its own.

    The stored barriers and attempt frequencies are scaled by the ratio that the calibrated compact model gives between
    both temperatures (median over the devices of each state), on films with the constants that are averages there
    (:meth:`.DeviceParameters.film_at`): the free energy of a wall falls as Ms, A, D and Ku do.

    Args:
        device: Simulated domain-wall device with barriers.
        temperature: Temperature in K.

    Returns:
        Data set with ``barrier`` (J), ``attempt_frequency`` (Hz) and ``retention_time`` (s) [state, device], and
        ``barrier_error`` (J) and ``retention_time_lower`` (s) where the file has them. Missing values stay NaN.

    Raises:
        InputError: The file has no barriers or is not of a domain wall with its parameters, or the temperature is not
            positive or leaves no magnetic order.
    """
    for name in (*STABILITY[:3],):
        if name not in device.data:
            raise InputError(f"retention: the device file has no {name!r}; `barkhausen characterize` writes it")
    text = json.loads(str(device.data.attrs.get("parameters", "{}")))
    if device.technology != NAME or not text:
        raise InputError("retention at another temperature: needs the parameters of a domain-wall device in its file")
    parameters = DeviceParameters.model_validate(text)
    own = parameters.characterisation.temperature
    places = resting_places(device.state_values)
    if places.shape[1] != parameters.characterisation.devices:
        raise InputError(
            f"retention at another temperature: the file holds {places.shape[1]} devices, but its parameters describe "
            f"{parameters.characterisation.devices}"
        )
    here, there = (retention(parameters, places, temperature=at) for at in (own, temperature))
    stored = {name: device.data[name].transpose("state", "device").values for name in STABILITY[:3]}
    share, quicker = (_ratio(there, here, name) for name in ("barrier", "attempt_frequency"))
    heat, both = BOLTZMANN * temperature, ("state", "device")
    barrier, frequency = share * stored["barrier"], quicker * stored["attempt_frequency"]
    with np.errstate(over="ignore"):
        times = np.where(np.isnan(frequency) & np.isfinite(barrier), 0.0, np.exp(barrier / heat) / frequency)
    contents = {
        "barrier": (both, barrier, {"units": "J", **_method(device)}),
        "attempt_frequency": (both, frequency, {"units": "Hz"}),
        "retention_time": (both, times, {"units": "s"}),
    }
    if "barrier_error" in device.data:
        error = share * device.data["barrier_error"].transpose("state", "device").values
        contents["barrier_error"] = (both, error, {"units": "J"})
        lower = times * np.exp(-ONE_SIDED * error / heat)
        contents["retention_time_lower"] = (both, lower, {"units": "s"})
    return xr.Dataset(contents, attrs={"temperature": temperature, "measured_at": own})


def _ratio(there: xr.Dataset, here: xr.Dataset, name: str) -> Float[np.ndarray, "state 1"]:
    """Ratio of a quantity at both temperatures, the median over devices: a single wall may rest elsewhere in one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = there[name].values / here[name].values
    return np.array([[np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else 1.0] for row in ratio])


def _method(device: CharacterisedDevice) -> dict[str, str]:
    method = device.data["barrier"].attrs.get("method")
    return {} if method is None else {"method": str(method)}
