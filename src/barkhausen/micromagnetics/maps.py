"""Parameters of the material that differ from cell to cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.plausible import plausible

COMPONENTS = {"current": 2, "easy_axis": 3}
"""Number of components of the maps that hold vectors."""

QUANTITIES = {
    "saturation_magnetisation": "saturation magnetisation",
    "exchange_stiffness": "exchange stiffness",
    "dmi": "DMI constant",
    "damping": "damping",
}
"""Quantity of each map, for its plausible range."""

NON_NEGATIVE = ("damping", "temperature", "bond_x", "bond_y")


@dataclass(frozen=True, eq=False)
class ParameterMaps:
    """Maps of parameters, ``[device, nx, ny]`` or ``[nx, ny]`` for all devices; ``None``: as in the material.

    The anisotropy of each cell is :attr:`Film.anisotropy`, and its filled fraction :attr:`Film.fill`.

    Args:
        saturation_magnetisation: Ms of each cell in A/m. A cell without moment is left empty by ``fill``, not by Ms.
        exchange_stiffness: A of each cell in J/m; a bond of two cells takes the harmonic mean.
        dmi: D of each cell in J/m², of any sign; a bond takes the arithmetic mean.
        damping: Gilbert damping of each cell.
        temperature: Temperature of each cell relative to that of the simulation.
        current: Density of the currents in each cell along x and y relative to that of the drive, ``[device, 2, nx,
            ny]``. Default: (1, 0).
        easy_axis: Unit vector of the easy axis of each cell, ``[device, 3, nx, ny]``; vectors are normalised.
        bond_x, bond_y: Factor of the exchange and the DMI between a cell and the next along x, along y. The last value
            of a row counts only where the grid is periodic.
        frozen: Cells whose magnetisation does not move.

    Raises:
        InputError: A shape that does not fit, a value that is not finite or out of its range.
    """

    saturation_magnetisation: Float[Tensor, "device nx ny"] | None = None
    exchange_stiffness: Float[Tensor, "device nx ny"] | None = None
    dmi: Float[Tensor, "device nx ny"] | None = None
    damping: Float[Tensor, "device nx ny"] | None = None
    temperature: Float[Tensor, "device nx ny"] | None = None
    current: Float[Tensor, "device 2 nx ny"] | None = None
    easy_axis: Float[Tensor, "device 3 nx ny"] | None = None
    bond_x: Float[Tensor, "device nx ny"] | None = None
    bond_y: Float[Tensor, "device nx ny"] | None = None
    frozen: Bool[Tensor, "device nx ny"] | None = None

    def __post_init__(self) -> None:
        for name, value in self.given.items():
            object.__setattr__(self, name, _checked(name, value))

    @property
    def given(self) -> dict[str, Tensor]:
        """Maps by name, without those that are left to the material."""
        return {item.name: getattr(self, item.name) for item in fields(self) if getattr(self, item.name) is not None}

    @property
    def devices(self) -> int:
        """Number of different devices."""
        return max((len(value) for value in self.given.values()), default=1)

    def check_grid(self, shape: tuple[int, int]) -> None:
        """Raise :class:`InputError` if a map is not of this number of cells along x and y."""
        for name, value in self.given.items():
            if tuple(value.shape[-2:]) != shape:
                raise InputError(f"film.maps.{name}: {tuple(value.shape[-2:])} cells are not the grid's {shape}")

    def changed(self, change: Callable[[Tensor], Tensor]) -> ParameterMaps:
        """Maps that are the results of a function of each."""
        return ParameterMaps(**{name: change(value) for name, value in self.given.items()})


def _checked(name: str, given: Tensor) -> Tensor:
    key = f"film.maps.{name}"
    try:
        value = torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError):
        raise InputError(f"{key}: {type(given).__name__} is no map of numbers") from None
    if value.is_complex():
        raise InputError(f"{key}: {value.dtype} is no map of real numbers")
    components = COMPONENTS.get(name)
    dims = 2 if components is None else 3
    value = value[None] if value.dim() == dims else value
    wanted = "(device, nx, ny)" if components is None else f"(device, {components}, nx, ny)"
    if value.dim() != dims + 1 or (components is not None and value.shape[1] != components):
        raise InputError(f"{key}: shape {tuple(value.shape)} is not {wanted}")
    if name == "frozen":
        if not bool(((value == 0) | (value == 1)).all()):
            raise InputError(f"{key}: must be True (1) or False (0) in every cell")
        return value.to(torch.bool)
    if not value.is_floating_point():
        value = value.to(torch.float64)
    if not bool(torch.isfinite(value).all()):
        raise InputError(f"{key}: not all values are finite")
    if name in NON_NEGATIVE and not bool((value >= 0).all()):
        raise InputError(f"{key} = {float(value.min()):g}: must be zero or positive")
    if name in {"saturation_magnetisation", "exchange_stiffness"} and not bool((value > 0).all()):
        hint = "; leave cells without material empty by film.fill" if name == "saturation_magnetisation" else ""
        raise InputError(f"{key} = {float(value.min()):g}: must be positive{hint}")
    if name in QUANTITIES and value.numel():
        plausible(QUANTITIES[name], float(value.abs().max()), key)
    if name == "easy_axis":
        norm = torch.linalg.vector_norm(value, dim=1, keepdim=True)
        if not bool((norm > 0).all()):
            raise InputError(f"{key}: a cell has an axis without a direction")
        value = value / norm
    return value
