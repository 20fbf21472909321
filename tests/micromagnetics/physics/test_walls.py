"""Edges, walls and macrospins against closed forms: their shape, their energy, and how fast they move.

Films of one row (ny = 1) without the demagnetising term are one-dimensional, and for these the formulas are exact or
exact up to the deformation of the wall.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor

from barkhausen.core.units import GYROMAGNETIC_RATIO, VACUUM_PERMEABILITY
from barkhausen.micromagnetics import (
    DormandPrince,
    Drive,
    Exchange,
    Film,
    Grid,
    InterfacialDMI,
    Material,
    MeanMagnetisation,
    SpinOrbitTorque,
    System,
    Term,
    UniaxialAnisotropy,
    WallPosition,
    Zeeman,
    ZhangLi,
    compiled,
    domain_wall,
    material,
    minimize,
    random_state,
    simulate,
    uniform,
)

if TYPE_CHECKING:
    from tests.conftest import Report

BACKEND = "compiled" if compiled.available() else "torch"
"""For long runs: the kernel, and torch (minutes) where it is not built."""

STATIC: tuple[Term, ...] = (Exchange(), UniaxialAnisotropy(), InterfacialDMI(), Zeeman())

SURFACE = Material(saturation_magnetisation=0.86e6, exchange_stiffness=13e-12, damping=0.5, anisotropy=0.4e6, dmi=3e-3)
"""Of the DMI standard problem (Cortés-Ortuño et al., New J. Phys. 20, 113015 (2018))."""

COBALT = Material(saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=0.3, anisotropy=0.8e6, dmi=0.3e-3,
                  spin_hall_angle=0.15)  # fmt: skip


def row(constants: Material, length: float, cell: float) -> Film:
    """A film of one row of cells."""
    return Film(Grid(round(length / cell), 1, cell, cell, 1e-9), constants)


def width(constants: Material) -> float:
    """Delta = sqrt(A/Ku): without demagnetisation the anisotropy is Ku itself."""
    return math.sqrt(constants.exchange_stiffness / constants.anisotropy)


# ---- DMI at an edge -------------------------------------------------------------------------------------------------


def edge_component(film: Film) -> float:
    """|m_x| at the left edge itself, half a cell before the first centre.

    From there on the profile of a free edge is exact in closed form, tan(theta/2) = const · exp(−x/Delta).
    """
    m = minimize(System(film, terms=STATIC), uniform(film, (0.0, 0.0, 1.0)), torque=1e-8)[0, :, 0, 0]
    inner = float(torch.atan2(m[0].abs(), m[2]))
    outer = 2 * math.atan(math.tan(inner / 2) * math.exp(film.grid.dx / (2 * width(film.material))))
    return math.sin(outer)


@pytest.mark.validation
@pytest.mark.parametrize("dmi", [1e-3, 3e-3, -2e-3])
def test_edge_tilt(dmi: float, report: Report) -> None:
    """m_x at a free edge is D/(2 sqrt(A Ku)).

    Cells of 2, 1, 0.5 and 0.25 nm (Delta = 5.7 nm). Referred to the edge itself the error falls with the square of the
    cell, and is at most (dx/Delta)² of the tilt's cube, the first term in which the discrete angles differ from their
    sines. The extrapolation from the two finest leaves the third order, (0.25/5.7)³ = 8e-5 times the tilt's square.
    """
    constants = SURFACE.model_copy(update={"dmi": dmi})
    exact = abs(dmi) / (2 * math.sqrt(constants.exchange_stiffness * constants.anisotropy))
    cells = (2e-9, 1e-9, 0.5e-9, 0.25e-9)
    tilts = [edge_component(row(constants, 100e-9, cell)) for cell in cells]
    name = f"DMI edge tilt, D = {1e3 * dmi:g} mJ/m2"
    report(f"{name}: m_x, dx = 1 nm", tilts[1], exact, (cells[1] / width(constants)) ** 2 * exact**3)
    limit = (4 * tilts[3] - tilts[2]) / 3
    report(f"{name}: m_x extrapolated to dx = 0", limit, exact, (cells[3] / width(constants)) ** 3 * exact**2)
    # At 1 mJ/m2 the error is below 3e-5 at any cell, and has no order yet.
    if exact > 0.3:
        order = math.log2((tilts[1] - tilts[2]) / (tilts[2] - tilts[3]))
        report(f"{name}: order in the cell size", order, 2.0, 0.2)


@pytest.mark.validation
def test_tilt_profile(report: Report) -> None:
    """DMI standard problem, one-dimensional: the whole profile of a 100 nm wire from edge to edge.

    Theory: theta = 2 atan(tan(theta_0/2) exp(−x/Delta)) from either edge (their overlap is exp(−100/5.7) = 2e-8).
    """
    tilt = SURFACE.dmi / (2 * math.sqrt(SURFACE.exchange_stiffness * SURFACE.anisotropy))
    errors = []
    for cell in (1e-9, 0.5e-9, 0.25e-9):
        film = row(SURFACE, 100e-9, cell)
        m = minimize(System(film, terms=STATIC), uniform(film, (0.0, 0.0, 1.0)), torque=1e-7)[0, :, :, 0]

        def theta(x: Tensor) -> Tensor:
            return 2 * torch.atan(math.tan(math.asin(tilt) / 2) * torch.exp(-x / width(SURFACE)))

        # 2 A dm_x/dx + D m_z = 0 at both ends, so that for D > 0 m leans towards the middle.
        angle = theta(film.grid.x) - theta(film.grid.length - film.grid.x)
        errors.append(float((m[0] - torch.sin(angle)).abs().max()))
        assert float(m[1].abs().max()) < 1e-6
    report(
        "DMI standard problem 1-D, largest |dm_x|, dx = 1 nm", errors[0], 0.0, (1e-9 / width(SURFACE)) ** 2 * tilt**3
    )
    report("DMI standard problem 1-D, order in dx", math.log2(errors[1] / errors[2]), 2.0, 0.2)


# ---- a wall at rest -------------------------------------------------------------------------------------------------


def relaxed_wall(film: Film, angle: float | None = None) -> Tensor:
    """A relaxed wall in the middle (between two cells, if their number is even)."""
    start = domain_wall(film, width=width(film.material), angle=angle)
    return minimize(System(film, terms=STATIC), start, torque=1e-7)


@pytest.mark.validation
@pytest.mark.parametrize("dmi", [0.0, 0.6e-3], ids=["Bloch", "Neel"])
def test_wall_profile_and_energy(dmi: float, report: Report) -> None:
    """m_z = −tanh((x − q)/Delta) and 4 sqrt(A K) − pi D per area; both to second order in dx.

    On a chain sin replaces its argument: the relative errors are (dx/Delta)^2 times less than 1/4.
    """
    constants = COBALT.model_copy(update={"dmi": dmi})
    delta = width(constants)
    sigma = 4 * math.sqrt(constants.exchange_stiffness * constants.anisotropy) - math.pi * dmi
    angle = None if dmi else math.pi / 2
    shapes, energies = [], []
    for cell in (1e-9, 0.5e-9):
        film = row(constants, 96e-9, cell)
        system = System(film, terms=STATIC)
        m = relaxed_wall(film, angle)
        # At the edges the DMI tilts m alike in both states, and the difference is the wall's.
        rest = minimize(system, uniform(film, (0.0, 0.0, 1.0)), torque=1e-7)
        energies.append(float(system.energy(m) - system.energy(rest)) / (film.grid.width * film.grid.dz))
        middle = slice(film.grid.nx // 4, -(film.grid.nx // 4))
        tanh = -torch.tanh((film.grid.x - film.grid.length / 2) / delta)
        shapes.append(float((m[0, 2, :, 0] - tanh)[middle].abs().max()))
    kind = "Néel" if dmi else "Bloch"
    limit = [(cell / delta) ** 2 / 4 for cell in (1e-9, 0.5e-9)]
    report(f"{kind} wall profile, largest |dm_z|, dx = 0.5 nm", shapes[1], 0.0, limit[1])
    report(f"{kind} wall profile, order in dx", math.log2(shapes[0] / shapes[1]), 2.0, 0.1)
    report(f"{kind} wall energy, J/m2, dx = 0.5 nm", energies[1], sigma, limit[1] * sigma)
    extrapolated = (4 * energies[1] - energies[0]) / 3
    report(f"{kind} wall energy, J/m2, extrapolated", extrapolated, sigma, limit[1] ** 2 * sigma)


@pytest.mark.slow
def test_wall_width_with_demagnetisation(report: Report) -> None:
    """In a film 1 nm thick Keff = Ku − mu0 Ms²/2 gives the width of a Bloch wall, as far as the film is thin.

    A wall is made of wave vectors up to 1/Delta, which the film of thickness t demagnetises less, by t/(2 Delta) of
    mu0 Ms²/2: so much the effective anisotropy is larger, and half of it (relatively) the width smaller. The strip of
    256 nm is wide enough for its edges to stay out of the middle row.
    """
    constants = material("cofeb-tantalum", dmi=0.0)
    film = Film(Grid(128, 128, 2e-9, 2e-9, 1e-9), constants)
    m = minimize(System(film), domain_wall(film, angle=math.pi / 2), torque=1e-5)[0, 2, :, 64]
    delta = constants.wall_width
    near = m.abs() < 0.7
    slope = np.polyfit(film.grid.x[near].numpy(), torch.atanh(-m[near]).numpy(), 1)[0]
    energy = 0.5 * VACUUM_PERMEABILITY * constants.saturation_magnetisation**2
    tolerance = 0.5 * film.grid.dz / (2 * delta) * energy / constants.effective_anisotropy
    report("wall width with demagnetisation, nm", 1e9 / slope, 1e9 * delta, 1e9 * delta * tolerance)


# ---- a wall in motion -----------------------------------------------------------------------------------------------


def velocities(film: Film, drive: Drive, terms: tuple[Term, ...], replicas: int, until: float) -> np.ndarray:
    """Steady velocity of the wall of each replica in m/s: over the last third of the time."""
    start = domain_wall(film, width=width(film.material))
    result = simulate(film, drive, duration=until, every=until / 12, replicas=replicas, initial=start, terms=terms,
                      observe=[WallPosition()], backend=BACKEND)  # fmt: skip
    position, time = result["wall_position"].values, result["time"].values
    middle, last = (position[-1] - position[k] for k in (-3, -5))
    # Steady: the same over the last sixth as over the last third.
    np.testing.assert_allclose(middle / 2, last / 4, rtol=2e-3)
    return np.asarray(last / (time[-1] - time[-5]))


@pytest.mark.slow
def test_velocity_under_spin_orbit_torque(report: Report) -> None:
    """v = gamma Delta (pi/2) B_DMI/sqrt(1 + (alpha B_DMI/B_DL)²) (Thiaville 2012), from linear to saturated.

    The model turns a rigid wall. The fields B_DMI (69 mT) and B_DL deform it by their ratio to 2 Ku/Ms = 1.6 T: 4 % at
    most here, which is first order in the shape but, the profile being a minimum of the energy, second order in the
    velocity: 0.2 %. (dx/Delta)²/6 = 0.9 % at dx = 1 nm comes on top. So 1.2 %.
    """
    film = row(COBALT, 480e-9, 1e-9)
    delta = width(COBALT)
    field = COBALT.dmi / (COBALT.saturation_magnetisation * delta)
    saturated = GYROMAGNETIC_RATIO * math.pi * COBALT.dmi / (2 * COBALT.saturation_magnetisation)
    ratio = np.array([0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0])
    damping_like = ratio * COBALT.damping * field
    current = damping_like / SpinOrbitTorque.field_per_current(film)
    terms = (*STATIC, SpinOrbitTorque())
    ours = velocities(film, Drive(current_density=torch.tensor(current)), terms, len(ratio), 2.4e-9)
    model = saturated / np.sqrt(1 + 1 / ratio**2)
    for k, r in enumerate(ratio):
        report(f"SOT wall velocity, m/s, B_DL = {r:g} alpha B_DMI", ours[k], model[k], 0.012 * model[k])
    # Against the current, or with the chirality reversed, the other way.
    film = row(COBALT.model_copy(update={"dmi": -COBALT.dmi}), 480e-9, 1e-9)
    sign = np.array([1, -1] * 4)
    back = velocities(film, Drive(current_density=torch.tensor(current * sign)), terms, len(ratio), 2.4e-9)
    np.testing.assert_allclose(back, -ours * sign, rtol=2e-3)
    report("SOT wall velocity, m/s, D < 0, J > 0 and J < 0", back[4:6], (-ours * sign)[4:6], 2e-3 * ours[4:6])


@pytest.mark.slow
def test_velocity_under_field(report: Report) -> None:
    """Below Walker's field, alpha (pi/2) B_DMI, v = gamma Delta B/alpha; without demagnetisation.

    The angle of a steadily moving wall is uniform. The DMI energy, pi D cos(phi), is the same for all profiles and does
    not act on the width, so that Walker's rigid solution holds up to the second order in B_DMI/B_K = 4 %, 0.2 %, and
    the grid's (dx/Delta)²/6 = 0.9 %. So 1.2 %.
    """
    film = row(COBALT, 480e-9, 1e-9)
    delta = width(COBALT)
    walker = COBALT.damping * 0.5 * math.pi * COBALT.dmi / (COBALT.saturation_magnetisation * delta)
    fields = np.array([0.1, 0.3, 0.6, -0.6]) * walker
    ours = velocities(film, Drive(field_z=torch.tensor(fields)), STATIC, len(fields), 2.4e-9)
    model = GYROMAGNETIC_RATIO * delta * fields / COBALT.damping
    for b, v, m in zip(fields, ours, model, strict=True):
        report(f"field-driven wall velocity, m/s, {b / walker:g} of Walker's field", v, m, 0.012 * abs(m))


@pytest.mark.slow
def test_velocity_under_spin_transfer_torque(report: Report) -> None:
    """With xi = alpha a wall drifts at u without any change, against the current; in general at xi u/alpha.

    For xi = alpha the rigid shift is the exact solution. The slope is of the fourth order: (dx/Delta)^4/30 times the
    fifth derivative, 0.01 % at dx = 1 nm and Delta = 4.3 nm; the grid's own potential for the wall does the rest.
    """
    for factor in (1.0, 2.0):
        tolerance = 0.002
        constants = COBALT.model_copy(update={"spin_polarisation": 0.7, "non_adiabaticity": factor * COBALT.damping})
        film = row(constants, 480e-9, 1e-9)
        u = ZhangLi.drift_per_current(constants)
        currents = np.array([-20.0, 20.0, -15.0, 15.0, -10.0, 10.0, -5.0, 5.0]) / abs(u)
        ours = velocities(film, Drive(magnet_current_density=torch.tensor(currents)), (*STATIC, ZhangLi()), 8, 2.4e-9)
        model = factor * u * currents
        assert ours[0] > 0 > ours[1]
        np.testing.assert_allclose(ours, model, rtol=tolerance)
        name = f"STT wall velocity, m/s, xi = {factor:g} alpha, J < 0 and J > 0"
        report(name, ours[:2], model[:2], tolerance * abs(model[:2]))


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "tolerance"), [(2e-9, 0.005), (4e-9, 0.015)])
def test_velocity_under_spin_transfer_torque_on_coarse_cells(cell: float, tolerance: float, report: Report) -> None:
    """A wall of Delta = 7.7 nm at xi = alpha/2, alpha and 2 alpha: central differences would be (dx/Delta)²/6 slow, 1.1
    and 4.5 %; the fourth order leaves (dx/Delta)^4/30 times the fifth derivative, some 0.1 and 1 %."""
    soft = COBALT.model_copy(update={"anisotropy": 0.25e6, "spin_polarisation": 0.7})
    for factor in (0.5, 1.0, 2.0):
        constants = soft.model_copy(update={"non_adiabaticity": factor * COBALT.damping})
        u = ZhangLi.drift_per_current(constants)
        drive = Drive(magnet_current_density=torch.tensor([-20.0 / abs(u), 20.0 / abs(u)]))
        ours = velocities(row(constants, 480e-9, cell), drive, (*STATIC, ZhangLi()), 2, 2.4e-9)
        name = f"STT wall velocity, m/s, xi = {factor:g} alpha, {1e9 * cell:g} nm cells"
        report(name, ours[0], 20.0 * factor, tolerance * 20.0 * factor)


# ---- equal by definition --------------------------------------------------------------------------------------------


def test_field_like_torque_is_a_field() -> None:
    """The field-like part is B_FL sigma and no more: as fields exactly, as motion to rounding (both backends)."""
    constants = material("cofeb-tantalum", field_like_ratio=-0.7)
    film = Film(Grid(12, 5, 4e-9, 4e-9, 1e-9), constants)
    plain = Film(film.grid, material("cofeb-tantalum"))
    currents = torch.tensor([3e11, -1e11, 8e11], dtype=torch.float64)
    field = -0.7 * SpinOrbitTorque.field_per_current(film) * currents
    # sigma = −y for a current along +x.
    with_torque, with_field = Drive(current_density=currents), Drive(current_density=currents, field_y=-field)
    m = random_state(film, 3, torch.Generator().manual_seed(2))
    one, other = System(film, with_torque, replicas=3), System(plain, with_field, replicas=3)
    torch.testing.assert_close(one.field(m), other.field(m), rtol=0, atol=1e-14)
    assert float((one.field(m) - System(plain, with_torque, replicas=3).field(m)).abs().max()) > 1e-3
    for backend in ("torch", "compiled")[: 2 if compiled.available() else 1]:
        ends = []
        for each, drive in ((film, with_torque), (plain, with_field)):
            result = simulate(each, drive, duration=2e-12, replicas=3, initial=m, every=2e-12, dt=4e-14,
                              observe=[MeanMagnetisation()], backend=backend)  # fmt: skip
            ends.append(result["m"].values[-1])
        np.testing.assert_allclose(*ends, atol=2e-5)


@pytest.mark.validation
def test_larmor_precession(report: Report) -> None:
    """One spin in a field along z: phi = phi_0 + gamma B t/(1 + alpha²), atanh(m_z) grows at alpha times that rate."""
    alpha, field, until = 0.1, 0.5, 1e-10
    film = Film(Grid(1, 1, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum", damping=alpha))
    start = uniform(film, (1.0, 0.0, -0.5))
    rate = GYROMAGNETIC_RATIO * field / (1 + alpha**2)
    exact_z = math.tanh(math.atanh(float(start[0, 2, 0, 0])) + alpha * rate * until)
    exact = np.array([math.sqrt(1 - exact_z**2) * f(rate * until) for f in (math.cos, math.sin)] + [exact_z])
    stepper = DormandPrince(System(film, Drive(field_z=field), (Zeeman(),)), start, tolerance=1e-11)
    stepper.advance(0.0, until)
    # About 100 steps, each within 1e-11.
    report("Larmor precession and damping, m at 0.1 ns, Dormand-Prince", stepper.m[0, :, 0, 0].tolist(), exact, 1e-9)
    for backend in ("torch", "compiled")[: 2 if compiled.available() else 1]:
        result = simulate(film, Drive(field_z=field), duration=until, every=until, dt=5e-14, initial=start,
                          terms=(Zeeman(),), observe=[MeanMagnetisation()], backend=backend)  # fmt: skip
        # Heun: the phase is off by a share (omega dt)²/6 of itself; float32 rounds 2000 times: 6e-8 x sqrt(2000).
        tolerance = (rate * 5e-14) ** 2 / 6 * rate * until + 6e-8 * math.sqrt(until / 5e-14)
        report(f"Larmor precession and damping, Heun ({backend})", result["m"].values[-1, 0], exact, tolerance)
