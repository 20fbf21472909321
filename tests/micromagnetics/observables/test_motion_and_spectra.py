"""Velocities, spectra and dispersions: of signals made up so that the answer is known, and of films with a theory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics import (
    Drive,
    Exchange,
    Film,
    Grid,
    InterfacialDMI,
    LineProfile,
    Material,
    PerpendicularAnisotropy,
    SpinOrbitTorque,
    WallPosition,
    dispersion,
    domain_wall,
    mean_velocity,
    peak_frequency,
    ridge,
    simulate,
    spectrum,
    uniform,
    velocity,
)

if TYPE_CHECKING:
    from tests.conftest import Report

COBALT = Material(saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=0.3, anisotropy=0.8e6, dmi=0.3e-3,
                  spin_hall_angle=0.15)  # fmt: skip


def recorded(values: np.ndarray, step: float, name: str = "wall_position", units: str = "m") -> xr.Dataset:
    """Result with one variable [time, replica]."""
    return xr.Dataset(
        {name: (("time", "replica"), values, {"units": units})}, coords={"time": step * np.arange(len(values))}
    )


def test_velocity_of_a_parabola() -> None:
    """Central differences of x = v t + a t²/2 are exact between the ends."""
    t = np.arange(21) * 1e-11
    result = recorded(np.stack((50 * t + 1e11 * t**2, np.where(t > 1.55e-10, np.nan, -20 * t)), 1), 1e-11)
    found = velocity(result)
    assert found.units == "m/s"
    np.testing.assert_allclose(found.values[1:-1, 0], (50 + 2e11 * t)[1:-1], rtol=1e-9)
    np.testing.assert_allclose(found.values[:15, 1], -20.0, rtol=1e-9)
    assert np.isnan(found.values[16:, 1]).all()


def test_mean_velocity_and_its_uncertainty() -> None:
    """Random walks with a drift: the error is sqrt(2 D/T) = 3 m/s, and what is stated is right on average."""
    generator = np.random.default_rng(1)
    drift, spread, step, records = 40.0, 3.0, 1e-11, 401
    jumps = drift * step + spread * math.sqrt(step * (records - 1) * step) * generator.standard_normal((400, 500))
    x = np.concatenate((np.zeros((1, 500)), jumps.cumsum(0)))
    found = mean_velocity(recorded(x, step))
    pull = (found.velocity.values - drift) / spread
    assert abs(pull.mean()) < 4 / math.sqrt(500)
    assert pull.std() == pytest.approx(1, abs=4 / math.sqrt(2 * 500))
    # The variance from 8 parts scatters by sqrt(2/7), the mean over 500 replicas by 2.4 %.
    assert (found.uncertainty.values**2).mean() == pytest.approx(spread**2, rel=4 * math.sqrt(2 / 7 / 500))
    window = mean_velocity(recorded(x, step), 1e-9, 3e-9)
    np.testing.assert_allclose(window.velocity.values, (x[300] - x[100]) / 2e-9, rtol=1e-9)
    assert (window.attrs["start"], window.attrs["stop"]) == (pytest.approx(1e-9), pytest.approx(3e-9))


def test_wrong_requests_of_velocities_are_refused() -> None:
    result = recorded(np.zeros((5, 1)), 1e-11)
    with pytest.raises(InputError, match="no variable 'wall_positon' in the result; did you mean 'wall_position'"):
        velocity(result, "wall_positon")
    with pytest.raises(InputError, match=r"fewer than the 5 records"):
        mean_velocity(result)
    with pytest.raises(InputError, match="two records or more"):
        velocity(result.isel(time=[0]))


def test_velocity_against_current_in_one_call(report: Report) -> None:
    """Twenty currents are twenty replicas: position(t), velocity(t) and v(J) = v_s/sqrt(1 + (J_s/J)²) (Thiaville 2012).

    A wall at rest takes alpha gamma (pi/2) B_DMI, 0.17 ns, to its angle. The cell of 2 nm adds (dx/Delta)²/6 = 3.6 % to
    the error of the rigid wall.
    """
    film = Film(Grid(160, 1, 2e-9, 2e-9, 1e-9), COBALT)
    delta = math.sqrt(COBALT.exchange_stiffness / COBALT.anisotropy)
    saturated = GYROMAGNETIC_RATIO * math.pi * COBALT.dmi / (2 * COBALT.saturation_magnetisation)
    ratio = np.linspace(-2, 2, 20)
    field = ratio * COBALT.damping * COBALT.dmi / (COBALT.saturation_magnetisation * delta)
    current = torch.tensor(field / SpinOrbitTorque.field_per_current(film))
    result = simulate(
        film, Drive(current_density=current), duration=1.6e-9, every=0.02e-9, replicas=20,
        initial=domain_wall(film, width=delta), observe=[WallPosition()],
        terms=(Exchange(), PerpendicularAnisotropy(), InterfacialDMI(), SpinOrbitTorque()),
    )  # fmt: skip
    assert velocity(result).shape == result.wall_position.shape == (81, 20)
    found = mean_velocity(result, 1.2e-9)
    model = saturated * ratio / np.sqrt(1 + ratio**2)
    worst = np.abs(found.velocity.values / model - 1).max()
    report("v(J), 20 currents: largest relative deviation from theory", worst, 0.0, 0.048)
    # The walls move steadily: what the parts of the window say agrees.
    assert float((found.uncertainty / np.abs(model)).max()) < 0.02
    np.testing.assert_allclose(velocity(result)[-20:].mean("time").values, found.velocity.values, rtol=0.03)


def test_spectrum_of_noise_and_of_a_tone() -> None:
    """White noise of variance s² has the density 2 s²/f_s; a tone of amplitude a adds a²/2 to the integral."""
    generator = np.random.default_rng(2)
    step, tone, count = 1e-11, 7.123e9, 24
    t = step * np.arange(2000)
    phase = 2 * np.pi * generator.random(count)
    noise = 0.5 * generator.standard_normal((len(t), count))
    quiet = spectrum(recorded(noise, step, "m", "1")["m"], segments=7)
    assert quiet.dims == ("frequency", "replica")
    assert quiet.units == "1/Hz"
    band = quiet.sel(frequency=slice(1e9, 45e9)).mean()
    assert float(band) == pytest.approx(2 * 0.25 * step, rel=4 / math.sqrt(count * 7 * 250))
    loud = spectrum(
        recorded(noise + 0.3 * np.sin(2 * np.pi * tone * t[:, None] + phase), step, "m", "m")["m"], segments=7
    )
    assert loud.units == "(m)^2/Hz"
    added = float((loud - quiet).mean("replica").sum() * loud.frequency.diff("frequency")[0])
    assert added == pytest.approx(0.3**2 / 2, rel=0.05)
    peak = peak_frequency(loud, 1e9)
    assert abs(float(peak.frequency) - tone) < 4 * float(peak.uncertainty)
    assert float(peak.uncertainty) < 0.1e9
    single = peak_frequency(loud.isel(replica=0), 1e9)
    assert float(single.uncertainty) == pytest.approx(float(loud.frequency[1]) / math.sqrt(12))


def test_wrong_requests_of_spectra_are_refused() -> None:
    values = recorded(np.zeros((32, 1)), 1e-11)["wall_position"]
    with pytest.raises(InputError, match="at least 8 records"):
        spectrum(values, segments=9)
    with pytest.raises(InputError, match="gaps"):
        spectrum(values.where(values.time > 1e-10))
    with pytest.raises(InputError, match="equal steps of time"):
        spectrum(values.isel(time=[*range(20), 25]))
    with pytest.raises(InputError, match="fewer than three frequencies"):
        peak_frequency(spectrum(values), 1e9, 1.1e9)


def test_direction_of_a_wave() -> None:
    """cos(k x − w t) has its power at +k, and the mirror image at −k."""
    t, x = np.arange(128) * 1e-11, np.arange(60) * 2e-9
    k, f = 2 * np.pi * 7 / (60 * 2e-9), 20e9
    for sign in (1, -1):
        wave = np.cos(sign * k * x - 2 * np.pi * f * t[:, None])
        line = xr.DataArray(wave[:, None, None], dims=("time", "replica", "component", "x"),
                            coords={"time": t, "component": ["y"], "x": x}, name="line")  # fmt: skip
        power = dispersion(line, periodic=True)
        best = power.where(power == power.max(), drop=True)
        assert float(best.wavenumber[0]) == pytest.approx(sign * k)
        assert float(best.frequency[0]) == pytest.approx(f, abs=0.5 / 1.28e-9)


@pytest.mark.validation
def test_dispersion_of_exchange_waves(report: Report) -> None:
    """2 pi f = gamma [2 Ku/Ms + (2A/Ms) (2 − 2 cos k dx)/dx²] on the lattice.

    The start is a sum of standing waves that a row of cells with free ends holds, of every second mode: those whose
    period fits into the row. The record of 0.4 ns resolves 2.5 GHz, and the parabola finds the middle of a peak to a
    tenth of that; the step of the default adds (w dt)²/6 = 0.1 % at the highest.
    """
    quiet = Material(saturation_magnetisation=5.8e5, exchange_stiffness=1.5e-11, damping=1e-3, anisotropy=0.6e6)
    film = Film(Grid(100, 1, 4e-9, 4e-9, 1e-9), quiet)
    start = uniform(film, (0, 0, 1))
    phase = torch.arange(39, dtype=torch.float64)[:, None] * (2 * math.pi / film.grid.length) * film.grid.x
    start[0, 0, :, 0] = 0.003 * phase.cos().sum(0)
    result = simulate(
        film, duration=0.4e-9, every=1e-12, initial=start, observe=[LineProfile()],
        terms=(Exchange(), PerpendicularAnisotropy()),
    )  # fmt: skip
    power = dispersion(result["line"], "x", periodic=True)
    k = power.wavenumber.values
    field = 2 * quiet.anisotropy + 2 * quiet.exchange_stiffness * (2 - 2 * np.cos(k * 4e-9)) / (4e-9) ** 2
    theory = GYROMAGNETIC_RATIO * field / quiet.saturation_magnetisation / (2 * np.pi)
    found = ridge(power, 20e9).values
    inner = np.abs(k) < 0.6e9
    report("exchange waves: largest deviation of f(k), GHz", np.abs(found - theory)[inner].max() / 1e9, 0.0, 0.6)
