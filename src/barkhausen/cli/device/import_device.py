"""The command ``barkhausen import-device``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from barkhausen.cli.terminal.options import DeviceReport, Plotly, PlotlyChoice
from barkhausen.core.errors import InputError


def import_device(
    measured: Annotated[
        Path,
        typer.Argument(
            help="CSV file or Excel workbook with state, device, cycle and a value with its unit, such as position_nm."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Device file to write.")],
    parameters: Annotated[
        Path | None, typer.Option("--parameters", help="Parameter file (TOML) of the technology (track, junction).")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Set a parameter of the device, such as track.length=320e-9. May be repeated."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--columns", help="Headings of the table: state=…,device=…,cycle=…,position=…; any of them."),
    ] = None,
    unit: Annotated[
        str | None, typer.Option("--unit", help="Unit of the values where the heading has none: nm, um, uS, kohm, …")
    ] = None,
    sheet: Annotated[
        str | None, typer.Option("--sheet", help="Sheet of an Excel workbook, or 'all': one device for each sheet.")
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
    """Convert a table of measurements (CSV, Excel) to a device file."""
    from barkhausen.cli.terminal.device_tables import show_device, with_distribution
    from barkhausen.core.config import read_toml
    from barkhausen.device import import_measured_csv, write_device
    from barkhausen.device.technology import technology_from

    values = {} if parameters is None else read_toml(parameters)
    if technology is not None:
        values["technology"] = technology
    entry, given = technology_from(values, settings or [], "--set" if parameters is None else str(parameters))
    if entry.imported is None:
        raise InputError(f"technology = {entry.name!r}: import-device does not apply to a {entry.label}")
    item = with_distribution(
        import_measured_csv(
            measured, given, conductance_range=conductance_range, columns=_named(columns), unit=unit, sheet=sheet
        )
    )
    write_device(item, out)
    show_device(item)
    notes = json.loads(str(item.data.attrs["attributes"])).get("read_as", [])
    if notes:
        typer.echo(f"read as: {', '.join(notes)}")
    typer.echo(f"device file in {out}")
    if report is not None:
        from barkhausen.cli.terminal.device_files import write_page

        write_page(item, report, out)


def _named(text: str | None) -> dict[str, str] | None:
    """Headings by what they hold, from ``state=Zustand,position=x``."""
    if text is None:
        return None
    result: dict[str, str] = {}
    for part in text.split(","):
        name, equals, heading = (piece.strip() for piece in part.partition("="))
        if not (name and equals and heading):
            raise InputError(f"--columns {text}: must be state=…,device=…,cycle=…,position=…, got '{part}'")
        if name in result:
            raise InputError(f"--columns {text}: '{name}' is given twice")
        result[name] = heading
    return result
