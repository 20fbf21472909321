"""Field of the current in a strip (Oersted field)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import plausible
from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.micromagnetics.grid import Grid


@checks_arguments("Grid")
def strip_field(
    grid: Grid,
    *,
    width: float,
    thickness: float,
    gap: float = 0.0,
    centre: float | None = None,
    along: str = "x",
) -> Float[Tensor, "3 nx ny"]:
    """Field in T for each ampere in a long strip of rectangular cross-section, in the middle of the film, per cell.

    The current flows in the positive direction, spread evenly over the cross-section. Integral of the field of a
    straight wire, mu0 I/(2 pi r), over the rectangle in closed form; float64. For the ``field_profile`` of a
    :class:`Drive` whose ``local_field`` is the current in A.

    Args:
        grid: Grid of the film.
        width, thickness: Size of the cross-section in m: in the plane of the film, and across it.
        gap: Distance in m from the upper face of the strip to the lower face of the film; negative for a strip above
            the film, from its lower face to the upper face of the film.
        centre: Place of its middle in m, along y (of a strip along x) or along x. Default: the middle of the grid.
        along: ``x`` or ``y``: direction of the strip.

    Raises:
        InputError: A size that is not positive, or another direction.
    """
    if along not in {"x", "y"}:
        raise InputError(f"along = '{along}': must be x or y")
    for name, value in (("width", width), ("thickness", thickness)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} = {value}: must be a positive length in m")
        plausible("length", value, name)
    for name, place in (("gap", gap), ("centre", centre or 0.0)):
        if not abs(place) <= 1e-3:
            raise InputError(f"{name} = {place}: must be a length in m, of a millimetre at most")
    # Seen against the current, u runs to the right of it and z up.
    cells = grid.y if along == "x" else grid.x
    middle = 0.5 * (grid.width if along == "x" else grid.length) if centre is None else centre
    u = cells - middle
    below = abs(gap) + 0.5 * (grid.dz + thickness)
    z = -below if gap < 0 else below
    across, up = _of_rectangle(u, z, width, thickness)
    out = torch.zeros(3, *grid.shape, dtype=torch.float64)
    if along == "x":
        # Current along +x: B = mu0 I/(2 pi r²) (0, −z, y).
        out[1], out[2] = -across[None, :], up[None, :]
    else:
        # Current along +y: B = mu0 I/(2 pi r²) (z, 0, −x).
        out[0], out[2] = across[:, None], -up[:, None]
    return out


def _of_rectangle(u: Float[Tensor, " place"], z: float, width: float, thickness: float) -> tuple[Tensor, Tensor]:
    """Means of z'/r² and of u'/r² over the cross-section, times mu0/(2 pi); r from its points to (u, z)."""
    across, up = torch.zeros_like(u), torch.zeros_like(u)
    for sign_u in (1.0, -1.0):
        for sign_z in (1.0, -1.0):
            a = u + sign_u * 0.5 * width
            b = torch.full_like(u, z + sign_z * 0.5 * thickness)
            logarithm = 0.5 * torch.log((a * a + b * b).clamp_min(1e-300))
            # Second antiderivatives of b/r² and a/r².
            across += sign_u * sign_z * (a * logarithm + b * torch.atan(a / b))
            up += sign_u * sign_z * (b * logarithm + a * torch.atan2(b, a))
    scale = VACUUM_PERMEABILITY / (2 * math.pi * width * thickness)
    return scale * across, scale * up
