"""One layer of a stack."""

from __future__ import annotations

import math
from dataclasses import dataclass

from barkhausen.core.arguments import check_fields
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film

SHARES = ("current", "magnet_current", "gate")


@dataclass(frozen=True, eq=False)
class Layer:
    """Magnetic layer of a stack: a film, and its share of what drives the stack.

    Args:
        film: Film of the layer; its own thickness, material, filled fractions, anisotropy and maps.
        name: Name of the layer in results. Default: ``layer 0``, ``layer 1`` …, from the bottom.
        current: Current density in the heavy metal next to the layer relative to ``Drive.current_density``. What this
            does is up to the spin Hall angle of the layer's material: 0 for a layer without a heavy metal.
        magnet_current: Current density in the layer relative to ``Drive.magnet_current_density``.
        gate: Change of Ku of the layer relative to that of the drive's gate, −1 to 1.

    Raises:
        InputError: A stack in place of a film, or a share that is no finite number.
    """

    film: Film
    name: str = ""
    current: float = 1.0
    magnet_current: float = 1.0
    gate: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.film, Film) or self.film.layer_count > 1:
            raise InputError(f"layer.film = {type(self.film).__name__}: must be a Film")
        check_fields(self, "str")
        if self.film.device_of_replica is not None:
            raise InputError("layer.film: has replicas assigned to its devices; assign those of the stack instead")
        for name in SHARES:
            value = getattr(self, name)
            if not math.isfinite(value):
                raise InputError(f"layer.{name} = {value}: must be a finite number")
        if abs(self.gate) > 1:
            raise InputError(f"layer.gate = {self.gate}: must lie between -1 and 1")

    @property
    def thickness(self) -> float:
        """Thickness in m."""
        return self.film.grid.dz
