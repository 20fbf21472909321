"""What is recorded while an ensemble runs: small functions of the state, so that no trajectory is stored."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.system import System


class Observable(abc.ABC):
    """A number, or a few, for each replica at one instant."""

    name: ClassVar[str]
    """Name of the variable in the result."""
    units: ClassVar[str]
    dimensions: ClassVar[tuple[str, ...]] = ()
    """Further dimensions after ``time`` and ``replica``."""

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Labels along :attr:`dimensions`."""
        return {}

    @abc.abstractmethod
    def __call__(self, system: System, state: State) -> Float[Tensor, "replica *more"]:  # noqa: F821, UP037
        """The values now."""


@dataclass(frozen=True)
class WallPosition(Observable):
    """Where the wall is along the track, in m from its left end.

    The zero crossing of m_z averaged over the width, interpolated between cell centres. NaN where the track holds no
    wall or several (:class:`WallCount`), which no average should hide. The crossing, unlike a position from the net
    moment, is not drawn to the middle by the thermal loss of magnetisation in the domains.
    """

    name: ClassVar[str] = "wall_position"
    units: ClassVar[str] = "m"

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Position in m."""
        profile, present = _profile(state)
        if profile.shape[1] == 1:
            return profile.new_full((len(profile),), torch.nan)
        up = profile > 0
        # Columns that the mask leaves empty take no part: a crossing is counted from one present column to the next.
        crossing = (up[:, 1:] != up[:, :-1]) & present[:, 1:] & present[:, :-1]
        first = crossing.to(torch.int8).argmax(1, keepdim=True)
        a, b = profile.gather(1, first), profile.gather(1, first + 1)
        position = (first + 0.5 + a / (a - b)) * system.film.grid.dx
        return torch.where(crossing.sum(1) == 1, position[:, 0], torch.nan)


@dataclass(frozen=True)
class WallCount(Observable):
    """How many walls cross the track: sign changes of m_z averaged over the width."""

    name: ClassVar[str] = "wall_count"
    units: ClassVar[str] = "1"

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Number of walls."""
        profile, present = _profile(state)
        up = profile > 0
        return ((up[:, 1:] != up[:, :-1]) & present[:, 1:] & present[:, :-1]).sum(1).to(profile.dtype)


@dataclass(frozen=True)
class WallTilt(Observable):
    """Angle of the wall's line from straight across the track, in rad; positive if it leans to +x towards +y.

    Least-squares slope of the rows' zero crossings; rows without just one crossing are left out, and with fewer than
    two rows it is NaN.
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
    """In-plane angle of the magnetisation in the wall from +x, in rad (0 or ±pi: Néel, ±pi/2: Bloch).

    Direction of the mean in-plane magnetisation weighted by 1 − m_z², which is concentrated in the wall.
    """

    name: ClassVar[str] = "wall_angle"
    units: ClassVar[str] = "rad"

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Angle in rad, −pi to pi."""
        m = state.m.to(torch.float64)
        weight = (1 - m[:, 2] ** 2) * system.film.weights
        return torch.atan2((weight * m[:, 1]).sum((1, 2)), (weight * m[:, 0]).sum((1, 2)))


@dataclass(frozen=True)
class MeanMagnetisation(Observable):
    """<m>, weighted by how full the cells are."""

    name: ClassVar[str] = "m"
    units: ClassVar[str] = "1"
    dimensions: ClassVar[tuple[str, ...]] = ("component",)

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """The components."""
        return {"component": ["x", "y", "z"]}

    def __call__(self, system: System, state: State) -> Float[Tensor, "replica 3"]:
        """Mean of each component."""
        return (state.m.to(torch.float64) * system.film.weights[:, None]).sum((2, 3))


@dataclass(frozen=True)
class Energy(Observable):
    """Total energy in J of all terms that have one."""

    name: ClassVar[str] = "energy"
    units: ClassVar[str] = "J"

    def __call__(self, system: System, state: State) -> Float[Tensor, " replica"]:
        """Energy in J."""
        return system.energy(state.m, state.inputs)


@dataclass(frozen=True)
class PerpendicularMap(Observable):
    """m_z of every cell: for pictures. Takes 4 bytes a cell, replica and instant."""

    name: ClassVar[str] = "mz"
    units: ClassVar[str] = "1"
    dimensions: ClassVar[tuple[str, ...]] = ("x", "y")

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Cell centres in m."""
        return {"x": film.grid.x.tolist(), "y": film.grid.y.tolist()}

    def __call__(self, system: System, state: State) -> Float[Tensor, "replica nx ny"]:
        """m_z, NaN in empty cells; float32."""
        mz = state.m[:, 2].to(torch.float32)
        return mz if system.film.filled is None else torch.where(system.film.filled, mz, torch.nan)


def default_observables() -> tuple[Observable, ...]:
    """Wall position, number of walls, tilt, angle and mean magnetisation."""
    return (WallPosition(), WallCount(), WallTilt(), WallAngle(), MeanMagnetisation())


def check_observables(observe: Sequence[Observable]) -> None:
    """Raise :class:`InputError` if two write the same variable, or one is no observable."""
    for item in observe:
        if not isinstance(item, Observable):
            raise InputError(f"observe: {item!r} is not an Observable")
    names = [item.name for item in observe]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(f"observe: '{sorted(twice)[0]}' is named twice")


def _profile(state: State) -> tuple[Tensor, Tensor]:
    """m_z averaged over the width, ``[replica, nx]`` (float64), and which columns hold material."""
    mz = state.m[:, 2].to(torch.float64)
    if state.film.fill is None:
        return mz.mean(2), torch.ones(1, mz.shape[1], dtype=torch.bool, device=mz.device).expand(len(mz), -1)
    fill = state.film.fill.to(torch.float64)
    column = fill.sum(2)
    return (mz * fill).sum(2) / column.clamp_min(1e-300), (column > 0).expand(len(mz), -1)
