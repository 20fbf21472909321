"""The command ``barkhausen energy``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from barkhausen.cli.terminal.options import AllowCode, DataDir
from barkhausen.core.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from barkhausen.experiment.energy import LearningAccount
    from barkhausen.experiment.energy.of_run import RunEnergy
    from barkhausen.synapse import EnergyBreakdown

OF_OTHER_NODES = "other nodes: logic and SRAM alone; converters, drivers, tiles and devices stay"
OF_OTHER_BATCHES = (
    f"{OF_OTHER_NODES}; other batches: kept are the programming of a sample, the share of latent weights that a step "
    "changes, and the share of products that are not zero, all as this run had them"
)


def energy(
    run: Annotated[Path, typer.Argument(help="Directory of a finished run on devices.")],
    crossbar: Annotated[
        Path | None, typer.Option("--crossbar", help="Chip file (TOML): the values that differ from the default chip.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key of the chip: digital.node=22e-9, constants.leakage=1e-10."),
    ] = None,
    chips: Annotated[
        int | None,
        typer.Option(
            "--chips",
            metavar="N",
            help="Chips that share one training. Default: 1 for a training on the chip, 1000 for a precursor.",
        ),
    ] = None,
    nodes: Annotated[
        str | None,
        typer.Option(
            "--node",
            metavar="NM[,NM…]",
            help="CMOS node of logic and SRAM: 45, 32, 22 or 7. Several: a table. Default: that of the recipe.",
        ),
    ] = None,
    batches: Annotated[
        str | None,
        typer.Option(
            "--batch",
            metavar="N[,N…]",
            help="Also for other batches, in a table; estimated from the counts of the run.",
        ),
    ] = None,
    data_dir: DataDir = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write all energies to this JSON file.")] = None,
    allow_code: AllowCode = None,
) -> None:
    """Show the whole energy of a finished training and of an inference, by cause, beside digital logic."""
    import json

    from barkhausen.cli.terminal.console import wide_console
    from barkhausen.core.files import atomic_write
    from barkhausen.core.user_code import code_allowed
    from barkhausen.experiment.energy.of_run import RunAccounts
    from barkhausen.synapse.crossbar.chip import load_chip
    from barkhausen.synapse.crossbar.overheads import NOT_COUNTED

    with code_allowed(allow_code or ()):
        accounts = RunAccounts(run, data_dir)
        names = [accounts.recipe.energy.node] if nodes is None else [name.strip() for name in nodes.split(",")]
        on_nodes = {name: load_chip(crossbar, settings or (), node=name) for name in names}
        found = accounts.on(on_nodes[names[0]], chips=chips)
        sizes = [] if batches is None else _sizes(batches)
        others = [
            (name, accounts.on(chip, chips=chips, batch=size).account)
            for size in (sizes or [found.account.batch])
            for name, chip in on_nodes.items()
        ]
    account, batch = found.account, found.account.batch
    assert account.int8_step is not None
    assert account.int8_inference is not None
    console = wide_console()
    console.print(_wholes(found))
    console.print(
        _causes("a trained sample", account.sample, account.float32_step / batch, account.int8_step / batch),
        _causes("an inference", account.inference, account.float32_inference, account.int8_inference),
    )
    console.print(_programming(found))
    if len(names) > 1 or sizes:
        console.print(_variants(others))
        typer.echo(OF_OTHER_BATCHES if sizes else OF_OTHER_NODES)
    assumed = len(found.chip.assumed())
    typer.echo(
        f"{1e9 * account.node:.3g} nm, batch of {batch}, {account.steps} steps; network, leakage and clock are "
        f"estimates; {assumed} values of the chip are assumed"
    )
    typer.echo(f"not counted: {'; '.join(NOT_COUNTED)}")
    if out is not None:
        figures = found.as_json()
        if len(names) > 1 or sizes:
            figures["others"] = [{"constants_of": name, **each.summary()} for name, each in others]
        atomic_write(out, json.dumps(figures, indent=1, allow_nan=False) + "\n")


def _sizes(batches: str) -> list[int]:
    """Batches from a list with commas."""
    try:
        return [int(text) for text in batches.split(",")]
    except ValueError:
        raise InputError(f"--batch {batches}: must be whole numbers with commas between them") from None


def _variants(others: list[tuple[str, LearningAccount]]) -> Table:
    """Whole energies at other nodes and batches."""
    from rich.table import Table

    table = Table(
        "node (nm)",
        "batch",
        "a trained sample",
        "float32 logic",
        "times",
        "int8 logic",
        "times",
        "an inference",
        "int8 logic",
        "times",
        title="other nodes and batches",
    )
    for node, account in others:
        assert account.int8_step is not None
        assert account.int8_inference is not None
        sample, inference = account.sample.total, account.inference.total
        float32, int8 = account.float32_step.total / account.batch, account.int8_step.total / account.batch
        table.add_row(
            node,
            str(account.batch),
            _joule(sample),
            _joule(float32),
            f"{float32 / sample:.3g}",
            _joule(int8),
            f"{int8 / sample:.3g}",
            _joule(inference),
            _joule(account.int8_inference.total),
            f"{account.int8_inference.total / inference:.3g}",
        )
    return table


def _wholes(found: RunEnergy) -> Table:
    """Whole energies: of a sample, the training, a chip and an inference, beside digital logic."""
    from rich.table import Table

    account = found.account
    assert account.int8_step is not None
    assert account.int8_inference is not None
    float32, int8 = account.float32_step.total, account.int8_step.total
    table = Table(
        "whole energy of",
        "on the chip",
        "float32 logic",
        "times",
        "int8 logic",
        "times",
        title=f"{found.run}: whole energy"
        + (f"; the precursor is trained in {_logic_of(account)}" if account.precursor else ""),
    )
    shared = account.step.total * account.steps / account.chips
    several = "" if account.chips == 1 else f"one of {account.chips} chips: its share of the training, its programming"
    rows = [
        ("a trained sample", account.sample.total, float32 / account.batch, int8 / account.batch),
        ("the training", account.training.total, float32 * account.steps, int8 * account.steps),
        (
            several or "the trained chip",
            account.chip.total,
            float32 * account.steps / account.chips,
            int8 * account.steps / account.chips,
        ),
        ("an inference", account.inference.total, account.float32_inference.total, account.int8_inference.total),
    ]
    for name, joule, full, integer in rows:
        table.add_row(
            name, _joule(joule), _joule(full), f"{full / joule:.3g}", _joule(integer), f"{integer / joule:.3g}"
        )
        if name == several:
            table.add_row("  share of the training", _joule(shared))
            table.add_row("  programming", _joule(account.initial.total))
    return table


def _logic_of(account: LearningAccount) -> str:
    """Digital logic in which a precursor was trained."""
    from barkhausen.synapse.crossbar.learning_load import FULL

    learning = account.learning
    bits = [] if learning is None else [learning.latent_bits or FULL, learning.activation_bits, learning.error_bits]
    if all(each >= FULL for each in bits):
        return "float32 logic"
    return f"float32 logic, with {'/'.join(map(str, bits))} bits for latent weights, inputs and errors of the gradient"


def _causes(what: str, energy: EnergyBreakdown, float32: EnergyBreakdown, int8: EnergyBreakdown) -> Table:
    """Energy by cause: the whole first, then the causes by size."""
    from rich.table import Table

    table = Table("cause", "on the chip", "%", "float32 logic", "int8 logic", title=f"where the energy of {what} goes")
    table.add_row("whole", _joule(energy.total), "100", _joule(float32.total), _joule(int8.total), end_section=True)
    names = dict.fromkeys((*energy.by_cause, *float32.by_cause, *int8.by_cause))

    def largest(name: str) -> tuple[float, float]:
        return energy.by_cause.get(name, 0.0), float32.by_cause.get(name, 0.0)

    for name in sorted(names, key=largest, reverse=True):
        values = [each.by_cause.get(name) for each in (energy, float32, int8)]
        if not any(values):
            continue
        cells = ["–" if value is None else _joule(value) for value in values]
        share = "–" if values[0] is None else f"{100 * values[0] / energy.total:.3g}"
        label = energy.labels.get(name)
        table.add_row(name if label is None else f"programming: {label}", cells[0], share, *cells[1:])
    return table


def _programming(found: RunEnergy) -> Table:
    """Three readings of the programming energy, beside the published figure where there is one."""
    from rich.table import Table

    from barkhausen.results.published import network_of, published
    from barkhausen.results.readings import readings_of

    summary = found.summary
    figure = published(
        "picojoule_per_inference", summary["dataset"]["name"], summary["mode"], network_of(summary["recipe"])
    )
    table = Table("programming energy alone", "of this run", *([] if figure is None else ["published, per inference"]))
    for name, joule in readings_of(summary).items():
        if joule is not None:
            table.add_row(name, _joule(joule), *([] if figure is None else [f"{figure.value:g} pJ, not said which"]))
    return table


def _joule(value: float) -> str:
    from barkhausen.core.display.html import quantity

    return quantity(value, "J")
