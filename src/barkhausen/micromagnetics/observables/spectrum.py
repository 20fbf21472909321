"""Spectra of recorded observables, and dispersions of spin waves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from scipy import signal
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.observables.base import Observable
from barkhausen.micromagnetics.observables.motion import within
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.system import System

EVENNESS = 1e-6
"""Largest relative deviation of recorded times or places from equal steps."""


@dataclass(frozen=True)
class LineProfile(Observable):
    """m along a line of cells parallel to x, for :func:`dispersion`; 12 bytes for each cell, replica and record.

    Args:
        row: Number of the row of cells. Default: the mean over the width, weighted by the filled fraction.

    Raises:
        InputError: The film has no such row.
    """

    row: int | None = None

    name: ClassVar[str] = "line"
    units: ClassVar[str] = "1"
    dimensions: ClassVar[tuple[str, ...]] = ("component", "x")

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Names of the components, and cell centres in m."""
        return {"component": ["x", "y", "z"], "x": film.grid.x.tolist()}

    def __call__(self, system: System, state: State) -> Float[Tensor, "replica 3 nx"]:
        """m along the line, float32."""
        film = system.film
        if self.row is not None:
            if not (isinstance(self.row, int) and 0 <= self.row < film.grid.ny):
                raise InputError(f"row = {self.row}: must be 0 to {film.grid.ny - 1}")
            return state.m[..., self.row].to(torch.float32)
        weight = film.weights / film.weights.sum(2, keepdim=True).clamp_min(1e-300)
        return (state.m.to(torch.float64) * weight[:, None]).sum(3).to(torch.float32)


def _check_array(name: str, values: object, *dims: str) -> None:
    """Raise :class:`InputError` if it is no data array with these dimensions."""
    if not isinstance(values, xr.DataArray):
        raise InputError(
            f"{name}: {type(values).__name__} is no DataArray; take one variable of a result, result['NAME']"
        )
    missing = [dim for dim in dims if dim not in values.dims]
    if missing:
        raise InputError(f"{name}: has no dimension '{missing[0]}', only {', '.join(map(str, values.dims))}")


@checks_arguments()
def spectrum(
    values: xr.DataArray, *, start: float | None = None, segments: int = 1, window: str = "hann"
) -> xr.DataArray:
    """Power spectral density of an observable of each replica (Welch's method).

    The record is cut into segments that overlap by half; each is freed of its mean, weighted by the window and
    transformed, and the squares are averaged. The integral over the frequencies is the variance of the signal. The
    steps between frequencies are one over the duration of a segment.

    Args:
        values: Variable of a result of :func:`~barkhausen.micromagnetics.simulate`, recorded at equal steps of time.
        start: Time in s from which on records count, to leave out a transient. Default: the first.
        segments: Number of segments; more of them give less scatter and a coarser resolution.
        window: Name of a window of :func:`scipy.signal.get_window`.

    Returns:
        Density in the square of the unit per Hz with ``frequency`` (Hz, one-sided) in place of ``time``; its mean over
        the replicas, ``.mean("replica")``, has a scatter of 1/sqrt(replicas × segments) or a little more.

    Raises:
        InputError: Uneven times, fewer than eight records in a segment, or a gap (NaN).
    """
    _check_array("values", values, "time")
    values = within(values, start)
    step = _even_step(values, "time")
    if segments < 1 or 2 * values.sizes["time"] // (segments + 1) < 8:
        raise InputError(f"segments = {segments}: must be 1 or more of at least 8 records each")
    if bool(values.isnull().any()):
        raise InputError(f"spectrum: '{values.name}' has gaps (NaN), such as times without a wall")
    axis = values.get_axis_num("time")
    length = 2 * values.sizes["time"] // (segments + 1)
    frequency, density = signal.welch(
        values.values.astype(np.float64), fs=1 / step, window=window, nperseg=length, noverlap=length // 2, axis=axis
    )
    dims = tuple("frequency" if dim == "time" else dim for dim in values.dims)
    coords = {key: item for key, item in values.coords.items() if "time" not in item.dims}
    unit = values.attrs.get("units", "1")
    return xr.DataArray(
        density,
        dims=dims,
        coords={**coords, "frequency": ("frequency", frequency, {"units": "Hz"})},
        name=f"{values.name}_spectrum",
        attrs={"units": "1/Hz" if unit == "1" else f"({unit})^2/Hz"},
    )


@checks_arguments()
def peak_frequency(
    density: xr.DataArray, low: float = 0.0, high: float = np.inf, *, average: str = "replica"
) -> xr.Dataset:
    """Frequency of the highest peak of the mean spectrum in a band, with its uncertainty.

    The peak lies where a parabola through the logarithms of the highest value and its two neighbours is highest. The
    standard error is found by leaving out each replica in turn (jackknife); a peak known to less than the step of the
    frequencies over √12, or of a single replica, gets that as its uncertainty.

    Args:
        density: Result of :func:`spectrum`.
        low, high: Band in Hz; the lowest and the highest frequency never count.
        average: Dimension of independent records, averaged over.

    Returns:
        ``frequency`` and ``uncertainty`` in Hz, with the other dimensions of the spectrum.

    Raises:
        InputError: Fewer than three frequencies in the band.
    """
    _check_array("density", density, "frequency")
    band = density.isel(frequency=slice(1, None)).sel(frequency=slice(low, high))
    if band.sizes["frequency"] < 3:
        raise InputError(f"band {low:g} to {high:g} Hz: holds fewer than three frequencies")
    frequency = band["frequency"].values
    floor = (frequency[1] - frequency[0]) / np.sqrt(12)
    count = band.sizes.get(average, 1)
    band = band if average in band.dims else band.expand_dims(average)
    band = band.transpose(average, ..., "frequency")
    total = band.values.sum(0)
    best = _highest(total, frequency)
    error = np.full(best.shape, floor)
    if count > 1:
        without = np.stack([_highest(total - one, frequency) for one in band.values])
        error = np.maximum(floor, np.sqrt((count - 1) / count * ((without - without.mean(0)) ** 2).sum(0)))
    rest = band.isel({average: 0, "frequency": 0}, drop=True)
    return xr.Dataset(
        {
            "frequency": rest.copy(data=best).assign_attrs(units="Hz"),
            "uncertainty": rest.copy(data=error).assign_attrs(units="Hz"),
        }
    )


@checks_arguments()
def dispersion(
    line: xr.DataArray,
    component: str = "y",
    *,
    start: float | None = None,
    window: str = "hann",
    periodic: bool = False,
) -> xr.DataArray:
    """Power of waves exp(i (k x − 2π f t)) along a line, averaged over the replicas.

    Args:
        line: The variable of :class:`LineProfile` in a result, recorded at equal steps of time.
        component: Component of m.
        start: Time in s from which on records count. Default: the first.
        window: Window in time, and along the line unless it is periodic; a name of :func:`scipy.signal.get_window`.
        periodic: Whether the film is periodic along the line, which then needs no window.

    Returns:
        Power in arbitrary units, ``[frequency, wavenumber]``: f in Hz from 0, k in rad/m of both signs.

    Raises:
        InputError: Uneven times, or a gap (NaN).
    """
    _check_array("line", line, "time", "component", "x")
    if component not in line["component"].values:
        raise InputError(f"component = {component!r}: must be one of {', '.join(map(str, line['component'].values))}")
    values = within(line.sel(component=component), start).transpose(..., "time", "x")
    step, cell = _even_step(values, "time"), _even_step(values, "x")
    data = values.values.astype(np.float64).reshape(-1, values.sizes["time"], values.sizes["x"])
    if not np.isfinite(data).all():
        raise InputError("dispersion: the line has gaps (NaN)")
    records, cells = data.shape[1:]
    data = (data - data.mean(1, keepdims=True)) * signal.get_window(window, records)[:, None]
    if not periodic:
        data = data * signal.get_window(window, cells)
    # A real signal: of f and −f only one is kept. numpy's sign of both exponents is −, a wave's differ.
    power = (np.abs(np.fft.fft(np.fft.rfft(data, axis=1), axis=2)) ** 2).mean(0)
    order = np.argsort(-np.fft.fftfreq(cells), kind="stable")
    return xr.DataArray(
        power[:, order],
        dims=("frequency", "wavenumber"),
        coords={
            "frequency": ("frequency", np.fft.rfftfreq(records, step), {"units": "Hz"}),
            "wavenumber": ("wavenumber", -2 * np.pi * np.fft.fftfreq(cells, cell)[order], {"units": "rad/m"}),
        },
        name="power",
    )


@checks_arguments()
def ridge(power: xr.DataArray, low: float = 0.0, high: float = np.inf) -> xr.DataArray:
    """Frequency in Hz of the highest peak at each wavenumber of a :func:`dispersion`, in a band of frequencies.

    Raises:
        InputError: Fewer than three frequencies in the band.
    """
    _check_array("power", power, "frequency")
    return peak_frequency(power, low, high)["frequency"]


def _highest(density: np.ndarray, frequency: np.ndarray) -> np.ndarray:
    """Frequency of the maximum along the last axis, from a parabola through three logarithms."""
    top = density.argmax(-1)
    middle = np.clip(top, 1, len(frequency) - 2)[..., None]
    y = [np.log(np.maximum(np.take_along_axis(density, middle + k, -1)[..., 0], 1e-300)) for k in (-1, 0, 1)]
    bend = y[0] - 2 * y[1] + y[2]
    inner = (top == middle[..., 0]) & (bend < 0)
    shift = np.where(inner, 0.5 * (y[0] - y[2]) / np.where(bend < 0, bend, -1.0), 0.0)
    found: np.ndarray = frequency[top] + shift * (frequency[1] - frequency[0])
    return found


def _even_step(values: xr.DataArray, dim: str) -> float:
    at = values[dim].values.astype(np.float64)
    steps = np.diff(at)
    if len(steps) < 1 or np.abs(steps - steps.mean()).max() > EVENNESS * abs(steps.mean()):
        raise InputError(f"'{values.name}': needs equal steps of {dim}")
    return float(steps.mean())
