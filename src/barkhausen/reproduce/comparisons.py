"""Quantities of finished runs beside published ones."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean, stdev
from typing import Any

from barkhausen.core.units import PICO
from barkhausen.experiment.score import held_out
from barkhausen.experiment.work.rows import Summary, device_name
from barkhausen.reproduce.systems import Reading
from barkhausen.results.published import Figure, network_of, published
from barkhausen.results.readings import READINGS, readings_of


def kind_label(summary: Mapping[str, Any]) -> str:
    """Rule and device."""
    return str(summary["mode"]) if summary["states"] is None else f"{summary['mode']}, {device_name(summary)}"


def published_beside(quantity: str, summary: Summary) -> Figure | None:
    """The published figure of a quantity for runs of this kind."""
    return published(quantity, summary["dataset"]["name"], summary["mode"], network_of(summary["recipe"]))


def spread_text(values: list[float], form: str, unit: str) -> str:
    """Mean, standard deviation between seeds where there are several, and their number."""
    spread = f" ± {format(stdev(values), form)}" if len(values) > 1 else ""
    return f"{format(fmean(values), form)}{spread}{unit} (n = {len(values)})"


def verdict_of(ours: float, figure: Figure | None) -> str:
    """Whether a quantity that is the better the higher reaches the published one."""
    if figure is None:
        return ""
    return "reached" if ours >= figure.value else "not reached"


def accuracies(runs: list[Summary], label: str) -> Reading:
    """Accuracy beside the published one."""
    values = [100 * held_out(run) for run in runs]
    figure = published_beside("accuracy", runs[0])
    beside = "" if figure is None else f"{100 * figure.value:.2f} %"
    text = spread_text(values, ".2f", " %")
    return Reading(label, "accuracy", text, beside, verdict_of(fmean(values) / 100, figure))


def readings_of_energy(runs: list[Summary], label: str) -> list[Reading]:
    """Programming energy divided in three ways; which one a paper means by "per inference" is often not said."""
    first = runs[0]
    if first["states"] is None:
        return []
    figure = published_beside("picojoule_per_inference", first)
    beside = "" if figure is None else f"{figure.value:g} pJ"
    unknown = "" if figure is None else "derivation not published"
    found = []
    for name in READINGS:
        each = [readings_of(run)[name] for run in runs]
        joules = [value for value in each if value is not None]
        if joules:
            mean = f"{PICO * fmean(joules):.4g} pJ"
            found.append(Reading(label, f"programming energy {name}", mean, beside, unknown))
    return found


def fewer_updates(summary: Summary) -> float | None:
    """Updates of weights that float training makes (every weight at every step) over our programming events."""
    counts = summary["programming"]
    if summary["states"] is None or not counts["training_events"]:
        return None
    weights = sum(layer["synapses"] for layer in counts["by_layer"].values())
    return float(weights * summary["steps"] / counts["training_events"])
