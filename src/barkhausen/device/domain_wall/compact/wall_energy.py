"""The energy of a straight wall along a track, with the magnetisation in it turned by any angle.

With w(x) the width of the track and w̄ its median, t its thickness, s(u) = sech²(u/Delta)/(2 Delta) the profile of a
wall, and W(q) = ∫ w(x) s(x − q) dx,

    E(q, psi) = p U(q) + t V(q) [pi |D| (1 − cos psi) − 2 Delta Ks sin² psi],    V = w̄ + tau (W − w̄)
    U(q) = t ∫ w(x) [2 A/Delta + 2 Delta (Keff(x) + Ks) − pi |D|] s(x − q) dx

(Malozemoff and Slonczewski, Magnetic Domain Walls in Bubble Materials (1979); with DMI Thiaville et al., EPL 100, 57002
(2012)). A wall that is straight and stiff has p = tau = 1. In micromagnetics p is 1 within a few per cent, but tau is a
half: a wall tilts and bends where the width changes, which saves energy only if it is turned. Ks is the magnetostatic
cost of a Néel wall.

At finite temperature the fluctuations that a straight wall does not have soften the film. With the mean magnetisation m
of a domain, in units of Ms, as :attr:`CompactParameters.order`: Ms m, A m², D m², Ku m³ (Callen and Callen, J. Phys.
Chem. Solids 27, 1271 (1966); for A and D the mean field's, Moreno et al., Phys. Rev. B 94, 104433 (2016)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.config import NotNegative, Parameters, Positive, Real
from barkhausen.core.errors import InputError
from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.micromagnetics import Film, Grid
from barkhausen.micromagnetics.temperature.averages import thermal_order

__all__ = ["SPACING", "CompactParameters", "WallEnergy", "thermal_order"]

SPACING = 1e-9
"""Spacing in m of the tabulated energy."""


class CompactParameters(Parameters):
    """Parameters of the compact model that follow from micromagnetic runs."""

    order: Positive = 1.0
    """Mean magnetisation of a domain over Ms: 1 at T = 0. It depends on the cells as well as on the temperature;
    without a calibration :func:`thermal_order` has it."""
    demag_factor: Positive = 0.95
    """N_zz of the track: Keff = Ku − N_zz mu0 Ms²/2."""
    neel_cost: Real = 1.25
    """Ks in units of mu0 Ms² t ln 2/(2 pi Delta), that of an infinite thin film (Tarasenko et al., J. Magn. Magn.
    Mater. 189, 19 (1998)), less the next."""
    edge_cost: Real = 10.0
    """What the charges of a Bloch wall at the edges take off that, for a wall as wide (Delta) as the track. The two
    defaults describe rigid walls with Delta = 8 to 16 nm on tracks of 64 to 256 nm within 0.2 units; on tracks narrower
    than 8 Delta a Néel wall costs less than a Bloch wall even without DMI."""
    dmi_factor: Positive = 1.0
    """Ratio of the effective to the given D."""
    damping_factor: Positive = 1.0
    """Ratio of the effective to the given damping."""
    drive_factor: Positive = 1.0
    """Ratio of the effective to the given spin-orbit field."""
    pinning_factor: Positive = 1.0
    """p: ratio of the effective to the computed gradient of U along the track."""
    twist_factor: NotNegative = 0.5
    """tau: fraction by which the energy of a turned wall follows the width of the track."""


@dataclass(frozen=True, eq=False)
class WallEnergy:
    """The energy at finely spaced places, for each device and several changes of Ku, and what it is made of."""

    places: Float[Tensor, " place"]
    """q in m, :data:`SPACING` apart."""
    width: Float[Tensor, "level device place"]
    """W(q) in m."""
    energy: Float[Tensor, "level device place"]
    """p U(q) in J: that of a wall at rest, psi = 0."""
    track_width: Float[Tensor, " device"]
    """w̄ in m."""
    wall_width: Float[Tensor, "level device"]
    """Delta in m."""
    neel: Float[Tensor, "level device"]
    """2 Delta Ks in J/m²."""
    dmi: float
    """pi |D| in J/m²."""
    magnetisation: float
    """Ms in A/m."""
    twist_factor: float
    """tau."""

    @staticmethod
    def of(film: Film, parameters: CompactParameters, change: Float[Tensor, " level"]) -> WallEnergy:
        """Tabulate it for each change of Ku (J/m³).

        Raises:
            InputError: A change leaves no perpendicular anisotropy.
        """
        material, grid, order = film.material, film.grid, parameters.order
        magnetisation = order * material.saturation_magnetisation
        exchange, dmi = order**2 * material.exchange_stiffness, order**2 * parameters.dmi_factor * abs(material.dmi)
        demag = 0.5 * VACUUM_PERMEABILITY * magnetisation**2
        fill = torch.ones(1, *grid.shape, dtype=torch.float64) if film.fill is None else film.fill.double()
        column = fill.sum(2) * grid.dy
        if film.anisotropy is None:
            anisotropy = torch.full_like(column, material.anisotropy)
        else:
            anisotropy = (film.anisotropy.double() * fill).sum(2) / fill.sum(2).clamp_min(1e-12)
        own = order**3 * anisotropy - parameters.demag_factor * demag
        # Delta is that of the plain track, so that a local barrier changes the energy but not the profile.
        track, plain = (torch.where(column > 0, t, torch.nan).nanmedian(dim=1).values for t in (column, own))
        reference = plain + order**3 * change[:, None]
        if not bool((reference > 0).all()):
            raise InputError(
                f"gate: a change of Ku by {float(change.min()):g} J/m3 leaves no perpendicular anisotropy "
                f"(Keff = {float(reference.min()):g} J/m3)"
            )
        delta = torch.sqrt(exchange / reference)
        neel = (
            (parameters.neel_cost - parameters.edge_cost * delta / track) * 2 * demag * grid.dz * math.log(2) / math.pi
        )
        uniform = 2 * exchange / delta + 2 * delta * order**3 * change[:, None] + neel - math.pi * dmi
        places = torch.arange(0.0, grid.length + SPACING / 2, SPACING, dtype=torch.float64)
        devices = max(len(column), len(own))
        column, hilly = column.expand(devices, -1), (column * own).expand(devices, -1)
        delta, neel, uniform, plain = (t.expand(-1, devices) for t in (delta, neel, uniform, plain[None]))
        width, hills = (torch.empty(len(change), devices, len(places), dtype=torch.float64) for _ in range(2))
        # The profile depends on the device through Delta alone: devices of one Delta share it.
        for alike in plain[0].unique():
            which = (plain[0] == alike).nonzero()[:, 0]
            share = _shares(grid, places, delta[:, which[0]])
            width[:, which] = torch.einsum("lpx,dx->ldp", share, column[which])
            hills[:, which] = torch.einsum("lpx,dx->ldp", share, hilly[which])
        energy = grid.dz * (uniform[..., None] * width + 2 * delta[..., None] * hills)
        return WallEnergy(
            places,
            width,
            parameters.pinning_factor * energy,
            track.expand(devices),
            delta,
            neel,
            math.pi * dmi,
            magnetisation,
            parameters.twist_factor,
        )


def _shares(
    grid: Grid, places: Float[Tensor, " place"], delta: Float[Tensor, " level"]
) -> Float[Tensor, "level place nx"]:
    """Share of each column of cells in the profile of a wall: its exact integral; the outermost are endless."""
    right, left = (
        torch.tanh(((grid.x + side * grid.dx / 2) - places[:, None])[None] / delta[:, None, None]) for side in (1, -1)
    )
    right[..., -1], left[..., 0] = 1.0, -1.0
    return 0.5 * (right - left)
