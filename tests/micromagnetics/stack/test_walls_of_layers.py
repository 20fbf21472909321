"""Walls of two layers coupled antiparallel: speed by each torque, in a gradient of Ku, and the current that frees them.

The walls of both layers move as one. With pressure p_i and drag 2 alpha Ms v/(gamma Delta) of each layer,
v = gamma Delta (p_1 + p_2)/(4 alpha Ms), where p = pi Ms B of the spin-orbit field B on a Néel wall and p = -2 Delta
dKu/dx of a gradient; Zhang-Li torque gives xi u/alpha. All tolerances of 1 % are for the grid, (dx/Delta)²/6 = 0.9 %;
what else is left out goes with the square of v/(gamma Delta sqrt(2 B_E B_K)), 1e-3.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics import (
    Drive,
    Film,
    Grid,
    InterlayerExchange,
    Layer,
    Material,
    SpinOrbitTorque,
    Stack,
    System,
    WallPosition,
    ZhangLi,
    domain_wall,
    minimize,
    simulate,
)

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = pytest.mark.slow

MS, ALPHA = 5.8e5, 0.3

CONSTANTS = Material(
    saturation_magnetisation=MS, exchange_stiffness=1.5e-11, damping=ALPHA, anisotropy=2e5, dmi=3e-4,
    spin_hall_angle=0.1,
)  # fmt: skip

GRID = Grid(96, 1, 2e-9, 2e-9, 2e-9)

DELTA = math.sqrt(1.5e-11 / 2e5)

UNIT = GYROMAGNETIC_RATIO * DELTA / (4 * ALPHA * MS)
"""Speed in m/s a pressure of 1 J/m3."""

SLOPE = 1e12
"""Gradient of Ku in J/m4: by half over 100 nm."""


def pair(
    *, graded: tuple[bool, bool] = (False, False), driven: tuple[float, float] = (1.0, 1.0),
    constants: Material = CONSTANTS,
) -> Stack:  # fmt: skip
    """Two layers of 2 nm, 1.7 T of coupling; those graded have Ku rise along x about its value in the middle."""
    rise = (SLOPE * (GRID.x - GRID.length / 2) + constants.anisotropy)[:, None]
    films = [Film(GRID, constants, anisotropy=rise if slope else None) for slope in graded]
    layers = [Layer(film, current=share) for film, share in zip(films, driven, strict=True)]
    return Stack(layers, [2e-9], [InterlayerExchange(0, 1, bilinear=-2e-3)], demag=False)


def speeds(
    stack: Stack, currents: list[float], *, cells: float, expected: float, name: str = "current_density"
) -> np.ndarray:
    """Speed of the walls in m/s for each current density in A/m2, over whole cells, after a cell to settle.

    They start in the middle, from rest without a gradient.
    """
    level = pair()
    wall = domain_wall(level.layers[0].film, width=DELTA)
    start = minimize(System(level), level.join([wall, -wall]), torque=1e-4)
    every = GRID.dx / abs(expected) / 8
    count = round(8 * cells)
    result = simulate(
        stack, Drive(**{name: torch.tensor(currents, dtype=torch.float64)}), duration=(count + 8) * every,
        every=every, replicas=len(currents), initial=start, backend="torch", dtype=torch.float64,
        observe=[WallPosition()],
    )  # fmt: skip
    place = result["wall_position"].values
    apart = np.abs(place[:, :, 0] - place[:, :, 1]).max()
    assert apart < 0.1e-9
    return np.asarray((place[-1] - place[8]).mean(-1) / (count * every))


def pressure(current: float = 1.0) -> float:
    """pi Ms B in J/m3 of the spin-orbit torque of a current density in A/m2 on one layer."""
    return math.pi * MS * SpinOrbitTorque.field_per_current(Film(GRID, CONSTANTS)) * current


def test_speed_by_spin_orbit_torque(report: Report) -> None:
    """(pi/2) gamma Delta B/alpha if both layers are driven, half of it if one is."""
    for driven in ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0)):
        fast = 80.0
        current = fast / (UNIT * sum(driven) * pressure())
        ours = speeds(pair(driven=driven), [current, -current], cells=2, expected=fast)
        which = "both" if sum(driven) == 2 else "the lower" if driven[0] else "the upper"
        report(f"coupled layers: wall speed, m/s, {which} driven", ours, [fast, -fast], 0.01 * fast)


def test_speed_in_a_gradient_of_anisotropy(report: Report) -> None:
    """-gamma Delta² (dKu/dx)/(alpha Ms), as that of one layer; half of it if one layer is graded."""
    for graded in ((True, True), (True, False)):
        model = -UNIT * 2 * DELTA * SLOPE * sum(graded)
        ours = speeds(pair(graded=graded), [0.0], cells=1, expected=model)
        name = f"coupled layers: wall in a gradient of Ku, m/s, {sum(graded)} graded"
        report(name, ours, model, 0.01 * abs(model))


def test_current_that_frees_a_wall_from_a_layer_with_a_gradient(report: Report) -> None:
    """A gradient of Ku in one layer holds the walls of both until n pi Ms B = 2 Delta dKu/dx, n layers being driven.

    The threshold is where the speed, which is linear in the current, changes its sign.
    """
    model = 2 * DELTA * SLOPE / pressure()
    for driven in ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0)):
        layers = sum(driven)
        moving = UNIT * 2 * DELTA * SLOPE
        stack = pair(graded=(True, False), driven=driven)
        low, high = speeds(stack, [0.5 * model / layers, 1.5 * model / layers], cells=0.5, expected=moving)
        assert low < 0 < high
        ours = model / layers * (0.5 - low / (high - low))
        which = "both layers" if layers == 2 else "the graded layer" if driven[0] else "the other layer"
        name = f"coupled layers: current that frees a wall from a gradient, 1e10 A/m2, {which} driven"
        report(name, ours / 1e10, model / layers / 1e10, 0.01 * model / 1e10)


@pytest.mark.parametrize("share", [0.0, 1.0, 2.0])
def test_speed_by_zhang_li_torque(share: float, report: Report) -> None:
    """xi u/alpha at any xi, without DMI and other hard axes, where a single wall turns and moves at
    u (1 + xi alpha)/(1 + alpha²): the coupling holds two walls that would turn in opposite senses.
    """
    constants = CONSTANTS.model_copy(
        update={"spin_hall_angle": 0.0, "dmi": 0.0, "spin_polarisation": 0.5, "non_adiabaticity": share * ALPHA}
    )
    fast = 40.0
    current = fast / ZhangLi.drift_per_current(constants)
    ours = speeds(pair(constants=constants), [current], cells=2, expected=fast, name="magnet_current_density")
    report(f"coupled layers: wall speed over u by Zhang-Li torque, xi = {share:g} alpha", ours / fast, share, 0.01)
