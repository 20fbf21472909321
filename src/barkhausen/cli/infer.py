"""The command ``barkhausen infer``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from barkhausen.cli.terminal.options import AllowCode, DataDir, PageFile, Plotly, PlotlyChoice, ResultsFile

if TYPE_CHECKING:
    from rich.table import Table

    from barkhausen.experiment.chip.inference import ChipInference
    from barkhausen.synapse.crossbar.costs import SystemCosts


def infer(
    run: Annotated[Path, typer.Argument(help="Directory of a finished run on devices.")],
    crossbar: Annotated[
        Path | None, typer.Option("--crossbar", help="Chip file (TOML): the values that differ from the default chip.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Override a key of the chip: adc.bits=6, wires.bit_line=0.5.")
    ] = None,
    fine_tune: Annotated[
        int, typer.Option("--fine-tune", min=0, help="Epochs of training on the chip, followed by another inference.")
    ] = 0,
    inferences: Annotated[
        float, typer.Option("--inferences", min=0, help="Number of inferences whose reads disturb the devices first.")
    ] = 0.0,
    chip: Annotated[
        int | None,
        typer.Option(
            "--chip", help="Number of the fresh chip of devices. Default: 0 for ex-situ, else the trained devices."
        ),
    ] = None,
    data_dir: DataDir = None,
    out: ResultsFile = None,
    page: PageFile = None,
    plotly: PlotlyChoice = Plotly.EMBED,
    allow_code: AllowCode = None,
) -> None:
    """Run a trained network on crossbar tiles with wires, converters and noise; accuracy and energy by cause."""
    import json

    from rich.console import Console

    from barkhausen.core.files import atomic_write
    from barkhausen.core.progress import Terminal
    from barkhausen.core.user_code import code_allowed
    from barkhausen.experiment.chip.inference import infer_on_chip
    from barkhausen.report.chip.page import write_chip_report
    from barkhausen.synapse.crossbar.chip import load_chip

    with code_allowed(allow_code or ()):
        found = infer_on_chip(
            run,
            load_chip(crossbar, settings or ()),
            number=chip,
            fine_tuning_epochs=fine_tune,
            inferences=inferences,
            data_dir=data_dir,
            progress=Terminal(Console(stderr=True)),
        )
    console = Console()
    for line in _accuracies(found):
        console.print(line)
    console.print(_causes(found.costs, 1, "energy of one inference"))
    console.print(found.costs.dominant())
    if found.training is not None:
        console.print(_causes(found.training, found.batch, "energy of one trained sample"))
        console.print(found.training.dominant())
    costs = found.costs
    walls = f"{found.disturb} {costs.disturbed:.3g}" if found.disturb != "unknown" else "an unknown number of"
    console.print(
        f"{costs.latency * 1e9:.4g} ns an inference, {costs.area_total * 1e6:.3g} mm2; reads change {walls} states; "
        f"{len(found.assumed)} values are assumed"
    )
    summary = found.summary()
    if out is not None:
        atomic_write(out, json.dumps(summary, indent=1, allow_nan=False) + "\n")
    if page is not None:
        write_chip_report(summary, page)
        typer.echo(f"report in {page}")


def _accuracies(found: ChipInference) -> list[str]:
    lines = []
    if found.inferences:
        share = f"{100 * found.moved:.3g} %"
        lines.append(f"the reads of {found.inferences:g} inferences have changed the states of {share} of the devices")
    lines.append(
        f"accuracy: {100 * found.accuracy:.2f} % on the chip, {100 * found.ideal:.2f} % without wires, "
        "converters and noise"
    )
    if found.tuned is not None:
        tuned = found.tuned
        lines.append(
            f"after {tuned.epochs} epoch{'s' if tuned.epochs > 1 else ''} of training on the chip: "
            f"{100 * tuned.accuracy:.2f} %; programming took {tuned.programming.total * 1e9:.4g} nJ"
        )
    return lines


def _causes(costs: SystemCosts, samples: int, title: str) -> Table:
    from rich.table import Table

    table = Table("cause", "pJ", "%", title=title)
    for cause, joule in sorted(costs.energy.items(), key=lambda item: -item[1]):
        table.add_row(cause, f"{joule / samples * 1e12:.4g}", f"{100 * joule / costs.total:.1f}")
    table.add_row("total", f"{costs.total / samples * 1e12:.4g}", "100.0")
    return table
