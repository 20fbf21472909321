"""Draw a characterised device: one wall at rest for each state, and the distribution of all wall positions.

    barkhausen characterize device.toml --out device.nc
    python examples/draw_states.py device.nc docs/images/states.png

Reads the device file and the histories beside it (device.history.nc). Needs matplotlib (the extra ``pictures``).
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from barkhausen.device import read_device


def main(source: Path, picture: Path) -> None:
    """Read and draw."""
    device = read_device(source)
    with xr.open_dataset(source.with_suffix(".history.nc"), decode_times=False) as history:
        maps = history["perpendicular"].isel(time=-1).values
        extent = [1e9 * float(history[axis].max()) for axis in ("x", "y")]
    length = 1e9 * device.state_range[1]
    positions, colours = 1e9 * device.state_values, plt.get_cmap("viridis")(np.linspace(0.05, 0.85, device.states))
    figure, axes = plt.subplots(
        device.states, 2, figsize=(10, 1.05 * device.states + 0.6), sharex=True, squeeze=False,
        gridspec_kw={"width_ratios": [1, 1]}, layout="constrained",
    )  # fmt: skip
    bins = np.linspace(0, length, 81)
    for state, (left, right) in enumerate(axes):
        image = np.where(maps[state] == -128, np.nan, maps[state].astype(float)).T
        left.imshow(image, origin="lower", extent=(0, extent[0], 0, extent[1]), cmap="RdBu_r", vmin=-127, vmax=127)
        left.set_yticks([])
        left.set_ylabel(f"{float(device.data['gate_voltage'][state]):+.2f} V", rotation=0, ha="right", va="center")
        right.hist(positions[state].ravel(), bins=bins, color=colours[state])
        right.axvline(np.nanmean(positions[state]), color="black", linewidth=0.8)
        right.set_yticks([])
        right.set_xlim(0, length)
        for side in ("top", "right", "left"):
            right.spines[side].set_visible(False)
    axes[0, 0].set_title("one wall at rest under each gate voltage (red: up)", fontsize=10)
    events = positions.shape[1] * positions.shape[2]
    axes[0, 1].set_title(f"positions of {events} walls for each state; line: mean", fontsize=10)
    for axis in axes[-1]:
        axis.set_xlabel("x (nm)")
    figure.savefig(picture, dpi=130)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
