"""Speed of thermal ensembles of a small film: a disc with a skyrmion under a voltage pulse, and what maps cost.

    python benchmarks/devices/film_speed.py  # a short run, extrapolated; maps on against off
    python benchmarks/devices/film_speed.py --cells 4 --replicas 1000 --duration 3e-9 --rounds 0  # the whole ensemble

Disc of 100 nm × 1 nm, 300 K, all terms of a film with DMI, a gate pulse of 2 V, one skyrmion each. The time is that of
`simulate` as a user calls it; what is not simulated is extrapolated in proportion to replicas and time (every block of
eight replicas makes the same steps), after what does not grow with the duration has been taken off. Counted are cells ×
evaluations of the stray field a second: two a step of Heun's method, one of the splitting.

Beside them stand figures that the authors of mumax3 publish for one film of about that size (bench/gpus in
github.com/mumax/3, commit 587b61a1312631c98186d15926e782df955c6262; bench/bench.mx3: Heun, exchange and stray field, no
noise; the script is described in Vansteenkiste et al., AIP Advances 4, 107133 (2014)), and, where it is installed,
magnum.np on the same grid, measured in turn. Results are added to benchmarks/results/film_speed.jsonl.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from barkhausen import micromagnetics as mm
from barkhausen.version import __version__
from micromagnetics import magnumnp

WHOLE = {"replicas": 1000, "duration": 3e-9}
RESULTS = Path(__file__).parents[1] / "results" / "film_speed.jsonl"

MUMAX3 = {
    "RTX 2080 Ti": {1024: 4.59e6, 4096: 1.88e7, 4194304: 4.88e8},
    "H200": {1024: 9.04e6, 4096: 3.47e7, 4194304: 2.00e9},
}
"""Cells × evaluations a second by cells of the film, by accelerator."""

DISC = mm.Material(
    saturation_magnetisation=1.3e6, exchange_stiffness=2.5e-11, damping=0.01, anisotropy=1.1e6, dmi=1.75e-3,
    source="100 nm disc of a voltage-controlled memory; D assumed",
)  # fmt: skip


def disc(cell: float) -> mm.Film:
    """The disc on cells of that size (m)."""
    return mm.shape_film(mm.disc(100e-9), DISC, thickness=1e-9, cell=cell)


def pulse() -> mm.Drive:
    """2 V for 0.5 ns, with edges of 0.1 ns."""
    gate = mm.VoltageControlledAnisotropy(coefficient=100e-15, oxide_thickness=1e-9, film_thickness=1e-9)
    return mm.Drive(gate_voltage=mm.Waveform.pulse(2.0, width=0.5e-9, start=0.1e-9, rise=0.1e-9), gate=gate)


def ensemble(cell: float, replicas: int, duration: float, threads: int) -> dict[str, object]:
    """Time of an ensemble, and what follows from it for the whole one."""
    film = disc(cell)

    def run(duration: float) -> tuple[float, dict[str, object]]:
        begin = time.perf_counter()
        result = mm.simulate(
            film, pulse(), duration=duration, replicas=replicas, temperature=300.0, every=duration, threads=threads,
            initial=mm.skyrmion(film, radius=20e-9), observe=[mm.MeanMagnetisation()],
        )  # fmt: skip
        return time.perf_counter() - begin, result.attrs

    whole = replicas == WHOLE["replicas"] and duration == WHOLE["duration"]
    # What does not grow with the duration is paid once: a tenth of the run tells it from the rest.
    briefly = 0.0 if whole else min(run(0.1 * duration)[0] for _ in range(2))
    seconds, attributes = run(duration)
    steadily = seconds if whole else (seconds - briefly) / 0.9
    once = seconds - steadily
    dt, integrator = float(str(attributes["dt"])), str(attributes["integrator"])
    evaluations = {"splitting": 1, "heun": 2}[integrator]
    steps = duration / dt
    return {
        "cells": [*film.grid.shape],
        "cell": cell,
        "integrator": integrator,
        "dt": dt,
        "replicas": replicas,
        "duration": duration,
        "seconds": seconds,
        "cell_evaluations_per_second": film.grid.cells * replicas * steps * evaluations / steadily,
        "whole_seconds": once + steadily * (WHOLE["replicas"] / replicas) * (WHOLE["duration"] / duration),
    }


def print_ensemble(row: dict[str, object], threads: int) -> None:
    """The figures of one ensemble in words."""
    nx, ny = row["cells"]  # type: ignore[misc]
    whole = row["replicas"] == WHOLE["replicas"] and row["duration"] == WHOLE["duration"]
    how = "measured" if whole else "extrapolated"
    print(
        f"{nx} x {ny} cells, {row['replicas']} replicas, {row['duration']:g} s, {row['integrator']} at "
        f"{row['dt']:.3g} s, {threads} threads: {row['seconds']:.1f} s"
    )
    print(f"  1000 replicas, 3 ns: {float(row['whole_seconds']) / 60:.2f} min ({how})")  # type: ignore[arg-type]
    print(f"  {row['cell_evaluations_per_second']:.3g} cells x evaluations a second")
    for name, figures in MUMAX3.items():
        print(f"  mumax3, published, {name}: " + ", ".join(f"{v:.3g} ({cells} cells)" for cells, v in figures.items()))


def filled_maps(film: mm.Film, devices: int) -> mm.Film:
    """The film with every map, as good as uniform, of one device or of many."""
    shape = (devices, *film.grid.shape)
    near_one = 1 + 0.01 * torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    maps = mm.ParameterMaps(
        saturation_magnetisation=DISC.saturation_magnetisation * near_one,
        exchange_stiffness=DISC.exchange_stiffness * near_one,
        dmi=DISC.dmi * near_one,
        damping=DISC.damping * near_one,
        temperature=near_one,
        bond_x=near_one,
        bond_y=near_one,
    )
    return dataclasses.replace(film, maps=maps)


def cost_of_maps(cell: float, rounds: int, threads: int) -> dict[str, dict[str, float]]:
    """Time with maps of one device, and of a device for each replica, relative to that without, by integrator."""
    replicas = 8 * threads
    film = disc(cell)
    films = {"none": film, "of one device": filled_maps(film, 1), "of each replica": filled_maps(film, replicas)}
    costs: dict[str, dict[str, float]] = {}
    for kind in (mm.CompiledHeun, mm.CompiledSplitting):
        steppers = {
            name: kind(
                mm.System(each, pulse(), replicas=replicas, dtype=torch.float32),
                mm.skyrmion(film, radius=20e-9).to(torch.float32), dt=2e-14, temperature=300.0, threads=threads,
            )
            for name, each in films.items()
        }  # fmt: skip
        steps = max(10, round(2e5 / film.grid.cells))
        seconds: dict[str, list[float]] = {name: [] for name in steppers}
        for number in range(rounds + 1):
            for name, stepper in steppers.items():
                begin = time.perf_counter()
                stepper.advance(0.0, steps * 2e-14)
                if number:
                    seconds[name].append(time.perf_counter() - begin)
        costs[kind.__name__] = {
            name: statistics.median(a / b for a, b in zip(seconds[name], seconds["none"], strict=True))
            for name in steppers
        }
    return costs


def ours_in_turn(film: mm.Film, dt: float, threads: int) -> tuple[Callable[[int], None], int]:
    """Steps of the splitting of some replicas, and their number."""
    replicas = 8 * threads
    system = mm.System(film, pulse(), replicas=replicas, dtype=torch.float32)
    start = mm.skyrmion(film, radius=20e-9).to(torch.float32)
    stepper = mm.CompiledSplitting(system, start, dt=dt, temperature=300.0, threads=threads)

    def run(steps: int) -> None:
        stepper.advance(0.0, steps * dt)

    return run, replicas


def serve(cell: float, threads: int, code: str, dt: float) -> None:
    """Answer each line on standard input with the replica-seconds simulated in a second."""
    film = disc(cell)
    nx, ny = film.grid.shape
    run, replicas = ours_in_turn(film, dt, threads) if code == "ours" else magnumnp((nx, ny, cell, dt), compiled=False)
    run(3)
    begin = time.perf_counter()
    run(4)
    steps = max(4, int(4 / (time.perf_counter() - begin)))
    for _ in sys.stdin:
        begin = time.perf_counter()
        run(steps)
        print(json.dumps(replicas * steps * dt / (time.perf_counter() - begin)), flush=True)


def beside_magnumnp(cell: float, rounds: int, threads: int) -> float | None:
    """Ratio of the simulated time a second to that of magnum.np under Heun's method, each with its advised step."""
    if importlib.util.find_spec("magnumnp") is None:
        print("magnum.np is not installed (`make bench-micromagnetics` installs it)")
        return None
    heun = mm.advise_step(disc(cell), pulse(), temperature=300.0).recommended
    split = mm.advise_splitting_step(disc(cell), pulse(), temperature=300.0).recommended
    servers = {
        code: subprocess.Popen(
            [sys.executable, __file__, "--serve", code, "--cells", f"{cell * 1e9:g}", "--threads", str(threads),
             "--dt", str(dt)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for code, dt in (("ours", split), ("magnumnp", heun))
    }  # fmt: skip
    ratios = []
    for _ in range(rounds):
        speeds = {}
        for code, server in servers.items():
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write("\n")
            server.stdin.flush()
            speeds[code] = float(json.loads(server.stdout.readline()))
        ratios.append(speeds["ours"] / speeds["magnumnp"])
    for server in servers.values():
        server.kill()
    return statistics.median(ratios)


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=float, nargs="+", default=[4.0, 2.0], help="sizes of cells in nm")
    parser.add_argument("--replicas", type=int, default=32)
    parser.add_argument("--duration", type=float, default=3e-10, help="simulated time in s")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of the comparisons; 0 leaves them out")
    parser.add_argument("--serve", choices=("ours", "magnumnp"), help=argparse.SUPPRESS)
    parser.add_argument("--dt", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.serve:
        serve(arguments.cells[0] * 1e-9, arguments.threads, arguments.serve, arguments.dt)
        return
    RESULTS.parent.mkdir(exist_ok=True)
    for size in arguments.cells:
        cell = size * 1e-9
        row = ensemble(cell, arguments.replicas, arguments.duration, arguments.threads)
        print_ensemble(row, arguments.threads)
        if arguments.rounds:
            row["cost_of_maps"] = cost_of_maps(cell, arguments.rounds, arguments.threads)
            print(f"  time with maps over that without: {json.dumps(row['cost_of_maps'])}")
            row["over_magnumnp"] = beside_magnumnp(cell, arguments.rounds, arguments.threads)
            if row["over_magnumnp"] is not None:
                print(f"  simulated time a second over that of magnum.np: {row['over_magnumnp']:.0f}")
        about = {"threads": arguments.threads, "barkhausen": __version__, "torch": torch.__version__}
        with RESULTS.open("a") as file:
            file.write(json.dumps(row | about | {"machine": platform.machine()}) + "\n")


if __name__ == "__main__":
    main()
