"""Replica-steps per second of our two backends and of magnum.np.

    python benchmarks/devices/micromagnetics.py            # ours and, where it is installed, magnum.np
    python benchmarks/devices/micromagnetics.py --rounds 9

Every code makes Heun steps at 300 K in float32 with exchange, demagnetisation at both stages, perpendicular anisotropy,
interfacial DMI, spin-orbit torque and thermal noise, on 2 threads. magnum.np 2.2.0 simulates one film at a time, and
its own stochastic Heun does not run, so its terms are driven by a hand-written loop, once plain and once compiled by
torch. The processes take turns in every round, and medians are printed, so a machine whose speed drifts does not favour
one of them. In ours every replica has its own rough edge, anisotropy and current.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

THREADS = 2
REPLICAS = 64
SIZES = ((256, 32, 2e-9, 2.2e-14), (128, 16, 4e-9, 9e-14))
SECONDS = 1.0
CODES = ("compiled", "torch", "magnumnp", "magnumnp-compiled")


def ours(backend: str, size: tuple[int, int, float, float]) -> tuple[Callable[[int], None], int]:
    """A function that makes a number of steps of all replicas, and the number of replicas."""
    import torch  # noqa: PLC0415

    from barkhausen import micromagnetics as mm  # noqa: PLC0415

    torch.set_num_threads(THREADS)
    nx, ny, cell, dt = size
    replicas = REPLICAS if backend == "compiled" else REPLICAS // 2
    # Room for the rough edges on both sides, so that the grid is the one named.
    outline = mm.TrackOutline(length=nx * cell, width=ny * cell - 6e-9, roughness=mm.EdgeRoughness())
    film = mm.track_film(outline, mm.material("cofeb-tantalum"), cell=cell, devices=replicas)
    assert film.grid.shape == (nx, ny)
    assert film.fill is not None
    ku = torch.linspace(0.7e6, 0.9e6, replicas, dtype=torch.float64)[:, None, None].expand(-1, nx, ny)
    film = dataclasses.replace(film, anisotropy=ku)
    drive = mm.Drive(current_density=torch.linspace(0.5e11, 1.5e11, replicas, dtype=torch.float64))
    start = mm.domain_wall(film).to(torch.float32) * (film.fill > 0)[:, None]
    steppers: list[mm.Stepper] = []
    terms = mm.standard_terms(film.material)
    chunk = mm.choose_backend(film, terms, replicas, name=backend, threads=THREADS).chunk
    for rows in torch.arange(replicas).split(chunk):
        system = mm.System(film.select(rows), drive.select(rows), replicas=chunk, dtype=torch.float32)
        if backend == "compiled":
            stepper = mm.CompiledHeun(system, start[rows], dt=dt, temperature=300.0, replicas=rows, threads=THREADS)
        else:
            stepper = mm.Heun(system, start[rows], dt=dt, temperature=300.0, replicas=rows)
        steppers.append(stepper)

    def run(steps: int) -> None:
        for stepper in steppers:
            stepper.advance(0.0, steps * dt)

    return run, replicas


def magnumnp(size: tuple[int, int, float, float], *, compiled: bool) -> tuple[Callable[[int], None], int]:
    """The same film in magnum.np, one replica."""
    os.environ["CUDA_DEVICE"] = "-1"
    if not compiled:
        os.environ["TORCHDYNAMO_DISABLE"] = "1"
    import magnumnp as mn  # noqa: PLC0415
    import torch  # noqa: PLC0415

    torch.set_num_threads(THREADS)
    torch.set_default_dtype(torch.float32)
    nx, ny, cell, dt = size
    state = mn.State(mn.Mesh((nx, ny, 1), (cell, cell, 1e-9)))
    state.material = {
        "Ms": 1e6, "A": 1.5e-11, "Ku": 0.8e6, "Ku_axis": [0, 0, 1], "Di": 0.6e-3, "alpha": 0.03, "p": [0, 1, 0],
        "eta_damp": 0.15, "eta_field": 0.0, "je": 1e11, "d": 1e-9,
    }  # fmt: skip
    m = torch.zeros(nx, ny, 1, 3)
    m[..., 2] = torch.where(torch.arange(nx) < nx // 2, 1.0, -1.0)[:, None, None]
    m[..., 0] = 0.1
    state.m = m / m.norm(dim=-1, keepdim=True)
    state.T, state._dt, state._step = 300.0, dt, 0
    terms = [mn.ExchangeField(), mn.DemagField(), mn.UniaxialAnisotropyField(), mn.InterfaceDMIField(),
             mn.SpinOrbitTorque(), mn.ThermalField()]  # fmt: skip
    llg = mn.LLGSolver(terms, solver=mn.RKF45)

    def run(steps: int) -> None:
        with torch.no_grad():
            for _ in range(steps):
                state._step += 1
                before = state.m
                first = llg.dm(state.t, before, state)
                second = llg.dm(state.t, before + dt * first, state)
                after = before + 0.5 * dt * (first + second)
                state.m = after / after.norm(dim=-1, keepdim=True)

    return run, 1


def serve(code: str) -> None:
    """Answer each line «size» on standard input with the replica-steps per second of one slice of time."""
    prepared: dict[int, tuple[Callable[[int], None], int, int]] = {}
    for line in sys.stdin:
        number = int(line)
        if number not in prepared:
            size = SIZES[number]
            run, replicas = (
                magnumnp(size, compiled=code.endswith("compiled")) if code.startswith("magnumnp") else ours(code, size)
            )
            run(3)
            begin = time.perf_counter()
            run(4)
            steps = max(4, int(4 * SECONDS / (time.perf_counter() - begin)))
            prepared[number] = run, replicas, steps
        run, replicas, steps = prepared[number]
        begin = time.perf_counter()
        run(steps)
        print(json.dumps(replicas * steps / (time.perf_counter() - begin)), flush=True)


def main() -> None:
    """Start one process a code and let them take turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--serve", choices=CODES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return
    codes = [c for c in CODES if not c.startswith("magnumnp") or importlib.util.find_spec("magnumnp")]
    if "magnumnp" not in codes:
        print("magnum.np is not installed (`make bench-micromagnetics` installs it): ours alone")
    servers = {
        code: subprocess.Popen(
            [sys.executable, __file__, "--serve", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )
        for code in codes
    }  # fmt: skip
    figures: dict[tuple[int, str], list[float]] = {}
    for _ in range(arguments.rounds + 1):
        for number in range(len(SIZES)):
            for code in list(servers):
                server = servers[code]
                assert server.stdin is not None
                assert server.stdout is not None
                try:
                    server.stdin.write(f"{number}\n")
                    server.stdin.flush()
                    answer = server.stdout.readline()
                except BrokenPipeError:
                    answer = ""
                if not answer:
                    print(f"{code} does not run here")
                    del servers[code]
                    continue
                figures.setdefault((number, code), []).append(json.loads(answer))
    print(
        f"replica-steps per second, {THREADS} threads, median (lowest to highest) of {arguments.rounds} rounds in turn"
    )
    for number, (nx, ny, cell, _) in enumerate(SIZES):
        print(f"{nx} x {ny} cells of {cell * 1e9:g} nm")
        base = figures.get((number, "magnumnp"))
        for code in codes:
            row = figures.get((number, code), [])[1:]  # the first round still warms up
            if not row:
                continue
            ratio = f"{statistics.median(a / b for a, b in zip(row, base[1:], strict=True)):8.1f} x" if base else ""
            print(f"  {code:18s} {statistics.median(row):9.0f}  ({min(row):.0f} to {max(row):.0f}) {ratio}")
    for server in servers.values():
        server.kill()


if __name__ == "__main__":
    main()
