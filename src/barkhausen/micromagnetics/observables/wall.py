"""Observables of domain walls: position, number, tilt and angle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.observables.base import Observable
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.system import System


@dataclass(frozen=True, repr=False)
class _AcrossTrack(Observable):
    """Observable of walls that lie across the track.

    Args:
        component: Component that changes sign in the wall: ``z``, ``y``, or ``x`` for head-to-head and tail-to-tail
            walls of a track magnetised along its length.

    Raises:
        InputError: There is no such component.
    """

    component: str = "z"

    def __post_init__(self) -> None:
        if self.component not in {"x", "y", "z"}:
            raise InputError(f"component = '{self.component}': must be 'x', 'y' or 'z'")

    def __repr__(self) -> str:
        # The repr is part of what a checkpoint is recognised by, so that of the default stays as it was.
        return f"{type(self).__name__}({'' if self.component == 'z' else f'component={self.component!r}'})"


@dataclass(frozen=True, repr=False)
class WallPosition(_AcrossTrack):
    """Position of the wall along the track, in m from the left end.

    Zero crossing of m_z (or another ``component``) averaged over the width, interpolated linearly between cell centres.
    NaN if the track holds no wall or several walls (:class:`WallCount`), so that averages show it. A position computed
    from the net moment would be shifted towards the middle by the thermal reduction of the magnetisation in the
    domains; the crossing is not.
    """

    name: ClassVar[str] = "wall_position"
    units: ClassVar[str] = "m"

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Position in m."""
        profile, present = profile_along_track(state.film, state.m, self.component)
        if profile.shape[1] == 1:
            return profile.new_full((len(profile),), torch.nan)
        up = profile > 0
        # Empty columns take no part: a crossing lies between two neighbouring columns that hold material.
        crossing = (up[:, 1:] != up[:, :-1]) & present[:, 1:] & present[:, :-1]
        first = crossing.to(torch.int8).argmax(1, keepdim=True)
        a, b = profile.gather(1, first), profile.gather(1, first + 1)
        position = (first + 0.5 + a / (a - b)) * system.film.grid.dx
        return torch.where(crossing.sum(1) == 1, position[:, 0], torch.nan)


@dataclass(frozen=True, repr=False)
class WallCount(_AcrossTrack):
    """Number of walls across the track: sign changes of m_z (or another ``component``) averaged over the width."""

    name: ClassVar[str] = "wall_count"
    units: ClassVar[str] = "1"

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Number of walls, with the one at the seam of a film that is periodic along x."""
        profile, present = profile_along_track(state.film, state.m, self.component)
        up = profile > 0
        walls = ((up[:, 1:] != up[:, :-1]) & present[:, 1:] & present[:, :-1]).sum(1)
        if system.film.grid.periodic[0]:
            walls = walls + ((up[:, 0] != up[:, -1]) & present[:, 0] & present[:, -1])
        return walls.to(profile.dtype)


@dataclass(frozen=True)
class WallTilt(Observable):
    """Angle in rad between the wall and the direction across the track; positive if x grows with y along the wall.

    Least-squares slope of the zero crossings of the rows. Rows with no crossing or several are left out; NaN if fewer
    than two rows remain.
    """

    name: ClassVar[str] = "wall_tilt"
    units: ClassVar[str] = "rad"

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Tilt in rad."""
        film = system.film
        mz = state.m[:, 2].to(torch.float64)
        if mz.shape[1] == 1:
            return mz.new_full((len(mz),), torch.nan)
        present = torch.ones_like(mz, dtype=torch.bool) if film.filled is None else film.filled.expand_as(mz)
        crossing = ((mz[:, 1:] > 0) != (mz[:, :-1] > 0)) & present[:, 1:] & present[:, :-1]
        first = crossing.to(torch.int8).argmax(1, keepdim=True)
        a, b = mz.gather(1, first), mz.gather(1, first + 1)
        x = ((first + 0.5 + a / (a - b)) * film.grid.dx)[:, 0]
        weight = (crossing.sum(1) == 1).to(torch.float64)
        y = film.grid.y.to(mz.device).expand_as(x)
        x = torch.where(weight > 0, x, 0.0)
        total = weight.sum(1, keepdim=True)
        dx = x - (weight * x).sum(1, keepdim=True) / total
        dy = y - (weight * y).sum(1, keepdim=True) / total
        slope = (weight * dx * dy).sum(1) / (weight * dy * dy).sum(1)
        return torch.where(total[:, 0] >= 2, torch.atan(slope), torch.nan)


@dataclass(frozen=True)
class WallAngle(Observable):
    """In-plane angle in rad of the magnetisation in the wall, from +x (0 or ±pi: Néel wall, ±pi/2: Bloch wall).

    Direction of the mean in-plane magnetisation weighted by 1 − m_z², which is non-zero mainly in the wall.
    """

    name: ClassVar[str] = "wall_angle"
    units: ClassVar[str] = "rad"

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Angle in rad, from −pi to pi."""
        m = state.m.to(torch.float64)
        weight = (1 - m[:, 2] ** 2) * system.film.weights
        return torch.atan2((weight * m[:, 1]).sum((1, 2)), (weight * m[:, 0]).sum((1, 2)))


def profile_along_track(
    film: Film, m: Float[Tensor, "replica 3 nx ny"], component: str = "z"
) -> tuple[Float[Tensor, "replica nx"], Bool[Tensor, "replica nx"]]:
    """A component of m averaged over the width (float64), and a mask of the columns that hold material."""
    values = m[:, "xyz".index(component)].to(torch.float64)
    if film.fill is None:
        return values.mean(2), torch.ones(1, values.shape[1], dtype=torch.bool, device=m.device).expand(len(m), -1)
    fill = film.fill.to(m.device, torch.float64)
    column = fill.sum(2)
    return (values * fill).sum(2) / column.clamp_min(1e-300), (column > 0).expand(len(m), -1)
