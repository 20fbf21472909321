"""The command ``barkhausen cmos``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from barkhausen.cli.terminal.options import AllowCode, DataDir

if TYPE_CHECKING:
    from rich.table import Table

    from barkhausen.experiment.energy.against_cmos import AgainstCmos
    from barkhausen.experiment.recipe import Recipe

SHOWN = 3
"""Number of constants in the table of sensitivities."""


def cmos(
    source: Annotated[
        Path,
        typer.Argument(
            help="Directory of a finished run on devices, or a recipe or sweep file (its network is not trained)."
        ),
    ],
    crossbar: Annotated[
        Path | None, typer.Option("--crossbar", help="Chip file (TOML): the values that differ from the default chip.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key of the chip: tile.rows=64, constants.cell_area=1e-13."),
    ] = None,
    recipe_settings: Annotated[
        list[str] | None, typer.Option("--recipe-set", help="Override a key of the recipe: states=3.")
    ] = None,
    node: Annotated[str, typer.Option("--node", help="CMOS node of logic and SRAM: 45, 32, 22 or 7.")] = "45",
    bits: Annotated[
        int | None,
        typer.Option("--bits", help="Bits of a weight in SRAM cells. Default: as many as the states of a device need."),
    ] = None,
    units: Annotated[int, typer.Option("--units", help="Multiply-add units of digital logic.")] = 1024,
    mean_square: Annotated[
        float,
        typer.Option("--mean-square", help="Mean square of inputs relative to the largest, where none is measured."),
    ] = 0.1,
    data_dir: DataDir = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write everything to this JSON file.")] = None,
    allow_code: AllowCode = None,
) -> None:
    """Compare a network on a chip of devices with SRAM cells and digital logic: area, energy and time."""
    import json

    from barkhausen.cli.terminal.console import wide_console
    from barkhausen.core.files import atomic_write
    from barkhausen.core.user_code import code_allowed
    from barkhausen.experiment.energy.against_cmos import against_cmos
    from barkhausen.synapse.crossbar.chip import load_chip
    from barkhausen.synapse.crossbar.overheads import NOT_COUNTED

    chip = load_chip(crossbar, settings or (), node=node)
    with code_allowed(allow_code or ()):
        found = against_cmos(
            _varied(source, recipe_settings or ()) or source,
            chip,
            settings=recipe_settings or (),
            name=str(source),
            bits=bits,
            units=units,
            mean_square=mean_square,
            data_dir=data_dir,
        )
    console = wide_console()
    for table in (_machines(found), _ratios(found), _sensitivities(found), _published(found)):
        console.print(table)
    typer.echo(
        f"{1e9 * found.comparison.node:.3g} nm; {found.comparison.multiply_adds:.4g} multiply-adds "
        f"an inference; steps of {found.batch} samples, {found.writes:.3g} weights written in one; latency: one layer "
        "after the other; interval: layers of a chip work in parallel (pipelining), digital logic does not"
    )
    for line in found.assumed:
        typer.echo(f"assumed: {line}")
    typer.echo(f"{len(found.chip.assumed())} values of the chip are assumed; not counted: {'; '.join(NOT_COUNTED)}")
    if out is not None:
        atomic_write(out, json.dumps(found.as_json(), indent=1, allow_nan=False) + "\n")


def _varied(source: Path, settings: list[str] | tuple[()]) -> Recipe | None:
    """The recipe that a sweep file varies, or None where the source is not one."""
    from barkhausen.core.config import apply_setting, read_toml
    from barkhausen.core.files.kinds import SWEEP, kind_of
    from barkhausen.core.files.recipes import recipe_file
    from barkhausen.experiment.recipe import recipe_from
    from barkhausen.sweep.sweep_file import load_sweep

    if source.is_dir():
        return None
    path = recipe_file(source)
    if kind_of(read_toml(path)) is not SWEEP:
        return None
    base = load_sweep(path).base
    for setting in settings:
        apply_setting(base, setting)
    return recipe_from(base, str(path), list(settings))


def _machines(found: AgainstCmos) -> Table:
    from rich.table import Table

    from barkhausen.core.display.html import quantity

    table = Table(
        "",
        "area, mm2",
        "inference",
        "latency",
        "interval",
        "TOPS/W",
        "area to train, mm2",
        "training step",
        "its time",
        title=f"{found.network}: ways to build it",
    )
    for machine in found.comparison.machines:
        table.add_row(
            machine.name,
            f"{1e6 * machine.area_total:.3g}",
            quantity(machine.inference_total, "J"),
            quantity(machine.latency, "s"),
            quantity(machine.interval, "s"),
            f"{found.comparison.tera_operations(machine):.3g}",
            f"{1e6 * machine.training_area_total:.3g}",
            quantity(machine.step_total, "J"),
            quantity(machine.step_time, "s"),
        )
    return table


def _ratios(found: AgainstCmos) -> Table:
    from rich.table import Table

    from barkhausen.results.published import figures_of

    columns = ("area", "energy", "latency", "interval", "step energy", "step time")
    table = Table("", "relative to", *columns, title="ratios: above 1, the chip of devices takes less")
    for item in found.comparison.ratios():
        values = (item.area, item.energy, item.latency, item.interval, item.step_energy, item.step_time)
        table.add_row(item.of, item.to, *(f"{value:.3g}" for value in values))
    published = {
        figure.quantity.partition(" ")[0]: f"{figure.value:g}"
        for figure in figures_of("dhull-2024")
        if "pure CMOS" in figure.quantity
    }
    beside = [published.get(column, "") for column in columns]
    table.add_row("published for VGG8 (Dhull et al. 2024): pure CMOS", "domain-wall devices", *beside)
    return table


def _sensitivities(found: AgainstCmos) -> Table:
    from rich.table import Table

    table = Table(
        "constant, halved and doubled",
        "area",
        "energy",
        "latency",
        "step energy",
        title="sensitivity of the ratio of SRAM cells to devices, inputs bit by bit",
    )
    for item in found.sensitivities[:SHOWN]:
        cells = [
            f"{getattr(item.halved, name):.3g} … {getattr(item.doubled, name):.3g}"
            for name in ("area", "energy", "latency", "step_energy")
        ]
        table.add_row(item.constant, *cells)
    return table


def _published(found: AgainstCmos) -> Table:
    from rich.table import Table

    from barkhausen.synapse.crossbar.cmos.published_chips import PUBLISHED_CHIPS

    columns = ("published chips", "TOPS/W", "what", "source", "checked against")
    table = Table(*columns, title="beside published chips (their peak figures)")
    for chip in PUBLISHED_CHIPS:
        table.add_row(chip.name, f"{chip.tera_operations:.3g}", chip.kind, chip.source, chip.checked)
    return table
