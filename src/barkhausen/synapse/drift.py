"""Drift of programmed devices by thermal agitation while a network waits: retention at any temperature.

Each device of the characterisation has, in each state k, a rate of escape 1/tau_k = f0_k exp(−E_k/kB T) and a side to
which the wall leaves (the lower barrier's). A wall that leaves comes to rest in the next state on that side, or beyond
the outermost states at the end of the track, where it stays. So states are a Markov chain in continuous time, whose
transition probabilities after a time t are exp(Q t); every synapse is one of the characterised devices, drawn at
random once for all waits (where each device has its own noise, the one whose noise it has), and its wall is moved
accordingly. A wall whose weight is that of an end of the track stays there, and a stuck one where it is.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN
from barkhausen.device import CharacterisedDevice
from barkhausen.device.statistics.resampling import seen_in_every_state
from barkhausen.synapse.array import SynapseArray

FASTEST = 1e12
"""Rate in Hz of a wall that no barrier holds."""

SMALL = 1e-3
"""Greatest rate times time of the step that is repeated by squaring."""

END = 1e-6
"""A weight this near to that of an end of the track is that of a wall at the end."""

VARIABLES = ("barrier", "attempt_frequency", "escape_direction")


def escape_rates(device: CharacterisedDevice, temperature: float | None = None) -> Float[np.ndarray, "state device"]:
    """Rate in Hz at which a wall leaves each state of each characterised device.

    Args:
        device: whose file has barriers and attempt frequencies
            (:func:`barkhausen.device.domain_wall.stability.stability`).
        temperature: in K; that of the characterisation by default. Barriers and attempt frequencies are taken as
            they are, though a film softens when it is heated.

    Raises:
        InputError: the file has no barriers, or the temperature is not positive.
    """
    for name in VARIABLES:
        if name not in device.data:
            raise InputError(
                f"drift: the device file has no {name!r}; `barkhausen characterize` writes it, an imported or textbook "
                "device has none"
            )
    heat = device.data.attrs.get("temperature") if temperature is None else temperature
    if heat is None:
        raise InputError("drift: the device file does not say its temperature; give one, in K")
    heat = float(heat)
    if not (math.isfinite(heat) and heat > 0):
        raise InputError(f"temperature = {heat}: must be positive, in K")
    barrier, frequency = (_by_state(device, name) for name in VARIABLES[:2])
    with np.errstate(over="ignore"):
        rate = frequency * np.exp(-barrier / (BOLTZMANN * heat))
    # Without an attempt frequency there is no barrier to speak of; without a barrier nothing is known of this state
    # of this device, and it is given the median of the state.
    rate = np.where(np.isnan(frequency) & ~np.isnan(barrier), FASTEST, rate).clip(max=FASTEST)
    unknown = np.isnan(rate).all(axis=1)
    if unknown.any():
        raise InputError(f"drift: the device file has no barrier at all for state {int(unknown.argmax())}")
    known = np.nanmedian(rate, axis=1, keepdims=True)
    return np.where(np.isnan(rate), known, rate)


def transitions(
    device: CharacterisedDevice, seconds: float, temperature: float | None = None
) -> Float[np.ndarray, "device place place"]:
    """Probability that a wall is at each place after ``seconds``, by the place where it was.

    The places are the left end of the track, the states, and the right end.

    Raises:
        InputError: as :func:`escape_rates`, or the time is negative.
    """
    if not (math.isfinite(seconds) and seconds >= 0):
        raise InputError(f"seconds = {seconds}: must be a time in s, zero or positive")
    return _chain(device, escape_rates(device, temperature), seconds)


def _chain(
    device: CharacterisedDevice, rate: Float[np.ndarray, "state device"], seconds: float
) -> Float[np.ndarray, "device place place"]:
    """Transition probabilities of walls that leave their states at given rates."""
    states, devices = rate.shape
    side = _by_state(device, "escape_direction")
    # Where it is not known, that of most devices.
    most = np.where(np.nansum(side, axis=1, keepdims=True) < 0, -1, 1)
    direction = np.where(np.isnan(side), most, np.where(side < 0, -1, 1))
    generator = np.zeros((devices, states + 2, states + 2))
    for state in range(states):
        at = state + 1
        generator[np.arange(devices), at, at + direction[state]] = rate[state]
    fastest = float(rate.max()) * seconds
    doublings = max(0, math.ceil(math.log2(fastest / SMALL))) if fastest > SMALL else 0
    # Uniformisation: with q the greatest rate, exp(Q t) = exp(−q t) exp(Q t + q t), whose second factor has no negative
    # entry. Probabilities keep their digits however small they are, since nothing but the chance to stay is ever
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


def _by_state(device: CharacterisedDevice, name: str) -> Float[np.ndarray, "state device"]:
    values: Float[np.ndarray, "state device"] = device.data[name].transpose("state", "device").values
    return values


def _normalised(rows: Float[np.ndarray, "device place place"]) -> Float[np.ndarray, "device place place"]:
    total: Float[np.ndarray, "device place one"] = rows.sum(axis=-1, keepdims=True)
    shares: Float[np.ndarray, "device place place"] = rows / total
    return shares


@torch.no_grad()
def drift(
    array: SynapseArray, seconds: float, temperature: float | None = None, generator: torch.Generator | None = None
) -> float:
    """Let the walls of an array wait for ``seconds``; weights and states change in place.

    A wall that came to rest in another state has a weight drawn as if it had been programmed there.

    Args:
        array: programmed synapses.
        seconds: how long.
        temperature: in K; that of the characterisation by default.
        generator: of what happens.

    Returns:
        The share of walls that moved.

    Raises:
        InputError: as :func:`transitions`.
    """
    return _move(array, transitions(array.kind.device, seconds, temperature), generator)


@torch.no_grad()
def disturb(
    array: SynapseArray, reads: float, read_time: float | None = None, generator: torch.Generator | None = None
) -> float:
    """Read every device of an array so many times; weights and states change in place where a read moves a wall.

    A wall is moved as by :func:`drift`, by reads in place of time: out of state k with the probability ``read_disturb``
    of the device file at each read, to the side of the lower barrier.

    Args:
        array: programmed synapses.
        reads: of each device, at the read voltage of the device file.
        read_time: of one read in s; that of the device file by default.
        generator: of what happens.

    Returns:
        The share of walls that moved.

    Raises:
        InputError: the device file has no ``read_disturb`` or no sides, or a negative number of reads.
    """
    device = array.kind.device
    for name in ("read_disturb", "escape_direction"):
        if name not in device.data:
            raise InputError(f"disturb: the device file has no {name!r}; `barkhausen characterize` writes it")
    if not (math.isfinite(reads) and reads >= 0):
        raise InputError(f"reads = {reads}: must be zero or positive")
    probability = device.data["read_disturb"].values.astype(np.float64)
    # Of a state of which nothing is known: the mean of the others.
    probability = np.where(np.isnan(probability), np.nanmean(probability), probability).clip(max=1 - 1e-12)
    share = 1.0 if read_time is None else read_time / device.read_out.time
    rate = np.repeat(-np.log1p(-probability)[:, None] * share, device.data.sizes["device"], axis=1)
    return _move(array, _chain(device, rate, reads), generator)


def _move(
    array: SynapseArray, transition: Float[np.ndarray, "device place place"], generator: torch.Generator | None
) -> float:
    """Move the walls by these probabilities; return the share that moved."""
    where = array.weight.device
    chance = torch.as_tensor(transition, device=where)
    devices, places, _ = chance.shape
    state, held = array.state.view(-1).long(), array.weight.view(-1)
    low, high = array.kind.weight_range
    start = torch.where(held <= low + END, 0, torch.where(held >= high - END, places - 1, state + 1))
    luck = torch.rand(state.shape, generator=generator, device=where, dtype=torch.float64)
    edges = chance.cumsum(-1)
    place = (luck[:, None] > edges[_characterised(array) % devices, start]).sum(1).clamp_(max=places - 1)
    moved = place != start
    if array.stuck is not None:
        moved &= ~array.stuck.view(-1)
    target = (place - 1).clamp(0, places - 3)
    weight = array.draw(target, generator).to(array.weight.dtype)
    weight = torch.where(place == 0, low, torch.where(place == places - 1, high, weight)).to(array.weight.dtype)
    array.weight.copy_(torch.where(moved, weight, held).view(array.weight.shape))
    array.state.copy_(torch.where(moved, target, state).to(torch.uint8).view(array.state.shape))
    return float(moved.double().mean())


def _characterised(array: SynapseArray) -> Int[Tensor, " synapse"]:
    """Which of the characterised devices every synapse is, the same at every call."""
    device = array.device_index.view(-1).long()
    if array.origins is None:
        return device
    complete = torch.as_tensor(
        np.flatnonzero(seen_in_every_state(array.kind.device.state_values)), device=device.device
    )
    return complete[array.origins[device]]
