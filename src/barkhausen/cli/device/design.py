"""The command ``barkhausen design``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from barkhausen.cli.terminal.completion import complete_recipe
from barkhausen.cli.terminal.options import Plotly, PlotlyChoice


def design(
    search: Annotated[
        Path,
        typer.Argument(help="Search file (TOML), or a name of `barkhausen recipes`.", autocompletion=complete_recipe),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Directory of the search, in which an interrupted search resumes.")
    ],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Override a key: search.states=3. May be repeated.")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Of the compiled kernel.")] = None,
    backend: Annotated[str, typer.Option("--backend", help="compiled, torch or auto.")] = "auto",
    accelerator: Annotated[str, typer.Option("--accelerator", help="cpu or cuda.")] = "cpu",
    plotly: PlotlyChoice = Plotly.EMBED,
) -> None:
    """Search for pulses, gate voltages and notches with well-separated or long-kept states; confirm the best by
    micromagnetics."""
    from barkhausen.core.progress import Terminal
    from barkhausen.experiment.design.front.verdict import verdict as front_verdict
    from barkhausen.experiment.design.search import design_to_directory
    from barkhausen.experiment.design.verdict import verdict
    from barkhausen.report.design.page import write_design_page

    result = design_to_directory(
        search,
        out,
        settings=settings or [],
        backend=backend,
        threads=threads,
        accelerator=accelerator,
        progress=Terminal(Console(stderr=True)),
    )
    page = write_design_page(out)
    front = result.get("kind") == "front"
    for line in (front_verdict(result) if front else verdict(result)).lines:
        typer.echo(line)
    where = f"designs in {out / 'designs'}" if front else f"best design in {out / 'designed.toml'}"
    typer.echo(f"{where}, report in {page}")
