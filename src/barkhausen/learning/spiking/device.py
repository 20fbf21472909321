"""Cells whose neurons are devices of a neuron file: a tabulated law of steps, or a probability of firing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from barkhausen.core.errors import InputError
from barkhausen.device import NeuronDevice, device_of_kind
from barkhausen.device.neuron.schema import KIND
from barkhausen.learning.spiking.cell import Cell, State
from barkhausen.learning.spiking.operations import Operations
from barkhausen.learning.spiking.surrogate import Surrogate

NODES = (33, 33)
"""Nodes of drive and place of the table that a cell computes with."""


class DeviceCell(Cell):
    """Neurons whose state moves in the steps of a device: mean and spread by drive and place.

    The input current times ``unit`` is the drive of a pulse, between 0 (the leak) and the largest drive of the device;
    one time step is one pulse with its pause. The state is that of the device in units of its threshold. Between
    simulated drives and places the law is linear. A reset fails with the probability of the device.

    Args:
        device: Neuron with the law ``steps``.
        unit: Drive of an input of 1. Default: the largest drive of the device.
        decay: Factor of the synaptic current for one step.
        surrogate: Surrogate gradient of the state in units of the threshold. Default: slope 10.
        options: Further arguments of :class:`.Cell`.
    """

    law = 2

    def __init__(
        self,
        device: NeuronDevice,
        unit: float | None = None,
        decay: float = 0.0,
        surrogate: Surrogate | None = None,
        **options: Any,
    ) -> None:
        if device.law != "steps":
            raise InputError(f"this neuron has the law {device.law!r}; a cell with a state needs one of steps")
        # Failures of the reset draw on the noise, which is there whether steps spread or not.
        super().__init__(
            decay=decay,
            surrogate=surrogate or Surrogate(slope=10.0),
            floor=0.0,
            reset_failure=device.reset_failure,
            **options,
        )
        self.device, self.largest = device, float(device.drives[-1])
        self.unit = self.largest if unit is None else unit
        if not self.unit > 0:
            raise InputError(f"unit must be positive, got {self.unit:g}")
        tables, places = device.tables, np.asarray(device.data["place"].values, np.float64)
        mean, deviation = (_resampled(table, device.drives, places) for table in (tables.mean, tables.spread))
        self.register_buffer("mean", torch.tensor(mean / device.threshold, dtype=torch.float32))
        self.register_buffer("deviation", torch.tensor(deviation / device.threshold, dtype=torch.float32))
        self.mean: Tensor
        self.deviation: Tensor
        self.spreads = bool((deviation > 0).any())
        self.per_input, self.per_place = (NODES[0] - 1) * self.unit / self.largest, float(NODES[1] - 1)

    @property
    def noisy(self) -> bool:
        """Whether steps spread or resets fail."""
        return self.spreads or self.reset_failure > 0

    def change(self, value: Tensor, current: Tensor, noise: Tensor | None) -> Tensor:
        """Step at a drive and a place."""
        u = (current * self.per_input).clamp(0.0, NODES[0] - 1.0)
        v = (value * self.per_place).clamp(0.0, NODES[1] - 1.0)
        row, column = (x.detach().floor().clamp(max=last - 2.0) for x, last in ((u, NODES[0]), (v, NODES[1])))
        across, along = u - row, v - column
        corner = (row * NODES[1] + column).long()

        def at(table: Tensor) -> Tensor:
            flat = table.to(value.dtype).flatten()
            a, b, c, d = (flat[corner + shift] for shift in (0, 1, NODES[1], NODES[1] + 1))
            low, high = a + along * (b - a), c + along * (d - c)
            return low + across * (high - low)

        step = at(self.mean)
        return step if noise is None or not self.spreads else step + at(self.deviation) * noise

    def law_numbers(self) -> tuple[float, ...]:
        """Floor, and the grid of the table."""
        return 0.0, 0.0, 0.0, self.floor, 0.0, self.per_input, NODES[0] - 1.0, self.per_place

    def tables(self) -> tuple[Tensor, ...]:
        """Mean and standard deviation of a step in units of the threshold."""
        return self.mean, self.deviation

    @torch.no_grad()
    def operations(
        self, inputs: Float[Tensor, "time sample neuron"], spikes: Float[Tensor, "time sample neuron"]
    ) -> Operations:
        """Operations of all neurons in all steps.

        Args:
            inputs: Input currents.
            spikes: What the cell made of them.
        """
        current, currents = torch.zeros_like(inputs[0]), []
        for step in inputs:
            current = current + step
            currents.append(current)
            current = self.decay * current
        relative = (torch.stack(currents) * (self.unit / self.largest)).clamp(0.0, 1.0).double()
        drives = relative[relative > 0]
        return Operations(drives, spikes.numel() - len(drives), int(spikes.sum()), spikes.numel())

    def energy(
        self, inputs: Float[Tensor, "time sample neuron"], spikes: Float[Tensor, "time sample neuron"]
    ) -> dict[str, float]:
        """Energy in J by cause of all neurons in all steps; the arguments are those of :meth:`operations`."""
        return self.operations(inputs, spikes).energy(self.device.energies)

    def extra_repr(self) -> str:
        """Device and unit first."""
        name, unit = self.device.drive
        return f"{self.device.data.attrs['technology']}, {name} of 1: {self.unit:g} {unit}, {super().extra_repr()}"


class _Fire(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, drawn: Tensor, chance: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        return (drawn < chance).to(inputs.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (slope,) = ctx.saved_tensors
        return gradients[0] * slope, None, None, None


class FiringCell(Cell):
    """Neurons without memory that fire with a measured probability; its slope is the gradient of a spike.

    Args:
        device: Neuron with the law ``probability``.
        unit: Change of the drive for an input of 1. Default: half the range of the drives.
        offset: Drive of an input of 0. Default: where the probability is nearest to one half.
        seed: Seed of the draws, for calls without a generator.
        options: Further arguments of :class:`.Cell`; of a neuron without state they change nothing.
    """

    def __init__(
        self,
        device: NeuronDevice,
        unit: float | None = None,
        offset: float | None = None,
        seed: int = 0,
        **options: Any,
    ) -> None:
        if device.law != "probability":
            raise InputError(f"this neuron has the law {device.law!r}; a cell without a state needs a probability")
        super().__init__(reset="none", seed=seed)
        drives, chances = device.drives, np.asarray(device.data["fire_probability"].values, np.float64)
        self.device = device
        self.unit = float(np.ptp(drives)) / 2 if unit is None else unit
        self.offset = float(drives[np.abs(chances - 0.5).argmin()]) if offset is None else offset
        self.register_buffer("drives", torch.tensor(drives, dtype=torch.float32))
        self.register_buffer("chances", torch.tensor(chances, dtype=torch.float32))
        self.drives: Tensor
        self.chances: Tensor

    @property
    def noisy(self) -> bool:
        """Always."""
        return True

    def forward(
        self,
        inputs: Float[Tensor, "time sample neuron"],
        state: State | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "time sample neuron"], State]:
        """Spikes of all steps; the state is that of neurons at rest.

        Args:
            inputs: Input currents.
            state: Anything.
            generator: Random stream. Default: the cell's own.
        """
        noise = self._drawn(inputs, generator)
        assert noise is not None
        with torch.no_grad():
            drive = inputs * self.unit + self.offset
            drives, chances = self.drives.to(inputs.dtype), self.chances.to(inputs.dtype)
            cell = torch.searchsorted(drives, drive.contiguous()).clamp(1, len(drives) - 1)
            slope = (chances[cell] - chances[cell - 1]) / (drives[cell] - drives[cell - 1])
            inside = (drive > drives[0]) & (drive < drives[-1])
            chance = chances[cell - 1] + slope * (drive.clamp(drives[0], drives[-1]) - drives[cell - 1])
            slope = torch.where(inside, slope * self.unit, torch.zeros_like(slope))
            drawn = torch.special.ndtr(noise)
        spikes: Tensor = _Fire.apply(inputs, drawn, chance, slope)
        return spikes, self.rest(inputs[0])

    @torch.no_grad()
    def operations(
        self, inputs: Float[Tensor, "time sample neuron"], spikes: Float[Tensor, "time sample neuron"]
    ) -> Operations:
        """Operations of all neurons in all steps: each has a pulse, at a drive of the measured range, and a read.

        Args:
            inputs: Input currents.
            spikes: What the cell made of them.
        """
        least, largest = float(self.drives[0]), float(self.drives[-1])
        relative = ((inputs * self.unit + self.offset).clamp(least, largest) / largest).abs().double()
        return Operations(relative[relative > 0], None, int(spikes.sum()), spikes.numel())


def device_cell(
    device: NeuronDevice | str | Path, unit: float | None = None, *, truncation: int = 0, **options: Any
) -> Cell:
    """A cell of a neuron, a shipped neuron or a device file.

    Args:
        device: Neuron, its name or its file.
        unit: Drive of an input of 1; of a neuron without memory, change of the drive.
        truncation: Steps after which back-propagation through time is cut.
        options: Further arguments of the cell.
    """
    found = device if isinstance(device, NeuronDevice) else device_of_kind(device, KIND)
    if found.law == "steps":
        return DeviceCell(found, unit, truncation=truncation, **options)
    return FiringCell(found, unit, **options)


def _resampled(
    table: Float[np.ndarray, "drive place"], drives: Float[np.ndarray, " drive"], places: Float[np.ndarray, " place"]
) -> Float[np.ndarray, "drive place"]:
    """The table at evenly spaced drives and places, linear in between."""
    rows, columns = np.linspace(0.0, drives[-1], NODES[0]), np.linspace(0.0, places[-1], NODES[1])
    along = np.stack([np.interp(columns, places, row) for row in table])
    return np.stack([np.interp(rows, drives, column) for column in along.T], axis=1)
