"""What thermal agitation does to programmed walls while a network waits: retention, at any temperature.

Each device of the characterisation has, in each state k, a rate of escape 1/tau_k = f0_k exp(−E_k/kB T) and a side to
which the wall leaves (the lower barrier's). A wall that leaves comes to rest in the next state on that side, or beyond
the outermost states at the end of the track, where it stays. So states are a Markov chain in continuous time, whose
transition probabilities after a time t are exp(Q t); every synapse is one of the characterised devices, drawn at
random, and its wall is moved accordingly.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float

from barkhausen.device import CharacterisedDevice
from barkhausen.errors import InputError
from barkhausen.synapse.array import SynapseArray

BOLTZMANN = 1.380649e-23
FASTEST = 1e12
"""Rate in Hz of a wall that no barrier holds."""

SMALL = 1e-3
"""Greatest rate times time of the step that is repeated by squaring."""

VARIABLES = ("barrier", "attempt_frequency", "escape_direction")


def escape_rates(device: CharacterisedDevice, temperature: float | None = None) -> Float[np.ndarray, "state device"]:
    """Rate in Hz at which a wall leaves each state of each characterised device.

    Args:
        device: whose file has barriers and attempt frequencies (:func:`barkhausen.device.stability.stability`).
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
    heat = float(device.data.attrs["temperature"]) if temperature is None else temperature
    if not (math.isfinite(heat) and heat > 0):
        raise InputError(f"temperature = {heat}: must be positive, in K")
    barrier = device.data["barrier"].values
    frequency = device.data["attempt_frequency"].values
    with np.errstate(over="ignore"):
        rate = frequency * np.exp(-barrier / (BOLTZMANN * heat))
    # Without an attempt frequency there is no barrier to speak of; without a barrier nothing is known of this state
    # of this device, and it is given the median of the state.
    rate = np.where(np.isnan(frequency) & ~np.isnan(barrier), FASTEST, rate).clip(max=FASTEST)
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
    rate = escape_rates(device, temperature)
    states, devices = rate.shape
    direction = np.where(device.data["escape_direction"].values < 0, -1, 1)
    generator = np.zeros((devices, states + 2, states + 2))
    for state in range(states):
        at = state + 1
        generator[np.arange(devices), at, at + direction[state]] = rate[state]
    fastest = float(rate.max()) * seconds
    doublings = max(0, math.ceil(math.log2(fastest / SMALL))) if fastest > SMALL else 0
    # Jumps in a step so short that two are rare; their probabilities keep their digits however small they are, since
    # nothing is ever subtracted from one, and rows are made to sum to one after each squaring.
    move = generator * (seconds / 2.0**doublings)
    whole = _normalised(np.eye(states + 2) + move + 0.5 * move @ move)
    for _ in range(doublings):
        whole = _normalised(whole @ whole)
    return whole


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
    where = array.weight.device
    chance = torch.as_tensor(transitions(array.kind.device, seconds, temperature), device=where)
    devices, places, _ = chance.shape
    state = array.state.view(-1).long()
    which = torch.randint(devices, state.shape, generator=generator, device=where)
    luck = torch.rand(state.shape, generator=generator, device=where, dtype=torch.float64)
    edges = chance.cumsum(-1)
    place = (luck[:, None] > edges[which, state + 1]).sum(1).clamp_(max=places - 1)
    moved = place != state + 1
    low, high = array.kind.weight_range
    target = (place - 1).clamp(0, places - 3)
    weight = array.draw(target, generator).to(array.weight.dtype)
    weight = torch.where(place == 0, low, torch.where(place == places - 1, high, weight)).to(array.weight.dtype)
    array.weight.copy_(torch.where(moved, weight, array.weight.view(-1)).view(array.weight.shape))
    array.state.copy_(torch.where(moved, target, state).to(torch.uint8).view(array.state.shape))
    return float(moved.double().mean())
