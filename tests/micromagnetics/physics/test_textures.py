"""Skyrmions, edges and vortices against radial solutions and theory.

The standard problem with Dzyaloshinskii-Moriya interaction is that of Cortés-Ortuño et al., New J. Phys. 20, 113015
(2018), in its interfacial version: a wire of 100 nm and a disc of 100 nm, without demagnetisation. The results of other
codes for it stand in ``test_dmi_problem.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import torch

from barkhausen.core.units import GYROMAGNETIC_RATIO, VACUUM_PERMEABILITY
from barkhausen.micromagnetics import (
    Demag,
    Exchange,
    Film,
    Grid,
    InterfacialDMI,
    Material,
    MeanMagnetisation,
    SkyrmionRadius,
    System,
    UniaxialAnisotropy,
    disc,
    material,
    minimize,
    shape_film,
    simulate,
    skyrmion,
    topological_charge,
    uniform,
    vortex,
)

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = pytest.mark.validation

PROBLEM = Material(
    saturation_magnetisation=0.86e6, exchange_stiffness=13e-12, damping=0.1, anisotropy=0.4e6, dmi=3e-3,
    source="Cortés-Ortuño et al., New J. Phys. 20, 113015 (2018)",
)  # fmt: skip
LOCAL = (Exchange(), InterfacialDMI(), UniaxialAnisotropy())

WEAK = PROBLEM.model_copy(update={"anisotropy": 0.8e6, "dmi": 3.4e-3, "exchange_stiffness": 15e-12})
"""D at 0.77 of 4 sqrt(A K)/pi, where a skyrmion is free."""


def radial(
    given: Material, keff: float, radius: float, guess: float, free_edge: bool
) -> Callable[[np.ndarray], np.ndarray]:
    """Angle from z of a skyrmion about r = 0: the minimum of the energy of a round film, solved as a boundary problem.

    2 A (theta'' + theta'/r) = (A/r² + K) sin 2theta − 2 D sin²theta/r, theta(0) = pi, and at the edge
    2 A theta' = −D (free) or theta = 0.
    """
    width = math.sqrt(given.exchange_stiffness / keff)
    twist = given.dmi / math.sqrt(given.exchange_stiffness * keff)
    start = 1e-2

    # With lengths in units of sqrt(A/K).
    def slopes(r: np.ndarray, y: np.ndarray) -> np.ndarray:
        theta, slope = y
        turn = (1 / r**2 + 1) * np.sin(2 * theta) / 2 - twist * np.sin(theta) ** 2 / r - slope / r
        return np.vstack((slope, turn))

    def ends(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        # Near the middle theta = pi + slope × r, up to the third power.
        return np.array([left[0] - math.pi - left[1] * start, right[1] + twist / 2 if free_edge else right[0]])

    r = np.linspace(start, radius / width, 801)
    theta = 2 * np.arctan2(np.sinh(guess / width), np.sinh(r))
    found = scipy.integrate.solve_bvp(
        slopes, ends, r, np.vstack((theta, np.gradient(theta, r))), tol=1e-6, max_nodes=50_000
    )
    assert found.success, found.message
    return lambda at: found.sol(at / width)[0]


def rest(film: Film, start: torch.Tensor, terms: tuple = LOCAL) -> torch.Tensor:
    return minimize(System(film, terms=terms, replicas=1), start, torque=1e-4)


@pytest.mark.parametrize("cell", [0.5e-9, 1e-9, 2e-9])
def test_dmi_problem_wire(cell: float, report: Report) -> None:
    """Tilt at the ends of a wire: sin theta = D/(2 sqrt(A K)), and tan(theta/2) falls as exp(−s/sqrt(A/K))."""
    film = Film(Grid(round(100e-9 / cell), 1, cell, cell, 1e-9), PROBLEM)
    m = rest(film, uniform(film, (0.0, 0.0, 1.0)))[0, :, :, 0].numpy()
    a, k, d = PROBLEM.exchange_stiffness, PROBLEM.anisotropy, PROBLEM.dmi
    edge = math.asin(d / (2 * math.sqrt(a * k)))
    s = film.grid.x.numpy()
    theta = 2 * np.arctan(math.tan(edge / 2) * np.exp(-s / math.sqrt(a / k)))
    theta = theta - theta[::-1]
    # The favoured sense of rotation: theta falls along x for D > 0, outwards at the left end.
    error = (cell / 1e-9) ** 2 * 2e-3 + 1e-4
    label = f"wire with DMI, cells of {cell * 1e9:g} nm"
    report(f"{label}: m_x in the first cell", m[0, 0], math.sin(theta[0]), error)
    report(f"{label}: largest deviation of m_x", np.abs(m[0] - np.sin(theta)).max(), 0.0, error)
    report(f"{label}: largest deviation of m_z", np.abs(m[2] - np.cos(theta)).max(), 0.0, error)


@pytest.mark.slow
@pytest.mark.parametrize("cell", [1e-9, 2e-9])
def test_dmi_problem_disc(cell: float, report: Report) -> None:
    """Skyrmion in a disc of 100 nm: m_z(r) and radius, and the tilt at the edge, against the radial solution."""
    film = shape_film(disc(100e-9), PROBLEM, thickness=2e-9, cell=cell)
    m = rest(film, skyrmion(film, radius=20e-9, width=6e-9))
    solution = radial(PROBLEM, PROBLEM.anisotropy, 50e-9, 20e-9, free_edge=True)
    x, y = film.grid.x - film.grid.length / 2, film.grid.y - film.grid.width / 2
    r = torch.hypot(x[:, None], y)
    full = film.fill[0] == 1
    theta = solution(r[full].numpy())
    deviation = np.abs(m[0, 2][full].numpy() - np.cos(theta))
    label = f"skyrmion in a disc, cells of {cell * 1e9:g} nm"
    inner = r[full].numpy() < 45e-9
    report(f"{label}: largest deviation of m_z(r)", deviation[inner].max(), 0.0, 0.02 * (cell / 1e-9) ** 2)
    radii = np.linspace(1e-9, 45e-9, 4001)
    crossing = radii[np.cos(solution(radii)) > 0][0] * 1e9
    ours = float(SkyrmionRadius()(System(film, terms=LOCAL), System(film, terms=LOCAL).state(m))) * 1e9
    report(f"{label}: radius, nm", ours, crossing, 0.15 * (cell / 1e-9) ** 2)


@pytest.mark.slow
@pytest.mark.parametrize("dmi", [3.4e-3])
def test_skyrmion_in_a_periodic_film(dmi: float, report: Report) -> None:
    """Radius in a film without edges: the radial solution to 0.25 nm on 1 nm cells, the formula of Wang, Yuan and Wang,
    R = pi D sqrt(A/(16 A K² − pi² D² K)) (Commun. Phys. 1, 31 (2018)), to 10 %; the charge is whole."""
    given = WEAK.model_copy(update={"dmi": dmi})
    film = Film(Grid(64, 64, 1e-9, 1e-9, 1e-9, (True, True)), given)
    a, k = given.exchange_stiffness, given.anisotropy
    formula = math.pi * dmi * math.sqrt(a / (16 * a * k**2 - math.pi**2 * dmi**2 * k))
    m = rest(film, skyrmion(film, radius=formula, width=math.pi * dmi / (4 * k)))
    system = System(film, terms=LOCAL)
    ours = float(SkyrmionRadius()(system, system.state(m))) * 1e9
    solution = radial(given, k, 80e-9, formula, free_edge=False)
    radii = np.linspace(0.1e-9, 60e-9, 20001)
    exact = radii[np.cos(solution(radii)) > 0][0] * 1e9
    label = f"skyrmion in a periodic film, D = {dmi * 1e3:g} mJ/m2"
    report(f"{label}: radius, nm, radial solution", ours, exact, 0.25)
    report(f"{label}: radius, nm, Wang et al.", ours, formula * 1e9, 0.1 * formula * 1e9)
    report(f"{label}: topological charge", float(topological_charge(m, film)), -1.0, 1e-6)


@pytest.mark.slow
def test_skyrmion_with_stray_field_in_a_periodic_film(report: Report) -> None:
    """A thin film's stray field acts as −mu0 Ms²/2 of Ku; what is left enlarges the skyrmion a little."""
    given = WEAK
    ms = given.saturation_magnetisation
    keff = given.anisotropy
    stray = given.model_copy(update={"anisotropy": keff + VACUUM_PERMEABILITY * ms * ms / 2})
    thickness = 0.4e-9
    film = Film(Grid(64, 64, 1e-9, 1e-9, thickness, (True, True)), stray)
    terms = (*LOCAL, Demag())
    m = rest(film, skyrmion(film, radius=6e-9, width=4e-9), terms)
    system = System(film, terms=terms)
    radius = float(SkyrmionRadius()(system, system.state(m))) * 1e9
    alone = Film(film.grid, given)
    local_system = System(alone, terms=LOCAL)
    at_rest = rest(alone, skyrmion(alone, radius=6e-9, width=4e-9))
    local = float(SkyrmionRadius()(local_system, local_system.state(at_rest))) * 1e9
    report("skyrmion of a 0.4 nm film with stray field: radius, nm, against Keff", radius, local, 0.15 * local)
    assert radius > local
    report("its topological charge", float(topological_charge(m, film)), -1.0, 1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("thickness", [10e-9])
def test_vortex_gyration(thickness: float, report: Report) -> None:
    """Frequency of the vortex core on its orbit: 2 f_M F(beta), beta = t/R, f_M = gamma mu0 Ms/2pi.

    F(beta) = integral of (1 − (1 − exp(−beta s))/(beta s)) I(s)²/s, I(s) = integral over [0, 1] of rho J1(rho s), the
    vortex without charges on its side; for thin discs (5/9pi) f_M beta (Guslienko et al., J. Appl.
    Phys. 91, 8037 (2002)). Exchange and the core are left out of the theory; micromagnetics agree to 10 %.
    """
    radius = 100e-9
    film = shape_film(disc(2 * radius), material("permalloy", damping=0.005), thickness=thickness, cell=5e-9)
    middle = film.grid.length / 2
    start = vortex(film, position=(middle + 15e-9, middle))
    result = simulate(film, duration=8e-9, every=20e-12, initial=start, observe=[MeanMagnetisation()])
    signal = result[MeanMagnetisation.name].isel(replica=0)
    mx, my = (signal.sel(component=c).values.astype(float) for c in "xy")
    late = result["time"].values > 2e-9
    phase = np.unwrap(np.angle(mx + 1j * my))[late]
    ours = abs(np.polyfit(result["time"].values[late], phase, 1)[0]) / (2 * math.pi) / 1e9
    exact = gyration(thickness / radius) / 1e9
    report(f"gyration of a vortex, t = {thickness * 1e9:g} nm, R = 100 nm, GHz", ours, exact, 0.1 * exact)


def gyration(beta: float) -> float:
    """Frequency in Hz."""
    # Every 0.02: the integrand oscillates with a period of 6 or more.
    s = np.linspace(1e-6, 400, 20_001)
    rho = (np.arange(400) + 0.5) / 400
    inner = sum(p * scipy.special.j1(p * s) for p in rho) / len(rho)
    share = 1 + np.expm1(-beta * s) / (beta * s)
    charge = scipy.integrate.trapezoid(share * inner**2 / s, s)
    f_m = GYROMAGNETIC_RATIO * VACUUM_PERMEABILITY * material("permalloy").saturation_magnetisation / (2 * math.pi)
    return float(2 * f_m * charge)


def test_gyration_of_thin_discs(report: Report) -> None:
    """The integral of the theory meets its limit 5/9pi."""
    f_m = GYROMAGNETIC_RATIO * VACUUM_PERMEABILITY * material("permalloy").saturation_magnetisation / (2 * math.pi)
    report("gyration/(f_M beta) of a thin disc", gyration(1e-3) / f_m / 1e-3, 5 / (9 * math.pi), 1e-3)
