"""Rise of the temperature of a track at the end of a current pulse, on several substrates.

    python benchmarks/devices/pulse_heat.py [--length 320e-9] [--width 64e-9] [--metal 3e-9] [--resistivity 1.2e-6]

Prints a table in Markdown: mean rise in K for three current densities, and that of the greatest of them 1 ns later.
"""

from __future__ import annotations

import argparse

import numpy as np

from barkhausen.device import Racetrack
from barkhausen.device.domain_wall.heat import Heat

DENSITIES = (3e11, 5e11, 8e11)
BASES = {
    "10 nm of oxide on silicon": (Heat(oxide_thickness=10e-9), 0.0),
    "30 nm of oxide on silicon": (Heat(oxide_thickness=30e-9), 0.0),
    "100 nm of oxide on silicon": (Heat(oxide_thickness=100e-9), 0.0),
    "100 nm of PZT on 20 nm of oxide on silicon": (Heat(), 100e-9),
    "magnesia": (Heat(substrate="magnesia", oxide_thickness=0.0), 0.0),
    "sapphire": (Heat(substrate="sapphire", oxide_thickness=0.0), 0.0),
    "diamond": (Heat(substrate="diamond", oxide_thickness=0.0), 0.0),
}
"""Heat and thickness of a gate below the track, by words."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=float, default=320e-9)
    parser.add_argument("--width", type=float, default=64e-9)
    parser.add_argument("--metal", type=float, default=3e-9)
    parser.add_argument("--resistivity", type=float, default=1.2e-6)
    parser.add_argument("--pulse", type=float, default=4e-9)
    given = parser.parse_args()
    track = Racetrack(
        length=given.length,
        width=given.width,
        thickness=2e-9,
        heavy_metal_thickness=given.metal,
        heavy_metal_resistivity=given.resistivity,
    )
    print("| below the track | " + " | ".join(f"{density:.0e} A/m²" for density in DENSITIES) + " | 1 ns later |")
    print("| --- |" + " --- |" * (len(DENSITIES) + 1))
    knots = np.array([0.0, 0.0, given.pulse, given.pulse])
    for words, (heat, gate) in BASES.items():
        power = given.resistivity * given.metal * np.array(DENSITIES) ** 2
        flux = np.stack([0 * power, power, power, 0 * power])
        rise = heat.strip(track, gate).rise(knots, flux, np.array([given.pulse, given.pulse + 1e-9]))
        print(f"| {words} | " + " | ".join(f"{value:.1f}" for value in (*rise[0], rise[1, -1])) + " |")


if __name__ == "__main__":
    main()
