"""Places and lengths of states in a film, and the start of every replica of an ensemble."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.excitation.waveform import Values
from barkhausen.micromagnetics.film import Film

LONGEST = 1e-3
"""Longest length of a state in m: a millimetre, beyond any film."""

Places = Sequence[float] | Sequence[Sequence[float]] | Tensor
"""Position (x, y) for all replicas, or one for each: ``[replica, 2]``."""


def for_replicas(film: Film, m: Float[Tensor, "any 3 nx ny"], replicas: int) -> Float[Tensor, "replica 3 nx ny"]:
    """Initial state of every replica of an ensemble: unit length in filled cells, zero in empty ones.

    Raises:
        InputError: The shape is wrong, a number is not finite, or a filled cell has no direction.
    """
    m = tensor_of_state(m, torch.float64)
    if m.dim() == 3:
        m = m[None]
    layers = film.layer_count
    rows = replicas * layers
    if m.dim() != 4 or tuple(m.shape[1:]) != (3, *film.grid.shape) or m.shape[0] not in (1, layers, rows):
        wanted = f"{rows} or 1" if layers == 1 else f"{rows}, {layers} or 1"
        raise InputError(
            f"initial magnetisation: shape {tuple(m.shape)} is not ({wanted}, 3, {film.grid.nx}, {film.grid.ny})"
        )
    if not bool(torch.isfinite(m).all()):
        raise InputError("initial magnetisation: not all values are finite")
    m = m.repeat(replicas, 1, 1, 1) if 1 < len(m) == layers else m.expand(rows, -1, -1, -1)
    norm = torch.linalg.vector_norm(m, dim=1, keepdim=True)
    filled = None if film.filled is None else film.select(torch.arange(replicas)).filled
    empty = torch.zeros_like(norm, dtype=torch.bool) if filled is None else ~filled[:, None].expand_as(norm)
    if bool(((norm == 0) & ~empty).any()):
        raise InputError("initial magnetisation: a filled cell has no direction")
    return torch.where(empty, 0.0, m / torch.where(norm == 0, 1.0, norm))


def tensor_of_state(m: object, dtype: torch.dtype | None = None) -> Tensor:
    """State as a tensor, of that precision or its own.

    Raises:
        InputError: It is no array of numbers.
    """
    try:
        return torch.as_tensor(m, dtype=dtype)
    except (TypeError, ValueError, RuntimeError):
        raise InputError(
            f"initial magnetisation: {type(m).__name__} is no array of the shape (replica, 3, nx, ny)"
        ) from None


def cut(film: Film, m: Tensor) -> Tensor:
    """State with zeros in the cells where no device has material."""
    if film.filled is None:
        return m
    present: Tensor = m * film.filled.any(0)
    return present


def unit(m: Float[Tensor, "replica 3 nx ny"]) -> Float[Tensor, "replica 3 nx ny"]:
    """Vectors of length 1 in the same directions."""
    directions: Tensor = m / torch.linalg.vector_norm(m, dim=1, keepdim=True)
    return directions


def along(film: Film, position: Values | None, name: str = "position") -> Float[Tensor, " replica"]:
    """Positions along x in m, within the film. Default: the middle.

    Raises:
        InputError: A position outside the film.
    """
    length = film.grid.length
    q: Tensor = torch.atleast_1d(as_tensor_of_numbers(name, length / 2 if position is None else position))
    if not bool(((q >= 0) & (q <= length)).all()):
        raise InputError(f"{name}: a wall must lie within the film, 0 to {length:g} m")
    return q


def centred(film: Film, position: Places | None) -> tuple[Tensor, Tensor]:
    """Coordinates of the cells relative to a position (x, y) in m: two tensors ``[replica, nx, ny]``.

    The default position is the middle of the grid.

    Raises:
        InputError: The position is not two numbers a replica, or lies outside the grid.
    """
    grid = film.grid
    extent = torch.tensor([grid.length, grid.width], dtype=torch.float64)
    centre = extent / 2 if position is None else as_tensor_of_numbers("position", position)
    if centre.dim() not in (1, 2) or centre.shape[-1] != 2 or not centre.numel():
        raise InputError(f"position: shape {tuple(centre.shape)} is not (2,) or (replicas, 2): x and y in m")
    centre = centre.reshape(-1, 2)
    if not bool(((centre >= 0) & (centre <= extent)).all()):
        raise InputError(f"position: must lie within the film, 0 to {grid.length:g} m and 0 to {grid.width:g} m")
    x = grid.x[None, :, None] - centre[:, 0, None, None]
    y = grid.y[None, None, :] - centre[:, 1, None, None]
    shape = (len(centre), *grid.shape)
    return x.expand(shape), y.expand(shape)


def lengths(name: str, value: Values) -> Float[Tensor, "replica 1 1"]:
    """Positive lengths in m, one for all replicas or one for each.

    Raises:
        InputError: A length that is not positive.
    """
    given = torch.atleast_1d(as_tensor_of_numbers(name, value))
    if given.dim() != 1 or not len(given) or not bool((torch.isfinite(given) & (given > 0)).all()):
        raise InputError(f"{name} = {value}: must be a positive length in m, or one for each replica")
    if float(given.max()) > LONGEST:
        raise InputError(f"{name} = {float(given.max()):g} m: must be at most {LONGEST:g} m")
    column: Tensor = given[:, None, None]
    return column


def check_replicas(**given: Tensor) -> None:
    """Raise :class:`InputError` if positions and lengths are given for different numbers of replicas."""
    if len({len(value) for value in given.values()} - {1}) > 1:
        counts = ", ".join(f"{name} for {len(value)}" for name, value in given.items())
        raise InputError(f"{counts} replicas: must be one for all or one for each")


def sign(name: str, value: int, meaning: str = "1 (up) or -1 (down)") -> int:
    """The value, if it is 1 or −1.

    Raises:
        InputError: It is neither.
    """
    if value not in (1, -1):
        raise InputError(f"{name} = {value}: must be {meaning}")
    return int(value)


def angle_in_rad(name: str, value: float) -> float:
    """The value, if it is finite.

    Raises:
        InputError: It is not.
    """
    if not math.isfinite(value):
        raise InputError(f"{name} = {value}: must be a finite angle in rad")
    return float(value)
