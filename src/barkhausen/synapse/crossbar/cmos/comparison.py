"""A network on a chip of devices, on the same chip with SRAM cells, and in digital logic, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from barkhausen.core.errors import InputError
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.cmos.logic import logic_machine
from barkhausen.synapse.crossbar.cmos.machine import Machine, Work
from barkhausen.synapse.crossbar.cmos.sram_cells import bit_by_bit, sram_machine
from barkhausen.synapse.crossbar.costs import inference_costs, training_costs
from barkhausen.synapse.crossbar.digital_logic import BITS
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.learning_load import FULL, USUAL, LearningLoad
from barkhausen.synapse.energy import EnergyBreakdown

UNITS = 1024
"""Multiply-add units of digital logic, unless another number is given."""


@dataclass(frozen=True)
class Ratio:
    """How much more of everything one way to build the network takes than another.

    Args:
        of: Name of the one that takes more where ratios are above 1.
        to: Name of the other.
        area, energy, latency, interval: Ratios for an inference.
        step_energy, step_time: Ratios for a training step.
    """

    of: str
    to: str
    area: float
    energy: float
    latency: float
    interval: float
    step_energy: float
    step_time: float


@dataclass(frozen=True)
class Comparison:
    """Ways to build one network.

    Args:
        ours: The chip of devices.
        serial: The same with inputs applied bit by bit.
        others: SRAM cells (two ways), int8 and float32 logic.
        multiply_adds: Multiply-adds of one inference.
        node: CMOS node in m.
    """

    ours: Machine
    serial: Machine
    others: tuple[Machine, ...]
    multiply_adds: int
    node: float

    @property
    def machines(self) -> tuple[Machine, ...]:
        """All of them, ours first."""
        return (self.ours, self.serial, *self.others)

    def ratios(self) -> list[Ratio]:
        """Of all others to ours, and of SRAM cells to ours with the same inputs."""
        found = [ratio(machine, self.ours) for machine in self.others]
        return found + [ratio(machine, self.serial) for machine in self.others[:2]]

    def tera_operations(self, machine: Machine) -> float:
        """Operations per joule of an inference in 10¹² (TOPS/W); a multiply-add is two operations."""
        return 2e-12 * self.multiply_adds / machine.inference_total


def ratio(of: Machine, to: Machine) -> Ratio:
    """Ratios of one way to build the network to another."""
    return Ratio(
        of.name,
        to.name,
        area=of.area_total / to.area_total,
        energy=of.inference_total / to.inference_total,
        latency=of.latency / to.latency,
        interval=of.interval / to.interval,
        step_energy=of.step_total / to.step_total,
        step_time=of.step_time / to.step_time,
    )


def compared(
    chip: Chip,
    layers: Sequence[LayerLoad],
    *,
    bits: int,
    work: Work | None = None,
    learning: LearningLoad = USUAL,
    units: int = UNITS,
) -> Comparison:
    """Compare all ways to build a network.

    Args:
        chip: Chip of devices, at any node.
        layers: Loads of the layers on devices, in order.
        bits: Bits of a weight in SRAM cells.
        work: What is computed in a training step. Default: 100 samples, and no weight is written.
        learning: Precision, sparsity and reads of a step.
        units: Multiply-add units of digital logic.

    Raises:
        InputError: A number is below 1.
    """
    for name, value in (("bits", bits), ("units", units)):
        if value < 1:
            raise InputError(f"{name} = {value}: must be 1 or more")
    work = Work() if work is None else work
    return Comparison(
        ours=_of_devices(chip, layers, work, learning, "devices"),
        serial=_of_devices(bit_by_bit(chip), layers, work, learning, "devices, inputs bit by bit"),
        others=(
            sram_machine(chip, layers, bits, work, learning),
            sram_machine(chip, layers, bits, work, learning, converters="of the whole chip"),
            logic_machine(chip, layers, BITS, work, learning, units=units),
            logic_machine(chip, layers, FULL, work, learning, units=units),
        ),
        multiply_adds=sum(layer.multiply_adds for layer in layers),
        node=chip.digital.node,
    )


def states_in_bits(states: int) -> int:
    """Bits of a weight in SRAM cells that has as many values as a device has states."""
    return max(1, math.ceil(math.log2(states)))


def _of_devices(chip: Chip, layers: Sequence[LayerLoad], work: Work, learning: LearningLoad, name: str) -> Machine:
    inference = inference_costs(chip, layers)
    programming = EnergyBreakdown({"programming": work.programming})
    step = training_costs(chip, layers, batch=work.batch, learning=learning, programming=programming)
    return Machine(
        name=name,
        area=inference.area,
        inference=inference.energy,
        latency=inference.latency,
        interval=inference.interval,
        training_area=step.area,
        step=step.energy,
        step_time=step.latency,
    )
