"""Standard problem with Dzyaloshinskii-Moriya interaction against the published results of other codes.

Cortés-Ortuño et al., New J. Phys. 20, 113015 (2018), in its interfacial version without demagnetisation: a wire of 100
nm on cells of 1 nm, and a skyrmion in a disc of 100 nm on cells of 2 nm, of which those are full whose centre lies
inside. The numbers below are quoted from the data and notebooks that belong to the paper (doi:10.5281/zenodo.1174311;
github.com/fangohr/paper-supplement-standard-problem-dmi, notebooks/data and 2d_problem.ipynb). Their sign of D is the
other one: m_x along the wire is mirrored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.interpolate
import scipy.optimize
import torch

from barkhausen.micromagnetics import (
    Exchange,
    Film,
    Grid,
    InterfacialDMI,
    Material,
    System,
    UniaxialAnisotropy,
    minimize,
    skyrmion,
    uniform,
)

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = pytest.mark.validation

CONSTANTS = Material(
    saturation_magnetisation=0.86e6, exchange_stiffness=13e-12, damping=0.1, anisotropy=0.4e6, dmi=-3e-3,
    source="Cortés-Ortuño et al., New J. Phys. 20, 113015 (2018)",
)  # fmt: skip

TERMS = (Exchange(), InterfacialDMI(), UniaxialAnisotropy())

WIRE = {
    "OOMMF": ((-0.6134517, -0.5314879, -0.4564960), (0.7897323, 0.8470659, 0.8897255)),
    "Fidimag": ((-0.6134514, -0.5314876, -0.4564956), (0.7897325, 0.8470661, 0.8897257)),
    "mumax3": ((-0.6134471, -0.5314832, -0.4564912), (0.7897358, 0.8470689, 0.8897280)),
}
"""m_x and m_z of the first three cells."""

DISC = {"OOMMF": (-0.8407198, -0.9200825, -0.9621242), "Fidimag": (-0.8407200, -0.9200826, -0.9621243)}
"""m_z at x = −49, −47, −45 nm and y = 1 nm."""

RADIUS = {"OOMMF": 21.8708, "Fidimag": 21.8708}
"""Radius of the skyrmion in nm along that row: m_z = 0 of a cubic interpolation."""

GHOST = {"mumax3": 22.0938}
"""The same of mumax3, which writes the condition at the edge into a ghost cell. With m across the edge as well as along
it, as at steps of the disc's edge, that differs by a field of order D² in the outermost cells, see InterfacialDMI."""

EXACT = 22.0304
"""The same of the paper's own solution of the radial equation."""


def test_wire(report: Report) -> None:
    """Tilt at the end of the wire, cell by cell; a minimisation ends within 5e-6."""
    film = Film(Grid(100, 1, 1e-9, 1e-9, 1e-9), CONSTANTS)
    m = minimize(System(film, terms=TERMS), uniform(film, (0.0, 0.0, 1.0)), torque=1e-6)[0, :, :3, 0].numpy()
    for code, (along, out) in WIRE.items():
        report(f"DMI problem, wire: m_x of three cells, {code}", m[0], along, 5e-6)
        report(f"DMI problem, wire: m_z of three cells, {code}", m[2], out, 5e-6)


def test_disc(report: Report) -> None:
    """Profile and radius of the skyrmion on the same cells; the radius is soft, so 1e-6 T end it within 1e-3 nm."""
    grid = Grid(50, 50, 2e-9, 2e-9, 2e-9)
    x = np.arange(-49.0, 50.0, 2.0)
    inside = np.hypot(x[:, None], x) < 50
    film = Film(grid, CONSTANTS, fill=torch.as_tensor(inside, dtype=torch.float64))
    start = skyrmion(film, radius=20e-9, width=6e-9, polarity=1)
    row = minimize(System(film, terms=TERMS), start, torque=1e-6)[0, 2, :, 25].numpy()
    radius = scipy.optimize.brentq(scipy.interpolate.interp1d(x, row, kind="cubic"), 0, 48)
    for code, profile in DISC.items():
        report(f"DMI problem, disc: m_z of three cells, {code}", row[:3], profile, 2e-5)
    for code, reference in RADIUS.items():
        report(f"DMI problem, disc: radius of the skyrmion, nm, {code}", radius, reference, 1e-3)
    for code, reference in GHOST.items():
        report(f"DMI problem, disc: radius of the skyrmion, nm, {code} (ghost cells)", radius, reference, 0.25)
    report("DMI problem, disc: radius of the skyrmion, nm, radial equation", radius, EXACT, 0.2)
