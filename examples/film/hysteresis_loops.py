"""Hysteresis loops of a permalloy ellipse for three directions of the field.

    python examples/film/hysteresis_loops.py docs/images/film/hysteresis-loops.png

An ellipse of 100 × 50 × 5 nm is a single domain; its shape is the anisotropy. The directions are replicas of one call.
The dashed lines are the loops of a Stoner-Wohlfarth particle with the same demagnetising factors.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import numpy as np
import torch

from barkhausen import micromagnetics as mm
from barkhausen.core.display.plot_style import legend_above, new_axes, one_column, ordered_colours
from barkhausen.core.units import VACUUM_PERMEABILITY

DEGREES = (5.0, 45.0, 80.0)


def macrospin(film: mm.Film, fields: np.ndarray, degrees: float) -> np.ndarray:
    """<m> along the field of a particle that turns as one, with the film's mean demagnetising factors."""
    system = mm.System(film, terms=(mm.Demag(),))
    full = VACUUM_PERMEABILITY * film.material.saturation_magnetisation
    xx, yy = (
        -float(((system.field(m) * m).sum(1) * film.weights).sum()) / full
        for m in (mm.uniform(film, (1.0, 0.0, 0.0)), mm.uniform(film, (0.0, 1.0, 0.0)))
    )
    scale = full * (yy - xx)
    psi, phi, along = math.radians(degrees), math.radians(degrees), []
    for field in fields:
        for _ in range(4000):
            slope = scale * math.sin(2 * phi) / 2 + field * math.sin(phi - psi)
            phi -= 2.0 * slope
        along.append(math.cos(phi - psi))
    return np.array(along)


def main(picture: Path) -> None:
    """Compute and draw."""
    film = mm.shape_film(mm.ellipse(100e-9, 50e-9), mm.material("permalloy"), thickness=5e-9, cell=5e-9)
    half = np.linspace(0.2, -0.2, 41)
    fields = np.concatenate((half, half[-2::-1]))
    angles = torch.tensor([math.radians(each) for each in DEGREES], dtype=torch.float64)
    directions = torch.stack((angles.cos(), angles.sin(), torch.zeros_like(angles)), 1)
    result = mm.hysteresis(film, fields.tolist(), directions, descent="minimize", on_maximum="ignore", torque=1e-4)
    axes = new_axes()
    for replica, (degrees, colour) in enumerate(zip(DEGREES, ordered_colours(len(DEGREES)), strict=True)):
        along = result["m_along"].isel(replica=replica).values
        coercive = float(result["coercive_field"].isel(replica=replica))
        print(f"{degrees:g} degrees: coercive field {coercive * 1e3:.1f} mT")
        axes.plot(
            fields * 1e3, along, "o-", color=colour, markersize=1.8, linewidth=0.8, label=f"{degrees:g}° to the axis"
        )
        axes.plot(fields * 1e3, macrospin(film, fields, degrees), "--", color=colour, linewidth=0.6)
    axes.set(xlabel="field (mT)", ylabel="<m> along the field")
    legend_above(axes, len(DEGREES))
    picture.parent.mkdir(parents=True, exist_ok=True)
    axes.figure.savefig(picture)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with one_column():
        main(Path(sys.argv[1]))
