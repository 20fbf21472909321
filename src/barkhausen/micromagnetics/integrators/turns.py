"""Motions of unit vectors of which the splitting is made, cell by cell; all keep the length."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics.layout import cross

Field = Float[Tensor, "replica 3 nx ny"]
PerCell = Float[Tensor, "replica 1 nx ny"]


def dot(a: Tensor, b: Tensor) -> PerCell:
    """Scalar product, one component kept."""
    return (a * b).sum(1, keepdim=True)


def precessed(m: Field, turn: Field, square: PerCell) -> Field:
    """m turned about ``turn`` by its length in rad, right-handed (Rodrigues); ``square``: of the length."""
    angle = square.sqrt().clamp_min(1e-30)
    half = torch.sinc(angle / (2 * torch.pi))
    once = cross(turn, m)
    return m + torch.sinc(angle / torch.pi) * once + 0.5 * half * half * cross(turn, once)


def precessed_among_others(m: Field, turn: Field, square: PerCell) -> Field:
    """As :func:`precessed`, by the arc tangent of the length: for half a step of a cell among others of exchange.

    Turns of the two colours by h, h and h in turn make long waves too fast by tan(h)/h.
    """
    root = (1 + square).sqrt()
    once = cross(turn, m)
    return m + once / root + cross(turn, once) / (root * (1 + root))


def weight_alone(square: PerCell) -> PerCell:
    """Weight of an anisotropy whose turns lie half before and half after one of that square: tan(h)/h, h half of it.

    Without it a spin in a field would be as stiff as one of h/tan(h) of the anisotropy.
    """
    half = (0.5 * square.sqrt()).clamp_min(1e-6)
    return half.tan() / half


def weight_among_others(square: PerCell) -> PerCell:
    """Weight of all that acts beside a turn of :func:`precessed_among_others`: 2/(1 + sqrt(1 + h²)), h² its square.

    While the colours turn alternately, what moves them between turns moves long waves more than at once: anisotropy and
    torques by the inverse of this. It is the exact factor for small deviations of a uniform film.
    """
    weight: Tensor = 2 / (1 + (1 + square).sqrt())
    return weight


def turned_about(m: Field, axis: Tensor | int, angle: Tensor) -> Field:
    """m turned about an axis by ``angle`` times its component along it: the precession of a uniaxial anisotropy."""
    if isinstance(axis, int):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        a, b = m[:, first], m[:, second]
        turn = angle[:, 0] * m[:, axis]
        cosine, sine = turn.cos(), turn.sin()
        out = torch.empty_like(m)
        out[:, axis] = m[:, axis]
        out[:, first], out[:, second] = cosine * a - sine * b, sine * a + cosine * b
        return out
    turn = (angle * dot(m, axis)) * axis.expand_as(m)
    return precessed(m, turn, dot(turn, turn))


def displaced(m: Field, by: Field) -> Field:
    """m moved by a small tangent; the length is kept to a quarter of its fourth power."""
    return (1 - 0.5 * dot(by, by)) * m + by


def diffused(variance: Tensor) -> Tensor:
    """Standard deviation of a tangent that decorrelates m as diffusion on the sphere of that variance about an axis."""
    return variance.sqrt() * (1 - 0.75 * variance)


def pulled(m: Field, axis: Tensor | int, pull: Tensor) -> Tensor:
    """Pull of a uniaxial anisotropy, ``pull`` being its strength."""
    if isinstance(axis, int):
        out = torch.zeros_like(m)
        out[:, axis] = pull[:, 0] * m[:, axis]
        return out
    return (pull * dot(m, axis)) * axis


def relaxed(m: Field, pull: Field, easy: list[tuple[Tensor | int, Tensor]]) -> Field:
    """m moved towards ``pull`` (field × rate × time) and those of the anisotropies, exact to second order in them."""
    total = pull
    for axis, strength in easy:
        total = total + pulled(m, axis, strength)
    along = dot(total, m)
    across = total - along * m
    way = (1 - 0.5 * along) * across
    for axis, strength in easy:
        change = 0.5 * pulled(across, axis, strength)
        way = way + change - dot(change, m) * m
    return displaced(m, way)
