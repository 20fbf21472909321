"""Figures of merit of a skyrmion memory, from its device file and its history."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Int

from barkhausen.device.categories.device import CategoricalDevice
from barkhausen.device.skyrmion.parameters import SkyrmionParameters
from barkhausen.device.skyrmion.textures import STATE_NAMES, STATES
from barkhausen.device.skyrmion.transitions import HOLD, POLICY, energies, succeeded
from barkhausen.device.statistics.shares import wilson

FEMTO = 1e15
FROM = {0: "up", 1: "down", 2: "skyrmion, core down", 3: "skyrmion, core up"}
"""Categories that are states, in words."""


@dataclass(frozen=True)
class Transition:
    """One transition, or one hold.

    Attributes:
        category: Category that the disc is in.
        state: State that is wanted.
        good, events: Events that ended there, and all.
        energy: Energy in J of its pulses.
        pulses: Number of its pulses.
    """

    category: int
    state: int
    good: int
    events: int
    energy: float
    pulses: int

    @property
    def label(self) -> str:
        """The transition in words."""
        if STATES[self.category] == self.state:
            return f"{FROM[self.category]}: hold"
        return f"{FROM[self.category]} to {STATE_NAMES[self.state]}"

    @property
    def holds(self) -> bool:
        """Whether no pulse is applied."""
        return STATES[self.category] == self.state

    @property
    def share(self) -> float:
        """Share of the events that ended in the wanted state."""
        return self.good / self.events if self.events else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the probability."""
        return wilson(self.good, self.events)


def transitions(
    counts: Int[np.ndarray, "sequence category category"], parameters: SkyrmionParameters
) -> Iterator[Transition]:
    """All transitions and holds of the four categories that are states, by the sequence of the policy."""
    cost = sum(energies(parameters).values(), np.zeros(len(counts)))
    lengths = [1, 1, 2, 3, 0]
    for category in FROM:
        for state in range(len(STATE_NAMES)):
            sequence = POLICY[category][state]
            place = HOLD if sequence < 0 else sequence
            good, events = succeeded(counts, category, state)
            yield Transition(category, state, good, events, float(cost[place]), lengths[place])


def worst(found: list[Transition], *, holds: bool = False) -> Transition:
    """The least likely transition, or hold."""
    chosen = [item for item in found if item.holds == holds and item.events]
    return min(chosen, key=lambda item: item.share)


def with_retries(device: CategoricalDevice, category: str, state: int, attempts: int) -> tuple[float, float, float]:
    """Success, energy in J and pulses of write-verify, from the probabilities of the device file.

    After each sequence the category is read, and the sequence for it is applied, up to a number of attempts.

    Args:
        device: Device.
        category: Category that the disc is in.
        state: State that is wanted.
        attempts: Largest number of sequences.

    Returns:
        Probability of the wanted state, mean energy in J with one read before the first sequence and one after each,
        and mean number of sequences.
    """
    chance, policy = device.probabilities, device.policy
    there = device.category_states == state
    cost = sum((energy for energy in device.pulse_energies.values()), np.zeros(len(device.pulses)))
    waiting = np.eye(len(device.categories))[device.categories.index(category)] * ~there
    joule, made = device.read_energy, 0.0
    for _ in range(attempts):
        after = np.zeros_like(waiting)
        for now in np.flatnonzero(waiting):
            pulse = policy[now, state]
            joule += waiting[now] * (cost[pulse] + device.read_energy)
            made += waiting[now]
            after += waiting[now] * chance[pulse, now]
        waiting = np.where(there, 0.0, after)
    return 1.0 - float(waiting.sum()), float(joule), float(made)


def parameters_of(device: CategoricalDevice) -> SkyrmionParameters:
    """Parameters that the device file carries."""
    return SkyrmionParameters.model_validate_json(str(device.data.attrs["parameters"]))


def variant_counts(history: xr.Dataset) -> dict[str, Int[np.ndarray, "sequence category category"]]:
    """Events of each variant by its name; empty where none was computed."""
    if "variant_count" not in history:
        return {}
    table = history["variant_count"].transpose("variant", "sequence", "category", "next_category")
    return {str(name): np.asarray(table.values[k], np.int64) for k, name in enumerate(history["variant"].values)}
