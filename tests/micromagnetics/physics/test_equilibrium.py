"""Thermal equilibrium: single spins, and whole films by a thermometer that needs no fit.

Heun's method takes steps at which its own bias is negligible, the splitting those that it recommends. All statistical
tolerances are four standard errors: a right code fails one check in 16 000, and the seeds are fixed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from torch import Tensor

from barkhausen.core.units import BOLTZMANN, GYROMAGNETIC_RATIO, VACUUM_PERMEABILITY
from barkhausen.micromagnetics import (
    Demag,
    Drive,
    Exchange,
    Film,
    Grid,
    InterfacialDMI,
    Material,
    Observable,
    PerpendicularMap,
    State,
    System,
    Term,
    UniaxialAnisotropy,
    Zeeman,
    advise_splitting_step,
    advise_step,
    compiled,
    material,
    random_state,
    simulate,
    uniform,
)
from barkhausen.micromagnetics.geometry.newell import demagnetisation_tensor

if TYPE_CHECKING:
    from tests.conftest import Report

SIGMAS = 4.0

BACKENDS = [
    "torch",
    pytest.param("compiled", marks=pytest.mark.skipif(not compiled.available(), reason="the kernel is not built")),
]

INTEGRATORS = ["heun", "splitting"]

ROOM = 300.0

SPIN = Material(saturation_magnetisation=1e6, exchange_stiffness=1e-11, damping=0.5)
"""Strongly damped, so that a spin of 16 nm³ forgets its past within 30 ps at room temperature."""

CELL = (4e-9, 4e-9, 1e-9)


def langevin(x: np.ndarray) -> np.ndarray:
    """coth x − 1/x."""
    return 1 / np.tanh(x) - 1 / x


@dataclass(frozen=True)
class Components(Observable):
    """All components of every cell, float32."""

    name: ClassVar[str] = "components"
    units: ClassVar[str] = "1"
    dimensions: ClassVar[tuple[str, ...]] = ("component", "x", "y")

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        return {"component": ["x", "y", "z"]}

    def __call__(self, system: System, state: State) -> Tensor:
        return state.m.to(torch.float32, copy=True)


def spins(
    film: Film, drive: Drive, terms: tuple[Term, ...], *, replicas: int, backend: str, integrator: str,
    observe: Observable, temperature: float = ROOM, dt: float = 4e-14, samples: int = 4,
) -> np.ndarray:  # fmt: skip
    """Samples of a film of spins that do not see each other, [time, replica, …].

    They start uniformly distributed. The first 0.16 ns are discarded, and samples are 0.12 ns apart: 6 and 4 times the
    longest relaxation time of a spin of that damping (28 ps without field), so that they are independent to 2 %.
    ``dt`` is that of Heun's method.
    """
    start = random_state(film, replicas, torch.Generator().manual_seed(5))
    result = simulate(film, drive, duration=0.04e-9 * (4 + 3 * (samples - 1)), every=0.04e-9, replicas=replicas,
                      seed=11, temperature=temperature, initial=start, dt=dt if integrator == "heun" else None,
                      terms=terms, observe=[observe], backend=backend, integrator=integrator)  # fmt: skip
    return np.asarray(result[observe.name].values[4::3])


def size(backend: str, integrator: str) -> tuple[int, int]:
    """Cells an edge and replicas: the kernel affords more, and the longer steps of the splitting again."""
    if backend == "torch":
        return 32, 8
    return 16, 128 if integrator == "heun" else 512


@pytest.mark.slow
@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_langevin(backend: str, integrator: str, report: Report) -> None:
    """<m_z> = coth x − 1/x, x = Ms V B/(kB T), from loose to stiff; one x for each replica (modulo 8).

    The step's own bias is below 1e-3 of the variance of m_z (the noise turns a spin by 0.05 rad in a step).
    """
    edge, replicas = size(backend, integrator)
    film = Film(Grid(edge, edge, *CELL), SPIN)
    x = np.array([0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0])
    fields = np.tile(x, replicas // 8) * BOLTZMANN * ROOM / film.moment
    drive = Drive(field_z=torch.tensor(fields))
    mz = spins(film, drive, (Zeeman(),), replicas=replicas, backend=backend, integrator=integrator,
               observe=PerpendicularMap())  # fmt: skip
    for k, value in enumerate(x):
        sample = mz[:, k::8].astype(float).ravel()
        error = sample.std() / math.sqrt(sample.size)
        bias = 1e-3 * float(sample.var())
        exact = float(langevin(np.array(value)))
        report(
            f"Langevin <m_z>, x = {value:g} ({backend}, {integrator})",
            float(sample.mean()),
            exact,
            SIGMAS * error + bias,
        )


@pytest.mark.slow
@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_half_filled_cells(backend: str, integrator: str, report: Report) -> None:
    """A cell filled by half is a spin of half the moment: its noise is sqrt(2) stronger, its x half as large."""
    edge, replicas = size(backend, integrator)
    checkerboard = (torch.arange(edge)[:, None] + torch.arange(edge)) % 2
    film = Film(Grid(edge, edge, *CELL), SPIN, fill=1.0 - 0.5 * checkerboard.to(torch.float64))
    x = 3.0
    drive = Drive(field_z=x * BOLTZMANN * ROOM / film.moment)
    # A quarter of the step relative to the noise: half the moment turns twice as far.
    mz = spins(film, drive, (Zeeman(),), replicas=replicas, backend=backend, integrator=integrator,
               observe=PerpendicularMap(), dt=2e-14)  # fmt: skip
    for fill, chosen in ((1.0, checkerboard == 0), (0.5, checkerboard == 1)):
        sample = mz[:, :, chosen.numpy()].astype(float).ravel()
        error = sample.std() / math.sqrt(sample.size)
        bias = 1e-3 * float(sample.var())
        exact = float(langevin(np.array(x * fill)))
        report(
            f"Langevin <m_z>, fill {fill:g} ({backend}, {integrator})",
            float(sample.mean()),
            exact,
            SIGMAS * error + bias,
        )


@pytest.mark.slow
@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_boltzmann(backend: str, integrator: str, report: Report) -> None:
    """With PMA of 2 kB T a spin's m_z is distributed as exp(Ku V m_z²/(kB T)) on [−1, 1], both wells alike.

    Kolmogorov and Smirnov's test; a spin crosses the barrier within 0.1 ns, so the samples are independent enough for
    the p-value, of which one in 10 000 is lower than asked. The two-sided bulk is reported by <m_z²> as well.
    """
    edge, replicas = size(backend, integrator)
    volume = math.prod(CELL)
    barrier = 2.0
    constants = SPIN.model_copy(update={"anisotropy": barrier * BOLTZMANN * ROOM / volume})
    film = Film(Grid(edge, edge, *CELL), constants)
    mz = spins(film, Drive(), (UniaxialAnisotropy(),), replicas=replicas, backend=backend, integrator=integrator,
               observe=PerpendicularMap()).astype(float).ravel()  # fmt: skip

    def cumulative(z: np.ndarray) -> np.ndarray:
        root = math.sqrt(barrier)
        return 0.5 * (1 + scipy.special.erfi(root * z) / scipy.special.erfi(root))

    p = scipy.stats.kstest(mz, cumulative).pvalue
    report(f"Boltzmann with PMA: p of Kolmogorov-Smirnov, {mz.size} spins ({backend}, {integrator})", p, 0.5, 0.4999)
    # <z²> = (exp(b) sqrt(b)^-1/(integral of exp(b z²)) − 1/(2b), integral = sqrt(pi/b) erfi(sqrt(b)).
    exact = math.exp(barrier) / (math.sqrt(math.pi * barrier) * scipy.special.erfi(math.sqrt(barrier)))
    exact -= 1 / (2 * barrier)
    square = mz**2
    error = square.std() / math.sqrt(square.size)
    tolerance = SIGMAS * error + 1e-3 * float(square.var())
    report(f"Boltzmann with PMA: <m_z^2> ({backend}, {integrator})", float(square.mean()), exact, tolerance)
    # And no torque prefers a side: the mean of the sign.
    report(
        f"Boltzmann with PMA: <m_z> ({backend}, {integrator})",
        float(mz.mean()),
        0.0,
        SIGMAS * mz.std() / math.sqrt(mz.size),
    )


@pytest.mark.slow
@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_equipartition(backend: str, integrator: str, report: Report) -> None:
    """In a strong field each transverse component holds kB T/2: <m_x²> = <m_y²> = L(x)/x, x = 232 at 10 K."""
    edge, replicas = size(backend, integrator)
    film = Film(Grid(edge, edge, *CELL), SPIN)
    temperature, field = 10.0, 2.0
    x = film.moment * field / (BOLTZMANN * temperature)
    m = spins(film, Drive(field_z=field), (Zeeman(),), replicas=replicas, backend=backend, integrator=integrator,
              observe=Components(), temperature=temperature)  # fmt: skip
    exact = float(langevin(np.array(x))) / x
    squares = m[:, :, :2].astype(float) ** 2
    count = squares.size / 2
    means = squares.mean((0, 1, 3, 4))
    errors = squares.std((0, 1, 3, 4)) / math.sqrt(count)
    # Of the step: the mode is too hot by (omega dt)³/(8 alpha), 1e-6.
    report(f"equipartition, <m_x^2> and <m_y^2> ({backend}, {integrator})", means, exact, SIGMAS * errors)


# ---- the thermometer ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Thermometer(Observable):
    """Numerator and denominator of kB T = <|grad E|²>/<laplacian E>, sums over all cells, in J and in 1.

    On a product of unit spheres with density exp(−E/kB T) the divergence theorem, applied to that density times
    grad E, says kB T <laplacian E> = <|grad E|²>, cell by cell, whatever the energy. With dE/dm_i = −mu_i B_i and
    mu_i = Ms V phi_i,

        |grad_i E|² = mu_i² |m_i × B_i|²,    laplacian_i E = 2 mu_i m_i · B_i − mu_i (tr J_i − m_i · J_i m_i),

    where J_i = dB_i/dm_i is what a cell feels of itself: −(2A/Ms) sum(bonds)/d² for exchange, 2 Ku/Ms along z for the
    anisotropy, −mu0 Ms phi N(0) for demagnetisation; nothing for DMI and applied field. (mumax3's thermometer shifts
    its divisor by the exchange part only, and leaves out what anisotropy and demagnetisation contribute.)
    """

    name: ClassVar[str] = "thermometer"
    units: ClassVar[str] = "J, 1"
    dimensions: ClassVar[tuple[str, ...]] = ("part",)

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        return {"part": ["gradient", "laplacian"]}

    def __call__(self, system: System, state: State) -> Tensor:
        film, m = state.film, state.m.to(torch.float64)
        field = torch.zeros_like(state.m)
        for term in system.terms:
            term.add_field(field, state)
        field = field.to(torch.float64)
        fill = torch.ones_like(m[:, 0]) if film.fill is None else film.fill.to(torch.float64).expand_as(m[:, 0])
        moment = film.moment * fill
        gradient = moment**2 * torch.linalg.cross(m, field, dim=1).square().sum(1)
        own = self_field(system)
        trace = own.sum(1) - (own * m * m).sum(1)
        laplacian = 2 * moment * (m * field).sum(1) - moment * trace
        return torch.stack((gradient.sum((1, 2)) / BOLTZMANN, laplacian.sum((1, 2))), 1)


def self_field(system: System) -> Tensor:
    """Diagonal of J, dB/dm of a cell by its own m, in T: ``[replica or 1, 3, nx, ny]``."""
    film, grid, constants = system.film, system.film.grid, system.film.material
    kinds = {type(term) for term in system.terms}
    fill = torch.ones(1, *grid.shape, dtype=torch.float64) if film.fill is None else film.fill.to(torch.float64)
    own = torch.zeros(len(fill), 3, *grid.shape, dtype=torch.float64)
    if Exchange in kinds:
        stiffness = 2 * constants.exchange_stiffness / constants.saturation_magnetisation
        for axis, step in ((1, grid.dx), (2, grid.dy)):
            count = fill.shape[axis] - 1
            ahead = torch.minimum(fill.narrow(axis, 0, count), fill.narrow(axis, 1, count))
            bonds = torch.zeros_like(fill)
            bonds.narrow(axis, 0, count).add_(ahead)
            bonds.narrow(axis, 1, count).add_(ahead)
            own -= (stiffness / step**2 * torch.where(fill > 0, bonds / fill.clamp_min(1e-300), 0.0))[:, None]
    if UniaxialAnisotropy in kinds:
        own[:, 2] += film.anisotropy_field.to(torch.float64)
    if Demag in kinds:
        n = demagnetisation_tensor(1, 1, grid.dx, grid.dy, grid.dz)[:3, 0, 0]
        scale = VACUUM_PERMEABILITY * constants.saturation_magnetisation
        own -= scale * n[None, :, None, None] * fill[:, None]
    return own


def test_self_field_is_the_derivative() -> None:
    """What the thermometer takes for dB/dm of a cell by itself is what the film's field does, cell by cell.

    The field is linear in m, so a difference is exact to rounding.
    """
    generator = torch.Generator().manual_seed(4)
    fill = torch.rand(1, 7, 5, dtype=torch.float64, generator=generator)
    film = Film(Grid(7, 5, 4e-9, 3e-9, 1e-9), material("cofeb-tantalum"), fill)
    system = System(film, Drive(field_z=0.1), (Exchange(), Demag(), UniaxialAnisotropy(), InterfacialDMI(), Zeeman()))
    m = random_state(film, 1, generator)
    before, own = system.field(m), self_field(system)
    for x, y, k in ((0, 0, 0), (3, 2, 1), (6, 4, 2), (0, 3, 2), (5, 0, 0)):
        moved = m.clone()
        moved[0, k, x, y] += 1.0
        change = (system.field(moved) - before)[0, k, x, y]
        assert float(change) == pytest.approx(float(own[0, k, x, y]), rel=1e-10)


def expected_heating(film: Film, dt: float) -> float:
    """By what fraction the thermometer should read too much at that step, from :class:`StepAdvice`'s theory.

    A mode of frequency omega is too hot by s/(1 − s), s = (omega dt)³/(8 alpha). |grad E|² of a mode is proportional to
    omega times its energy, so the thermometer averages the modes with weight omega.
    """
    constants, grid = film.material, film.grid
    stiffness = 2 * constants.exchange_stiffness / constants.saturation_magnetisation
    kx, ky = (torch.arange(n, dtype=torch.float64) * math.pi / n for n in grid.shape)
    field = stiffness * (2 - 2 * torch.cos(kx))[:, None] / grid.dx**2 + stiffness * (2 - 2 * torch.cos(ky)) / grid.dy**2
    field += 2 * constants.effective_anisotropy / constants.saturation_magnetisation
    omega = GYROMAGNETIC_RATIO * field / (1 + constants.damping**2)
    share = (omega * dt) ** 3 / (8 * constants.damping)
    return float((omega * share / (1 - share)).sum() / omega.sum())


@pytest.mark.slow
@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_thermometer(backend: str, integrator: str, report: Report) -> None:
    """A film of the default material, all terms, at 300 K: what does it say of itself?

    Heun's method: at the recommended step the reading may exceed 300 K by the heating that the advice accepts (1 % to 3
    % over all modes) but not by more; at a third of the step, where that is 27 times less, it must be 300 K. Splitting:
    300 K at the recommended step. The standard error is from the replicas, which are independent. Equilibrium: the film
    starts along +z, and modes with wave vectors that matter to |grad E|² (fields above 1 T) relax within 1/(alpha gamma
    B) = 0.2 ns; 0.5 ns (torch: 0.3) are discarded.
    """
    grid = Grid(64, 16, *CELL) if backend == "compiled" else Grid(16, 8, *CELL)
    film = Film(grid, material("cofeb-tantalum"))
    terms = (Exchange(), Demag(), UniaxialAnisotropy(), InterfacialDMI(), Zeeman())
    replicas = 32 if backend == "compiled" else 8
    advise = advise_step if integrator == "heun" else advise_splitting_step
    advised = advise(film, temperature=ROOM, terms=terms).recommended
    duration, discarded = (0.8e-9, 250) if backend == "compiled" else (0.5e-9, 150)
    for factor in (1, 3) if backend == "compiled" and integrator == "heun" else (1,):
        every = 2e-12
        dt = every / (factor * math.ceil(every / advised))
        result = simulate(film, duration=duration, every=every, replicas=replicas, seed=3, temperature=ROOM, dt=dt,
                          initial=uniform(film, (0.0, 0.0, 1.0)), terms=terms, observe=[Thermometer()],
                          backend=backend, integrator=integrator)  # fmt: skip
        parts = result["thermometer"].values[discarded:].mean(0)
        reading = parts[:, 0] / parts[:, 1]
        temperature = parts[:, 0].sum() / parts[:, 1].sum()
        error = reading.std(ddof=1) / math.sqrt(replicas)
        heating = ROOM * expected_heating(film, dt) if integrator == "heun" else 0.0
        name = f"thermometer, K, dt = {1e15 * dt:.0f} fs ({backend}, {integrator})"
        report(name, temperature, ROOM + heating / 2, SIGMAS * error + heating / 2)
