"""The commands ``barkhausen import-mumax3`` and ``export-mumax3``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def import_mumax3(
    directory: Annotated[Path, typer.Argument(help="Directory with the tables of mumax3, one for each event.")],
    out: Annotated[Path, typer.Option("--out", help="Device file to write.")],
    pattern: Annotated[
        str, typer.Option("--pattern", help="Path of a table, with the fields {state}, {device} and {cycle}.")
    ] = "state{state}_device{device}_cycle{cycle}.out/table.txt",
    column: Annotated[
        str | None, typer.Option("--column", help="Column with the wall position in m. Default: computed from <m_z>.")
    ] = None,
    average: Annotated[
        float | None, typer.Option("--average", help="Seconds at the end to average over. Default: only the last row.")
    ] = None,
    parameters: Annotated[
        Path | None,
        typer.Option("--parameters", help="Parameter file (TOML) with the tables track, protocol, junction."),
    ] = None,
) -> None:
    """Convert a set of mumax3 tables to a device file."""
    from barkhausen.cli.terminal.device_tables import show_device, with_distribution
    from barkhausen.device import DeviceParameters, load_parameters, write_device
    from barkhausen.device.importers.mumax3 import import_mumax3_tables

    given = load_parameters(parameters) if parameters is not None else DeviceParameters()
    item = with_distribution(import_mumax3_tables(directory, given, pattern=pattern, column=column, average=average))
    write_device(item, out)
    show_device(item)
    typer.echo(f"device file in {out}")


def export_mumax3(
    parameters: Annotated[Path, typer.Argument(help="Parameter file (TOML): device, protocol and ensemble.")],
    out: Annotated[Path, typer.Option("--out", help="Script to write (.mx3).")],
    state: Annotated[
        int, typer.Option("--state", help="Number of the state, in the order of protocol.gate_voltages.")
    ] = 0,
    device: Annotated[int, typer.Option("--device")] = 0,
    cycle: Annotated[int, typer.Option("--cycle")] = 0,
    in_metres: Annotated[
        bool,
        typer.Option("--in-metres", help="Write edges in metres, so that the cell size can be changed in the script."),
    ] = False,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Override a key. May be repeated.")] = None,
) -> None:
    """Write one programming event of an ensemble as a mumax3 script, for comparison."""
    from barkhausen.core.files import atomic_write
    from barkhausen.device import load_parameters
    from barkhausen.device.domain_wall.ensemble import Ensemble

    ensemble = Ensemble(load_parameters(parameters, settings or []))
    atomic_write(out, ensemble.mumax3(state, device, cycle, in_metres=in_metres))
    typer.echo(f"script in {out}")
