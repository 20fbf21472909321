"""The leak of a straight wall without a current, by the one-dimensional model.

On a track of width w(x) whose Ku rises along x, a wall of the energy sigma = 4 sqrt(A Keff) − pi |D| per area is pushed
like by a field

    B = (dsigma/dx + sigma (dw/dx)/w)/(2 Ms),        dsigma/dx = 2 Delta dKu/dx

towards lower energy (Malozemoff and Slonczewski, Magnetic Domain Walls in Bubble Materials (1979)). As long as this is
less than Walker's field alpha (pi/2) D/(Ms Delta) of a wall that the DMI holds (Thiaville et al., EPL 100, 57002
(2012)), it moves in the end with

    v = −(Delta gamma/alpha) B

Its magnetisation must turn first: for a small B the velocity approaches this one as 1 − exp(−t/tau), with tau =
(1 + alpha²)/(gamma times Walker's field); near Walker's field it takes longer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from barkhausen.core.units import GYROMAGNETIC_RATIO, VACUUM_PERMEABILITY
from barkhausen.device.domain_wall.compact.wall_energy import CompactParameters
from barkhausen.device.domain_wall.neuron.parameters import NeuronParameters


@dataclass(frozen=True)
class Leak:
    """Leak of a wall at some places.

    Attributes:
        velocity: v in m/s, negative to the left; of a wall that has turned already, below Walker's field.
        walker_share: B over Walker's field; from 1 on the wall precesses and ``velocity`` is not its own.
        rise_time: tau in s.
    """

    velocity: Float[np.ndarray, " place"]
    walker_share: Float[np.ndarray, " place"]
    rise_time: Float[np.ndarray, " place"]


def leak_of(parameters: NeuronParameters, places: Float[np.ndarray, " place"]) -> Leak:
    """The leak at places of the track, with the constants as the parameters give them.

    Keff = Ku − N_zz mu0 Ms²/2 with the N_zz of a narrow track that the compact model has. Stops, notches and rough
    edges are left out.

    Args:
        parameters: Track and material.
        places: Places of the wall in m.
    """
    material, shape, track = parameters.material, parameters.shape, parameters.track
    magnetisation, damping = material.saturation_magnetisation, material.damping
    demag = CompactParameters().demag_factor * 0.5 * VACUUM_PERMEABILITY * magnetisation**2
    stiffness = material.anisotropy + shape.anisotropy_gradient * places - demag
    delta = np.sqrt(material.exchange_stiffness / stiffness)
    energy = 4 * np.sqrt(material.exchange_stiffness * stiffness) - math.pi * abs(material.dmi)
    widening = shape.taper / (track.length + shape.taper * places)
    field = (2 * delta * shape.anisotropy_gradient + energy * widening) / (2 * magnetisation)
    with np.errstate(divide="ignore"):
        walker = damping * math.pi / 2 * np.abs(material.dmi) / (magnetisation * delta)
        return Leak(
            velocity=-GYROMAGNETIC_RATIO * delta / damping * field,
            walker_share=np.abs(field) / walker,
            rise_time=(1 + damping**2) / (GYROMAGNETIC_RATIO * walker),
        )
