"""The command ``barkhausen export``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from barkhausen.cli.terminal.options import AllowCode


class Format(str, Enum):
    """Format of an export."""

    ONNX = "onnx"
    SAFETENSORS = "safetensors"
    NPZ = "npz"
    CSV = "csv"


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Directory of a finished run.")],
    to: Annotated[Format, typer.Option("--to", "--format", help="Format; onnx needs the extra 'onnx'.")],
    out: Annotated[Path, typer.Option("--out", help="File to write; for csv, a new directory.")],
    chip: Annotated[
        int | None,
        typer.Option(
            "--chip",
            help="Number of the fresh chip of the run to program. Default: 0 for ex-situ, else the trained devices.",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", help="Root of the data sets, needed if the size of the network depends on them."),
    ] = None,
    allow_code: AllowCode = None,
) -> None:
    """Export the network of a finished run as ONNX, safetensors, or conductance matrices (npz, csv)."""
    from barkhausen.core.user_code import code_allowed
    from barkhausen.experiment.export import formats
    from barkhausen.experiment.trained import load_trained

    with code_allowed(allow_code or ()):
        network = load_trained(run, chip, data_dir)
    if to is Format.ONNX:
        formats.export_onnx(network.model, out, network.sample)
    elif to is Format.SAFETENSORS:
        formats.export_safetensors(network.model, out, network.about())
    elif to is Format.NPZ:
        formats.export_npz(network.model, out, network.about())
    else:
        formats.export_csv(network.model, out, network.about())
    typer.echo(f"{'trained network' if network.chip is None else f'chip {network.chip}'} in {out}")
