"""The command ``barkhausen reproduce``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from barkhausen.cli.terminal.completion import complete_system
from barkhausen.cli.terminal.console import wide_console
from barkhausen.cli.terminal.options import DataDir, Overwrite, Plotly, PlotlyChoice
from barkhausen.cli.terminal.results import print_readings, print_results

RUNS = Path("runs")


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Published systems. Default: misba-2021.", autocompletion=complete_system),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the systems: paper, expected time, full run.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Directory of the results; of several systems, of a directory for each. "
            "Default: runs/reproduce, or runs/NAME of a named system.",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Short look: fewer seeds, epochs or chips. Its figures are marked as such.")
    ] = False,
    seeds: Annotated[
        int | None, typer.Option("--seeds", min=1, help="Number of seeds (0, 1, …) for each kind of run. Default: 3.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes. Default: one for each core, at most 8.")
    ] = None,
    data_dir: DataDir = None,
    overwrite: Overwrite = False,
    plotly: PlotlyChoice = Plotly.EMBED,
) -> None:
    """Reproduce a published system and compare with the published figures: table.csv and report.html."""
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    from barkhausen.cli.sweep import terminated_in_order
    from barkhausen.core.progress import Terminal
    from barkhausen.core.registry import load_extensions
    from barkhausen.reproduce import SYSTEMS
    from barkhausen.reproduce.listing import HEADINGS, LEGEND, listing
    from barkhausen.reproduce.run import reproduce as run_system
    from barkhausen.reproduce.systems import DEFAULT

    load_extensions()
    if listed:
        # Name and paper share a column, so that what a system is has room at 100 columns.
        first, second, *others = HEADINGS
        narrow = Column(f"{first}, {second}", max_width=24)
        table = Table(narrow, *others, caption=LEGEND, caption_justify="left", show_lines=True)
        for name, paper, *row in listing(RUNS):
            table.add_row(Text("\n").join([Text(name, "bold"), *map(Text, paper.split(", "))]), *map(Text, row))
        wide_console().print(table)
        return
    chosen = list(dict.fromkeys(names or [DEFAULT]))
    for name in chosen:
        SYSTEMS.named(name)
    for name in chosen:
        alone = out or RUNS / (name if names else "reproduce")
        directory = alone if len(chosen) == 1 else (out or RUNS) / name
        with terminated_in_order():
            summaries = run_system(
                directory,
                name,
                quick=quick,
                data_dir=data_dir,
                seeds=None if seeds is None else range(seeds),
                workers=workers,
                progress=Terminal(Console(stderr=True)),
                log=lambda line: typer.echo(line, err=True),
                overwrite=overwrite,
            )
        system = SYSTEMS.named(name)
        if system.conclude is None:
            print_results(summaries, system.labels, system.figures)
        else:
            print_readings(directory / "summary.json")
        typer.echo(f"table in {directory / 'table.csv'}, report in {directory / 'report.html'}")
