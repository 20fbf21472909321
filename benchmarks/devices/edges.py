"""Error of the pinning by rough edges on cells of 1, 2 and 4 nm.

For filled fractions with and without the corrected stray field of the edges, and for a staircase:

    python benchmarks/devices/edges.py

A rigid wall is moved through tracks with edges of 1 nm rms, and its energy is compared with that on 1 nm cells whose
edges are resolved on 0.25 nm: root mean square of the difference over that of the landscape, for each device.
"""

from __future__ import annotations

import torch

from barkhausen import micromagnetics as mm

DEVICES = 6
MATERIAL = mm.material("cofeb-tantalum")
OUTLINE = mm.TrackOutline(length=280e-9, roughness=mm.EdgeRoughness(rms=1e-9, correlation_length=20e-9))
PLACES = torch.linspace(80e-9, 200e-9, 49, dtype=torch.float64)
TERMS = (mm.Exchange(), mm.UniaxialAnisotropy(), mm.InterfacialDMI(), mm.Demag())


def landscapes(film: mm.Film) -> torch.Tensor:
    """Energy of the wall at each place, less its mean, ``[device, place]`` in J."""
    rows = []
    for device in range(DEVICES):
        one = film.select(torch.tensor([device]))
        parts = [mm.System(one, terms=TERMS, replicas=len(q)).energy(mm.domain_wall(one, q)) for q in PLACES.split(7)]
        rows.append(torch.cat(parts))
    energy = torch.stack(rows)
    return energy - energy.mean(1, keepdim=True)


def main() -> None:
    """Print the table."""
    exact = landscapes(mm.track_film(OUTLINE, MATERIAL, cell=1e-9, subcell=0.25e-9, devices=DEVICES))
    print(f"error of the pinning landscape, mean of {DEVICES} devices (largest)\n")
    print("| cell | corrected edges | filled fractions alone | staircase |")
    print("| --- | --- | --- | --- |")
    for cell in (1e-9, 2e-9, 4e-9):
        film = mm.track_film(OUTLINE, MATERIAL, cell=cell, devices=DEVICES)
        assert film.fill is not None
        row = []
        staircase = (film.fill >= 0.5).to(torch.float64)
        for kind in (film, mm.Film(film.grid, MATERIAL, film.fill), mm.Film(film.grid, MATERIAL, staircase)):
            error = (landscapes(kind) - exact).std(1) / exact.std(1)
            row.append(f"{100 * float(error.mean()):.0f} % ({100 * float(error.max()):.0f})")
        print(f"| {cell * 1e9:.0f} nm | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
