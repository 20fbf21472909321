"""The command line of ``barkhausen``; ``barkhausen --help`` lists what it can do.

Exit codes: 0 done; 2 the user's input is wrong (one line, no traceback); 130 interrupted, go on with the same
command; 1 anything else.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from barkhausen.cli_console import wide_console
from barkhausen.cli_devices import (
    characterize,
    design,
    devices,
    export_mumax3,
    import_device,
    import_mumax3,
)
from barkhausen.cli_export import export
from barkhausen.cli_infer import infer
from barkhausen.cli_sweep import sweep
from barkhausen.cli_table import table
from barkhausen.errors import BarkhausenError, InputError
from barkhausen.version import __version__

INTERRUPTED = 130

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Root of the data sets (torchvision's layout: MNIST/raw, FashionMNIST/raw)."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Throw away what the directory holds and start anew.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """From micromagnetics to picojoules: deep networks on stochastic domain-wall synapses."""


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@app.command()
def backends() -> None:
    """Say what can compute micromagnetics here: the compiled kernel, torch on the CPU, torch on CUDA."""
    import torch

    from barkhausen.micromagnetics import compiled

    table = Table("backend", "available", "precision", "notes")
    if compiled.available():
        table.add_row("compiled", "yes", "float32", f"CPU, {compiled.variant()}; chosen by default")
    else:
        table.add_row("compiled", "no", "float32", str(compiled.unavailable_reason()))
    threads = f"CPU, {torch.get_num_threads()} threads, torch {torch.__version__}"
    table.add_row("torch", "yes", "float32, float64", threads)
    cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else "torch sees no CUDA device"
    table.add_row("torch (cuda)", "yes" if torch.cuda.is_available() else "no", "float32, float64", cuda)
    wide_console().print(table)


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="Recipe, a TOML file.")],
    out: Annotated[Path, typer.Option("--out", help="Directory of this run; an interrupted run goes on in it.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key: states=3, dataset.name=digits. May be repeated."),
    ] = None,
    data_dir: DataDir = None,
    overwrite: Overwrite = False,
    mlflow: Annotated[
        str | None,
        typer.Option("--mlflow", help="Log to MLflow too: sqlite:///runs/mlflow.db, or http://… of a server."),
    ] = None,
    mlflow_experiment: Annotated[
        str | None, typer.Option("--mlflow-experiment", help="Where MLflow files the run; by default barkhausen.")
    ] = None,
) -> None:
    """Train one network as a recipe says, or go on with an interrupted run."""
    from barkhausen.experiment.mlflow_log import EXPERIMENT, Mlflow
    from barkhausen.experiment.recipe import load_recipe
    from barkhausen.experiment.run import Run
    from barkhausen.progress import Terminal

    if mlflow is None and mlflow_experiment is not None:
        raise InputError("--mlflow-experiment needs --mlflow URI")
    experiment = EXPERIMENT if mlflow_experiment is None else mlflow_experiment
    run = Run(
        load_recipe(recipe, settings),
        out,
        logs=() if mlflow is None else (Mlflow(mlflow, experiment, warn=lambda line: typer.echo(line, err=True)),),
        data_dir=data_dir,
        overwrite=overwrite,
        progress=Terminal(Console(stderr=True)),
    )
    _print_results([run.execute()])
    typer.echo(f"summary in {out / 'summary.json'}")


@app.command()
def reproduce(
    out: Annotated[Path, typer.Option("--out", help="Directory of the results.")] = Path("runs/reproduce"),
    quick: Annotated[bool, typer.Option("--quick", help="Two epochs, three chips, one seed.")] = False,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Runs of each kind, with seeds 0, 1, …")] = 3,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes; by default one a core, at most 8.")
    ] = None,
    data_dir: DataDir = None,
    overwrite: Overwrite = False,
) -> None:
    """Run 2, 3 and 5 states, in situ and ex situ, and the float twin; write table.csv and report.html."""
    from barkhausen.experiment.reproduce import reproduce as run_all
    from barkhausen.progress import Terminal

    summaries = run_all(
        out,
        quick=quick,
        data_dir=data_dir,
        seeds=tuple(range(seeds)),
        workers=workers,
        progress=Terminal(Console(stderr=True)),
        log=lambda line: typer.echo(line, err=True),
        overwrite=overwrite,
    )
    _print_results(summaries)
    typer.echo(f"table in {out / 'table.csv'}, report in {out / 'report.html'}")


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="Directories of finished runs.")],
    out: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path("report.html"),
) -> None:
    """Write one self-contained page about finished runs."""
    from barkhausen.experiment.report import write_report

    write_report(runs, out)
    typer.echo(f"report in {out}")


app.command()(devices)
app.command("import-device")(import_device)
app.command()(characterize)
app.command()(design)
app.command("import-mumax3")(import_mumax3)
app.command("export-mumax3")(export_mumax3)
app.command()(export)
app.command()(infer)
app.command()(sweep)
app.command()(table)


def _print_results(summaries: list[dict[str, object]]) -> None:
    from barkhausen.experiment.table import NO_VALUE, or_dash, result_table

    columns: dict[str, list[str]] = {}
    for row in result_table(summaries):
        spread = f" ± {100 * row['accuracy_std']:.2f} (n = {row['seeds']})" if row["seeds"] > 1 else ""
        cells = {
            "mode": row["mode"],
            "states": or_dash(row["states"], "d"),
            f"{row['measured_on']} (%)": f"{100 * row['accuracy']:.2f}{spread}",
            "chip spread": f"{100 * row['chip_std']:.2f} ({row['chips']})" if row["chips"] > 1 else NO_VALUE,
            "on fresh chips": or_dash(row["fresh_chip_copy"], ".2f", 100),
            "published (%)": or_dash(row["published_accuracy"], ".2f", 100),
            "events/sample": or_dash(row["events_per_sample"], ".2f"),
            "pJ/inference": or_dash(row["picojoule_per_inference"], ".4f"),
            "published (pJ)": or_dash(row["published_picojoule_per_inference"], ".0f"),
            "s/run": f"{row['wall_seconds']:.0f}",
        }
        for name, cell in cells.items():
            columns.setdefault(name, []).append(cell)
    # A column with nothing in it only makes the table too wide for a terminal.
    columns = {name: cells for name, cells in columns.items() if set(cells) != {NO_VALUE}}
    table = Table(*columns)
    for line in zip(*columns.values(), strict=True):
        table.add_row(*line)
    wide_console().print(table)


def main() -> None:
    """Entry point of the command ``barkhausen``."""
    try:
        code = app(standalone_mode=False)
    except BarkhausenError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        # A usage error; the package that its class comes from depends on the version of typer.
        if not hasattr(error, "format_message"):
            raise
        _fail(" ".join(error.format_message().split()))
    # Typer turns Ctrl-C into this code by itself.
    if code == INTERRUPTED:
        typer.echo("interrupted; the same command goes on from the last whole epoch", err=True)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(line: str) -> NoReturn:
    # Without a command typer prints the help and has nothing more to say.
    if line:
        typer.echo(f"barkhausen: {line}", err=True)
    sys.exit(2)
