"""Cells of several devices: their weight, and how pulses are shared, weights written, devices refreshed or carried."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.registry import Registry
from barkhausen.device import PulsedDevice
from barkhausen.device.pulses.cell import PulsedCell
from barkhausen.synapse.pulsed.kernel import MASK, Key

if TYPE_CHECKING:
    from barkhausen.synapse.pulsed.array import PulsedArray

Held = Float[Tensor, "cell event"]
Train = tuple[int, Tensor]
"""Number of a device of the cell, and the signed number of pulses for it in each synapse."""

PulsesTo = Callable[[Tensor, Tensor], Tensor]
"""Signed number of pulses, not rounded, that lead a typical device from a weight to another."""

LONGEST_TRAIN = 1024
"""Largest number of pulses that one round of writing gives a device; our assumption."""

FLOOR = -0.9
"""Weight to which a refresh brings a device by pulses down; a soft lower bound is never reached. Our assumption."""


class Cell(ABC):
    """Devices of one synapse and their factors in its weight.

    Args:
        settings: Settings of the cell.
    """

    def __init__(self, settings: PulsedCell) -> None:
        self.settings = settings

    @property
    @abstractmethod
    def values(self) -> tuple[float, ...]:
        """Factor of each device in the weight."""

    fresh: float | None = None
    """Weight of a fresh device; None: its lower bound."""

    upkeep_name: str = ""
    """What :meth:`upkeep` is called; empty where devices need none."""

    @abstractmethod
    def step(self, device: PulsedDevice, sign: int) -> float:
        """Mean size of the change of a weight by one pulse, with the pulsed device in the middle of its range."""

    @abstractmethod
    def shares(self, held: Held, pulses: Int[Tensor, " event"]) -> list[Train]:
        """Pulses of each device, for signed numbers of pulses of the synapses."""

    @abstractmethod
    def trains(self, held: Held, goal: Float[Tensor, " event"], to: PulsesTo, *, first: bool) -> list[Train]:
        """Pulses that lead from the weights of the devices to a weight, not rounded.

        Args:
            held: Weights of the devices.
            goal: Weights that are wanted.
            to: Pulses of a typical device.
            first: Whether the devices are fresh.
        """

    def upkeep(self, array: PulsedArray, key: Key) -> None:
        """Bring devices back into their range where they have left the middle part of it."""
        raise NotImplementedError

    def weight(self, held: Held) -> Float[Tensor, " event"]:
        """Weight of synapses from those of their devices."""
        values = self.values
        total = held[0] * values[0]
        for row, value in zip(held[1:], values[1:], strict=True):
            total = total.add_(row, alpha=value)
        return total


class Single(Cell):
    """One device, which is the weight."""

    values = (1.0,)

    def step(self, device: PulsedDevice, sign: int) -> float:
        """Step of the device."""
        return abs(float(device.step(0.0, sign)))

    def shares(self, held: Held, pulses: Int[Tensor, " event"]) -> list[Train]:
        """All pulses to the device."""
        return [(0, pulses)]

    def trains(self, held: Held, goal: Float[Tensor, " event"], to: PulsesTo, *, first: bool) -> list[Train]:
        """One train."""
        return [(0, to(held[0], goal))]


class Pair(Cell):
    """Half the difference of two devices, which are pulsed in turn, one up and the other down."""

    values = (0.5, -0.5)
    fresh = 0.0

    def step(self, device: PulsedDevice, sign: int) -> float:
        """Half a step of a device."""
        return 0.5 * abs(float(device.step(0.0, sign)))

    def shares(self, held: Held, pulses: Int[Tensor, " event"]) -> list[Train]:
        """Pulses to both in turn, the first to the device that has more room."""
        sign = torch.sign(pulses)
        # What is left for the first device to go in its direction, and for the second in the other.
        roomy = (1.0 - sign * held[0]) >= (1.0 + sign * held[1])
        whole = pulses.abs()
        more, less = (whole + 1) // 2, whole // 2
        return [(0, torch.where(roomy, more, less) * sign), (1, torch.where(roomy, less, more) * -sign)]

    def trains(self, held: Held, goal: Float[Tensor, " event"], to: PulsesTo, *, first: bool) -> list[Train]:
        """Twice the pulses of a single device of the same weight."""
        needed = torch.round(2.0 * to(self.weight(held), goal))
        return self.shares(held, needed.clamp_(-LONGEST_TRAIN, LONGEST_TRAIN))


class OneSided(Cell):
    """Half the difference of two devices that are pulsed up alone, and refreshed when one nears its upper bound.

    A refresh reads every synapse. Where a device is beyond the threshold, both get a train of pulses down to −0.9, are
    read again, and the one that has to be higher gets the pulses up that restore the weight.
    """

    values = (0.5, -0.5)
    upkeep_name = "refresh"

    def step(self, device: PulsedDevice, sign: int) -> float:
        """Half a step up of a device, for both signs."""
        return 0.5 * abs(float(device.step(0.0, 1)))

    def shares(self, held: Held, pulses: Int[Tensor, " event"]) -> list[Train]:
        """Pulses up to the first device, pulses down as pulses up to the second."""
        return [(0, pulses.clamp(min=0)), (1, (-pulses).clamp(min=0))]

    def trains(self, held: Held, goal: Float[Tensor, " event"], to: PulsesTo, *, first: bool) -> list[Train]:
        """Pulses up to one of both, as far as its upper bound."""
        change = 2.0 * (goal - self.weight(held))
        return [(row, to(held[row], held[row] + (sign * change).clamp(min=0.0))) for row, sign in ((0, 1.0), (1, -1.0))]

    @torch.no_grad()
    def upkeep(self, array: PulsedArray, key: Key) -> None:
        """Refresh pairs of which a device is beyond the threshold."""
        cells, to = array.devices_of_cells(), array.kind.pulses_to
        array.counters.upkeep_reads += cells.numel()
        worn = (cells.amax(dim=0) > 2.0 * self.settings.threshold - 1.0).nonzero().squeeze(1)
        if not len(worn):
            return
        held = cells.index_select(1, worn)
        weight = self.weight(held)
        floor = torch.full_like(weight, FLOOR)
        array.give(worn, [(row, to(held[row], floor).clamp(max=0.0)) for row in (0, 1)], key, upkeep=True)
        array.counters.upkeep_reads += held.numel()
        after = cells.index_select(1, worn)
        array.give(worn, self.trains(after, weight, to, first=False), other_key(key), upkeep=True)


class Places(Cell):
    """A sum over several devices, each times its place value; pulses go to the last, the least significant.

    A carry reads every device but the first. Where one is beyond the threshold, the next more significant device is
    read and gets the whole pulses that its share of the weight comes to; it is read again, and a train of pulses takes
    from the less significant one what the other has really moved by.
    """

    upkeep_name = "carry"

    @property
    def values(self) -> tuple[float, ...]:
        """Place values with a sum of 1."""
        given = self.settings.place_values
        return tuple(value / sum(given) for value in given)

    def step(self, device: PulsedDevice, sign: int) -> float:
        """A step of the least significant device."""
        return self.values[-1] * abs(float(device.step(0.0, sign)))

    def shares(self, held: Held, pulses: Int[Tensor, " event"]) -> list[Train]:
        """All pulses to the least significant device."""
        return [(len(held) - 1, pulses)]

    def trains(self, held: Held, goal: Float[Tensor, " event"], to: PulsesTo, *, first: bool) -> list[Train]:
        """Of fresh devices: to each what the more significant ones cannot hold. Else: all to the least significant
        device that has room for it."""
        values, found, left = self.values, [], goal
        if first:
            for row, value in enumerate(values):
                wanted = (left / value).clamp(-1.0, 1.0)
                found.append((row, to(held[row], wanted)))
                left = left - value * wanted
            return found
        left = goal - self.weight(held)
        open_ = torch.ones_like(left, dtype=torch.bool)
        for row in reversed(range(len(values))):
            wanted = held[row] + left / values[row]
            mine = open_ & ((wanted.abs() <= 1.0) | (row == 0))
            found.append((row, torch.where(mine, to(held[row], wanted.clamp(-1.0, 1.0)), 0.0)))
            open_ &= ~mine
        return found

    @torch.no_grad()
    def upkeep(self, array: PulsedArray, key: Key) -> None:
        """Carry from devices that are beyond the threshold to the next more significant ones."""
        cells, to, values = array.devices_of_cells(), array.kind.pulses_to, self.values
        for row in range(len(values) - 1, 0, -1):
            ratio, key = values[row - 1] / values[row], other_key(key)
            array.counters.upkeep_reads += cells.shape[1]
            full = (cells[row].abs() > self.settings.threshold).nonzero().squeeze(1)
            before = cells[row - 1].index_select(0, full)
            mine = cells[row].index_select(0, full)
            carried = torch.trunc(to(before, (before + mine / ratio).clamp(-1.0, 1.0)))
            array.counters.upkeep_reads += 2 * len(full)
            array.give(full, [(row - 1, carried)], key, upkeep=True)
            moved = cells[row - 1].index_select(0, full) - before
            array.give(full, [(row, to(mine, (mine - moved * ratio).clamp(-1.0, 1.0)))], key, upkeep=True)


LAYOUTS: Registry[type[Cell]] = Registry("layout of a synapse", "layout")
"""Cells by the name of their layout (:class:`.PulsedCell`)."""

for _name, _cell in (("single", Single), ("pair", Pair), ("one-sided", OneSided), ("places", Places)):
    LAYOUTS.register(_name, _cell)


def other_key(key: Key) -> Key:
    """A key of other random numbers."""
    return (key[0] ^ 0x9E3779B9) & MASK, (key[1] + 0x85EBCA6B) & MASK


def whole(trains: Sequence[Train]) -> list[Train]:
    """Trains of whole numbers of pulses, at most :data:`LONGEST_TRAIN`.

    Args:
        trains: Trains, perhaps of fractions of pulses.
    """
    limit = LONGEST_TRAIN
    return [(row, torch.round(pulses.float()).clamp_(-limit, limit).to(torch.int32)) for row, pulses in trains]
