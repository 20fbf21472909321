"""The command ``barkhausen characterize``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from barkhausen.cli.terminal.device_tables import show_device
from barkhausen.cli.terminal.options import Plotly, PlotlyChoice


def characterize(
    parameters: Annotated[
        Path, typer.Argument(help="Parameter file (TOML): device, protocol, and numbers of devices and cycles.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Device file to write (.nc).")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key: characterisation.devices=4, track.width=48e-9. May be repeated."),
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--report", help="Page about the device. Default: beside the device file, as .html.")
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
    barriers: Annotated[
        str | None,
        typer.Option(
            "--barriers",
            help="Energy barriers of the states: compact (model, seconds), calibrated (model fitted to the paths "
            "of two devices) or string (micromagnetic paths of least energy of all devices, minutes). Default: "
            "characterisation.barriers of the file, compact.",
        ),
    ] = None,
    plotly: PlotlyChoice = Plotly.EMBED,
) -> None:
    """Simulate a thermal ensemble of racetrack devices, and write its device file and a page about it.

    If it is interrupted, the same command resumes it. Of a resistive memory, whose parameter file declares the
    distributions of its states, nothing is simulated.
    """
    from barkhausen.core.errors import InputError
    from barkhausen.core.progress import Terminal
    from barkhausen.experiment.characterisation.kind import characterise_kind_to_file, kind_of_parameters
    from barkhausen.experiment.characterisation.states import characterise_to_file, declare_to_file, is_declared
    from barkhausen.report.device.page import page_path, write_characterisation_report, write_device_report
    from barkhausen.report.device_kind import write_kind_page

    if page is not None:
        # Before the simulation: a page must not take the place of the file that it is about.
        page = page_path(str(page), out.stem, out.parent)
        if not page.parent.is_dir():
            raise InputError(f"--report {page}: there is no directory {page.parent}")
    kind = kind_of_parameters(parameters, settings or []) if parameters.is_file() else None
    if kind is not None:
        device = characterise_kind_to_file(
            kind,
            parameters,
            out,
            settings=settings or [],
            backend=backend,
            threads=threads,
            accelerator=accelerator,
            overwrite=overwrite,
            progress=Terminal(Console(stderr=True)),
        )
        typer.echo("\n".join([*kind.lines(device), f"device file in {out}"]))
        if page is not None:
            write_kind_page(device, page, name=out.stem)
            typer.echo(f"report in {page}")
        return
    page = page or out.with_suffix(".html")
    if is_declared(parameters, settings or []):
        device = declare_to_file(parameters, out, settings=settings or [], overwrite=overwrite)
        write_device_report(device, page)
        show_device(device)
        typer.echo(f"device file in {out}, report in {page}")
        return
    found = characterise_to_file(
        parameters,
        out,
        settings=[*(settings or []), *([] if barriers is None else [f"characterisation.barriers={barriers}"])],
        backend=backend,
        threads=threads,
        accelerator=accelerator,
        overwrite=overwrite,
        progress=Terminal(Console(stderr=True)),
    )
    try:
        write_characterisation_report(found, page)
    except InputError as error:
        raise InputError(
            f"{error}; the device file {out} is complete: barkhausen devices {out} --report PAGE"
        ) from None
    show_device(found.device)
    typer.echo(f"device file in {out}, report in {page}")
