"""Gyration of a vortex in a permalloy disc after a field along x that displaced it is switched off.

    python examples/film/vortex_gyration.py docs/images/film/vortex-gyration.png

The state in the field, the path of the mean magnetisation, which is that of the core turned by a quarter, and its
spectrum beside the frequency of Guslienko et al., J. Appl. Phys. 91, 8037 (2002), for a thin disc.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from barkhausen import micromagnetics as mm
from barkhausen.core.display.plot_style import BLUE, VERMILLION, one_column
from barkhausen.core.units import GYROMAGNETIC_RATIO, VACUUM_PERMEABILITY

RADIUS, THICKNESS, FIELD = 100e-9, 10e-9, 6e-3
DURATION = 12e-9


def main(picture: Path) -> None:
    """Simulate and draw."""
    material = mm.material("permalloy", damping=0.008)
    film = mm.shape_film(mm.disc(2 * RADIUS), material, thickness=THICKNESS, cell=4e-9)
    start = mm.minimize(mm.System(film, mm.Drive(field_x=FIELD)), mm.vortex(film))
    # A quarter of the splitting's default step, three times Heun's.
    result = mm.simulate(
        film, duration=DURATION, every=25e-12, initial=start, observe=[mm.MeanMagnetisation()],
        integrator="splitting", dt=2.5e-13,
    )  # fmt: skip
    m = result["m"].isel(replica=0)
    time = result["time"].values * 1e9
    x, y = (m.sel(component=name).values for name in "xy")
    density = mm.spectrum(result["m"].sel(component="x"))
    peak = mm.peak_frequency(density, 1e8, 2e9)
    unit = GYROMAGNETIC_RATIO * VACUUM_PERMEABILITY * material.saturation_magnetisation / (2 * np.pi)
    theory = 5 / (9 * np.pi) * unit * THICKNESS / RADIUS
    measured = float(peak["frequency"].item())
    print(f"{measured * 1e-9:.3f} GHz; thin disc {theory * 1e-9:.3f} GHz")
    figure, (left, centre, right) = plt.subplots(
        1, 3, figsize=(6.8, 2.3), width_ratios=(1.25, 1.25, 1.3), layout="constrained"
    )
    edge = film.grid.length * 0.5e9
    image = left.imshow(
        start[0, 2].T, origin="lower", extent=(-edge, edge, -edge, edge), cmap="RdBu_r", vmin=-1, vmax=1
    )
    left.set(xlabel="x (nm)", ylabel="y (nm)")
    left.set_title(f"in {FIELD * 1e3:g} mT")
    figure.colorbar(image, ax=left, label="$m_z$", shrink=0.7)
    path = centre.scatter(x, y, c=time, s=1, cmap="viridis")
    centre.set(xlabel="<$m_x$>", ylabel="<$m_y$>", aspect="equal")
    figure.colorbar(path, ax=centre, label="time (ns)", shrink=0.7)
    f = density["frequency"].values * 1e-9
    right.plot(f, density.isel(replica=0).values / density.values.max(), ".-", color=BLUE)
    right.axvline(theory * 1e-9, color=VERMILLION, linestyle="--", linewidth=0.8, label="thin disc")
    right.set(xlim=(0, 1), xlabel="frequency (GHz)", ylabel="power of $m_x$ (norm.)")
    # Above the axes: beneath it would cover the peak.
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0))
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with one_column():
        main(Path(sys.argv[1]))
