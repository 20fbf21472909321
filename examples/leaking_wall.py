"""A wall against a barrier of anisotropy, and a wall that leaks down a gradient: two published scripts for mumax3.

    python examples/leaking_wall.py barrier --out walls
    python examples/leaking_wall.py leak --out walls

Both are scripts of vlsi-nanocomputing/Leaky-Integrate-and-Fire-Neuron. `barrier`: a window of 768 x 40 x 1 nm follows
the wall on an endless track; pulses of k x 1e10 A/m2 (2.5 ns on, 1 ns off, k = 1, 2, ...) drive it towards -x, where a
gate has raised the anisotropy by 5 % over 40 nm. `leak`: no current; the anisotropy falls along +x from 1.6 to
0.8 MJ/m3 over 800 nm, and the wall follows it. Cells are 2 nm (1 nm there), temperature is zero, and four strengths of
the DMI are four replicas of one call.

The state is saved every minute in the output directory, and the same command goes on from there. On one core `barrier`
takes about an hour and `leak` some hours; --until stops earlier.
"""

from __future__ import annotations

import argparse
import json
import math
import time as clock
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from barkhausen import micromagnetics as mm
from barkhausen.core.files import atomic_write

CELL, NANO = 2e-9, 1e9
DMI = (0.6e-3, 0.3e-3, 0.2e-3, 0.1e-3)
"""J/m2, one for each replica."""

TILT = math.radians(0.05)
"""Of the easy axis towards +y, of the track with the barrier; the axis of the other is z."""

SAVE_SECONDS = 60.0
RECORD = 2e-11

BARRIER, CENTRE, START = 40e-9, -55e-9, 384e-9
"""Width of the barrier and its centre relative to where the wall starts; the start from the left end of the window."""

PULSE, CYCLE, CYCLES = 2.5e-9, 3.5e-9, 12

PUBLISHED = {"leaves the barrier in cycle": (8, 8, 10, 12), "position at 41.5 ns, um": (-2.1, -1.36, -0.43, -0.10)}
"""Read from the plot, +-15 nm and +-0.2 ns; only the script for D = 0.6 mJ/m2 is public."""

PUBLISHED_ENERGY = (-2.0064e-17, -2.0315e-17)
"""First and last energy of the leaking wall, J; D = 0.1 mJ/m2."""


def film_of(cells: int, strengths: Sequence[float], anisotropy: Tensor | None = None, tilt: float = 0.0) -> mm.Film:
    """Track of 40 nm, with a DMI for each replica and an easy axis tilted to +y (rad)."""
    stuff = mm.Material(
        saturation_magnetisation=1e6, exchange_stiffness=1e-11, damping=0.02, anisotropy=0.8e6, dmi=strengths[0],
        spin_hall_angle=0.15, field_like_ratio=-2.0, easy_axis=(0.0, math.sin(tilt), math.cos(tilt)),
    )  # fmt: skip
    grid = mm.Grid(cells, 20, CELL, CELL, 1e-9)
    dmi = torch.tensor(strengths, dtype=torch.float64)[:, None, None].expand(-1, *grid.shape).contiguous()
    return mm.Film(grid, stuff, anisotropy=anisotropy, maps=mm.ParameterMaps(dmi=dmi))


def terms_of(film: mm.Film) -> tuple[mm.Term, ...]:
    """The terms of the material, with spins along +y: B = B_DL m x y - 2 B_DL y."""
    torque = mm.SpinOrbitTorque(polarisation=(0.0, 1.0, 0.0))
    return tuple(torque if isinstance(term, mm.SpinOrbitTorque) else term for term in mm.standard_terms(film.material))


def at_rest(film: mm.Film, terms: tuple[mm.Term, ...], place: float, replicas: int, torque: float = 1e-4) -> Tensor:
    """Up, a wall along +y, down: minimised, without the current."""
    start = mm.domain_wall(film, place, angle=math.pi / 2, width=film.material.wall_width)
    system = mm.System(film, terms=terms, replicas=replicas)
    return mm.minimize(system, start, torque=torque, on_maximum="ignore")


def raised(x: Tensor, y: Tensor) -> Tensor:
    """Ku of the track with the barrier, x from the left end of the window at the start."""
    inside = (x - START - CENTRE).abs() < BARRIER / 2
    return torch.where(inside, 1.05 * 0.8e6, 0.8e6) + 0 * y


def pulses() -> mm.Drive:
    """Cycle k: k x 1e10 A/m2 for 2.5 ns, 1 ns of pause."""
    train = mm.Waveform.pulse(1e10, PULSE)
    for k in range(2, CYCLES + 1):
        train += mm.Waveform.pulse(k * 1e10, PULSE, start=(k - 1) * CYCLE)
    return mm.Drive(current_density=train)


class Records:
    """What was recorded, kept in one file with the state from which to go on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: dict[str, list[Tensor]] = {}
        self.last = clock.monotonic()

    def load(self) -> dict[str, Tensor] | None:
        """Read the file if there is one, and return the state."""
        if not self.path.is_file():
            return None
        tensors = safetensors.torch.load_file(self.path)
        self.values = {key[7:]: list(value) for key, value in tensors.items() if key.startswith("record.")}
        return {key[6:]: value for key, value in tensors.items() if key.startswith("state.")}

    def add(self, **values: np.ndarray | float) -> None:
        """Append a record."""
        for key, value in values.items():
            self.values.setdefault(key, []).append(torch.as_tensor(value, dtype=torch.float64))

    def save(self, state: dict[str, Tensor], now: bool = False) -> None:
        """Write the file once a minute, or now."""
        if not now and clock.monotonic() - self.last < SAVE_SECONDS:
            return
        tensors = {f"record.{key}": torch.stack(value) for key, value in self.values.items()}
        tensors |= {f"state.{key}": value.contiguous() for key, value in state.items()}
        atomic_write(self.path, safetensors.torch.save(tensors))
        self.last = clock.monotonic()

    def arrays(self) -> dict[str, np.ndarray]:
        """Records by name, the time first."""
        return {key: torch.stack(value).numpy() for key, value in self.values.items()}


def barrier(out: Path, until: float, strengths: Sequence[float]) -> dict[str, np.ndarray]:
    """Positions of the walls, one for each D, relative to the start."""
    film = film_of(384, strengths, tilt=TILT)
    terms = terms_of(film)
    # Minimised before there is a barrier, as in the script.
    simulation = mm.Simulation(
        film,
        pulses(),
        replicas=len(strengths),
        terms=terms,
        dt=5e-14,
        initial=at_rest(film, terms, START, len(strengths)),
        threads=1,
    )
    window = mm.FollowingWindow(simulation, anisotropy=raised)
    return proceed(
        out / "barrier.safetensors", until, window.load_state_dict, window.state_dict, simulation,
        lambda: {"position": (window.advance(RECORD).track_position.values[0] - START)},
    )  # fmt: skip


def leak(out: Path, until: float, strengths: Sequence[float]) -> dict[str, np.ndarray]:
    """Positions and energies of the walls, one for each D; the position from the left end."""
    x = (torch.arange(425, dtype=torch.float64) + 0.5) * CELL
    # 1.60, 1.59 ... 0.81 MJ/m3, each 10 nm long, between ends of 1.6 and 0.8.
    steps = ((x - 25e-9) / 10e-9).floor().clamp(0, 80)
    film = film_of(425, strengths, (1.6e6 - 0.01e6 * steps)[:, None].expand(425, 20).contiguous())
    terms = terms_of(film)
    # 5 mT remain: the end of the track pushes the wall away, so there is no rest where the script starts it.
    start = at_rest(film, terms, 25e-9, len(strengths), torque=1e-2)
    simulation = mm.Simulation(
        film, replicas=len(strengths), terms=terms, integrator="splitting", initial=start, threads=1
    )

    def record() -> dict[str, np.ndarray]:
        seen = simulation.advance(RECORD * 5, observe=[mm.WallPosition(), mm.Energy()])
        assert seen is not None
        return {"position": seen.wall_position.values[0], "energy": seen.energy.values[0]}

    return proceed(
        out / "leak.safetensors", until, simulation.load_state_dict, simulation.state_dict, simulation, record
    )


def proceed(  # noqa: PLR0917 (of two callers)
    path: Path,
    until: float,
    load: Callable[[dict[str, Tensor]], None],
    state: Callable[[], dict[str, Tensor]],
    simulation: mm.Simulation,
    record: Callable[[], dict[str, np.ndarray]],
) -> dict[str, np.ndarray]:
    """Go on from the file, if there is one, to that time."""
    records = Records(path)
    kept = records.load()
    if kept is not None:
        load(kept)
    print(f"{simulation}; to {until * NANO:g} ns")
    while simulation.time < until - 1e-13:
        values = record()
        records.add(time=simulation.time, **values)
        records.save(state())
        if round(simulation.time / 1e-9 * 1e3) % 1000 == 0:
            shown = "  ".join(f"{value * NANO:9.1f}" for value in values["position"])
            print(f"{simulation.time * NANO:6.1f} ns   walls at {shown} nm", flush=True)
    records.save(state(), now=True)
    return records.arrays()


def summary_of_barrier(found: dict[str, np.ndarray]) -> dict[str, list[float | None]]:
    """Cycle in which each wall is for the last time not beyond the barrier, and where it is at 41.5 ns."""
    time, position = found["time"], found["position"]
    behind = position < CENTRE - BARRIER / 2
    cycles: list[float | None] = []
    for wall in behind.T:
        last = np.flatnonzero(~wall)[-1]
        cycles.append(None if last == len(wall) - 1 else float(time[last] // CYCLE + 1))
    at = [float(np.interp(41.5e-9, time, wall)) * 1e6 if time[-1] >= 41.5e-9 else None for wall in position.T]
    return {
        "leaves the barrier in cycle": cycles,
        "position at 41.5 ns, um": at,
        "furthest in front of the start, nm": [float(wall.max() * NANO) for wall in position.T],
    }


def summary_of_leak(found: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """First and last energy of each wall, J, and how far it has moved, nm."""
    return {
        "energy at the start, J": found["energy"][0].tolist(),
        "energy at the end, J": found["energy"][-1].tolist(),
        "moved, nm": ((found["position"][-1] - found["position"][0]) * NANO).tolist(),
    }


def draw(found: dict[str, np.ndarray], quantity: str, path: Path, strengths: Sequence[float]) -> None:
    """Curves of the walls against time."""
    figure, axes = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
    scale, label = {"position": (1e6, "position (µm)"), "energy": (1e18, "total energy (aJ)")}[quantity]
    for curve, dmi in zip(found[quantity].T, strengths, strict=True):
        axes.plot(found["time"] * NANO, curve * scale, label=f"D = {dmi * 1e3:g} mJ/m²", lw=1)
    if path.stem == "barrier":
        edges = [(CENTRE + sign * BARRIER / 2) * 1e6 for sign in (-1, 1)]
        axes.axhspan(*edges, color="0.85", label="barrier")
        for k, place in enumerate(PUBLISHED["position at 41.5 ns, um"] if strengths == DMI else ()):
            axes.plot(41.5, place, "o", color=f"C{k}", mfc="none", label="published" if k == 0 else None)
    axes.set(xlabel="time (ns)", ylabel=label)
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=140)
    plt.close(figure)


def main() -> None:
    """Run, print what is known of the published runs beside ours, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["barrier", "leak"])
    parser.add_argument("--out", type=Path, default=Path("walls"))
    parser.add_argument("--until", type=float, help="end in ns; 42 for the barrier, 300 for the leak")
    parser.add_argument("--dmi", type=float, nargs="+", help="D of each wall in J/m2; the published four by default")
    arguments = parser.parse_args()
    strengths = arguments.dmi or DMI
    out, what = arguments.out, arguments.what
    out.mkdir(parents=True, exist_ok=True)
    until = (arguments.until or {"barrier": 42.0, "leak": 300.0}[what]) * 1e-9
    found = {"barrier": barrier, "leak": leak}[what](out, until, strengths)
    summary = {"barrier": summary_of_barrier, "leak": summary_of_leak}[what](found)
    published: dict[str, object] = dict(PUBLISHED) if what == "barrier" else {"energy, J": PUBLISHED_ENERGY}
    print(json.dumps({"D, mJ/m2": [dmi * 1e3 for dmi in strengths], "ours": summary, "published": published}, indent=1))
    draw(found, "position", out / f"{what}.png", strengths)
    if what == "leak":
        draw(found, "energy", out / "leak-energy.png", strengths)


if __name__ == "__main__":
    main()
