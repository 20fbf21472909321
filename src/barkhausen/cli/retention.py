"""The command ``barkhausen retention``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from barkhausen.cli.terminal.options import AllowCode, DataDir, PageFile, Plotly, PlotlyChoice, ResultsFile

if TYPE_CHECKING:
    from rich.table import Table

    from barkhausen.experiment.retention import Retention


def retention(
    run: Annotated[Path, typer.Argument(help="Directory of a finished run on devices.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key: draws=20, temperatures=[300, 358], network=transferred."),
    ] = None,
    data_dir: DataDir = None,
    out: ResultsFile = None,
    page: PageFile = None,
    plotly: PlotlyChoice = Plotly.EMBED,
    allow_code: AllowCode = None,
) -> None:
    """Leave a trained network alone: accuracy after waiting at several temperatures, and the power that keeps it."""
    import json

    from rich.console import Console

    from barkhausen.cli.terminal.console import wide_console
    from barkhausen.core.files import atomic_write
    from barkhausen.core.progress import Terminal
    from barkhausen.core.user_code import code_allowed
    from barkhausen.experiment.retention import load_settings, retention_of
    from barkhausen.report.retention.page import write_retention_report

    with code_allowed(allow_code or ()):
        found = retention_of(
            run, load_settings(settings or ()), data_dir=data_dir, progress=Terminal(Console(stderr=True))
        )
    summary = found.summary()
    console = wide_console()
    console.print(_accuracies(found))
    if found.refreshes:
        console.print(_refreshes(found))
    for line in summary["assumed"]:
        typer.echo(f"assumed: {line}")
    if out is not None:
        atomic_write(out, json.dumps(summary, indent=1, allow_nan=False) + "\n")
    if page is not None:
        write_retention_report([summary], page)
        typer.echo(f"report in {page}")


def _accuracies(found: Retention) -> Table:
    from rich.table import Table

    from barkhausen.report.retention.groups import duration

    what = "transferred to unseen chips" if found.transferred else "trained chip"
    table = Table(
        "temperature (K)", "waiting time", "accuracy (%)", "loss (points)", "walls that moved (%)",
        title=f"{what}: {100 * found.accuracy:.2f} % before waiting, {len(found.fresh)} draws",
    )  # fmt: skip
    for row in found.conditions:
        if row.barriers:
            continue
        moved = sum(draw.moved for draw in row.draws) / len(row.draws)
        table.add_row(
            f"{row.temperature:g}",
            duration(row.seconds),
            f"{100 * row.accuracy:.2f}",
            f"{round(100 * (found.accuracy - row.accuracy), 2) + 0.0:.2f}",
            f"{100 * moved:.3g}",
        )
    return table


def _refreshes(found: Retention) -> Table:
    from rich.table import Table

    from barkhausen.report.retention.groups import duration
    from barkhausen.report.retention.page import watt

    table = Table("temperature (K)", "period", *found.policies, title="power of refreshing the whole network")
    for row in found.refreshes:
        period = (
            f"none needed in {duration(found.settings.horizon)}"
            if not row.needed
            else "none holds"
            if row.period is None
            else duration(row.period)
        )
        table.add_row(f"{row.temperature:g}", period, *(watt(row.power(policy)) for policy in found.policies))
    return table
