"""The command ``barkhausen import-device``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from barkhausen.cli.terminal.options import DeviceReport, Plotly, PlotlyChoice
from barkhausen.core.errors import InputError


def import_device(
    measured: Annotated[
        Path,
        typer.Argument(help="CSV file with state,device,cycle and a column of the technology, such as position_m."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Device file to write.")],
    parameters: Annotated[
        Path | None, typer.Option("--parameters", help="Parameter file (TOML) of the technology (track, junction).")
    ] = None,
    conductance_range: Annotated[
        tuple[float, float] | None,
        typer.Option("--conductance-range", help="Smallest and largest conductance of the device in S, two numbers."),
    ] = None,
    technology: Annotated[
        str | None, typer.Option("--technology", help="Technology: domain-wall, resistive or one of an extension.")
    ] = None,
    report: DeviceReport = None,
    plotly: PlotlyChoice = Plotly.EMBED,
) -> None:
    """Convert a CSV of measurements to a device file."""
    from barkhausen.cli.terminal.device_tables import show_device, with_distribution
    from barkhausen.device import TECHNOLOGIES, import_measured_csv, load_technology, write_device
    from barkhausen.device.technology import DEFAULT_TECHNOLOGY

    if parameters is None:
        entry = TECHNOLOGIES.named(technology or DEFAULT_TECHNOLOGY)
        given = entry.parameters()
    else:
        settings = [] if technology is None else [f"technology={technology}"]
        entry, given = load_technology(parameters, settings)
    if entry.imported is None:
        raise InputError(f"technology = {entry.name!r}: import-device does not apply to a {entry.label}")
    item = with_distribution(import_measured_csv(measured, given, conductance_range=conductance_range))
    write_device(item, out)
    show_device(item)
    typer.echo(f"device file in {out}")
    if report is not None:
        from barkhausen.cli.terminal.device_files import write_page

        write_page(item, report, out)
