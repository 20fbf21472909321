"""Exchange of two layers through a spacer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import check_fields
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.stack.coupling import Coupling, by_layer
from barkhausen.micromagnetics.state import State


@dataclass(frozen=True)
class InterlayerExchange(Coupling):
    """Bilinear and biquadratic exchange (RKKY) of two layers: E = −J1 m1·m2 − J2 (m1·m2)² per area.

    B on layer 1 is (J1 + 2 J2 m1·m2) m2/(Ms1 t1), t1 its thickness. J1 > 0 favours the two parallel, J1 < 0
    antiparallel, J2 < 0 perpendicular (Bruno and Chappert, Phys. Rev. Lett. 67, 1602 (1991); Slonczewski, Phys. Rev.
    Lett. 67, 3172 (1991)). Cells that are partly empty couple by the smaller of their two filled fractions.

    Args:
        lower, upper: Numbers of the two layers, in any order; they need not be next to each other.
        bilinear: J1 in J/m².
        biquadratic: J2 in J/m².

    Raises:
        InputError: A constant that is not finite.
    """

    lower: int
    upper: int
    bilinear: float = 0.0
    biquadratic: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self)
        for name in ("bilinear", "biquadratic"):
            value = getattr(self, name)
            if not math.isfinite(value):
                raise InputError(f"InterlayerExchange.{name} = {value}: must be finite, in J/m2")
            if abs(value) > 1.0:
                raise InputError(f"InterlayerExchange.{name} = {value:g} J/m2: is implausible; real values are mJ/m2")

    @property
    def pair(self) -> tuple[int, int]:
        """Numbers of the two layers."""
        return self.lower, self.upper

    @property
    def sign(self) -> int:
        """1 for J1 >= 0, −1 for J1 < 0."""
        return -1 if self.bilinear < 0 else 1

    def add_field(self, out: Float[Tensor, "row 3 nx ny"], state: State) -> None:
        """Add the exchange field in T to ``out``."""
        film = state.film
        self.check_layers(film.layer_count)
        m, field = by_layer(state.m, film), by_layer(out, film)
        strength: Tensor | float = self.bilinear
        if self.biquadratic:
            cosine = (m[:, self.lower] * m[:, self.upper]).sum(1, keepdim=True)
            strength = cosine.mul_(2 * self.biquadratic).add_(self.bilinear)
        for one, other in (self.pair, self.pair[::-1]):
            factor = self._per_moment(film, one, other)
            if isinstance(factor, float) and isinstance(strength, float):
                field[:, one].add_(m[:, other], alpha=factor * strength)
            else:
                field[:, one].addcmul_(m[:, other], torch.as_tensor(factor * strength))

    def _per_moment(self, film: Film, one: int, other: int) -> Tensor | float:
        """Area of each cell over the moment of layer ``one`` in it, in 1/A."""
        factor = 1.0 / (film.material.saturation_magnetisation * film.grid.dz)
        if film.relative_density is None and film.relative_thickness is None:
            return factor
        share: Tensor | float = factor
        if film.relative_thickness is not None:
            share = share / by_layer(film.relative_thickness, film)[:, one, None]
        if film.inverse_density is not None:
            share = share * by_layer(film.inverse_density, film)[:, one, None]
            if film.fill is not None:
                fill = by_layer(film.fill, film)
                share = share * torch.minimum(fill[:, one], fill[:, other])[:, None]
        return share

    def energy(self, state: State) -> Float[Tensor, " row"]:
        """Energy of the coupling in J, half of it for each of the two layers."""
        film = state.film
        m = by_layer(state.m, film)
        cosine = (m[:, self.lower] * m[:, self.upper]).sum(1).to(torch.float64)
        density = -self.bilinear * cosine - self.biquadratic * cosine.square()
        if film.fill is not None:
            fill = by_layer(film.fill, film)
            density = density * torch.minimum(fill[:, self.lower], fill[:, self.upper])
        energy = torch.zeros(m.shape[:2], dtype=torch.float64, device=m.device)
        energy[:, list(self.pair)] = (0.5 * film.grid.dx * film.grid.dy) * density.sum((1, 2))[:, None]
        return energy.flatten()

    def stiffest_field(self, film: Film) -> float:
        """Sum of the fields of the two on each other, in T: what holds them when they turn against each other."""
        strength = abs(self.bilinear) + 2 * abs(self.biquadratic)
        factors = (self._per_moment(film, one, other) for one, other in (self.pair, self.pair[::-1]))
        return strength * sum(factor if isinstance(factor, float) else float(factor.max()) for factor in factors)
