"""Escape of a wall from a shallow notch: direct thermal simulation against Langer's rate with the barrier of paths.

    python benchmarks/devices/escape.py [--depths 3.4e-9 4.2e-9 5e-9] [--replicas 96] [--time 400e-9] [--out DIR]

A wall rests in the middle one of three notches of a smooth track; the outer two are deeper, so that a wall that leaves
stays away. Walls are simulated at 300 K by the splitting integrator until the time is over. The rate is the number of
walls that have reached an outer notch, divided by the time for which walls were in the middle one (after the first
nanoseconds); its interval is the exact one of a Poisson number. It stands beside the rate from the paths of least
energy, and from the calibrated compact model. The free energy along the track, −kB T ln p(q) of the positions before a
wall leaves, stands beside the energy along the path.

Finished parts are kept in DIR; the same command resumes there.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.stats import chi2

from barkhausen.core.units import BOLTZMANN
from barkhausen.device import DeviceParameters
from barkhausen.device.domain_wall.barriers import string_barriers
from barkhausen.device.domain_wall.retention import retention
from barkhausen.micromagnetics import WallPosition, domain_wall, simulate

MIDDLE, GAP, WIDTH = 80e-9, 36e-9, 32e-9
START = 3e-9
"""Time in s that a wall is given to reach equilibrium in its notch."""

EVERY = 0.05e-9


def device(depth: float, cell: float) -> DeviceParameters:
    """The track with a notch of that depth between two deeper ones."""
    places = (MIDDLE - GAP, MIDDLE, MIDDLE + GAP)
    return DeviceParameters.model_validate(
        {
            "track": {"length": 2 * MIDDLE, "width": WIDTH, "thickness": 1e-9},
            "material": {"preset": "cofeb-tungsten", "anisotropy": 0.86e6, "constants_at": 300.0},
            "shape": {
                "roughness": {"rms": 0.0},
                "end_stops": {"length": 20e-9, "anisotropy": 3e5},
                "notches": [
                    {"position": x, "depth": depth if x == MIDDLE else 7e-9, "half_length": 14e-9} for x in places
                ],
            },
            "characterisation": {"devices": 1, "cell": cell, "temperature": 300.0},
        }
    )


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--depths", type=float, nargs="+", default=[3.4e-9, 4.2e-9, 5e-9])
    parser.add_argument("--replicas", type=int, default=96)
    parser.add_argument("--time", type=float, default=400e-9)
    parser.add_argument("--cell", type=float, default=4e-9)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, help="directory for unfinished work, from which the next call resumes")
    given = parser.parse_args()
    out = given.out or Path(tempfile.mkdtemp())
    print(
        "depth (nm) | barrier of paths (kT) | escapes | rate (1/us) [95 %] | Langer, paths (1/us) | ratio | "
        "Langer, compact (1/us)"
    )
    profiles = []
    for depth in given.depths:
        parameters = device(depth, given.cell)
        place = np.array([[MIDDLE]])
        landscapes = string_barriers(parameters, place)
        paths, compact = retention(parameters, place, landscapes=landscapes), retention(parameters, place)
        q = _positions(parameters, depth, given, out)
        events, at_risk, resting = _escapes(q)
        rate = events / at_risk
        low = chi2.ppf(0.025, 2 * events) / 2 / at_risk if events else 0.0
        high = chi2.ppf(0.975, 2 * events + 2) / 2 / at_risk
        langer, other = (1 / float(found["retention_time"].values.item()) for found in (paths, compact))
        barrier = float(paths["barrier"].values.item()) / (BOLTZMANN * 300.0)
        print(
            f"{1e9 * depth:.1f} | {barrier:.2f} | {events} | {1e-6 * rate:.3g} [{1e-6 * low:.3g}, {1e-6 * high:.3g}] | "
            f"{1e-6 * langer:.3g} | {rate / langer:.2f} [{low / langer:.2f}, {high / langer:.2f}] | {1e-6 * other:.3g}",
            flush=True,
        )
        profiles.append((depth, resting, landscapes))
    print("depth (nm) | distance from the notch (nm) | free energy of positions (kT) | energy along the path (kT)")
    for depth, resting, landscapes in profiles:
        _print_profile(depth, resting, landscapes)


def _positions(parameters: DeviceParameters, depth: float, given: argparse.Namespace, out: Path) -> np.ndarray:
    """Positions of all walls in time, of as many as are in the notch."""
    film = parameters.film()
    found = simulate(
        film,
        duration=given.time,
        every=EVERY,
        replicas=given.replicas,
        seed=5,
        temperature=300.0,
        initial=domain_wall(film, MIDDLE),
        observe=(WallPosition(),),
        integrator="splitting",
        threads=given.threads,
        checkpoint=out / f"depth-{1e9 * depth:.2f}-{given.replicas}-{1e9 * given.time:g}",
        progress=True,
    )
    values: np.ndarray = found["wall_position"].values
    return values


def _escapes(q: np.ndarray) -> tuple[int, float, np.ndarray]:
    """Number of escapes, time at risk in s, and the positions before them."""
    first = round(START / EVERY)
    # Half way down to the next notch there is no way back within the time it takes to look.
    away = ~(np.abs(q - MIDDLE) < 0.8 * GAP)
    events, at_risk, resting = 0, 0.0, []
    for row, gone in zip(q.T, away.T, strict=True):
        left = np.nonzero(gone)[0]
        end = int(left[0]) if left.size else len(row)
        if end <= first:
            continue
        events += left.size > 0
        at_risk += (end - first) * EVERY
        resting.append(row[first:end])
    return events, at_risk, np.concatenate(resting)


def _print_profile(depth: float, resting: np.ndarray, landscapes: xr.Dataset) -> None:
    """The free energy of the positions and the energy along the path, both relative to the middle of the notch."""
    width = 1e-9
    distance = np.abs(resting[np.isfinite(resting)] - MIDDLE)
    counts = np.histogram(distance, np.arange(0.0, 15.5e-9, width))[0]
    place, energy = landscapes["place"].values, landscapes["energy"].values[0] / (BOLTZMANN * 300.0)
    sides = [
        energy[np.abs(place - MIDDLE - side * (k + 0.5) * width).argmin()]
        for k in range(len(counts))
        for side in (-1, 1)
    ]
    both = np.reshape(sides, (-1, 2)).mean(1)
    for k in (2, 4, 6, 8, 10, 12):
        if counts[k] > 20:
            print(f"{1e9 * depth:.1f} | {k + 0.5:.1f} | {-np.log(counts[k] / counts[0]):.2f} | {both[k] - both[0]:.2f}")


if __name__ == "__main__":
    main()
