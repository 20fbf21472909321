"""Frequencies of small motion in periodic films: ferromagnetic resonance and dispersion of spin waves.

Most are eigenvalues of the rate of change linearised about a uniform state, which a plane wave of a periodic film makes
a matrix of two by two: no time step and no window limits them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from barkhausen.core.units import GYROMAGNETIC_RATIO, VACUUM_PERMEABILITY
from barkhausen.micromagnetics import (
    Demag,
    Drive,
    Exchange,
    Film,
    Grid,
    InterfacialDMI,
    LineProfile,
    Material,
    MeanMagnetisation,
    System,
    Term,
    Zeeman,
    dispersion,
    material,
    peak_frequency,
    simulate,
    spectrum,
    standard_terms,
    uniform,
)

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = pytest.mark.validation

PERMALLOY = material("permalloy", damping=1e-6)
MS = VACUUM_PERMEABILITY * PERMALLOY.saturation_magnetisation
"""mu0 Ms in T."""
HZ = GYROMAGNETIC_RATIO / (2 * math.pi)

AXES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}


def frequency(
    film: Film, field: tuple[float, float, float], waves: tuple[int, int], terms: tuple[Term, ...] | None = None,
    direction: tuple[float, float, float] | None = None,
) -> float:  # fmt: skip
    """Frequency in Hz of the wave exp(i (k x − omega t)) with a whole number of wavelengths along x and y.

    m is parallel to the field or to ``direction``, an equilibrium. The damping is too small to shift it.
    """
    drive = Drive(field_x=field[0], field_y=field[1], field_z=field[2])
    system = System(film, drive, terms, replicas=1)
    along = torch.tensor(direction or field, dtype=torch.float64)
    along /= along.norm()
    least = torch.eye(3, dtype=torch.float64)[int(along.abs().argmin())]
    first = torch.linalg.cross(along, least)
    first /= first.norm()
    frame = torch.stack((first, torch.linalg.cross(along, first)))
    grid = film.grid
    phase = 2 * math.pi * (waves[0] / grid.length * grid.x[:, None] + waves[1] / grid.width * grid.y)
    wave = torch.complex(phase.cos(), phase.sin())
    rest = along[None, :, None, None].expand(1, 3, *grid.shape)
    size = 1e-4

    def rate(change: torch.Tensor) -> torch.Tensor:
        """Rate linear in the change: the terms of even order cancel, those of the third are below 1e-8."""
        sides = []
        for sign in (1, -1):
            m = rest + sign * size * change
            m = m / m.norm(dim=1, keepdim=True)
            sides.append(system.rate(m, system.field(m)))
        return (sides[0] - sides[1])[0] / (2 * size)

    matrix = torch.zeros(2, 2, dtype=torch.complex128)
    for column, axis in enumerate(frame):
        change = axis[None, :, None, None]
        response = torch.complex(rate(change * wave.real), rate(change * wave.imag))
        amplitude = (response * wave.conj()).mean((1, 2))
        matrix[:, column] = frame.to(torch.complex128) @ amplitude
    omega = 1j * torch.linalg.eigvals(matrix)
    # Magnetisation turns in one sense only; the other eigenvalue is that of the wave −k.
    return float(omega.real.max()) / (2 * math.pi)


def film_of(nx: int, dz: float, given: Material = PERMALLOY, cell: float = 4e-9) -> Film:
    return Film(Grid(nx, 1, cell, cell, dz, (True, True)), given)


@pytest.mark.parametrize("field", [0.02, 0.3])
def test_kittel(field: float, report: Report) -> None:
    """Uniform mode of a film: sqrt(B (B + mu0 Ms)) in the plane, B − mu0 Ms along the normal (Kittel 1948)."""
    film = Film(Grid(6, 4, 5e-9, 5e-9, 3e-9, (True, True)), PERMALLOY)
    for axis in "xy":
        ours = frequency(film, tuple(field * u for u in AXES[axis]), (0, 0))
        report(
            f"Kittel mode, {field:g} T along {axis}, GHz", ours / 1e9, HZ * math.sqrt(field * (field + MS)) / 1e9, 1e-6
        )
    normal = MS + field
    ours = frequency(film, (0.0, 0.0, normal), (0, 0))
    report(f"Kittel mode, {normal:.3g} T along z, GHz", ours / 1e9, HZ * field / 1e9, 1e-6)


@pytest.mark.slow
def test_kittel_by_ringing(report: Report) -> None:
    """The uniform mode of a periodic film as it rings, by the integrator and the spectrum of an observable."""
    film = Film(Grid(2, 2, 5e-9, 5e-9, 5e-9, (True, True)), material("permalloy", damping=1e-3))
    field = 0.1
    start = uniform(film, (1.0, 0.01, 0.0))
    result = simulate(film, Drive(field_x=field), duration=10e-9, every=10e-12, initial=start, dtype=torch.float64,
                      observe=[MeanMagnetisation()], integrator="dormand-prince", backend="torch")  # fmt: skip
    peak = peak_frequency(spectrum(result[MeanMagnetisation.name].sel(component="y")), 5e9, 20e9)
    exact = HZ * math.sqrt(field * (field + MS)) / 1e9
    report("Kittel mode as it rings, GHz", float(peak.frequency.item()) / 1e9, exact, 1e-3 * exact)


@pytest.mark.parametrize(("name", "bias"), [("backward volume", "x"), ("Damon-Eshbach", "y"), ("forward volume", "z")])
def test_kalinikos_slavin(name: str, bias: str, report: Report) -> None:
    """Exchange-dipole waves along x, m along x, y or z (Kalinikos and Slavin, J. Phys. C 19, 7013 (1986)).

    Lowest mode, m uniform through the thickness t: with B = mu0 H + 2 A k²/Ms, F = 1 − (1 − exp(−k t))/(k t),
    omega² = gamma² B (B + mu0 Ms (1 − F)), gamma² (B + mu0 Ms F)(B + mu0 Ms (1 − F)) and gamma² B (B + mu0 Ms F), where
    H is the field inside. Cells take k for 2 sin(k dx/2)/dx in the exchange and add harmonics to F: that form is met
    to 1e-6, the continuum's to 1e-3 or (k dx)²/12, at most 1.3 % here.
    """
    cell, thickness, nx = 4e-9, 20e-9, 128
    film = film_of(nx, thickness, cell=cell)
    inside = 0.05
    field = tuple((inside + MS * (bias == "z")) * u for u in AXES[bias])

    def expected(exchange: float, share: float) -> float:
        b = inside + 2 * PERMALLOY.exchange_stiffness * exchange / PERMALLOY.saturation_magnetisation
        in_plane, normal = b + MS * share, b + MS * (1 - share)
        return HZ * math.sqrt({"x": b * normal, "y": in_plane * normal, "z": b * in_plane}[bias]) / 1e9

    for waves in (1, 3, 8):
        k = 2 * math.pi * waves / (nx * cell)
        harmonics = k + 2 * math.pi * np.arange(-100_000, 100_001) / cell
        weight = np.sinc(harmonics * cell / 2 / math.pi) ** 2
        t = np.abs(harmonics) * thickness
        zz = float((weight * -np.expm1(-t) / t).sum())
        ours = frequency(film, field, (waves, 0)) / 1e9
        on_cells = expected((2 * math.sin(k * cell / 2) / cell) ** 2, 1 - zz)
        continuum = expected(k * k, 1 + math.expm1(-k * thickness) / (k * thickness))
        label = f"{name} wave, k = {k / 1e6:.3g} rad/um, GHz"
        report(f"{label}, on cells", ours, on_cells, 1e-6 * on_cells)
        report(f"{label}, continuum", ours, continuum, max(1e-3, (k * cell) ** 2 / 12) * continuum)


@pytest.mark.parametrize("waves", [-7, -2, 2, 7])
def test_dmi_makes_waves_one_way(waves: int, report: Report) -> None:
    """f = gamma/2pi (B + 2 A k²/Ms − 2 D k/Ms) for waves along x with m along +y, exchange and DMI alone.

    (Moon et al., Phys. Rev. B 88, 184404 (2013).) Cells take sin(k dx)/dx for the k of the DMI.
    """
    given = Material(saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=1e-6, dmi=1.2e-3)
    film = film_of(96, 1e-9, given, cell=2e-9)
    terms = (Exchange(), InterfacialDMI(), Zeeman())
    k, cell, ms = 2 * math.pi * waves / film.grid.length, film.grid.dx, given.saturation_magnetisation

    def expected(square: float, linear: float) -> float:
        return HZ * (0.5 + 2 * given.exchange_stiffness * square / ms - 2 * given.dmi * linear / ms) / 1e9

    ours = frequency(film, (0.0, 0.5, 0.0), (waves, 0), terms) / 1e9
    on_cells = expected((2 * math.sin(k * cell / 2) / cell) ** 2, math.sin(k * cell) / cell)
    report(f"wave with DMI, k = {k / 1e6:.3g} rad/um, GHz, on cells", ours, on_cells, 1e-6 * on_cells)
    tolerance = (
        HZ * 2 * abs(k * cell) ** 2 / ms * (given.exchange_stiffness * k * k / 12 + given.dmi * abs(k) / 6) / 1e9
    )
    report(f"wave with DMI, k = {k / 1e6:.3g} rad/um, GHz, continuum", ours, expected(k * k, k), tolerance)


def test_dmi_shift_with_demagnetisation(report: Report) -> None:
    """f(−k) − f(k) = (gamma/2pi) 4 D k/Ms of Damon-Eshbach waves, whatever the other terms are."""
    given = Material(saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=1e-6, dmi=1.2e-3)
    film = film_of(96, 1e-9, given, cell=2e-9)
    k = math.sin(2 * math.pi * 3 / 96) / film.grid.dx
    difference = frequency(film, (0.0, 0.5, 0.0), (-3, 0)) - frequency(film, (0.0, 0.5, 0.0), (3, 0))
    exact = HZ * 4 * given.dmi * k / given.saturation_magnetisation / 1e9
    report("f(-k) - f(k) of Damon-Eshbach waves with DMI, GHz", difference / 1e9, exact, 1e-6 * exact)


CUBIC = Material(saturation_magnetisation=1.4e6, exchange_stiffness=1e-11, damping=1e-6, cubic_anisotropy=4.5e4)


@pytest.mark.parametrize("degrees", [0.0, 45.0])
def test_resonance_of_a_cubic_film(degrees: float, report: Report) -> None:
    """gamma sqrt((B + B1 cos 4phi)(B + mu0 Ms + B1 (3 + cos 4phi)/4)), B1 = 2 Kc/Ms, m along the field in the plane.

    phi is 0 or 45 degrees from a cubic axis (Farle, Rep. Prog. Phys. 61, 755 (1998)).
    """
    film = Film(Grid(2, 2, 5e-9, 5e-9, 2e-9, (True, True)), CUBIC)
    phi, field = math.radians(degrees), 0.2
    ours = frequency(film, (field * math.cos(phi), field * math.sin(phi), 0.0), (0, 0)) / 1e9
    b1 = 2 * CUBIC.cubic_anisotropy / CUBIC.saturation_magnetisation
    full = VACUUM_PERMEABILITY * CUBIC.saturation_magnetisation
    four = math.cos(4 * phi)
    exact = HZ * math.sqrt((field + b1 * four) * (field + full + b1 * (3 + four) / 4)) / 1e9
    report(f"resonance of a cubic film at {degrees:g} degrees, GHz", ours, exact, 1e-6 * exact)


def test_resonance_of_turned_cubic_axes(report: Report) -> None:
    """Without other terms: gamma 2 Kc/Ms along an easy <100> axis, gamma 4 |Kc|/(3 Ms) along <111> (Kc < 0)."""
    axes = {"cubic_axis_1": (1.0, 1.0, 0.0), "cubic_axis_2": (-1.0, 1.0, 1.0)}
    for sign, direction, factor in ((1.0, (1.0, 1.0, 0.0), 2.0), (-1.0, None, 4 / 3)):
        given = CUBIC.model_copy(update={"cubic_anisotropy": sign * CUBIC.cubic_anisotropy})
        given = Material(**{**given.model_dump(), **axes})
        film = Film(Grid(1, 1, 5e-9, 5e-9, 2e-9, (True, True)), given)
        first, second = (np.array(axis) for axis in (given.cubic_axis_1, given.cubic_axis_2))
        way = direction or tuple(first + second + np.cross(first, second))
        terms = tuple(term for term in standard_terms(given) if not isinstance(term, Demag))
        ours = frequency(film, (0.0, 0.0, 0.0), (0, 0), terms, way) / 1e9
        exact = HZ * factor * CUBIC.cubic_anisotropy / CUBIC.saturation_magnetisation / 1e9
        report(f"resonance of a cubic crystal, {'<100>' if sign > 0 else '<111>'}, GHz", ours, exact, 1e-6 * exact)


@pytest.mark.slow
def test_dispersion_of_a_pulse(report: Report) -> None:
    """Waves that a narrow kick sends out, by integrator and :func:`dispersion`: Damon-Eshbach, one period of 1 um."""
    film = film_of(128, 20e-9, material("permalloy", damping=1e-4), cell=8e-9)
    field = 0.05
    start = uniform(film, (0.0, 1.0, 0.0))
    start[:, 2, 64] = 0.05
    start /= start.norm(dim=1, keepdim=True)
    result = simulate(film, Drive(field_y=field), duration=4e-9, every=8e-12, initial=start, observe=[LineProfile()],
                      integrator="dormand-prince", tolerance=1e-6, dtype=torch.float64)  # fmt: skip
    power = dispersion(result[LineProfile.name], "z", periodic=True)
    for waves in (2, 5, 10):
        k = 2 * math.pi * waves / film.grid.length
        row = power.sel(wavenumber=k, method="nearest")
        # A parabola through the peak resolves a fifth of the step of 0.25 GHz.
        ours = float(peak_frequency(row.expand_dims("replica"), 2e9).frequency.item()) / 1e9
        share = 1 + math.expm1(-k * film.grid.dz) / (k * film.grid.dz)
        b = field + 2 * PERMALLOY.exchange_stiffness * k * k / PERMALLOY.saturation_magnetisation
        exact = HZ * math.sqrt((b + MS * share) * (b + MS * (1 - share))) / 1e9
        tolerance = 0.05 + (k * film.grid.dx) ** 2 / 12 * exact
        report(f"Damon-Eshbach waves of a kick, k = {k / 1e6:.3g} rad/um, GHz", ours, exact, tolerance)
