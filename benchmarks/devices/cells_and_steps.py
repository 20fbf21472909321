"""Effect of smaller cells and a shorter step on the statistics of a shipped device.

    python benchmarks/devices/cells_and_steps.py [racetrack-5] [--devices 6] [--cycles 1] [--cells 2e-9] [--only …]
    python benchmarks/devices/cells_and_steps.py nonvolatile-5 --devices 12 --cycles 4 --out DIR --append

Simulates the first devices of the shipped ensemble again (the same edges), once with the step halved and once with
smaller cells, and compares with the shipped positions. Prints for each state the difference of the mean position, of
the mean of the walls in the notch of the state (both with a 95 % interval by bootstrap over events), and of the share
of events that end in that notch (95 % interval of Newcombe, Stat. Med. 17, 873 (1998), method 10). The thermal noise
differs between the runs, so a difference contains the noise of two ensembles. With --append a line for each state is
added to benchmarks/results/cells_and_steps.jsonl.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

from barkhausen import __version__
from barkhausen.device import load_parameters, preset, shipped_toml
from barkhausen.device.domain_wall.characterise import characterise
from barkhausen.device.statistics.shares import wilson

RESULTS = Path(__file__).parents[1] / "results" / "cells_and_steps.jsonl"

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
    parser.add_argument("--append", action="store_true", help="keep the figures in benchmarks/results")
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
        print(
            f"{'state':>6} {'shipped (nm)':>13} {'difference (nm)':>22} {'in its notch (nm)':>22} {'in the notch':>44}"
        )
        for state, mean in enumerate(means):
            ours, theirs = (p[state][np.isfinite(p[state])] for p in (1e9 * found.state_values, reference))
            inside = [v[(v > borders[state]) & (v < borders[state + 1])] for v in (ours, theirs)]
            counts = [(len(i), len(v)) for i, v in zip(inside, (ours, theirs), strict=True)]
            everywhere, within = _difference(ours, theirs, generator), _difference(*inside, generator)
            shares = _difference_of_shares(*counts)
            counted = " and ".join(f"{good}/{events}" for good, events in counts)
            print(
                f"{state:>6} {mean:>13.1f} {_text(everywhere, 2):>22} {_text(within, 2):>22} "
                f"{counted:>18}: {_text(shares, 3):>24}",
                flush=True,
            )
            if given.append:
                about = {
                    "device": given.device,
                    "variant": name,
                    "setting": setting,
                    "devices": given.devices,
                    "cycles": given.cycles,
                    "state": state,
                    "shipped_nm": round(float(mean), 3),
                    "difference_nm": everywhere,
                    "difference_in_notch_nm": within,
                    "in_notch": counts,
                    "difference_of_shares": shares,
                    "version": __version__,
                    "machine": platform.machine(),
                }
                with RESULTS.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(about) + "\n")


def _text(difference: tuple[float, float, float], digits: int) -> str:
    value, low, high = difference
    return f"{value:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"


def _difference(ours: np.ndarray, theirs: np.ndarray, generator: np.random.Generator) -> tuple[float, float, float]:
    """Difference of two means with its bootstrap interval."""
    draws = [v[generator.integers(len(v), size=(RESAMPLES, len(v)))].mean(axis=1) for v in (ours, theirs)]
    low, high = np.quantile(draws[0] - draws[1], (0.025, 0.975))
    return _rounded(ours.mean() - theirs.mean(), low, high)


def _difference_of_shares(ours: tuple[int, int], theirs: tuple[int, int]) -> tuple[float, float, float]:
    """Difference of two shares with Newcombe's interval, which has a width also where all events are good."""
    shares = [good / events for good, events in (ours, theirs)]
    (low, high), (their_low, their_high) = wilson(*ours), wilson(*theirs)
    difference = shares[0] - shares[1]
    below = difference - np.hypot(shares[0] - low, their_high - shares[1])
    above = difference + np.hypot(high - shares[0], shares[1] - their_low)
    return _rounded(difference, below, above)


def _rounded(*values: float) -> tuple[float, float, float]:
    value, low, high = (round(float(value), 4) for value in values)
    return value, low, high


if __name__ == "__main__":
    main()
