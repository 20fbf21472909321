"""Geometry of paths of magnetisations: geodesics cell by cell, distances, tangents, equal spacing."""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

Images = Float[Tensor, "path image 3 nx ny"]
"""Paths: magnetisations in a row."""

CELLS = (-3, -2, -1)
"""Axes of components and cells."""


def length(v: Tensor) -> Tensor:
    """Length of the vector of each cell, with the axis of components kept (1).

    An order of magnitude faster than ``torch.linalg.vector_norm`` along an axis in the middle.
    """
    x, y, z = v.unbind(-3)
    return (x * x).addcmul_(y, y).addcmul_(z, z).sqrt_().unsqueeze(-3)


def scalar(a: Tensor, b: Tensor) -> Tensor:
    """Scalar product of the vectors of each cell, with the axis of components kept (1)."""
    first, *more = zip(a.unbind(-3), b.unbind(-3), strict=True)
    product = first[0] * first[1]
    for x, y in more:
        product.addcmul_(x, y)
    return product.unsqueeze(-3)


def rotation(a: Tensor, b: Tensor) -> Tensor:
    """Logarithm of b at a, cell by cell: the tangent at a that points to b and is as long as the angle (rad).

    Zero where b is opposite to a to the last bit, since no direction leads there sooner than another, and in empty
    cells.
    """
    along = scalar(a, b)
    across = torch.addcmul(b, along, a, value=-1.0)
    sine = length(across)
    turn: Tensor = across * (torch.atan2(sine, along) / sine.clamp_min(1e-300))
    return turn


def rotated(a: Tensor, turn: Tensor) -> Tensor:
    """Exponential of a tangent at a, cell by cell: the magnetisation that the rotation leads to, of unit length.

    Empty cells, where a is zero, stay empty.
    """
    turn = turn * scalar(a, a).sign()
    angle = length(turn)
    moved = (a * torch.cos(angle)).addcmul_(turn, torch.sinc(angle / torch.pi))
    unit: Tensor = moved.div_(length(moved).clamp_min_(1e-300))
    return unit


def angles(a: Tensor, b: Tensor) -> Tensor:
    """Angles in rad between a and b, cell by cell, π where they are opposite; the axis of components is kept (1)."""
    along = scalar(a, b)
    across = length(b - along * a)
    angle: Tensor = torch.atan2(across, along)
    return angle


class Metric:
    """Scalar product of rotations: the mean over the cells, weighted with their magnetic moments.

    In it the effective field is the gradient of −E/(sum of the moments), also where cells are partly filled.

    Args:
        weights: Share of each cell in the moment of its path, ``[path or 1, 1, 1, nx, ny]``.
    """

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights
        self.root = weights.sqrt()
        """In rotations times it the scalar product is the plain one."""

    def select(self, paths: Int[Tensor, " kept"]) -> Metric:
        """The scalar product of some of the paths, by number."""
        return self if len(self.weights) == 1 else Metric(self.weights[paths])

    def dot(self, a: Tensor, b: Tensor) -> Float[Tensor, "path image"]:
        """Scalar product of each image."""
        product: Tensor = (self.weights * scalar(a, b)).sum(CELLS)
        return product

    def norm(self, a: Tensor) -> Float[Tensor, "path image"]:
        """Root mean square of each image, in rad for rotations."""
        return self.dot(a, a).sqrt()

    def lengths(self, m: Tensor) -> Float[Tensor, "path piece"]:
        """Distances in rad from each image to the next."""
        return self.norm(rotation(m[:, :-1], m[:, 1:]))


def tangents(m: Tensor, energy: Float[Tensor, "path image"], metric: Metric) -> Images:
    """Unit tangents of the inner images: towards the neighbour of higher energy.

    At an extremum of the energy both neighbours count, weighted with the differences of energy: the improved tangent
    of Henkelman and Jónsson, J. Chem. Phys. 113, 9978 (2000).
    """
    ahead = rotation(m[:, 1:-1], m[:, 2:])
    behind = -rotation(m[:, 1:-1], m[:, :-2])
    rise, fall = energy[:, 2:] - energy[:, 1:-1], energy[:, 1:-1] - energy[:, :-2]
    high, low = torch.maximum(rise.abs(), fall.abs()), torch.minimum(rise.abs(), fall.abs())
    climbing, falling = (rise > 0) & (fall > 0), (rise < 0) & (fall < 0)
    upward = energy[:, 2:] > energy[:, :-2]
    share_ahead = torch.where(climbing, 1.0, torch.where(falling, 0.0, torch.where(upward, high, low)))
    share_behind = torch.where(climbing, 0.0, torch.where(falling, 1.0, torch.where(upward, low, high)))
    # On a flat path: the middle.
    flat = share_ahead + share_behind == 0
    share_ahead, share_behind = (torch.where(flat, 1.0, share)[..., None, None, None] for share in
                                 (share_ahead, share_behind))  # fmt: skip
    tangent = share_ahead * ahead + share_behind * behind
    return tangent / metric.norm(tangent).clamp_min(1e-300)[..., None, None, None]


def interpolated(m: Tensor, at: Float[Tensor, "path wanted"]) -> Images:
    """Magnetisations at fractional numbers of images, on the geodesics between them."""
    first = at.floor().clamp(0, m.shape[1] - 2).to(torch.int64)
    share = (at - first)[..., None, None, None]
    paths = torch.arange(len(m), device=m.device)[:, None]
    a, b = m[paths, first], m[paths, first + 1]
    return rotated(a, share * rotation(a, b))


def equally_spaced(
    m: Tensor, metric: Metric, fixed: Float[Tensor, " path"] | None = None, images: int | None = None
) -> Images:
    """Paths with images at equal distances along the same geodesics.

    Args:
        m: Paths.
        metric: Scalar product.
        fixed: Number of an image of each path that stays where it is, or -1; on either side distances are equal.
        images: Number of images. Default: as before.
    """
    length = torch.cumsum(metric.lengths(m), dim=1)
    length = torch.cat((torch.zeros_like(length[:, :1]), length), dim=1)
    count = m.shape[1] if images is None else images
    number = torch.arange(count, device=m.device, dtype=m.dtype).expand(len(m), -1)
    last = length[:, -1:]
    wanted = number / (count - 1) * last
    if fixed is not None:
        node = fixed.clamp_min(0)[:, None]
        middle = length.gather(1, node)
        left = number / node.clamp_min(1) * middle
        right = middle + (number - node) / (count - 1 - node).clamp_min(1) * (last - middle)
        wanted = torch.where(fixed[:, None] < 0, wanted, torch.where(number <= node, left, right))
    segment = (torch.searchsorted(length.contiguous(), wanted.contiguous(), right=True) - 1).clamp(0, m.shape[1] - 2)
    begin, end = length.gather(1, segment), length.gather(1, segment + 1)
    return interpolated(m, segment + ((wanted - begin) / (end - begin).clamp_min(1e-300)).clamp(0.0, 1.0))


def first_path(
    nodes: Float[Tensor, "node path 3 nx ny"], images: int, metric: Metric, axis: Tensor, wobble: Tensor
) -> Images:
    """Path through given states along geodesics, with images at equal distances.

    Cells that have to turn to the opposite direction go through ``axis`` (its part perpendicular to them).

    Args:
        nodes: Start, states on the way, end.
        images: Number of images, both ends included.
        metric: Scalar product.
        axis: Direction that opposite cells turn through.
        wobble: Rotations (rad) by which inner images are disturbed, ``[path, image - 2, 3, nx, ny]``.
    """
    states = [nodes[0]]
    for a, b in pairwise(nodes):
        opposite = (a * b).sum(-3, keepdim=True) < -1 + 1e-6
        aside = axis[:, None, None] - (axis[:, None, None] * a).sum(-3, keepdim=True) * a
        # An axis along the cell's own direction has no part across it: any other will do.
        other = torch.roll(axis, 1)[:, None, None]
        other = other - (other * a).sum(-3, keepdim=True) * a
        aside = torch.where(torch.linalg.vector_norm(aside, dim=-3, keepdim=True) < 1e-3, other, aside)
        aside = aside / torch.linalg.vector_norm(aside, dim=-3, keepdim=True).clamp_min(1e-300)
        middle = rotated(a, 0.5 * rotation(a, b))
        states += [torch.where(opposite, aside, middle), b]
    path = equally_spaced(torch.stack(states, dim=1), metric, images=images)
    inner = path[:, 1:-1]
    turn = wobble - (wobble * inner).sum(-3, keepdim=True) * inner
    path[:, 1:-1] = rotated(inner, turn)
    return path
