"""The command ``barkhausen infer``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def infer(
    run: Annotated[Path, typer.Argument(help="Directory of a finished run on devices.")],
    crossbar: Annotated[
        Path | None, typer.Option("--crossbar", help="Chip file: what differs from the default chip.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Of the chip, such as adc.bits=6 or wires.bit_line=0.5.")
    ] = None,
    chip: Annotated[int | None, typer.Option("--chip", help="Fresh chip of devices; ex-situ 0 unless given.")] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Root of the data sets.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write all figures to this JSON file.")] = None,
) -> None:
    """Run a trained network on crossbar tiles with wires, converters and noise; accuracy and energy by cause."""
    import json

    from rich.console import Console
    from rich.table import Table

    from barkhausen.atomic import atomic_write
    from barkhausen.experiment.chip_inference import infer_on_chip
    from barkhausen.synapse.crossbar.chip import load_chip

    found = infer_on_chip(run, load_chip(crossbar, settings or ()), number=chip, data_dir=data_dir)
    costs = found.costs
    table = Table("cause", "pJ/inference", "%", title="energy of one inference")
    for cause, joule in sorted(costs.energy.items(), key=lambda item: -item[1]):
        table.add_row(cause, f"{joule * 1e12:.4g}", f"{100 * joule / costs.total:.1f}")
    table.add_row("total", f"{costs.total * 1e12:.4g}", "100.0")
    console = Console()
    console.print(
        f"accuracy: {100 * found.accuracy:.2f} % on the chip, {100 * found.ideal:.2f} % without wires, "
        "converters and noise"
    )
    console.print(table)
    console.print(costs.dominant())
    console.print(
        f"{costs.latency * 1e9:.4g} ns an inference, {costs.area_total * 1e6:.3g} mm2; it moves {costs.disturbed:.3g} "
        f"walls; {len(found.assumed)} values are assumed"
    )
    if out is not None:
        atomic_write(out, json.dumps(found.summary(), indent=1) + "\n")
