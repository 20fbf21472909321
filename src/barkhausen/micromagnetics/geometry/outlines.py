"""Outlines by name: disc, ring, ellipse, rectangle, tapered track."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers, checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import plausible
from barkhausen.micromagnetics.geometry.coverage import Points
from barkhausen.micromagnetics.geometry.shapes import Polygon

CIRCLE = 1440
"""Vertices of a circle; its area is exact, its radius to 2.4e-6."""

STEP = 0.25e-9
"""Distance in m between the vertices of a curved edge of a track."""


@checks_arguments()
def disc(diameter: float) -> Polygon:
    """Disc around the origin.

    Args:
        diameter: Diameter in m.
    """
    return Polygon(_circle(_length("diameter", diameter) / 2), name=f"disc({diameter:g})")


@checks_arguments()
def ring(outer_diameter: float, inner_diameter: float) -> Polygon:
    """Ring around the origin.

    Raises:
        InputError: An inner diameter that is not smaller than the outer one.
    """
    _length("outer_diameter", outer_diameter)
    if not _length("inner_diameter", inner_diameter) < outer_diameter:
        raise InputError(f"inner_diameter = {inner_diameter:g}: must be smaller than outer_diameter")
    return Polygon(
        _circle(outer_diameter / 2),
        (_circle(inner_diameter / 2),),
        name=f"ring({outer_diameter:g}, {inner_diameter:g})",
    )


@checks_arguments()
def ellipse(length: float, width: float) -> Polygon:
    """Ellipse around the origin, with its axes along x (``length``, m) and y (``width``, m)."""
    axes = np.array([_length("length", length), _length("width", width)])
    return Polygon(_circle(0.5) * axes, name=f"ellipse({length:g}, {width:g})")


@checks_arguments()
def rectangle(length: float, width: float, corner_radius: float = 0.0) -> Polygon:
    """Rectangle around the origin, with rounded corners.

    Args:
        length, width: Extent along x and y in m.
        corner_radius: Radius of the corners in m; half of the shorter side at most.

    Raises:
        InputError: A length out of range.
    """
    half = np.array([_length("length", length), _length("width", width)]) / 2
    if not 0 <= corner_radius <= half.min() * (1 + 1e-12):
        raise InputError(f"corner_radius = {corner_radius:g}: must be 0 to {half.min():g} m, half of the shorter side")
    signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    if corner_radius == 0:
        return Polygon(signs * half, name=f"rectangle({length:g}, {width:g})")
    quarter = CIRCLE // 4
    corners = []
    for k, sign in enumerate(signs):
        # The end points lie on the sides, and the area is that of the arc to 2e-6 of the corner.
        angle = (k + np.linspace(0, 1, quarter + 1)) * math.pi / 2
        arc = corner_radius * np.stack((np.cos(angle), np.sin(angle)), 1)
        corners.append(sign * (half - corner_radius) + arc)
    return Polygon(np.concatenate(corners), name=f"rectangle({length:g}, {width:g}, {corner_radius:g})")


@checks_arguments()
def tapered_track(
    length: float,
    width: tuple[float, float] | Callable[[Tensor], Tensor],
    *,
    profile: str = "linear",
) -> Polygon:
    """Track along x from x = 0, symmetric about y = 0, whose width changes.

    Args:
        length: Length in m.
        width: Widths in m at the left and the right end, or a function that gives the width in m at x (m).
        profile: ``linear`` or ``exponential`` between the two widths.

    Raises:
        InputError: A length out of range, or a width that is not positive somewhere.
    """
    _length("length", length)
    steps = min(20_000, max(2, math.ceil(length / STEP)))
    x = torch.linspace(0, length, steps + 1, dtype=torch.float64)
    if callable(width):
        given = as_tensor_of_numbers("width", width(x))
        if given.shape not in ((), (1,), x.shape):
            raise InputError(f"width: the function gives {tuple(given.shape)} values for {len(x)} positions x")
        wide = given.expand(len(x)).numpy()
        name = f"tapered_track({length:g}, {getattr(width, '__name__', 'function')})"
    else:
        if not isinstance(width, Sequence) or isinstance(width, str) or len(width) != 2:
            raise InputError(f"width = {width!r}: must be two widths in m, or a function of x")
        first, last = width
        for value in (first, last):
            _length("width", value)
        if profile not in ("linear", "exponential"):
            raise InputError(f"profile = {profile!r}: must be linear or exponential")
        if profile == "linear":
            x = torch.tensor([0.0, length], dtype=torch.float64)
        share = (x / length).numpy()
        wide = first + (last - first) * share if profile == "linear" else first * (last / first) ** share
        name = f"tapered_track({length:g}, ({first:g}, {last:g}), {profile})"
    if not bool(np.all(np.isfinite(wide) & (wide > 0))):
        raise InputError("width: must be positive and finite all along the track")
    _length("width", float(np.max(wide)))
    lower = np.stack((x.numpy(), -wide / 2), 1)
    upper = np.stack((x.numpy(), wide / 2), 1)[::-1]
    return Polygon(np.concatenate((lower, upper)), name=name)


def _circle(radius: float) -> Points:
    angle = 2 * math.pi * np.arange(CIRCLE) / CIRCLE
    # The polygon has the area of the circle.
    corner = radius * math.sqrt(2 * math.pi / (CIRCLE * math.sin(2 * math.pi / CIRCLE)))
    return corner * np.stack((np.cos(angle), np.sin(angle)), 1)


def _length(name: str, value: float) -> float:
    if value > 0:
        plausible("length", value, name)
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} = {value}: must be a positive length in m")
    return value
