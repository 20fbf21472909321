"""Self-consistent classical spin waves of a perpendicular film on a mesh: how they soften its constants.

The cells of a mesh are classical spins. At a temperature each mode k of their two transverse components has the mean
square a(k), and the averages differ from the constants that the cells are given: a finer mesh has more modes and
softens more (Grinstein and Koch, Phys. Rev. Lett. 90, 207201 (2003); Hahn, J. Phys. Commun. 3, 075009 (2019)). With the
constants *at the temperature*, marked T, Ms(T) = m Ms, V the volume of a cell, lambda(k) = sum over x and y of
(2 − 2 cos k d)/d² and N(k) the tensor of the stray field between cells,

    a(k) = kB T m²/(2 V) mean over x and y of [(Keff(T) + A(T) lambda(k)) 1 + mu0 Ms(T)² N_inplane(k)/2]⁻¹

which is the fluctuation-dissipation theorem for B_K(T) = 2 Keff(T)/Ms(T) and the long waves above it. With the
correlation a(r) of two cells at the distance r, and a(0) = (1 − m³)/3 as on a sphere over which a direction has spread
by rotational diffusion (whose second moments obey <m_z²> − <m_x²> = m³, Callen and Callen, J. Phys. Chem. Solids 27,
1271 (1966)), the correlations along and across the mean are m² + a(r)² and a(r), and

    Ku(T) = m³ Ku                                        one cell: anisotropy
    A(T) = (m² + a(d)² + a(d)) A,  D(T) likewise         two neighbours turned against each other
    Kd(T) = mu0 Ms²/2 [m² + sum over r of (a(r)² − a(r)) (3 N_zz(r) − N(r))/2]      all pairs turned together

where Kd(T) is the part of the stray field in Keff(T) = Ku(T) − Kd(T), and N(r) the trace, 1 at r = 0 and 0 elsewhere.
All of it depends on the constants at the temperature alone, so that they give the constants of the mesh without
iteration but for m.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN, VACUUM_PERMEABILITY
from barkhausen.micromagnetics.material import Material

PERIOD = 12.0
"""Edge of the periodic film of which modes are summed, in wall widths; a(r) decays within one."""

FEWEST, MOST = 32, 512
"""Bounds of the number of modes along an axis."""

IMAGES = 8
"""Reciprocal lattice vectors along each axis, on either side of 0, in the sums for the stray field between cells."""


@dataclass(frozen=True)
class Softening:
    """Averages at a temperature relative to the constants of the cells."""

    order: float
    """m: mean magnetisation Ms(T)/Ms."""
    anisotropy: float
    """Ku(T)/Ku = m³."""
    exchange: float
    """A(T)/A."""
    dmi: float
    """D(T)/D."""
    stray: float
    """Kd(T)/(mu0 Ms(T)²/2): 1 if the stray field fell as m² for cells of any size."""


def softening(material: Material, cell: tuple[float, float], thickness: float, temperature: float) -> Softening:
    """Softening by the spin waves of a mesh, given the constants that come out.

    Args:
        material: Constants at the temperature (averages, not those of the cells).
        cell: Edges dx and dy of the cells in m.
        thickness: Thickness of the film in m.
        temperature: Temperature in K.

    Raises:
        InputError: The film is not perpendicular, has cubic anisotropy, or its fluctuations leave no order.
    """
    if temperature == 0:
        return Softening(1.0, 1.0, 1.0, 1.0, 1.0)
    keff = material.effective_anisotropy
    if material.is_perpendicular and keff <= 0:
        raise InputError(
            f"material.constants_at: constants at a temperature need a perpendicular film, but Keff = Ku - mu0 Ms2/2 = "
            f"{keff:.4g} J/m3 (Ku = {material.anisotropy:.4g} J/m3, of interfaces K_i/t): it lies in the plane; a "
            "thinner film, larger K_i or Ku, or smaller Ms"
        )
    if not material.is_perpendicular or material.cubic_anisotropy != 0:
        raise InputError(
            f"material.constants_at: constants at a temperature need a perpendicular film without cubic anisotropy; "
            f"here Keff = {keff:g} J/m3 and Kc = {material.cubic_anisotropy:g} J/m3"
        )
    dx, dy = cell
    waves = tuple(2 * math.pi * torch.fft.fftfreq(n, d, dtype=torch.float64) for n, d in _modes(material, cell))
    tensor = _stray_tensor(waves, cell, thickness)
    stiff = keff + material.exchange_stiffness * (
        ((2 - 2 * torch.cos(waves[0] * dx)) / dx**2)[:, None] + ((2 - 2 * torch.cos(waves[1] * dy)) / dy**2)
    )
    shape = 0.5 * VACUUM_PERMEABILITY * material.saturation_magnetisation**2
    along, across, mixed = (stiff + shape * tensor[0], stiff + shape * tensor[1], shape * tensor[3])
    # Half the trace of the inverse of a symmetric 2 x 2 matrix.
    inverse = 0.5 * (along + across) / (along * across - mixed**2)
    spread = BOLTZMANN * temperature * inverse / (2 * dx * dy * thickness)
    order = _order(float(spread.mean()))
    correlation = torch.fft.ifft2(order**2 * spread).real
    neighbours = 0.5 * float(correlation[1, 0] + correlation[0, 1])
    bond = order**2 + neighbours**2 + neighbours
    pairs = torch.fft.ifft2(1.5 * tensor[2] - 0.5).real
    stray = 1 + float(((correlation**2 - correlation) * pairs).sum()) / order**2
    return Softening(order, order**3, bond, bond, stray)


def _order(spread: float) -> float:
    """m with (1 − m³)/3 = m² s, s the mean of kB T/(2 V stiffness) over the modes."""
    m = 1.0
    for _ in range(50):
        step = (m**3 + 3 * spread * m**2 - 1) / (3 * m**2 + 6 * spread * m)
        m -= step
        if abs(step) < 1e-15:
            break
    return m


def _modes(material: Material, cell: tuple[float, float]) -> list[tuple[int, float]]:
    """Number of modes along each axis, and the edge of the cells."""
    return [(min(MOST, max(FEWEST, 2 * math.ceil(PERIOD * material.wall_width / (2 * d)))), d) for d in cell]


def _stray_tensor(
    waves: tuple[Tensor, Tensor], cell: tuple[float, float], thickness: float
) -> Float[Tensor, "4 nx ny"]:
    """N_xx, N_yy, N_zz and N_xy between cells, Fourier transformed over the lattice.

    The sum over reciprocal lattice vectors G of sinc²(q_x dx/2) sinc²(q_y dy/2) N(q) at q = k + G, with N_zz = (1 −
    exp(−q t))/(q t) and q q/q² (1 − N_zz) in the plane. Their weights sum to 1; what is left out belongs to large q
    along one axis, where that axis' component is nearly 1. One quadrant of k is computed: N_xy is odd in k_x and in
    k_y, the others are even.
    """
    halves = [len(k) // 2 + 1 for k in waves]
    found = torch.zeros(4, *halves, dtype=torch.float64)
    axes = []
    for k, half, d in zip(waves, halves, cell, strict=True):
        shifted = [k[:half].abs() + 2 * math.pi * g / d for g in range(-IMAGES, IMAGES + 1)]
        axes.append([(q, torch.sinc(q * d / (2 * math.pi)) ** 2) for q in shifted])
    for qx, wx in axes[0]:
        for qy, wy in axes[1]:
            weight = wx[:, None] * wy
            square = qx[:, None] ** 2 + qy**2
            reach = (square.sqrt() * thickness).clamp_min(1e-12)
            out = -torch.expm1(-reach) / reach
            inside = weight * (1 - out) / square.clamp_min(1e-300)
            found += torch.stack((inside * qx[:, None] ** 2, inside * qy**2, weight * out, inside * qx[:, None] * qy))
    kept_x, kept_y = sum(w for _, w in axes[0])[:, None], sum(w for _, w in axes[1])  # type: ignore[index]
    corner = 0.5 * (1 - kept_x) * (1 - kept_y)
    found[0] += (1 - kept_x) * kept_y + corner
    found[1] += kept_x * (1 - kept_y) + corner
    for dim, k, half in zip((1, 2), waves, halves, strict=True):
        mirror = found.narrow(dim, 1, len(k) - half).flip(dim)
        mirror = torch.stack((mirror[0], mirror[1], mirror[2], -mirror[3]))
        found = torch.cat((found, mirror), dim=dim)
    return found
