"""Thermal drift of programmed devices over time: loss of retention at any temperature.

Each characterised device has, in each state k, an escape rate to each side (:mod:`.escape`): 1/tau_k = f0_k
exp(−E_k/kB T) to the side of the lower barrier, and to the other side as well where the file knows both barriers. An
escaping wall comes to rest in the next state in that direction or, from an outermost state, at the end of the track,
where it stays. The states are thus a continuous-time Markov chain, whose transition
probabilities after a time t are exp(Q t). Every synapse is assigned one of the characterised devices, drawn at random
once and kept for all later calls (where devices differ in their noise, the one that gives its noise), and its wall
moves with that device's probabilities. A wall at an end of the track stays there, and a stuck wall stays where it is.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice
from barkhausen.device.statistics.resampling import seen_in_every_state
from barkhausen.synapse.array import SynapseArray
from barkhausen.synapse.escape import Escape, escape_of, escape_rates, lower_side

__all__ = ["disturb", "drift", "escape_rates", "transitions"]

SMALL = 1e-3
"""Largest product of rate and time of the initial step, which is then squared repeatedly."""

END = 1e-6
"""Distance in weight units within which a wall counts as being at the end of the track."""


def transitions(
    device: CharacterisedDevice, seconds: float, temperature: float | None = None, *, escape: Escape | None = None
) -> Float[np.ndarray, "device place place"]:
    """Probability that a wall is at each place after ``seconds``, given its initial place.

    The places are the left end of the track, the states, and the right end.

    Args:
        device: Device.
        seconds: Time in s.
        temperature: Temperature in K. Default: that of the characterisation.
        escape: Rates, where they are at hand; then the temperature is theirs.

    Raises:
        InputError: As :func:`.escape_of`, or the time is negative.
    """
    if not (math.isfinite(seconds) and seconds >= 0):
        raise InputError(f"seconds = {seconds}: must be a time in s, zero or positive")
    if escape is None:
        escape = escape_of(device, temperature)
    if seconds not in escape.known:
        # Every layer of every chip waits for the same times.
        escape.known[seconds] = _chain(escape.left, escape.right, seconds)
    return escape.known[seconds]


def _chain(
    left: Float[np.ndarray, "state device"], right: Float[np.ndarray, "state device"], seconds: float
) -> Float[np.ndarray, "device place place"]:
    """Transition probabilities of walls for given escape rates to either side."""
    states, devices = left.shape
    generator = np.zeros((devices, states + 2, states + 2))
    for state in range(states):
        at = state + 1
        generator[:, at, at - 1], generator[:, at, at + 1] = left[state], right[state]
    fastest = float((left + right).max()) * seconds
    doublings = max(0, math.ceil(math.log2(fastest / SMALL))) if fastest > SMALL else 0
    # Uniformisation: with q the greatest rate, exp(Q t) = exp(−q t) exp(Q t + q t), whose second factor has no negative
    # entry. Probabilities keep their digits however small they are, since only the probability of staying is ever
    # subtracted, and rows are made to sum to one (which stands for the first factor) after each squaring.
    move = generator * (seconds / 2.0**doublings)
    leave = move.sum(axis=-1)
    places = np.arange(states + 2)
    move[:, places, places] = leave.max() - leave
    twice = move @ move
    whole = _normalised(np.eye(states + 2) + move + twice / 2 + twice @ move / 6)
    for _ in range(doublings):
        whole = _normalised(whole @ whole)
    return whole


def _normalised(rows: Float[np.ndarray, "device place place"]) -> Float[np.ndarray, "device place place"]:
    total: Float[np.ndarray, "device place one"] = rows.sum(axis=-1, keepdims=True)
    shares: Float[np.ndarray, "device place place"] = rows / total
    return shares


@torch.no_grad()
def drift(
    array: SynapseArray,
    seconds: float,
    temperature: float | None = None,
    generator: torch.Generator | None = None,
    *,
    escape: Escape | None = None,
) -> float:
    """Let the walls of an array drift for ``seconds``; weights and states change in place.

    The weight of a wall that moved to another state is drawn as if it had been programmed to that state.

    Args:
        array: Programmed synapses.
        seconds: Waiting time in s.
        temperature: Temperature in K. Default: that of the characterisation.
        generator: Random stream of the transitions.
        escape: Rates, where they are at hand (:func:`.escape_of`); then the temperature is theirs.

    Returns:
        Fraction of walls that moved.

    Raises:
        InputError: As :func:`transitions`.
    """
    moved = move(array, transitions(array.kind.device, seconds, temperature, escape=escape), generator)
    return float(moved.double().mean())


@torch.no_grad()
def disturb(
    array: SynapseArray, reads: float, read_time: float | None = None, generator: torch.Generator | None = None
) -> float:
    """Read every device of an array ``reads`` times; weights and states change in place where a read moves a wall.

    Walls move as in :func:`drift`, with reads in place of time: each read moves a wall out of state k with the
    probability ``read_disturb`` of the device file, in the direction of the lower barrier.

    Args:
        array: Programmed synapses.
        reads: Number of reads of each device at the read voltage of the device file.
        read_time: Duration of one read in s. Default: that of the device file.
        generator: Random stream of the transitions.

    Returns:
        Fraction of walls that moved.

    Raises:
        InputError: The device file has no ``read_disturb`` or no escape directions, or the number of reads is negative.
    """
    device = array.kind.device
    for name in ("read_disturb", "escape_direction"):
        if name not in device.data:
            raise InputError(f"disturb: the device file has no {name!r}; `barkhausen characterize` writes it")
    if not (math.isfinite(reads) and reads >= 0):
        raise InputError(f"reads = {reads}: must be zero or positive")
    probability = device.data["read_disturb"].values.astype(np.float64)
    # A state without a known probability gets the mean of the others.
    probability = np.where(np.isnan(probability), np.nanmean(probability), probability).clip(max=1 - 1e-12)
    share = 1.0 if read_time is None else read_time / device.read_out.time
    rate = np.repeat(-np.log1p(-probability)[:, None] * share, device.data.sizes["device"], axis=1)
    to_left = lower_side(device) < 0
    moved = move(array, _chain(rate * to_left, rate * ~to_left, reads), generator)
    return float(moved.double().mean())


def move(
    array: SynapseArray, transition: Float[np.ndarray, "device place place"], generator: torch.Generator | None
) -> Bool[Tensor, " synapse"]:
    """Move the walls of an array with the probabilities of :func:`transitions`, and return which of them moved."""
    where = array.weight.device
    chance = torch.as_tensor(transition, device=where)
    devices, places, _ = chance.shape
    state, held = array.state.view(-1).long(), array.weight.view(-1)
    low, high = array.kind.weight_range
    start = torch.where(held <= low + END, 0, torch.where(held >= high - END, places - 1, state + 1))
    luck = torch.rand(state.shape, generator=generator, device=where, dtype=torch.float64)
    edges = chance.cumsum(-1)
    row = (characterised_rows(array) % devices).index_select(0, array.device_index.view(-1).long())
    place = (luck[:, None] > edges[row, start]).sum(1).clamp_(max=places - 1)
    moved = place != start
    if array.stuck is not None:
        moved &= ~array.stuck.view(-1)
    target = (place - 1).clamp(0, places - 3)
    weight = array.draw(target, generator).to(array.weight.dtype)
    weight = torch.where(place == 0, low, torch.where(place == places - 1, high, weight)).to(array.weight.dtype)
    array.weight.copy_(torch.where(moved, weight, held).view(array.weight.shape))
    array.state.copy_(torch.where(moved, target, state).to(torch.uint8).view(array.state.shape))
    return moved


def characterised_rows(array: SynapseArray) -> Int[Tensor, " device"]:
    """Index of the characterised device of each device of an array's population, the same at every call.

    Modulo the number of characterised devices.
    """
    where = array.weight.device
    if array.origins is None:
        return torch.arange(len(array.centres), device=where)
    complete = torch.as_tensor(np.flatnonzero(seen_in_every_state(array.kind.device.state_values)), device=where)
    return complete[array.origins]
