"""The command line of ``barkhausen``; ``barkhausen --help`` lists what it can do.

Exit codes: 0 done; 2 the user's input is wrong (one line, no traceback); 130 interrupted, go on with the same
command; 1 anything else.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from barkhausen.cli_export import export
from barkhausen.cli_infer import infer
from barkhausen.cli_sweep import sweep
from barkhausen.cli_table import table
from barkhausen.device import (
    CharacterisedDevice,
    DeviceParameters,
    import_measured_csv,
    load_parameters,
    preset,
    preset_names,
    read_device,
    shipped_toml,
    write_device,
)
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
    _console().print(table)


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


app.command()(export)
app.command()(infer)
app.command()(sweep)
app.command()(table)


@app.command()
def devices(
    device: Annotated[
        str | None,
        typer.Argument(help="A preset (racetrack-5, gaussian-N for any N) or a device file; all presets if left out."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write this device to a device file.")] = None,
    toml: Annotated[
        Path | None, typer.Option("--toml", help="Write the TOML that made this shipped device, to change and run.")
    ] = None,
) -> None:
    """List the device presets, or show or write one device."""
    if device is None:
        if out is not None or toml is not None:
            raise InputError(f"{'--out' if out is not None else '--toml'} needs the name of one device")
        table = Table("preset", "states", "source", "sigma of the states", "energy per attempt (fJ): SOT + gate + read")
        for name in preset_names():
            item = preset(name)
            table.add_row(name, str(item.states), item.source, _sigmas(item), _prices(item))
        _console().print(table)
        typer.echo("any gaussian-N exists; a device file is named by its path; --toml writes what made a shipped one")
        return
    if toml is not None:
        from barkhausen.atomic import atomic_write

        atomic_write(toml, shipped_toml(device))
        typer.echo(f"parameters in {toml}")
        return
    item = read_device(Path(device)) if Path(device).suffix in (".nc", ".h5") else preset(device)
    if out is not None:
        write_device(item, out)
        typer.echo(f"device file in {out}")
        return
    _show_device(item)


@app.command("import-device")
def import_device(
    measured: Annotated[Path, typer.Argument(help="CSV: state,device,cycle and position_m or conductance_s.")],
    out: Annotated[Path, typer.Option("--out", help="Device file to write.")],
    parameters: Annotated[
        Path | None, typer.Option("--parameters", help="TOML with tables track, protocol, junction.")
    ] = None,
    conductance_range: Annotated[
        tuple[float, float] | None,
        typer.Option("--conductance-range", help="G_AP and G_P of the whole junction in S, two numbers."),
    ] = None,
) -> None:
    """Turn a measured CSV into a device file."""
    given = load_parameters(parameters) if parameters is not None else DeviceParameters()
    item = _with_law(import_measured_csv(measured, given, conductance_range=conductance_range))
    write_device(item, out)
    _show_device(item)
    typer.echo(f"device file in {out}")


@app.command()
def characterize(
    parameters: Annotated[Path, typer.Argument(help="Device, protocol, and how many devices and cycles: a TOML file.")],
    out: Annotated[Path, typer.Option("--out", help="Device file to write (.nc).")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key: characterisation.devices=4, track.width=48e-9. May be repeated."),
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--report", help="Page about it; by default beside the device file, as .html.")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Of the compiled kernel.")] = None,
    backend: Annotated[str, typer.Option("--backend", help="compiled, torch or auto.")] = "auto",
    accelerator: Annotated[str, typer.Option("--accelerator", help="cpu or cuda.")] = "cpu",
) -> None:
    """Simulate the thermal ensemble of a racetrack and write its device file and a page about it.

    Interrupted, the same command goes on where it was.
    """
    from barkhausen.experiment.characterise import characterise_to_file
    from barkhausen.progress import Terminal

    item = characterise_to_file(
        parameters,
        out,
        settings=settings or [],
        page=page,
        backend=backend,
        threads=threads,
        accelerator=accelerator,
        progress=Terminal(Console(stderr=True)),
    )
    _show_device(item)
    typer.echo(f"device file in {out}, report in {page or out.with_suffix('.html')}")


@app.command()
def design(
    search: Annotated[Path, typer.Argument(help="What is fixed and what is searched: a TOML file.")],
    out: Annotated[Path, typer.Option("--out", help="Directory of this search; an interrupted one goes on in it.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Override a key: search.states=3. May be repeated.")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Of the compiled kernel.")] = None,
    backend: Annotated[str, typer.Option("--backend", help="compiled, torch or auto.")] = "auto",
    accelerator: Annotated[str, typer.Option("--accelerator", help="cpu or cuda.")] = "cpu",
) -> None:
    """Search pulses, gate voltages and notches that give well-separated states; confirm the best by micromagnetics."""
    from barkhausen.experiment.design import design_to_directory
    from barkhausen.progress import Terminal

    design_to_directory(
        search,
        out,
        settings=settings or [],
        backend=backend,
        threads=threads,
        accelerator=accelerator,
        progress=Terminal(Console(stderr=True)),
    )
    typer.echo(f"best design in {out / 'designed.toml'}, evidence in {out / 'design.html'}")


@app.command("import-mumax3")
def import_mumax3(
    directory: Annotated[Path, typer.Argument(help="Directory with the tables of mumax3, one for each event.")],
    out: Annotated[Path, typer.Option("--out", help="Device file to write.")],
    pattern: Annotated[
        str, typer.Option("--pattern", help="Path of a table, with the fields {state}, {device} and {cycle}.")
    ] = "state{state}_device{device}_cycle{cycle}.out/table.txt",
    column: Annotated[
        str | None, typer.Option("--column", help="Column with the wall's position in m; by default from <m_z>.")
    ] = None,
    average: Annotated[
        float | None, typer.Option("--average", help="Mean over so many seconds at the end, not the last row alone.")
    ] = None,
    parameters: Annotated[
        Path | None, typer.Option("--parameters", help="TOML with tables track, protocol, junction.")
    ] = None,
) -> None:
    """Turn a set of mumax3 tables into a device file."""
    from barkhausen.device.mumax3_tables import import_mumax3_tables

    given = load_parameters(parameters) if parameters is not None else DeviceParameters()
    item = _with_law(import_mumax3_tables(directory, given, pattern=pattern, column=column, average=average))
    write_device(item, out)
    _show_device(item)
    typer.echo(f"device file in {out}")


@app.command("export-mumax3")
def export_mumax3(
    parameters: Annotated[Path, typer.Argument(help="Device, protocol and ensemble: a TOML file.")],
    out: Annotated[Path, typer.Option("--out", help="Script to write (.mx3).")],
    state: Annotated[int, typer.Option("--state", help="In the order of protocol.gate_voltages.")] = 0,
    device: Annotated[int, typer.Option("--device")] = 0,
    cycle: Annotated[int, typer.Option("--cycle")] = 0,
    in_metres: Annotated[
        bool, typer.Option("--in-metres", help="Edges in metres, so that the cells may be changed in the script.")
    ] = False,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Override a key. May be repeated.")] = None,
) -> None:
    """Write one programming event of an ensemble as a mumax3 script, to check it there."""
    from barkhausen.atomic import atomic_write
    from barkhausen.device.ensemble import Ensemble

    ensemble = Ensemble(load_parameters(parameters, settings or []))
    atomic_write(out, ensemble.mumax3(state, device, cycle, in_metres=in_metres))
    typer.echo(f"script in {out}")


def _console() -> Console:
    console = Console()
    # A table cut off at 80 columns would lose figures when piped into a file.
    return console if console.is_terminal else Console(width=160)


def _sigmas(item: CharacterisedDevice) -> str:
    mean, device, cycle = item.moments
    scale = 2 / (mean[-1] - mean[0])
    total = scale * (device**2 + cycle**2) ** 0.5
    return f"{total.min():.3g}" if total.max() - total.min() < 1e-6 else f"{total.min():.3g} to {total.max():.3g}"


def _prices(item: CharacterisedDevice) -> str:
    return " + ".join(f"{1e15 * item.energy(cause).mean():.2f}" for cause in ("sot", "gate", "read"))


def _show_device(item: CharacterisedDevice) -> None:
    table = Table(
        "state",
        "mean (nm)",
        "level",
        "sigma device",
        "sigma cycle",
        "V gate (V)",
        "SOT (fJ)",
        "gate (fJ)",
        "read (fJ)",
    )
    mean, device, cycle = item.moments
    scale = 2 / (mean[-1] - mean[0])
    levels = item.weight_of(mean)
    energies = [item.energy(cause) for cause in ("sot", "gate", "read")]
    voltages = item.data["gate_voltage"].values
    for k in range(item.states):
        table.add_row(
            str(k),
            f"{1e9 * mean[k]:.1f}",
            f"{levels[k]:+.3f}",
            f"{scale * device[k]:.3f}",
            f"{scale * cycle[k]:.3f}",
            f"{voltages[k]:+.3f}",
            *(f"{1e15 * energy[k]:.3f}" for energy in energies),
        )
    _console().print(table)
    _show_statistics(item)
    typer.echo(f"source: {item.source}")
    for line in item.assumed:
        typer.echo(f"assumed: {line}")


def _with_law(item: CharacterisedDevice) -> CharacterisedDevice:
    """With statistics and the law that fits best; a handful of devices is too few to choose one by."""
    from barkhausen.device import LEAST_DEVICES, fitted

    if item.devices_seen < LEAST_DEVICES:
        typer.echo(f"fewer than {LEAST_DEVICES} devices in some state: drawn from the data, no law is fitted")
        return item
    return fitted(item)


def _show_statistics(item: CharacterisedDevice) -> None:
    """What is known of the spread of each state, where the file holds it."""
    from barkhausen.device import fitting_report

    if "overlap" not in item.data:
        return
    table = Table(
        "state", "devices × events", "sigma device (nm)", "sigma cycle (nm)", "law", "KS distance", "p",
        "overlap with next", "misread (%)", "failures (%)",
    )  # fmt: skip
    for row in fitting_report(item):
        law = row.law if row.components == 1 else f"{row.law} of {row.components} ({row.decider})"
        table.add_row(
            str(row.state),
            f"{row.devices} × {row.cycles // max(row.devices, 1)}",
            _with_interval(row.sigma_device, row.sigma_device_interval),
            _with_interval(row.sigma_cycle, row.sigma_cycle_interval),
            law,
            f"{row.distance:.3f}",
            f"{row.p_value:.3f}",
            "" if math.isnan(row.overlap_with_next) else f"{row.overlap_with_next:.3f}",
            f"{100 * row.misread_rate:.1f}",
            f"{100 * row.failure_rate:.1f}",
        )
    _console().print(table)
    information = item.data["mutual_information"].item()
    typer.echo(f"information: {information:.2f} bits a device (of at most {math.log2(item.states):.2f})")


def _with_interval(value: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{1e9 * value:.1f} [{1e9 * low:.1f}, {1e9 * high:.1f}]"


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
    _console().print(table)


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
