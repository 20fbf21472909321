"""The command ``barkhausen compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from barkhausen.cli.terminal.options import Plotly, PlotlyChoice


def compare(
    devices: Annotated[list[str], typer.Argument(metavar="DEVICE...", help="Two or more device files or presets.")],
    report: Annotated[
        str | None,
        typer.Option(
            "--report",
            metavar="[PATH]",
            help="Write a page: file (.html) or directory. Without a value: comparison.html.",
        ),
    ] = None,
    plotly: PlotlyChoice = Plotly.EMBED,
) -> None:
    """Compare devices: states, spreads, overlaps, read errors, energy and retention, with differences and intervals."""
    from rich.table import Table

    from barkhausen.cli.terminal.console import wide_console
    from barkhausen.cli.terminal.device_tables import with_ends
    from barkhausen.core.files.kinds import names_device_file
    from barkhausen.device import named_device
    from barkhausen.device.comparison import compare_devices
    from barkhausen.device.file_statistics import why_no_intervals

    items = [named_device(name) for name in devices]
    names = [Path(name).stem if names_device_file(name) else name for name in devices]
    if len(set(names)) < len(names):
        names = [f"{number}: {name}" for number, name in enumerate(names, start=1)]
    rows = compare_devices(items, names)
    table = Table("", "quantity", *names, *(f"{name} − {names[0]}" for name in names[1:]))
    group = ""
    for row in rows:
        shown = "" if row.group == group else row.group
        group = row.group
        cells = [with_ends(value, row.decimals) for value in (*row.values, *row.differences)]
        table.add_row(shown, row.label, *cells)
    wide_console().print(table)
    typer.echo("in brackets: 95 % intervals over devices; –: not known")
    for item, name in zip(items, names, strict=True):
        reason = why_no_intervals(item.data)
        if reason and not item.declared:
            typer.echo(f"{name}: {reason}")
    if len({item.states for item in items}) > 1:
        typer.echo("the numbers of states differ, so single states are not compared")
    if report is not None:
        from barkhausen.report.device.comparison import write_comparison_page
        from barkhausen.report.device.page import page_path

        path = page_path(report, "comparison", Path())
        write_comparison_page(items, names, path)
        typer.echo(f"report in {path}")
