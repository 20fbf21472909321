"""Draw outlines, maps of parameters and initial states.

python examples/shapes_and_states.py docs/images       # shapes.png and textures.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from barkhausen import micromagnetics as mm

COFEB = mm.material("cofeb-tantalum")
COBALT = mm.Material(
    saturation_magnetisation=5.8e5, exchange_stiffness=15e-12, damping=0.1, anisotropy=0.8e6, dmi=3.2e-3
)
NANO = 1e9


def draw(axes: Axes, grid: mm.Grid, values: Tensor, title: str, **style: object) -> None:
    """One map in nm."""
    extent = (0.0, grid.length * NANO, 0.0, grid.width * NANO)
    axes.imshow(values.T.numpy(), origin="lower", extent=extent, **style)
    axes.set_title(title, fontsize=8)
    axes.tick_params(labelsize=6)


def shapes() -> plt.Figure:
    """Filled fractions of eight shapes; rough devices, grains and a current map."""
    rough = mm.EdgeRoughness(rms=2e-9, correlation_length=15e-9)
    taper = mm.tapered_track(200e-9, (25e-9, 105e-9))
    triangle = mm.Polygon(
        [[0, 0], [110e-9, 0], [110e-9, 30e-9], [50e-9, 90e-9]], [[[60e-9, 10e-9], [85e-9, 10e-9], [72e-9, 30e-9]]]
    )
    drawn: list[tuple[str, mm.Film]] = [
        ("disc(100e-9)", mm.shape_film(mm.disc(100e-9), COFEB)),
        ("ring(120e-9, 60e-9)", mm.shape_film(mm.ring(120e-9, 60e-9), COFEB)),
        ("rectangle(…, corner_radius)", mm.shape_film(mm.rectangle(150e-9, 60e-9, 20e-9), COFEB)),
        ("tapered_track(200e-9, (25e-9, 105e-9))", mm.shape_film(taper, COFEB)),
        ("Polygon with a hole", mm.shape_film(triangle, COFEB)),
        ("rectangle - disc", mm.shape_film(mm.rectangle(150e-9, 70e-9) - mm.disc(40e-9), COFEB)),
        ("rough edges, 2 nm rms", mm.shape_film(mm.ring(120e-9, 50e-9), COFEB, roughness=rough, cell=2e-9)),
        ("rough edges, 2 nm rms", mm.shape_film(taper, COFEB, roughness=rough, cell=2e-9)),
    ]
    figure, axes = plt.subplots(3, 4, figsize=(10, 6.2), layout="constrained")
    for panel, (title, film) in zip(axes.flat, drawn, strict=False):
        assert film.fill is not None
        draw(panel, film.grid, film.fill[0], title, cmap="Greys", vmin=0, vmax=1)
    grid = mm.Grid(100, 50, 2e-9, 2e-9, 1e-9)
    grains = mm.grain_structure(grid, size=15e-9, seed=3)
    draw(axes[2, 0], grid, grains.values(0.8e6, 0.05)[0], "Ku of grains, 5 % spread", cmap="cividis")
    draw(axes[2, 1], grid, grains.bonds(0.5)["bond_x"][0], "weaker bonds along x", cmap="Greys_r", vmin=0, vmax=1)
    film = mm.shape_film(taper, COFEB, cell=2e-9)
    j = mm.current_map(film)[0]
    draw(axes[2, 2], film.grid, j.norm(dim=0), "current density over that at the left", cmap="magma", vmin=0, vmax=1.2)
    step = 7
    x, y = np.meshgrid(film.grid.x[::step] * NANO, film.grid.y[::step] * NANO, indexing="ij")
    axes[2, 2].quiver(x, y, j[0, ::step, ::step], j[1, ::step, ::step], color="c", pivot="mid", scale=14)
    patches = mm.edge_patches(grid, width=96e-9, pitch=17e-9, length=8e-9, depth=6e-9)
    ku = mm.parameter_map(grid, 0.8e6, gradient=-1e12, regions=[(patch, 1.1e6) for patch in patches])
    draw(axes[2, 3], grid, ku, "gradient of Ku and edge patches", cmap="cividis")
    figure.supxlabel("x (nm)", fontsize=8)
    figure.supylabel("y (nm)", fontsize=8)
    return figure


def textures() -> plt.Figure:
    """Twelve states: m_z in colour, the in-plane part as arrows."""
    film = mm.Film(mm.Grid(60, 60, 2e-9, 2e-9, 0.4e-9), COBALT)
    strip = mm.Film(mm.Grid(60, 24, 5e-9, 5e-9, 15e-9), mm.material("permalloy"))
    drawn = [
        ("skyrmion", film, mm.skyrmion(film, radius=20e-9)),
        ("skyrmion, vorticity -1", film, mm.skyrmion(film, radius=20e-9, vorticity=-1)),
        ("skyrmionium", film, mm.skyrmionium(film, radius=40e-9)),
        ("bubble of the second kind", film, mm.bubble(film, radius=30e-9, direction=0.5)),
        ("helix", film, mm.helix(film, direction=0.5)),
        ("cone", film, mm.cone(film)),
        ("stripes", film, mm.stripes(film, 50e-9, direction=1.0)),
        ("domain wall", film, mm.domain_wall(film)),
        ("head-to-head, transverse", strip, mm.head_to_head_wall(strip)),
        ("head-to-head, vortex", strip, mm.head_to_head_wall(strip, kind="vortex")),
        (
            "the same at rest",
            strip,
            mm.minimize(mm.System(strip), mm.head_to_head_wall(strip, kind="vortex"), torque=1e-3),
        ),
        ("vortex", strip, mm.vortex(strip, 1, -1, position=(100e-9, 60e-9))),
    ]
    figure, axes = plt.subplots(3, 4, figsize=(10, 6.6), layout="constrained")
    for panel, (title, own, m) in zip(axes.flat, drawn, strict=True):
        draw(panel, own.grid, m[0, 2], title, cmap="RdBu_r", vmin=-1, vmax=1)
        step = 4 if own is film else 3
        x, y = np.meshgrid(own.grid.x[::step] * NANO, own.grid.y[::step] * NANO, indexing="ij")
        panel.quiver(x, y, m[0, 0, ::step, ::step], m[0, 1, ::step, ::step], pivot="mid", scale=18)
    figure.supxlabel("x (nm)", fontsize=8)
    figure.supylabel("y (nm)", fontsize=8)
    return figure


def main() -> None:
    """Write both pictures into the directory named on the command line."""
    torch.set_num_threads(1)
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, figure in (("shapes", shapes()), ("textures", textures())):
        figure.savefig(directory / f"{name}.png", dpi=100)


if __name__ == "__main__":
    main()
