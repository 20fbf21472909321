"""Runs of the same kind, put together: one row for each mode and number of states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from barkhausen.core.config import flat
from barkhausen.experiment.summary import spread
from barkhausen.results import published

NO_VALUE = "–"


def result_table(summaries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean and spread over the seeds of each kind of run, beside the published figure.

    Runs are of one kind if their recipes differ in the seed alone (see :func:`kind_of`). Accuracies are
    fractions; ``accuracy_std`` is between seeds, ``chip_std`` between the chips of one seed (mean over seeds).
    """
    kinds: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for summary in summaries:
        kinds.setdefault(kind_of(summary), []).append(summary)
    return [_row(runs) for runs in kinds.values()]


def held_out(summary: dict[str, Any]) -> float:
    """Test accuracy, or validation accuracy of a run that did not touch the test set."""
    test = summary["test_accuracy"]
    return float(summary["validation_accuracy"] if test is None else test)


def kind_of(summary: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What runs of one kind have in common: data, device and every key of the recipe but the seed (and threads)."""
    dataset, device = summary["dataset"], summary["device"]
    samples = {key: dataset[key] for key in ("name", "train_samples", "validation_samples")}
    recipe = {key: value for key, value in flat(summary["recipe"]).items() if key not in {"seed", "threads"}}
    parts = {"states": summary["states"], **flat({"dataset": samples, "device": device}), **recipe}
    return tuple(sorted((key, repr(value)) for key, value in parts.items()))


def _row(runs: list[dict[str, Any]]) -> dict[str, Any]:
    first = runs[0]
    accuracy = spread([held_out(run) for run in runs])
    copies = [run["fresh_chip_copy"]["mean"] for run in runs if "fresh_chip_copy" in run]
    inferences = first["dataset"]["train_samples"] * first["epochs"]

    def mean(table: str, key: str) -> float:
        return float(sum(run[table][key] for run in runs)) / len(runs)

    events = mean("programming", "initial_events") + mean("programming", "training_events")
    is_float = first["mode"] == "float"
    mnist = first["dataset"]["name"] == "mnist"
    return {
        "mode": first["mode"],
        "states": first["states"],
        "dataset": first["dataset"]["name"],
        "measured_on": "test" if first["test_accuracy"] is not None else "validation",
        "seeds": len(runs),
        "accuracy": accuracy["mean"],
        "accuracy_std": accuracy["std"],
        "chips": first["chips"]["count"],
        "chip_std": sum(run["chips"]["std"] for run in runs) / len(runs),
        "fresh_chip_copy": sum(copies) / len(copies) if copies else None,
        "published_accuracy": published.ACCURACY[first["mode"]] if mnist else None,
        "events_per_sample": None if is_float else events / inferences,
        "attempts_per_sample": None if is_float else mean("programming", "attempts") / inferences,
        "picojoule_per_inference": None if is_float else 1e12 * mean("energy", "per_inference_joule"),
        "sot_share": None if is_float else mean("energy", "sot_joule") / mean("energy", "programming_joule"),
        "gate_share": None if is_float else mean("energy", "gate_joule") / mean("energy", "programming_joule"),
        "read_share": None if is_float else mean("energy", "read_joule") / mean("energy", "programming_joule"),
        "published_picojoule_per_inference": (
            1e12 * published.ENERGY_PER_INFERENCE if first["mode"] == "in-situ" and mnist else None
        ),
        "wall_seconds": sum(run["wall_seconds"] for run in runs) / len(runs),
    }


def or_dash(value: float | None, form: str, factor: float = 1) -> str:
    """A number times a factor in the given format, or a dash where there is none."""
    return NO_VALUE if value is None else format(factor * value, form)


def markdown_table(rows: Sequence[dict[str, Any]]) -> str:
    """The table for a README: one line a kind, accuracies in per cent, beside the published figures."""
    lines = [
        "| mode | states | test accuracy (%) | chips: spread | copied to fresh chips | published | events/sample "
        "| pJ/inference (SOT + gate + read) | published |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        energy = NO_VALUE
        if row["picojoule_per_inference"] is not None:
            total = row["picojoule_per_inference"]
            parts = " + ".join(f"{total * row[f'{cause}_share']:.4f}" for cause in ("sot", "gate", "read"))
            energy = f"**{total:.4f}** ({parts})"
        cells = [
            row["mode"],
            or_dash(row["states"], "d"),
            f"**{100 * row['accuracy']:.2f}** ± {100 * row['accuracy_std']:.2f} (n = {row['seeds']})",
            f"{row['chips']}: {100 * row['chip_std']:.2f}" if row["chips"] > 1 else NO_VALUE,
            or_dash(row["fresh_chip_copy"], ".2f", 100),
            or_dash(row["published_accuracy"], ".2f", 100),
            or_dash(row["events_per_sample"], ".2f"),
            energy,
            or_dash(row["published_picojoule_per_inference"], ".0f"),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
