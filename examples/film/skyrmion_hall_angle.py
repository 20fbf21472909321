"""Skyrmion Hall angle of one layer: paths of skyrmions under spin-orbit torque for four dampings.

    python examples/film/skyrmion_hall_angle.py docs/images/film/skyrmion-hall-angle.png

A film periodic along both axes; the stray field of so thin a film is part of the anisotropy. Left: paths, right: angle
between velocity and current beside Thiele's equation, tan(angle) = 4 pi |Q|/(alpha D), with the D of each skyrmion at
rest.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch

from barkhausen import micromagnetics as mm
from barkhausen.core.display.plot_style import BLACK, one_column, ordered_colours

DAMPINGS = (0.1, 0.2, 0.3, 0.5)
TERMS = (mm.Exchange(), mm.InterfacialDMI(), mm.UniaxialAnisotropy(), mm.SpinOrbitTorque())


def dissipation(m: torch.Tensor, grid: mm.Grid) -> float:
    """Mean of the two diagonal elements of Thiele's tensor, integral of (dm/dx)²."""
    along = [(torch.roll(m, -1, dim) - torch.roll(m, 1, dim)) / 2 for dim in (2, 3)]
    assert grid.dx == grid.dy
    return sum(float(slope.square().sum()) for slope in along) / 2


def main(picture: Path) -> None:
    """Simulate and draw."""
    grid = mm.Grid(32, 32, 2e-9, 2e-9, 1e-9, periodic=(True, True))
    material = mm.Material(
        saturation_magnetisation=0.58e6, exchange_stiffness=15e-12, damping=0.1, anisotropy=0.6e6, dmi=3.0e-3,
        spin_hall_angle=0.1,
    )  # fmt: skip
    cells = torch.ones(len(DAMPINGS), *grid.shape, dtype=torch.float64)
    damping = cells * torch.tensor(DAMPINGS, dtype=torch.float64)[:, None, None]
    film = mm.Film(grid, material, maps=mm.ParameterMaps(damping=damping))
    alone = mm.Film(grid, material)
    rest = mm.minimize(mm.System(alone, terms=TERMS[:3]), mm.skyrmion(alone), torque=1e-3)
    tensor = dissipation(rest, grid)
    result = mm.simulate(
        film, mm.Drive(current_density=3e11), duration=0.5e-9, every=10e-12, replicas=len(DAMPINGS), initial=rest,
        terms=TERMS, observe=[mm.SkyrmionPosition()],
    )  # fmt: skip
    place = result["skyrmion_position"].transpose("replica", "time", "axis").values
    # Round the periodic edges the path goes on.
    size = np.array([grid.length, grid.width])
    path = np.unwrap(place / size * 2 * np.pi, axis=1) / (2 * np.pi) * size * 1e9
    path -= path[:, :1]
    with one_column():
        figure, (left, right) = plt.subplots(1, 2, figsize=(6.0, 2.3))
        colours = ordered_colours(len(DAMPINGS))
        for alpha, line, colour in zip(DAMPINGS, path, colours, strict=True):
            left.plot(line[:, 0], line[:, 1], color=colour, label=f"α = {alpha:g}")
            way = line[-1] - line[len(line) // 2]
            angle = np.degrees(np.arctan2(abs(way[1]), abs(way[0])))
            right.plot(alpha, angle, "o", color=colour)
            print(f"alpha = {alpha:g}: {angle:.1f} degrees, Thiele {thiele(alpha, tensor):.1f}")
        left.set(xlabel="x (nm)", ylabel="y (nm)", aspect="equal")
        left.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        alphas = np.linspace(0.05, 0.55, 100)
        right.plot(alphas, [thiele(alpha, tensor) for alpha in alphas], color=BLACK, linewidth=0.8, label="Thiele")
        right.set(xlabel="damping α", ylabel="skyrmion Hall angle (degrees)", ylim=(0, 90))
        right.legend()
        picture.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(picture)


def thiele(alpha: float, tensor: float) -> float:
    """Angle in degrees of Thiele's equation for a skyrmion of charge 1."""
    return float(np.degrees(np.arctan2(4 * np.pi, alpha * tensor)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
