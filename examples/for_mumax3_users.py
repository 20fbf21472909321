"""Two mumax3 scripts in Barkhausen: standard problem 4, and a wall driven by spin-orbit torque at 300 K.

    python examples/for_mumax3_users.py

The line of the .mx3 script is above each of ours. The second part simulates 32 films at once.
"""

from __future__ import annotations

import torch
from rich.console import Console
from rich.table import Table

from barkhausen import micromagnetics as mm


def standard_problem_4() -> None:
    """The reversal of a permalloy rectangle in field a."""
    # SetGridSize(128, 32, 1); SetCellSize(500e-9/128, 125e-9/32, 3e-9)
    grid = mm.Grid(128, 32, 500e-9 / 128, 125e-9 / 32, 3e-9)
    # Msat = 800e3; Aex = 13e-12; alpha = 0.02
    permalloy = mm.Material(saturation_magnetisation=800e3, exchange_stiffness=13e-12, damping=0.02)
    film = mm.Film(grid, permalloy)
    # m = uniform(1, .1, 0); minimize()
    rest = mm.minimize(mm.System(film), mm.uniform(film, (1, 0.1, 0)))
    # B_ext = vector(-24.6E-3, 4.3E-3, 0)
    drive = mm.Drive(field_x=-24.6e-3, field_y=4.3e-3)
    # TableAutoSave(100e-12); run(1e-9)
    result = mm.simulate(
        film, drive, duration=1e-9, every=100e-12, initial=rest, observe=[mm.MeanMagnetisation(), mm.Energy()],
        integrator="dormand-prince", dtype=torch.float64,
    )  # fmt: skip
    table = Table("t (ns)", "mx", "my", "mz", "E (aJ)", title="standard problem 4, field a")
    for time, m, energy in zip(result.time.values, result.m.values[:, 0], result.energy.values[:, 0], strict=True):
        table.add_row(f"{time * 1e9:.1f}", *(f"{value:+.5f}" for value in m), f"{energy * 1e18:.4f}")
    Console().print(table)


def wall_at_room_temperature() -> None:
    """A domain wall in a rough track, driven by spin-orbit torque."""
    # SetGridSize(128, 18, 1); SetCellSize(4e-9, 4e-9, 1e-9); EdgeSmooth = 8; SetGeom(rect(512e-9, 64e-9))
    # (rough edges: a union of your own shapes)
    outline = mm.TrackOutline(length=512e-9, width=64e-9, roughness=mm.EdgeRoughness(rms=1e-9))
    # Msat = 1e6; Aex = 15e-12; alpha = 0.03; Ku1 = 0.8e6; AnisU = vector(0, 0, 1); Dind = 0.6e-3
    # Pol = 0.15; Lambda = 1; EpsilonPrime = 0; FixedLayer = vector(0, -1, 0)
    track = mm.Material(
        saturation_magnetisation=1e6, exchange_stiffness=15e-12, damping=0.03, anisotropy=0.8e6, dmi=0.6e-3,
        spin_hall_angle=0.15,
    )  # fmt: skip
    # 32 devices, each with its own edges: in mumax3 32 scripts.
    film = mm.track_film(outline, track, cell=4e-9, devices=32)
    # m = TwoDomain(0, 0, 1, -1, 0, 0, 0, 0, -1).transl(-128e-9, 0, 0)
    start = mm.domain_wall(film, 128e-9)
    # J = vector(0, 0, 3e10); Temp = 300; SetSolver(2); FixDt = 9.4e-14; TableAutoSave(0.1e-9); run(2e-9)
    result = mm.simulate(
        film, mm.Drive(current_density=3e10), duration=2e-9, every=0.1e-9, replicas=32, seed=1, temperature=300.0,
        initial=start, progress=True,
    )  # fmt: skip
    table = Table("t (ns)", "wall (nm)", "spread (nm)", "tilt (degrees)", title=f"32 rough tracks, {result.backend}")
    nanometres, degrees = result.wall_position * 1e9, torch.pi / 180
    for k in range(0, len(result.time), 4):
        table.add_row(
            f"{float(result.time[k]) * 1e9:.1f}", f"{float(nanometres[k].mean()):.1f}",
            f"{float(nanometres[k].std()):.1f}", f"{float(result.wall_tilt[k].mean()) / degrees:+.1f}",
        )  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    standard_problem_4()
    wall_at_room_temperature()
