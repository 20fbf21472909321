"""Skyrmions, skyrmioniums and bubbles: round domains in a film with perpendicular anisotropy."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.excitation.waveform import Values
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.states.placing import Places, angle_in_rad, centred, check_replicas, cut, lengths, sign


@checks_arguments("Film")
def skyrmion(
    film: Film,
    position: Places | None = None,
    radius: Values | None = None,
    *,
    width: Values | None = None,
    polarity: int = -1,
    helicity: float | None = None,
    vorticity: int = 1,
) -> Float[Tensor, "replica 3 nx ny"]:
    """Skyrmion with the profile of a 360-degree wall: Theta(r) = 2 atan(sinh(R/w)/sinh(r/w)), m_z = −p cos Theta.

    Profile of Braun, Phys. Rev. B 50, 16485 (1994); for skyrmions: Wang, Yuan and Wang, Commun. Phys. 1, 31 (2018).
    The in-plane part points at the angle vorticity × phi + helicity at the azimuth phi. The topological charge
    (1/4π)∫ m · (dm/dx × dm/dy) is polarity × vorticity.

    Args:
        film: Film.
        position: Centre (x, y) in m from the lower left corner of the grid, one for all replicas or ``[replica, 2]``.
            Default: the middle of the grid.
        radius: Radius R in m of the circle m_z = 0, one for all replicas or one for each. Default: that of an isolated
            skyrmion without field, :func:`skyrmion_radius`.
        width: Width w of the wall in m. Default: sqrt(A/Keff), with the default radius π|D|/(4 Keff).
        polarity: Direction of the core: −1 down in a film that is up, 1 up in a film that is down.
        helicity: Angle in rad: 0 outward Néel, π inward Néel, ±π/2 Bloch. Default: the Néel skyrmion of the DMI (for
            D > 0 and the core down outward); π/2 without DMI.
        vorticity: Number of turns of the in-plane part around the core; −1 an antiskyrmion.

    Raises:
        InputError: A position outside the film, or an argument out of range.
    """
    sign("polarity", polarity)
    _check_vorticity(vorticity)
    x, y = centred(film, position)
    if radius is None:
        radius, best = skyrmion_radius(film)
        width = best if width is None else width
    r, w = lengths("radius", radius), _width(film, width)
    check_replicas(position=x, radius=r, width=w)
    log_ratio = _log_ratio(x, y, r, w)
    return _round(film, x, y, (polarity * torch.tanh(log_ratio), 1 / torch.cosh(log_ratio)),
                  _helicity(film, helicity, -polarity), vorticity=vorticity)  # fmt: skip


@checks_arguments("Film")
def skyrmion_radius(film: Film) -> tuple[float, float]:
    """Radius and wall width in m of an isolated skyrmion in a large film without field.

    R = π |D| sqrt(A/(16 A Keff² − π² D² Keff)), w = π |D|/(4 Keff) (Wang, Yuan and Wang 2018).

    Raises:
        InputError: No such skyrmion: no perpendicular anisotropy, no DMI, or one above the critical DMI.
    """
    material = film.material
    a, k, d = material.exchange_stiffness, material.effective_anisotropy, abs(material.dmi)
    if k <= 0:
        raise InputError("radius: must be given; the film is magnetised in its plane")
    critical = 4 * math.sqrt(a * k) / math.pi
    if not 0 < d < critical:
        raise InputError(
            f"radius: must be given; a skyrmion stands free without field for 0 < |dmi| < {critical:.3g} J/m2, "
            f"here dmi = {material.dmi:g} J/m2"
        )
    return math.pi * d * math.sqrt(a / (16 * a * k**2 - math.pi**2 * d**2 * k)), math.pi * d / (4 * k)


@checks_arguments("Film")
def skyrmionium(
    film: Film,
    position: Places | None = None,
    radius: Values = 30e-9,
    inner_radius: Values | None = None,
    *,
    width: Values | None = None,
    polarity: int = 1,
    helicity: float | None = None,
) -> Float[Tensor, "replica 3 nx ny"]:
    """Skyrmionium: a ring-shaped domain, a skyrmion within a skyrmion, of topological charge 0.

    Theta(r) is the sum of two 360-degree walls and falls from 2π in the middle to 0 outside; m_z = p cos Theta.

    Args:
        film: Film.
        position: Centre (x, y) in m, one for all replicas or ``[replica, 2]``. Default: the middle of the grid.
        radius: Outer radius of the ring in m.
        inner_radius: Inner radius in m. Default: 0.4 of the outer one.
        width: Width of both walls in m. Default: sqrt(A/Keff).
        polarity: Direction of the core and of the film outside: 1 up, −1 down.
        helicity: Angle in rad of the in-plane part of the outer wall. Default: as for :func:`skyrmion`.

    Raises:
        InputError: A position outside the film, an inner radius beyond the outer one, or an argument out of range.
    """
    sign("polarity", polarity)
    x, y = centred(film, position)
    outer = lengths("radius", radius)
    inner = 0.4 * outer if inner_radius is None else lengths("inner_radius", inner_radius)
    check_replicas(position=x, radius=outer, inner_radius=inner, width=_width(film, width))
    if not bool((inner < outer).all()):
        raise InputError("inner_radius: must be smaller than radius")
    w = _width(film, width)
    first, second = _log_ratio(x, y, inner, w), _log_ratio(x, y, outer, w)
    theta = 2 * torch.atan(torch.exp(first.clamp_max(300))) + 2 * torch.atan(torch.exp(second.clamp_max(300)))
    return _round(
        film, x, y, (polarity * torch.cos(theta), torch.sin(theta)), _helicity(film, helicity, polarity), vorticity=1
    )


@checks_arguments("Film")
def bubble(
    film: Film,
    position: Places | None = None,
    radius: Values = 30e-9,
    *,
    width: Values | None = None,
    polarity: int = -1,
    helicity: float | None = None,
    direction: float | None = None,
) -> Float[Tensor, "replica 3 nx ny"]:
    """Bubble: a round domain with a thin wall, wide compared with its wall.

    With ``helicity`` (or neither) the wall turns once, charge ±1; with ``direction`` the whole wall points in one
    direction and the charge is 0: a bubble of the second kind, with two Bloch lines.

    Args:
        film: Film.
        position: Centre (x, y) in m, one for all replicas or ``[replica, 2]``. Default: the middle of the grid.
        radius: Radius in m, one for all replicas or one for each; at least twice the width of the wall.
        width: Width of the wall in m. Default: sqrt(A/Keff).
        polarity: Direction inside: −1 down, 1 up.
        helicity: Angle in rad, as for :func:`skyrmion`. Default: the Néel wall of the DMI, a Bloch wall without DMI.
        direction: Angle in rad of the whole wall from +x.

    Raises:
        InputError: A position outside the film, a radius too small for the wall, or an argument out of range.
    """
    sign("polarity", polarity)
    x, y = centred(film, position)
    r, w = lengths("radius", radius), _width(film, width)
    check_replicas(position=x, radius=r, width=w)
    if not bool((r >= 2 * w).all()):
        raise InputError(f"radius: a bubble of {float(r.min()):g} m is no wider than its wall; use skyrmion")
    if direction is not None and helicity is not None:
        raise InputError("helicity, direction: exclude each other")
    log_ratio = _log_ratio(x, y, r, w)
    profile = (polarity * torch.tanh(log_ratio), 1 / torch.cosh(log_ratio))
    if direction is None:
        return _round(film, x, y, profile, _helicity(film, helicity, -polarity), vorticity=1)
    return _round(film, x, y, profile, angle_in_rad("direction", direction), vorticity=0)


def _log_ratio(x: Tensor, y: Tensor, radius: Tensor, width: Tensor) -> Tensor:
    """ln(sinh(R/w)/sinh(r/w)), without overflow; +inf in the middle."""
    r = torch.hypot(x, y) / width
    big = radius / width
    return big - r + torch.log(-torch.expm1(-2 * big)) - torch.log(-torch.expm1(-2 * r))


def _round(
    film: Film, x: Tensor, y: Tensor, profile: tuple[Tensor, Tensor], helicity: float, *, vorticity: int
) -> Tensor:
    """State with m_z and the in-plane part of a profile, pointing at vorticity × azimuth + helicity."""
    mz, in_plane = profile
    angle = vorticity * torch.atan2(y, x) + helicity
    mz, in_plane, angle = torch.broadcast_tensors(mz, in_plane, angle)
    return cut(film, torch.stack((in_plane * torch.cos(angle), in_plane * torch.sin(angle), mz), 1))


def _width(film: Film, width: Values | None) -> Tensor:
    return lengths("width", film.material.wall_width if width is None else width)


def _helicity(film: Film, helicity: float | None, outside: int) -> float:
    """Default: the one that the DMI prefers where m_z outside the wall is ``outside``."""
    if helicity is not None:
        return angle_in_rad("helicity", helicity)
    if film.material.dmi == 0:
        return math.pi / 2
    return 0.0 if film.material.dmi * outside > 0 else math.pi


def _check_vorticity(vorticity: int) -> None:
    if not (isinstance(vorticity, int) and vorticity != 0):
        raise InputError(f"vorticity = {vorticity}: must be a whole number other than 0")
