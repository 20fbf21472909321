"""Which devices of an array are due for pulses, and the pulses: in compiled code for CPUs, or with torch.

Random numbers are a hash of a key, which a generator gives for each call, of the place of the device and of the number
of the pulse. Both ways draw the same numbers; weights may differ in the last bit, because logarithm and cosine do.
"""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.compiled_library import INTEGER, POINTER, REAL, CompiledLibrary

LIBRARY = Path(__file__).with_name("_pulses.so")
MASK = 0xFFFFFFFF
GOLDEN = 0x9E3779B9

Key = tuple[int, int]
Due = tuple[Int[Tensor, " event"], Int[Tensor, " event"]]


_WORD = ctypes.c_uint32
_LISTS = [POINTER, POINTER]
_TABLES = [POINTER, POINTER, POINTER, INTEGER, POINTER, POINTER, _WORD, _WORD]

library = CompiledLibrary(
    LIBRARY,
    {
        "barkhausen_requested": ([POINTER, POINTER, INTEGER, REAL, REAL, REAL, _WORD, _WORD, *_LISTS], INTEGER),
        "barkhausen_moved": ([POINTER, POINTER, INTEGER, REAL, INTEGER, REAL, *_LISTS], INTEGER),
        "barkhausen_pulse_devices": (
            [POINTER, INTEGER, POINTER, POINTER, INTEGER, *_TABLES, _WORD, _WORD, POINTER, POINTER],
            None,
        ),
    },
)


def key_from(generator: torch.Generator | None) -> Key:
    """A key for one call."""
    where = None if generator is None else generator.device
    low, high = torch.randint(1 << 32, (2,), generator=generator, device=where).tolist()
    return low, high


def _mixed(x: Tensor) -> Tensor:
    x = x ^ (x >> 16)
    x = (x * 0x7FEB352D) & MASK
    x = x ^ (x >> 15)
    x = (x * 0x846CA68B) & MASK
    return x ^ (x >> 16)


def _bits(key: Key, place: Int[Tensor, " event"]) -> Int[Tensor, " event"]:
    return _mixed((_mixed((place ^ key[0]) & MASK) + key[1]) & MASK)


def _uniform(x: Tensor) -> Float[Tensor, " event"]:
    return (x >> 8).to(torch.float32) * 2.0**-24


def _normal(state: Tensor) -> tuple[Float[Tensor, " event"], Int[Tensor, " event"]]:
    """Standard normal numbers from the states of sequences of hashes, and the states after them."""
    first = _mixed((state + GOLDEN) & MASK)
    second = _mixed((first + GOLDEN) & MASK)
    radius = _uniform(first) + 2.0**-25
    return torch.sqrt(-2.0 * torch.log(radius)) * torch.cos(_uniform(second) * (2 * math.pi)), second


@dataclass(frozen=True)
class Steps:
    """Tables of the steps of a device, and the spreads of single devices.

    Args:
        mean, spread: Mean step and its cycle-to-cycle standard deviation by sign (up first) and place on the grid.
        bounds: Lower and upper bound of each device; None for −1 and 1.
        factor: Factor of the steps up and down of each device; None for 1.
        pattern: Standard deviation between devices of the mean step at each place on the grid; None for 0.
        own: Key of the numbers that single devices have there.
    """

    mean: Float[Tensor, "2 grid"]
    spread: Float[Tensor, "2 grid"]
    bounds: Float[Tensor, "2 device"] | None = None
    factor: Float[Tensor, "2 device"] | None = None
    pattern: Float[Tensor, "2 grid"] | None = None
    own: Key = (0, 0)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors that there are."""
        return tuple(x for x in (self.mean, self.spread, self.bounds, self.factor, self.pattern) if x is not None)


class Lists:
    """Room for the devices that are due, kept from one call to the next."""

    def __init__(self) -> None:
        self.index = torch.empty(1 << 11, dtype=torch.int64)
        self.pulses = torch.empty(1 << 11, dtype=torch.int32)

    def make_room(self, found: int) -> None:
        """Make the lists long enough."""
        if found > len(self.index):
            room = max(found, 2 * len(self.index))
            self.index, self.pulses = torch.empty(room, dtype=torch.int64), torch.empty(room, dtype=torch.int32)

    def due(self, found: int) -> Due:
        """The devices found, with the pulses of each."""
        if found < 0:
            raise IndexError("a latent weight that is not a number asks for no number of pulses")
        return self.index[:found], self.pulses[:found]


def _compiled(*tensors: Tensor) -> ctypes.CDLL | None:
    here = all(x.device.type == "cpu" and x.dtype == torch.float32 and x.is_contiguous() for x in tensors)
    return library() if here else None


def requested(  # noqa: PLR0917  # as the compiled code takes them
    wanted: Float[Tensor, " device"],
    held: Float[Tensor, " device"],
    per_unit: tuple[float, float],
    most: int,
    key: Key,
    lists: Lists,
) -> Due:
    """Places and signed numbers of pulses that bring the weights to those wanted, rounded at random to whole numbers.

    Args:
        wanted: Weights that an optimiser asks for; they are set back to those now.
        held: Weights now.
        per_unit: Pulses up and down for a change of weight by 1.
        most: Largest number of pulses.
        key: Key of the random numbers.
        lists: Room for the result, which is valid until the next call.

    Raises:
        IndexError: A weight is not a number.
    """
    compiled = _compiled(wanted, held)
    if compiled is not None:
        lists.make_room(len(wanted))
        found = compiled.barkhausen_requested(
            wanted.data_ptr(), held.data_ptr(), len(wanted), *per_unit, most, *key,
            lists.index.data_ptr(), lists.pulses.data_ptr(),
        )  # fmt: skip
        return lists.due(found)
    change = wanted - held
    exact = change.abs() * torch.where(change > 0, *per_unit)
    place = torch.arange(len(change), device=change.device)
    number = torch.floor(exact + _uniform(_bits(key, place))).clamp_(max=most)
    due = _listed(torch.copysign(number, change))
    wanted.copy_(held)
    return due


def moved(
    latent: Float[Tensor, " device"],
    mark: Float[Tensor, " device"],
    quantum: float,
    most: int,
    lists: Lists,
    *,
    blind: bool,
) -> Due:
    """Places and signed numbers of pulses of the latent weights that have moved by more than a quantum.

    Args:
        latent: Latent weights.
        mark: What their movement is counted from; it is moved on.
        quantum: Movement of one pulse.
        most: Largest number of pulses.
        lists: Room for the result, which is valid until the next call.
        blind: Whether there is one pulse, however far it has moved.

    Raises:
        IndexError: A weight is not a number.
    """
    compiled = _compiled(latent, mark)
    if compiled is not None:
        lists.make_room(len(latent))
        found = compiled.barkhausen_moved(
            latent.data_ptr(), mark.data_ptr(), len(latent), quantum, int(blind), most,
            lists.index.data_ptr(), lists.pulses.data_ptr(),
        )  # fmt: skip
        return lists.due(found)
    distance = latent - mark
    due = distance.abs() > quantum
    number = torch.sign(distance) if blind else torch.trunc(distance / quantum).clamp_(-most, most)
    number = torch.where(due, number, 0.0)
    mark.copy_(torch.where(due, latent, mark) if blind else mark + number * quantum)
    return _listed(number)


def _listed(number: Float[Tensor, " device"]) -> Due:
    if not bool(number.isfinite().all()):
        raise IndexError("a latent weight that is not a number asks for no number of pulses")
    index = number.nonzero().squeeze(1)
    return index, number.index_select(0, index).to(torch.int32)


def with_pattern(
    step: Float[Tensor, " event"], steps: Steps, index: Int[Tensor, " event"], at: tuple[Tensor | int, Tensor, Tensor]
) -> Float[Tensor, " event"]:
    """Mean steps with what single devices have of their own; none is against its pulse.

    Args:
        step: Mean steps of a typical device.
        steps: Tables, which have a pattern.
        index: Places of the devices.
        at: Row of the sign, point of the grid, and part of the way to the next one.
    """
    assert steps.pattern is not None
    row, cell, part = at
    device, grid = _bits(steps.own, index), steps.pattern.shape[1]
    first, second = (
        steps.pattern[row, point] * _normal((device + GOLDEN * (row * grid + point + 1)) & MASK)[0]
        for point in (cell, cell + 1)
    )
    found = step + (first + part * (second - first))
    rises = torch.as_tensor(row == 0, device=step.device)
    return torch.where((found > 0) == rises, found, torch.zeros_like(found))


def pulse(  # noqa: PLR0917  # as the compiled code takes them
    weight: Float[Tensor, " device"],
    index: Int[Tensor, " event"],
    pulses: Int[Tensor, " event"],
    steps: Steps,
    key: Key,
    counts: Int[Tensor, 2],
    follow: Float[Tensor, " device"] | None = None,
) -> None:
    """Apply pulses to devices, in place.

    Args:
        weight: Weights of all devices.
        index: Places of the devices, each once.
        pulses: Signed number of pulses of each.
        steps: Tables of the steps.
        key: Key of the random numbers.
        counts: Numbers of pulses up and down, to which these are added.
        follow: Tensor that gets the new weights of these devices too.
    """
    compiled = _compiled(weight, *steps.tensors, *(() if follow is None else (follow,)))
    if compiled is not None:
        compiled.barkhausen_pulse_devices(
            weight.data_ptr(), len(weight), index.data_ptr(), pulses.data_ptr(), len(index),
            steps.mean.data_ptr(), steps.spread.data_ptr(),
            None if steps.pattern is None else steps.pattern.data_ptr(), steps.mean.shape[1],
            None if steps.bounds is None else steps.bounds.data_ptr(),
            None if steps.factor is None else steps.factor.data_ptr(), *steps.own, *key,
            counts.data_ptr(), None if follow is None else follow.data_ptr(),
        )  # fmt: skip
        return
    w, row, left = weight.index_select(0, index), (pulses < 0).to(torch.int64), pulses.abs()
    one = torch.ones_like(w)
    low = -one if steps.bounds is None else steps.bounds[0].index_select(0, index)
    high = one if steps.bounds is None else steps.bounds[1].index_select(0, index)
    factor = one if steps.factor is None else steps.factor[row, index]
    cells, state = steps.mean.shape[1] - 1, _bits(key, index)
    for number in range(int(left.max()) if len(left) else 0):
        place = ((w - low) * (cells / (high - low))).clamp_(0, cells)
        cell = place.to(torch.int64).clamp_(max=cells - 1)
        part = place - cell
        step, spread = (
            table[row, cell] + part * (table[row, cell + 1] - table[row, cell]) for table in (steps.mean, steps.spread)
        )
        if steps.pattern is not None:
            step = with_pattern(step, steps, index, (row, cell, part))
        xi, state = _normal(state)
        moved_to = (w + factor * (step + spread * xi.to(w.dtype))).clamp(low, high)
        w = torch.where(left > number, moved_to, w)
    weight.index_copy_(0, index, w)
    if follow is not None:
        follow.index_copy_(0, index, w)
    whole, net = left.sum(dtype=torch.int64), pulses.sum(dtype=torch.int64)
    counts += torch.stack([whole + net, whole - net]) // 2
