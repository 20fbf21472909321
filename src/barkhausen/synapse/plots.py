"""Figure of an energy breakdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from barkhausen.core.display.html import Description, Section, quantity
from barkhausen.core.display.plot_style import COLOURS, new_axes, one_column
from barkhausen.core.units import PREFIXES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from barkhausen.synapse.energy import EnergyBreakdown


def plot_energy(breakdown: EnergyBreakdown, axes: Axes | None = None) -> Axes:
    """Draw the energy of each cause as a bar.

    Args:
        breakdown: Energy by cause.
        axes: Axes to draw on. Default: those of a new figure one column wide.

    Returns:
        The axes.
    """
    causes = list(breakdown.by_cause)
    most = max((abs(value) for value in breakdown.by_cause.values()), default=0.0)
    prefix, scale = next(((p, s) for p, s in (("", 1.0), *PREFIXES.items()) if most >= s), list(PREFIXES.items())[-1])
    with one_column():
        axes = new_axes(axes, height=0.6 + 0.28 * max(len(causes), 1))
        for place, cause in enumerate(causes):
            value = breakdown.by_cause[cause] / scale
            axes.barh(place, value, height=0.65, color=COLOURS[place % len(COLOURS)])
            axes.annotate(
                f"{value:.3g}", (value, place), xytext=(3, 0), textcoords="offset points", va="center", fontsize=7
            )
        axes.set_yticks(range(len(causes)), [breakdown.label(cause) for cause in causes])
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.set_xlabel(f"energy ({prefix}J)")
    return axes


def describe_energy(breakdown: EnergyBreakdown) -> Description:
    """Total, and the share of each cause."""
    total = breakdown.total
    facts: dict[str, object] = {"total": quantity(total, "J")}
    rows = []
    for cause, value in breakdown.by_cause.items():
        share = f"{100 * value / total:.1f} %" if total else "–"
        facts[breakdown.label(cause)] = f"{quantity(value, 'J')} ({share})"
        rows.append((breakdown.label(cause), quantity(value, "J"), share))
    sections = [Section("By cause", ("cause", "energy", "share"), rows, opened=True)]
    return Description("EnergyBreakdown", facts, sections)
