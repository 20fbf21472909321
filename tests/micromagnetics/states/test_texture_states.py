"""States relax to what they are named for, and the sign of the DMI gives their default handedness."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    Film,
    Grid,
    InterfacialDMI,
    Material,
    System,
    bubble,
    cone,
    head_to_head_wall,
    helix,
    material,
    minimize,
    skyrmion,
    skyrmion_radius,
    skyrmionium,
    stripes,
    uniform,
    vortex,
)

COBALT = Material(saturation_magnetisation=5.8e5, exchange_stiffness=15e-12, damping=0.1, anisotropy=0.8e6, dmi=3.2e-3)
GRID = Grid(40, 36, 2e-9, 2e-9, 0.4e-9)


def with_dmi(dmi: float) -> Film:
    return Film(GRID, COBALT.model_copy(update={"dmi": dmi}))


def solid_angle(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    volume = (a * torch.linalg.cross(b, c, dim=0)).sum(0)
    return 2 * torch.atan2(volume, 1 + (a * b).sum(0) + (b * c).sum(0) + (c * a).sum(0))


def charge(m: Tensor) -> float:
    """Solid angle of all plaquettes over 4π (Berg and Luescher 1981), of a film that is uniform at its edge."""
    p, q, r, s = m[:, :-1, :-1], m[:, 1:, :-1], m[:, 1:, 1:], m[:, :-1, 1:]
    return float((solid_angle(p, q, r) + solid_angle(p, r, s)).sum() / (4 * math.pi))


def energy(film: Film, m: Tensor) -> float:
    return float(System(film).energy(m)[0])


def dmi_energy(film: Film, m: Tensor) -> float:
    system = System(film)
    return float(InterfacialDMI().energy(system.state(m))[0])


def unit(m: Tensor) -> bool:
    return bool(torch.allclose(torch.linalg.vector_norm(m, dim=1), torch.ones(()).double(), rtol=0, atol=1e-13))


@pytest.mark.parametrize("dmi", [3.2e-3, -3.2e-3])
@pytest.mark.parametrize("polarity", [1, -1])
def test_default_skyrmion_has_the_handedness_of_the_dmi_and_the_charge_asked_for(dmi: float, polarity: int) -> None:
    film = with_dmi(dmi)
    own = skyrmion(film, polarity=polarity)
    other = skyrmion(film, polarity=polarity, helicity=0.0 if dmi * polarity > 0 else math.pi)
    assert unit(own)
    assert dmi_energy(film, own) < 0 < dmi_energy(film, other)
    assert energy(film, own) < energy(film, other)
    assert charge(own[0]) == pytest.approx(polarity, abs=0.02)
    anti = skyrmion(film, polarity=polarity, vorticity=-1)
    assert charge(anti[0]) == pytest.approx(-polarity, abs=0.02)


def test_skyrmion_relaxes_to_a_skyrmion_of_nearly_the_radius_of_theory() -> None:
    film = with_dmi(3.2e-3)
    radius, width = skyrmion_radius(film)
    keff = film.material.effective_anisotropy
    assert width == pytest.approx(math.pi * 3.2e-3 / (4 * keff))
    m = minimize(System(film), skyrmion(film))
    assert charge(m[0, :, 8:-8, 8:-8]) == pytest.approx(-1, abs=0.1)  # away from the tilt at the edge
    # The circle m_z = 0 encloses an area of cells that are down.
    share = float((m[0, 2] < 0).sum()) * GRID.dx * GRID.dy
    assert math.sqrt(share / math.pi) == pytest.approx(radius, abs=1.5e-9)
    middle = m[0, :, 20 + round(radius / 2e-9), 18]
    assert middle[0] > 0.7  # outward, core down, D > 0


def test_places_and_radii_differ_between_replicas() -> None:
    film = with_dmi(3e-3)
    places, radii = [[30e-9, 20e-9], [50e-9, 40e-9]], [8e-9, 12e-9]
    m = skyrmion(film, places, radii)
    assert m.shape == (2, 3, 40, 36)
    for replica, ((x, y), radius) in enumerate(zip(places, radii, strict=True)):
        down = m[replica, 2] < 0
        assert float(down.sum()) * 4e-18 == pytest.approx(math.pi * radius**2, rel=0.05)
        assert float(GRID.x[down.any(1)].mean()) == pytest.approx(x, abs=1e-9)
        assert float(GRID.y[down.any(0)].mean()) == pytest.approx(y, abs=1e-9)
    # The profile itself, along a row through cell centres.
    one = skyrmion(film, (31e-9, 21e-9), 9e-9, width=4e-9)
    r = (GRID.x - 31e-9).abs()
    theta = 2 * torch.atan(math.sinh(9 / 4) / torch.sinh(r / 4e-9))
    torch.testing.assert_close(one[0, 2, :, 10], torch.cos(theta), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dmi", [3.6e-3, -3.6e-3])
def test_skyrmionium_is_a_ring_without_charge(dmi: float) -> None:
    film = with_dmi(dmi)
    m = skyrmionium(film, radius=24e-9)
    assert unit(m)
    assert charge(m[0]) == pytest.approx(0, abs=0.02)
    assert (float(m[0, 2, 20, 18]) > 0.5) == (float(m[0, 2, 0, 0]) > 0.5)
    assert float(m[0, 2, 28, 18]) < -0.5
    other = skyrmionium(film, radius=24e-9, helicity=math.pi if dmi > 0 else 0.0)
    assert dmi_energy(film, m) < 0 < dmi_energy(film, other)


def test_bubbles_of_both_kinds() -> None:
    film = with_dmi(0.0)
    first, second = bubble(film, radius=20e-9), bubble(film, radius=20e-9, direction=0.3)
    assert charge(first[0]) == pytest.approx(-1, abs=0.02)
    assert charge(second[0]) == pytest.approx(0, abs=0.02)
    # The default is a Bloch wall: its in-plane part is tangential.
    x, y = GRID.x[:, None] - 40e-9, GRID.y[None] - 36e-9
    radial = (first[0, 0] * x + first[0, 1] * y) / torch.hypot(x, y)
    assert float(radial.abs().max()) < 1e-12
    assert bool((second[0, :2].norm(dim=0) > 0.9).any())


@pytest.mark.parametrize("dmi", [2e-3, -2e-3])
@pytest.mark.parametrize("direction", [0.0, 2.0])
def test_default_helices_turn_as_the_dmi_prefers(dmi: float, direction: float) -> None:
    film = with_dmi(dmi)
    period = 4 * math.pi * 15e-12 / abs(dmi)
    m = helix(film, direction=direction)
    assert unit(m)
    assert dmi_energy(film, m) < 0
    assert dmi_energy(film, helix(film, direction=direction, sense=1)) == pytest.approx(
        -dmi_energy(film, helix(film, direction=direction, sense=-1))
    )
    s = GRID.x[:, None] * math.cos(direction) + GRID.y[None] * math.sin(direction)
    torch.testing.assert_close(m[0, 2], torch.cos(2 * math.pi * s / period), rtol=0, atol=1e-12)
    own = cone(film, opening=math.pi / 4, direction=direction)
    torch.testing.assert_close(own[0, 2], math.sqrt(0.5) * torch.cos(2 * math.pi * s / period), rtol=0, atol=1e-12)
    assert dmi_energy(film, own) < 0
    narrow = helix(film, 20e-9, axis=(1, 0, 0), direction=0.0)  # a helix in the narrow sense
    assert float(narrow[0, 0].abs().max()) < 1e-15


def test_energy_of_the_helix_is_that_of_theory() -> None:
    film = Film(Grid(120, 1, 0.5e-9, 0.5e-9, 0.4e-9), COBALT.model_copy(update={"dmi": 3e-3, "anisotropy": 0.0}))
    system = System(film)
    m = helix(film, 20e-9)
    k, volume = 2 * math.pi / 20e-9, 119 * film.grid.cell_volume
    total = sum(float(term.energy(system.state(m))[0]) for term in system.terms if type(term).__name__ != "Demag")
    assert total == pytest.approx((15e-12 * k**2 - 3e-3 * k) * volume, rel=2e-3)


@pytest.mark.parametrize("dmi", [3e-3, -3e-3, 0.0])
@pytest.mark.parametrize("period", [4e-9, 30e-9, 200e-9, 1000e-9])
def test_stripes_solve_the_equation_of_the_wall(dmi: float, period: float) -> None:
    in_a_period = 250 * math.ceil(period / 100e-9)
    cells = Grid(in_a_period + 150, 1, period / in_a_period, 2e-9, 0.4e-9)
    film = Film(cells, COBALT.model_copy(update={"dmi": dmi}))
    m = stripes(film, period, phase=0.4)
    assert unit(m)
    assert dmi_energy(film, m) < 0 or dmi == 0
    theta = torch.atan2(m[0, 0] + m[0, 1], m[0, 2])[:, 0]
    theta = torch.from_numpy(np.unwrap(theta.numpy()))
    width = film.material.wall_width
    bending = (theta[2:] - 2 * theta[1:-1] + theta[:-2]) / film.grid.dx**2 * width**2
    scale = max(1.0, (2 * math.pi * width / period) ** 2)
    assert float((bending - 0.5 * torch.sin(2 * theta[1:-1])).abs().max()) < 3e-3 * scale
    # One period on, the same state.
    torch.testing.assert_close(m[0, 2, :150], m[0, 2, in_a_period:], rtol=0, atol=1e-9)


def test_transverse_wall_relaxes_to_one() -> None:
    film = Film(Grid(50, 10, 4e-9, 4e-9, 4e-9), material("permalloy"))
    for left, transverse in ((1, 1), (-1, -1)):
        m = minimize(System(film), head_to_head_wall(film, left=left, transverse=transverse), on_maximum="ignore")
        assert float(transverse * m[0, 1, 25, 5]) > 0.9
        assert float(left * m[0, 0, 8, 5]) > 0.9
        assert float(left * m[0, 0, -8, 5]) < -0.9


def test_vortex_wall_relaxes_to_one() -> None:
    film = Film(Grid(48, 20, 6e-9, 6e-9, 15e-9), material("permalloy"))
    for circulation, polarity in ((1, -1), (-1, 1)):
        start = head_to_head_wall(film, kind="vortex", circulation=circulation, polarity=polarity)
        assert unit(start)
        m = minimize(System(film), start, torque=1e-3)
        core = int((polarity * m[0, 2]).flatten().argmax())
        x, y = divmod(core, 20)
        assert float(polarity * m[0, 2, x, y]) > 0.6
        assert float(circulation * m[0, 0, x, 19]) < -0.7  # above the core against the circulation
        assert float(circulation * m[0, 0, x, 0]) > 0.7
        assert float(m[0, 0, 4, 10]) > 0.6 > -0.6 > float(m[0, 0, -4, 10])


def test_vortices_at_places() -> None:
    film = Film(Grid(21, 21, 4e-9, 4e-9, 20e-9), material("permalloy"))
    m = vortex(film, 1, -1, position=[[22e-9, 42e-9], [62e-9, 42e-9]])
    assert m[0, :, 5, 10].tolist() == pytest.approx([0, 0, -1], abs=1e-14)
    assert m[1, :, 15, 10].tolist() == pytest.approx([0, 0, -1], abs=1e-14)


def test_nothing_in_empty_cells() -> None:
    fill = torch.ones(40, 36)
    fill[:3] = 0
    film = Film(GRID, COBALT.model_copy(update={"dmi": 3e-3}), fill)
    for m in (
        skyrmion(film, radius=9e-9), skyrmionium(film), bubble(film), helix(film), cone(film), stripes(film, 20e-9),
        head_to_head_wall(film), head_to_head_wall(film, kind="vortex"), uniform(film, (0, 0, 1)),
    ):  # fmt: skip
        assert not m[:, :, :3].any()
        assert unit(m[:, :, 3:])


IMPOSSIBLE: list[tuple[Any, dict[str, Any], str]] = [
    (skyrmion, {"polarity": 0}, r"polarity = 0: must be 1 \(up\) or -1 \(down\)"),
    (skyrmion, {"vorticity": 0}, "vorticity = 0: must be a whole number other than 0"),
    (skyrmion, {"position": (1, 2, 3)}, r"position: shape \(3,\) is not \(2,\) or \(replicas, 2\): x and y in m"),
    (skyrmion, {"position": (20, 20)}, "position: must lie within the film, 0 to 8e-08 m and 0 to 7.2e-08 m"),
    (skyrmion, {"radius": -1e-9}, "radius = -1e-09: must be a positive length in m, or one for each replica"),
    (skyrmion, {"helicity": math.nan}, "helicity = nan: must be a finite angle in rad"),
    (skyrmionium, {"inner_radius": 50e-9}, "inner_radius: must be smaller than radius"),
    (bubble, {"radius": 5e-9}, "radius: a bubble of 5e-09 m is no wider than its wall; use skyrmion"),
    (bubble, {"helicity": 0.0, "direction": 0.0}, "helicity, direction: exclude each other"),
    (helix, {"period": 0.0}, "period = 0.0: must be a positive length in m"),
    (helix, {"axis": (0, 0, 0)}, r"axis = \[0.0, 0.0, 0.0\]: must be three numbers, not all zero"),
    (cone, {"opening": 2.0}, r"opening = 2.0: must be above 0 and at most pi/2 rad"),
    (stripes, {"period": -1.0}, "period = -1.0: must be a positive length in m"),
    (head_to_head_wall, {"kind": "vortx"}, "kind = 'vortx': must be transverse or vortex; did you mean 'vortex'?"),
    (head_to_head_wall, {"position": -1.0}, "position: a wall must lie within the film, 0 to 8e-08 m"),
]


def test_impossible_states_are_refused() -> None:
    for state, changes, message in IMPOSSIBLE:
        with pytest.raises(InputError, match=f"^{message.replace('?', '[?]')}$"):
            state(with_dmi(3e-3), **changes)
    for film in (with_dmi(0.0), with_dmi(9e-3)):
        with pytest.raises(InputError, match=r"^radius: must be given; a skyrmion stands free without field for 0 < "):
            skyrmion(film)
    with pytest.raises(InputError, match=r"^period: must be given in m for a material without DMI$"):
        helix(with_dmi(0.0))
