"""The command ``barkhausen import-device``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from barkhausen.cli.terminal.device_tables import show_device, with_distribution
from barkhausen.core.errors import InputError
from barkhausen.device import TECHNOLOGIES, import_measured_csv, load_technology, write_device
from barkhausen.device.technology import DEFAULT_TECHNOLOGY


def import_device(
    measured: Annotated[
        Path, typer.Argument(help="CSV: state,device,cycle and position_m, conductance_s or another of the technology.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Device file to write.")],
    parameters: Annotated[
        Path | None, typer.Option("--parameters", help="TOML with the parameters of the technology (track, junction).")
    ] = None,
    conductance_range: Annotated[
        tuple[float, float] | None,
        typer.Option("--conductance-range", help="Smallest and greatest conductance of the device in S, two numbers."),
    ] = None,
    technology: Annotated[
        str | None, typer.Option("--technology", help="domain-wall, resistive or one of your own.")
    ] = None,
) -> None:
    """Turn a measured CSV into a device file."""
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
