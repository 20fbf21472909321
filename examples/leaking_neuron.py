"""A wall that leaks back along the track of `neuron-leaking-wall`: simulated, and by the one-dimensional model.

    python examples/leaking_neuron.py
    python examples/leaking_neuron.py --damping 0.1
    python examples/leaking_neuron.py --cell 4e-9

At zero temperature, with the constants of the parameter file as they are: the wall starts at rest at the threshold of
the junction, without a current. Beside the simulation stand the velocity of a wall that has turned already, v =
-(Delta gamma/alpha) (dsigma/dx)/(2 Ms), and the one-dimensional equations of motion, in which it turns first (the
compact model). A run takes some seconds of one core with the usual cells of 2 nm.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from barkhausen import micromagnetics as mm
from barkhausen.core.config import read_toml
from barkhausen.device.domain_wall.compact.model import CompactModel
from barkhausen.device.domain_wall.neuron import NeuronParameters, leak_of, parameters_from
from barkhausen.device.technology import SHIPPED

NAME, NANO = "neuron-leaking-wall", 1e9
EVERY = 0.1e-9


def positions(parameters: NeuronParameters, until: float) -> tuple[np.ndarray, np.ndarray]:
    """Places in m of the simulated wall and of that of the compact model, at the start and after every 0.1 ns."""
    film = parameters.film_at(parameters.material.constants_at, devices=1)
    start = parameters.neuron.threshold
    simulation = mm.Simulation(
        film, integrator="splitting", initial=mm.domain_wall(film, torch.tensor([start])), threads=1
    )
    places = [start]
    for _ in range(round(until / EVERY)):
        seen = simulation.advance(EVERY, observe=[mm.WallPosition()])
        assert seen is not None
        places.append(float(seen.wall_position.values.ravel()[-1]))
    compact = CompactModel(film).simulate(mm.Drive(), duration=until, replicas=1, position=start, every=EVERY)
    return np.array(places), compact.wall_position.values.ravel()


def main() -> None:
    """Print places and velocities."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell", type=float, default=2e-9, help="edge of the cells in m")
    parser.add_argument("--damping", type=float, help="another damping than that of the file")
    parser.add_argument("--until", type=float, default=2.4, help="end in ns")
    arguments = parser.parse_args()
    settings = [f"characterisation.cell={arguments.cell}"]
    settings += [] if arguments.damping is None else [f"material.damping={arguments.damping}"]
    parameters = parameters_from(read_toml(SHIPPED / f"{NAME}.toml"), settings, NAME)
    simulated, compact = positions(parameters, 1e-9 * arguments.until)
    middle = (simulated[1:] + simulated[:-1]) / 2
    leak = leak_of(parameters, middle)
    print("                     velocity (m/s)")
    print(" ns   wall at (nm)   simulated   model, from rest   model, in the end   of Walker's field")
    for number in range(0, len(middle), 2):
        ours, theirs = (float(np.diff(places)[number]) / EVERY for places in (simulated, compact))
        print(
            f"{(number + 0.5) * EVERY * NANO:4.2f} {middle[number] * NANO:12.1f} {ours:13.1f} {theirs:18.1f} "
            f"{leak.velocity[number]:19.1f} {leak.walker_share[number]:19.2f}"
        )


if __name__ == "__main__":
    main()
