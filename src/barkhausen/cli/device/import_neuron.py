"""The command ``barkhausen import-neuron``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from barkhausen.cli.terminal.options import DeviceReport, Plotly, PlotlyChoice


def import_neuron(
    measured: Annotated[
        Path, typer.Argument(help="Table (CSV) with the columns drive and probability, and trials where it is known.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Device file to write.")] = Path("neuron.nc"),
    drive: Annotated[str, typer.Option("--drive", help="Name of the drive.")] = "voltage",
    unit: Annotated[str, typer.Option("--unit", help="Its SI unit.")] = "V",
    report: DeviceReport = None,
    plotly: PlotlyChoice = Plotly.EMBED,
) -> None:
    """Convert a measured curve of the probability that a neuron fires to a device file of kind 'neuron'."""
    from barkhausen.cli.terminal.device_tables import show_any
    from barkhausen.device import import_firing_curve, write_device

    item = import_firing_curve(measured, drive=drive, unit=unit)
    write_device(item, out)
    show_any(item)
    typer.echo(f"device file in {out}")
    if report is not None:
        from barkhausen.cli.terminal.device_files import write_page

        write_page(item, report, out)
