"""Speed of stacks on torch beside that of a single film on torch: cells × evaluations of the field a second.

A film, two coupled layers with and without their stray field, and an antiferromagnet run the same number of Heun steps
at 300 K, in turn (A B C D A B C D …), so that all meet the same disturbances; medians over the rounds. Cells of all
layers are counted. The ratio to the single film says what a layer costs beside a film of its own.

    python benchmarks/devices/stacks.py [--replicas 8] [--cells 64x32] [--steps 40] [--rounds 9] [--device cpu]
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from barkhausen import micromagnetics as mm

CONSTANTS = mm.Material(
    saturation_magnetisation=5.8e5, exchange_stiffness=1.5e-11, damping=0.3, anisotropy=8e5, dmi=3e-3
)


def candidates(nx: int, ny: int) -> dict[str, tuple[mm.Film, tuple[mm.Term, ...] | None]]:
    """Films by name, with their terms (``None``: the standard ones)."""
    film = mm.Film(mm.Grid(nx, ny, 2e-9, 2e-9, 2e-9), CONSTANTS)
    bare = tuple(term for term in mm.System(film).terms if not isinstance(term, mm.Demag))
    coupling = [mm.InterlayerExchange(0, 1, bilinear=-1e-3)]
    return {
        "one film": (film, None),
        "two layers": (mm.Stack([film, film], [1e-9], coupling), None),
        "one film, no stray field": (film, bare),
        "two layers, no stray field": (mm.Stack([film, film], [1e-9], coupling, demag=False), None),
        "antiferromagnet": (mm.antiferromagnet(film, mm.SublatticeExchange(-1e-12, 0.35e-9, -1e-12)), None),
    }


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", type=int, default=8)
    parser.add_argument("--cells", default="64x32")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    nx, ny = map(int, arguments.cells.split("x"))
    steppers, cells = {}, {}
    dt = 1e-15
    for name, (film, terms) in candidates(nx, ny).items():
        system = mm.System(film, terms=terms, replicas=arguments.replicas, dtype=torch.float32, device=arguments.device)
        up = mm.uniform(film, (0.0, 0.1, 1.0))
        steppers[name] = mm.Heun(system, up, dt=dt, temperature=300.0)
        cells[name] = arguments.replicas * film.layer_count * nx * ny
    seconds: dict[str, list[float]] = {name: [] for name in steppers}
    for number in range(arguments.rounds + 1):
        for name, stepper in steppers.items():
            begin = time.perf_counter()
            stepper.advance(0.0, arguments.steps * dt)
            if arguments.device != "cpu":
                torch.cuda.synchronize()
            if number:
                seconds[name].append(time.perf_counter() - begin)
    print(f"{arguments.replicas} replicas of {nx} x {ny} cells, {arguments.device}, {torch.get_num_threads()} threads")
    speeds = {name: 2 * arguments.steps * cells[name] / statistics.median(seconds[name]) for name in steppers}
    for name, speed in speeds.items():
        beside = "one film" if name in {"one film", "two layers"} else "one film, no stray field"
        ratios = [
            cells[name] / cells[beside] * other / own
            for own, other in zip(seconds[name], seconds[beside], strict=True)
        ]  # fmt: skip
        print(f"{name:28s} {speed / 1e6:8.2f} M cells x evaluations/s, {statistics.median(ratios):.2f} of {beside}")


if __name__ == "__main__":
    main()
