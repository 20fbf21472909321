"""The command ``barkhausen import-device``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from barkhausen.cli.device_tables import show_device, with_law
from barkhausen.device import (
    DeviceParameters,
    import_measured_csv,
    load_parameters,
    write_device,
)


def import_device(
    measured: Annotated[Path, typer.Argument(help="CSV: state,device,cycle and position_m or conductance_s.")],
    out: Annotated[Path, typer.Option("--out", help="Device file to write.")],
    parameters: Annotated[
        Path | None, typer.Option("--parameters", help="TOML with tables track, protocol, junction.")
    ] = None,
    conductance_range: Annotated[
        tuple[float, float] | None,
        typer.Option("--conductance-range", help="G_AP and G_P of the whole junction in S, two numbers."),
    ] = None,
) -> None:
    """Turn a measured CSV into a device file."""
    given = load_parameters(parameters) if parameters is not None else DeviceParameters()
    item = with_law(import_measured_csv(measured, given, conductance_range=conductance_range))
    write_device(item, out)
    show_device(item)
    typer.echo(f"device file in {out}")
