"""Escape rates: how often a wall leaves each state of each characterised device, to either side, at any temperature.

The rate over a barrier is f0 exp(−E/kB T). A device file gives the lower barrier E, its side and the attempt frequency
f0 of each (state, device) at the temperature of the characterisation; f0 is defined by exp(E/kB T)/f0 = retention time.
Where it also gives the barriers of both sides, each side has its own rate with the same attempt frequency; otherwise
walls escape over the lower barrier only.

At another temperature the barriers of a device whose technology can compute them
(:attr:`barkhausen.device.technology.Technology.stability_at`) are multiplied by the ratio of the computed barriers at
both temperatures (median over devices), and so are the attempt frequencies. Those of other devices, such as measured
ones, are taken as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from jaxtyping import Float

from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN
from barkhausen.device import CharacterisedDevice
from barkhausen.device.technology import TECHNOLOGIES

FASTEST = 1e12
"""Escape rate in Hz of a wall without a barrier."""

VARIABLES = ("barrier", "attempt_frequency", "escape_direction")

SIDES = (("barrier_left", "barrier_right"), ("barrier_string_left", "barrier_string_right"))
"""Pairs of variables with the barriers of both sides; the first pair that the file has is used."""

BARRIER_ERROR = "barrier_error"
"""Variable with the standard error of the barriers in J."""

NEAR = 1e-6
"""Relative difference up to which temperatures are the same."""

Rates = Float[np.ndarray, "state device"]


@dataclass(frozen=True, eq=False)
class Escape:
    """Rates at which walls leave the states of a device at one temperature.

    Attributes:
        left, right: Rate in Hz from each state of each device to the neighbour on the left and on the right.
        temperature: Temperature in K.
        method: Method that gave the barriers: ``compact``, ``compact-calibrated``, ``string``, ``measured``.
        scaled: Whether barriers were adjusted to the temperature. They are not at the temperature of the file.
        error: Relative standard error of the barriers, median over states and devices; None if the file does not give
            it.
    """

    left: Rates
    right: Rates
    temperature: float
    method: str
    scaled: bool
    error: float | None
    known: dict[float, Float[np.ndarray, "device place place"]] = field(default_factory=dict, init=False, repr=False)
    """Transition probabilities that :func:`barkhausen.synapse.drift.transitions` has computed, by waiting time in s."""

    @property
    def rate(self) -> Rates:
        """Rate in Hz to either side."""
        rates: Rates = self.left + self.right
        return rates

    @property
    def retention_time(self) -> Rates:
        """Mean time in s that a wall stays in each state of each device."""
        times: Rates = 1.0 / np.maximum(self.rate, 1e-300)
        return times

    def exceeded_by(self, share: float) -> Float[np.ndarray, " state"]:
        """Retention time in s of each state that this share of the devices exceeds, taken at one device."""
        times: Float[np.ndarray, " state"] = np.quantile(self.retention_time, 1.0 - share, axis=1, method="lower")
        return times


@dataclass(frozen=True, eq=False)
class EscapeModel:
    """Escape rates of one device as a function of temperature.

    Args:
        device: Device with barriers and attempt frequencies
            (:func:`barkhausen.device.domain_wall.stability.stability`).

    Raises:
        InputError: The file has no barriers.
    """

    device: CharacterisedDevice
    _computed: dict[float, xr.Dataset | None] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for name in VARIABLES:
            if name not in self.device.data:
                raise InputError(
                    f"drift: the device file has no {name!r}; `barkhausen characterize` writes it, an imported or "
                    "textbook device has none"
                )

    @property
    def temperature(self) -> float | None:
        """Temperature in K of the barriers in the file; None if it does not say."""
        own = self.device.data.attrs.get("temperature")
        return None if own is None else float(own)

    def at(self, temperature: float | None = None, *, deviations: float = 0.0) -> Escape:
        """Escape rates at a temperature.

        Args:
            temperature: Temperature in K. Default: that of the characterisation.
            deviations: Number of standard errors by which all barriers are shifted; for intervals.

        Raises:
            InputError: The temperature is not positive, or an error is asked for that the file does not give.
        """
        device, own = self.device, self.temperature
        heat = own if temperature is None else float(temperature)
        if heat is None:
            raise InputError("drift: the device file does not say its temperature; give one, in K")
        if not (math.isfinite(heat) and heat > 0):
            raise InputError(f"temperature = {heat}: must be positive, in K")
        barrier, frequency = (by_state(device, name) for name in VARIABLES[:2])
        stretch = np.ones_like(barrier)
        factors = self._factors(heat)
        if factors is not None:
            stretch, frequency = factors[0], frequency * factors[1]
        error = barrier_error(device)
        if deviations:
            if error is None:
                raise InputError("drift: the device file gives no error of its barriers")
            stretch = stretch * np.maximum(0.0, 1.0 + deviations * error)
        with np.errstate(over="ignore"):
            rate = frequency * np.exp(-stretch * barrier / (BOLTZMANN * heat))
        # No attempt frequency means that there is no barrier. No barrier value means that it is unknown for this
        # device, and the median over devices is used.
        rate = np.where(np.isnan(frequency) & ~np.isnan(barrier), FASTEST, rate).clip(max=FASTEST)
        unknown = np.isnan(rate).all(axis=1)
        if unknown.any():
            raise InputError(f"drift: the device file has no barrier at all for state {int(unknown.argmax())}")
        rate = np.where(np.isnan(rate), np.nanmedian(rate, axis=1, keepdims=True), rate)
        to_left, more = _sides(device, stretch, heat, heat if own is None else own)
        rate = (rate * more).clip(max=FASTEST)
        usual = None if error is None else float(np.median(error))
        return Escape(rate * to_left, rate * (1.0 - to_left), heat, barrier_method(device), factors is not None, usual)

    def _factors(self, temperature: float) -> tuple[Rates, Rates] | None:
        """Barriers and attempt frequencies at a temperature over those of the file; None where they are taken as they
        are."""
        own = self.temperature
        if own is None or abs(temperature / own - 1) < NEAR:
            return None
        now, then = self._stability(temperature), self._stability(own)
        return None if now is None or then is None else _ratios(now, then)

    def _stability(self, temperature: float) -> xr.Dataset | None:
        if temperature not in self._computed:
            entry = TECHNOLOGIES.find(self.device.technology)
            compute = None if entry is None else entry.stability_at
            self._computed[temperature] = None if compute is None else compute(self.device, temperature)
        return self._computed[temperature]


def escape_of(device: CharacterisedDevice, temperature: float | None = None, *, deviations: float = 0.0) -> Escape:
    """Escape rates of a device at a temperature.

    Arguments and errors are those of :class:`EscapeModel`, which serves several temperatures with less work.
    """
    return EscapeModel(device).at(temperature, deviations=deviations)


def escape_rates(device: CharacterisedDevice, temperature: float | None = None) -> Rates:
    """Escape rate in Hz of the wall from each state of each characterised device, to either side.

    Arguments and errors are those of :func:`escape_of`.
    """
    return escape_of(device, temperature).rate


def barrier_method(device: CharacterisedDevice) -> str:
    """Method that gave the barriers of a device file; that of files that do not say is the compact model."""
    otherwise = "measured" if device.source == "measured" else "compact"
    return str(device.data["barrier"].attrs.get("method", otherwise))


def barrier_error(device: CharacterisedDevice) -> Rates | None:
    """Relative standard error of the barriers of a device file; None if it does not give one.

    Where that of single states and devices is missing, it is the median of the others.
    """
    if BARRIER_ERROR not in device.data:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = by_state(device, BARRIER_ERROR) / by_state(device, VARIABLES[0])
    known = np.isfinite(relative)
    if not known.any():
        return None
    errors: Rates = np.where(known, relative, np.median(relative[known]))
    return errors


def by_state(device: CharacterisedDevice, name: str) -> Rates:
    """Values of a variable of a device file with the dimensions state and device."""
    values: Rates = device.data[name].transpose("state", "device").values.astype(np.float64)
    return values


def lower_side(device: CharacterisedDevice) -> Rates:
    """Side of the lower barrier, −1 or 1; where it is unknown, that of most devices."""
    side = by_state(device, "escape_direction")
    most = np.where(np.nansum(side, axis=1, keepdims=True) < 0, -1, 1)
    sides: Rates = np.where(np.isnan(side), most, np.where(side < 0, -1, 1)).astype(np.float64)
    return sides


def _sides(device: CharacterisedDevice, stretch: Rates, heat: float, own: float) -> tuple[Rates, Rates]:
    """Share of the escapes of each state and device that go to the left, and the rate to both sides over that of one.

    The attempt frequency of the file belongs to both sides together, at its own temperature.
    """
    share: Rates = (lower_side(device) < 0).astype(np.float64)
    more = np.ones_like(share)
    for names in SIDES:
        if all(name in device.data for name in names):
            left, right = (by_state(device, name) for name in names)
            known = np.isfinite(left) & np.isfinite(right)
            # Of a Boltzmann factor relative to the lower barrier, so that nothing overflows.
            with np.errstate(invalid="ignore"):
                gap = (left - right) / BOLTZMANN
                now, then = (np.exp(-np.abs(gap) * factor) for factor in (stretch / heat, 1.0 / own))
            low = gap < 0
            share = np.where(known, np.where(low, 1.0, now) / (1.0 + now), share)
            more = np.where(known, (1.0 + now) / (1.0 + then), more)
            break
    return share, more


def _ratios(now: xr.Dataset, then: xr.Dataset) -> tuple[Rates, Rates]:
    """Barriers and attempt frequencies at one temperature over those at another.

    The median over the devices of each state: single walls may rest in another place at the other temperature.
    """
    factors = []
    for name in VARIABLES[:2]:
        one, other = (values[name].transpose("state", "device").values for values in (now, then))
        with np.errstate(invalid="ignore", divide="ignore"):
            factor = np.where(other > 0, one / other, np.nan)
        # A state that no device has at one of the temperatures is taken as it is.
        known = np.where(np.isfinite(factor).any(axis=1, keepdims=True), factor, 1.0)
        factors.append(np.broadcast_to(np.nanmedian(known, axis=1, keepdims=True), factor.shape))
    return factors[0], factors[1]
