"""The command ``barkhausen uncertainty``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from barkhausen.cli.terminal.options import AllowCode, DataDir, PageFile, Plotly, PlotlyChoice, ResultsFile

if TYPE_CHECKING:
    from rich.table import Table


def uncertainty(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Directories of finished runs; several are an ensemble too."),
    ],
    members: Annotated[
        int, typer.Option("--members", min=1, max=10_000, help="Number of stochastic passes or chips of each run.")
    ] = 20,
    over: Annotated[
        str,
        typer.Option(
            "--over",
            help="What the members are: passes, chips or the network alone. auto: passes of a network that draws "
            "random numbers, chips of one on devices, any other network alone.",
        ),
    ] = "auto",
    bins: Annotated[int, typer.Option("--bins", min=1, max=1000, help="Bins of the calibration error.")] = 15,
    resamples: Annotated[
        int, typer.Option("--resamples", min=0, max=100_000, help="Resamples of the bootstrap over samples.")
    ] = 1000,
    data_dir: DataDir = None,
    out: ResultsFile = None,
    page: PageFile = None,
    plotly: PlotlyChoice = Plotly.EMBED,
    allow_code: AllowCode = None,
) -> None:
    """Calibration, scores, entropies and rejection of finished runs, over stochastic passes, chips or an ensemble."""
    import json

    from barkhausen.core.files import atomic_write
    from barkhausen.core.user_code import code_allowed
    from barkhausen.experiment.uncertainty import uncertainty_of_runs
    from barkhausen.report.uncertainty.page import write_uncertainty_report

    with code_allowed(allow_code or ()):
        found = uncertainty_of_runs(runs, members, over=over, bins=bins, resamples=resamples, data_dir=data_dir)
    from barkhausen.cli.terminal.console import wide_console

    summary = found.summary()
    wide_console().print(_table(summary))
    if out is not None:
        atomic_write(out, json.dumps(summary, indent=1, allow_nan=False) + "\n")
    if page is not None:
        write_uncertainty_report(summary, page)
        typer.echo(f"report in {page}")


def _table(summary: dict[str, Any]) -> Table:
    """Figures with their intervals, a column for each network, and those of single members."""
    from rich.table import Table

    from barkhausen.learning.uncertainty.measured import FIGURES
    from barkhausen.report.uncertainty.figures import with_interval

    networks = summary["networks"]
    table = Table(
        "predictive mean",
        *networks,
        title=f"{summary['dataset']}, {summary['measured_on']} samples; in brackets 95 % bootstrap intervals",
    )
    found = list(networks.values())
    table.add_row("members", *(f"{each['members']} ({each['what']})" for each in found))
    for name, label in FIGURES.items():
        table.add_row(label, *(with_interval(each["figures"][name]) for each in found))
    for name in found[0]["single"]:
        table.add_row(f"{FIGURES[name]}, single members", *(f"{each['single'][name]:.4f}" for each in found))
    return table
