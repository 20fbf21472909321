"""The command ``barkhausen export-device``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Simulator(str, Enum):
    """Format of an exported device."""

    AIHWKIT = "aihwkit"
    CROSSSIM = "crosssim"
    NEUROSIM = "neurosim"
    CSV = "csv"


def export_device(
    device: Annotated[str, typer.Argument(help="Device file of kind 'pulses', or a device such as soft-bounds-30.")],
    to: Annotated[Simulator, typer.Option("--to", help="Format.")],
    out: Annotated[Path, typer.Option("--out", help="Directory to write to.")],
) -> None:
    """Write a device moved by pulses as other simulators take it: settings, look-up tables, parameters, or curves."""
    from barkhausen.core.errors import InputError
    from barkhausen.core.files import atomic_write
    from barkhausen.device import named_pulsed_device
    from barkhausen.device.pulses.exchange import EXCHANGE

    files = EXCHANGE.named(to.value)(named_pulsed_device(device))
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: must be a directory")
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        atomic_write(out / name, text)
        typer.echo(f"{to.value}: {out / name}")
