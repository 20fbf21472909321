"""Thermal field: white noise that keeps the film at its temperature."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.seeds import numbered_generator
from barkhausen.core.units import BOLTZMANN, GYROMAGNETIC_RATIO
from barkhausen.micromagnetics.film import Film

GROUP = 8
"""Replicas that share a stream of random numbers; chunks of replicas are whole groups."""


def thermal_amplitude(film: Film, temperature: float, dt: float) -> float:
    """Standard deviation in T of each component of the thermal field in a full cell over one step.

    sqrt(2 alpha kB T/(gamma Ms V dt)) (Brown, Phys. Rev. 130, 1677 (1963)); a cell filled to phi feels 1/sqrt(phi)
    times as much, its moment being smaller.

    Args:
        film: Film with alpha, Ms and the volume V of a cell.
        temperature: Temperature in K.
        dt: Time step in s.
    """
    return math.sqrt(2 * film.material.damping * BOLTZMANN * temperature / (GYROMAGNETIC_RATIO * film.moment * dt))


class ThermalNoise:
    """Unit normal noise, reproducible for each replica whatever the chunks.

    Replicas are numbered over the whole ensemble. Numbers 8 g to 8 g + 7 form group g, which owns one generator;
    a batch that holds only some of a group draws for all of it and keeps its own. So replica 13 meets the same noise
    alone, in a chunk of 16, or among a thousand.

    Args:
        replicas: ``[replica]``, increasing.
        seed: Seed of the ensemble.
        like: Tensor of the precision and on the device wanted.
    """

    def __init__(self, replicas: Int[Tensor, " replica"], seed: int, like: Tensor) -> None:
        groups = sorted({int(r) // GROUP for r in replicas})
        position = {group: k for k, group in enumerate(groups)}
        slots = torch.tensor([position[int(r) // GROUP] * GROUP + int(r) % GROUP for r in replicas])
        self._whole = bool((slots == torch.arange(len(groups) * GROUP)[: len(slots)]).all())
        self._slots = slots.to(like.device)
        self._like = like
        self._generators = []
        for group in groups:
            self._generators.append(numbered_generator(seed, group, like.device))

    def draw(self, cells: tuple[int, int]) -> Float[Tensor, "replica 3 nx ny"]:
        """Fresh unit normal noise, ``[replica, 3, nx, ny]``, the longer axis contiguous in memory."""
        long, short = max(cells), min(cells)
        noise = self._like.new_empty((len(self._generators) * GROUP, 3, short, long))
        for group, generator in zip(noise.split(GROUP), self._generators, strict=True):
            group.normal_(generator=generator)
        noise = noise[: len(self._slots)] if self._whole else noise[self._slots]
        return noise.transpose(2, 3) if cells[0] >= cells[1] else noise

    def state(self) -> Tensor:
        """The generators' states, one row each (uint8), for a checkpoint."""
        return torch.stack([generator.get_state() for generator in self._generators])

    def load_state(self, state: Tensor) -> None:
        """Go on where :meth:`state` was taken."""
        for generator, row in zip(self._generators, state, strict=True):
            # A copy: torch (2.13) crashes on a row of a larger tensor.
            generator.set_state(row.clone())
