"""Chips of a trained network, and their accuracy after waiting."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from barkhausen.core.seeds import stream
from barkhausen.experiment.recipe import Recipe
from barkhausen.experiment.tasks.base import Task
from barkhausen.learning import fresh_chip, synapse_layers, wait
from barkhausen.synapse.escape import Escape

MOST_KEPT = 20_000_000
"""Synapses of all draws together up to which programmed chips are kept; a synapse takes some 12 bytes."""


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of a trained network: chips of fresh devices, or the trained chip itself, each with its own escapes.

    Args:
        model: Trained network.
        recipe: Its recipe.
        task: Its task with the held-out samples.
        transferred: Whether each draw is a chip of fresh devices. Chip n is that of the run.
        count: Number of draws.
    """

    model: nn.Module
    recipe: Recipe
    task: Task
    transferred: bool
    count: int
    _kept: dict[int, nn.Module] = field(default_factory=dict, init=False, repr=False)

    @property
    def synapses(self) -> int:
        """Number of synapses of the network."""
        return sum(layer.synapses.weight.numel() for _, layer in synapse_layers(self.model))

    def chip(self, number: int) -> nn.Module:
        """A new copy of a draw before waiting."""
        if not self.transferred:
            return copy.deepcopy(self.model)
        if number not in self._kept:
            generator = stream(self.recipe.seed, f"chip {number}")
            chip = fresh_chip(self.model, generator, max_attempts=self.recipe.transfer.max_attempts)
            if self.synapses * self.count > MOST_KEPT:
                return chip
            self._kept[number] = chip
        return copy.deepcopy(self._kept[number])

    def escapes(self, number: int, purpose: str) -> torch.Generator:
        """Random stream of the escapes of a draw."""
        return stream(self.recipe.seed, f"{purpose} of draw {number}")

    def accuracy(self, chip: nn.Module) -> float:
        """Accuracy on held-out samples."""
        return self.task.held_out_accuracy(chip)


@dataclass(frozen=True)
class Waited:
    """One draw after one waiting time.

    Attributes:
        accuracy: Accuracy on held-out samples.
        moved: Share of the walls that have moved at least once.
        lost: Share of the walls that have left the outermost states and rest at an end of the track.
    """

    accuracy: float
    moved: float
    lost: float


def waited(
    draws: Draws, number: int, escape: Escape, times: Sequence[float], advance: Callable[[int], None]
) -> list[Waited]:
    """One draw after each of several waiting times, in one history.

    Waiting is a Markov process: the chip of the second time is that of the first, which has waited the difference.

    Args:
        draws: Draws of the network.
        number: Number of the draw.
        escape: Escape rates at the temperature.
        times: Waiting times in s, ascending.
        advance: Called with 1 after each time.
    """
    chip = draws.chip(number)
    before = [layer.synapses.weight.clone() for _, layer in synapse_layers(chip)]
    # The same stream at every temperature: temperatures are compared on the same random numbers.
    generator = draws.escapes(number, "waiting")
    found, since = [], 0.0
    for seconds in times:
        wait(chip, seconds - since, escape=escape, generator=generator)
        since = seconds
        moved, lost = _shares(chip, before)
        found.append(Waited(draws.accuracy(chip), moved, lost))
        advance(1)
    return found


def _shares(chip: nn.Module, before: Sequence[torch.Tensor]) -> tuple[float, float]:
    moved = lost = devices = 0
    for (_, layer), earlier in zip(synapse_layers(chip), before, strict=True):
        array = layer.synapses
        low, high = array.kind.weight_range
        # A wall that moves has its weight drawn anew; all others keep theirs to the bit.
        changed = array.weight != earlier
        at_end = (array.weight <= low) | (array.weight >= high)
        moved += int(changed.sum())
        lost += int((changed & at_end).sum())
        devices += array.weight.numel()
    return moved / devices, lost / devices
