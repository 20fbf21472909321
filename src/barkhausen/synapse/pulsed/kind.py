"""Kinds of pulsed synapses: the device, its tables as tensors, and how devices make a synapse."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.device import DeviceSample, PulsedDevice
from barkhausen.synapse.faults import FAULT_FREE, Faults
from barkhausen.synapse.pulsed.kernel import Steps
from barkhausen.synapse.write_verify import WriteVerify

Layout = Literal["single", "pair"]

LEVELS = 65
"""Number of evenly spaced weights that stand for the continuous weight of a pulsed synapse where levels are needed."""


@dataclass(frozen=True, eq=False)
class PulsedKind:
    """Device, layout and write-verify of a kind of pulsed synapse.

    Args:
        device: Device moved by pulses.
        write: Write-verify settings: how exactly, and in how many rounds, an array is written.
        layout: ``single``: the weight is that of one device; ``pair``: half the difference of two.
        where: Torch device of the tables.

    Raises:
        InputError: Faults are asked for, or the layout is unknown.
    """

    device: PulsedDevice
    write: WriteVerify
    layout: Layout = "single"
    where: torch.device = field(default_factory=lambda: torch.device("cpu"))
    steps: Steps = field(init=False)
    """Tables of a typical device."""
    course: Float[Tensor, "2 fine"] = field(init=False)
    """Number of pulses up from −1 to each weight of a fine grid, and of pulses down from it to −1, without noise."""

    def __post_init__(self) -> None:
        if self.write.faults != FAULT_FREE or self.write.count_writes:
            raise InputError("a device moved by pulses has no faults and counts no single writes")
        if self.layout not in ("single", "pair"):
            raise InputError(f"layout = {self.layout!r}: must be 'single' or 'pair'")
        tables = (self.device.step_means, self.device.step_sds)
        mean, spread = (torch.from_numpy(table).to(self.where, torch.float32).contiguous() for table in tables)
        object.__setattr__(self, "steps", Steps(mean, spread))
        object.__setattr__(self, "course", torch.from_numpy(_course(self.device)).to(self.where, torch.float32))

    def __deepcopy__(self, memo: dict[int, Any]) -> PulsedKind:
        # A kind never changes, so copies of a network can share it.
        return self

    @property
    def cells(self) -> int:
        """Devices of a synapse."""
        return 1 if self.layout == "single" else 2

    @property
    def weight_range(self) -> tuple[float, float]:
        """Range that weights are shown on: that of nearly all devices."""
        low, high = self.device.bound_sd
        return -1.0 - 3.0 * low, 1.0 + 3.0 * high

    @cached_property
    def per_unit(self) -> tuple[float, float]:
        """Pulses up and down for a change of a weight of zero by 1."""
        up, down = (abs(float(self.device.step(0.0, sign))) / self.cells for sign in (1, -1))
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

    @property
    def margin(self) -> float:
        """Tolerance margin in weight units."""
        return self.write.margin

    @property
    def max_attempts(self) -> int:
        """Largest number of rounds of pulses when an array is written."""
        return self.write.attempts

    @property
    def faults(self) -> Faults:
        """None."""
        return self.write.faults

    def same_as(self, other: Any) -> bool:
        """Whether synapses of both kinds are alike."""
        return (
            isinstance(other, PulsedKind)
            and self.device is other.device
            and (self.write, self.layout, self.where) == (other.write, other.layout, other.where)
        )

    def to(self, where: torch.device) -> PulsedKind:
        """The same kind on another torch device."""
        return PulsedKind(self.device, self.write, self.layout, where)

    def with_write(self, write: WriteVerify) -> PulsedKind:
        """The same kind with other write-verify settings."""
        return PulsedKind(self.device, write, self.layout, self.where)

    def draw(self, count: int, generator: torch.Generator | None) -> tuple[Tensor | None, Tensor | None]:
        """Bounds and factors of single devices; None where they do not differ."""
        device = self.device
        if not any((*device.scale_sd, *device.bound_sd)):
            return None, None
        seed = int(
            torch.randint(2**62, (), generator=generator, device=None if generator is None else generator.device)
        )
        found = DeviceSample.draw(device, count, np.random.default_rng(seed))
        bounds = torch.from_numpy(np.stack([found.low, found.high])) if any(device.bound_sd) else None
        factor = torch.from_numpy(found.factor) if any(device.scale_sd) else None
        return tuple(None if x is None else x.to(self.where, torch.float32).contiguous() for x in (bounds, factor))  # type: ignore[return-value]

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
