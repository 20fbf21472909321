"""The compact model's landscape for walls that may tilt, calibrated to paths of least energy.

A straight wall with its middle at q, tilted by chi, has the energy

    U(q, chi) = t ∫∫ phi(x, y) [2 A/Delta + 2 Delta (Keff(x, y) + Ks) − pi |D|] s(u) dx dy
    u = (x − q) cos chi − (y − w/2) sin chi,    s(u) = sech²(u/(kappa Delta))/(2 kappa Delta)

with the filled share phi of the cells: that of :mod:`.wall_energy` at chi = 0 and kappa = 1, and longer by 1/cos chi
where the film is full. A wall at q takes the tilt of least energy, so that it leaves a notch with one end ahead, which
costs up to a third less than to leave it straight. The landscape is

    E(q) = c min over chi of U(q, chi)

A rigid wall, kappa = 1, averages a notch over its whole profile; a real one bends and becomes narrower where the track
is, and follows notches that are hardly longer than itself. kappa and c are fitted to paths of least energy
(:func:`.string_barriers`) on tracks drawn at random: ``benchmarks/devices/barriers.py`` fits on some and tests on the
others.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from scipy.interpolate import CubicSpline
from torch import Tensor

from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.device.domain_wall.compact.wall_energy import CompactParameters, WallEnergy
from barkhausen.micromagnetics import Film

TILTS = np.linspace(-0.9, 0.9, 25)
"""Tilts in rad among which a wall takes the one of least energy."""

SPACING = 0.25e-9
"""Spacing of the places of a landscape in m."""

SMOOTHING, FACTOR = 0.6, 0.99
"""kappa and c."""

SPREAD = 0.07
"""Relative standard error of a barrier of the calibrated model against paths of least energy."""


def tilted_landscapes(
    film: Film, compact: CompactParameters, factor: float = FACTOR, smoothing: float = SMOOTHING
) -> xr.Dataset:
    """Energy of a wall of least energy among all tilts, for each device of a film.

    Args:
        film: Film whose constants are averages at the temperature.
        compact: Parameters of the compact model.
        factor: c.
        smoothing: kappa.

    Returns:
        Data set with ``energy`` (J) [device, place], as that of :func:`.string_barriers`.
    """
    table = WallEnergy.of(film, compact, torch.zeros(1, dtype=torch.float64))
    density = _density(film, compact, table)
    devices = max(len(density), film.devices)
    lowest = torch.empty(devices, len(table.places), dtype=torch.float64)
    width = table.wall_width[0]
    for delta in width.unique():
        which = (width == delta).nonzero()[:, 0].clamp(max=len(density) - 1)
        lowest[width == delta] = _lowest(film, density[which], table.places, smoothing * float(delta))
    places = np.arange(0.0, float(table.places[-1]) + SPACING / 2, SPACING)
    energy = factor * compact.pinning_factor * CubicSpline(table.places, lowest, axis=1)(places)
    return xr.Dataset(
        {"energy": (("device", "place"), energy, {"units": "J"})},
        coords={"place": ("place", places, {"units": "m"})},
        attrs={"method": "compact-calibrated", "relative_error": SPREAD},
    )


def _density(film: Film, compact: CompactParameters, table: WallEnergy) -> Float[Tensor, "device nx ny"]:
    """Energy in J of a wall across each cell of the film, per length across it in m."""
    material, order = film.material, compact.order
    fill = torch.ones(1, *film.grid.shape, dtype=torch.float64) if film.fill is None else film.fill.double()
    anisotropy = fill.new_full((1, 1, 1), material.anisotropy) if film.anisotropy is None else film.anisotropy.double()
    demag = 0.5 * VACUUM_PERMEABILITY * (order * material.saturation_magnetisation) ** 2
    own = order**3 * anisotropy - compact.demag_factor * demag
    delta, neel = (t[0, :, None, None] for t in (table.wall_width, table.neel))
    uniform = 2 * order**2 * material.exchange_stiffness / delta + neel - table.dmi
    return film.grid.dz * film.grid.dy * fill * (uniform + 2 * delta * own)


def _lowest(
    film: Film, density: Float[Tensor, "device nx ny"], places: Float[Tensor, " place"], delta: float
) -> Float[Tensor, "device place"]:
    """Least energy in J over all tilts of walls whose profile is ``delta`` (m) wide."""
    grid = film.grid
    lowest = density.new_full((len(density), len(places)), math.inf)
    for tilt in TILTS.tolist():
        energy = torch.zeros_like(lowest)
        for row, y in enumerate(grid.y.tolist()):
            middle = places + math.tan(tilt) * (y - grid.width / 2)
            right, left = (
                torch.tanh((grid.x + side * grid.dx / 2 - middle[:, None]) * (math.cos(tilt) / delta))
                for side in (1, -1)
            )
            # The outermost columns are endless.
            right[:, -1], left[:, 0] = 1.0, -1.0
            energy += density[:, :, row] @ (0.5 * (right - left)).T
        lowest = torch.minimum(lowest, energy / math.cos(tilt))
    return lowest
