"""Draw energy of a programming event against retention for several numbers of states: searches for fronts.

    barkhausen design retention-frontier --out runs/front-5
    barkhausen design retention-frontier --set search.states=3 … --out runs/front-3
    barkhausen design retention-frontier --set search.states=2 … --out runs/front-2
    python examples/draw_retention_frontier.py runs/front-2 runs/front-3 runs/front-5 nonvolatile-5 notched-5 \\
        docs/images/retention-frontier.png

The full commands are at the head of the recipe. Beside searches, devices may be named, shipped ones or device files
(.nc), whose retention is that of their file. Any name that matplotlib can write: .png, .pdf, .svg.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from barkhausen.core.display.plot_style import COLOURS, GREY, new_axes, one_column
from barkhausen.core.errors import BarkhausenError, InputError
from barkhausen.device import CharacterisedDevice, preset, read_device
from barkhausen.device.retention_summary import worst_retention
from barkhausen.experiment.design.search import finished_front

MARKS = {
    1e-6: "1 µs",
    1e-3: "1 ms",
    1.0: "1 s",
    3600.0: "1 h",
    86400.0: "1 day",
    3.156e8: "10 years",
    3.156e11: "$10^4$ years",
}
LONGEST = 1e14
"""Retention in s from which on designs are drawn at the end of the axis."""


def draw(directories: list[Path], devices: dict[str, CharacterisedDevice]) -> Figure:
    """Designs of each search measured again, above them those simulated micromagnetically, and devices.

    Of designs that were simulated, the legend has the bits; else those of the compact model.
    """
    with one_column():
        axes = new_axes(height=3.4)
        colours: dict[int, str] = {}
        for directory, colour in zip(directories, COLOURS, strict=False):
            result, _ = finished_front(directory)
            states, finalists = result["recipe"]["search"]["states"], result["finalists"]
            colours[states] = colour
            again = sorted((f["merits"] for f in finalists), key=lambda m: m["retention"])
            times = np.array([bounded(m["retention"]) for m in again])
            energies = np.array([1e15 * m["energy"] for m in again])
            told = [merits["bits"] for _, merits, _ in simulated(finalists)] or [m["bits"] for m in again]
            bits = f"{min(told):.2f} to {max(told):.2f}" if min(told) < max(told) else f"{told[0]:.2f}"
            axes.plot(times, energies, "o", color=colour, ms=2.5, mfc="none", label=f"{states} states, {bits} bits")
            axes.step(times, np.minimum.accumulate(energies[::-1])[::-1], where="pre", color=colour, lw=0.6, ls=":")
            for finalist, merits, (low, high) in simulated(finalists):
                x, y = bounded(merits["retention"]), 1e15 * merits["energy"]
                full = finalist["confirmed_keeps_limits"]
                axes.plot([bounded(low), bounded(high)], [y, y], color=colour, lw=0.8)
                axes.plot(x, y, "*", color=colour, ms=7, mfc=colour if full else "white", mew=0.7, clip_on=False)
        for name, device in devices.items():
            x, y = bounded(worst_retention(device)), 1e15 * programming_energy(device)
            axes.plot(x, y, "D", color=colours.get(len(device.data["state"]), GREY), ms=3.5, clip_on=False)
            axes.annotate(name, (x, y), xytext=(-4, 3), textcoords="offset points", ha="right", fontsize="x-small")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(1e-7, LONGEST)
        axes.set_xticks(list(MARKS), list(MARKS.values()), rotation=45, ha="right")
        axes.axvline(3.156e8, color=GREY, lw=0.6, ls=":")
        axes.set_xlabel("retention at 300 K, 10 % worst device in the worst state")
        axes.set_ylabel("energy of a programming event (fJ)")
        axes.legend(loc="upper left")
        figure: Figure = axes.figure  # type: ignore[assignment]
        return figure


def table(directories: list[Path]) -> list[str]:
    """Designs simulated micromagnetically as lines of a table in Markdown."""
    lines = [
        "| states | energy of an event (fJ) | retention, 95 % interval (s) | in the compact model (s) | overlap | "
        "bits | keeps all limits |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for directory in directories:
        result, _ = finished_front(directory)
        states = result["recipe"]["search"]["states"]
        lines += [
            f"| {states} | {1e15 * merits['energy']:.1f} | {merits['retention']:.1e} [{low:.0e}, {high:.0e}] | "
            f"{finalist['merits']['retention']:.1e} | {merits['overlap']:.3f} | {merits['bits']:.2f} | "
            f"{'yes' if finalist['confirmed_keeps_limits'] else 'no'} |"
            for finalist, merits, (low, high) in simulated(result["finalists"])
        ]
    return lines


def simulated(finalists: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any], tuple[float, float]]]:
    """Designs that were simulated micromagnetically, with the merits found and the interval of the retention in s."""
    for finalist in finalists:
        found = finalist["confirmed"]
        if found and "merits" in found:
            yield finalist, found["merits"], tuple(found["retention_interval"])


def programming_energy(device: CharacterisedDevice) -> float:
    """Energy in J of a programming event without the read of the junction, mean over states, as in a search."""
    energy = device.data["energy"]
    return float(energy.sel(cause=[c for c in energy["cause"].values if c != "read"]).sum("cause").mean())


def bounded(seconds: float | None) -> float:
    """A time within the axis."""
    return min(max(seconds or 0.0, 1.5e-7), LONGEST)


def main() -> None:
    """Draw the last argument from the directories and devices named before it, and print what was confirmed."""
    *named, target = sys.argv[1:] or [""]
    if not named or Path(target).suffix not in {".png", ".pdf", ".svg"}:
        raise InputError("usage: draw_retention_frontier.py SEARCH-OR-DEVICE ... PICTURE (.png, .pdf or .svg)")
    directories = [Path(name) for name in named if Path(name).is_dir()]
    devices = {
        Path(name).stem: read_device(name) if name.endswith(".nc") else preset(name)
        for name in named
        if not Path(name).is_dir()
    }
    print("\n".join(table(directories)))
    draw(directories, devices).savefig(target, dpi=200, bbox_inches="tight")


if __name__ == "__main__":
    try:
        main()
    except BarkhausenError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
