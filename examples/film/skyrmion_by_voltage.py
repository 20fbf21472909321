"""A gate voltage writes a skyrmion into a disc: states over time, four thermal histories at 300 K.

    python examples/film/skyrmion_by_voltage.py docs/images/film/skyrmion-by-voltage.png

A voltage pulse lowers the perpendicular anisotropy (100 fJ/(V m)) of a uniformly magnetised disc of 60 nm, the
magnetisation turns into the plane, and after the pulse it comes to rest up, down or as a skyrmion. Below: topological
charge of 16 histories over time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from barkhausen import micromagnetics as mm
from barkhausen.core.display.plot_style import BLUE, GREY, one_column

HISTORIES = 16
SHOWN = (0.0, 0.6e-9, 1.2e-9, 1.8e-9, 3.0e-9)
PULSE = 1.0e-9
VOLTS = 2.5


def main(picture: Path) -> None:
    """Simulate and draw."""
    material = mm.Material(
        saturation_magnetisation=0.58e6, exchange_stiffness=15e-12, damping=0.3, anisotropy=0.7e6, dmi=3.0e-3
    )
    film = mm.shape_film(mm.disc(60e-9), material, thickness=1e-9, cell=2.5e-9)
    gate = mm.VoltageControlledAnisotropy(coefficient=100e-15, oxide_thickness=1e-9, film_thickness=1e-9)
    volts = np.copysign(VOLTS, -gate.anisotropy_per_volt)
    pulse = mm.Waveform.pulse(float(volts), PULSE, start=0.2e-9, rise=0.1e-9, fall=0.1e-9)
    result = mm.simulate(
        film, mm.Drive(gate_voltage=pulse, gate=gate), duration=3e-9, every=30e-12, replicas=HISTORIES, seed=4,
        temperature=300.0, initial=mm.uniform(film, (0.0, 0.0, 1.0)),
        observe=[mm.PerpendicularMap(), mm.TopologicalCharge()],
    )  # fmt: skip
    charge = result["charge"]
    print("charges at the end:", np.round(charge.isel(time=-1).values, 2))
    time = result["time"].values
    with one_column():
        figure = plt.figure(figsize=(5.2, 5.6))
        top, bottom = figure.subfigures(2, 1, height_ratios=(2.2, 1))
        axes = top.subplots(4, len(SHOWN), sharex=True, sharey=True)
        edge = film.grid.length * 0.5e9
        for row in range(4):
            for column, at in enumerate(SHOWN):
                picture_of = result["mz"].isel(time=int(np.abs(time - at).argmin()), replica=row)
                axis = axes[row][column]
                image = axis.imshow(
                    picture_of.T, origin="lower", extent=(-edge, edge, -edge, edge), cmap="RdBu_r", vmin=-1, vmax=1
                )
                axis.set(xticks=[], yticks=[])
                for side in axis.spines.values():
                    side.set_visible(False)
                if row == 0:
                    axis.set_title(f"{at * 1e9:.1f} ns")
        top.colorbar(image, ax=axes, label="$m_z$", shrink=0.6)
        axis = bottom.subplots()
        axis.axvspan(0.2, 0.4 + PULSE * 1e9, color="0.9", label="gate voltage on", linewidth=0)
        axis.plot(time * 1e9, charge.transpose("time", "replica").values, color=GREY, linewidth=0.5)
        axis.plot(time * 1e9, charge.mean("replica").values, color=BLUE, label="mean")
        axis.set(xlabel="time (ns)", ylabel="topological charge", xlim=(0, 3))
        axis.legend()
        picture.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(picture)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
