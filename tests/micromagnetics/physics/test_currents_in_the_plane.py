"""Walls and spirals that a current in a film drives: head to head in a wire, on a ring, with the current along y."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from barkhausen.micromagnetics import (
    Demag,
    Drive,
    Exchange,
    Film,
    Grid,
    LineProfile,
    Material,
    MeanMagnetisation,
    System,
    UniaxialAnisotropy,
    WallAngle,
    WallPosition,
    ZhangLi,
    compiled,
    domain_wall,
    head_to_head_wall,
    material,
    mean_velocity,
    minimize,
    simulate,
)

Report = Callable[..., None]

pytestmark = [pytest.mark.validation, pytest.mark.usefixtures("one_thread")]

CURRENT = -2e12
"""The electrons drift, and walls move, along +x."""


def wire(ratio: float, damping: float = 0.1) -> Material:
    """Wall width sqrt(A/Ku) = 12 nm; xi is ``ratio`` times the damping."""
    return Material(
        saturation_magnetisation=8e5, exchange_stiffness=1.3e-11, damping=damping, anisotropy=9e4,
        easy_axis=(1.0, 0.0, 0.0), spin_polarisation=0.5, non_adiabaticity=damping * ratio,
    )  # fmt: skip


def drift(constants: Material) -> float:
    """u in m/s."""
    return ZhangLi.drift_per_current(constants) * CURRENT


@pytest.mark.parametrize("ratio", [0.0, 1.0, 3.0])
def test_head_to_head_wall_of_a_wire_without_a_hard_axis(ratio: float, report: Report) -> None:
    """Exact: v = u (1 + alpha xi)/(1 + alpha²), and the wall turns about the wire, y to z, at
    (xi - alpha) u/((1 + alpha²) Delta)."""
    constants = wire(ratio)
    film = Film(Grid(80, 1, 4e-9, 4e-9, 2e-9), constants)
    width = math.sqrt(constants.exchange_stiffness / constants.anisotropy)
    terms = (Exchange(), UniaxialAnisotropy(), ZhangLi())
    start = minimize(System(film, terms=terms), head_to_head_wall(film, 100e-9, width=width), on_maximum="ignore")
    result = simulate(
        film, Drive(magnet_current_density=CURRENT), duration=0.3e-9, every=0.01e-9, terms=terms, initial=start,
        observe=[WallPosition(component="x"), MeanMagnetisation()], dtype=torch.float64,
    )  # fmt: skip
    u, alpha, xi = drift(constants), constants.damping, constants.non_adiabaticity
    v = float(mean_velocity(result).velocity[0])
    expected = u * (1 + alpha * xi) / (1 + alpha**2)
    report(f"head-to-head wall by Zhang-Li torque, xi = {ratio:g} alpha, v in m/s", v, expected, 0.004 * expected)
    angle = np.unwrap(np.arctan2(result.m.values[:, 0, 2], result.m.values[:, 0, 1]))
    rate = (angle[-1] - angle[0]) / 0.3e-9
    turning = (xi - alpha) * u / ((1 + alpha**2) * width)
    report("its angle about the wire, rad/ns", 1e-9 * rate, 1e-9 * turning, 1e-9 * (0.01 * abs(turning) + 1e7))


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_head_to_head_walls_of_a_flat_wire_below_their_limit(ratio: float, report: Report) -> None:
    """The stray field holds the walls in the plane: v = xi u/alpha (Thiaville et al., Europhys. Lett. 69, 990 (2005)).
    Two walls on a ring, since the ends of a wire attract a wall; their place is the phase of the ground wave of m_x."""
    cells = 96
    constants = wire(ratio, damping=0.3)
    film = Film(Grid(cells, 1, 4e-9, 4e-9, 2e-9, periodic=(True, False)), constants)
    terms = (Exchange(), UniaxialAnisotropy(), Demag(), ZhangLi())
    half = head_to_head_wall(Film(Grid(cells // 2, 1, 4e-9, 4e-9, 2e-9), constants), width=10e-9)
    back = half.flip(2)
    start = minimize(System(film, terms=terms), torch.cat((half, back), 2), on_maximum="ignore")
    result = simulate(
        film, Drive(magnet_current_density=CURRENT), duration=0.6e-9, every=0.05e-9, terms=terms, initial=start,
        observe=[LineProfile()], dtype=torch.float64,
    )  # fmt: skip
    wave = np.fft.fft(result.line.sel(component="x").transpose("time", ..., "x").values.reshape(-1, cells), axis=1)[
        :, 1
    ]
    place = -np.unwrap(np.angle(wave)) * film.grid.length / (2 * math.pi)
    expected = ratio * drift(constants)
    v = (place[-1] - place[-3]) / 0.1e-9
    report(f"head-to-head walls on a ring, stray field, xi = {ratio:g} alpha, v in m/s", v, expected, 0.01 * expected)


@pytest.mark.parametrize("along", ["x", "y"])
def test_a_spiral_on_a_ring_runs_at_the_drift(along: str, report: Report) -> None:
    """xi = alpha and no field: m(x, t) = m(x - u t, 0), exactly, here with the slope that the cells see."""
    cells = 24
    constants = material("permalloy", damping=0.1, spin_polarisation=0.5, non_adiabaticity=0.1)
    phase = 2 * math.pi * torch.arange(cells, dtype=torch.float64) / cells
    spiral = torch.stack((phase.cos(), phase.sin(), 0 * phase))[None, :, :, None]
    if along == "x":
        film = Film(Grid(cells, 1, 4e-9, 4e-9, 1e-9, periodic=(True, False)), constants)
    else:
        film, spiral = Film(Grid(1, cells, 4e-9, 4e-9, 1e-9, periodic=(False, True)), constants), spiral.mT
    drive = Drive(magnet_current_density=CURRENT, current_direction=(1, 0) if along == "x" else (0, 1))
    result = simulate(
        film, drive, duration=0.1e-9, every=0.1e-9, terms=(Exchange(), ZhangLi()), initial=spiral, observe=[_Phase()],
        dtype=torch.float64,
    )  # fmt: skip
    turn = 2 * math.pi / cells
    slope = (8 * math.sin(turn) - math.sin(2 * turn)) / (6 * turn)
    expected = -slope * drift(constants) * 0.1e-9 * turn / 4e-9
    report(f"spiral on a ring along {along}, phase in rad", float(result.phase[-1, 0]), expected, 1e-4)


class _Phase(WallAngle):
    """Angle in the plane of the first cell."""

    name = "phase"

    def __call__(self, system: System, state: object) -> Tensor:
        m = state.m[:, :, 0, 0]  # type: ignore[attr-defined]
        return torch.atan2(m[:, 1], m[:, 0])


BACKENDS = ["torch", pytest.param("compiled", marks=pytest.mark.skipif(
    not compiled.available(), reason=compiled.unavailable_reason() or ""))]  # fmt: skip


def quarter(values: Tensor) -> Tensor:
    """A quarter turn of the film and its vectors, x to y."""
    x, y, z = values.mT.flip(2).unbind(1)
    return torch.stack((-y, x, z), dim=1)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("torque", ["spin-orbit", "Zhang-Li"])
def test_a_track_along_y_is_that_along_x_turned(torque: str, backend: str) -> None:
    """A perpendicular wall driven through a track, and the same track turned by 90 degrees with its current."""
    constants = material("cofeb-tantalum", spin_polarisation=0.5, non_adiabaticity=0.06)
    track = Film(Grid(40, 5, 4e-9, 4e-9, 1e-9), constants)
    turned = Film(Grid(5, 40, 4e-9, 4e-9, 1e-9), constants)
    start = domain_wall(track, 60e-9)
    signal = {"current_density": 8e11} if torque == "spin-orbit" else {"magnet_current_density": -8e12}
    ends = []
    for film, initial, direction in ((track, start, (1.0, 0.0)), (turned, quarter(start), (0.0, 1.0))):
        result = simulate(
            film, Drive(**signal, current_direction=direction), duration=2e-11, every=2e-11, dt=8e-14, initial=initial,  # type: ignore[arg-type]
            observe=[_Whole()], backend=backend,
        )  # fmt: skip
        ends.append(torch.from_numpy(result.whole.values[-1]).double())
    assert float((ends[0] - start).abs().max()) > 0.2
    torch.testing.assert_close(ends[1], quarter(ends[0]), rtol=0, atol=2e-5)


class _Whole(MeanMagnetisation):
    """Magnetisation of all cells."""

    name = "whole"
    dimensions = ("component", "x", "y")

    def coordinates(self, film: Film) -> dict[str, list[object]]:  # type: ignore[override]
        return {}

    def __call__(self, system: System, state: object) -> Tensor:
        return state.m  # type: ignore[attr-defined]
