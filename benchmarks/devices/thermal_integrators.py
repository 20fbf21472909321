"""Weak error of the integrators at a temperature against their work.

    python benchmarks/devices/thermal_integrators.py film --results FILE  # <m_z>, nearest cells, variance of a film
    python benchmarks/devices/thermal_integrators.py long-waves --results FILE  # temperature of its mean moment
    python benchmarks/devices/thermal_integrators.py passing --results FILE  # probability that a wall passes a barrier
    python benchmarks/devices/thermal_integrators.py ensemble  # time of racetrack-5, old and new in turn
    python benchmarks/devices/thermal_integrators.py table --results FILE  # what was measured

Each line of the results is one batch of one method: machine, version, counts. A batch that is there is not computed
again, so a run that was stopped goes on. Times of one `ensemble` run are of both methods in turn, in one process.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import barkhausen
from barkhausen import __version__
from barkhausen import micromagnetics as mm
from barkhausen.core.units import BOLTZMANN
from barkhausen.micromagnetics import compiled

ROOM = 300.0
METHODS = {
    "heun, a quarter of its step": ("heun", 0.25),
    "heun": ("heun", 1.0),
    "splitting": ("splitting", 1.0),
    "splitting, half its step": ("splitting", 0.5),
}
"""Integrator and step in units of the recommended one; steps are fitted to the records."""

BATCH = 64


def film() -> mm.Film:
    """Film of 32 x 16 cells of 4 nm, magnetised out of the plane."""
    return mm.Film(mm.Grid(32, 16, 4e-9, 4e-9, 1e-9), mm.material("cofeb-tantalum"))


def step(integrator: str, share: float, of: mm.Film, drive: mm.Drive | None, every: float) -> float:
    """Step in s: a share of the recommended one, a whole number in ``every``."""
    advise = mm.advise_splitting_step if integrator == "splitting" else mm.advise_step
    longest = share * advise(of, drive, temperature=ROOM).recommended
    return every / math.ceil(every / longest * (1 - 1e-9))


@dataclasses.dataclass(frozen=True)
class Neighbours(mm.Observable):
    """Mean scalar product of cells next to each other along x: -1/2 of the exchange energy in units of a bond's."""

    name = "neighbours"
    units = ""

    def __call__(self, system: mm.System, state: mm.State) -> torch.Tensor:
        """Mean over the film of each replica."""
        m = state.m
        return (m[:, :, 1:] * m[:, :, :-1]).sum(1).double().mean((1, 2))


def film_batch(integrator: str, share: float, seed: int) -> dict[str, list[float]]:
    """Means over 4 ns of each replica after 0.6 ns from saturation."""
    every = 10e-12
    result = mm.simulate(
        film(), duration=4.6e-9, every=every, replicas=BATCH, seed=seed, temperature=ROOM, integrator=integrator,
        dt=step(integrator, share, film(), None, every), initial=mm.uniform(film(), (0.0, 0.0, 1.0)),
        observe=(mm.MeanMagnetisation(), Neighbours()), threads=1,
    )  # fmt: skip
    m = result["m"].sel(component="z").values[60:].astype(float)
    return {
        "m_z": m.mean(0).tolist(),
        "neighbours": result["neighbours"].values[60:].mean(0).tolist(),
        "variance": (1e6 * m.var(0, ddof=1)).tolist(),
    }


def long_wave_batch(integrator: str, share: float, seed: int) -> dict[str, list[float]]:
    """Temperature of the mean moment of 16 x 16 cells held by exchange in a field of 1 T, damping 0.3, over the bath's.

    <M_x²> = <M_z> kT/(V Ms B) exactly, since exchange does not change when all spins turn together.
    """
    every, field, edge = 2e-12, 1.0, 16
    stuff = mm.Material(saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=0.3)
    terms, drive = (mm.Exchange(), mm.Zeeman()), mm.Drive(field_z=field)
    whole = mm.Film(mm.Grid(edge, edge, 4e-9, 4e-9, 2e-9), stuff)
    advise = mm.advise_splitting_step if integrator == "splitting" else mm.advise_step
    longest = share * advise(whole, drive, temperature=ROOM, terms=terms).recommended
    result = mm.simulate(
        whole, drive, duration=1.5e-9, every=every, replicas=BATCH, seed=seed, temperature=ROOM, terms=terms,
        integrator=integrator, dt=every / math.ceil(every / longest * (1 - 1e-9)), threads=1,
        initial=mm.uniform(whole, (0.0, 0.0, 1.0)), observe=(mm.MeanMagnetisation(),),
    )  # fmt: skip
    x, y, z = result["m"].values[len(result["time"]) // 4 :].astype(float).transpose(2, 0, 1)
    expected = z.mean() * BOLTZMANN * ROOM / (edge * edge * whole.moment * field)
    return {"temperature": ((x * x + y * y).mean(0) / 2 / expected).tolist()}


def track() -> mm.Film:
    """Track of 32 x 8 cells of 4 nm with a barrier of anisotropy in its middle."""
    grid, stuff = mm.Grid(32, 8, 4e-9, 4e-9, 1e-9), mm.material("cofeb-tantalum")
    x = (torch.arange(32, dtype=torch.float64) + 0.5) * 4e-9
    ku = stuff.anisotropy * (1 + BARRIER * torch.exp(-(((x - 68e-9) / 12e-9) ** 2)))
    return mm.Film(grid, stuff, anisotropy=ku[:, None].expand(32, 8))


BARRIER, CURRENT, PULSE = 0.06, 1.25e11, 0.9e-9


def passing_batch(integrator: str, share: float, seed: int) -> dict[str, list[float]]:
    """Whether the wall lies beyond the barrier after a pulse of current."""
    duration = PULSE + 0.3e-9
    drive = mm.Drive(current_density=mm.Waveform.pulse(CURRENT, width=PULSE, rise=50e-12, fall=50e-12))
    every = duration / 12
    result = mm.simulate(
        track(), drive, duration=duration, every=every, replicas=BATCH, seed=seed, temperature=ROOM,
        integrator=integrator, dt=step(integrator, share, track(), drive, every), threads=1,
        initial=mm.domain_wall(track(), 40e-9), observe=(mm.MeanMagnetisation(),),
    )  # fmt: skip
    # The mean m_z says where the wall is, and a domain that fills the track counts as passed.
    m = result["m"].sel(component="z").values[-1].astype(float)
    return {"passed": (m > 2 * 68.0 / 128 - 1).astype(float).tolist(), "m_z": m.tolist()}


def collect(name: str, make: Callable[[str, float, int], dict[str, list[float]]], batches: int, results: Path) -> None:
    """Batches that are not there yet, method by method in turn."""
    done = {(row["what"], row["method"], row["seed"]) for row in rows_of(results)}
    for seed in range(batches):
        for method, (integrator, share) in METHODS.items():
            if (name, method, seed) in done:
                continue
            start = time.process_time()
            values = make(integrator, share, seed)
            row = {
                "what": name, "method": method, "share": share, "seed": seed, "seconds": time.process_time() - start,
                "machine": platform.machine(), "kernel": compiled.variant(), "version": __version__, **values,
            }  # fmt: skip
            with results.open("a") as file:
                file.write(json.dumps(row) + "\n")


def rows_of(results: Path) -> list[dict[str, object]]:
    """Lines of a file of results."""
    return [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []


def table(results: Path) -> None:
    """Means with standard errors, and biases against the first method."""
    rows = rows_of(results)
    for what in sorted({str(row["what"]) for row in rows}):
        for quantity in ("m_z", "neighbours", "variance", "temperature", "passed"):
            reference: tuple[float, float] | None = None
            for method in dict.fromkeys(str(row["method"]) for row in rows):
                mine = [row for row in rows if row["what"] == what and row["method"] == method and quantity in row]
                if not mine:
                    continue
                values = np.concatenate([np.asarray(row[quantity], dtype=float) for row in mine])
                mean, error = float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)
                bias = "" if reference is None else (
                    f"  bias {mean - reference[0]:+.5f} +- {math.hypot(error, reference[1]):.5f}"
                )  # fmt: skip
                reference = reference or (mean, error)
                print(f"{what:8s} {quantity:10s} {method:28s} {mean:.5f} +- {error:.5f} ({len(values)}){bias}")


def ensemble(rounds: int, steps: int) -> None:
    """CPU seconds a simulated ns of a part of racetrack-5's ensemble of 320 events, both methods in turn."""
    from barkhausen.device import load_parameters  # noqa: PLC0415
    from barkhausen.device.domain_wall.ensemble import Ensemble  # noqa: PLC0415

    shipped = Path(barkhausen.__file__).parent / "device/shipped/racetrack-5.toml"
    run = Ensemble(load_parameters(shipped))
    assigned = run.film.assign(run.device_of_replica)
    start = mm.domain_wall(run.film, run.starts).to(torch.float32)
    seconds: dict[str, list[float]] = {}
    terms = mm.standard_terms(assigned.material)
    chunk = mm.choose_backend(assigned, terms, run.replicas, threads=1).chunk
    for _ in range(rounds):
        for name in ("heun", "splitting"):
            advise = mm.advise_splitting_step if name == "splitting" else mm.advise_step
            advice = advise(assigned, run.drive, temperature=ROOM)
            dt = run.every / math.ceil(run.every / advice.recommended * (1 - 1e-9))
            kind = mm.CompiledSplitting if name == "splitting" else mm.CompiledHeun
            spent = 0.0
            for rows in torch.arange(run.replicas).split(chunk)[:: max(1, run.replicas // chunk // 4)]:
                system = mm.System(
                    assigned.select(rows), run.drive.select(rows), replicas=len(rows), dtype=torch.float32
                )
                stepper = kind(system, start[rows], dt=dt, temperature=ROOM, replicas=rows, threads=1)
                stepper.advance(0.0, 10 * dt)
                begin = time.process_time()
                stepper.advance(10 * dt, (10 + steps) * dt)
                spent += (time.process_time() - begin) / (steps * dt * 1e9)
            seconds.setdefault(name, []).append(spent)
            print(f"{name:10s} dt = {dt:.3g} s  {spent:8.2f} s of CPU a ns for a part of the ensemble", flush=True)
    ratios = [new / old for new, old in zip(seconds["splitting"], seconds["heun"], strict=True)]
    print(f"splitting : heun = {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def main() -> None:
    """One part of the measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("film", "long-waves", "passing", "ensemble", "table"))
    parser.add_argument(
        "--results", type=Path, default=Path(__file__).parents[1] / "results" / "thermal_integrators.jsonl"
    )
    parser.add_argument("--batches", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.part == "film":
        collect("film", film_batch, given.batches, given.results)
    elif given.part == "long-waves":
        collect("long waves", long_wave_batch, given.batches, given.results)
    elif given.part == "passing":
        collect("passing", passing_batch, given.batches, given.results)
    elif given.part == "table":
        table(given.results)
    else:
        ensemble(given.rounds, given.steps)


if __name__ == "__main__":
    main()
