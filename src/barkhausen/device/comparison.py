"""Comparison of devices: states, spreads, overlaps, read errors, energy and retention, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

from barkhausen.core.errors import InputError
from barkhausen.core.units import FEMTO
from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.coordinate import Quantity
from barkhausen.device.file_statistics import (
    Estimate,
    bits,
    described,
    estimates,
    neighbour_overlaps,
    read_errors,
)
from barkhausen.device.statistics.variance import FEWEST_DEVICES

UNKNOWN = Estimate(math.nan)


@dataclass(frozen=True)
class Compared:
    """One quantity of all devices.

    Attributes:
        group: ``device``, or ``state`` and a number.
        label: Name of the quantity with its unit.
        decimals: Number of decimals to show.
        values: Value in each device, in the unit of the label.
        differences: Difference of each device but the first from the first.
    """

    group: str
    label: str
    decimals: int
    values: Sequence[Estimate]
    differences: Sequence[Estimate]


def compare_devices(devices: Sequence[CharacterisedDevice], names: Sequence[str]) -> list[Compared]:
    """Compare devices of one state coordinate, each with the first.

    Quantities of single states are compared where all devices have the same number of states.

    Args:
        devices: At least two devices.
        names: Name of each, for messages.

    Raises:
        InputError: There are fewer than two devices, or their state coordinates differ.
    """
    if len(devices) < 2:
        raise InputError(f"compare needs at least two devices, got {len(devices)}")
    first = devices[0]
    for device, name in zip(devices[1:], names[1:], strict=True):
        mine, theirs = first.coordinate, device.coordinate
        if (mine.name, mine.unit) != (theirs.name, theirs.unit):
            raise InputError(
                f"{name} cannot be compared with {names[0]}: its states differ in their {theirs.name} "
                f"({theirs.unit}), those of {names[0]} in their {mine.name} ({mine.unit})"
            )
    devices = [described(device) for device in devices]
    found = _of_devices(devices)
    if len({device.states for device in devices}) == 1:
        found += _of_states(devices)
    return found


def difference(value: Estimate, other: Estimate) -> Estimate:
    """Difference of two independent estimates.

    Its interval follows from theirs (Zou, Donner, Stat. Med. 27, 1693, 2008); it is unknown unless both are known.
    """
    gap = value.value - other.value
    low = gap - math.hypot(value.value - value.low, other.high - other.value)
    high = gap + math.hypot(value.high - value.value, other.value - other.low)
    return Estimate(gap, low, high)


def _row(group: str, label: str, decimals: int, values: Sequence[Estimate], factor: float = 1.0) -> Compared:
    shown = [Estimate(factor * e.value, factor * e.low, factor * e.high) for e in values]
    return Compared(group, label, decimals, shown, [difference(value, shown[0]) for value in shown[1:]])


def _of_devices(devices: Sequence[CharacterisedDevice]) -> list[Compared]:
    quantity = Quantity.of(devices[0].coordinate, devices[0].moments[0].tolist())
    rows = [
        _row("device", "states", 0, [_exact(device.states) for device in devices]),
        _row(
            "device",
            quantity.named("mean spacing of the states"),
            quantity.decimals + 1,
            [_spacing(device) for device in devices],
            quantity.factor,
        ),
        _row("device", "largest overlap of neighbours", 3, [_worst(device) for device in devices]),
        _row("device", "information (bits)", 2, [bits(device.data) or UNKNOWN for device in devices]),
    ]
    causes = {cause: label for device in devices for cause, label in device.energy_causes.items()}
    for cause, label in causes.items():
        energies = [device.energy(cause).mean() if cause in device.energy_causes else math.nan for device in devices]
        rows.append(_row("device", f"energy, {label} (fJ)", 2, [_exact(FEMTO * float(value)) for value in energies]))
    if causes:
        sums = [sum(float(device.energy(cause).mean()) for cause in device.energy_causes) for device in devices]
        known = [
            _exact(FEMTO * total) if device.energy_causes else UNKNOWN
            for total, device in zip(sums, devices, strict=True)
        ]
        rows.append(_row("device", "energy, sum (fJ)", 2, known))
    rows.append(_row("device", "shortest median retention (log10 of s)", 1, [_retention(device) for device in devices]))
    return [row for row in rows if any(math.isfinite(value.value) for value in row.values)]


def _of_states(devices: Sequence[CharacterisedDevice]) -> list[Compared]:
    quantity = Quantity.of(devices[0].coordinate, devices[0].moments[0].tolist())
    means: list[list[Estimate]] = []
    between: list[list[Estimate]] = []
    within: list[list[Estimate]] = []
    misread: list[list[Estimate]] = []
    for device in devices:
        declared = device.declared
        _, sigma_device, sigma_cycle = device.moments
        means.append(_means(device))
        for kept, sigma, name in (
            (between, sigma_device, "sigma_device_interval"),
            (within, sigma_cycle, "sigma_cycle_interval"),
        ):
            found = [_exact(float(value)) for value in sigma] if declared else estimates(device.data, sigma, name)
            kept.append(found)
        misread.append(read_errors(device.data))
    rows = []
    for state in range(devices[0].states):
        group, factor = f"state {state}", quantity.factor
        for label, decimals, kept, scale in (
            (quantity.named(f"mean {quantity.coordinate.name}"), quantity.decimals, means, factor),
            (quantity.named("sigma device"), quantity.decimals + 1, between, factor),
            (quantity.named("sigma cycle"), quantity.decimals + 1, within, factor),
            ("read errors (%)", 1, misread, 100.0),
        ):
            rows.append(_row(group, label, decimals, [values[state] for values in kept], scale))
    return rows


def _exact(value: float) -> Estimate:
    return Estimate(value, value, value)


def _interval_of_mean(values: Float[np.ndarray, " device"]) -> Estimate:
    """Mean over devices, with Student's t; without an interval for few devices."""
    seen = values[np.isfinite(values)]
    if not len(seen):
        return UNKNOWN
    if len(seen) < FEWEST_DEVICES:
        return Estimate(float(seen.mean()))
    reach = float(student.ppf(0.975, len(seen) - 1) * seen.std(ddof=1) / math.sqrt(len(seen)))
    return Estimate(float(seen.mean()), float(seen.mean()) - reach, float(seen.mean()) + reach)


def _device_means(device: CharacterisedDevice) -> Float[np.ndarray, "state device"]:
    values = device.state_values
    counts = np.isfinite(values).sum(axis=2)
    return np.where(counts > 0, np.nansum(values, axis=2) / np.maximum(counts, 1), np.nan)


def _means(device: CharacterisedDevice) -> list[Estimate]:
    """Mean of each state as the file gives it, with the interval over devices."""
    declared = device.moments[0]
    if device.declared:
        return [_exact(float(value)) for value in declared]
    found = []
    for value, row in zip(declared, _device_means(device), strict=True):
        interval = _interval_of_mean(row)
        shift = float(value) - interval.value
        found.append(replace(interval, value=float(value), low=interval.low + shift, high=interval.high + shift))
    return found


def _spacing(device: CharacterisedDevice) -> Estimate:
    mean = device.moments[0]
    value = float(mean[-1] - mean[0]) / (device.states - 1)
    if device.declared:
        return _exact(value)
    rows = _device_means(device)
    interval = _interval_of_mean((rows[-1] - rows[0]) / (device.states - 1))
    return Estimate(value, value + interval.low - interval.value, value + interval.high - interval.value)


def _worst(device: CharacterisedDevice) -> Estimate:
    return max(neighbour_overlaps(device.data), key=lambda overlap: overlap.value, default=UNKNOWN)


def _retention(device: CharacterisedDevice) -> Estimate:
    """Logarithm of the median retention time over devices of the state that has the shortest."""
    if "retention_time" not in device.data:
        return UNKNOWN
    times = device.data["retention_time"].transpose("state", "device").values
    medians = [float(np.median(row[~np.isnan(row)])) for row in times if (~np.isnan(row)).any()]
    shortest = min(medians, default=math.nan)
    return Estimate(math.log10(shortest)) if shortest > 0 else UNKNOWN
