"""Rate at which a macrospin switches by heat, against the Fokker-Planck equation of Brown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from barkhausen.core.units import BOLTZMANN, GYROMAGNETIC_RATIO
from barkhausen.micromagnetics import (
    CompiledHeun,
    Film,
    Grid,
    Heun,
    Material,
    System,
    UniaxialAnisotropy,
    compiled,
    uniform,
)

if TYPE_CHECKING:
    from tests.conftest import Report

DAMPING, TEMPERATURE = 0.1, 300.0
MAGNETISATION, SIDE = 1e6, 4e-9


def fokker_planck_rate(barrier: float) -> float:
    """Lowest eigenvalue but 0 of Brown's equation for E = −barrier kT z², in units of alpha gamma kT/((1 + alpha²) mu).

    d/dz [(1 − z²) (dP/dz − 2 barrier z P)] = −lambda P, z = m_z (Brown, Phys. Rev. 130, 1677 (1963)); as −(p u')' =
    lambda w u with u = P/w, w = exp(barrier z²), p = (1 − z²) w, in Legendre polynomials and Gaussian quadrature.
    """
    order = 60
    z, weight = np.polynomial.legendre.leggauss(200)
    values = np.polynomial.legendre.legvander(z, order) * np.sqrt(np.arange(order + 1) + 0.5)
    slopes = np.stack([np.polynomial.legendre.Legendre.basis(k).deriv()(z) * math.sqrt(k + 0.5)
                       for k in range(order + 1)], 1)  # fmt: skip
    w = weight * np.exp(barrier * (z * z - 1))
    stiffness = slopes.T @ (((1 - z * z) * w)[:, None] * slopes)
    mass = values.T @ (w[:, None] * values)
    return float(scipy.linalg.eigh(stiffness, mass, eigvals_only=True, subset_by_index=[0, 1])[1])


def test_rate_without_a_barrier_and_with_a_high_one() -> None:
    """Free diffusion: 2. High barriers: Brown's 4 barrier^(3/2) exp(−barrier)/sqrt(pi) times 1 − 1/barrier."""
    assert fokker_planck_rate(0.0) == pytest.approx(2.0, rel=1e-9)
    for barrier in (12.0, 16.0):
        asymptotic = 4 * barrier**1.5 * math.exp(-barrier) / math.sqrt(math.pi) * (1 - 1 / barrier)
        assert fokker_planck_rate(barrier) == pytest.approx(asymptotic, rel=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("barrier", [1.0, 2.0, 3.0, 4.5, 6.0])
def test_switching_rate_of_a_macrospin(barrier: float, report: Report) -> None:
    """The mean of sign-odd z of 65 536 independent spins decays with the lowest eigenvalue once faster modes are gone.

    <z>(t) = sum of exp(−lambda_k t); after 0.5/lambda_1 the next odd mode, at least six times as fast, is down by e^-3
    from its small share. The rate is the logarithm of the means at 0.5/lambda and 1.5/lambda; its error follows from
    the spins.
    """
    moment = MAGNETISATION * SIDE**2 * 1e-9
    energy = barrier * BOLTZMANN * TEMPERATURE / (SIDE**2 * 1e-9)
    constants = Material(
        saturation_magnetisation=MAGNETISATION, exchange_stiffness=1e-11, damping=DAMPING, anisotropy=energy
    )
    film = Film(Grid(32, 32, SIDE, SIDE, 1e-9), constants)
    unit = DAMPING * GYROMAGNETIC_RATIO * BOLTZMANN * TEMPERATURE / ((1 + DAMPING**2) * moment)
    exact = fokker_planck_rate(barrier) * unit
    # Noise turns a spin by 0.1 rad a step.
    dt = 0.5 * 0.1**2 * (1 + DAMPING**2) / (2 * unit)
    steps = round(0.5 / (exact * dt))
    dtype = torch.float32
    system = System(film, terms=(UniaxialAnisotropy(),), replicas=64, dtype=dtype)
    start = uniform(film, (0, 0, 1)).to(dtype).expand(64, -1, -1, -1)
    kind = CompiledHeun if compiled.available() else Heun
    moving = kind(system, start, dt=dt, temperature=TEMPERATURE, seed=int(2 * barrier))
    moving.advance(0.0, steps * dt)
    early: Tensor = moving.m[:, 2].double().flatten()
    moving.advance(steps * dt, 3 * steps * dt)
    late: Tensor = moving.m[:, 2].double().flatten()
    rate = math.log(float(early.mean() / late.mean())) / (2 * steps * dt)
    relative = torch.stack((early / early.mean(), -late / late.mean())).sum(0)
    error = float(relative.std()) / math.sqrt(len(early)) / (2 * steps * dt)
    name = f"switching of a macrospin, barrier {barrier:g} kT: rate over the Fokker-Planck equation's"
    report(name, rate / exact, 1.0, 4 * error / exact)
