"""Tables of a device on the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from barkhausen.cli.terminal.console import wide_console
from barkhausen.core.units import FEMTO

if TYPE_CHECKING:
    from barkhausen.device import CharacterisedDevice


def sigmas(item: CharacterisedDevice) -> str:
    mean, device, cycle = item.moments
    scale = 2 / (mean[-1] - mean[0])
    total = scale * (device**2 + cycle**2) ** 0.5
    return f"{total.min():.3g}" if total.max() - total.min() < 1e-6 else f"{total.min():.3g} to {total.max():.3g}"


def prices(item: CharacterisedDevice) -> str:
    return " + ".join(f"{FEMTO * item.energy(cause).mean():.2f} {label}" for cause, label in item.energy_causes.items())


def show_device(item: CharacterisedDevice) -> None:
    table = Table(
        "state",
        f"mean ({item.coordinate.shown_unit})",
        "level",
        "sigma device",
        "sigma cycle",
        *(["V gate (V)"] if "gate_voltage" in item.data else []),
        *(f"{label} (fJ)" for label in item.energy_causes.values()),
    )
    mean, device, cycle = item.moments
    scale = 2 / (mean[-1] - mean[0])
    levels = item.weight_of(mean)
    energies = [item.energy(cause) for cause in item.energy_causes]
    voltages = item.data["gate_voltage"].values if "gate_voltage" in item.data else None
    for k in range(item.states):
        table.add_row(
            str(k),
            f"{item.coordinate.factor * mean[k]:.1f}"
            if item.coordinate.unit == "m"
            else f"{item.coordinate.factor * mean[k]:.4g}",
            f"{levels[k]:+.3f}",
            f"{scale * device[k]:.3f}",
            f"{scale * cycle[k]:.3f}",
            *([] if voltages is None else [f"{voltages[k]:+.3f}"]),
            *(f"{FEMTO * energy[k]:.3f}" for energy in energies),
        )
    wide_console().print(table)
    _show_statistics(item)
    typer.echo(f"source: {item.source}; technology: {item.technology}, states by {item.coordinate.name}")
    for line in item.assumed:
        typer.echo(f"assumed: {line}")


def with_distribution(item: CharacterisedDevice) -> CharacterisedDevice:
    """The device with statistics and the best distribution, unless there are too few devices to choose one."""
    from barkhausen.device import LEAST_DEVICES, fitted

    if item.devices_seen < LEAST_DEVICES:
        typer.echo(
            f"fewer than {LEAST_DEVICES} devices in some state: no distribution is fitted; training draws from the data"
        )
        return item
    return fitted(item)


def _show_statistics(item: CharacterisedDevice) -> None:
    """Show the statistics of each state that the file holds."""
    from barkhausen.device import fitting_report

    if "overlap" not in item.data:
        return
    shown = item.coordinate.shown_unit
    factor = item.coordinate.factor
    table = Table(
        "state", "devices × events", f"sigma device ({shown})", f"sigma cycle ({shown})", "distribution",
        "KS distance", "p", "overlap with next", "read errors (%)", "failures (%)",
    )  # fmt: skip
    for row in fitting_report(item):
        name = row.distribution if row.components == 1 else f"{row.distribution} of {row.components} ({row.level})"
        table.add_row(
            str(row.state),
            f"{row.devices} × {row.cycles // max(row.devices, 1)}",
            _with_interval(row.sigma_device, row.sigma_device_interval, factor),
            _with_interval(row.sigma_cycle, row.sigma_cycle_interval, factor),
            name,
            f"{row.distance:.3f}",
            f"{row.p_value:.3f}",
            "" if math.isnan(row.overlap_with_next) else f"{row.overlap_with_next:.3f}",
            f"{100 * row.read_error_rate:.1f}",
            f"{100 * row.failure_rate:.1f}",
        )
    wide_console().print(table)
    if "mutual_information" in item.data:
        information = item.data["mutual_information"].item()
        typer.echo(f"information: {information:.2f} bits a device (of at most {math.log2(item.states):.2f})")


def _with_interval(value: float, interval: tuple[float, float], factor: float) -> str:
    low, high = interval
    return f"{factor * value:.1f} [{factor * low:.1f}, {factor * high:.1f}]"
