"""Domain walls across a track: perpendicular, and head-to-head in a strip magnetised in its plane."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.micromagnetics.excitation.waveform import Values
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.states.placing import along, angle_in_rad, cut, sign, unit

HeadToHead = Literal["transverse", "vortex"]
"""Structure of a wall in a strip magnetised along itself."""


@checks_arguments("Film")
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
    sign("left", left)
    grid = film.grid
    q = along(film, position)
    delta = film.material.wall_width if width is None else width
    if not (math.isfinite(delta) and delta > 0):
        raise InputError(f"width = {delta}: must be a positive length in m")
    if angle is None:
        angle = 0.0 if left * film.material.dmi <= 0 else math.pi
    angle_in_rad("angle", angle)
    u = (grid.x - q[:, None]) / delta
    in_wall = 1 / torch.cosh(u)
    profile = torch.stack((in_wall * math.cos(angle), in_wall * math.sin(angle), -left * torch.tanh(u)), 1)
    return cut(film, profile[..., None].expand(-1, -1, -1, grid.ny).clone())


@checks_arguments("Film")
def head_to_head_wall(
    film: Film,
    position: Values | None = None,
    *,
    kind: HeadToHead = "transverse",
    left: int = 1,
    width: float | None = None,
    transverse: int = 1,
    circulation: int = 1,
    polarity: int = 1,
) -> Float[Tensor, "replica 3 nx ny"]:
    """Wall between two domains along the strip that point towards each other (or, with ``left = −1``, apart).

    Transverse: m_x = −left tanh((x − q)/w), the wall magnetised across the strip. Vortex: a vortex as wide as the
    strip between the domains. Thin and narrow strips prefer the first, thick and wide ones the second (width ×
    thickness above about 60 exchange lengths squared: McMichael and Donahue, IEEE Trans. Magn. 33, 4167 (1997)).

    Args:
        film: Film of the strip, magnetised in its plane along x.
        position: Position q in m from the left end, one for all replicas or one for each. Default: the middle.
        kind: ``transverse`` or ``vortex``.
        left: Direction of the left domain: 1 along +x (head to head), −1 along −x (tail to tail).
        width: Half-width w of a transverse wall in m. Default: the width of the strip over π, or the exchange length
            where that is greater.
        transverse: Direction of a transverse wall: 1 along +y, −1 along −y.
        circulation: Sense of a vortex: 1 counter-clockwise, −1 clockwise.
        polarity: Direction of the core of a vortex: 1 up, −1 down.

    Raises:
        InputError: A wall outside the film, or an argument out of range.
    """
    if kind not in get_args(HeadToHead):
        raise InputError(
            f"kind = {kind!r}: must be transverse or vortex{did_you_mean(str(kind), get_args(HeadToHead))}"
        )
    sign("left", left, "1 (along +x) or -1 (along -x)")
    sign("transverse", transverse, "1 (along +y) or -1 (along -y)")
    sign("circulation", circulation, "1 (counter-clockwise) or -1 (clockwise)")
    sign("polarity", polarity)
    grid, q = film.grid, along(film, position)
    x = (grid.x - q[:, None])[:, :, None].expand(-1, -1, grid.ny)
    if kind == "transverse":
        w = max(grid.width / math.pi, film.material.exchange_length) if width is None else width
        if not (math.isfinite(w) and w > 0):
            raise InputError(f"width = {w}: must be a positive length in m")
        m = torch.stack((-left * torch.tanh(x / w), transverse / torch.cosh(x / w), torch.zeros_like(x)), 1)
        return cut(film, m)
    if width is not None:
        raise InputError("width: is for a transverse wall; a vortex wall is as wide as its strip")
    y = (grid.y - grid.width / 2).expand_as(x)
    core, half = 2 * film.material.exchange_length, grid.width / 2
    r = torch.hypot(x, y).clamp_min(1e-12)
    turning = torch.stack(
        (-circulation * y / r, circulation * x / r, 1.5 * polarity * torch.exp(-((r / core) ** 2))), 1
    )
    domain = torch.stack((-left * torch.sign(x), torch.zeros_like(x), torch.zeros_like(x)), 1)
    # The vortex fades into the domains within a tenth of the width of the strip.
    share = torch.sigmoid((half - x.abs()) / (0.1 * half))[:, None]
    return cut(film, unit(share * unit(turning) + (1 - share) * domain))
