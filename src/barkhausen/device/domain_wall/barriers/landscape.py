"""The energy of a wall along its paths of least energy, as a function of its position."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline, PchipInterpolator

SAMPLES = 40
"""Points between two images in which a path is read."""


def along_path(
    coordinate: Float[np.ndarray, " image"],
    energy: Float[np.ndarray, " image"],
    position: Float[np.ndarray, " image"],
    places: Float[np.ndarray, " place"],
) -> Float[np.ndarray, " place"]:
    """Energy in J at places in m, NaN outside the path.

    The energy is a cubic spline of the path's coordinate with no slope at its ends, which are minima, and at its
    highest image, which is on the saddle. Where the position goes back along the path, it is held.

    Args:
        coordinate: Distance of each image from the start in rad.
        energy: Energy of each image in J.
        position: Position of the wall in m, rising or falling from one end to the other.
        places: Rising places.
    """
    top = int(energy.argmax())
    fine, height = [], []
    for low, high in ((0, top), (top, len(energy) - 1)):
        if high <= low:
            continue
        s = np.linspace(coordinate[low], coordinate[high], SAMPLES * (high - low) + 1)
        flat = ((1, 0.0), (1, 0.0))
        piece = slice(low, high + 1)
        spline = CubicSpline(coordinate[piece], energy[piece], bc_type=flat)
        fine.append(s)
        height.append(spline(s))
    sense = 1.0 if position[-1] >= position[0] else -1.0
    rising = np.maximum.accumulate(sense * position)
    s, e = np.concatenate(fine), np.concatenate(height)
    q = sense * PchipInterpolator(coordinate, rising)(s)
    order = np.argsort(q, kind="stable")
    q, e = q[order], e[order]
    result: np.ndarray = np.interp(places, q, e, left=np.nan, right=np.nan)
    # The saddle itself, which may lie between two places.
    saddle = int(np.abs(places - position[top]).argmin())
    if np.isfinite(result[saddle]):
        result[saddle] = max(result[saddle], energy[top])
    return result
