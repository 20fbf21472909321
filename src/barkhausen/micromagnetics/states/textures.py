"""Extended textures: vortex, helix, cone and stripes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import brentq
from scipy.special import ellipj, ellipkm1
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers, checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.states.placing import Places, angle_in_rad, centred, cut, sign


@checks_arguments("Film")
def vortex(
    film: Film, circulation: int = 1, polarity: int = 1, position: Places | None = None
) -> Float[Tensor, "replica 3 nx ny"]:
    """Vortex, in the middle by default: mumax3's ``vortex(circulation, polarity)``.

    Args:
        film: Film.
        circulation: Sense: 1 counter-clockwise, −1 clockwise.
        polarity: Direction of the core: 1 up, −1 down.
        position: Core (x, y) in m, one for all replicas or ``[replica, 2]``. Default: the middle of the grid.
    """
    sign("circulation", circulation, "1 (counter-clockwise) or -1 (clockwise)")
    sign("polarity", polarity)
    x, y = centred(film, position)
    r = torch.hypot(x, y)
    core = 2 * film.material.exchange_length
    m = torch.stack((-circulation * y / r.clamp_min(1e-30), circulation * x / r.clamp_min(1e-30),
                     1.5 * polarity * torch.exp(-(r**2) / core**2)), 1)  # fmt: skip
    m[:, :2] = torch.where(r[:, None] < 1e-15, 0.0, m[:, :2])
    m = m / torch.linalg.vector_norm(m, dim=1, keepdim=True)
    return cut(film, m)


@checks_arguments("Film")
def helix(
    film: Film,
    period: float | None = None,
    *,
    direction: float = 0.0,
    axis: Sequence[float] | None = None,
    sense: int | None = None,
    phase: float = 0.0,
) -> Float[Tensor, "1 3 nx ny"]:
    """Spin spiral: the magnetisation turns by 2π about ``axis`` in each period.

    Args:
        film: Film.
        period: Period in m. Default: 4πA/|D|, that of the DMI without anisotropy.
        direction: Angle in rad of the wave vector from +x.
        axis: Axis of rotation. Default: in the plane, across the wave vector: a cycloid, which interfacial DMI prefers.
            (The wave vector itself gives a helix in the narrow sense.)
        sense: Sense of the rotation about the axis: 1 or −1. Default: the one that the DMI prefers.
        phase: Phase in rad at the lower left corner; 0: m is along z there, or as near to it as the axis allows.

    Raises:
        InputError: No period, or an argument out of range.
    """
    return cone(film, period, opening=math.pi / 2, direction=direction, axis=axis, sense=sense, phase=phase)


@checks_arguments("Film")
def cone(
    film: Film,
    period: float | None = None,
    *,
    opening: float = math.pi / 4,
    direction: float = 0.0,
    axis: Sequence[float] | None = None,
    sense: int | None = None,
    phase: float = 0.0,
) -> Float[Tensor, "1 3 nx ny"]:
    """Conical spiral: as :func:`helix`, at the angle ``opening`` (rad) from the axis instead of π/2.

    Raises:
        InputError: No period, or an argument out of range.
    """
    along, across, s = _along(film, direction)
    about = across if axis is None else as_tensor_of_numbers("axis", axis)
    if about.shape != (3,) or not (math.isfinite(float(about.norm())) and float(about.norm()) > 0):
        raise InputError(f"axis = {about.tolist()}: must be three numbers, not all zero")
    if not 0 < opening <= math.pi / 2:
        raise InputError(f"opening = {opening}: must be above 0 and at most pi/2 rad")
    about = about / about.norm()
    # The rotation starts at z, or at the wave vector where z is the axis.
    first = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    if float(torch.linalg.cross(about, first).norm()) < 1e-6:
        first = along
    first = first - (first @ about) * about
    first = first / first.norm()
    second = torch.linalg.cross(about, first)
    if sense is None:
        # About the axis z × k the angle from z towards k grows along k, against which the energy of D > 0 counts.
        sense = 1 if film.material.dmi * float(about @ across) <= 0 else -1
    turn = sign("sense", sense, "1 or -1") * 2 * math.pi * s / _period(film, period) + angle_in_rad("phase", phase)
    m = torch.cos(turn) * first[:, None, None] + torch.sin(turn) * second[:, None, None]
    m = math.sin(opening) * m + math.cos(opening) * about[:, None, None]
    return cut(film, m[None])


@checks_arguments("Film")
def stripes(
    film: Film,
    period: float,
    *,
    direction: float = 0.0,
    width: float | None = None,
    angle: float | None = None,
    phase: float = 0.0,
) -> Float[Tensor, "1 3 nx ny"]:
    """Stripe domains, up and down in turn: the periodic wall solution of exchange and uniaxial anisotropy.

    m_z = −sn(u, m) with u = s/(sqrt(m) w): Jacobi's elliptic functions, with 4 K(m) sqrt(m) w = period; walls of
    width w where the period is long.

    Args:
        film: Film.
        period: Period in m, of one stripe up and one down.
        direction: Angle in rad from +x of the direction across the stripes.
        width: Width w of the walls in m. Default: sqrt(A/Keff).
        angle: Angle in rad of the walls' magnetisation to the direction across, where m_z falls; opposite where it
            rises. Default: the Néel walls of the DMI (D > 0: π), Bloch walls (π/2) without.
        phase: Phase in rad; at 0 a wall where m_z falls begins at the lower left corner.

    Raises:
        InputError: An argument out of range.
    """
    along, across, s = _along(film, direction)
    w = film.material.wall_width if width is None else width
    for name, value in (("period", period), ("width", w)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} = {value}: must be a positive length in m")
    if angle is None:
        angle = math.pi / 2 if film.material.dmi == 0 else (math.pi if film.material.dmi > 0 else 0.0)
    angle_in_rad("angle", angle)
    place = s + angle_in_rad("phase", phase) * period / (2 * math.pi)
    sn, cn = _periodic_walls(place.numpy(), period, w)
    in_wall = math.cos(angle) * along + math.sin(angle) * across
    up = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    m = -sn * up[:, None, None] + cn * in_wall[:, None, None]
    return cut(film, m[None])


def _periodic_walls(place: np.ndarray, period: float, width: float) -> tuple[Tensor, Tensor]:
    """sn and cn along the period."""
    quarter = period / (4 * width)
    folded = (place + period / 4) % period - period / 4
    if quarter > 15:
        # 1 − m is below the rounding error: single walls at 0 and at half a period.
        second = folded > period / 4
        u = np.where(second, folded - period / 2, folded) / width
        turn = np.where(second, -1.0, 1.0)
        return torch.from_numpy(turn * np.tanh(u)), torch.from_numpy(turn / np.cosh(u))

    def excess(log_rest: float) -> float:
        rest = math.exp(log_rest)
        return float(ellipkm1(rest)) * math.sqrt(-math.expm1(log_rest)) - quarter

    # Where the period is much shorter than the wall m vanishes, and sn and cn are sine and cosine.
    rest = math.exp(brentq(excess, -40.0, -1e-9, xtol=1e-14)) if quarter > 1e-3 else 1.0
    scale = float(ellipkm1(rest)) * 4 / period
    sn, cn, _, _ = ellipj(folded * scale, 1 - rest)
    return torch.from_numpy(sn), torch.from_numpy(cn)


def _along(film: Film, direction: float) -> tuple[Tensor, Tensor, Tensor]:
    """Unit vectors along a direction and across it (z × along), and the coordinate of the cells along it, in m."""
    angle_in_rad("direction", direction)
    along = torch.tensor([math.cos(direction), math.sin(direction), 0.0], dtype=torch.float64)
    across = torch.tensor([-math.sin(direction), math.cos(direction), 0.0], dtype=torch.float64)
    return along, across, film.grid.x[:, None] * along[0] + film.grid.y[None, :] * along[1]


def _period(film: Film, period: float | None) -> float:
    if period is None:
        if film.material.dmi == 0:
            raise InputError("period: must be given in m for a material without DMI")
        return 4 * math.pi * film.material.exchange_stiffness / abs(film.material.dmi)
    if not (math.isfinite(period) and period > 0):
        raise InputError(f"period = {period}: must be a positive length in m")
    return period
