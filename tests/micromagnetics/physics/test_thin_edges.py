"""A cell at an edge that is hardly filled, at a temperature: as hot as Boltzmann's distribution says, and no hotter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from barkhausen.core.units import BOLTZMANN
from barkhausen.micromagnetics import (
    Exchange,
    Film,
    Grid,
    ParameterMaps,
    PerpendicularMap,
    UniaxialAnisotropy,
    compiled,
    material,
    simulate,
    uniform,
)

Report = Callable[..., None]

pytestmark = [pytest.mark.validation, pytest.mark.usefixtures("one_thread")]

CONSTANTS = material("cofeb-tantalum", damping=0.5)
GRID = Grid(2, 1, 4e-9, 4e-9, 1e-9)
TEMPERATURE = 300.0


def boltzmann(fraction: float) -> float:
    """<m_z> of a cell with one full neighbour at rest along z: E = -phi (2 A dz dy/dx m_z + Ku V m_z²)."""
    z = np.linspace(-1.0, 1.0, 20001)
    exchange = 2 * CONSTANTS.exchange_stiffness * GRID.dz * GRID.dy / GRID.dx
    energy = -fraction * (exchange * z + CONSTANTS.anisotropy * GRID.cell_volume * z**2)
    weight = np.exp(-(energy - energy.min()) / (BOLTZMANN * TEMPERATURE))
    return float((z * weight).sum() / weight.sum())


# The least filled cell alone in torch, which takes the longest; `make validate` has the others.
CASES = [
    pytest.param(fraction, integrator, backend, marks=marks)
    for fraction in (0.06, 0.3, 1.0)
    for integrator in ("heun", "splitting")
    for backend, marks in (
        ("torch", () if fraction == 0.06 else pytest.mark.slow),
        ("compiled", pytest.mark.skipif(not compiled.available(), reason=compiled.unavailable_reason() or "")),
    )
]


@pytest.mark.parametrize(("fraction", "integrator", "backend"), CASES)
def test_a_thin_sliver_is_in_equilibrium(fraction: float, integrator: str, backend: str, report: Report) -> None:
    """At 6 % it is nearly paramagnetic, which is right for its moment."""
    fill = torch.tensor([[1.0], [fraction]], dtype=torch.float64)
    film = Film(GRID, CONSTANTS, fill, maps=ParameterMaps(frozen=torch.tensor([[True], [False]])))
    result = simulate(
        film, duration=100e-12, every=4e-12, replicas=256, seed=3, temperature=TEMPERATURE, backend=backend,
        initial=uniform(film, (0.0, 0.0, 1.0)), terms=(Exchange(), UniaxialAnisotropy()), integrator=integrator,
        observe=[PerpendicularMap()],
    )  # fmt: skip
    cells = result.mz.transpose("time", "replica", "x", "y").values
    assert np.array_equal(cells[:, :, 0], np.ones_like(cells[:, :, 0]))
    means = cells[6:, :, 1, 0].mean(0)
    error = means.std(ddof=1) / np.sqrt(len(means))
    report(
        f"mz of a cell filled {fraction:.0%}, {integrator}, {backend}", means.mean(), boltzmann(fraction),
        4 * error + 0.002,
    )  # fmt: skip
