"""Probability that a pulse of spin-transfer torque switches a free layer, as a macrospin at 300 K.

    python examples/film/junction_switching.py docs/images/film/junction-switching.png

One cell, 400 thermal histories for each current and width of the pulse, all in one call of the compiled kernel; bars
are 95 % Wilson intervals. The torque is damping-like with spins polarised along the normal, as that of a reference
layer magnetised along it. Dashed: theory of a high barrier. While the angle to the normal is small the noise feeds it
and the torque amplifies it, so that its square is distributed exponentially about a mean that grows with time; from
there it follows the noiseless equation, and has switched if the pulse takes it past the equator.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import numpy as np
import torch
from scipy.stats import binomtest

from barkhausen import micromagnetics as mm
from barkhausen.core.display.plot_style import new_axes, one_column, ordered_colours
from barkhausen.core.units import BOLTZMANN, ELEMENTARY_CHARGE, GYROMAGNETIC_RATIO, REDUCED_PLANCK, VACUUM_PERMEABILITY

HISTORIES = 400
WIDTHS = (2e-9, 4e-9, 8e-9)
TEMPERATURE = 300.0
BARRIER = 60.0
"""In kB T."""


def free_layer() -> mm.Film:
    """Free layer of 40 × 40 × 1.2 nm with a barrier of 60 kB T."""
    grid = mm.Grid(1, 1, 40e-9, 40e-9, 1.2e-9)
    ms = 1.1e6
    shape = mm.Film(grid, mm.Material(saturation_magnetisation=ms, exchange_stiffness=15e-12, damping=0.01))
    # The cell's own stray field, N_zz − N_xx, works against the anisotropy.
    xx, _, zz, _ = (shape.demag_kernel[:, 0, 0] / (-VACUUM_PERMEABILITY * ms)).tolist()
    needed = BARRIER * BOLTZMANN * TEMPERATURE / grid.cell_volume + VACUUM_PERMEABILITY * ms**2 / 2 * (zz - xx)
    material = mm.Material(
        saturation_magnetisation=ms, exchange_stiffness=15e-12, damping=0.01, anisotropy=needed, spin_hall_angle=0.6
    )
    return mm.Film(grid, material)


def theory(film: mm.Film, current: np.ndarray, width: float) -> np.ndarray:
    """Probability that a pulse takes the macrospin past the equator, for a barrier far above kB T.

    With i the current over the critical one and τ the time in units of 1/(α γ B_K), a small angle has the mean square
    (i e^(2(i−1)τ) − 1)/((i−1) Δ), from 1/Δ at rest. dθ/dτ = (i − cos θ) sin θ reaches the equator at the end of the
    pulse if the angle, growing as e^((i−1)τ) for ever, would reach 2^(i/(i+1)) ((i−1)/i)^(1/(i+1)).
    """
    material, grid = film.material, film.grid
    field = 2 * BARRIER * BOLTZMANN * TEMPERATURE / (material.saturation_magnetisation * grid.cell_volume)
    per_current = (
        REDUCED_PLANCK
        * material.spin_hall_angle
        / (2 * ELEMENTARY_CHARGE * material.saturation_magnetisation * grid.dz)
    )
    i = per_current * current / (material.damping * field)
    # Below, noise still matters where the torque of the anisotropy is no longer linear.
    i = np.where((i > 1) & (BARRIER * (i - 1) ** 2 > 10), i, np.nan)
    tau = material.damping * GYROMAGNETIC_RATIO * field * width / (1 + material.damping**2)
    square = 4 ** (i / (i + 1)) * ((i - 1) / i) ** (2 / (i + 1))
    return np.exp(-BARRIER * square * (i - 1) / (i * np.exp(2 * (i - 1) * tau) - 1))


def main(picture: Path) -> None:
    """Simulate and draw."""
    film = free_layer()
    currents = np.linspace(1e10, 6e10, 11)
    axes = new_axes()
    terms = (mm.Demag(), mm.UniaxialAnisotropy(), mm.Zeeman(), mm.SpinOrbitTorque((0.0, 0.0, -1.0)))
    for width, colour in zip(WIDTHS, ordered_colours(len(WIDTHS)), strict=True):
        each = torch.tensor(np.repeat(currents, HISTORIES))
        # Thermal motion before the pulse, for four times 1/(2 α γ B_K), and time to come to rest after it.
        drive = mm.Drive(current_density=mm.Waveform.pulse(each, width, start=5e-9))
        result = mm.simulate(
            film, drive, duration=7e-9 + width, every=7e-9 + width, replicas=len(each), seed=2, temperature=TEMPERATURE,
            initial=mm.uniform(film, (0.0, 0.0, 1.0)), terms=terms, observe=[mm.MeanMagnetisation()],
        )  # fmt: skip
        up = result["m"].sel(component="z").isel(time=-1).values.reshape(-1, HISTORIES)
        counts = (up < 0).sum(1)
        share = counts / HISTORIES
        intervals = [binomtest(int(n), HISTORIES).proportion_ci(method="wilson") for n in counts]
        bars = np.array([[p - i.low, i.high - p] for p, i in zip(share, intervals, strict=True)]).T.clip(0)
        label = f"{width * 1e9:g} ns"
        axes.errorbar(currents * 1e-10, share, bars, fmt="o", color=colour, label=label, markersize=2.5, linewidth=0.8)
        fine = np.linspace(currents[0], currents[-1], 200)
        axes.plot(fine * 1e-10, theory(film, fine, width), "--", color=colour, linewidth=0.8)
        print(f"{label}: " + ", ".join(f"{p:.3f}" for p in share))
        print("   theory: " + ", ".join(f"{p:.3f}" for p in theory(film, currents, width)))
    axes.set(xlabel="current density (10$^{10}$ A/m²)", ylabel="probability of switching", ylim=(-0.03, 1.03))
    axes.legend(title="width of the pulse", loc="center right", bbox_to_anchor=(1, 0.55))
    picture.parent.mkdir(parents=True, exist_ok=True)
    axes.figure.savefig(picture)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with one_column():
        main(Path(sys.argv[1]))
