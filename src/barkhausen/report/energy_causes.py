"""Order, colour and hatch of each cause of the energy of a chip, for all pages.

There are more causes than colours: hatches tell apart what a network does while it infers (none), what only training
does (lines), programming (crosses) and estimates (dots).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from barkhausen.report.plots import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SKY, SOFT_INK, VERMILLION
from barkhausen.synapse.crossbar.overheads import ESTIMATES

OF_READING = {
    "device read": GREEN,
    "wires": GREY,
    "DAC": ORANGE,
    "ADC": VERMILLION,
    "accumulate": INK,
    "multiply-add": BLUE,
    "weights": VERMILLION,
    "normalise": PURPLE,
    "buffer": SKY,
}
"""Causes that inference has as well."""

OF_TRAINING = {
    "gradient": GREEN,
    "gradient sums": SKY,
    "gradient operands": BLUE,
    "latent weights": ORANGE,
    "optimiser memory": VERMILLION,
    "gradient memory": ORANGE,
    "update": PURPLE,
    "verify": GREY,
    "monitoring": INK,
    "programming": BLUE,
    "sot": VERMILLION,
    "gate": GREY,
    "read": BLUE,
}
"""Causes that only training has. ``gradient memory`` is of earlier versions; the last are of the device."""

OF_ESTIMATES = dict(zip(ESTIMATES, (GREY, ORANGE, SKY), strict=True))

COLOURS = OF_READING | OF_TRAINING | OF_ESTIMATES
PROGRAMMING = ("programming", "sot", "gate", "read")
SPARE = (GREEN, ORANGE, PURPLE, SKY, BLUE)
SMALLER = "smaller ones together"

_ORDER = {name: place for place, name in enumerate(COLOURS)}
_UNKNOWN = _ORDER[ESTIMATES[0]] - 0.5


def in_order(names: Iterable[str]) -> list[str]:
    """Causes in their order, each once: reading, training, programming, others, estimates."""
    return sorted(dict.fromkeys(names), key=lambda name: _ORDER.get(name, _UNKNOWN))


def look_of(name: str, number: int = 0) -> dict[str, Any]:
    """Marker of the bars of a cause.

    Args:
        name: Cause.
        number: Place in the legend, which decides the colour of a cause that is not known.
    """
    shape = "x" if name in PROGRAMMING or name not in COLOURS else "/" if name in OF_TRAINING else ""
    shape = "." if name in ESTIMATES else shape
    colour = SOFT_INK if name == SMALLER else COLOURS.get(name, SPARE[number % len(SPARE)])
    shape = "" if name == SMALLER else shape
    return {
        "color": colour,
        "line": {"width": 0},
        "pattern": {"shape": shape, "size": 6, "solidity": 0.5 if shape == "." else 0.6},
    }


def small_ones_together(bars: list[Mapping[str, float]], share: float) -> dict[str, list[float]]:
    """Energies of each cause in all bars, in order; causes below a share of every bar are added up.

    Args:
        bars: Energies in J by cause.
        share: Share of its bar that a cause needs in one of them to be shown.
    """
    totals = [sum(bar.values()) for bar in bars]
    names = in_order(name for bar in bars for name in bar)
    shown = [
        name
        for name in names
        if any(bar.get(name, 0.0) >= share * total > 0 for bar, total in zip(bars, totals, strict=True))
    ]
    rows = {name: [bar.get(name, 0.0) for bar in bars] for name in shown}
    rest = [sum(value for name, value in bar.items() if name not in shown) for bar in bars]
    return {**rows, SMALLER: rest} if any(rest) else rows
