"""Voltage pulses write and erase a skyrmion in a disc at 300 K: histories, and shares of the states they end in.

    python examples/film/skyrmion_by_voltage.py docs/images/film/skyrmion-by-voltage.png

A gate (100 fJ/(V m)) changes the perpendicular anisotropy of a disc of 100 nm. A pulse that lowers it turns the
magnetisation into the plane, where it precesses: what the disc becomes afterwards depends on the width of the pulse.
A pulse that raises it makes the skyrmion collapse. 64 thermal histories for each width, 95 % Wilson intervals.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
import xarray as xr
from matplotlib.axes import Axes
from scipy.stats import binomtest

from barkhausen import micromagnetics as mm
from barkhausen.core.display.plot_style import BLUE, GREY, VERMILLION, one_column

HISTORIES = 64
VOLTS = 1.5
REST, AFTER, EDGE = 0.5e-9, 3.0e-9, 0.1e-9
LOWER = (0.05e-9, 0.1e-9, 0.15e-9, 0.2e-9, 0.25e-9, 0.3e-9, 0.4e-9, 0.5e-9)
RAISE = (0.0, 0.1e-9, 0.2e-9, 0.3e-9, 0.5e-9)
SHOWN = (0.5e-9, 0.7e-9, 0.9e-9, 1.2e-9, 2.0e-9, 4.0e-9)
KINDS = {"up": VERMILLION, "skyrmion": "black", "down": BLUE, "other": GREY}


def histories(
    film: mm.Film, start: torch.Tensor, volts: float, widths: tuple[float, ...]
) -> tuple[xr.DataArray, np.ndarray]:
    """Maps of m_z in time, and the kind of texture at the end, [width, history]; width 0 is no pulse."""
    gate = mm.VoltageControlledAnisotropy(coefficient=100e-15, oxide_thickness=1e-9, film_thickness=1e-9)
    width = torch.tensor(widths, dtype=torch.float64).repeat_interleave(HISTORIES)
    height = torch.where(width > 0, volts, 0.0)
    pulse = mm.Waveform.pulse(height, width.clamp(min=1e-12), start=REST, rise=EDGE, fall=EDGE)
    simulation = mm.Simulation(
        film, mm.Drive(gate_voltage=pulse, gate=gate), replicas=len(width), seed=3, temperature=300.0, initial=start
    )
    result = simulation.advance(REST + 0.5e-9 + AFTER, observe=[mm.PerpendicularMap()], every=0.1e-9)
    kinds = simulation.observe([mm.Texture()])["texture"]
    names = np.array(kinds.attrs["flag_meanings"].split())
    places = np.searchsorted(kinds.attrs["flag_values"], kinds.values.reshape(len(widths), HISTORIES))
    # A skyrmion's core points either way.
    return result["mz"], np.where(np.char.startswith(names[places], "skyrmion_"), "skyrmion", names[places])


def draw_shares(axis: Axes, widths: tuple[float, ...], kinds: np.ndarray) -> None:
    """Shares of the kinds over the width, with intervals."""
    for kind, colour in KINDS.items():
        counts = (kinds == kind).sum(1)
        share = counts / HISTORIES
        intervals = [binomtest(int(n), HISTORIES).proportion_ci(method="wilson") for n in counts]
        bars = np.array([[p - i.low, i.high - p] for p, i in zip(share, intervals, strict=True)]).T.clip(0)
        axis.errorbar(
            np.array(widths) * 1e9, share, bars, fmt="o-", color=colour, label=kind, markersize=2.5, linewidth=0.8
        )
        print(f"  {kind}: " + ", ".join(f"{p:.2f}" for p in share))
    axis.set(xlabel="width of the pulse (ns)", ylim=(-0.03, 1.03))


def main(picture: Path) -> None:
    """Simulate and draw."""
    material = mm.Material(
        saturation_magnetisation=1.3e6, exchange_stiffness=25e-12, damping=0.1, anisotropy=1.1e6, dmi=1.8e-3
    )
    film = mm.shape_film(mm.disc(100e-9), material, thickness=1e-9, cell=5e-9)
    up, skyrmion = mm.uniform(film, (0.0, 0.0, 1.0)), mm.skyrmion(film, radius=20e-9, width=12e-9)
    print("up, anisotropy lowered")
    lowered, after_lowering = histories(film, up, -VOLTS, LOWER)
    figure = plt.figure(figsize=(6.8, 5.4), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.5, 1))
    left, right = bottom.subplots(1, 2, sharey=True)
    draw_shares(left, LOWER, after_lowering)
    left.set(ylabel="share of the histories", title=f"up, −{VOLTS:g} V (lowers the anisotropy)")
    print("skyrmion, anisotropy raised")
    raised, after_raising = histories(film, skyrmion, VOLTS, RAISE)
    draw_shares(right, RAISE, after_raising)
    right.set_title(f"skyrmion, +{VOLTS:g} V (raises it)")
    right.legend(loc="center right")

    rows = []
    for mz, kinds, widths, width, kind in (
        (lowered, after_lowering, LOWER, 0.15e-9, "down"),
        (lowered, after_lowering, LOWER, 0.3e-9, "skyrmion"),
        (raised, after_raising, RAISE, 0.3e-9, "up"),
    ):
        found = np.flatnonzero(kinds[widths.index(width)] == kind)
        if len(found):
            rows.append((mz.isel(replica=widths.index(width) * HISTORIES + int(found[0])), width, kind))
    panels = top.subplots(len(rows), len(SHOWN), squeeze=False)
    for line, (mz, width, kind) in zip(panels, rows, strict=True):
        for axis, at in zip(line, SHOWN, strict=True):
            image = axis.imshow(mz.sel(time=at, method="nearest").T, origin="lower", cmap="RdBu_r", vmin=-1, vmax=1)
            axis.set(xticks=[], yticks=[], frame_on=False)
        line[0].set_ylabel(f"{width * 1e9:g} ns:\n{kind}")
    for axis, at in zip(panels[0], SHOWN, strict=True):
        axis.set_title(f"{(at - REST) * 1e9:.1f} ns")
    top.colorbar(image, ax=panels, label="$m_z$", shrink=0.6)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with one_column():
        main(Path(sys.argv[1]))
