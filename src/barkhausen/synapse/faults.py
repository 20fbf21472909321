"""Faults of the devices of an array, in addition to their statistical spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.renamed import deprecated, old_names
from barkhausen.device import CharacterisedDevice


@dataclass(frozen=True, init=False)
class Faults:
    """Stuck devices, and programming attempts that annihilate the wall.

    Args:
        stuck: Fraction of devices that never change: pulses heat them, but their wall does not move.
        stuck_at: State of the stuck devices, whose weights are drawn like those of working devices in that state.
            ``"random"``: any state, all equally likely.
        annihilated_walls: Probability that a programming attempt expels or annihilates the wall, the same for every
            state. ``"device"``: the failure rate of each state in the device file. A single domain remains, which reads
            as the weight of either end of the track with equal probability. The verify step finds the weight outside
            the margin, and the next attempt starts with a new wall.

    Raises:
        InputError: A fraction or probability is outside [0, 1].
    """

    stuck: float
    stuck_at: int | Literal["random"]
    annihilated_walls: float | Literal["device"]

    # Written out for the sake of the old name of one argument.
    def __init__(
        self,
        stuck: float = 0.0,
        stuck_at: int | Literal["random"] = "random",
        annihilated_walls: float | Literal["device"] = 0.0,
        *,
        lost_walls: float | Literal["device"] | None = None,
    ) -> None:
        if lost_walls is not None:
            deprecated("lost_walls", "annihilated_walls")
            annihilated_walls = lost_walls
        for name, value in (("stuck", stuck), ("stuck_at", stuck_at), ("annihilated_walls", annihilated_walls)):
            object.__setattr__(self, name, value)
        self._validate()

    @property
    def lost_walls(self) -> float | Literal["device"]:
        """The annihilated walls by their name of version 0.1.0."""
        deprecated("the attribute lost_walls", "annihilated_walls")
        return self.annihilated_walls

    def _validate(self) -> None:
        if not isinstance(self.stuck, (int, float)) or not 0 <= self.stuck <= 1:
            raise InputError(f"stuck = {self.stuck!r}: must be a share from 0 to 1")
        if self.annihilated_walls != "device" and not (
            isinstance(self.annihilated_walls, (int, float)) and 0 <= self.annihilated_walls <= 1
        ):
            raise InputError(
                f"annihilated_walls = {self.annihilated_walls!r}: must be a probability from 0 to 1, or 'device'"
            )
        if self.stuck_at != "random" and not (isinstance(self.stuck_at, int) and self.stuck_at >= 0):
            raise InputError(f"stuck_at = {self.stuck_at!r}: must be the number of a state, or 'random'")

    def check(self, states: int) -> None:
        """Check that a device with ``states`` states can have these faults.

        Raises:
            InputError: The device has no state ``stuck_at``.
        """
        if self.stuck_at != "random" and self.stuck_at >= states:
            raise InputError(f"stuck_at = {self.stuck_at}: the device has the states 0 to {states - 1}")

    def lost(self, device: CharacterisedDevice, target: torch.device) -> Float[Tensor, " state"] | None:
        """Probability that an attempt to each state annihilates the wall. None if it never does."""
        if self.annihilated_walls == "device":
            rate = torch.as_tensor(device.failure_rate, dtype=torch.float32)
        else:
            rate = torch.full((device.states,), float(self.annihilated_walls))
        return rate.to(target) if bool((rate > 0).any()) else None


FAULT_FREE = Faults()
"""No faults."""

__getattr__ = old_names(__name__)
