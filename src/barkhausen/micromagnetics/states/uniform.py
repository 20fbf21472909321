"""States without texture: uniform and random, and the one in which a simulation starts by default."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers, checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.states.placing import cut
from barkhausen.micromagnetics.states.walls import domain_wall


@checks_arguments("Film")
def uniform(film: Film, direction: Sequence[float]) -> Float[Tensor, "replica 3 nx ny"]:
    """Uniform state along a direction, which need not be normalised; one replica, float64.

    Raises:
        InputError: The direction has no length.
    """
    vector = as_tensor_of_numbers("direction", direction)
    norm = float(vector.norm())
    if vector.shape != (3,) or not (math.isfinite(norm) and norm > 0):
        raise InputError(f"direction = {vector.tolist()}: must be three numbers, not all zero")
    m = (vector / norm)[None, :, None, None].expand(1, 3, *film.grid.shape)
    return cut(film, m.clone())


@checks_arguments("Film")
def random_state(film: Film, replicas: int, generator: torch.Generator) -> Float[Tensor, "replica 3 nx ny"]:
    """Random state with directions drawn uniformly on the sphere, cell by cell; float64.

    Raises:
        InputError: No replica, or no generator.
    """
    if replicas < 1:
        raise InputError(f"replicas = {replicas}: must be a whole number, 1 or more")
    if not isinstance(generator, torch.Generator):
        raise InputError(f"generator: {type(generator).__name__} is not a torch.Generator")
    m = torch.randn(replicas, 3, *film.grid.shape, dtype=torch.float64, generator=generator)
    return cut(film, m / torch.linalg.vector_norm(m, dim=1, keepdim=True))


def default_state(film: Film) -> Float[Tensor, "replica 3 nx ny"]:
    """State in which a simulation starts unless another is given: a wall in the middle of a film with perpendicular
    anisotropy, and a uniform state along the track (+x) in a film magnetised in its plane."""
    if film.parts:
        # Layers that are coupled antiparallel start so.
        return torch.cat([sign * default_state(part)[:1] for part, sign in film.parts])
    return domain_wall(film) if film.material.effective_anisotropy > 0 else uniform(film, (1.0, 0.0, 0.0))
