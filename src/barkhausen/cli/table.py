"""The command ``barkhausen table``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def table(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Directories of sweeps or finished runs, or directories that hold runs."),
    ],
    where: Annotated[
        list[str] | None,
        typer.Option("--where", help='Rows to keep, such as "device.margin=0.4"; also != < <= > >=. May be repeated.'),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option("--group", help="Column to group by. May be repeated. Default: every swept key but the seed."),
    ] = None,
    value: Annotated[
        list[str] | None, typer.Option("--value", help="Column to summarise, such as accuracy. May be repeated.")
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option("--against", help='Compare with these rows, seed by seed: "mode=float". May be repeated.'),
    ] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Compare with the float baseline: --against mode=float.")
    ] = False,
    twin: Annotated[bool, typer.Option("--twin", hidden=True)] = False,
    raw: Annotated[bool, typer.Option("--raw", help="One row for each task instead of one for each group.")] = False,
    form: Annotated[
        str | None,
        typer.Option(
            "--format", help="text, csv, markdown, latex or parquet. Default: by the suffix of --out, else text."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the table to this file.")] = None,
) -> None:
    """Show means over seeds with their spread and 95 % interval, for a sweep or for finished runs."""
    from barkhausen.core.errors import InputError
    from barkhausen.core.renamed import deprecated
    from barkhausen.results import formats
    from barkhausen.results.conditions import chosen
    from barkhausen.results.read import load_tables
    from barkhausen.results.summarise import raw_rows, summarise

    chosen_format = formats.format_named(form, out)
    if twin:
        deprecated("--twin", "--baseline")
    conditions = [*(against or ()), *(["mode=float"] if baseline or twin else [])]
    if raw and (group or conditions):
        raise InputError("--raw: shows single tasks and cannot be combined with --group, --against or --baseline")
    found = load_tables(paths)
    rows = chosen(found.rows, where or ())
    if raw:
        frame, notes = raw_rows(rows, value, full=chosen_format in ("csv", "parquet"))
        cells = formats.raw_cells(frame)
    else:
        summary = summarise(rows, value, group, chips=found.chips, against=conditions, baselines=found.rows)
        frame, notes, cells = summary.frame, list(summary.notes), formats.summary_cells(summary)
    notes = [*found.notes, *notes]
    if chosen_format in ("csv", "parquet"):
        for note in notes:
            typer.echo(note.text, err=True)
    if chosen_format == "parquet":
        assert out is not None
        formats.write_parquet(frame, out)
        return
    text = formats.as_csv(frame) if chosen_format == "csv" else formats.rendered(cells, chosen_format, notes)
    if out is None:
        typer.echo(text, nl=False)
    else:
        formats.write_text(out, text)
