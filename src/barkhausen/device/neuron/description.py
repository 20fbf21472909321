"""A neuron in lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from barkhausen.core.units import NANO, PICO
from barkhausen.device.neuron.schema import STEPS

if TYPE_CHECKING:
    from barkhausen.device.neuron.device import NeuronDevice


def described(neuron: NeuronDevice) -> list[str]:
    """Law, cycles, energies and assumptions."""
    name, unit = neuron.drive
    lines = [f"neuron, {neuron.data.attrs['technology']}, {neuron.data.attrs['source']}; drive: {name} ({unit})"]
    lines += _steps(neuron) if neuron.law == STEPS else _probability(neuron)
    largest = f"at {neuron.drives[-1]:g} {unit}"
    lines += [
        f"  {item.label}: {PICO * item.joule:.4g} pJ{f' {largest}' if item.power else ''}"
        for item in neuron.energies.values()
    ]
    return [*lines, *(f"  assumed: {line}" for line in neuron.assumed)]


def _steps(neuron: NeuronDevice) -> list[str]:
    tables, unit = neuron.tables, str(neuron.data["threshold"].attrs.get("units", ""))
    factor, shown = (NANO, "nm") if unit == "m" else (1.0, unit)
    lines = [f"  fires beyond {factor * neuron.threshold:.4g} {shown}; a step takes {NANO * neuron.step_time:.4g} ns"]
    for number, drive in enumerate(neuron.drives):
        mean, spread = factor * tables.mean[number], factor * tables.spread[number]
        what = "leak" if drive == 0 else f"drive {drive:g}"
        lines.append(
            f"  {what}: steps of {mean[0]:.3g} ± {spread[0]:.2g} {shown} at the start, {mean[-1]:.3g} ± "
            f"{spread[-1]:.2g} {shown} at the threshold"
        )
    cycles = neuron.cycles
    if cycles is not None:
        low, high = cycles.failure_interval
        rate = f"{cycles.failed / cycles.fired:.2%}" if cycles.fired else "–"
        lines.append(
            f"  {cycles.fired} of {cycles.tried} cycles fired, {cycles.lost} lost the state; the reset failed after "
            f"{cycles.failed} of {cycles.fired}: {rate} (95 % interval {low:.2%} to {high:.2%})"
        )
    return lines


def _probability(neuron: NeuronDevice) -> list[str]:
    values = neuron.data["fire_probability"].values
    ends = zip(neuron.drives[[0, -1]], values[[0, -1]], strict=True)
    text = " to ".join(f"{probability:.3g} at {drive:g}" for drive, probability in ends)
    return [f"  no memory; fires with a probability of {text}, {len(values)} points, linear in between"]
