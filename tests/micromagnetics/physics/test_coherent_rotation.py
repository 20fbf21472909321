"""Stoner-Wohlfarth particles with an easy axis in any direction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from barkhausen.micromagnetics import (
    Drive,
    Film,
    Grid,
    Material,
    ParameterMaps,
    System,
    UniaxialAnisotropy,
    Zeeman,
    minimize,
)

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = pytest.mark.validation

KU, MS = 2e5, 1e6
FIELD = 2 * KU / MS
"""Anisotropy field in T."""
FRACTIONS = torch.linspace(0.4, 1.02, 156, dtype=torch.float64)
"""Fields of the replicas relative to the anisotropy field, 0.004 apart."""


def direction(polar: float, azimuth: float) -> torch.Tensor:
    theta, phi = math.radians(polar), math.radians(azimuth)
    return torch.tensor([math.sin(theta) * math.cos(phi), math.sin(theta) * math.sin(phi), math.cos(theta)]).double()


@pytest.mark.parametrize(
    ("polar", "azimuth", "by_map"),
    [(0.0, 0.0, False), (90.0, 25.0, False), (35.0, -110.0, False), (35.0, -110.0, True)],
)
def test_astroid(polar: float, azimuth: float, by_map: bool, report: Report) -> None:
    """Switching field (cos^(2/3) psi + sin^(2/3) psi)^(−3/2) of 2 Ku/Ms at the angle psi between field and axis."""
    axis = direction(polar, azimuth)
    across = torch.linalg.cross(axis, direction(71.0, 13.0))
    across /= across.norm()
    grid = Grid(1, 1, 4e-9, 4e-9, 2e-9)
    common = {"saturation_magnetisation": MS, "exchange_stiffness": 1e-11, "damping": 0.1, "anisotropy": KU}
    maps = ParameterMaps(easy_axis=axis[:, None, None]) if by_map else None
    film = Film(grid, Material(**common, **({} if by_map else {"easy_axis": tuple(axis.tolist())})), maps=maps)
    for degrees in (10.0, 30.0, 45.0, 70.0):
        psi = math.radians(degrees)
        along = -math.cos(psi) * axis + math.sin(psi) * across
        field = FIELD * FRACTIONS
        drive = Drive(field_x=field * along[0], field_y=field * along[1], field_z=field * along[2])
        system = System(film, drive, (UniaxialAnisotropy(), Zeeman()), replicas=len(FRACTIONS))
        start = (axis + 1e-3 * across).expand(len(FRACTIONS), 3)[:, :, None, None]
        rest = minimize(system, start / start.norm(dim=1, keepdim=True), torque=1e-7)[:, :, 0, 0]
        switched = (rest @ axis < 0).numpy()
        first = int(np.argmax(switched))
        assert switched[first:].all()
        assert not switched[:first].any()
        exact = (math.cos(psi) ** (2 / 3) + math.sin(psi) ** (2 / 3)) ** -1.5
        middle = float(FRACTIONS[first - 1] + FRACTIONS[first]) / 2
        report(
            f"switching field/(2 Ku/Ms) at {degrees:g} degrees, axis at ({polar:g}, {azimuth:g})", middle, exact, 2.1e-3
        )
