"""Drive that is read on the clock of a simulation, and what else of a drive an integrator may hold."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.excitation.drive import Drive

Clock = Callable[[Tensor], Tensor]
"""Function that turns times in s into those that waveforms are read at."""


class ClockedDrive(Drive):
    """Drive whose waveforms are read at the times that a clock makes of those asked for."""

    _clock: Clock

    @staticmethod
    def of(drive: Drive, clock: Clock) -> ClockedDrive:
        """The drive on that clock; nothing is checked or computed again."""
        # Computed once for the drive, not for every piece it drives.
        drive.constant  # noqa: B018
        clocked = object.__new__(ClockedDrive)
        clocked.__dict__.update(drive.__dict__, _clock=clock)
        return clocked

    def table(self, times: Float[Tensor, " time"], replicas: int) -> Float[Tensor, "time column replica"]:
        """Inputs at these times, float64."""
        return super().table(times if self.constant is not None else self._clock(times), replicas)


def held_constants(drive: Drive) -> tuple[object, ...]:
    """What an integrator may hold of a drive, other than its signals: profiles and the direction of the current."""
    return drive.gate_profile, drive.field_profile, drive.current_direction


def same_constants(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Whether :func:`held_constants` of two drives are equal."""
    return all(_equal(mine, its) for mine, its in zip(one, other, strict=True))


def _equal(one: object, other: object) -> bool:
    if one is other:
        return True
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one, other)
    return not isinstance(one, Tensor) and not isinstance(other, Tensor) and one == other
