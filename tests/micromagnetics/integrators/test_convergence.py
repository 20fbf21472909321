"""How fast the integrators converge, whether the default step is short enough, and kernel against torch."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.stats
import torch
import xarray as xr
from torch import Tensor

from barkhausen.micromagnetics import (
    CompiledHeun,
    DormandPrince,
    Drive,
    Energy,
    Film,
    Grid,
    Heun,
    MeanMagnetisation,
    StrainGate,
    System,
    UniaxialAnisotropy,
    WallAngle,
    WallPosition,
    WallTilt,
    Waveform,
    Zeeman,
    advise_step,
    compiled,
    domain_wall,
    material,
    random_state,
    simulate,
    uniform,
)

if TYPE_CHECKING:
    from tests.conftest import Report

needs_kernel = pytest.mark.skipif(not compiled.available(), reason="the compiled kernel is not built")

SIGMAS = 4.0
"""Statistical tolerances are four standard errors; the seeds are fixed."""


# ---- order at zero temperature --------------------------------------------------------------------------------------


def driven_film() -> tuple[System, Tensor]:
    """A small film with every term, half of its edge cells partly filled, and a drive that varies linearly in time."""
    generator = torch.Generator().manual_seed(7)
    fill = torch.ones(12, 6, dtype=torch.float64)
    fill[:, [0, -1]] = torch.rand(12, 2, dtype=torch.float64, generator=generator)
    constants = material(
        "cofeb-tantalum", damping=0.1, field_like_ratio=0.3, spin_polarisation=0.5, non_adiabaticity=0.1
    )
    film = Film(Grid(12, 6, 4e-9, 4e-9, 1e-9), constants, fill)
    # Knots beyond the run: a kink inside a step would cost the high order there.
    ramp = Waveform(torch.tensor([0.0, 1e-9]), torch.tensor([2e11, 3e12]))
    drive = Drive(current_density=ramp, magnet_current_density=1e12, field_x=0.05, field_z=-0.2)
    # Smooth: the order shows once the step resolves every mode that is there.
    return System(film, drive), domain_wall(film, angle=0.7)


def reference(system: System, start: Tensor, until: float) -> Tensor:
    """The exact solution, to 1e-10."""
    stepper = DormandPrince(system, start, tolerance=1e-13)
    stepper.advance(0.0, until)
    return stepper.m


@pytest.mark.validation
def test_heun_is_of_second_order(report: Report) -> None:
    """Halving the step quarters the error of a film with all terms; 5 % of the exponent are left to higher orders."""
    system, start = driven_film()
    until = 2e-12
    exact = reference(system, start, until)
    errors = []
    for dt in (4e-14, 2e-14, 1e-14):
        stepper = Heun(system, start, dt=dt)
        stepper.advance(0.0, until)
        errors.append(float((stepper.m - exact).abs().max()))
    orders = [math.log2(a / b) for a, b in itertools.pairwise(errors)]
    report("Heun, order in dt (all terms)", orders, 2.0, 0.1)


@pytest.mark.validation
def test_dormand_prince_is_of_fifth_order(report: Report) -> None:
    """Error against evaluations for tolerances from 1e-6 to 1e-9, one spin with two terms (no stiffness).

    The controller keeps the local error of the fourth-order formula at the tolerance, so steps vary along the way: the
    slope of a least-squares line is 5 to within a few per cent, not exactly.
    """
    film = Film(Grid(1, 1, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum", damping=0.1))
    system = System(film, Drive(field_x=0.3, field_y=0.1), (UniaxialAnisotropy(), Zeeman()))
    start = uniform(film, (1.0, 0.2, 0.4))
    until = 5e-11
    exact = reference(system, start, until)
    work, errors = [], []
    for tolerance in 10.0 ** np.arange(-6, -9.5, -0.5):
        # The first step already as long as the tolerance allows, lest the ramp-up count.
        stepper = DormandPrince(system, start, tolerance=float(tolerance), step=3e-12 * float(tolerance / 1e-6) ** 0.2)
        stepper.advance(0.0, until)
        work.append(math.log(stepper.evaluations))
        errors.append(math.log(float((stepper.m - exact).abs().max())))
    slope = float(np.polyfit(work, errors, 1)[0])
    report("Dormand-Prince, order (error against evaluations)", -slope, 5.0, 0.4)


# ---- the default step at 300 K --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Displacement:
    """How far the wall went in an ensemble, in m: mean, variance, and the standard errors of both."""

    mean: float
    mean_error: float
    variance: float
    variance_error: float


@cache
def displacement(factor: int) -> Displacement:
    """Wall of the default material in a track of 256 x 64 nm under 4e11 A/m² for 0.6 ns at 300 K, 256 replicas.

    The step is the default one divided by ``factor``.
    """
    film = Film(Grid(64, 16, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum"))
    drive = Drive(current_density=4e11)
    every = 0.3e-9
    advised = advise_step(film, drive, temperature=300.0).dt
    steps = factor * math.ceil(every / advised)
    start = 80e-9
    result = simulate(film, drive, duration=0.6e-9, every=every, dt=every / steps, replicas=256, seed=factor,
                      temperature=300.0, initial=domain_wall(film, start), observe=[WallPosition()],
                      backend="compiled")  # fmt: skip
    moved = result["wall_position"].values[-1] - start
    assert np.isfinite(moved).all()
    n = len(moved)
    variance = float(moved.var(ddof=1))
    # The variance of a sample variance, from the fourth moment (the distribution need not be normal).
    fourth = float(((moved - moved.mean()) ** 4).mean())
    error = math.sqrt(max(fourth - variance**2 * (n - 3) / (n - 1), 0.0) / n)
    return Displacement(float(moved.mean()), math.sqrt(variance / n), variance, error)


@pytest.mark.slow
@needs_kernel
@pytest.mark.parametrize("factor", [1, 2, 4])
def test_displacement_is_resolved(factor: int, report: Report) -> None:
    """The ensemble is large enough to say something: tens of nanometres, known to better than one per cent."""
    moved = displacement(factor)
    assert 20e-9 < moved.mean < 150e-9
    report(f"wall displacement, nm, default dt/{factor}: standard error", 1e9 * moved.mean_error, 0.0, 1e7 * moved.mean)


@pytest.mark.slow
@needs_kernel
@pytest.mark.parametrize("factor", [2, 4])
def test_default_step_at_room_temperature(factor: int, report: Report) -> None:
    """Mean and variance of the displacement at the default step against a half and a quarter of it.

    Stochastic Heun converges weakly with dt, so the bias at the default step is factor/(factor − 1) times the
    difference. It must vanish within its error; what the error leaves open is recorded as the bound.
    """
    coarse, fine = displacement(1), displacement(factor)
    for name, a, b, error_a, error_b, unit, limit in (
        ("mean, nm", coarse.mean, fine.mean, coarse.mean_error, fine.mean_error, 1e9, 0.03),
        ("variance, nm^2", coarse.variance, fine.variance, coarse.variance_error, fine.variance_error, 1e18, 1.0),
    ):
        error = math.hypot(error_a, error_b)
        row = f"wall displacement at 300 K, default dt against dt/{factor}"
        report(f"{row}: {name}", unit * a, unit * b, unit * SIGMAS * error)
        if factor == 4:
            # 95 % bound on the relative bias. 3 % of the mean are 2 nm, half a cell; the variance of 256 replicas is
            # known to 9 %, so that all one can ask of it is the order of magnitude.
            bound = factor / (factor - 1) * (abs(a - b) + 2 * error) / b
            report(f"{row}: bias of the {name.split(',')[0]} (rel.), 95 % bound", bound, 0.0, limit)


# ---- kernel against torch -------------------------------------------------------------------------------------------


def family(replicas: int) -> tuple[Film, Drive]:
    """Different tracks: random fill along the edges, their own Ku and J, every term, a gate over half of the track."""
    generator = torch.Generator().manual_seed(replicas)
    grid = Grid(24, 10, 4e-9, 4e-9, 1e-9)
    fill = torch.ones(replicas, *grid.shape, dtype=torch.float64)
    edge = torch.rand(replicas, grid.nx, 2, dtype=torch.float64, generator=generator)
    # Thin slivers and empty cells, as an outline leaves them.
    edge[edge < 0.15] = 0.0
    fill[:, :, [0, -1]] = edge
    anisotropy = 0.8e6 * (1 + 0.03 * torch.randn(replicas, *grid.shape, dtype=torch.float64, generator=generator))
    constants = material("cofeb-tantalum", field_like_ratio=-0.5, spin_polarisation=0.6, non_adiabaticity=0.05)
    profile = torch.zeros(grid.shape, dtype=torch.float64)
    profile[8:18] = torch.linspace(0.3, 1.0, 10, dtype=torch.float64)[:, None]
    current = torch.linspace(-6e11, 8e11, replicas, dtype=torch.float64)
    drive = Drive(
        current_density=Waveform.pulse(current, 20e-12, start=2e-12, rise=5e-12, fall=5e-12),
        magnet_current_density=-current,
        field_x=0.02, field_y=-0.03, field_z=0.05,
        gate_voltage=Waveform.pulse(torch.linspace(-2.0, 2.0, replicas), 15e-12, start=8e-12),
        gate=StrainGate(),
        gate_profile=profile,
    )  # fmt: skip
    return Film(grid, constants, fill, anisotropy), drive


@pytest.mark.validation
@needs_kernel
@pytest.mark.parametrize("replicas", [8, 11])
def test_trajectory_of_the_kernel(replicas: int, report: Report) -> None:
    """1000 steps at zero temperature, kernel in float32 against torch in float64, cell by cell.

    Each step rounds m by up to 6e-8, with random sign: after 1000 steps 2e-6, and the damped motion keeps it so.
    """
    film, drive = family(replicas)
    # A state is zero where its own film is empty.
    start = domain_wall(film, angle=2.0) * (film.fill > 0)[:, None]
    dt = 4e-14
    exact = Heun(System(film, drive, replicas=replicas), start, dt=dt)
    ours = CompiledHeun(System(film, drive, replicas=replicas, dtype=torch.float32), start.float(), dt=dt)
    for stepper in (exact, ours):
        stepper.advance(0.0, 1000 * dt)
    moved = float((exact.m - start).abs().amax((1, 2, 3)).min())
    assert moved > 0.1
    difference = float((ours.m - exact.m).abs().max())
    report(f"kernel against torch float64, 1000 steps at 0 K, {replicas} tracks: largest |dm|", difference, 0.0, 1e-5)


@pytest.mark.validation
@needs_kernel
def test_field_driven_disorder() -> None:
    """From random states, where every cell differs from the next: the first 50 steps, before chaos."""
    film, drive = family(8)
    start = random_state(film, 8, torch.Generator().manual_seed(0)) * (film.fill > 0)[:, None]
    exact = Heun(System(film, drive, replicas=8), start, dt=1e-14)
    ours = CompiledHeun(System(film, drive, replicas=8, dtype=torch.float32), start.float(), dt=1e-14)
    for stepper in (exact, ours):
        stepper.advance(0.0, 50e-14)
    assert float((ours.m - exact.m).abs().max()) < 1e-5


@pytest.mark.slow
@needs_kernel
def test_statistics_of_the_kernel(report: Report) -> None:
    """A driven wall at 300 K in a small film: both backends' ensembles come from one distribution.

    Kolmogorov and Smirnov's test on 512 replicas of the kernel and 128 of torch. The p-value is uniform if they do; it
    is required to exceed 1e-4. Such samples tell distributions apart that differ by 20 % in their cumulative.
    """
    film = Film(Grid(32, 6, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum", damping=0.3))
    drive = Drive(current_density=6e11)
    observe = [WallPosition(), WallTilt(), WallAngle(), Energy(), MeanMagnetisation()]

    def ensemble(backend: str, seed: int, replicas: int) -> xr.Dataset:
        return simulate(film, drive, duration=0.15e-9, every=0.15e-9, replicas=replicas, seed=seed, temperature=300.0,
                        initial=domain_wall(film, 50e-9), observe=observe, backend=backend, chunk=64)  # fmt: skip

    one, other = ensemble("compiled", 1, 512).isel(time=-1), ensemble("torch", 2, 128).isel(time=-1)
    samples = {name: (one[name].values, other[name].values) for name in ("wall_position", "wall_tilt", "energy")}
    for k, axis in enumerate("xyz"):
        samples[f"<m_{axis}>"] = (one["m"].values[:, k], other["m"].values[:, k])
    # An angle near pi would jump to −pi.
    samples["wall_angle"] = (np.cos(one["wall_angle"].values), np.cos(other["wall_angle"].values))
    for name, (a, b) in samples.items():
        p = scipy.stats.ks_2samp(a[np.isfinite(a)], b[np.isfinite(b)]).pvalue
        report(f"kernel against torch at 300 K, {name}: p of Kolmogorov-Smirnov", p, 0.5, 0.4999)
