"""Dispersion of spin waves in a permalloy strip without ends, magnetised along it.

    python examples/film/strip_dispersion.py docs/images/film/strip-dispersion.png

The strip is periodic along x. Small random tilts of all cells let every wave ring; the picture shows the power of m_z
over wavenumber and frequency, and the waves of Kalinikos and Slavin with one, two and three half waves across the
strip, pinned at its edges as in Guslienko et al., Phys. Rev. B 66, 132402 (2002).
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import numpy as np
import torch

from barkhausen import micromagnetics as mm
from barkhausen.core.display.plot_style import VERMILLION, new_axes, one_column
from barkhausen.core.units import GYROMAGNETIC_RATIO, VACUUM_PERMEABILITY

FIELD = 0.05


def theory(film: mm.Film, k: np.ndarray, across: float) -> np.ndarray:
    """Frequency in Hz of waves with k along and ``across`` across the strip, m along it."""
    material = film.material
    square = k**2 + across**2
    total = np.sqrt(square)
    full = VACUUM_PERMEABILITY * material.saturation_magnetisation
    b = FIELD + 2 * material.exchange_stiffness * square / material.saturation_magnetisation
    normal = -np.expm1(-total * film.grid.dz) / (total * film.grid.dz)
    return (
        GYROMAGNETIC_RATIO / (2 * np.pi) * np.sqrt((b + full * (1 - normal) * across**2 / square) * (b + full * normal))
    )


def main(picture: Path) -> None:
    """Simulate and draw."""
    grid = mm.Grid(144, 8, 6e-9, 12.5e-9, 10e-9, periodic=(True, False))
    film = mm.Film(grid, mm.material("permalloy", damping=1e-3))
    generator = torch.Generator().manual_seed(1)
    m = mm.uniform(film, (1.0, 0.0, 0.0))
    m[:, 1:] = 0.02 * torch.randn(m[:, 1:].shape, generator=generator)
    result = mm.simulate(
        film, mm.Drive(field_x=FIELD), duration=3e-9, every=12.5e-12, initial=m / m.norm(dim=1, keepdim=True),
        observe=[mm.LineProfile(row=1)], integrator="dormand-prince", tolerance=1e-4,
    )  # fmt: skip
    power = mm.dispersion(result["line"], "z", periodic=True)
    axes = new_axes(height=2.6)
    k = power["wavenumber"].values * 1e-6
    image = axes.pcolormesh(
        k, power["frequency"].values * 1e-9, 10 * np.log10(power.values / power.values.max()), cmap="Greys", vmin=-40,
        vmax=0, rasterized=True,
    )  # fmt: skip
    wide = np.linspace(1e6, 2.2e8, 300)
    # The stray field of the edges pins waves as if the strip were a little wider.
    ratio = grid.dz / grid.width
    pinning = 2 * np.pi / (ratio * (1 + 2 * np.log(1 / ratio)))
    effective = grid.width * pinning / (pinning - 2)
    for mode in (1, 2, 3):
        curve = theory(film, wide, mode * np.pi / effective) * 1e-9
        for side in (1, -1):
            axes.plot(side * wide * 1e-6, curve, "--", color=VERMILLION, linewidth=0.8)
    axes.set(xlim=(-150, 150), ylim=(0, 36), xlabel="$k_x$ (rad/µm)", ylabel="frequency (GHz)")
    axes.figure.colorbar(image, ax=axes, label="power (dB)")
    picture.parent.mkdir(parents=True, exist_ok=True)
    axes.figure.savefig(picture)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with one_column():
        main(Path(sys.argv[1]))
