"""The command ``barkhausen report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from barkhausen.cli.terminal.options import Plotly, PlotlyChoice


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Directories of finished runs.")],
    out: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path("report.html"),
    plotly: PlotlyChoice = Plotly.EMBED,
) -> None:
    """Write one page about finished runs: accuracy, energy, learning curves, device weights and all assumptions."""
    from barkhausen.report.runs.page import write_report

    write_report(runs, out)
    typer.echo(f"report in {out}")
