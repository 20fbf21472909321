"""What a field term sees: the film, the magnetisation, and what drives it at this instant."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.film import Film


@dataclass(frozen=True)
class Inputs:
    """Values of the drive at one instant, one for each replica (shape ``[replica]`` or ``[1]``)."""

    current_density: Float[Tensor, " replica"]
    """J in the heavy metal along +x, A/m²."""
    magnet_current_density: Float[Tensor, " replica"]
    """J in the ferromagnet along +x, A/m²."""
    field: Float[Tensor, "3 replica"]
    """Applied field in T."""
    anisotropy_change: Float[Tensor, " replica"]
    """What the gate adds to Ku, J/m³ (before its profile)."""


@dataclass(frozen=True)
class State:
    """Magnetisation of a batch of replicas at one instant."""

    film: Film
    m: Float[Tensor, "replica 3 nx ny"]
    """Unit magnetisation; 0 in empty cells."""
    inputs: Inputs
    gate_profile: Float[Tensor, "nx ny"] | None = None
    """Where the gate acts and how strongly; ``None``: 1 everywhere."""
