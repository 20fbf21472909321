"""Averages of sampled films on cells of 4, 2 and 1 nm: Ms <m_z>, B_K, the width of walls and depinning currents.

    python benchmarks/devices/constants_at_temperature.py film --results FILE [--batches 2] [--cells 4 2 1]
    python benchmarks/devices/constants_at_temperature.py wall --results FILE  # width and energies of a wall
    python benchmarks/devices/constants_at_temperature.py depinning --results FILE --cells 4 2
    python benchmarks/devices/constants_at_temperature.py integrators --results FILE  # B_K by integration, 4 nm
    python benchmarks/devices/constants_at_temperature.py table --results FILE [--picture FILE.png]

`film` samples periodic films of 64 nm x 64 nm at 300 K by hybrid Monte Carlo, which has no time step, some without a
field, some in a field B along x. The mean moment is at an angle to the easy axis with sin(angle) = B/B_K, so that B_K =
B |m|/m_x. Ms <m_z> is the mean over replicas of Ms m_z without a field and of Ms |m| in it. Each film is sampled twice:
with bare constants (`constants_at = 300`) and with the same numbers given to the cells (`constants_at = 0`). Each line
of the results is one batch; a batch that is there is not computed again, so a run that was stopped goes on. Intervals
are Student's over the replicas, 95 %.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy import stats
from scipy.optimize import minimize_scalar

from barkhausen import micromagnetics as mm
from barkhausen.device.domain_wall.compact.calibration_notches import Ramps
from barkhausen.device.domain_wall.compact.calibration_runs import Bench
from barkhausen.device.domain_wall.compact.model import CompactParameters
from barkhausen.micromagnetics.temperature.bare import bare_constants, bare_film
from barkhausen.micromagnetics.temperature.hybrid_monte_carlo import HybridMonteCarlo
from barkhausen.micromagnetics.terms import InterfacialDMI

ROOM = 300.0
EDGE = 64e-9
TILT = 0.35
"""sin of the angle to which the field turns the mean moments."""

SWEEPS = 120
"""Trajectories of a replica, of which the last three quarters are counted."""

RESTING, TILTED = 2, 6
"""Replicas of a batch without and with a field."""

FILMS = {
    "2 nm, Ku 0.85e6": (0.85e6, 2e-9),
    "1 nm, Ku 0.86e6": (0.86e6, 1e-9),
}
"""Anisotropy in J/m³ and thickness in m; Ms 1.0e6 A/m, A 1.5e-11 J/m, D 0.24e-3 J/m²."""

CELLS = (4, 2, 1)

WALL_DMI = 1e-3
"""D in J/m² of the film whose wall is sampled, so that it is a Néel wall."""


def constants(name: str, at: float = ROOM, **changes: float) -> mm.Material:
    """Material of a film. The small damping makes the samples less correlated in time; averages do not depend on it."""
    values = {
        "saturation_magnetisation": 1.0e6, "exchange_stiffness": 1.5e-11, "dmi": 0.24e-3, "damping": 0.1,
        "anisotropy": FILMS[name][0], "constants_at": at,
    }  # fmt: skip
    return mm.Material(**(values | changes))


def sample(name: str, cell: int, at: float, batch: int) -> dict[str, Any]:
    """Mean moments of the replicas of one batch: m_z without a field, (m_x, m_y, m_z) in the field."""
    thickness, edge = FILMS[name][1], cell * 1e-9
    count = round(EDGE / edge)
    given = constants(name, at)
    film = bare_film(mm.Film(mm.Grid(count, count, edge, edge, thickness, (True, True)), given), ROOM)
    # The field for the angle that the given constants would have; films without bare constants turn further.
    field = TILT * 2 * given.effective_anisotropy / given.saturation_magnetisation
    along = torch.tensor([0.0] * RESTING + [field] * TILTED, dtype=torch.float64)
    start = torch.zeros(RESTING + TILTED, 3, count, count, dtype=torch.float64)
    start[:RESTING, 2] = 1.0
    start[RESTING:, 0], start[RESTING:, 2] = TILT, math.sqrt(1 - TILT**2)
    system = mm.System(film, mm.Drive(field_x=along), replicas=len(start))
    chain = HybridMonteCarlo(system, ROOM, start, given.effective_anisotropy)
    means, accepted = chain.run(SWEEPS, torch.Generator().manual_seed(1000 * cell + batch), lambda m: m.mean((2, 3)))
    return {
        "film": name, "cell": cell, "constants_at": at, "batch": batch, "field": field, "accepted": accepted,
        "resting": means[:RESTING, 2].tolist(), "tilted": means[RESTING:].tolist(),
        "ms": film.material.saturation_magnetisation,
    }  # fmt: skip


def wall(cell: int, at: float, batch: int, replicas: int = 4) -> dict[str, Any]:
    """A wall of the 2 nm film, periodic along it: its width, and what it costs in anisotropy and gains in DMI.

    ``width``: Delta of a fit to the mean profile, each profile over 64 nm shifted by its own crossing. ``wide``: half
    the integral of m_z² missing in the wall, over Ku(T)/Ku: half of dE/dKu(T), which is Delta on average. ``turn``:
    minus the energy of the DMI over the given D, pi for a rigid wall where D(T) is D.
    """
    name, edge = next(iter(FILMS)), cell * 1e-9
    thickness, given = FILMS[name][1], constants(name, at, dmi=WALL_DMI)
    grid = mm.Grid(round(2 * EDGE / edge), round(EDGE / edge), edge, edge, thickness, (False, True))
    plain = mm.Film(grid, given)
    film = bare_film(plain, ROOM)
    rest = mm.minimize(mm.System(plain), mm.domain_wall(plain, EDGE))
    places = np.linspace(-45e-9, 45e-9, 91)
    x = grid.x.numpy()

    def plain_energies(m: torch.Tensor) -> torch.Tensor:
        lying = (1 - m[:, 2].square()).mean(2).sum(1) * grid.dx
        state = system.state(m, chain.inputs)
        dmi = sum(t.energy(state) for t in system.terms if isinstance(t, InterfacialDMI))
        return torch.stack((lying, -torch.as_tensor(dmi) / (given.dmi * grid.width * thickness)), dim=1)

    def observe(m: torch.Tensor) -> torch.Tensor:
        rows = m[:, 2].mean(2).numpy()
        shifted = []
        for row in rows:
            k = int(np.flatnonzero(np.diff(np.sign(row)))[0])
            centre = x[k] + (x[k + 1] - x[k]) * row[k] / (row[k] - row[k + 1])
            shifted.append(np.interp(places, x - centre, row))
        return torch.cat((torch.from_numpy(np.array(shifted)), plain_energies(m)), dim=1)

    generator = torch.Generator().manual_seed(2000 * cell + batch)
    system = mm.System(film, replicas=replicas)
    chain = HybridMonteCarlo(system, ROOM, rest, given.effective_anisotropy)
    means, accepted = chain.run(SWEEPS, generator, observe)
    up = torch.zeros(1, 3, *grid.shape, dtype=torch.float64)
    up[:, 2] = 1.0
    domain = HybridMonteCarlo(system, ROOM, up, given.effective_anisotropy)
    without, _ = domain.run(SWEEPS, generator, plain_energies)
    soft = bare_constants(given, edge, thickness, ROOM).softening.anisotropy if at else 1.0
    # The domain's own fluctuations, and the tilt at its ends, are not the wall's.
    lying, turn = (means[:, -2:] - without.mean(0)).unbind(1)
    return {
        "film": name, "cell": cell, "constants_at": at, "batch": batch, "accepted": accepted,
        "width": [_tanh_width(places, row) for row in means[:, :-2].numpy()],
        "wide": (0.5 * lying / soft).tolist(), "turn": turn.tolist(),
    }  # fmt: skip


def _tanh_width(x: np.ndarray, profile: np.ndarray) -> float:
    """Delta of the least-squares fit of an amplitude times tanh(x/Delta), the sign of the wall aside."""

    def rest(delta: float) -> float:
        shape = np.tanh(x / delta)
        return float(((profile - shape * (profile @ shape) / (shape @ shape)) ** 2).sum())

    return float(minimize_scalar(rest, bounds=(3e-9, 20e-9), method="bounded", options={"xatol": 1e-12}).x)


def depinning(cell: int, at: float, batch: int, replicas: int = 8) -> dict[str, Any]:
    """Currents of a slow ramp at which walls leave one notch of a track of the 1 nm film, in A/m², by Heun's method.

    The ramp is the same on all cells.
    """
    name = list(FILMS)[1]
    given = constants(name, at, damping=0.05, spin_hall_angle=0.3)
    bench = Bench(
        given, 64e-9, FILMS[name][1], cell * 1e-9, None, (0.0,), ROOM, replicas, 7 * batch + cell, None,
        {"threads": 1, "progress": False, "integrator": "heun"},
    )  # fmt: skip
    notch = mm.Notch(position=0.0, depth=8e-9, half_length=20e-9)
    ramps = Ramps.of(bench, [notch], CompactParameters(), number=0)
    return {"film": name, "cell": cell, "constants_at": at, "batch": batch, "depinning": ramps.free[0].tolist(),
            "end": ramps.points[0][0]}  # fmt: skip


def moved(integrator: str, share: float, damping: float, batch: int, replicas: int = 16) -> dict[str, Any]:
    """B_K of the 2 nm film on 4 nm cells from the equation of motion, as in `sample`, with bare constants.

    Args:
        integrator: Integrator.
        share: Step in units of the recommended one.
        damping: Damping, on which no average depends.
        batch: Number of the batch.
        replicas: Number of replicas.
    """
    name = next(iter(FILMS))
    given = constants(name, damping=damping)
    film = bare_film(mm.Film(mm.Grid(16, 16, 4e-9, 4e-9, FILMS[name][1], (True, True)), given), ROOM)
    field = TILT * 2 * given.effective_anisotropy / given.saturation_magnetisation
    drive, every = mm.Drive(field_x=field), 2.5e-12
    advise = mm.advise_splitting_step if integrator == "splitting" else mm.advise_step
    longest = share * advise(film, drive, temperature=ROOM).recommended
    run = mm.simulate(
        film, drive, duration=0.45e-9, every=every, replicas=replicas, seed=batch, temperature=ROOM,
        dt=every / math.ceil(every / longest * (1 - 1e-9)), integrator=integrator, threads=1, progress=False,
        initial=mm.uniform(film, (TILT, 0.0, math.sqrt(1 - TILT**2))), observe=(mm.MeanMagnetisation(),),
    )  # fmt: skip
    counted = run["m"].isel(time=slice(len(run["time"]) // 3, None)).mean("time").transpose("replica", "component")
    return {"integrator": integrator, "share": share, "damping": damping, "field": field, "batch": batch,
            "dt": float(run.attrs["dt"]), "moved": counted.values.tolist()}  # fmt: skip


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half of its 95 % interval."""
    numbers = np.asarray(values, float)
    if len(numbers) < 2:
        return float(numbers.mean()), math.nan
    error = numbers.std(ddof=1) / math.sqrt(len(numbers))
    return float(numbers.mean()), float(stats.t.ppf(0.975, len(numbers) - 1) * error)


def read(path: Path) -> list[dict[str, Any]]:
    """Batches that are there."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def work(path: Path, kind: str, function: Any, todo: Sequence[tuple[Any, ...]]) -> None:
    """Compute the batches that are missing, a line each."""
    for arguments in todo:
        key = [kind, *arguments]
        if any(line["key"] == key for line in read(path)):
            continue
        found = {"key": key, **function(*arguments)}
        with path.open("a") as file:
            file.write(json.dumps(found) + "\n")
        print(key, flush=True)


def _field_of(moments: np.ndarray, field: float) -> tuple[float, float]:
    """B_K and half of its 95 % interval, of the mean moments of replicas in a field."""
    # A ratio of means is less biased than a mean of ratios; its spread is that of m_x nearly alone.
    size = float(np.linalg.norm(moments.mean(0)))
    mx, error = interval(moments[:, 0].tolist())
    return field * size / mx, field * size / mx * error / mx


def films_of(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ms <m_z> and B_K of each film, with intervals relative to what was measured (percent)."""
    rows = []
    for name in FILMS:
        for at in (ROOM, 0.0):
            for cell in CELLS:
                own = [x for x in lines if x["key"][0] == "film" and x["key"][1:4] == [name, cell, at]]
                if not own:
                    continue
                given = constants(name, at)
                field = 2 * given.effective_anisotropy / given.saturation_magnetisation
                tilted = np.array([m for x in own for m in x["tilted"]])
                sizes = [m for x in own for m in x["resting"]] + np.linalg.norm(tilted, axis=1).tolist()
                moment, moment_error = interval([own[0]["ms"] * m for m in sizes])
                stiff, stiff_error = _field_of(tilted, own[0]["field"])
                rows.append({
                    "film": name, "cell": cell, "at": at, "moment": moment, "moment_error": moment_error,
                    "field": stiff, "field_error": stiff_error, "given_field": field,
                    "given_moment": given.saturation_magnetisation, "replicas": len(tilted),
                })  # fmt: skip
    return rows


def table(path: Path, picture: Path | None) -> None:
    """Print what was measured, as Markdown, and draw it."""
    lines = read(path)
    rows = films_of(lines)
    print("| film | constants at | cell (nm) | Ms ⟨m_z⟩ (kA/m) | of the given (%) | B_K (mT) | of the given (%) |")
    print("|---|---|---|---|---|---|---|")
    for r in rows:
        print(
            f"| {r['film']} | {r['at']:g} K | {r['cell']} | {r['moment'] / 1e3:.1f} ± {r['moment_error'] / 1e3:.1f} "
            f"| {100 * (r['moment'] / r['given_moment'] - 1):+.2f} ± {100 * r['moment_error'] / r['given_moment']:.2f} "
            f"| {1e3 * r['field']:.1f} ± {1e3 * r['field_error']:.1f} "
            f"| {100 * (r['field'] / r['given_field'] - 1):+.2f} ± {100 * r['field_error'] / r['given_field']:.2f} |"
        )
    print("\n| integrator | step (fs) | damping | B_K (mT) | of the given (%) |\n|---|---|---|---|---|")
    steps = sorted({(x["integrator"], x["dt"], x["damping"]) for x in lines if "moved" in x})
    for kind, dt, damping in steps:
        own = [x for x in lines if "moved" in x and (x["integrator"], x["dt"], x["damping"]) == (kind, dt, damping)]
        stiff, error = _field_of(np.array([m for x in own for m in x["moved"]]), own[0]["field"])
        wanted = own[0]["field"] / TILT
        print(
            f"| {kind} | {1e15 * dt:.0f} | {damping:g} | {1e3 * stiff:.1f} ± {1e3 * error:.1f} "
            f"| {100 * (stiff / wanted - 1):+.1f} ± {100 * error / wanted:.1f} |"
        )
    print("\n| wall of the 2 nm film | constants at | cell | |\n|---|---|---|---|")
    for kind, unit, scale in (
        ("width", "nm", 1e9),
        ("wide", "nm", 1e9),
        ("turn", "", 1),
        ("depinning", "1e11 A/m²", 1e-11),
    ):
        found = [x for x in lines if kind in x]
        for at in (ROOM, 0.0):
            for cell in CELLS:
                values = [scale * v for x in found if x["cell"] == cell and x["constants_at"] == at for v in x[kind]]
                if values:
                    mean, error = interval(values)
                    print(
                        f"| {kind} | {at:g} K | {cell} nm | {mean:.3f} ± {error:.3f} {unit} ({len(values)} replicas) |"
                    )
    print()
    print("| film | cell (nm) | m | Ku(T)/Ku | A(T)/A | Ms bare | A bare (pJ/m) | Ku bare (kJ/m³) | D bare (mJ/m²) |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, (_, thickness) in FILMS.items():
        for cell in CELLS:
            bare = bare_constants(constants(name), cell * 1e-9, thickness, ROOM)
            soft, mesh = bare.softening, bare.material
            print(
                f"| {name} | {cell} | {soft.order:.4f} | {soft.anisotropy:.4f} | {soft.exchange:.4f} "
                f"| {mesh.saturation_magnetisation / 1e3:.1f} | {1e12 * mesh.exchange_stiffness:.3f} "
                f"| {mesh.anisotropy / 1e3:.1f} | {1e3 * mesh.dmi:.4f} |"
            )
    if picture is not None:
        draw(rows, picture)


def draw(rows: list[dict[str, Any]], picture: Path) -> None:
    """B_K and Ms <m_z> against the cell, with and without bare constants."""
    figure, axes = plt.subplots(1, 2, figsize=(7.0, 3.1), layout="constrained")
    for name, colour in zip(FILMS, ("C0", "C3"), strict=True):
        for at, marker, filled in ((ROOM, "o", True), (0.0, "s", False)):
            own = [r for r in rows if r["film"] == name and r["at"] == at]
            words = f"{name}, " + ("constants at 300 K" if at else "given to the cells")
            for axis, key in zip(axes, ("moment", "field"), strict=True):
                axis.errorbar(
                    [r["cell"] for r in own], [r[key] / r[f"given_{key}"] for r in own],
                    [r[f"{key}_error"] / r[f"given_{key}"] for r in own], color=colour, marker=marker, ms=4, lw=1,
                    capsize=2, mfc=colour if filled else "white", label=words,
                )  # fmt: skip
    for axis, words in zip(axes, ("Ms ⟨m_z⟩ / given Ms", "B_K / given B_K"), strict=True):
        axis.axhspan(0.98, 1.02, color="0.9", zorder=0)
        axis.set(xscale="log", xticks=CELLS, xticklabels=CELLS, xlabel="cell (nm)", ylabel=words)
        axis.minorticks_off()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=7, frameon=False)
    figure.savefig(picture, dpi=150)
    print(picture)


def main() -> None:
    """Command line."""
    mpl.use("Agg")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["film", "wall", "depinning", "integrators", "table"])
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--batches", type=int, default=2)
    parser.add_argument("--cells", type=int, nargs="+", default=list(CELLS))
    parser.add_argument("--at", type=float, nargs="+", default=[ROOM, 0.0])
    parser.add_argument("--films", nargs="+", default=list(FILMS))
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.what == "film":
        todo = [
            (n, c, at, b) for b in range(given.batches) for at in given.at for n in given.films for c in given.cells
        ]
        work(given.results, "film", sample, todo)
    elif given.what == "wall":
        todo = [(c, at, b) for b in range(given.batches) for at in given.at for c in given.cells]
        work(given.results, "wall", wall, todo)
    elif given.what == "depinning":
        todo = [(c, at, b) for b in range(given.batches) for at in given.at for c in given.cells]
        work(given.results, "depinning", depinning, todo)
    elif given.what == "integrators":
        todo = [
            (kind, share, damping, b)
            for b in range(given.batches)
            for damping in (0.1, 0.5)
            for kind, share in (("splitting", 1.0), ("splitting", 0.5), ("heun", 1.0))
        ]
        work(given.results, "moved", moved, todo)
    else:
        table(given.results, given.picture)


if __name__ == "__main__":
    main()
