"""The command ``barkhausen import-pulses``."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from barkhausen.cli.terminal.options import DeviceReport, Plotly, PlotlyChoice


class StepLaw(str, Enum):
    """Law of the step of a device moved by pulses."""

    TABLE = "table"
    SOFT_BOUNDS = "soft-bounds"


def import_pulses(
    measured: Annotated[
        Path,
        typer.Argument(
            help="Table of conductances after pulses (CSV, Excel): pulse and conductance_uS, with device, cycle and "
            "direction where there are several; or columns LTP and LTD; or a look-up table of CrossSim."
        ),
    ],
    down: Annotated[
        Path | None,
        typer.Argument(help="Table of pulses down, where each file has one run in each column."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Device file to write.")] = Path("pulses.nc"),
    unit: Annotated[
        str | None, typer.Option("--unit", help="Unit of the values where the heading has none: uS, nS, …")
    ] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Sheet of an Excel workbook.")] = None,
    law: Annotated[
        StepLaw,
        typer.Option("--law", help="table: a step by state; soft-bounds: steps that vanish at fitted bounds."),
    ] = StepLaw.TABLE,
    technology: Annotated[str, typer.Option("--technology", help="Name of the technology.")] = "resistive",
    seed: Annotated[int, typer.Option("--seed", help="Seed of the resamples of the intervals.")] = 0,
    report: DeviceReport = None,
    plotly: PlotlyChoice = Plotly.EMBED,
) -> None:
    """Convert measured curves of potentiation and depression to a device file of kind 'pulses'."""
    from barkhausen.cli.terminal.device_tables import show_any
    from barkhausen.device import write_device
    from barkhausen.device.importers.pulse_curves import import_pulse_curves

    item = import_pulse_curves(measured, down, technology=technology, unit=unit, sheet=sheet, law=law.value, seed=seed)
    write_device(item, out)
    show_any(item)
    notes = json.loads(str(item.data.attrs["attributes"])).get("read_as", [])
    if notes:
        typer.echo(f"read as: {', '.join(notes)}")
    typer.echo(f"device file in {out}")
    if report is not None:
        from barkhausen.cli.terminal.device_files import write_page

        write_page(item, report, out)
