"""The command ``barkhausen sweep``."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from barkhausen.cli.terminal.completion import complete_recipe
from barkhausen.cli.terminal.options import AllowCode, Plotly, PlotlyChoice

TERMINATED = 128 + signal.SIGTERM


def sweep(
    file: Annotated[
        Path,
        typer.Argument(help="Sweep file (TOML), or a name of `barkhausen recipes`.", autocompletion=complete_recipe),
    ],
    out: Annotated[Path, typer.Option("--out", help="Directory of the sweep, in which an interrupted sweep resumes.")],
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes. Default: one for each core, at most 8.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Address of a dask scheduler with workers: tcp://host:8786.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key of the sweep file: search.samples=10, set.epochs=1."),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Root of the data sets, which workers read too.")
    ] = None,
    dashboard: Annotated[bool, typer.Option("--dashboard", help="Serve dask's pages on port 8787.")] = False,
    plotly: PlotlyChoice = Plotly.EMBED,
    allow_code: AllowCode = None,
) -> None:
    """Run a sweep of recipes on several processes, or its missing tasks, and write one table of all results.

    If it is interrupted or killed, the same command resumes it. Failed tasks are tried again.
    """
    from rich.console import Console

    from barkhausen.core.errors import InputError
    from barkhausen.core.progress import Terminal
    from barkhausen.core.user_code import code_allowed
    from barkhausen.report.sweep.page import write_sweep_report
    from barkhausen.sweep.engine import run_sweep
    from barkhausen.sweep.sweep_file import load_sweep

    if workers is not None and scheduler is not None:
        raise InputError("--workers and --scheduler: give only one; a scheduler has its own workers")
    with terminated_in_order(), code_allowed(allow_code or ()):
        counts = run_sweep(
            load_sweep(file, settings or []),
            out,
            workers=workers,
            scheduler=scheduler,
            data_dir=data_dir,
            dashboard=dashboard,
            progress=Terminal(Console(stderr=True)),
            log=lambda line: typer.echo(line, err=True),
        )
    write_sweep_report(out)
    typer.echo(f"{counts.finished} of {counts.finished + counts.failed + counts.planned} tasks finished")
    if counts.failed:
        typer.echo(f"{counts.failed} failed (column error of the table); the same command tries them again", err=True)
    typer.echo(f"table in {out / 'table.parquet'}")
    if counts.failed and not counts.finished:
        raise typer.Exit(1)


@contextlib.contextmanager
def terminated_in_order() -> Iterator[None]:
    """Handle SIGTERM like Ctrl-C: workers are stopped, and the table is written."""

    def leave(number: int, frame: FrameType | None) -> None:
        typer.echo("terminated; the same command resumes", err=True)
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
