"""Spikes and energy of the neurons of spiking networks, beside the energy of their synapses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from barkhausen.core.units import PICO
from barkhausen.experiment.energy.neurons import NOT_COUNTED
from barkhausen.learning.spiking.operations import CAUSES, INTEGRATE, LEAK
from barkhausen.report.panels import Panel
from barkhausen.report.plots import BLUE, GREEN, GREY, VERMILLION, Spec, finished_spec, totals_behind_bars
from barkhausen.report.render import joule, sig
from barkhausen.report.runs.groups import Kind

COLOURS = dict(zip(CAUSES, (VERMILLION, GREY, GREEN, BLUE), strict=True))
DEVICE_READ = "device read"
"""Cause of the account of a chip: the synapses themselves."""


def neuron_panels(kinds: Sequence[Kind]) -> list[Panel]:
    """A section about the neurons of all kinds of spiking networks; none where there are none."""
    spiking = [kind for kind in kinds if all(run.summary.get("neurons") for run in kind.runs)]
    found = {kind.label: _of(kind) for kind in spiking}
    if not found:
        return []
    known = {label: neurons for label, neurons in found.items() if neurons["per_inference_joule"] is not None}
    causes = [cause for cause in CAUSES if any(cause in neurons["by_cause"] for neurons in known.values())]
    priced = ["neurons (pJ)", *(f"{CAUSES[cause]} (pJ)" for cause in causes)] if known else []
    head = [
        "kind", "spikes", "pulses", "steps without a pulse", *priced, "synapses: device reads (pJ)",
        "synapses on the chip, whole (pJ)",
    ]  # fmt: skip
    rows = [[kind.label, *_cells(kind, found[kind.label], causes, priced=bool(known))] for kind in spiking]
    plots = [("Energy of the neurons by cause, per inference", _plot(known, causes))] if known else []
    return [Panel("Neurons", _text(found, known), plots, head, rows)]


def _of(kind: Kind) -> dict[str, Any]:
    """Means over the seeds of a kind."""
    each = [run.summary["neurons"] for run in kind.runs]
    priced = all(neurons["per_inference_joule"] is not None for neurons in each)
    return {
        "spikes_per_inference": fmean(neurons["spikes_per_inference"] for neurons in each),
        "per_inference_joule": fmean(neurons["per_inference_joule"] for neurons in each) if priced else None,
        **{name: _mean([neurons[name] for neurons in each]) for name in ("by_cause", "operations_per_inference")},
        "no_energies": next((neurons["no_energies"] for neurons in each if "no_energies" in neurons), ""),
    }


def _mean(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means of the entries that all have."""
    return {name: fmean(part[name] for part in parts) for name in parts[0] if all(name in part for part in parts)}


def _cells(kind: Kind, neurons: Mapping[str, Any], causes: Sequence[str], *, priced: bool) -> list[str]:
    done, spent = neurons["operations_per_inference"], neurons["by_cause"]
    energies = [neurons["per_inference_joule"], *(spent.get(cause) for cause in causes)] if priced else []
    accounts = kind.accounts
    chip: list[float | None] = [None, None]
    if accounts is not None:
        reads = [account.inference.by_cause.get(DEVICE_READ) for account in accounts]
        chip = [
            None if None in reads else fmean(read for read in reads if read is not None),
            fmean(account.inference.total for account in accounts),
        ]
    return [
        sig(neurons["spikes_per_inference"]),
        *(sig(done.get(name)) for name in (INTEGRATE, LEAK)),
        *(sig(None if value is None else PICO * value) for value in (*energies, *chip)),
    ]


def _text(found: Mapping[str, Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]]) -> str:
    """What is shown, and which neurons have no energies and why."""
    reasons: dict[str, list[str]] = {}
    for label, neurons in found.items():
        if label not in known:
            reasons.setdefault(neurons["no_energies"], []).append(label)
    parts = ["Per inference: spikes and operations of all neurons, counted on the held-out samples, mean over seeds."]
    if known:
        parts.append(f"Neurons leak by themselves, without energy. Not counted: {NOT_COUNTED}.")
    several = len(found) > 1
    parts += [f"{'; '.join(labels) + ': ' if several else ''}{why}." for why, labels in reasons.items()]
    parts.append("The energy of synapses is that of the chip; digital weights have none here.")
    return " ".join(part[:1].upper() + part[1:] for part in parts)


def _plot(known: Mapping[str, Mapping[str, Any]], causes: Sequence[str]) -> Spec:
    """Stacked bars by cause, a bar for each kind."""
    names = [escape(label) for label in known]
    fig = go.Figure()
    for cause in causes:
        fig.add_bar(
            x=[PICO * neurons["by_cause"].get(cause, 0.0) for neurons in known.values()],
            y=names,
            orientation="h",
            name=escape(CAUSES[cause]),
            marker={"color": COLOURS[cause], "line": {"width": 0}},
            hovertemplate="%{x:.4g} pJ",
        )
    totals = [PICO * neurons["per_inference_joule"] for neurons in known.values()]
    totals_behind_bars(fig, totals, names, [f" {joule(total / PICO)}" for total in totals])
    fig.update_xaxes(title_text="pJ per inference", range=[0, 1.08 * max(totals) or 1.0], nticks=7)
    fig.update_yaxes(categoryorder="array", categoryarray=names, range=[len(names) - 0.4, -0.6], showgrid=False)
    fig.update_layout(barmode="stack", bargap=0.35, showlegend=True)
    spec = finished_spec(fig, 190 + 36 * len(names))
    # The total is written behind its bar, and so partly in the margin.
    spec["layout"]["margin"]["r"] = 72
    return spec
