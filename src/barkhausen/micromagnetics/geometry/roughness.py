"""Edge roughness: a stationary Gaussian process for each edge of each device."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.config import NotNegative, Parameters, Positive
from barkhausen.core.plausible import checked_as
from barkhausen.core.seeds import numbered_generator

POINTS = 16
"""Knots for each correlation length, between which an edge is straight."""

ROOM = 3.0
"""Displacement for which a grid leaves room, in standard deviations."""

REACH = 4.0
"""Range of the smoothing kernel in correlation lengths; it is exp(−32) there."""


class EdgeRoughness(Parameters):
    """Displacements of an edge with standard deviation ``rms`` and correlation rms² exp(−(d/correlation_length)²).

    Both in m. The two edges of a track are independent.
    """

    rms: Annotated[NotNegative, checked_as("roughness")] = 1e-9
    correlation_length: Annotated[Positive, checked_as("length")] = 20e-9

    @property
    def reach(self) -> float:
        """Greatest displacement in m for which a grid leaves room."""
        return ROOM * self.rms

    def limited(self, displacement: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """Displacements within the bound, if there is one."""
        return displacement

    def edges(
        self, x: Float[Tensor, " sample"], length: float, devices: int, seed: int
    ) -> Float[Tensor, "device 2 sample"]:
        """Displacement of the lower and the upper edge at x in m, along +y; float64.

        White noise on knots of its own, smoothed: so neither the cells nor the number of devices change an edge.
        """
        step = self.correlation_length / POINTS
        reach = int(REACH * POINTS)
        # One knot more on each side, for places just beyond the ends.
        knots = math.ceil(length / step) + 3
        size = (2, knots + 2 * reach)
        white = torch.stack(
            [torch.randn(size, dtype=torch.float64, generator=numbered_generator(seed, d)) for d in range(devices)]
        )
        distance = torch.arange(-reach, reach + 1, dtype=torch.float64) / POINTS
        # The correlation of white noise smoothed by exp(-2 (d/l)²) is exp(-(d/l)²).
        kernel = torch.exp(-2 * distance**2)
        kernel = self.rms * kernel / kernel.norm()
        smooth = torch.nn.functional.conv1d(white.flatten(0, 1)[:, None], kernel[None, None]).view(devices, 2, knots)
        smooth = self.limited(smooth)
        place = (x / step + 1).clamp(0, knots - 1 - 1e-9)
        low = place.floor().to(torch.int64)
        share = place - low
        return smooth[..., low] * (1 - share) + smooth[..., low + 1] * share


class BoundedRoughness(EdgeRoughness):
    """Roughness whose displacements never exceed ``bound`` (m): those beyond are cut off there.

    A bound of two standard deviations lowers the actual rms by 4 %.
    """

    bound: Annotated[Positive, checked_as("roughness")]

    @property
    def reach(self) -> float:
        """Greatest displacement in m for which a grid leaves room."""
        return min(ROOM * self.rms, self.bound)

    def limited(self, displacement: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """Displacements within the bound."""
        return displacement.clamp(-self.bound, self.bound)
