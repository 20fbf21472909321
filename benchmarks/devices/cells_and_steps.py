"""Effect of smaller cells and a shorter step on the statistics of a shipped device.

    python benchmarks/devices/cells_and_steps.py [racetrack-5] [--devices 6] [--cycles 1] [--cells 2e-9] [--only …]

Simulates the first devices of the shipped ensemble again (the same edges), once with the step halved and once with
smaller cells, and compares with the shipped positions. Prints, for each state, the difference of the mean position and
of the share of events that end in the notch of the state, each with a 95 % interval (bootstrap over events). The
thermal noise differs between the runs, so a difference contains the noise of two ensembles.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from barkhausen.device import load_parameters, preset, shipped_toml
from barkhausen.device.domain_wall.characterise import characterise

RESAMPLES = 4000


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("device", nargs="?", default="racetrack-5")
    parser.add_argument("--devices", type=int, default=6)
    parser.add_argument("--cycles", type=int, default=1)
    parser.add_argument("--cells", type=float, default=2e-9)
    parser.add_argument("--only", choices=("half-step", "small-cells"))
    parser.add_argument("--out", type=Path, help="directory for unfinished work, from which the next call resumes")
    parser.add_argument("--threads", type=int)
    given = parser.parse_args()
    out = given.out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)
    shipped = preset(given.device)
    source = out / f"{given.device}.toml"
    source.write_text(shipped_toml(given.device), encoding="utf-8")
    step = float(json.loads(shipped.data.attrs["attributes"])["dt"])
    reference = 1e9 * shipped.state_values[:, : given.devices]
    means = np.nanmean(reference, axis=(1, 2))
    borders = np.concatenate([[-np.inf], 0.5 * (means[1:] + means[:-1]), [np.inf]])
    generator = np.random.default_rng(0)
    size = [
        f"characterisation.devices={given.devices}", f"characterisation.cycles={given.cycles}",
        "characterisation.barriers=compact",  # only positions are compared
    ]  # fmt: skip
    variants = {
        "half-step": f"characterisation.dt={step / 2!r}",
        "small-cells": f"characterisation.cell={given.cells!r}",
    }
    for name, setting in variants.items():
        if given.only not in (None, name):
            continue
        begin = time.perf_counter()
        parameters = load_parameters(source, [*size, setting])
        found = characterise(parameters, checkpoint=out / name, threads=given.threads).device
        print(
            f"\n{name} ({setting}): {given.devices} devices x {given.cycles} against {given.devices} x "
            f"{reference.shape[2]} shipped events a state, {time.perf_counter() - begin:.0f} s, "
            f"failures {100 * found.failure_rate.mean():.1f} %"
        )
        print(f"{'state':>6} {'shipped (nm)':>13} {'difference (nm)':>26} {'share in place':>15} {'difference':>22}")
        for state, mean in enumerate(means):
            ours, theirs = (p[state][np.isfinite(p[state])] for p in (1e9 * found.state_values, reference))
            place = [(v > borders[state]) & (v < borders[state + 1]) for v in (ours, theirs)]
            print(
                f"{state:>6} {mean:>13.1f} {_difference(ours, theirs, generator):>26} {place[1].mean():>15.2f} "
                f"{_difference(place[0].astype(float), place[1].astype(float), generator):>22}",
                flush=True,
            )


def _difference(ours: np.ndarray, theirs: np.ndarray, generator: np.random.Generator) -> str:
    draws = [v[generator.integers(len(v), size=(RESAMPLES, len(v)))].mean(axis=1) for v in (ours, theirs)]
    low, high = np.quantile(draws[0] - draws[1], (0.025, 0.975))
    return f"{ours.mean() - theirs.mean():+.2f} [{low:+.2f}, {high:+.2f}]"


if __name__ == "__main__":
    main()
