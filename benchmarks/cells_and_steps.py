"""Do the statistics of a device survive smaller cells and a shorter step?

    python benchmarks/cells_and_steps.py [DEVICE.toml] [--devices 6] [--cycles 1] [--cells 2e-9] [--out DIR]

Runs the same physical devices (the same edges) three times: as the file says, with the step halved, and with smaller
cells. Prints, for each state, the difference of the mean position with a 95 % interval, paired by device (bootstrap
over devices), and the same for the share of events that come to rest in the state's own notch. The thermal noise
differs between the runs, so each difference carries the noise of two ensembles.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from barkhausen.device import load_parameters, shipped_toml
from barkhausen.device.characterise import characterise

RESAMPLES = 4000


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("device", nargs="?", type=Path)
    parser.add_argument("--devices", type=int, default=6)
    parser.add_argument("--cycles", type=int, default=1)
    parser.add_argument("--cells", type=float, default=2e-9)
    parser.add_argument("--out", type=Path, default=None, help="keep unfinished work here, and go on with it")
    given = parser.parse_args()
    out = given.out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)
    source = given.device
    if source is None:
        source = out / "racetrack-5.toml"
        source.write_text(shipped_toml("racetrack-5"), encoding="utf-8")
    size = [f"characterisation.devices={given.devices}", f"characterisation.cycles={given.cycles}"]
    step = None
    resting = {}
    for name in ("as given", "half step", "small cells"):
        settings = list(size)
        if name == "half step":
            settings.append(f"characterisation.dt={step / 2!r}")
        elif name == "small cells":
            settings.append(f"characterisation.cell={given.cells!r}")
        begin = time.perf_counter()
        found = characterise(load_parameters(source, settings), checkpoint=out / name.replace(" ", "-"))
        step = step or float(json.loads(found.device.data.attrs["attributes"])["dt"])
        resting[name] = found.device.data["position"].values * 1e9
        failed = found.device.failure_rate.mean()
        print(f"{name}: {time.perf_counter() - begin:.0f} s, failures {100 * failed:.1f} %")
    reference = resting["as given"]
    means = np.nanmean(reference, axis=(1, 2))
    borders = np.concatenate([[-np.inf], 0.5 * (means[1:] + means[:-1]), [np.inf]])
    generator = np.random.default_rng(0)
    print(f"\n{given.devices} devices x {given.cycles} cycles a state; mean and 95 % interval")
    print(f"{'state':>6} {'mean (nm)':>10} {'compared with':>14} {'difference (nm)':>26} {'share in place':>26}")
    for state, mean in enumerate(means):
        for name in ("half step", "small cells"):
            shift = np.nanmean(resting[name][state], axis=1) - np.nanmean(reference[state], axis=1)
            place = [_in_place(resting[n][state], borders[state], borders[state + 1]) for n in (name, "as given")]
            print(
                f"{state:>6} {mean:>10.1f} {name:>14} {_interval(shift, generator):>26} "
                f"{_interval(place[0] - place[1], generator):>26}"
            )


def _in_place(positions: np.ndarray, low: float, high: float) -> np.ndarray:
    """Share of each device's events between the borders of the state."""
    return np.asarray(((positions > low) & (positions < high)).mean(axis=1))


def _interval(values: np.ndarray, generator: np.random.Generator) -> str:
    values = values[np.isfinite(values)]
    picks = generator.integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[picks].mean(axis=1), (0.025, 0.975))
    return f"{values.mean():+.2f} [{low:+.2f}, {high:+.2f}]"


if __name__ == "__main__":
    main()
