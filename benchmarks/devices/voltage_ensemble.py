"""Time of a whole experiment: 5 gate voltages × 32 rough devices, 512 × 64 × 1 nm on 4 nm cells, 6 ns at 300 K.

    python benchmarks/devices/voltage_ensemble.py

Prints the time with the default step and the final positions of the walls.
"""

from __future__ import annotations

import time

import torch

from barkhausen import micromagnetics as mm

VOLTAGES, DEVICES = 5, 32


def main() -> None:
    """Build the devices, run, print."""
    begin = time.perf_counter()
    outline = mm.TrackOutline(length=512e-9, width=64e-9, roughness=mm.EdgeRoughness())
    film = mm.track_film(outline, mm.material("cofeb-tantalum"), cell=4e-9, devices=DEVICES, seed=0)
    built = time.perf_counter() - begin
    gate = mm.StrainGate()
    volts = torch.linspace(-0.5, 0.5, VOLTAGES, dtype=torch.float64)
    drive = mm.Drive(
        current_density=mm.Waveform.pulse(5e10, width=3e-9, start=0.5e-9, rise=0.1e-9, fall=0.1e-9),
        gate_voltage=volts.repeat_interleave(DEVICES),
        gate=gate,
    )
    begin = time.perf_counter()
    result = mm.simulate(
        film.assign(list(range(DEVICES)) * VOLTAGES), drive, duration=6e-9, every=0.1e-9, replicas=VOLTAGES * DEVICES,
        seed=0, temperature=300.0, initial=mm.domain_wall(film, 128e-9), progress=True,
    )  # fmt: skip
    seconds = time.perf_counter() - begin
    steps = round(6e-9 / result.attrs["dt"])
    print(f"{result.attrs['backend']}, {torch.get_num_threads()} threads, {film.grid.nx} x {film.grid.ny} cells")
    print(f"dt = {result.attrs['dt']:.3g} s: {steps} steps of {VOLTAGES * DEVICES} replicas")
    rate = steps * VOLTAGES * DEVICES / seconds
    print(f"outlines {built:.1f} s, simulation {seconds:.0f} s, {rate:.0f} replica-steps/s")
    final = result.wall_position[-1].values.reshape(VOLTAGES, DEVICES) * 1e9
    for volt, row in zip(volts.tolist(), torch.from_numpy(final), strict=True):
        single = row[~row.isnan()]
        walls = f"{len(single)} of {DEVICES} with one wall"
        print(f"{volt:+.2f} V: at {single.mean():.0f} ± {single.std():.0f} nm, {walls}")


if __name__ == "__main__":
    main()
