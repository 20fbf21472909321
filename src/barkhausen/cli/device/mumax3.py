"""The commands ``barkhausen import-mumax3`` and ``export-mumax3``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def import_mumax3(
    tables: Annotated[
        list[Path], typer.Argument(help="Directory with the tables of mumax3, one for each event, or the tables.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Device file to write.")],
    pattern: Annotated[
        str, typer.Option("--pattern", help="Path of a table, with the fields {state}, {device} and {cycle}.")
    ] = "state{state}_device{device}_cycle{cycle}.out/table.txt",
    column: Annotated[
        str | None,
        typer.Option("--column", help="Column with the wall position in m. Default: x = L/2 (1 ± <m_z>/domain-mz)."),
    ] = None,
    offset: Annotated[
        float, typer.Option("--offset", help="Length in m added to the column, such as half the track length.")
    ] = 0.0,
    left: Annotated[int, typer.Option("--left", help="Direction of the left domain: 1 for up, -1 for down.")] = 1,
    domain_mz: Annotated[float, typer.Option("--domain-mz", help="|m_z| within the domains.")] = 1.0,
    average: Annotated[
        float | None, typer.Option("--average", help="Seconds at the end to average over. Default: only the last row.")
    ] = None,
    parameters: Annotated[
        Path | None,
        typer.Option("--parameters", help="Parameter file (TOML) with the tables track, protocol, junction."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Set a parameter of the device, such as track.length=320e-9. May be repeated."),
    ] = None,
) -> None:
    """Convert a set of mumax3 tables to a device file."""
    from barkhausen.cli.terminal.device_tables import show_device, with_distribution
    from barkhausen.device import load_parameters, write_device
    from barkhausen.device.domain_wall.parameters import parameters_from
    from barkhausen.device.importers.mumax3 import import_mumax3_tables

    given = (
        parameters_from({}, settings or [], "--set")
        if parameters is None
        else load_parameters(parameters, settings or [])
    )
    item = with_distribution(
        import_mumax3_tables(
            tables[0] if len(tables) == 1 else tables,
            given,
            pattern=pattern,
            column=column,
            offset=offset,
            left=left,
            domain_mz=domain_mz,
            average=average,
        )
    )
    write_device(item, out)
    show_device(item)
    typer.echo(f"device file in {out}")


def export_mumax3(
    parameters: Annotated[Path, typer.Argument(help="Parameter file (TOML): device, protocol and ensemble.")],
    out: Annotated[Path, typer.Option("--out", help="Script to write (.mx3).")],
    state: Annotated[
        int, typer.Option("--state", help="Number of the state, in the order of protocol.gate_voltages.")
    ] = 0,
    device: Annotated[int, typer.Option("--device", help="Number of the device.")] = 0,
    cycle: Annotated[int, typer.Option("--cycle", help="Number of the cycle.")] = 0,
    in_metres: Annotated[
        bool,
        typer.Option("--in-metres", help="Write edges in metres, so that the cell size can be changed in the script."),
    ] = False,
    every: Annotated[
        float | None, typer.Option("--every", help="Seconds between rows of the table. Default: that of the ensemble.")
    ] = None,
    dt: Annotated[float | None, typer.Option("--dt", help="Time step in s. Default: that of the ensemble.")] = None,
    snapshots_every: Annotated[
        float | None, typer.Option("--snapshots-every", help="Seconds between OVF files. Default: only the last state.")
    ] = None,
    edge_smooth: Annotated[
        int, typer.Option("--edge-smooth", help="mumax3's EdgeSmooth, an even number from 2 to 32.")
    ] = 8,
    maximal_regions: Annotated[
        int, typer.Option("--maximal-regions", help="Largest number of different anisotropies, 1 to 256.")
    ] = 200,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Override a key. May be repeated.")] = None,
) -> None:
    """Write one programming event of an ensemble as a mumax3 script, for comparison."""
    from barkhausen.core.files import atomic_write
    from barkhausen.device import load_parameters
    from barkhausen.device.domain_wall.ensemble import Ensemble

    ensemble = Ensemble(load_parameters(parameters, settings or []))
    script = ensemble.mumax3(
        state,
        device,
        cycle,
        in_metres=in_metres,
        every=every,
        dt=dt,
        snapshots_every=snapshots_every,
        edge_smooth=edge_smooth,
        maximal_regions=maximal_regions,
    )
    atomic_write(out, script)
    typer.echo(f"script in {out}")
