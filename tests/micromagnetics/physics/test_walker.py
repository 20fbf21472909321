"""Walker breakdown of a wall under a field: mobility below it, the field itself, the drift above it.

A rigid wall of energy E(phi) per area turns and moves as (1 + alpha²) dphi/dt = gamma (B − B_W s(phi)) and
dq/dt = (Delta/alpha) (gamma B − dphi/dt), where s is a sine: of phi with DMI, of 2 phi with a stray field that
distinguishes Bloch from Néel walls. Either way (Schryer and Walker, J. Appl. Phys. 45, 5406 (1974); Thiaville et al.,
Europhys. Lett. 100, 57002 (2012)) it moves at gamma Delta B/alpha up to B_W, and above it, on the mean over turns, at
(gamma Delta/alpha) (B − sqrt(B² − B_W²)/(1 + alpha²)).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor

from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics import (
    Demag,
    Drive,
    Exchange,
    Film,
    Grid,
    InterfacialDMI,
    Material,
    System,
    Term,
    UniaxialAnisotropy,
    WallAngle,
    WallPosition,
    Zeeman,
    compiled,
    domain_wall,
    minimize,
    simulate,
)

if TYPE_CHECKING:
    from tests.conftest import Report

BACKEND = "compiled" if compiled.available() else "torch"

RATIOS = np.array([0.3, 0.6, 0.9, 1.2, 1.5, 2.0, 3.0, 4.0])
"""Fields over that of Walker."""


def motion(film: Film, terms: tuple[Term, ...], walker: float, start: Tensor, until: float) -> tuple[np.ndarray, ...]:
    """Mean velocity of each wall in m/s, and how often it turned.

    Over whole turns where it turns, over the last third where it does not.
    """
    drive = Drive(field_z=torch.tensor(RATIOS * walker))
    result = simulate(film, drive, duration=until, every=until / 600, replicas=len(RATIOS), initial=start, terms=terms,
                      observe=[WallPosition(), WallAngle()], backend=BACKEND)  # fmt: skip
    position, time = result["wall_position"].values, result["time"].values
    assert np.isfinite(position).all(), "a wall left the track"
    turned = np.abs(np.unwrap(result["wall_angle"].values, axis=0) - result["wall_angle"].values[0]) / (2 * math.pi)
    velocities, turns = [], []
    for q, n in zip(position.T, turned.T, strict=True):
        count = math.floor(n[-1] - 0.5)
        if count < 1:
            velocities.append((q[-1] - q[400]) / (time[-1] - time[400]))
            turns.append(0)
            continue
        # From half a turn, when the start is forgotten, on.
        first, last = (np.interp(level, np.maximum.accumulate(n), np.arange(len(n))) for level in (0.5, 0.5 + count))
        distance = np.interp(last, np.arange(len(q)), q) - np.interp(first, np.arange(len(q)), q)
        velocities.append(distance / ((last - first) * (time[1] - time[0])))
        turns.append(count)
    return np.array(velocities), np.array(turns)


def model(walker: float, delta: float, alpha: float) -> np.ndarray:
    field = RATIOS * walker
    lost = np.sqrt(np.maximum(field**2 - walker**2, 0.0)) / (1 + alpha**2)
    return GYROMAGNETIC_RATIO * delta / alpha * (field - lost)


def compare(report: Report, name: str, found: tuple[np.ndarray, ...], expected: np.ndarray, part: float) -> None:
    ours, turns = found
    # The breakdown lies between 0.9 and 1.2 of the model's.
    assert (turns[RATIOS < 1] == 0).all()
    assert (turns[RATIOS > 1] >= 1).all(), turns
    scale = np.abs(expected).max()
    report(f"{name}: m/s at 0.3, 0.6, 0.9 of Walker's field", ours[:3], expected[:3], part * expected[:3])
    report(f"{name}: drift, m/s at 1.2, 1.5, 2, 3, 4", ours[3:], expected[3:], np.full(5, part * scale))
    # What breakdown is: above it a stronger field drives a slower wall.
    assert ours[4] < 0.8 * ours[2]


@pytest.mark.slow
def test_breakdown_with_dmi(report: Report) -> None:
    """One row of cells, no stray field: B_W = alpha (pi/2) D/(Ms Delta) exactly for a rigid wall.

    The wall is deformed by B_DMI/B_K = 4 % and by the field, B/B_K, 8 % at most, both to second order, and
    (dx/Delta)²/6 = 0.9 %: 3 %.
    """
    constants = Material(saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=0.3, anisotropy=0.8e6,
                         dmi=0.3e-3)  # fmt: skip
    film = Film(Grid(900, 1, 1e-9, 1e-9, 1e-9), constants)
    delta = math.sqrt(constants.exchange_stiffness / constants.anisotropy)
    walker = constants.damping * 0.5 * math.pi * constants.dmi / (constants.saturation_magnetisation * delta)
    terms = (Exchange(), UniaxialAnisotropy(), InterfacialDMI(), Zeeman())
    found = motion(film, terms, walker, domain_wall(film, 120e-9, width=delta), 6e-9)
    compare(report, "wall with DMI", found, model(walker, delta, constants.damping), 0.03)


@pytest.mark.slow
def test_breakdown_without_dmi(report: Report) -> None:
    """A strip 20 nm wide with its stray field, which makes a Bloch or a Néel wall cost more.

    The two parameters of the model come from walls at rest: 2 Delta K = E(90°) − E(0°) per area, B_W = alpha K/Ms, and
    Delta = 2/∫(dm/dx)² dx of the wall that is cheaper. Their energies are those of one profile; K/Keff changes the
    width by half of itself, and with it the velocity; the ends of the strip pull at the wall with 1 % of B_W.
    """
    constants = Material(saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=0.5, anisotropy=0.9e6)
    film = Film(Grid(400, 1, 2e-9, 20e-9, 1e-9), constants)
    terms = (Exchange(), UniaxialAnisotropy(), Demag(), Zeeman())
    system = System(film, terms=terms)
    walls = [minimize(system, domain_wall(film, angle=angle), torque=1e-6, on_maximum="ignore")
             for angle in (0.0, math.pi / 2)]  # fmt: skip
    energy = [float(system.energy(wall)) / (film.grid.width * film.grid.dz) for wall in walls]
    cheaper = walls[int(energy[1] < energy[0])]
    slope = torch.diff(cheaper[0, :, :, 0], dim=1) / film.grid.dx
    delta = 2 / float(slope.square().sum() * film.grid.dx)
    hardness = abs(energy[1] - energy[0]) / (2 * delta)
    walker = constants.damping * hardness / constants.saturation_magnetisation
    start = domain_wall(film, 250e-9, angle=math.pi / 2 if energy[1] < energy[0] else 0.0)
    found = motion(film, terms, walker, start, 14e-9)
    part = 0.5 * hardness / constants.effective_anisotropy + 0.03
    compare(report, "wall with its stray field", found, model(walker, delta, constants.damping), part)
