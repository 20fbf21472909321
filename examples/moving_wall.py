"""Maps and an animation of one wall under five gate voltages.

    pip install 'barkhausen[pictures]'
    python examples/moving_wall.py --out wall          # wall.png and wall.gif

A 512 × 64 × 1 nm track with notches of four slopes, at 300 K. The same current pulse (0.2 to 2.9 ns) drives all five
walls to the right; the gate's strain changes the anisotropy, and with it how strongly a notch holds a wall. Each row is
one thermal history: another seed gives other positions, and a wall may hop back to a notch or creep on after the pulse.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
import xarray as xr
from matplotlib.animation import FuncAnimation, PillowWriter

from barkhausen import micromagnetics as mm


def run(seed: int) -> tuple[xr.Dataset, torch.Tensor]:
    """The ensemble, and the gate voltage of each replica."""
    outline = mm.TrackOutline(
        roughness=mm.EdgeRoughness(rms=0.5e-9),
        notches=mm.graded_notches(
            positions=[110e-9, 180e-9, 250e-9, 320e-9], depth=8e-9, half_lengths=[40e-9, 32e-9, 24e-9, 16e-9]
        ),
    )
    film = mm.track_film(outline, mm.material("cofeb-tantalum"), cell=4e-9, seed=seed)
    gate = mm.StrainGate()
    # From 7.0e5 to 9.0e5 J/m³.
    volts = torch.tensor([1e5, 0.5e5, 0.0, -0.5e5, -1e5], dtype=torch.float64) / abs(gate.anisotropy_per_volt)
    drive = mm.Drive(
        current_density=mm.Waveform.pulse(8e10, width=2.5e-9, start=0.2e-9, rise=0.1e-9, fall=0.1e-9),
        gate_voltage=volts,
        gate=gate,
    )
    result = mm.simulate(
        film, drive, duration=4e-9, replicas=5, seed=seed, temperature=300.0, initial=mm.domain_wall(film, 70e-9),
        every=80e-12, observe=[mm.PerpendicularMap(), mm.WallPosition()], progress=True,
    )  # fmt: skip
    return result, volts


def panels(result: xr.Dataset, volts: torch.Tensor, records: list[int]) -> plt.Figure:
    """One row for each voltage, one column for each instant."""
    figure, axes = plt.subplots(
        len(volts), len(records), figsize=(3.3 * len(records), 0.45 * len(volts) + 0.9), squeeze=False,
        sharex=True, sharey=True, layout="constrained",
    )  # fmt: skip
    extent = (0.0, float(result.x[-1] + result.x[0]) * 1e9, 0.0, float(result.y[-1] + result.y[0]) * 1e9)
    for row, voltage in enumerate(volts.tolist()):
        for column, record in enumerate(records):
            axis = axes[row][column]
            image = axis.imshow(
                result.mz[record, row].T, origin="lower", extent=extent, cmap="RdBu_r", vmin=-1, vmax=1, aspect="equal"
            )
            axis.set_facecolor("0.85")
            if row == 0:
                axis.set_title(f"{float(result.time[record]) * 1e9:.2f} ns", fontsize=10)
            if row == len(volts) - 1:
                axis.set_xlabel("x (nm)")
            if column == 0:
                axis.set_ylabel(f"{voltage:+.2f} V", rotation=0, ha="right", va="center")
                axis.set_yticks([])
    figure.colorbar(image, ax=axes, label="$m_z$", shrink=0.8, aspect=18)
    return figure


def animate(result: xr.Dataset, volts: torch.Tensor, path: Path) -> None:
    """A GIF of all voltages side by side in time."""
    figure = panels(result, volts, [0])
    figure.set_size_inches(5.6, 3.9)
    images = [axis.images[0] for axis in figure.axes[:-1]]
    title = figure.axes[0].title

    def show(record: int) -> list[object]:
        for row, image in enumerate(images):
            image.set_data(result.mz[record, row].T)
        title.set_text(f"{float(result.time[record]) * 1e9:.2f} ns")
        return [*images, title]

    FuncAnimation(figure, show, frames=range(0, len(result.time), 2)).save(path, writer=PillowWriter(fps=6), dpi=56)
    plt.close(figure)


def main() -> None:
    """Simulate, print where each wall is at the end, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("wall"))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    result, volts = run(arguments.seed)
    final = result.wall_position.values[-1] * 1e9
    for voltage, position in zip(volts.tolist(), final, strict=True):
        print(f"{voltage:+.2f} V: " + ("no single wall" if np.isnan(position) else f"the wall is at {position:.0f} nm"))
    figure = panels(result, volts, [0, 10, 20, len(result.time) - 1])
    figure.savefig(arguments.out.with_suffix(".png"), dpi=130)
    plt.close(figure)
    animate(result, volts, arguments.out.with_suffix(".gif"))
    print(f"pictures in {arguments.out.with_suffix('.png')} and {arguments.out.with_suffix('.gif')}")


if __name__ == "__main__":
    main()
