"""The page about a network on a crossbar chip: accuracy, and energy by cause.

All numbers on the page are those of ``barkhausen infer``; the text around them is in ``chip.html.jinja``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.core.units import PICO
from barkhausen.report.energy_causes import in_order, look_of, small_ones_together
from barkhausen.report.plots import BLUE, VERMILLION, Spec, finished_spec, totals_behind_bars
from barkhausen.report.render import render, sig, toml
from barkhausen.synapse.crossbar.overheads import ESTIMATES, NOT_COUNTED

NEEDED = ("ideal_accuracy", "accuracy", "energy_joule", "float32_joule", "latency_seconds", "area_square_metre")
SQUARE_MILLIMETRE = 1e6
SMALL = 0.02
"""Share of every bar below which causes are combined."""

ALL = "all of it"
LOGIC = "float32 logic"
PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f"), (1e-18, "a"))


@dataclass(frozen=True)
class Breakdown:
    """Energy of one inference or one trained sample, on the chip and in float32 logic.

    Attributes:
        what: Name: ``inference`` or ``trained sample``.
        chip: Energy in J by cause on the chip.
        logic: Energy in J by cause in float32 logic.
        dominant: Sentence about the largest causes.
    """

    what: str
    chip: dict[str, float]
    logic: dict[str, float]
    dominant: str

    @property
    def total(self) -> float:
        """Energy in J on the chip."""
        return math.fsum(self.chip.values())

    @property
    def logic_total(self) -> float:
        """Energy in J in float32 logic."""
        return math.fsum(self.logic.values())

    @property
    def ranked(self) -> list[tuple[str, float, float]]:
        """Cause, energy in J and share of the chip's total, the largest first."""
        total = self.total or math.nan
        return [(name, value, value / total) for name, value in sorted(self.chip.items(), key=lambda item: -item[1])]


def write_chip_report(summary: dict[str, Any], out: str | Path) -> None:
    """Write one page about a network on a chip.

    Args:
        summary: Summary of :meth:`.ChipInference.summary`. Everything except accuracy, energy, latency and area may be
            missing and is then left out.
        out: File of the page.

    Raises:
        InputError: The summary lacks a required value, or ``out`` cannot be written.
    """
    out = Path(out)
    missing = [key for key in NEEDED if key not in summary]
    if missing:
        raise InputError(f"the summary of the chip lacks {', '.join(missing)}; it is of another version")
    breakdowns = breakdowns_of(summary)
    area = {str(name): float(value) for name, value in summary["area_square_metre"].items()}
    chip = summary.get("chip") or {}
    disturbed = summary.get("disturbed_by") or {}
    page = render(
        "chip/chip.html.jinja",
        s=summary,
        run=summary.get("run"),
        disturbed=disturbed if disturbed.get("inferences") else None,
        breakdowns=breakdowns,
        area=area,
        area_total=math.fsum(area.values()),
        constants=constants_of(summary),
        chip=toml({key: value for key, value in chip.items() if key != "constants"}),
        small=SMALL,
        estimates=[name for name in ESTIMATES if any(name in breakdown.chip for breakdown in breakdowns)],
        not_counted=NOT_COUNTED,
        in_order=in_order,
        bars=[
            (
                "Shares of the causes on the chip",
                shares_plot([(breakdown.what, breakdown.chip) for breakdown in breakdowns]),
            ),
            (
                "Shares of the causes in float32 logic",
                shares_plot([(breakdown.what, breakdown.logic) for breakdown in breakdowns]),
            ),
        ],
        causes=("Energy of each cause on the chip", causes_plot(breakdowns)),
        area_plot=("Area by part", area_plot(area)),
        si=si,
        milli=lambda value: sig(SQUARE_MILLIMETRE * value),
    )
    atomic_write(out, page)


def breakdowns_of(summary: Mapping[str, Any]) -> list[Breakdown]:
    """Breakdowns of an inference and, if known, of a trained sample."""
    parts = [("inference", summary), ("trained sample", summary.get("training"))]
    return [
        Breakdown(what, _numbers(part["energy_joule"]), _numbers(part["float32_joule"]), str(part.get("dominant", "")))
        for what, part in parts
        if part
    ]


def constants_of(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Constants of the summary, each with value, unit, source and whether it is assumed."""
    given = summary.get("constants")
    if not given:
        given = (summary.get("chip") or {}).get("constants") or []
    if isinstance(given, Mapping):
        given = [{"name": name, **value} for name, value in given.items() if isinstance(value, Mapping)]
    empty = {"name": "", "value": math.nan, "unit": "", "source": "", "assumed": False}
    return [empty | dict(line) if isinstance(line, Mapping) else empty | {"name": str(line)} for line in given]


def shares_plot(breakdowns: Sequence[tuple[str, Mapping[str, float]]]) -> Spec:
    """Stacked shares of the causes in each total, with the total beside its bar.

    Args:
        breakdowns: Label and energies in J by cause of each bar.
    """
    labels = [escape(label) for label, _ in breakdowns]
    totals = [math.fsum(energy.values()) for _, energy in breakdowns]
    fig = go.Figure()
    rows = small_ones_together([energy for _, energy in breakdowns], SMALL)
    for number, (name, values) in enumerate(rows.items()):
        fig.add_bar(
            x=[
                float(f"{100 * value / total:.4g}") if total else 0.0
                for value, total in zip(values, totals, strict=True)
            ],
            y=labels,
            orientation="h",
            name=escape(name),
            marker=look_of(name, number),
            hovertemplate="%{x:.3g} %",
        )
    totals_behind_bars(fig, [100.0] * len(labels), labels, [f" {si(total, 'J')}" for total in totals])
    fig.update_xaxes(title_text="share of the energy (%)", range=[0, 100], nticks=6)
    fig.update_yaxes(categoryorder="array", categoryarray=labels, range=[len(labels) - 0.5, -0.5], showgrid=False)
    fig.update_layout(barmode="stack", bargap=0.35, showlegend=True)
    spec = finished_spec(fig, 210 + 44 * len(labels) + 12 * len(rows))
    # The total is written beside its bar, in the margin.
    spec["layout"]["margin"]["r"] = 78
    return spec


def causes_plot(breakdowns: Sequence[Breakdown]) -> Spec:
    """Energy of every cause on a logarithmic axis, on which small causes are visible too.

    Values are marks, since bars have no baseline on a logarithmic axis.
    """
    names = [name for name, value, _ in breakdowns[-1].ranked if value > 0]
    names += [
        name for breakdown in breakdowns for name, value in breakdown.chip.items() if value > 0 and name not in names
    ]
    fig = go.Figure()
    for breakdown, colour, symbol in zip(breakdowns, (BLUE, VERMILLION), ("circle", "diamond"), strict=False):
        known = [name for name in names if breakdown.chip.get(name, 0.0) > 0]
        for energies, title, mark in (
            (
                [(ALL, breakdown.total), *((name, breakdown.chip[name]) for name in known)],
                f"{breakdown.what}, chip",
                symbol,
            ),
            ([(ALL, breakdown.logic_total)], f"{breakdown.what}, {LOGIC}", f"{symbol}-open"),
        ):
            fig.add_scatter(
                x=[PICO * value for _, value in energies],
                y=[escape(name) for name, _ in energies],
                mode="markers",
                marker={"color": colour, "symbol": mark, "size": 11, "line": {"width": 2, "color": colour}},
                name=title,
                hovertemplate="%{x:.4g} pJ",
            )
    order = [ALL, *(escape(name) for name in names)]
    fig.update_xaxes(title_text="energy (pJ)", type="log", nticks=8, exponentformat="power")
    fig.update_yaxes(categoryorder="array", categoryarray=order, range=[len(order) - 0.4, -0.6])
    fig.update_layout(showlegend=True)
    return finished_spec(fig, 170 + 30 * len(order))


def area_plot(area: Mapping[str, float]) -> Spec:
    """Area of each part as a bar."""
    parts = sorted(area.items(), key=lambda item: -item[1])
    names = [escape(name) for name, _ in parts]
    fig = go.Figure()
    fig.add_bar(
        x=[SQUARE_MILLIMETRE * value for _, value in parts],
        y=names,
        orientation="h",
        name="area",
        marker={"color": BLUE, "line": {"width": 0}},
        hovertemplate="%{x:.4g} mm²",
    )
    fig.update_xaxes(title_text="area (mm²)", rangemode="tozero", nticks=7)
    fig.update_yaxes(categoryorder="array", categoryarray=names, range=[len(names) - 0.4, -0.6], showgrid=False)
    fig.update_layout(bargap=0.4, showlegend=False)
    return finished_spec(fig, 110 + 30 * len(names))


def si(value: float, unit: str, digits: int = 3) -> str:
    """A quantity with an SI prefix."""
    scale, prefix = _scale(value)
    return f"{sig(value / scale, digits)}\N{NO-BREAK SPACE}{prefix}{unit}"


def _scale(value: float) -> tuple[float, str]:
    return next(((scale, prefix) for scale, prefix in PREFIXES if value >= 0.9995 * scale), (1.0, ""))


def _numbers(table: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): float(value) for name, value in table.items()}
