"""Conversion between the weight and the conductance of a device."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from jaxtyping import Float

from barkhausen.core.errors import InputError
from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.pulses.device import PulsedDevice


@dataclass(frozen=True)
class ConductanceMap:
    """Conductance of a device as a function of its weight w: G = reference + unit · w, all in S.

    The state coordinate is linear in the weight and the conductance is linear in the coordinate, so one device and one
    reference represent a signed weight. The reference is the conductance halfway between the outermost states (w = 0),
    and the unit is the change from there to the last state (w = 1).

    Args:
        low: Conductance in S at the lower end of the range of the state coordinate.
        high: Conductance in S at the upper end.
        reference: Conductance in S at w = 0.
        unit: Change of the conductance in S from w = 0 to w = 1.
    """

    low: float
    high: float
    reference: float
    unit: float

    @classmethod
    def of(cls, device: CharacterisedDevice | PulsedDevice) -> ConductanceMap:
        """The map of a device.

        Raises:
            InputError: The device file gives no conductances, or they do not depend on the state.
        """
        if isinstance(device, PulsedDevice):
            least, most = device.conductance_range
            return cls(least, most, (least + most) / 2, (most - least) / 2)
        start, end = device.state_range
        mean = device.moments[0]
        middle, half = (mean[-1] + mean[0]) / 2, (mean[-1] - mean[0]) / 2
        if device.data.attrs.get("conductance_map") == "identity":
            return cls(start, end, float(middle), float(half))
        names = ("conductance_low", "conductance_high")
        missing = [name for name in names if name not in device.data]
        if missing:
            raise InputError(
                f"the device file gives no conductances (no variable '{missing[0]}'), so that its weights have none"
            )
        low, high = (float(device.data[name]) for name in names)
        if not 0 <= low < high:
            raise InputError(
                f"the conductances of the device file are {low:g} S and {high:g} S: must be rising and not negative"
            )
        length = end - start
        place = float((middle - start) / length)
        return cls(low, high, low + (high - low) * place, (high - low) * float(half / length))

    def scaled(self, factor: float) -> ConductanceMap:
        """Map of devices whose conductances are larger by a factor."""
        return ConductanceMap(*(factor * value for value in astuple(self)))

    def conductance(self, weight: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
        """Conductance in S of devices with these weights, in double precision."""
        # Rounding must not make the conductance at the lower end of an ideal device negative.
        return np.maximum(self.reference + self.unit * np.asarray(weight, np.float64), 0.0)

    def weight(self, conductance: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
        """Weight of devices with these conductances in S, in double precision, to within about 1e-15."""
        return (np.asarray(conductance, np.float64) - self.reference) / self.unit
