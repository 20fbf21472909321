"""The commands about devices: list, show, import, characterise, design, and to and from mumax3."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from barkhausen.cli_console import wide_console
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
from barkhausen.errors import InputError


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
        wide_console().print(table)
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
    wide_console().print(table)
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
    wide_console().print(table)
    information = item.data["mutual_information"].item()
    typer.echo(f"information: {information:.2f} bits a device (of at most {math.log2(item.states):.2f})")


def _with_interval(value: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{1e9 * value:.1f} [{1e9 * low:.1f}, {1e9 * high:.1f}]"
