"""From the weight of a device to the conductance of its junction, and back."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from jaxtyping import Float

from barkhausen.core.errors import InputError
from barkhausen.device.characterised import CharacterisedDevice


@dataclass(frozen=True)
class ConductanceMap:
    """Conductance of a device as a function of its weight w: G = reference + unit · w, all in S.

    Position is linear in the weight and the conductance in the position, so that one device and one reference make a
    signed weight: the reference is the conductance of a wall half-way between the outermost states (w = 0), the unit is
    what it takes from there to the last state (w = 1).
    """

    antiparallel: float
    """Of a wall at the near end of the track."""
    parallel: float
    """Of a wall at the far end of the track."""
    reference: float
    """Of w = 0."""
    unit: float
    """From w = 0 to w = 1."""

    @classmethod
    def of(cls, device: CharacterisedDevice) -> ConductanceMap:
        """The map of a device.

        Raises:
            InputError: the device file names no junction, or one whose conductance does not depend on the wall.
        """
        names = ("conductance_antiparallel", "conductance_parallel")
        missing = [name for name in names if name not in device.data]
        if missing:
            raise InputError(
                f"the device file has no junction (no variable '{missing[0]}'), so that its weights have no conductance"
            )
        low, high = (float(device.data[name]) for name in names)
        if not 0 <= low < high:
            raise InputError(
                f"the junction of the device file has {low:g} S antiparallel and {high:g} S parallel: must be rising "
                "and not negative"
            )
        mean, length = device.moments[0], float(device.data["track_length"])
        middle, half = (mean[-1] + mean[0]) / 2, (mean[-1] - mean[0]) / 2
        return cls(low, high, low + (high - low) * float(middle / length), (high - low) * float(half / length))

    def scaled(self, factor: float) -> ConductanceMap:
        """Of junctions that have so many times the conductance."""
        return ConductanceMap(*(factor * value for value in astuple(self)))

    def conductance(self, weight: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
        """Conductance in S of devices of these weights, in double precision."""
        # At the near end of an ideal junction rounding must not make it negative.
        return np.maximum(self.reference + self.unit * np.asarray(weight, np.float64), 0.0)

    def weight(self, conductance: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
        """Weight of devices of these conductances (S), in double precision: off by some 1e-15."""
        return (np.asarray(conductance, np.float64) - self.reference) / self.unit
