"""Retention of states: energy barriers of resting walls, attempt frequencies, and loss over time.

A wall rests in a minimum of the energy along the track, gate off, and escapes over the saddles on either
side. The rate over each is Langer's (Ann. Phys. 54, 258 (1969); for magnetic moments W. F. Brown, IEEE Trans.
Magn. 15, 1196 (1979), and the review by Coffey and Kalmykov, J. Appl. Phys. 112, 121301 (2012)), for the equations of
motion linear in q/Delta and psi, and the measure W dq dpsi,

    rate = A lambda/(2 pi) (W_s/W_m) sqrt(k_m K_m/|k_s K_s|) exp(−barrier/kB T)
    lambda² + alpha g (k_s + K_s) lambda + (1 + alpha²) g² k_s K_s = 0,     g = gamma/((1 + alpha²) 2 Ms Delta W t)

with m the minimum, s the saddle, K = d²E/dpsi² and lambda the positive root. k is Delta² times a curvature along q, not
that of a parabola but the one of the same weight: ∫ exp(−(p U − E_m)/kB T) dq = sqrt(2 pi kB T/k) Delta in the valley,
and likewise with the other sign over the barrier, which may be flat and long between two notches. A is the depopulation
factor of Mel'nikov and Meshkov (J. Chem. Phys. 85, 1018 (1986)). It is 1 unless a wall loses less than a few kB T
between attempts: over one orbit at the energy of the saddle, or half an orbit if the other saddle is equally low (in
between, weighted by its Boltzmann factor). The retention time is the inverse of the sum of both rates; written as
exp(barrier/kB T)/f0 with the lower barrier, it defines f0. Where only the end of the track remains instead of a saddle,
the attempt frequency is the oscillation frequency in the minimum.

The energy is the compact model's, p U(q), or that of micromagnetic paths (:mod:`.barriers`), whose place along the path
is that of the wall; K and W are the compact model's in either case.

The rates are valid for barriers of several kB T; a state with less is lost in nanoseconds. A real wall has more degrees
of freedom than q and psi, which changes f0 but not the barrier.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from barkhausen.core.errors import InputError, OutcomeError
from barkhausen.core.units import BOLTZMANN, GYROMAGNETIC_RATIO
from barkhausen.device.domain_wall.barriers.tilted import tilted_landscapes
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters
from barkhausen.device.domain_wall.compact.wall_energy import WallEnergy
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.micromagnetics import Film

TIMES = (1.0, 86_400.0, 3.156e8)
"""Times in s at which failures are counted: a second, a day and ten years."""

FINE = 0.25e-9
"""Grid spacing in m on which the landscape, a cubic spline, is searched and integrated."""

ONE_SIDED = 1.645
"""Standard errors by which 95 % of a normal distribution exceed a bound."""

RIPPLE = 1.0
"""Smallest barrier in kB T that separates two minima or makes a minimum."""


def resting_places(positions: Float[np.ndarray, "state device cycle"]) -> Float[np.ndarray, "state device"]:
    """Where the walls of each device rest in each state: in m, the median over cycles; NaN where there is none.

    Of an even number it is the lower of the two in the middle. Their mean may lie between two notches, where no wall
    rests.

    Args:
        positions: Resting positions in m; NaN unless there is a single wall.
    """
    seen = np.isfinite(positions).any(axis=2)
    places = np.full(seen.shape, np.nan)
    places[seen] = np.nanquantile(positions[seen], 0.5, axis=1, method="lower")
    return places


def retention(
    parameters: DeviceParameters,
    positions: Float[np.ndarray, "state device"],
    compact: CompactParameters | None = None,
    *,
    temperature: float | None = None,
    landscapes: xr.Dataset | None = None,
) -> xr.Dataset:
    """Barriers, attempt frequencies and retention times of every state of every device.

    Args:
        parameters: Parameters of the device; ``characterisation`` gives the number of devices, their edges and cells.
        positions: Wall positions in m [state, device], NaN where missing. A single column or no second axis stands for
            all devices.
        compact: Parameters of the compact model, whose landscape p U(q) of straight walls gives the barriers. Default:
            the landscape of walls that may tilt, calibrated to paths of least energy (:mod:`.barriers.tilted`).
        temperature: Temperature in K. Default: that of ``characterisation``.
        landscapes: Energy of the walls along their paths of least energy at that temperature
            (:func:`.string_barriers`), in place of the compact model's.

    Returns:
        As :func:`retention_on`.

    Raises:
        InputError: As :func:`retention_on`.
    """
    temperature = parameters.characterisation.temperature if temperature is None else temperature
    check_temperature(temperature)
    if compact is None:
        film, compact = parameters.film_at(temperature), CompactParameters()
        if landscapes is None:
            landscapes = tilted_landscapes(film, compact)
    elif parameters.material.constants_at > 0:
        # Its constants are the averages already, and a calibration's order is that of the mesh.
        film, compact = parameters.film_at(temperature), compact.model_copy(update={"order": 1.0})
    else:
        film = parameters.film()
    return retention_on(film, positions, compact, temperature=temperature, landscapes=landscapes)


def retention_on(
    film: Film,
    positions: Float[np.ndarray, "state device"],
    compact: CompactParameters,
    *,
    temperature: float,
    landscapes: xr.Dataset | None = None,
    pinning: bool = True,
) -> xr.Dataset:
    """Barriers, attempt frequencies and retention times of walls on the devices of a film.

    Args:
        film, positions, compact, temperature, landscapes: As in :func:`retention`.
        pinning: Whether to find the pinning fields, which with landscapes takes as long as all the rest; else they are
            NaN.

    Returns:
        Data set with the dimensions state and device: ``rest_position`` (m), ``barrier`` (J, the lower one),
        ``direction`` of the lower barrier (−1 or 1 along x), ``attempt_frequency`` (Hz), ``retention_time`` (s),
        ``pinning_field`` (T), the field along z at which the lower barrier vanishes, and ``barrier_left`` and
        ``barrier_right`` (J). With the dimension state: ``retention_median`` and
        ``retention_tenth`` (s), exceeded by half and by nine tenths of the devices, and ``failure_probability`` [time,
        state], the mean over devices. Where the landscapes state their error, also ``barrier_error`` (J, standard
        error) and ``retention_time_lower`` (s), the retention time for a barrier that is 1.645 standard errors lower,
        the lower 95 % confidence bound. A position whose lower barrier is less than 1 kB T has a retention time and
        pinning field of 0 and no attempt frequency (NaN); NaN stays NaN.

    Raises:
        InputError: The number of devices of the positions is wrong, the temperature is not positive, or a wall is not
            stable at psi = 0.
    """
    check_temperature(temperature)
    places = np.asarray(positions, dtype=np.float64)
    places = places[:, None] if places.ndim == 1 else places
    if places.ndim != 2 or places.shape[1] not in (1, film.devices):
        raise InputError(f"positions: shape {places.shape} is not (state, device) of {film.devices} devices")
    places = np.broadcast_to(places, (len(places), film.devices))
    model = CompactModel(film, compact)
    energy = model.energy()
    devices = [
        _Landscape.of(energy, d, film.grid.dz, model.damping, temperature, _given(landscapes, d, film.devices))
        for d in range(film.devices)
    ]
    names = ("rest_position", "barrier", "direction", "attempt_frequency", "retention_time", "pinning_field",
             "barrier_left", "barrier_right")  # fmt: skip
    found = np.array([[devices[d].escape(float(x)) for d, x in enumerate(row)] for row in places])
    if landscapes is not None and not pinning:
        found[..., 5] = np.nan
    elif landscapes is not None:
        # A field that moves a wall bends it, so that the path without a field is no measure of it.
        plain = [_Landscape.of(energy, d, film.grid.dz, model.damping, temperature) for d in range(film.devices)]
        fields = np.array([[plain[d].escape(float(x))[5] for d, x in enumerate(row)] for row in places])
        found[..., 5] = np.where(found[..., 5] > 0, fields, found[..., 5])
    units = ("m", "J", "1", "Hz", "s", "T", "J", "J")
    both = ("state", "device")
    data = {
        name: (both, found[..., k], {"units": unit}) for k, (name, unit) in enumerate(zip(names, units, strict=True))
    }
    data |= _bounds(found[..., 1], found[..., 4], temperature, landscapes)
    times = found[..., 4]
    lost = np.stack([-np.expm1(-after / np.maximum(times, 1e-30)) for after in TIMES])
    return xr.Dataset(
        {
            **data,
            "retention_median": ("state", _quantile(times, 0.5), {"units": "s"}),
            "retention_tenth": ("state", _quantile(times, 0.1), {"units": "s"}),
            "failure_probability": (("time", "state"), _mean(lost), {"units": "1"}),
        },
        coords={"time": ("time", np.array(TIMES), {"units": "s"})},
        attrs={
            "temperature": temperature,
            "method": "compact" if landscapes is None else str(landscapes.attrs["method"]),
            **compact.model_dump(),
        },
    )


def _bounds(
    barrier: Float[np.ndarray, "state device"],
    times: Float[np.ndarray, "state device"],
    temperature: float,
    landscapes: xr.Dataset | None,
) -> dict[str, tuple[tuple[str, str], np.ndarray, dict[str, str]]]:
    """Standard errors of the barriers, and the retention times that they leave."""
    if landscapes is None or "relative_error" not in landscapes.attrs:
        return {}
    both = ("state", "device")
    error = float(landscapes.attrs["relative_error"]) * np.maximum(barrier, 0.0)
    lower = times * np.exp(-ONE_SIDED * error / (BOLTZMANN * temperature))
    return {
        "barrier_error": (both, error, {"units": "J"}),
        "retention_time_lower": (both, lower, {"units": "s"}),
    }


def _given(landscapes: xr.Dataset | None, device: int, devices: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Places and energies of a device in a data set of landscapes."""
    if landscapes is None:
        return None
    if landscapes.sizes["device"] != devices:
        raise InputError(f"landscapes: for {landscapes.sizes['device']} devices, but the film has {devices}")
    return landscapes["place"].values, landscapes["energy"].values[device]


def check_temperature(temperature: float) -> None:
    """Refuse temperatures that are not positive."""
    if not (math.isfinite(temperature) and temperature > 0):
        raise InputError(f"temperature = {temperature}: retention needs a positive temperature in K")


def depopulation(loss: float) -> float:
    """Depopulation factor of Mel'nikov and Meshkov for an energy loss of ``loss`` kB T in one orbit; about ``loss`` if
    small.

    ln A = (2/pi) ∫ ln(1 − exp(−loss/(4 cos² theta))) dtheta from 0 to pi/2.
    """
    if loss <= 0:
        return 0.0
    theta = (np.arange(4000) + 0.5) * (math.pi / 8000)
    return math.exp(float(np.log(-np.expm1(-loss / (4 * np.cos(theta) ** 2))).mean()))


@dataclass(frozen=True, eq=False)
class _Landscape:
    """The landscape of one device on a fine grid."""

    places: Float[np.ndarray, " place"]
    energy: Float[np.ndarray, " place"]
    slope: Float[np.ndarray, " place"]
    width: Float[np.ndarray, " place"]
    """W in m."""
    angular: Float[np.ndarray, " place"]
    """K = d²E/dpsi² in J."""
    delta: float
    moment: float
    """2 Ms t in A."""
    damping: float
    heat: float
    """kB T in J."""

    @staticmethod
    def of(  # noqa: PLR0917 (of one caller)
        table: WallEnergy,
        device: int,
        thickness: float,
        damping: float,
        temperature: float,
        given: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> _Landscape:
        stiffness = thickness * (table.dmi - 2 * float(table.neel[0, device]))
        if not stiffness > 0:
            raise OutcomeError("retention: the DMI does not hold the walls at the angle of a Néel wall")
        spline, width = (CubicSpline(table.places, t[0, device]) for t in (table.energy, table.width))
        places = np.arange(0.0, float(table.places[-1]), FINE)
        track = float(table.track_width[device])
        energy, slope = spline(places), spline(places, 1)
        if given is not None:
            energy = np.interp(places, *given)
            slope = np.gradient(energy, FINE)
        return _Landscape(
            places,
            energy,
            slope,
            width(places),
            stiffness * (track + table.twist_factor * (width(places) - track)),
            float(table.wall_width[0, device]),
            2 * table.magnetisation * thickness,
            damping,
            BOLTZMANN * temperature,
        )

    def escape(self, position: float) -> tuple[float, ...]:
        """Resting position, lower barrier, its direction, attempt frequency, retention time, pinning field, and the
        barriers to the left and right."""
        if math.isnan(position) or math.isnan(float(self.energy[0])):
            return (math.nan,) * 8
        rest, ends = self._valley(min(max(round(position / FINE), 0), len(self.places) - 1))
        barriers = [float(self.energy[end] - self.energy[rest]) for end in ends]
        barrier, side = min(barriers), int(np.argmin(barriers))
        direction, place = (-1.0, 1.0)[side], float(self.places[rest])
        if barrier < RIPPLE * self.heat:
            return place, barrier, direction, math.nan, 0.0, 0.0, *barriers
        # Relative to the lower barrier, so that nothing overflows before the last exponential.
        frequency = sum(
            self._frequency(rest, end, other) * math.exp(-(height - barrier) / self.heat)
            for end, other, height in zip(ends, ends[::-1], barriers, strict=True)
        )
        exponent = barrier / self.heat - math.log(frequency)
        low, high = sorted((rest, ends[side]))
        way = slice(low, high + 1)
        field = float((direction * self.slope[way] / (self.moment * self.width[way])).max())
        time = math.exp(exponent) if exponent < 700 else math.inf
        return place, barrier, direction, frequency, time, field, *barriers

    def _valley(self, start: int) -> tuple[int, tuple[int, int]]:
        """The minimum in which a wall comes to rest, and the saddles (or ends of the track) on either side."""
        rest = start
        while True:
            ends = []
            for step in (-1, 1):
                top, lower = self._climb(rest, step)
                if lower is not None:
                    rest = lower
                    break
                ends.append(top)
            else:
                return rest, (ends[0], ends[1])

    def _climb(self, rest: int, step: int) -> tuple[int, int | None]:
        """The saddle in one direction, and a lower position that only a ripple separates from the wall, if any."""
        ripple, top = RIPPLE * self.heat, rest
        k = rest + step
        while 0 <= k < len(self.energy):
            if self.energy[k] > self.energy[top]:
                top = k
            elif self.energy[top] - self.energy[rest] >= ripple:
                if self.energy[k] < self.energy[top] - ripple:
                    return top, None
            elif self.energy[k] < self.energy[rest]:
                return top, k
            k += step
        return top, None

    def _frequency(self, rest: int, end: int, other: int) -> float:
        """Attempt frequency in Hz over one side of the valley, whose other side ends at ``other``."""
        low, high = sorted((end, other))
        weight = np.exp(-(self.energy[low : high + 1] - self.energy[rest]) / self.heat).sum() * FINE
        k_rest = 2 * math.pi * self.heat * self.delta**2 / weight**2
        moment = self.moment * self.delta * self.width[rest]
        tried = GYROMAGNETIC_RATIO * math.sqrt(k_rest * self.angular[rest]) / (2 * math.pi * moment)
        if end in (0, len(self.places) - 1):
            return float(tried)
        k, angular, alpha = -self._curvature_over(rest, end), self.angular[end], self.damping
        ratio = self.width[end] / self.width[rest]
        g = GYROMAGNETIC_RATIO / ((1 + alpha**2) * moment * ratio)
        half = 0.5 * alpha * g * (k + angular)
        growth = math.sqrt(half**2 - (1 + alpha**2) * g**2 * k * angular) - half
        rate = growth / (2 * math.pi) * ratio * math.sqrt(k_rest * self.angular[rest] / abs(k * angular))
        higher = max(0.0, float(self.energy[other] - self.energy[end]))
        tries = 1 + math.exp(-higher / self.heat)
        return float(rate) * depopulation(self._loss(rest, end, other) / (tries * self.heat))

    def _curvature_over(self, rest: int, saddle: int) -> float:
        """Delta² times the curvature of a parabola of the barrier's weight, in J; positive."""
        step = 1 if saddle > rest else -1
        k = beyond = saddle
        # Up to the next valley, ignoring ripples.
        while 0 <= k < len(self.energy) and self.energy[k] - self.energy[beyond] < RIPPLE * self.heat:
            beyond = k if self.energy[k] < self.energy[beyond] else beyond
            k += step
        low, high = sorted((rest, beyond))
        weight = np.exp((self.energy[low : high + 1] - self.energy[saddle]).clip(max=0.0) / self.heat).sum() * FINE
        return float(2 * math.pi * self.heat * self.delta**2 / weight**2)

    def _loss(self, rest: int, saddle: int, other: int) -> float:
        """Energy in J that a wall at the energy of the saddle loses in one orbit through the valley.

        −dE/dt = alpha gamma (E_u² + E_psi²)/c and u' = gamma E_psi/c, u = q/Delta, along the orbit without damping, its
        angle small: K psi²/2 = E_s − p U, E_psi = sqrt(2 K (E_s − p U)). Where the angle is not small, the loss is so
        large that the factor is 1 anyway.
        """
        step = 1 if saddle > rest else -1
        turn = rest
        while turn != other and self.energy[turn - step] < self.energy[saddle]:
            turn -= step
        low, high = sorted((turn, saddle))
        orbit = slice(low, high + 1)
        room = self.energy[saddle] - self.energy[orbit]
        # The integrand has an integrable square root at the turning point and vanishes at the saddle.
        torque = np.sqrt(2 * self.angular[orbit] * np.maximum(room, 1e-3 * room.max()))
        lost = (self.delta * self.slope[orbit]) ** 2 / torque + torque
        return float(2 * self.damping * lost.sum() * FINE / self.delta)


def _quantile(values: Float[np.ndarray, "state device"], share: float) -> Float[np.ndarray, " state"]:
    """Quantile over devices, taken at the value of one device so that infinite values are allowed; NaN if all are
    missing."""
    rows = [row[~np.isnan(row)] for row in values]
    return np.array([np.quantile(row, share, method="lower") if row.size else np.nan for row in rows])


def _mean(values: Float[np.ndarray, "time state device"]) -> Float[np.ndarray, "time state"]:
    """Mean over the devices that are not missing."""
    there = ~np.isnan(values)
    count = there.sum(2)
    total = np.where(there, values, 0.0).sum(2)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
