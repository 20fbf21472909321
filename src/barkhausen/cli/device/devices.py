"""The command ``barkhausen devices``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from barkhausen.cli.terminal.completion import complete_device
from barkhausen.cli.terminal.options import DeviceReport, Plotly, PlotlyChoice
from barkhausen.core.errors import InputError


def devices(
    device: Annotated[
        str | None,
        typer.Argument(
            help="Preset (racetrack-5, gaussian-N for any N) or device file. Default: all presets.",
            autocompletion=complete_device,
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write this device to a device file.")] = None,
    toml: Annotated[
        Path | None, typer.Option("--toml", help="Write the parameter file (TOML) of this shipped device.")
    ] = None,
    report: DeviceReport = None,
    figure: Annotated[
        Path | None, typer.Option("--figure", help="Write a figure of the states for a paper: .pdf, .png or .svg.")
    ] = None,
    plotly: PlotlyChoice = Plotly.EMBED,
) -> None:
    """List the device presets, or show or write one device, a page about it or a figure of it."""
    from rich.table import Table

    from barkhausen.cli.terminal.console import wide_console
    from barkhausen.cli.terminal.device_files import write_figure, write_page
    from barkhausen.cli.terminal.device_tables import prices, show_any, show_device, sigmas
    from barkhausen.core.files.kinds import names_device_file
    from barkhausen.device import (
        CharacterisedDevice,
        any_named_device,
        preset,
        preset_names,
        pulsed_names,
        shipped_toml,
        write_device,
    )
    from barkhausen.device.kinds import DEVICE_KINDS
    from barkhausen.device.retention_summary import lasting, worst_retention

    if device is None:
        given = {"--out": out, "--toml": toml, "--report": report, "--figure": figure}
        for option, value in given.items():
            if value is not None:
                raise InputError(f"{option} needs the name of one device")
        table = Table("preset", "states", "source", "sigma of the states", "energy per attempt (fJ)", "retention")
        for name in preset_names():
            item = preset(name)
            kept = worst_retention(item)
            lasts = "–" if kept is None else lasting(kept)
            table.add_row(name, str(item.states), item.source, sigmas(item), prices(item), lasts)
        wide_console().print(table)
        typer.echo("sigma: as weights, which reach from -1 to 1; retention: 10 % worst device in the worst state")
        typer.echo("default of recipes: nonvolatile-N, with N = states")
        typer.echo(f"moved by pulses: {', '.join([*pulsed_names(), 'linear-N', 'soft-bounds-N', 'exponential-NU'])}")
        others = {kind.name: kind.shipped for kind in DEVICE_KINDS.values() if kind.shipped and kind.named is None}
        for kind, names in others.items():
            typer.echo(f"of kind {kind!r}: {', '.join(names)}")
        typer.echo(
            "any gaussian-N exists; device files are given by path; --toml gives the parameter file of a shipped device"
        )
        return
    if toml is not None:
        from barkhausen.core.files import atomic_write

        atomic_write(toml, shipped_toml(device))
        typer.echo(f"parameters in {toml}")
        return
    item = any_named_device(device)
    if out is not None:
        write_device(item, out)
        typer.echo(f"device file in {out}")
    if report is not None:
        write_page(item, report, Path(device if names_device_file(device) else device + ".nc"))
    if figure is not None:
        write_figure(item, figure)
    if out is None and report is None and figure is None:
        if isinstance(item, CharacterisedDevice):
            show_device(item)
        else:
            show_any(item)
