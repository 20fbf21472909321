"""Textures relax to what they are named for."""

from __future__ import annotations

import pytest
import torch

from barkhausen.micromagnetics import (
    Film,
    Grid,
    Material,
    System,
    TopologicalCharge,
    bubble,
    cone,
    disc,
    helix,
    material,
    minimize,
    shape_film,
    skyrmionium,
    stripes,
    uniform,
    vortex,
)

COBALT = Material(saturation_magnetisation=5.8e5, exchange_stiffness=15e-12, damping=0.1, anisotropy=0.8e6, dmi=3.6e-3)


def at_rest(film: Film, m: torch.Tensor) -> torch.Tensor:
    return minimize(System(film), m, torque=1e-3, on_maximum="ignore")


def charge(film: Film, m: torch.Tensor) -> float:
    return float(TopologicalCharge().of(film, m)[0])


def test_skyrmionium() -> None:
    film = shape_film(disc(120e-9), COBALT, cell=3e-9, thickness=0.4e-9)
    m = at_rest(film, skyrmionium(film, radius=36e-9))
    assert charge(film, m) == pytest.approx(0, abs=0.15)
    along = m[0, 2, 20]
    signs = torch.sign(along[along.abs() > 0.3])
    # Up, down, up, down, up along a diameter.
    assert int((signs[1:] != signs[:-1]).sum()) == 4
    assert float(along[20]) > 0.8


@pytest.mark.parametrize("polarity", [1, -1])
def test_vortex_in_a_disc(polarity: int) -> None:
    film = shape_film(disc(100e-9), material("permalloy"), cell=5e-9, thickness=20e-9)
    m = at_rest(film, vortex(film, circulation=polarity, polarity=polarity))
    assert charge(film, m) == pytest.approx(0.5 * polarity, abs=0.02)
    assert float(polarity * m[0, 2, 9:11, 9:11].mean()) > 0.7
    assert float(polarity * m[0, 1, 18, 10]) > 0.98
    assert float(polarity * m[0, 0, 10, 18]) < -0.98


def test_bubble_held_by_its_stray_field() -> None:
    iron = Material(saturation_magnetisation=1.1e6, exchange_stiffness=15e-12, damping=0.1, anisotropy=0.8e6)
    film = shape_film(disc(200e-9), iron, cell=5e-9, thickness=20e-9)
    m = at_rest(film, bubble(film, radius=55e-9))
    assert charge(film, m) == pytest.approx(-1, abs=0.01)
    down = float((m[0, 2] < 0).sum()) * 25e-18
    assert 0.25 < down / (torch.pi * 100e-9**2) < 0.6
    assert float(m[0, 2, 20, 20]) < -0.99


def test_spirals_keep_their_period_and_lie_below_the_uniform_state() -> None:
    film = Film(Grid(60, 4, 2e-9, 2e-9, 0.4e-9, periodic=(True, True)), COBALT.model_copy(update={"dmi": 4.5e-3}))
    system = System(film)
    up = float(system.energy(uniform(film, (0, 0, 1)))[0])
    rest = {}
    for name, state in (("stripes", stripes(film, 60e-9)), ("helix", helix(film, 40e-9)), ("cone", cone(film, 40e-9))):
        m = at_rest(film, state)
        mz = m[0, 2, :, 0]
        period = {"stripes": 30, "helix": 20, "cone": 20}[name]
        torch.testing.assert_close(mz, mz.roll(period), rtol=0, atol=0.02)
        rest[name] = float(system.energy(m)[0])
        assert rest[name] < up
        assert rest[name] <= float(system.energy(state)[0])
    # Without field a cone closes to the helix; stripes are already the solution, but for the demagnetisation.
    assert rest["cone"] == pytest.approx(rest["helix"], rel=1e-4)
    assert rest["stripes"] == pytest.approx(float(system.energy(stripes(film, 60e-9))[0]), rel=1e-4)
