"""Grids of odd and prime sizes, and of one row or column, at temperature in both backends."""

from __future__ import annotations

import pytest
import torch

from barkhausen.micromagnetics import (
    Film,
    Grid,
    MeanMagnetisation,
    PerpendicularMap,
    compiled,
    material,
    random_state,
    simulate,
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
