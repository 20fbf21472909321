"""Tables of a device on the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from barkhausen.cli.terminal.console import wide_console
from barkhausen.core.units import FEMTO

if TYPE_CHECKING:
    from barkhausen.device import CharacterisedDevice
    from barkhausen.device.coordinate import Quantity
    from barkhausen.device.file_statistics import Estimate


def sigmas(item: CharacterisedDevice) -> str:
    mean, device, cycle = item.moments
    scale = 2 / (mean[-1] - mean[0])
    total = scale * (device**2 + cycle**2) ** 0.5
    return f"{total.min():.3g}" if total.max() - total.min() < 1e-6 else f"{total.min():.3g} to {total.max():.3g}"


def prices(item: CharacterisedDevice) -> str:
    return " + ".join(f"{FEMTO * item.energy(cause).mean():.2f} {label}" for cause, label in item.energy_causes.items())


def show_device(item: CharacterisedDevice) -> None:
    from barkhausen.device.coordinate import Quantity
    from barkhausen.device.doubts import doubts_of, temperature_rises
    from barkhausen.device.drives import drives_of
    from barkhausen.device.retention_summary import retention_lines

    mean, device, cycle = item.moments
    quantity = Quantity.of(item.coordinate, mean.tolist())
    varying = [drive for drive in drives_of(item) if drive.varies]
    table = Table(
        "state",
        quantity.named("mean"),
        "level",
        "sigma device",
        "sigma cycle",
        *(drive.heading for drive in varying),
        *(f"{label} (fJ)" for label in item.energy_causes.values()),
    )
    scale = 2 / (mean[-1] - mean[0])
    levels = item.weight_of(mean)
    energies = [item.energy(cause) for cause in item.energy_causes]
    for k in range(item.states):
        table.add_row(
            str(k),
            quantity(mean[k]),
            f"{round(levels[k], 3) + 0.0:+.3f}",
            f"{scale * device[k]:.3f}",
            f"{scale * cycle[k]:.3f}",
            *(f"{drive.factor * drive.values[k]:+.4g}" for drive in varying),
            *(f"{FEMTO * energy[k]:.3f}" for energy in energies),
        )
    wide_console().print(table)
    _show_statistics(item, quantity)
    typer.echo(f"source: {item.source}; technology: {item.technology}, states by {item.coordinate.name}")
    if rises := temperature_rises(item):
        shown = ", ".join(f"{pulse} {rise:.1f} K" for pulse, rise in rises.items())
        typer.echo(f"temperature rise, greatest of all states: {shown}")
    for line in retention_lines(item):
        typer.echo(line)
    for title, text in doubts_of(item):
        typer.echo(f"warning: {title.lower()}: {text}")
    for line in item.assumed:
        typer.echo(f"assumed: {line}")


def show_any(item: Any) -> None:
    """A device of a kind that has no table of states: its description and its assumptions."""
    from barkhausen.device.kinds import kind_of

    typer.echo("\n".join(kind_of(item.data).lines(item)) or repr(item))
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


def _show_statistics(item: CharacterisedDevice, quantity: Quantity) -> None:
    """Show the statistics of each state that the file holds; a dash stands for what is not known."""
    from barkhausen.device import fitting_report
    from barkhausen.device.file_statistics import bits, why_no_intervals

    if "overlap" not in item.data:
        return
    table = Table(
        "state", "devices", "values", quantity.named("sigma device"), quantity.named("sigma cycle"), "distribution",
        "KS distance", "p", "overlap with next", "read errors (%)", "failures (%)",
    )  # fmt: skip
    rows = fitting_report(item)
    for row in rows:
        name = row.distribution if row.components == 1 else f"{row.distribution} of {row.components} ({row.level})"
        table.add_row(
            str(row.state),
            str(row.devices),
            str(row.cycles),
            _with_interval(row.sigma_device, row.sigma_device_interval, quantity),
            _with_interval(row.sigma_cycle, row.sigma_cycle_interval, quantity),
            name,
            known(row.distance, 3),
            known(row.p_value, 3),
            known(row.overlap_with_next, 3) if row.state < item.states - 1 else "",
            known(100 * row.read_error_rate, 1),
            known(100 * row.failure_rate, 1),
        )
    wide_console().print(table)
    information = bits(item.data)
    if information is not None:
        typer.echo(f"information: {information.value:.2f} bits a device (of at most {math.log2(item.states):.2f})")
    reason = why_no_intervals(item.data)
    if not reason and any(math.isnan(row.sigma_cycle_interval[1]) for row in rows if row.cycles > row.devices):
        reason = "the interval reaches over decades, since one or two values make the whole spread"
    if reason:
        typer.echo(f"–: {reason}")


def known(value: float, decimals: int) -> str:
    """A number, or a dash if it is not known."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}" if math.isfinite(value) else "–"


def _with_interval(value: float, interval: tuple[float, float], quantity: Quantity) -> str:
    low, high = interval
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"{quantity.sigma(value)} [–]"
    return f"{quantity.sigma(value)} [{quantity.sigma(low)}, {quantity.sigma(high)}]"


def with_ends(estimate: Estimate, decimals: int) -> str:
    """An estimate with its interval in brackets, where there is one."""
    text = known(estimate.value, decimals)
    if not estimate.known or estimate.low == estimate.high:
        return text
    return f"{text} [{known(estimate.low, decimals)}, {known(estimate.high, decimals)}]"
