"""Section of the page about runs on networks whose devices are read stochastically: the weights that reads deliver."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import sqrt
from typing import Annotated

import numpy as np
import plotly.graph_objects as go
from pydantic import Field

from barkhausen.core.config import Fraction, validated
from barkhausen.core.units import PICO
from barkhausen.experiment.summary_file import Amount, Table
from barkhausen.learning.rules.stochastic_read import STOCHASTIC_READ
from barkhausen.report.panels import Panel
from barkhausen.report.plots import LAYER_COLOURS, Spec, finished_spec
from barkhausen.report.render import count, percent, sig
from barkhausen.report.runs.groups import Kind
from barkhausen.report.runs.of_rules import RULE_PANELS
from barkhausen.results.table import NO_VALUE

HEAD = (
    "layer",
    "reads N",
    "devices",
    "mean probability",
    "deviation of a weight read",
    "nearly deterministic",
    "attempts in an inference",
    "energy of an inference, all layers (pJ)",
)


class _Layer(Table):
    devices: Annotated[int, Field(ge=1)]
    histogram: Annotated[list[Amount], Field(min_length=1)]
    mean: Fraction
    mean_variance: Fraction
    nearly_deterministic: Fraction
    attempts_per_inference: Amount


class _Trained(Table):
    """The part ``rule`` of a summary."""

    near: Fraction
    layers: Annotated[dict[str, _Layer], Field(min_length=1)]
    inference_joule: dict[str, Amount]


def weights_read(kinds: Sequence[Kind]) -> list[Panel]:
    """Histogram of the trained probabilities of each kind, and what a read of so many attempts makes of them.

    Args:
        kinds: Kinds of runs under this learning rule; the first run of each is drawn.

    Raises:
        InputError: The summary of a run is damaged.
    """
    trained = [_trained(kind) for kind in kinds]
    plots = [(kind.label, _plot(each.layers)) for kind, each in zip(kinds, trained, strict=True)]
    rows = [row for kind, each in zip(kinds, trained, strict=True) for row in _rows(kind, each)]
    priced = any(each.inference_joule for each in trained)
    text = (
        "Trained probabilities that an attempt passes, of all devices of the first seed of each kind, stacked by "
        "layer. A device is written and read N times in a forward pass. The weight that it delivers is the share of "
        "attempts that passed: on average its probability p, with a standard deviation of √(p (1 − p)/N), of which "
        f"the table has the root mean square. Nearly deterministic: within {100 * trained[0].near:g} % of the height "
        "of the curve from either end of it. A device whose input is never above zero is not drawn while learning, and "
        "stays at the midpoint. Attempts are counted where the input of a device is above zero"
        + ("." if priced else "; the device file gives no energy of an attempt.")
    )
    return [
        Panel("Weights read", text, plots, HEAD if priced else HEAD[:-1], rows if priced else [r[:-1] for r in rows])
    ]


def _trained(kind: Kind) -> _Trained:
    run = kind.runs[0]
    return validated(_Trained, run.summary.get("rule", {}), f"{run.name}: summary.json: rule")


def _rows(kind: Kind, trained: _Trained) -> list[tuple[str, ...]]:
    """A row for each layer; the energy is that of all layers, as the summary has it."""
    reads = int(kind.summary["recipe"]["rule"]["reads"])
    joule = sig(PICO * sum(trained.inference_joule.values())) if trained.inference_joule else NO_VALUE
    return [
        (
            f"{kind.label}, {name}",
            str(reads),
            count(layer.devices),
            f"{layer.mean:.3f}",
            f"{sqrt(layer.mean_variance / reads):.3f}",
            percent(layer.nearly_deterministic, 1),
            count(round(layer.attempts_per_inference, 1)),
            joule,
        )
        for name, layer in trained.layers.items()
    ]


def _plot(layers: dict[str, _Layer]) -> Spec:
    fig = go.Figure()
    for number, (name, layer) in enumerate(layers.items()):
        edges = np.linspace(0.0, 1.0, len(layer.histogram) + 1)
        fig.add_bar(
            x=(edges[1:] + edges[:-1]) / 2,
            y=layer.histogram,
            width=float(edges[1]),
            name=escape(name),
            marker={"color": LAYER_COLOURS[number % len(LAYER_COLOURS)], "line": {"width": 0}},
            hovertemplate="probability %{x:.2f}: %{y} devices",
        )
    fig.update_xaxes(title_text="probability that an attempt passes", range=[0, 1])
    fig.update_yaxes(title_text="devices per bin", rangemode="tozero")
    fig.update_layout(barmode="stack", bargap=0, showlegend=True)
    return finished_spec(fig, 320)


RULE_PANELS.register(STOCHASTIC_READ.name, weights_read)
