"""Walls that pulses move with and without patches at the edges: figure of positions against time, and a table.

    barkhausen characterize-pulses patched.toml --out patched.nc --threads 1
    barkhausen characterize-pulses plain.toml --out plain.nc --threads 1
    python benchmarks/devices/edge_patches.py patched.nc plain.nc --figure pulse-trains.png

The parameter files are ``device/shipped/pulses-patched.toml`` and ``pulses-plain.toml``. Intervals are 95 %, over
devices; the difference of two independent intervals has the root of the sum of their squared halves.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from barkhausen.core.files import atomic_write
from barkhausen.core.files.netcdf import read_netcdf
from barkhausen.device import PulsedDevice, read_pulsed_device
from barkhausen.device.domain_wall.trains.plots import plot_train
from barkhausen.experiment.characterisation.states import history_file

ROWS = (
    ("motion in a pulse (nm)", "pulse_motion", None, 1e9),
    ("motion in the delay after it (nm)", "delay_motion", None, 1e9),
    ("rms motion in the delay (nm)", "delay_motion_rms", None, 1e9),
    ("nonlinearity up", "nonlinearity", 0, 1.0),
    ("nonlinearity down", "nonlinearity", 1, 1.0),
    ("deviation from a line, up", "line_deviation", 0, 1.0),
    ("deviation from a line, down", "line_deviation", 1, 1.0),
    ("asymmetry", "asymmetry", None, 1.0),
    ("steps in the range", "step_count", None, 1.0),
)


def value(device: PulsedDevice, name: str, row: int | None, factor: float) -> np.ndarray:
    """A value with the ends of its interval."""
    place: Any = () if row is None else (row,)
    return factor * np.array([device.data[name].values[place], *device.data[f"{name}_interval"].values[place]])


def main() -> None:
    """Print the table, and draw the figure."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("patched", type=Path)
    options.add_argument("plain", type=Path)
    options.add_argument("--figure", type=Path)
    given = options.parse_args()
    files = given.patched, given.plain
    devices = [read_pulsed_device(path) for path in files]
    print("| | with patches | without | difference |\n| --- | --- | --- | --- |")
    for label, name, row, factor in ROWS:
        one, other = (value(device, name, row, factor) for device in devices)
        half = np.hypot(np.ptp(one[1:]) / 2, np.ptp(other[1:]) / 2)
        cells = [f"{v:.2f} ({low:.2f} to {high:.2f})" for v, low, high in (one, other)]
        print(f"| {label} | {' | '.join(cells)} | {one[0] - other[0]:.2f} ± {half:.2f} |")
    for title, device in zip(("with", "without"), devices, strict=True):
        cold = device.data["cold_line_deviation"].values
        print(f"0 K, {title} patches: deviation from a line {cold[0]:.2f} up, {cold[1]:.2f} down")
    if given.figure is not None:
        draw(files, given.figure)


def draw(files: tuple[Path, Path], out: Path) -> None:
    """Positions against time, with patches above and without below."""
    figure, axes = plt.subplots(2, 1, figsize=(6.4, 5.2), sharex=True, layout="constrained")
    for axis, path, title in zip(axes, files, ("with patches", "without patches"), strict=True):
        plot_train(read_netcdf(history_file(path)), axis)
        axis.set_title(title, loc="left")
    axes[0].set_xlabel("")
    content = io.BytesIO()
    figure.savefig(content, format=out.suffix[1:], dpi=150)
    atomic_write(out, content.getvalue())


if __name__ == "__main__":
    main()
