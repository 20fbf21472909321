"""Patches of another anisotropy at the edges of a track, at places of their own in each device."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from barkhausen.core.config import Fraction, Parameters, Positive
from barkhausen.core.plausible import checked_as
from barkhausen.core.seeds import mixed_seed, numbered_generator
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.micromagnetics import Grid

STREAM = 11
"""Number of the random stream of patches, distinct from those of edges, grains and noise."""


class EdgePatches(Parameters):
    """Pairs of patches at both edges, at even distances along the track, with another Ku; SI units.

    A ratio above 1 raises the energy of a wall at a patch, which stops it between two pairs; a ratio below 1 holds it
    at a pair. Position, size and Ku of every patch vary between patches and devices.
    """

    period: Annotated[Positive, checked_as("length")] = 17e-9
    """Mean distance of neighbouring pairs in m."""
    length: Annotated[Positive, checked_as("length")] = 8e-9
    """Mean length of a patch along the track in m."""
    depth: Annotated[Positive, checked_as("length")] = 8e-9
    """Mean reach of a patch from its edge into the track in m."""
    ratio: Annotated[float, Field(gt=0, le=10)] = 1.35
    """Mean ratio of Ku in a patch to Ku of the track."""
    position_spread: Fraction = 0.1
    """Standard deviation of the place of a patch along the track, relative to the period."""
    size_spread: Fraction = 0.1
    """Relative standard deviation of its length and of its depth."""
    ratio_spread: Fraction = 0.1
    """Standard deviation of Ku in a patch, relative to the difference from Ku of the track."""
    margin: Annotated[float, Field(ge=0, allow_inf_nan=False), checked_as("length")] = 40e-9
    """Length in m at both ends of the track that has no patches."""

    def factors(self, grid: Grid, track: Racetrack, *, devices: int, seed: int) -> Float[Tensor, "device nx ny"]:
        """Factor of Ku in each cell of each device, by the share of the cell that patches cover.

        Where patches overlap, their changes of Ku add up.

        Args:
            grid: Grid of cells; the track begins at its left end and lies in the middle of its width.
            track: Length and width.
            devices: Number of devices.
            seed: Seed of the patches. Device d does not depend on the cells or the number of devices.
        """
        span = track.length - 2 * self.margin
        pairs = max(0, int(span / self.period + 1e-9))
        first = self.margin + 0.5 * (span - (pairs - 1) * self.period)
        centres = first + self.period * np.arange(pairs)
        base = 0.5 * (grid.width - track.width)
        maps = []
        for device in range(devices):
            generator = numbered_generator(mixed_seed(seed, STREAM), device)
            draws = torch.randn(4, pairs, 2, dtype=torch.float64, generator=generator).numpy()
            place = centres[:, None] + self.position_spread * self.period * draws[0]
            length = self.length * np.maximum(1 + self.size_spread * draws[1], 0.0)
            depth = self.depth * np.maximum(1 + self.size_spread * draws[2], 0.0)
            change = np.maximum((self.ratio - 1) * (1 + self.ratio_spread * draws[3]), -1.0)
            along = _shares(place - length / 2, place + length / 2, grid.dx, grid.shape[0])
            low = np.stack([np.full(pairs, base), base + track.width - depth[:, 1]], axis=1)
            high = np.stack([base + depth[:, 0], np.full(pairs, base + track.width)], axis=1)
            across = _shares(low, high, grid.dy, grid.shape[1])
            maps.append(1.0 + np.einsum("pe,pex,pey->xy", change, along, across))
        return torch.from_numpy(np.maximum(np.stack(maps), 0.0))

    def described(self) -> str:
        """The patches, as a line of the assumptions of a simulation."""
        return (
            f"patches: {1e9 * self.length:g} x {1e9 * self.depth:g} nm at both edges every {1e9 * self.period:g} nm, "
            f"Ku times {self.ratio:g}; spreads {100 * self.position_spread:g} % of the period in place, "
            f"{100 * self.size_spread:g} % in size, {100 * self.ratio_spread:g} % in the change of Ku"
        )


def _shares(
    low: Float[np.ndarray, "pair edge"], high: Float[np.ndarray, "pair edge"], cell: float, cells: int
) -> Float[np.ndarray, "pair edge cell"]:
    """Share of each cell of one direction that lies between two ends."""
    left = cell * np.arange(cells)
    overlap = np.minimum(high[..., None], left + cell) - np.maximum(low[..., None], left)
    return np.asarray(np.maximum(overlap, 0.0) / cell)
