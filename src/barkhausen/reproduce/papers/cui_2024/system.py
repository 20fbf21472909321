"""Spiking networks of domain-wall neurons on Fashion-MNIST (Cui et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from barkhausen.experiment.score import held_out
from barkhausen.report.panels import Panel
from barkhausen.report.plots import Spec
from barkhausen.reproduce.comparisons import spread_text
from barkhausen.reproduce.papers.cui_2024.figures import PUBLISHED, curves_plot
from barkhausen.reproduce.systems import FOLDER, SYSTEMS, Reading, Summaries, System
from barkhausen.results.published import figures_of
from barkhausen.results.table import by_kind

NEAR = 0.015
"""Difference of accuracies that counts as the same."""

PUBLISHED_STEPS = 400
"""Time steps of the published curves."""

RESETS = {
    "zero": "reset to the start",
    "none": "no reset",
    "ignore": "no current until the wall is back",
    "subtract": "threshold subtracted",
}


def neuron_of(summary: Mapping[str, Any]) -> str:
    """Neuron in the words of the published curves; empty for one that has none."""
    options = summary["recipe"]["network"]["options"]
    cell, own = options["cell"], options["cell_options"]
    if cell == "domain-wall":
        return "DW-MTJ with noise" if own["spread"] > 0 else "DW-MTJ"
    return {"lif": "LIF", "if": "IF"}.get(cell, "")


def label_of(summary: Mapping[str, Any]) -> str:
    """Neuron, reset and parametrisation, time steps, and devices where there are any."""
    options = summary["recipe"]["network"]["options"]
    own = options["cell_options"]
    parts = [neuron_of(summary) or f"neurons of {own.get('device', options['cell'])}"]
    if options["cell"] == "domain-wall":
        parts += [RESETS[own["reset"]], "gradient in x/x_th" if own["normalised"] else "gradient in m"]
    parts += [] if summary["states"] is None else [f"{summary['mode']}, {summary['states']} states"]
    return ", ".join([*parts, f"{options['steps']} steps"])


def readings(summaries: Summaries) -> list[Reading]:
    """Accuracy after the last epoch beside the published one."""
    figures, found = {figure.quantity: figure for figure in figures_of("cui-2024")}, []
    for runs in by_kind(summaries):
        values = [held_out(run) for run in runs]
        text = spread_text([100 * value for value in values], ".2f", " %")
        figure = figures.get(f"accuracy of {neuron_of(runs[0])}")
        epochs = runs[0]["epochs"]
        if figure is None:
            found.append(Reading(label_of(runs[0]), f"accuracy after {epochs} epochs", text))
            continue
        difference = fmean(values) - figure.value
        near = abs(difference) <= NEAR
        verdict = "within 1.5 points" if near else f"{100 * abs(difference):.1f} points {_side(difference)}"
        steps = runs[0]["recipe"]["network"]["options"]["steps"]
        verdict += "" if steps == PUBLISHED_STEPS else f", with {steps} instead of {PUBLISHED_STEPS} steps"
        beside = f"{100 * figure.value:.2f} % ({figure.version})"
        found.append(Reading(label_of(runs[0]), f"accuracy after {epochs} epochs", text, beside, verdict))
    return found


def _side(difference: float) -> str:
    return "above" if difference > 0 else "below"


def panels(summaries: Summaries) -> list[Panel]:
    """Learning curves, a plot for each published one."""
    plots: list[tuple[str, Spec]] = []
    rows: list[tuple[str, tuple[float, ...]]] = []
    kinds = by_kind(summaries)
    for neuron in dict.fromkeys(neuron_of(runs[0]) for runs in kinds):
        ours = {label_of(runs[0]): [_curve(run) for run in runs] for runs in kinds if neuron_of(runs[0]) == neuron}
        ours = {label: curves for label, curves in ours.items() if all(curves)}
        published = PUBLISHED.get(neuron)
        if not ours:
            continue
        plots.append((f"{neuron or 'other neurons'}: learning curves", curves_plot(ours, published)))
        if published is not None:
            rows.append((f"{neuron}, published", published))
        for label, curves in ours.items():
            rows.append((label, tuple(fmean(values) for values in zip(*curves, strict=False))))
    epochs = max((len(values) for _, values in rows), default=0)
    table = [[name, *(f"{value:.2f}" for value in values), *["–"] * (epochs - len(values))] for name, values in rows]
    if not plots:
        return []
    return [
        Panel(
            "Learning curves",
            "Test accuracy in % after each epoch, means over trainings; bars: 95 % intervals over trainings, where "
            "there are several. Grey: the published means. The axis does not start at zero.",
            plots,
            ["neuron", *map(str, range(1, epochs + 1))],
            table,
        )
    ]


def _curve(summary: Mapping[str, Any]) -> list[float]:
    """Test accuracy in % after each epoch."""
    return [100 * line["test_accuracy"] for line in summary.get("metrics", ()) if "test_accuracy" in line]


ASSUMPTIONS = (
    "that the public code liukts/dwmtj-norse-spiking made the curves of the paper is inferred",
    "the reset behind the curves is not known: an earlier version of the code puts the wall back to the start (ours "
    "here), the last one has none, and a third variant ignores current until the wall is back",
    "the code has no integrate-and-fire neuron, and its curve stands in the plot script as numbers: ours is the LIF "
    "neuron without a leak",
    "LIF neurons have Norse's constants for steps of 1 ms (10 ms membrane, 5 ms synapse) and a surrogate gradient of "
    "slope 100; Norse 1.1 ignores the slope",
    "the gradient of the domain-wall neuron is one of metres, as published, unless a label says x/x_th, which is ours",
    "batch normalisation at every time step, whose running statistics are those of the last steps of the last batches",
)


DEVICES = (
    "the paper has no network of simulated neurons: ours are of thermal ensembles of integrate-fire-reset cycles",
    "a wall is injected at every cycle without failure and without energy, and differences between tracks are part of "
    "the spread of steps",
    "a circuit that turns the accumulated current of a neuron into the current density of its pulse is assumed and not "
    "part of any energy",
    "synapses are shipped 5-state non-volatile racetracks, programmed in situ",
)


def _system(name: str, title: str, quick: Mapping[str, Any], assumptions: tuple[str, ...] = ASSUMPTIONS) -> System:
    return SYSTEMS.register(
        name,
        System(
            name=name,
            title=title,
            status="after",
            published_as="cui-2024",
            sweep=FOLDER / f"{name}.toml",
            assumptions=assumptions,
            quick=quick,
            stand_in="digits",
            labels=label_of,
            readings=readings,
            panels=panels,
        ),
    )


QUICK = {"set.epochs": 1, "set.network.options.steps": 40, "search.repeat.seed": [0]}

CUI_2024 = (
    _system(
        "cui-2024",
        "spiking networks of domain-wall, LIF and IF neurons on Fashion-MNIST, 400 time steps, one seed",
        QUICK,
    ),
    _system(
        "cui-2024-short",
        "the same with 100 time steps and five seeds, with all resets and both parametrisations of the gradient",
        QUICK,
    ),
    _system(
        "cui-2024-devices",
        "domain-wall neurons of our own micromagnetics with digital weights and with stochastic synapses, beside LIF "
        "neurons",
        {"set.epochs": 1, "set.network.options.steps": 20, "set.transfer.chips": 1, "search.repeat.seed": [0]},
        DEVICES,
    ),
)
"""The systems of domain-wall neurons."""
