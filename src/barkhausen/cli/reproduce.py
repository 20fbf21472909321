"""The command ``barkhausen reproduce``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from barkhausen.cli.options import DataDir, Overwrite
from barkhausen.cli.results import print_results


def reproduce(
    out: Annotated[Path, typer.Option("--out", help="Directory of the results.")] = Path("runs/reproduce"),
    quick: Annotated[bool, typer.Option("--quick", help="Two epochs, three chips, one seed.")] = False,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Runs of each kind, with seeds 0, 1, …")] = 3,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes; by default one a core, at most 8.")
    ] = None,
    data_dir: DataDir = None,
    overwrite: Overwrite = False,
) -> None:
    """Run 2, 3 and 5 states, in situ and ex situ, and the float twin; write table.csv and report.html."""
    from barkhausen.core.progress import Terminal
    from barkhausen.reproduce.misba_2021 import reproduce as run_all

    summaries = run_all(
        out,
        quick=quick,
        data_dir=data_dir,
        seeds=tuple(range(seeds)),
        workers=workers,
        progress=Terminal(Console(stderr=True)),
        log=lambda line: typer.echo(line, err=True),
        overwrite=overwrite,
    )
    print_results(summaries)
    typer.echo(f"table in {out / 'table.csv'}, report in {out / 'report.html'}")
