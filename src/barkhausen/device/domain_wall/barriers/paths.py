"""Paths of least energy of walls from one rest to the next, many at once.

A wall leaves a notch tilted, one end ahead, and which end costs less is a matter of the edges. Each path is therefore
found twice, from walls tilted to either side, and the lower one is refined. Where one tilt has the lower hill on the
left and the other on the right, the path is put together from both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float
from torch import Tensor

from barkhausen.core.units import BOLTZMANN
from barkhausen.device.domain_wall.barriers.resting import RestingWall
from barkhausen.device.domain_wall.barriers.walls import tilted_walls, without_wall
from barkhausen.micromagnetics import Film, System, WallPosition, WallTilt, minimum_energy_path

TILT = 0.45
"""Tilt in rad of the walls of a first path."""

REACH = 40e-9
"""Length of a way in m from which on the walls of its first path have the whole tilt."""

SPACING = 3.6e-9
"""Distance in m of neighbouring images, about."""

COUNTS = (9, 13, 17, 25, 33, 49)
"""Numbers of images of a path: ways of similar lengths share one, and a batch."""

NODES = 11
"""Straight walls that a first path is drawn through."""

COARSE, FINE = 1e-2, 2e-3
"""Largest forces in T of a path before the choice of the tilt, and in the end: barriers are then converged to a few
hundredths of a kB T."""

COARSE_ITERATIONS, FINE_ITERATIONS = 60, 600

WORTH, VALLEY = 0.1 * BOLTZMANN * 300.0, 3 * BOLTZMANN * 300.0
"""Gain in J for which a path is put together from two, and depth of the valley in which they are joined."""


@dataclass(frozen=True, eq=False)
class Way:
    """From one wall at rest to the next, or (``end``) off one end of the track: −1 left, 1 right."""

    first: RestingWall
    last: RestingWall
    end: int = 0

    @property
    def device(self) -> int:
        """Number of the device."""
        return self.first.device

    def places(self, film: Film) -> tuple[float, float]:
        """Positions in m from which and to which the wall moves."""
        if self.end:
            return self.first.position, 0.0 if self.end < 0 else film.grid.length
        return self.first.position, self.last.position

    def images(self, film: Film) -> int:
        """Number of images, both ends included."""
        begin, end = self.places(film)
        wanted = abs(end - begin) / SPACING + 1
        return next((count for count in COUNTS if count >= wanted), COUNTS[-1])


@dataclass(frozen=True, eq=False)
class Paths:
    """Converged paths: images in a row."""

    coordinate: Float[Tensor, "way image"]
    """Distance from the start in rad (root mean square over the cells)."""
    energy: Float[Tensor, "way image"]
    """Total energy in J."""
    position: Float[Tensor, "way image"]
    """Wall position in m, NaN without a wall."""
    tilt: Float[Tensor, "way image"]
    """Tilt in rad."""
    other: Float[Tensor, " way"]
    """How much higher in J the highest image was, before refinement, with the tilt that was not taken."""
    converged: Bool[Tensor, " way"]

    def records(self) -> dict[str, Tensor]:
        """All tensors by name."""
        return dict(vars(self))


def find_paths(film: Film, ways: Sequence[Way], images: int) -> Paths:
    """Paths of least energy with a climbing image of ways that have one number of images, as one batch.

    Args:
        film: Film of all devices.
        ways: Ways.
        images: Number of images of each.
    """
    devices = torch.tensor([way.device for way in ways])
    both = torch.arange(len(ways)).repeat_interleave(2)
    start, end = (torch.stack(states)[both] for states in zip(*(_ends(film, way) for way in ways), strict=True))
    coarse = minimum_energy_path(
        film.assign(devices[both]),
        start,
        end,
        through=_first_walls(film, ways),
        images=images,
        climb=False,
        settle=False,
        force=COARSE,
        iterations=COARSE_ITERATIONS,
        wobble=0.0,
        unfinished="ignore",
    )
    m = torch.from_numpy(coarse["magnetisation"].values).unflatten(0, (len(ways), 2))
    energy = coarse["energy"].values.reshape(len(ways), 2, images)
    chosen, other = zip(*(_lower(*pair) for pair in energy), strict=True)
    lower = torch.stack([m[k, torch.from_numpy(which), torch.arange(images)] for k, which in enumerate(chosen)])
    fine = _refined(film.assign(devices), lower, "neb")
    m = torch.from_numpy(fine["magnetisation"].values)
    found = {name: torch.from_numpy(fine[name].values).clone() for name in ("coordinate", "energy", "converged")}
    # A climbing image close to a rest may be thrown off its path by springs: without them it is not.
    astray = ~found["converged"] | (found["energy"].amax(1) > torch.from_numpy(_heights(coarse, ways)) + VALLEY)
    if bool(astray.any()):
        which = torch.nonzero(astray).flatten()
        again = _refined(film.assign(devices[which]), lower[which], "string")
        m[which] = torch.from_numpy(again["magnetisation"].values)
        for name, values in found.items():
            values[which] = torch.from_numpy(again[name].values)
    rows = devices.repeat_interleave(images)
    system = System(film.assign(rows), replicas=len(rows))
    state = system.state(m.flatten(0, 1))
    position, tilt = (seen(system, state).reshape(len(ways), images) for seen in (WallPosition(), WallTilt()))
    return Paths(
        found["coordinate"],
        found["energy"],
        position,
        tilt,
        torch.tensor(other, dtype=torch.float64),
        found["converged"],
    )


def _refined(film: Film, m: Tensor, method: Literal["neb", "string"]) -> xr.Dataset:
    """Paths with a climbing image, from those of the coarse search."""
    return minimum_energy_path(
        film,
        m[:, 0],
        m[:, -1],
        through=list(m[:, 1:-1].unbind(1)),
        images=m.shape[1],
        method=method,
        settle=False,
        force=FINE,
        iterations=FINE_ITERATIONS,
        wobble=0.0,
        unfinished="ignore",
    )


def _heights(coarse: xr.Dataset, ways: Sequence[Way]) -> Float[np.ndarray, " way"]:
    """Energy of the highest image of each way with the lower tilt."""
    heights: np.ndarray = coarse["energy"].values.reshape(len(ways), 2, -1).max(2).min(1)
    return heights


def _ends(film: Film, way: Way) -> tuple[Tensor, Tensor]:
    if not way.end:
        return way.first.state, way.last.state
    # The left domain is up: a wall that leaves at the left leaves the right domain, down.
    domain = without_wall(film, up=way.end > 0)[0]
    present = way.first.state.square().sum(0) > 0
    return way.first.state, domain * present


def _first_walls(film: Film, ways: Sequence[Way]) -> list[Float[Tensor, "path 3 nx ny"]]:
    places = torch.tensor([way.places(film) for way in ways], dtype=torch.float64)
    begin, end = places.repeat_interleave(2, dim=0).unbind(1)
    side = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(len(ways))
    largest = TILT * side * ((end - begin).abs() / REACH).clamp(max=1.0)
    shares = np.linspace(0.0, 1.0, NODES)[1:-1]
    return [
        tilted_walls(film, begin + share * (end - begin), largest * np.sin(np.pi * share) ** 0.5) for share in shares
    ]


def _lower(a: Float[np.ndarray, " image"], b: Float[np.ndarray, " image"]) -> tuple[np.ndarray, float]:
    """Which of two paths each image is taken from, and by how much the path not taken is higher."""
    heights = np.array([a.max(), b.max()])
    taken = int(heights.argmin())
    which = np.full(len(a), taken)
    other = float(heights[1 - taken] - heights[taken])
    best = heights[taken] - WORTH
    for place in range(2, len(a) - 2):
        for left, right in ((a, b), (b, a)):
            joined = max(left[: place + 1].max(), right[place:].max())
            if joined < best and max(left[place], right[place]) < joined - VALLEY:
                best = joined
                which = np.where(np.arange(len(a)) <= place, int(left is b), int(right is b))
    return which, other
