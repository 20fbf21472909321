"""Observables of skyrmions: position, radius and number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.observables.base import Observable
from barkhausen.micromagnetics.observables.lattice import at_edge, label_regions, shifted, triangles_of
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.system import System

SMALLEST = 4
"""Default number of cells below which a reversed region is taken for thermal noise."""


@dataclass(frozen=True)
class _OfSkyrmion(Observable):
    """Observable of the regions magnetised against their surroundings.

    Args:
        core: Direction of the core: 1 up, −1 down. Default: against the mean m_z of the cells at the edge of the film,
            or of all cells in a film without edges.
        smallest: Smallest number of cells of a skyrmion.

    Raises:
        InputError: A core that is neither up nor down, a number of cells below 1.
    """

    core: int | None = None
    smallest: int = SMALLEST

    def __post_init__(self) -> None:
        if self.core not in (None, 1, -1):
            raise InputError(f"core = {self.core}: must be 1 (up), -1 (down) or None (against the edge of the film)")
        if self.smallest < 1:
            raise InputError(f"smallest = {self.smallest}: must be a number of cells, 1 or more")

    def regions(self, m: Float[Tensor, "replica 3 nx ny"], film: Film) -> Regions:
        """Enclosed regions in which m_z has the direction of the core."""
        return enclosed_regions(m, film, self.core, self.smallest)


@dataclass(frozen=True)
class SkyrmionCount(_OfSkyrmion):
    """Number of skyrmions: connected regions magnetised against their surroundings that no edge of the film cuts.

    Their winding is not looked at: a bubble without winding and a skyrmionium count as one
    (:class:`~barkhausen.micromagnetics.TopologicalCharge` tells them apart).
    """

    name: ClassVar[str] = "skyrmion_count"
    units: ClassVar[str] = "1"

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Number of skyrmions."""
        return self.regions(state.m, system.film).count.to(torch.float64)


@dataclass(frozen=True)
class SkyrmionPosition(_OfSkyrmion):
    """Centre of the skyrmion in m from the lower left corner of the grid.

    Centre of gravity of |m_z| over the region magnetised against its surroundings, also across periodic edges. NaN
    unless there is exactly one skyrmion (:class:`SkyrmionCount`).
    """

    name: ClassVar[str] = "skyrmion_position"
    units: ClassVar[str] = "m"
    dimensions: ClassVar[tuple[str, ...]] = ("axis",)

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Names of the axes."""
        return {"axis": ["x", "y"]}

    def __call__(self, system: System, state: State) -> Float[Tensor, "replica 2"]:
        """Position along x and y."""
        film = system.film
        regions = self.regions(state.m, film)
        weight = torch.where(regions.inside, regions.reversed, 0.0) * film.weights
        axes = [
            _centre(weight.sum(other), centres.to(weight.device), length if periodic else None)
            for other, centres, length, periodic in (
                (2, film.grid.x, film.grid.length, film.grid.periodic[0]),
                (1, film.grid.y, film.grid.width, film.grid.periodic[1]),
            )
        ]
        return torch.where((regions.count == 1)[:, None], torch.stack(axes, 1), torch.nan)


@dataclass(frozen=True)
class SkyrmionRadius(_OfSkyrmion):
    """Radius √(area/π) of the skyrmion in m, the area being that within the line m_z = 0.

    m_z is interpolated linearly between the centres of the cells, on triangles. NaN unless there is exactly one
    skyrmion (:class:`SkyrmionCount`).
    """

    name: ClassVar[str] = "skyrmion_radius"
    units: ClassVar[str] = "m"

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Radius in m."""
        film = system.film
        regions = self.regions(state.m, film)
        area = torch.zeros_like(regions.count, dtype=torch.float64)
        for triangles in triangles_of(film):
            touched = shifted(regions.inside, triangles.corners[0])
            for corner in triangles.corners[1:]:
                touched = touched | shifted(regions.inside, corner)
            if triangles.present is not None:
                touched = touched & triangles.present
            values = torch.stack([triangles.at(regions.reversed, corner) for corner in range(3)], -1)
            area += torch.where(touched, _share_above_zero(values), 0.0).sum((1, 2))
        radius = torch.sqrt(area * (film.grid.dx * film.grid.dy / 2) / math.pi)
        return torch.where(regions.count == 1, radius, torch.nan)


@dataclass(frozen=True)
class Regions:
    """Regions of the film that are magnetised against their surroundings and that no edge cuts.

    Args:
        reversed: m_z, positive along the direction of the core, ``[replica, nx, ny]`` (float64).
        inside: Cells of these regions.
        count: Number of regions.
        large: Number of regions of the same size, those that an edge cuts among them.
    """

    reversed: Float[Tensor, "replica nx ny"]
    inside: Bool[Tensor, "replica nx ny"]
    count: Int[Tensor, " replica"]
    large: Int[Tensor, " replica"]


def enclosed_regions(
    m: Float[Tensor, "replica 3 nx ny"], film: Film, core: int | None = None, smallest: int = SMALLEST
) -> Regions:
    """Enclosed regions of reversed m_z of all replicas.

    Args:
        m: Unit magnetisation.
        film: Film of the replicas.
        core: Direction of the core: 1 up, −1 down. Default: against the cells at the edge, as :class:`SkyrmionCount`.
        smallest: Smallest number of cells of a region.
    """
    mz, edge = m[:, 2].to(torch.float64), at_edge(film).expand(len(m), -1, -1)
    if core is None:
        around = torch.where(edge if bool(edge.any()) else torch.ones_like(edge), mz, 0.0).sum((1, 2))
        direction = torch.where(around > 0, -1.0, 1.0).to(mz.dtype)[:, None, None]
    else:
        direction = torch.full((1, 1, 1), float(core), dtype=mz.dtype, device=mz.device)
    reversed_ = mz * direction
    labels = label_regions(reversed_ > 0, film.grid.periodic)
    number = int(labels.max()) + 1
    large = torch.bincount(labels.flatten(), minlength=number) >= smallest
    large[0] = False
    whole = large & (torch.bincount(labels[edge], minlength=number) == 0)
    replica = torch.zeros(number, dtype=torch.int64, device=mz.device)
    replica[labels] = torch.arange(len(m), device=mz.device)[:, None, None].expand_as(labels)
    counts = (torch.bincount(replica[chosen], minlength=len(m)) for chosen in (whole, large))
    return Regions(reversed_, whole[labels], *counts)


def _centre(weight: Float[Tensor, "replica n"], at: Float[Tensor, " n"], period: float | None) -> Tensor:
    """Mean place with these weights; round a periodic axis, measured from the direction of the mean phase."""
    total = weight.sum(1)
    if period is None:
        return (weight * at).sum(1) / total
    phase = at * (2 * math.pi / period)
    start = torch.atan2((weight * phase.sin()).sum(1), (weight * phase.cos()).sum(1)) * (period / (2 * math.pi))
    offset = torch.remainder(at - start[:, None] + period / 2, period) - period / 2
    return torch.remainder(start + (weight * offset).sum(1) / total, period)


def _share_above_zero(values: Float[Tensor, "*any 3"]) -> Float[Tensor, "*any"]:
    """Share of a triangle in which a quantity, linear between its values at the three corners, is positive."""
    low, middle, high = values.sort(-1).values.unbind(-1)
    # A triangle cut off at one corner, on one side or the other of zero.
    above = high**2 / ((high - low) * (high - middle))
    below = 1 - low**2 / ((high - low) * (middle - low))
    share = torch.where(middle > 0, below, above)
    return torch.where(low >= 0, 1.0, torch.where(high <= 0, 0.0, share))
