"""Table of the results of runs on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from barkhausen.cli.terminal.console import wide_console

if TYPE_CHECKING:
    from barkhausen.results.published import Figure


def print_results(
    summaries: list[dict[str, Any]],
    label: Callable[[Mapping[str, Any]], str] | None = None,
    figures: Sequence[Figure] | None = None,
) -> None:
    """Print one row for each kind of run.

    Args:
        summaries: Summaries of the runs.
        label: Function from a summary to the name of its kind. Default: its learning rule.
        figures: Published figures that may stand beside. Default: all.
    """
    from barkhausen.experiment.score import ACCURACY
    from barkhausen.results.published import FIGURES
    from barkhausen.results.table import NO_VALUE, or_dash, result_table, score_of_all

    columns: dict[str, list[str]] = {}
    score = score_of_all(summaries)
    what = "(%)" if score == ACCURACY else score.title
    for row in result_table(summaries, label, FIGURES if figures is None else figures):
        spread = f" ± {score.number(row[f'{score.name}_std'])} (n = {row['seeds']})" if row["seeds"] > 1 else ""
        cells = {
            **({"mode": row["mode"]} if label is None else {"kind": row["kind"]}),
            "states": or_dash(row["states"], "d"),
            "device": NO_VALUE if row["device"] is None else row["device"],
            f"{row['measured_on']} {what}": f"{score.number(row[score.name])}{spread}",
            "chip spread": f"{score.number(row['chip_std'])} ({row['chips']})" if row["chips"] > 1 else NO_VALUE,
            f"unseen chips {what}": score.number(row["unseen_chips"]),
            f"published {what}": score.number(row[f"published_{score.name}"]),
            "events/sample": or_dash(row["events_per_sample"], ".2f"),
            "programming (pJ/sample/epoch)": or_dash(row["picojoule_per_inference"], ".4f"),
            "published (pJ)": or_dash(row["published_picojoule_per_inference"], ".0f"),
            "whole (nJ/trained sample)": or_dash(row["nanojoule_per_trained_sample"], ".4g"),
            "whole (nJ/inference)": or_dash(row["nanojoule_per_chip_inference"], ".4g"),
            "spikes/inference": or_dash(row.get("spikes_per_inference"), ".4g"),
            "neurons (pJ/inference)": or_dash(row.get("neuron_picojoule_per_inference"), ".4g"),
            "s/run": f"{row['wall_seconds']:.0f}",
        }
        for name, cell in cells.items():
            columns.setdefault(name, []).append(cell)
    # An empty column would only make the table too wide for a terminal.
    columns = {name: cells for name, cells in columns.items() if set(cells) != {NO_VALUE}}
    table = Table(*columns)
    for line in zip(*columns.values(), strict=True):
        table.add_row(*line)
    wide_console().print(table)


def print_readings(summary: Path) -> None:
    """Print ours beside the published figures, as the summary of a published system has them."""
    from barkhausen.core.files import read_json
    from barkhausen.results.table import NO_VALUE

    readings = (read_json(summary) or {})["readings"]
    table = Table("what", "quantity", "ours", "published", "comparison")
    for reading in readings:
        cells = (reading[key] for key in ("kind", "quantity", "ours", "published", "verdict"))
        table.add_row(*(cell or NO_VALUE for cell in cells))
    wide_console().print(table)


def print_digital_weights(summary: Mapping[str, Any], most: int = 8) -> None:
    """Print the weight matrices of a network that are not on devices, a line each."""
    found = summary.get("digital_weights") or []
    for matrix in found[:most]:
        shape = " x ".join(map(str, matrix["shape"]))
        typer.echo(f"left digital: {matrix['name']} ({matrix['class']}, {shape}): {matrix['reason']}")
    if len(found) > most:
        typer.echo(f"left digital: {len(found)} matrices in all; summary.json lists them")
