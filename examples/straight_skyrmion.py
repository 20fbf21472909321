"""A skyrmion of a synthetic antiferromagnet, which moves straight, beside one of a single layer, which does not.

    pip install 'barkhausen[pictures]'
    python examples/straight_skyrmion.py --out skyrmion          # skyrmion.png

Periodic film of 96 × 64 nm on 2 nm cells at zero temperature, without a stray field. The same current in the heavy
metal drives both skyrmions by its spin-orbit torque. In the single layer the gyrotropic force turns the motion by the
skyrmion Hall angle, tan(theta) = −4 pi Q/(alpha D), with the dissipation D of the relaxed skyrmion (Thiele, Phys. Rev.
Lett. 30, 230 (1973)). In two layers coupled antiparallel the two forces cancel (Zhang, Zhou and Ezawa, Nat. Commun. 7,
10293 (2016)): the pair moves along the force alone.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch

from barkhausen import micromagnetics as mm

CELL = 2e-9

MATERIAL = mm.Material(
    saturation_magnetisation=5.8e5, exchange_stiffness=1.5e-11, damping=0.3, anisotropy=8e5, dmi=3.5e-3,
    spin_hall_angle=0.1, source="synthetic antiferromagnet of Pt/Co with D of 3.5 mJ/m2; alpha assumed",
)  # fmt: skip


@dataclass(frozen=True)
class Path2D:
    """Way of a skyrmion in nm, and its first and last magnetisation."""

    place: np.ndarray
    start: torch.Tensor
    end: torch.Tensor

    @property
    def angle(self) -> float:
        """Angle of the last half of the way to the current in degrees."""
        dx, dy = self.place[-1] - self.place[len(self.place) // 2]
        return math.degrees(math.atan2(dy, dx))


def one_layer() -> mm.Film:
    """The film of a single layer."""
    return mm.Film(mm.Grid(48, 32, CELL, CELL, 2e-9, (True, True)), MATERIAL)


def two_layers() -> mm.Stack:
    """Two of them, coupled antiparallel through a spacer of 2 nm."""
    return mm.Stack(
        [mm.Layer(one_layer(), "lower"), mm.Layer(one_layer(), "upper")],
        spacers=[2e-9],
        couplings=[mm.InterlayerExchange(0, 1, bilinear=-2e-3)],
        demag=False,
    )


def terms(film: mm.Film) -> tuple[mm.Term, ...]:
    """Terms without the stray field."""
    return tuple(term for term in mm.System(film).terms if not isinstance(term, mm.Demag))


def relaxed(film: mm.Film) -> torch.Tensor:
    """Skyrmion of the film at rest, left of the middle."""
    single = mm.skyrmion(one_layer(), (32e-9, 32e-9), radius=8e-9)
    m = film.join([single, -single]) if isinstance(film, mm.Stack) else single
    return mm.minimize(mm.System(film, terms=terms(film)), m, torque=1e-4, on_maximum="ignore")


def dissipation(m: torch.Tensor) -> float:
    """Mean of the integrals of (dm/dx)² and (dm/dy)² over a periodic layer."""
    along = [m.roll(-1, dim) - m.roll(1, dim) for dim in (2, 3)]
    return float(sum((0.5 * slope).square().sum() for slope in along)) / 2


def drive(film: mm.Film, m: torch.Tensor, current: float, duration: float) -> Path2D:
    """Way of the skyrmion of the lowest layer under a current density in A/m²."""
    result = []
    simulation = mm.Simulation(
        film, mm.Drive(current_density=current), initial=m, terms=terms(film), dtype=torch.float64
    )
    for _ in range(24):
        simulation.advance(duration / 24)
        result.append(simulation.read(mm.SkyrmionPosition())[0].numpy())
    place = np.array(result)
    # Across the edges of the periodic film the way goes on.
    size = np.array([film.grid.length, film.grid.width])
    return Path2D(1e9 * np.unwrap(place, axis=0, period=size), m, simulation.m)


def picture(film: mm.Film, paths: dict[str, Path2D], theory: float) -> plt.Figure:
    """Both textures at the end, with the ways that led there."""
    figure, axes = plt.subplots(1, len(paths), figsize=(8.2, 3.0), sharey=True, layout="constrained")
    extent = (0.0, 1e9 * film.grid.length, 0.0, 1e9 * film.grid.width)
    for axis, (name, path) in zip(axes, paths.items(), strict=True):
        image = axis.imshow(path.end[0, 2].T, origin="lower", extent=extent, cmap="RdBu_r", vmin=-1, vmax=1)
        axis.plot(*path.place.T, color="gold", linewidth=1.4)
        axis.plot(*path.place[0], "o", color="gold", markersize=4)
        axis.set_title(f"{name}: {abs(path.angle):.1f}° to the current", fontsize=10)
        axis.set_xlabel("x (nm)")
        axis.set_xlim(extent[:2])
        axis.set_ylim(extent[2:])
    axes[0].set_ylabel("y (nm)")
    x, y = paths["single layer"].place[0]
    way = 40.0 * np.array([math.cos(math.radians(theory)), math.sin(math.radians(theory))])
    axes[0].plot([x, x + way[0]], [y, y + way[1]], "--", color="white", linewidth=0.9, label=f"Thiele: {theory:.1f}°")
    axes[0].legend(fontsize=8, frameon=False, labelcolor="white", loc="lower right")
    figure.colorbar(image, ax=axes, label="$m_z$ (lower layer)", shrink=0.8)
    return figure


def main() -> None:
    """Relax, drive, print the angles, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("skyrmion"))
    parser.add_argument("--current", type=float, default=1e12)
    parser.add_argument("--duration", type=float, default=0.7e-9)
    arguments = parser.parse_args()
    films: dict[str, mm.Film] = {"single layer": one_layer(), "two coupled layers": two_layers()}
    paths, theory = {}, 0.0
    for name, film in films.items():
        m = relaxed(film)
        if name == "single layer":
            charge = float(mm.topological_charge(m, film)[0])
            theory = math.degrees(math.atan(-4 * math.pi * charge / (MATERIAL.damping * dissipation(m))))
            print(f"charge {charge:+.3f}, Thiele's angle {theory:+.1f} degrees")
        paths[name] = drive(film, m, arguments.current, arguments.duration)
        way = np.hypot(*(paths[name].place[-1] - paths[name].place[0]))
        print(f"{name}: {way:.0f} nm at {paths[name].angle:+.1f} degrees to the current")
    figure = picture(films["single layer"], paths, theory)
    figure.savefig(arguments.out.with_suffix(".png"), dpi=130)
    plt.close(figure)
    print(f"picture in {arguments.out.with_suffix('.png')}")


if __name__ == "__main__":
    main()
