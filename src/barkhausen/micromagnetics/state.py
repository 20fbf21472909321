"""State that a field term reads: film, magnetisation, and drive at one instant."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.film import Film


@dataclass(frozen=True)
class Inputs:
    """Values of the drive at one instant, one for each replica (shape ``[replica]`` or ``[1]``)."""

    current_density: Float[Tensor, " replica"]
    """J in the heavy metal, A/m²."""
    magnet_current_density: Float[Tensor, " replica"]
    """J in the ferromagnet, A/m²."""
    field: Float[Tensor, "3 replica"]
    """Applied field in T."""
    anisotropy_change: Float[Tensor, " replica"]
    """Change of Ku by the gate in J/m³, before the gate profile."""
    local_field: Float[Tensor, " replica"] | None = None
    """Strength of the local field, before the field profile; ``None``: there is none."""
    current_direction: tuple[float, float] = (1.0, 0.0)
    """Unit vector (x, y) of both currents."""


@dataclass(frozen=True)
class State:
    """Magnetisation of a batch of replicas at one instant."""

    film: Film
    m: Float[Tensor, "replica 3 nx ny"]
    """Unit magnetisation; 0 in empty cells."""
    inputs: Inputs
    gate_profile: Float[Tensor, "nx ny"] | None = None
    """Strength of the gate in each cell; ``None``: 1 everywhere."""
    field_profile: Float[Tensor, "3 nx ny"] | None = None
    """Local field in each cell at strength 1, in T; ``None``: there is none."""
