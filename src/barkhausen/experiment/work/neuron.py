"""Simulation of a neuron as a task."""

from __future__ import annotations

import numpy as np

from barkhausen.core.units import FEMTO
from barkhausen.device.file import read_device_of_kind
from barkhausen.device.kinds import DEVICE_KINDS
from barkhausen.device.neuron.device import NeuronDevice
from barkhausen.device.neuron.schema import KIND
from barkhausen.experiment.characterisation.kind import characterise_kind_to_file
from barkhausen.experiment.work.base import Order, Result
from barkhausen.experiment.work.characterize import DEVICE_FILE, parameter_file
from barkhausen.experiment.work.rows import Row, number


def neuron(order: Order) -> Result:
    """Simulate a neuron, or resume its simulation; its device file stands in the directory."""
    source, out = parameter_file(order), order.directory / DEVICE_FILE
    if out.is_file():
        device = read_device_of_kind(out, KIND)
    else:
        device = characterise_kind_to_file(DEVICE_KINDS.named(KIND), source, out, threads=order.threads)
    return Result({"device_file": out.relative_to(order.root).as_posix(), **neuron_row(device)})


def neuron_row(device: NeuronDevice) -> Row:
    """Results of a neuron: counts of its cycles, pulses to fire at the largest drive, leak, energies."""
    cycles = device.cycles
    row: Row = {}
    if cycles is not None:
        row = {"cycles_tried": cycles.tried, "cycles_fired": cycles.fired, "cycles_lost": cycles.lost,
               "failed_resets": cycles.failed}  # fmt: skip
    pulses = np.array([])
    if "fired_at" in device.data:
        pulses = device.data["fired_at"].transpose("drive", ...).values[-1]
        pulses = pulses[pulses > 0]
    causes = {f"{name}_femtojoule": number(FEMTO * item.joule) for name, item in device.energies.items()}
    return {
        **row,
        "pulses_to_fire": number(pulses.mean()) if len(pulses) else None,
        "leak": number(device.tables.mean[0, -1] / device.step_time),
        **causes,
    }
