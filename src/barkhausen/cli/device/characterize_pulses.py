"""The command ``barkhausen characterize-pulses``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from barkhausen.cli.terminal.options import DeviceReport, Plotly, PlotlyChoice


def characterize_pulses(
    parameters: Annotated[
        Path, typer.Argument(help="Parameter file (TOML): track, train of pulses, and numbers of devices and cycles.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Device file to write (.nc).")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key: characterisation.devices=4, train.delay=2e-9. May be repeated."),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Replace the device file of another characterisation, or discard its unfinished work."
        ),
    ] = False,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Of the compiled kernel.")] = None,
    backend: Annotated[str, typer.Option("--backend", help="compiled, torch or auto.")] = "auto",
    accelerator: Annotated[str, typer.Option("--accelerator", help="cpu or cuda.")] = "cpu",
    figure: Annotated[
        Path | None, typer.Option("--figure", help="Write a figure of positions against time: .pdf, .png or .svg.")
    ] = None,
    report: DeviceReport = None,
    plotly: PlotlyChoice = Plotly.EMBED,
) -> None:
    """Simulate walls that identical pulses move up and down, and write a device file.

    If it is interrupted, the same command resumes it.
    """
    from barkhausen.cli.terminal.device_files import save_figure, write_page
    from barkhausen.cli.terminal.device_tables import show_any
    from barkhausen.core.progress import Terminal
    from barkhausen.device.domain_wall.trains.plots import plot_train
    from barkhausen.experiment.characterisation.pulses import characterise_pulses_to_file

    found = characterise_pulses_to_file(
        parameters,
        out,
        settings=settings or [],
        overwrite=overwrite,
        backend=backend,
        threads=threads,
        accelerator=accelerator,
        progress=Terminal(Console(stderr=True)),
    )
    show_any(found.device)
    typer.echo(f"device file in {out}")
    if figure is not None:
        save_figure(plot_train(found.history), figure)
    if report is not None:
        write_page(found.device, report, out)
