"""Kinds of pulsed synapses: the device, its tables as tensors, and how devices make a synapse."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.device import DeviceSample, PulsedDevice
from barkhausen.device.pulses.cell import PulsedCell
from barkhausen.synapse.faults import FAULT_FREE
from barkhausen.synapse.pulsed.cells import LAYOUTS, Cell
from barkhausen.synapse.pulsed.kernel import Steps, key_from
from barkhausen.synapse.write_verify import WriteVerify, WrittenKind

LEVELS = 65
"""Number of evenly spaced weights that stand for the continuous weight of a pulsed synapse where levels are needed."""


@dataclass(frozen=True, eq=False)
class PulsedKind(WrittenKind):
    """Device, layout and write-verify of a kind of pulsed synapse.

    Args:
        device: Device moved by pulses.
        write: Write-verify settings: how exactly, and in how many rounds, an array is written.
        settings: Devices of one synapse.
        where: Torch device of the tables.

    Raises:
        InputError: Faults are asked for.
    """

    device: PulsedDevice
    write: WriteVerify
    settings: PulsedCell = field(default_factory=PulsedCell)
    where: torch.device = field(default_factory=lambda: torch.device("cpu"))
    steps: Steps = field(init=False)
    """Tables of a typical device."""
    pattern: Float[Tensor, "2 grid"] | None = field(init=False)
    """Standard deviation between devices of the mean step at single weights; None where the device gives none."""
    cell: Cell = field(init=False)
    """How the devices make the weight of a synapse."""
    course: Float[Tensor, "2 fine"] = field(init=False)
    """Number of pulses up from −1 to each weight of a fine grid, and of pulses down from it to −1, without noise."""

    def __post_init__(self) -> None:
        if self.write.faults != FAULT_FREE or self.write.count_writes:
            raise InputError("a device moved by pulses has no faults and counts no single writes")
        tables = (self.device.step_means, self.device.step_sds, self.device.pattern_sds)
        mean, spread, pattern = (torch.from_numpy(table).to(self.where, torch.float32).contiguous() for table in tables)
        object.__setattr__(self, "steps", Steps(mean, spread))
        object.__setattr__(self, "pattern", pattern if tables[2].any() else None)
        object.__setattr__(self, "cell", LAYOUTS.named(self.settings.layout)(self.settings))
        object.__setattr__(self, "course", torch.from_numpy(_course(self.device)).to(self.where, torch.float32))

    @property
    def cells(self) -> int:
        """Devices of a synapse."""
        return self.settings.devices

    @property
    def weight_range(self) -> tuple[float, float]:
        """Range that weights are shown on: that of nearly all devices."""
        low, high = self.device.bound_sd
        return -1.0 - 3.0 * low, 1.0 + 3.0 * high

    @cached_property
    def per_unit(self) -> tuple[float, float]:
        """Pulses up and down for a change of a weight of zero by 1."""
        up, down = (self.cell.step(self.device, sign) for sign in (1, -1))
        if not (up > 0 and down > 0):
            raise InputError("the device has no step at w = 0")
        return 1.0 / up, 1.0 / down

    @cached_property
    def step(self) -> float:
        """Mean size of a step of a weight of zero."""
        up, down = self.per_unit
        return 0.5 * (1.0 / up + 1.0 / down)

    @property
    def levels(self) -> Float[Tensor, " level"]:
        """Evenly spaced weights."""
        return torch.linspace(-1.0, 1.0, LEVELS, device=self.where)

    def same_as(self, other: Any) -> bool:
        """Whether synapses of both kinds are alike."""
        return (
            isinstance(other, PulsedKind)
            and self.device is other.device
            and (self.write, self.settings, self.where) == (other.write, other.settings, other.where)
        )

    def to(self, where: torch.device) -> PulsedKind:
        """The same kind on another torch device."""
        return PulsedKind(self.device, self.write, self.settings, where)

    def with_write(self, write: WriteVerify) -> PulsedKind:
        """The same kind with other write-verify settings."""
        return PulsedKind(self.device, write, self.settings, self.where)

    def draw(self, count: int, generator: torch.Generator | None) -> tuple[Tensor | None, Tensor | None]:
        """Bounds and factors of single devices; None where they do not differ."""
        device = self.device
        if not any((*device.scale_sd, *device.bound_sd)):
            return None, None
        seed = int(
            torch.randint(2**62, (), generator=generator, device=None if generator is None else generator.device)
        )
        found = DeviceSample.draw(device, count, np.random.default_rng(seed), patterns=False)
        bounds = torch.from_numpy(np.stack([found.low, found.high])) if any(device.bound_sd) else None
        factor = torch.from_numpy(found.factor) if any(device.scale_sd) else None
        return tuple(None if x is None else x.to(self.where, torch.float32).contiguous() for x in (bounds, factor))  # type: ignore[return-value]

    def draw_pattern(self, generator: torch.Generator | None) -> Int[Tensor, 2] | None:
        """Key of what single devices have of their own at single weights; None where the device gives none."""
        return None if self.pattern is None else torch.tensor(key_from(generator), device=self.where)

    def pulses_to(self, weight: Float[Tensor, " device"], target: Float[Tensor, " device"]) -> Float[Tensor, " device"]:
        """Signed number of pulses, not rounded, that lead a typical device from a weight to another without noise."""
        number = self._at(0, target) - self._at(0, weight)
        return torch.where(target >= weight, number, self._at(1, target) - self._at(1, weight))

    def _at(self, row: int, weight: Float[Tensor, " device"]) -> Float[Tensor, " device"]:
        cells = self.course.shape[1] - 1
        place = (weight.clamp(-1.0, 1.0) + 1.0) * (0.5 * cells)
        cell = place.to(torch.int64).clamp_(max=cells - 1)
        line = self.course[row]
        return line[cell] + (place - cell) * (line[cell + 1] - line[cell])


FINE = 4096
MOST_PULSES = 1e6
"""Number of pulses that counts as endless: soft bounds are never reached."""


def _course(device: PulsedDevice) -> Float[np.ndarray, "2 fine"]:
    grid = np.linspace(-1.0, 1.0, FINE + 1)
    middle = 0.5 * (grid[1:] + grid[:-1])
    least = 2.0 / FINE / MOST_PULSES * FINE
    # Pulses down count from −1 upwards too, so that a difference has the sign of the movement.
    steps = [np.maximum(np.abs(device.step(middle, sign)), least) for sign in (1, -1)]
    return np.stack([np.concatenate([[0.0], np.cumsum(2.0 / FINE / step)]) for step in steps])
