"""Initial states."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.excitation.waveform import Values
from barkhausen.micromagnetics.film import Film


def uniform(film: Film, direction: Sequence[float]) -> Float[Tensor, "replica 3 nx ny"]:
    """Uniform state along a direction, which need not be normalised; one replica, float64.

    Raises:
        InputError: The direction has no length.
    """
    vector = torch.as_tensor(direction, dtype=torch.float64)
    norm = float(vector.norm())
    if vector.shape != (3,) or not (math.isfinite(norm) and norm > 0):
        raise InputError(f"direction = {list(direction)}: must be three numbers, not all zero")
    m = (vector / norm)[None, :, None, None].expand(1, 3, *film.grid.shape)
    return _cut(film, m.clone())


def domain_wall(
    film: Film,
    position: Values | None = None,
    *,
    width: float | None = None,
    left: int = 1,
    angle: float | None = None,
) -> Float[Tensor, "replica 3 nx ny"]:
    """Straight wall across the track: m_z = −left tanh((x − q)/Delta).

    Args:
        film: Film of the track.
        position: Position q in m from the left end, one for all replicas or one for each. Default: the middle.
        width: Wall width Delta in m. Default: sqrt(A/Keff).
        left: Direction of the left domain: 1 up, −1 down.
        angle: Angle of the magnetisation in the wall from +x, in rad. Default: the Néel wall of the DMI (for
            D > 0 and the left domain up: π, against x; without DMI 0).

    Raises:
        InputError: A wall outside the film, or a film without perpendicular walls.
    """
    if left not in (1, -1):
        raise InputError(f"left = {left}: must be 1 (up) or -1 (down)")
    grid = film.grid
    q = torch.atleast_1d(torch.as_tensor(grid.length / 2 if position is None else position, dtype=torch.float64))
    if not bool(((q >= 0) & (q <= grid.length)).all()):
        raise InputError(f"position: a wall must lie within the film, 0 to {grid.length:g} m")
    delta = film.material.wall_width if width is None else width
    if not (math.isfinite(delta) and delta > 0):
        raise InputError(f"width = {delta}: must be a positive length in m")
    if angle is not None and not math.isfinite(angle):
        raise InputError(f"angle = {angle}: must be a finite angle in rad")
    if angle is None:
        angle = 0.0 if left * film.material.dmi <= 0 else math.pi
    u = (grid.x - q[:, None]) / delta
    in_wall = 1 / torch.cosh(u)
    profile = torch.stack((in_wall * math.cos(angle), in_wall * math.sin(angle), -left * torch.tanh(u)), 1)
    return _cut(film, profile[..., None].expand(-1, -1, -1, grid.ny).clone())


def default_state(film: Film) -> Float[Tensor, "replica 3 nx ny"]:
    """State in which a simulation starts unless another is given: a wall in the middle of a film with perpendicular
    anisotropy, and a uniform state along the track (+x) in a film magnetised in its plane."""
    return domain_wall(film) if film.material.effective_anisotropy > 0 else uniform(film, (1.0, 0.0, 0.0))


def vortex(film: Film, circulation: int = 1, polarity: int = 1) -> Float[Tensor, "replica 3 nx ny"]:
    """Vortex in the middle: mumax3's ``vortex(circulation, polarity)``."""
    grid = film.grid
    x, y = torch.meshgrid(grid.x - grid.length / 2, grid.y - grid.width / 2, indexing="ij")
    r = torch.hypot(x, y)
    core = 2 * film.material.exchange_length
    m = torch.stack((-circulation * y / r.clamp_min(1e-30), circulation * x / r.clamp_min(1e-30),
                     1.5 * polarity * torch.exp(-(r**2) / core**2)))  # fmt: skip
    m[:2, r < 1e-15] = 0.0
    m = m / torch.linalg.vector_norm(m, dim=0, keepdim=True)
    return _cut(film, m[None])


def random_state(film: Film, replicas: int, generator: torch.Generator) -> Float[Tensor, "replica 3 nx ny"]:
    """Random state with directions drawn uniformly on the sphere, cell by cell; float64."""
    m = torch.randn(replicas, 3, *film.grid.shape, dtype=torch.float64, generator=generator)
    return _cut(film, m / torch.linalg.vector_norm(m, dim=1, keepdim=True))


def for_replicas(film: Film, m: Float[Tensor, "any 3 nx ny"], replicas: int) -> Float[Tensor, "replica 3 nx ny"]:
    """Initial state of every replica of an ensemble: unit length in filled cells, zero in empty ones.

    Raises:
        InputError: The shape is wrong, a number is not finite, or a filled cell has no direction.
    """
    m = torch.as_tensor(m, dtype=torch.float64)
    if m.dim() == 3:
        m = m[None]
    if m.dim() != 4 or tuple(m.shape[1:]) != (3, *film.grid.shape) or m.shape[0] not in (1, replicas):
        raise InputError(
            f"initial magnetisation: shape {tuple(m.shape)} is not ({replicas} or 1, 3, {film.grid.nx}, {film.grid.ny})"
        )
    if not bool(torch.isfinite(m).all()):
        raise InputError("initial magnetisation: not all values are finite")
    m = m.expand(replicas, -1, -1, -1)
    norm = torch.linalg.vector_norm(m, dim=1, keepdim=True)
    filled = None if film.filled is None else film.select(torch.arange(replicas)).filled
    empty = torch.zeros_like(norm, dtype=torch.bool) if filled is None else ~filled[:, None].expand_as(norm)
    if bool(((norm == 0) & ~empty).any()):
        raise InputError("initial magnetisation: a filled cell has no direction")
    return torch.where(empty, 0.0, m / torch.where(norm == 0, 1.0, norm))


def _cut(film: Film, m: Tensor) -> Tensor:
    """State with zeros in the cells where no device has material."""
    if film.filled is None:
        return m
    return m * film.filled.any(0)
