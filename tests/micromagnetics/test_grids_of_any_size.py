"""Grids of odd and prime sizes, and of one row or column, at temperature in both backends."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from barkhausen.core.units import BOLTZMANN, GYROMAGNETIC_RATIO
from barkhausen.micromagnetics import (
    Film,
    Grid,
    MeanMagnetisation,
    PerpendicularMap,
    Zeeman,
    compiled,
    material,
    random_state,
    simulate,
    uniform,
)

SHAPES = [(1, 1), (1, 7), (7, 1), (1, 64), (61, 1), (2, 3), (3, 2), (15, 3), (3, 15), (13, 11), (127, 17), (17, 127)]
BACKENDS = [
    "torch",
    pytest.param("compiled", marks=pytest.mark.skipif(not compiled.available(), reason="no compiled kernel")),
]


def film(shape: tuple[int, int], *, cut: bool) -> Film:
    fill = None
    if cut:
        fill = torch.ones(shape, dtype=torch.float64)
        fill[0, 0] = 0.0 if shape[0] * shape[1] > 2 else 0.5
        fill[-1, -1] = 0.4
    return Film(Grid(*shape, 4e-9, 3e-9, 1e-9), material("cofeb-tantalum"), fill)


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_thermal_steps_stay_on_the_sphere(shape: tuple[int, int], backend: str, cut: bool) -> None:
    own = film(shape, cut=cut)
    start = random_state(own, 1, torch.Generator().manual_seed(0))
    result = simulate(
        own, duration=1e-13, every=5e-14, dt=5e-14, replicas=3, temperature=300.0, backend=backend, seed=4,
        initial=start, observe=[PerpendicularMap(), MeanMagnetisation()],
    )  # fmt: skip
    mz = torch.from_numpy(result["mz"].values)
    assert mz.shape == (3, 3, *shape)
    assert bool((mz.isnan() == (own.fill == 0 if own.fill is not None else torch.zeros(shape) > 0)).all())
    assert float(mz.nan_to_num().abs().max()) <= 1 + 1e-6
    # The replicas start alike and move apart.
    assert torch.equal(mz[0, 0].nan_to_num(), mz[0, 1].nan_to_num())
    assert not torch.equal(mz[2, 0].nan_to_num(), mz[2, 1].nan_to_num())


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("integrator", ["heun", "splitting"])
@pytest.mark.parametrize("shape", [(1, 7), (61, 1), (15, 3), (127, 17)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_every_cell_diffuses_as_a_free_moment(shape: tuple[int, int], integrator: str, backend: str) -> None:
    """Without fields <m_z> = exp(-2 D t), D = alpha gamma kB T/(Ms V (1 + alpha²)), exactly, in the last cell as in the
    first; cells that share random numbers would move alike."""
    own = Film(Grid(*shape, 4e-9, 3e-9, 1e-9), material("cofeb-tantalum", damping=0.3))
    replicas = max(16, 6000 // (shape[0] * shape[1]))
    end = simulate(
        own, duration=4e-12, every=4e-12, dt=1e-13, replicas=replicas, temperature=300.0, backend=backend, seed=1,
        initial=uniform(own, (0, 0, 1)), terms=[Zeeman()], integrator=integrator, observe=[PerpendicularMap()],
    )["mz"].transpose("time", "replica", "x", "y").values[-1]  # fmt: skip
    constants = own.material
    moment = constants.saturation_magnetisation * own.grid.cell_volume
    rate = constants.damping * GYROMAGNETIC_RATIO * BOLTZMANN * 300.0 / (moment * (1 + constants.damping**2))
    expected, spread = math.exp(-2 * rate * 4e-12), float(end.std())
    assert 0.2 < expected < 0.95
    assert abs(float(end.mean()) - expected) < 4 * spread / math.sqrt(end.size)
    # Cells one by one, and each beside the next in the order of memory.
    cells = end.reshape(replicas, -1)
    assert np.abs(cells.mean(0) - expected).max() < 5.5 * spread / math.sqrt(replicas)
    flat = (cells - cells.mean()) / spread
    assert abs(float((flat[:, 1:] * flat[:, :-1]).mean())) < 4 / math.sqrt(flat[:, 1:].size)


@pytest.mark.skipif(not compiled.available(), reason="no compiled kernel")
@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_the_backends_agree_without_noise(shape: tuple[int, int]) -> None:
    own = film(shape, cut=True)
    start = random_state(own, 1, torch.Generator().manual_seed(1))
    found = [
        simulate(own, duration=5e-13, every=5e-13, dt=5e-14, initial=start, backend=backend, dtype=dtype,
                 observe=[PerpendicularMap()])["mz"].values[-1]
        for backend, dtype in (("compiled", torch.float32), ("torch", torch.float64))
    ]  # fmt: skip
    difference = torch.from_numpy(found[0]) - torch.from_numpy(found[1])
    assert float(difference.nan_to_num().abs().max()) < 2e-5
