"""Hybrid training, off-chip and then one epoch on devices that pulses move (Kwon et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from barkhausen.experiment.score import held_out
from barkhausen.experiment.work.rows import Summary
from barkhausen.reproduce.comparisons import spread_text
from barkhausen.reproduce.systems import FOLDER, SYSTEMS, Reading, Summaries, System

NEAR = 0.005
"""Accuracy below its float precursor within which a network counts as near software."""

LAYERS = {"first": "first layer", "last": "last layer", "*": "all layers"}


def label_of(summary: Mapping[str, Any]) -> str:
    """Layers that learn, how they are written, and the nonlinearity."""
    recipe = summary["recipe"]
    layers = LAYERS.get(recipe["learn"][0], recipe["learn"][0])
    how = "write-verify" if recipe["device"]["max_attempts"] > 1 else "blind"
    return f"{layers}, {how}, ν = {nonlinearity(summary):g}"


def nonlinearity(summary: Mapping[str, Any]) -> float:
    """The ν of the device."""
    return float(summary["recipe"]["device"]["pulsed"].rpartition("-")[2])


def precursor_of(summary: Summary) -> float | None:
    """Accuracy of the float precursor, as its own network has it on the same data."""
    value = summary.get("precursor_score")
    return None if value is None else float(value)


def by_label(summaries: Summaries) -> list[list[Summary]]:
    """Runs of one label, in the order of the sweep."""
    groups: dict[str, list[Summary]] = {}
    for summary in summaries:
        groups.setdefault(label_of(summary), []).append(summary)
    return list(groups.values())


def readings(summaries: Summaries) -> list[Reading]:
    """Accuracy before and after the epoch on the chip, what it took, and the claim."""
    found = []
    for runs in by_label(summaries):
        label = label_of(runs[0])
        before = spread_text([100 * run["start_score"] for run in runs], ".2f", " %")
        after = spread_text([100 * held_out(run) for run in runs], ".2f", " %")
        floats = [value for value in map(precursor_of, runs) if value is not None]
        verdict = ""
        if len(floats) == len(runs):
            less = fmean(floats) - fmean([held_out(run) for run in runs])
            verdict = f"{'near' if less <= NEAR else 'not near'} its float precursor ({-100 * less:+.2f} points)"
        found.append(Reading(label, "accuracy before and after one epoch", f"{before}; {after}", "near", verdict))
        found.append(Reading(label, "pulses, verify reads and energy of writing", _cost(runs)))
    return found


def _cost(runs: list[Summary]) -> str:
    counts = [run["programming"] for run in runs]
    transfer, epoch = (fmean([count[name] for count in counts]) for name in ("initial_events", "training_events"))
    reads = fmean([count["verify_reads"] for count in counts])
    joule = fmean([run["energy"]["programming_joule"] for run in runs])
    every = fmean([_monitored(run) for run in runs])
    return (
        f"{transfer:.3g} + {epoch:.3g} pulses, {reads:.3g} verify reads, {every:.3g} reads of the rule, "
        f"{1e6 * joule:.3g} µJ"
    )


def _monitored(run: Summary) -> float:
    """Reads that the rule makes to know which devices are due: of all devices of the layers that learn, every step."""
    layers = run["programming"]["by_layer"]
    names = list(layers)
    learning = {"first": names[:1], "last": names[-1:]}.get(run["recipe"]["learn"][0], names)
    synapses = sum(layers[name]["synapses"] for name in learning)
    return float(run["monitoring"]["reads_per_step"] * synapses * run["steps"])


KWON_2023 = SYSTEMS.register(
    "kwon-2023",
    System(
        name="kwon-2023",
        title="training off-chip, transfer, and one epoch on devices of extreme nonlinearity, for chosen layers",
        status="after",
        sweep=FOLDER / "kwon-2023.toml",
        assumptions=(
            "network 784-256-128-64-10 with biases and ReLU; near: within 0.5 points of its float precursor",
            "ΔG = dG exp(−ν g) up, mirrored down, with the first step 1/32 of the range, 30 % noise of each pulse and "
            "20 % spread between devices; 100 fJ a pulse; reads at 0.1 V for 10 ns",
            "the published rule is unknown: blind, one pulse where the memory has moved by the quantum, after a "
            "transfer of one train of pulses without a read; write-verify, the margin rule by verified pulses, after a "
            "transfer in at most five verified rounds",
            "a train has at most 1024 pulses, as a typical device without noise needs them from its lower bound",
            "biases of the layers that learn are trained digitally; all else stays as it was transferred",
            "rates and quantum were chosen for ν = 3 and the first layer on 10 000 validation samples",
        ),
        core_minutes=11,
        results="docs/results.md",
        quick={"search.repeat.seed": [0], "set.epochs": 3},
        stand_in="digits",
        labels=label_of,
        readings=readings,
        statement="near software accuracy after one epoch on the hardware without write-verify, even where only the "
        "first layer is trained",
    ),
)
