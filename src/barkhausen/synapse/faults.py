"""What can be wrong with the devices of an array, beyond their spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.renamed import old_names
from barkhausen.device import CharacterisedDevice


@dataclass(frozen=True)
class Faults:
    """Stuck devices, and programming attempts that lose the wall.

    Args:
        stuck: share of devices that never change again: pulses heat them, but their wall does not move.
        stuck_at: the state in which a stuck device rests, where a healthy device of that state would; ``"random"``:
            any of them, equally likely.
        annihilated_walls: probability that a programming attempt expels or annihilates the wall, in every state alike;
            ``"device"``: the failure rate of each state that the device file has from its characterisation. What is
            left is one domain, which reads as the weight of either end of the track, equally likely. Verify sees a
            weight outside the margin, and the next attempt starts with a new wall.

    Raises:
        InputError: a share outside [0, 1].
    """

    stuck: float = 0.0
    stuck_at: int | Literal["random"] = "random"
    annihilated_walls: float | Literal["device"] = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.stuck <= 1:
            raise InputError(f"stuck = {self.stuck}: must be a share from 0 to 1")
        if self.annihilated_walls != "device" and not (
            isinstance(self.annihilated_walls, (int, float)) and 0 <= self.annihilated_walls <= 1
        ):
            raise InputError(
                f"annihilated_walls = {self.annihilated_walls!r}: must be a probability from 0 to 1, or 'device'"
            )
        if self.stuck_at != "random" and not (isinstance(self.stuck_at, int) and self.stuck_at >= 0):
            raise InputError(f"stuck_at = {self.stuck_at!r}: must be the number of a state, or 'random'")

    def check(self, states: int) -> None:
        """Whether they can befall a device of so many states.

        Raises:
            InputError: it has no state to be stuck at.
        """
        if self.stuck_at != "random" and self.stuck_at >= states:
            raise InputError(f"stuck_at = {self.stuck_at}: the device has the states 0 to {states - 1}")

    def lost(self, device: CharacterisedDevice, target: torch.device) -> Float[Tensor, " state"] | None:
        """Probability of each state that an attempt loses the wall; None if it never does."""
        if self.annihilated_walls == "device":
            rate = torch.as_tensor(device.failure_rate, dtype=torch.float32)
        else:
            rate = torch.full((device.states,), float(self.annihilated_walls))
        return rate.to(target) if bool((rate > 0).any()) else None


FAULT_FREE = Faults()
"""No faults."""

__getattr__ = old_names(__name__)
