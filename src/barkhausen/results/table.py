"""Runs of the same kind, put together: one row for each learning rule and device."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from barkhausen.core.config import flat
from barkhausen.core.errors import InputError
from barkhausen.core.files.csv_cells import guarded
from barkhausen.experiment.score import ACCURACY, NO_VALUE, Score, held_out, score_of
from barkhausen.experiment.summary import spread
from barkhausen.experiment.work.rows import (
    Summary,
    device_name,
    inferences_of,
    joules,
    mean_totals,
    per_sample,
    totals,
    training_row,
)
from barkhausen.learning.spiking.operations import CAUSES
from barkhausen.results.published import FIGURES, Figure, network_of, published

WHOLE_ENERGIES = ("nanojoule_per_trained_sample", "nanojoule_per_chip_inference")
NEURONS = (
    "spikes_per_inference",
    "neuron_picojoule_per_inference",
    *(f"neuron_{cause}_picojoule_per_inference" for cause in CAUSES),
)
"""Columns of tables with spiking networks."""

__all__ = [
    "NO_VALUE",
    "as_csv",
    "by_kind",
    "held_out",
    "kind_of",
    "markdown_table",
    "or_dash",
    "result_table",
    "score_of_all",
]


def result_table(
    summaries: Sequence[Summary],
    label: Callable[[Summary], str] | None = None,
    figures: Sequence[Figure] = FIGURES,
) -> list[dict[str, Any]]:
    """Mean and spread over the seeds of each kind of run, beside the published figure.

    Runs are of one kind if their recipes differ in the seed alone (see :func:`kind_of`). Accuracies are
    fractions; ``accuracy_std`` is between seeds, ``chip_std`` between the chips of one seed (mean over seeds). The
    columns of another score have its name instead, such as ``rmse`` and ``rmse_std``. Where there are spiking networks,
    their spikes and the energies of their neurons are columns too.

    Args:
        summaries: Summaries of the runs.
        label: Function from a summary to what tells its kind from the others, for a first column ``kind``. Default:
            no such column.
        figures: Published figures that may stand beside. Default: all.

    Raises:
        InputError: The runs are judged by different scores.
    """
    score = score_of_all(summaries)
    kinds = by_kind(summaries)
    causes = tuple(dict.fromkeys(cause for summary in summaries if totals(summary) for cause in joules(summary)))
    rows = [_row(runs, causes, score, figures) for runs in kinds]
    if not any(row[NEURONS[0]] is not None for row in rows):
        rows = [{name: value for name, value in row.items() if name not in NEURONS} for row in rows]
    if label is None:
        return rows
    return [{"kind": label(runs[0])} | row for runs, row in zip(kinds, rows, strict=True)]


def score_of_all(summaries: Sequence[Summary]) -> Score:
    """The score that all runs are judged by.

    Raises:
        InputError: They are judged by different ones.
    """
    scores = list(dict.fromkeys(map(score_of, summaries)))
    if len(scores) > 1:
        named = " and ".join(score.title for score in scores[:3])
        raise InputError(
            f"runs judged by different scores ({named}) cannot stand side by side; take those of each alone"
        )
    return scores[0]


def by_kind(summaries: Sequence[Summary]) -> list[list[Summary]]:
    """Runs that differ in their seed alone, together, in the order of the first of each kind."""
    kinds: dict[tuple[Any, ...], list[Summary]] = {}
    for summary in summaries:
        kinds.setdefault(kind_of(summary), []).append(summary)
    return list(kinds.values())


def kind_of(summary: Summary) -> tuple[tuple[str, str], ...]:
    """What runs of one kind have in common: data, device and every key of the recipe but the seed (and threads)."""
    dataset, device = summary["dataset"], summary["device"]
    samples = {key: dataset[key] for key in ("name", "train_samples", "validation_samples")}
    left_out = {"seed", "threads"}
    if "precursor_score" in summary:
        # Each seed of hybrid training has a precursor of its own.
        left_out.add("init_from")
    recipe = {key: value for key, value in flat(summary["recipe"]).items() if key not in left_out}
    parts = {"states": summary["states"], **flat({"dataset": samples, "device": device}), **recipe}
    if "precursor_kind" in summary:
        parts["precursor"] = summary["precursor_kind"]
    return tuple(sorted((key, repr(value)) for key, value in parts.items()))


def causes_of(row: dict[str, Any]) -> list[str]:
    """Causes of energy that a row of the table has shares of."""
    return [key.removesuffix("_share") for key in row if key.endswith("_share")]


def _on_devices(summary: Summary) -> bool:
    return summary["states"] is not None


def _row(runs: Sequence[Summary], causes: Sequence[str], score: Score, known: Sequence[Figure]) -> dict[str, Any]:
    first = runs[0]
    rows = [training_row(run) for run in runs]
    values = spread([row[score.name] for row in rows])
    transferred = [row[score.unseen_column] for row in rows if row[score.unseen_column] is not None]
    sums = mean_totals(runs)
    derived = per_sample(sums, inferences_of(first))
    mode, dataset = first["mode"], first["dataset"]["name"]
    network = network_of(first["recipe"])
    beside = {name: published(name, dataset, mode, network, known) for name in (score.name, "picojoule_per_inference")}
    figures = {name: None if figure is None else figure.value for name, figure in beside.items()}
    return {
        "mode": mode,
        "states": first["states"],
        "device": device_name(first) if _on_devices(first) else None,
        "dataset": dataset,
        "measured_on": rows[0]["measured_on"],
        "seeds": len(runs),
        score.name: values["mean"],
        f"{score.name}_std": values["std"],
        "chips": rows[0]["chips"],
        "chip_std": sum(row[score.chip_column] for row in rows) / len(rows),
        "unseen_chips": sum(transferred) / len(transferred) if transferred else None,
        f"published_{score.name}": figures[score.name],
        "events_per_sample": derived.get("events_per_sample"),
        "attempts_per_sample": derived.get("attempts_per_sample"),
        "picojoule_per_inference": derived.get("picojoule_per_inference"),
        **{f"{cause}_share": _share(sums, cause) for cause in causes},
        "published_picojoule_per_inference": figures["picojoule_per_inference"],
        **{name: _mean([row.get(name) for row in rows]) for name in (*WHOLE_ENERGIES, *NEURONS)},
        "wall_seconds": sum(run["wall_seconds"] for run in runs) / len(runs),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    """Mean of values of all seeds; None where one lacks it."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def _share(sums: dict[str, float], cause: str) -> float | None:
    if f"{cause}_joule" not in sums:
        return None
    part, whole = sums[f"{cause}_joule"], sums["programming_joule"]
    # Nothing of nothing, where no device was programmed; parts without a whole are damage.
    return part / whole if part or whole else 0.0


def or_dash(value: float | None, form: str, factor: float = 1) -> str:
    """A number times a factor in the given format, or a dash where there is none."""
    return NO_VALUE if value is None else format(factor * value, form)


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """The table in full precision; empty cells where there is no value. Text is guarded against formulas."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(
        {key: guarded(cell) if isinstance(cell, str) else cell for key, cell in row.items()} for row in rows
    )
    return text.getvalue()


def markdown_table(rows: Sequence[dict[str, Any]], score: Score = ACCURACY) -> str:
    """The table for a README: one line a kind, accuracies in per cent, beside the published figures.

    Args:
        rows: Rows of :func:`result_table`.
        score: Score of the runs.
    """
    named, spiking = "kind" in rows[0], NEURONS[0] in rows[0]
    causes = causes_of(rows[0])
    parts = " + ".join("SOT" if cause == "sot" else cause.replace("_", " ") for cause in causes)
    parts = f" ({parts})" if parts else ""
    lines = [
        f"| {'kind' if named else 'mode'} | states | device | test {score.title} | chips: spread "
        f"| transfer to unseen chips | published | events/sample | programming, pJ/sample and epoch{parts} "
        "| published, pJ/inference | whole, nJ/trained sample | whole, nJ/inference |"
        + (" spikes/inference | neurons, pJ/inference |" if spiking else ""),
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
        + (" --- | --- |" if spiking else ""),
    ]
    for row in rows:
        energy = NO_VALUE
        if row["picojoule_per_inference"] is not None:
            total = row["picojoule_per_inference"]
            shares = [row[f"{cause}_share"] or 0.0 for cause in causes]
            energy = f"**{total:.4f}** ({' + '.join(f'{total * share:.4f}' for share in shares)})"
        cells = [
            row["kind"] if named else row["mode"],
            or_dash(row["states"], "d"),
            NO_VALUE if row["device"] is None else row["device"],
            f"**{score.number(row[score.name])}** ± {score.number(row[f'{score.name}_std'])} (n = {row['seeds']})",
            f"{row['chips']}: {score.number(row['chip_std'])}" if row["chips"] > 1 else NO_VALUE,
            score.number(row["unseen_chips"]),
            score.number(row[f"published_{score.name}"]),
            or_dash(row["events_per_sample"], ".2f"),
            energy,
            or_dash(row["published_picojoule_per_inference"], ".0f"),
            *(or_dash(row[name], ".4g") for name in (*WHOLE_ENERGIES, *(NEURONS[:2] if spiking else ()))),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
