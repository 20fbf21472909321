"""The outline of a track: two edges, with notches and roughness, and the fraction of each cell that lies between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from barkhausen.core.config import Parameters, Positive
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import checked_as
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.geometry.edge_demag import SMALLEST_FILL, coarsen, usable
from barkhausen.micromagnetics.geometry.roughness import BoundedRoughness, EdgeRoughness
from barkhausen.micromagnetics.grid import Grid
from barkhausen.micromagnetics.material import Material

SUBCELL = 0.5e-9
"""Default size in m on which edges are resolved for their stray field."""

SAMPLES = 8
"""Places along each subcell at which the edges are looked up; across the track the overlap is exact."""

SAFE_SIGMAS = 4.0
"""Smallest width of a track between two rough edges, in standard deviations of their distance."""


class Notch(Parameters):
    """Notch in one edge or both; all lengths in m."""

    position: Annotated[float, Field(allow_inf_nan=False), checked_as("position")]
    """Position of the middle, from the left end of the track."""
    depth: Annotated[Positive, checked_as("length")]
    """Depth into the track."""
    half_length: Annotated[Positive, checked_as("length")]
    """Half of its extent along the edge."""
    shape: Literal["triangular", "rectangular", "semicircular"] = "triangular"
    """``semicircular`` is half an ellipse where depth and half-length differ."""
    side: Literal["both", "upper", "lower"] = "both"

    def indentation(self, x: Float[Tensor, " sample"]) -> Float[Tensor, " sample"]:
        """Displacement of the edge inwards at x, in m."""
        u = (x - self.position).abs() / self.half_length
        if self.shape == "triangular":
            return self.depth * (1 - u).clamp_min(0.0)
        if self.shape == "rectangular":
            return self.depth * (u < 1).to(x.dtype)
        return self.depth * (1 - u * u).clamp_min(0.0).sqrt()


class TrackOutline(Parameters):
    """Outline of a straight track with notched and rough edges; lengths in m."""

    length: Annotated[Positive, checked_as("track length")] = 512e-9
    width: Annotated[Positive, checked_as("width")] = 64e-9
    """Mean width, away from the notches."""

    @model_validator(mode="after")
    def _notches_on_the_track(self) -> TrackOutline:
        for notch in self.notches:
            if not -notch.half_length < notch.position < self.length + notch.half_length:
                raise ValueError(
                    f"a notch at position = {notch.position:g} m does not touch the track of {self.length:g} m"
                )
        return self

    taper: Annotated[float, Field(gt=-1, allow_inf_nan=False)] = 0.0
    """Relative change of the width from the left end to the right: 0.1 is a tenth wider."""
    notches: tuple[Notch, ...] = ()
    roughness: BoundedRoughness | EdgeRoughness | None = None

    @model_validator(mode="after")
    def _wide_enough_for_its_edges(self) -> TrackOutline:
        if self.roughness is None:
            return self
        narrowest = self.width * min(1.0, 1.0 + self.taper)
        if isinstance(self.roughness, BoundedRoughness):
            if 2 * self.roughness.bound >= narrowest:
                raise ValueError(
                    f"roughness.bound = {self.roughness.bound:g} m may cut a track of {narrowest:g} m; "
                    "must be below half of its width"
                )
        elif narrowest < SAFE_SIGMAS * math.sqrt(2) * self.roughness.rms:
            raise ValueError(
                f"roughness.rms = {self.roughness.rms:g} m may cut a track of {narrowest:g} m; must be at most "
                f"{narrowest / (SAFE_SIGMAS * math.sqrt(2)):.2g} m, or bounded (BoundedRoughness)"
            )
        return self

    def grid(self, thickness: float, cell: float) -> Grid:
        """Square cells that cover the track, with room for its roughest edge.

        Raises:
            InputError: A cell that is not positive or larger than the track.
        """
        widest = self.width * max(1.0, 1.0 + self.taper)
        if self.roughness is not None:
            widest += 2 * self.roughness.reach
        return Grid.of_track(self.length, widest, thickness, cell)

    def edges(
        self, x: Float[Tensor, " sample"], devices: int, seed: int
    ) -> tuple[Float[Tensor, "device sample"], Float[Tensor, "device sample"]]:
        """Lower and upper edge at x, in m from the middle line of the track; float64.

        The roughness of a device depends on the seed and its number alone, not on where it is looked up: the same
        device can be simulated with other cells.
        """
        half = 0.5 * self.width * (1 + self.taper * x / self.length)
        lower, upper = -half.expand(devices, -1), half.expand(devices, -1)
        if self.roughness is not None:
            rough = self.roughness.edges(x, self.length, devices, seed)
            lower, upper = lower + rough[:, 0], upper + rough[:, 1]
        for notch in self.notches:
            indentation = notch.indentation(x)
            if notch.side in ("both", "lower"):
                lower = lower + indentation
            if notch.side in ("both", "upper"):
                upper = upper - indentation
        return lower, upper

    def fill(self, grid: Grid, devices: int = 1, seed: int = 0) -> Float[Tensor, "device nx ny"]:
        """Filled fraction of each cell of each device, the track in the middle of the grid; float64.

        Cells filled less than :data:`~barkhausen.micromagnetics.geometry.edge_demag.SMALLEST_FILL` are left empty.

        Args:
            grid: Grid from :meth:`grid` or another one.
            devices: Number of devices with different edges.
            seed: Seed of the roughness.

        Raises:
            InputError: Fewer than one device, or notches that cut the track in two.
        """
        return usable(self.coverage(grid, devices, seed))

    def coverage(self, grid: Grid, devices: int = 1, seed: int = 0) -> Float[Tensor, "device nx ny"]:
        """As :meth:`fill`, however small the fractions."""
        if devices < 1:
            raise InputError(f"devices = {devices}: must be 1 or more")
        offsets = (torch.arange(SAMPLES, dtype=torch.float64) + 0.5) / SAMPLES * grid.dx
        x = (torch.arange(grid.nx, dtype=torch.float64)[:, None] * grid.dx + offsets).flatten()
        lower, upper = (edge + grid.width / 2 for edge in self.edges(x, devices, seed))
        inside = x < self.length
        if not bool((upper > lower)[:, inside].all()):
            raise InputError("track: the notches or the roughness cut the track in two")
        bottom = torch.arange(grid.ny, dtype=torch.float64) * grid.dy
        overlap = torch.minimum(upper[..., None], bottom + grid.dy) - torch.maximum(lower[..., None], bottom)
        overlap = overlap.clamp(0.0, grid.dy) / grid.dy * inside[:, None]
        samples: Tensor = overlap.unflatten(1, (grid.nx, SAMPLES))
        return samples.mean(2)


def graded_notches(
    positions: Sequence[float], depth: float, half_lengths: Sequence[float], **options: str
) -> tuple[Notch, ...]:
    """Notches of one depth whose slopes differ, for example steeper along the track.

    Raises:
        InputError: The numbers of half-lengths and positions differ.
    """
    if len(positions) != len(half_lengths):
        raise InputError(f"notches: {len(positions)} positions but {len(half_lengths)} half-lengths")
    return tuple(
        Notch.model_validate({"position": p, "depth": depth, "half_length": h, **options})
        for p, h in zip(positions, half_lengths, strict=True)
    )


def track_film(
    outline: TrackOutline,
    material: Material,
    *,
    thickness: float = 1e-9,
    cell: float = 4e-9,
    devices: int = 1,
    seed: int = 0,
    anisotropy: Float[Tensor, "device nx ny"] | None = None,
    subcell: float = SUBCELL,
    smallest_fill: float = SMALLEST_FILL,
) -> Film:
    """Film of a track: grid, filled fractions, and corrected stray field of the edges.

    Args:
        outline: Length, width, notches and roughness.
        material: Material constants.
        thickness: Thickness of the film in m.
        cell: Edge of the square cells in m.
        devices: Number of devices with different rough edges.
        seed: Seed of the roughness.
        anisotropy: Ku of each cell in J/m³ on ``outline.grid(thickness, cell)``.
        subcell: Size in m on which the edges are resolved for their stray field (:mod:`.edge_demag`).
        smallest_fill: Filled fraction below which a cell is left empty. At a temperature cells of little moment
            fluctuate more than the film does, but their part in the pinning is lost with them.

    Raises:
        InputError: A length or fraction out of range, or notches that cut the track in two.
    """
    if not 0 < subcell <= cell:
        raise InputError(f"subcell = {subcell:g}: must be positive and at most the cell of {cell:g} m")
    if not 0 <= smallest_fill <= 1:
        raise InputError(f"smallest_fill = {smallest_fill}: must be 0 to 1")
    grid = outline.grid(thickness, cell)
    factor = max(1, math.ceil(cell / subcell - 1e-9))
    fine = Grid(grid.nx * factor, grid.ny * factor, grid.dx / factor, grid.dy / factor, grid.dz)
    fill, edge_demag = coarsen(grid, outline.coverage(fine, devices, seed), factor, smallest_fill)
    # The default is not named: results of earlier versions carry the same origin.
    other = "" if smallest_fill == SMALLEST_FILL else f", smallest_fill={smallest_fill:g}"
    origin = f"track_film(seed={seed}, subcell={subcell:g}{other}): {outline.model_dump_json()}"
    return Film(grid, material, fill, anisotropy, edge_demag=edge_demag, origin=origin)
