"""The track of a neuron in micromagnetics: coupled layers or sublattices, a skyrmion on them, and the junction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.device.antiferromagnet.parameters import AntiferromagnetParameters
from barkhausen.micromagnetics import (
    Film,
    Grid,
    InterlayerExchange,
    JunctionConductance,
    Layer,
    Stack,
    SublatticeExchange,
    antiferromagnet,
    parameter_map,
    skyrmion,
    uniform,
)

READ = 1
"""Number of the layer that the junction reads: the upper one, or sublattice B."""


def single_film(parameters: AntiferromagnetParameters) -> Film:
    """Film of one layer or sublattice, with the gradient of Ku."""
    track, cell = parameters.track, parameters.characterisation.cell
    grid = Grid(
        round(track.length / cell), round(track.width / cell), cell, cell, parameters.magnet.thickness
    )  # fmt: skip
    material = parameters.material
    if track.anisotropy_gradient == 0:
        return Film(grid, material)
    ku = parameter_map(grid, material.anisotropy, gradient=track.anisotropy_gradient)
    return Film(grid, material, anisotropy=ku[None])


def nanotrack(parameters: AntiferromagnetParameters) -> Stack:
    """The two coupled layers, or the two sublattices."""
    magnet, film = parameters.magnet, single_film(parameters)
    if magnet.kind == "sublattices":
        exchange = SublatticeExchange(
            magnet.homogeneous_exchange, magnet.lattice_constant, magnet.inhomogeneous_exchange
        )
        return antiferromagnet(film, exchange)
    upper = 1.0 if parameters.conductor.strips == 2 else 0.0
    coupling = InterlayerExchange(0, 1, bilinear=magnet.interlayer_exchange)
    return Stack(
        [Layer(film, "lower"), Layer(film, "upper", current=upper)], couplings=(coupling,), demag=False
    )  # fmt: skip


def stiffness(parameters: AntiferromagnetParameters) -> float:
    """Exchange stiffness in J/m of one layer, or half of that of the Néel vector of two sublattices."""
    stiff = parameters.material.exchange_stiffness
    if parameters.magnet.kind == "sublattices":
        stiff -= parameters.magnet.inhomogeneous_exchange / 2
    return stiff


def free_skyrmion(parameters: AntiferromagnetParameters, position: float) -> tuple[float, float]:
    """Radius and wall width in m of an isolated skyrmion for Ku at a place of the track, without a stray field.

    R = π |D| sqrt(A/(16 A K² − π² D² K)), w = π |D|/(4 K) (Wang, Yuan and Wang, Commun. Phys. 1, 31 (2018)).

    Raises:
        InputError: The DMI is zero, or above that at which walls form by themselves.
    """
    a, k = stiffness(parameters), parameters.anisotropy(position)
    d = abs(parameters.material.dmi)
    critical = 4 * math.sqrt(a * k) / math.pi
    if not 0 < d < critical:
        raise InputError(
            f"material.dmi = {parameters.material.dmi:g} J/m2: at {1e9 * position:g} nm a skyrmion stands free for "
            f"0 < |dmi| < {critical:.3g} J/m2"
        )
    radius = math.pi * d * math.sqrt(a / (16 * a * k**2 - math.pi**2 * d**2 * k))
    # A skyrmion at the critical DMI fills the track.
    return min(radius, parameters.track.width / 4), math.pi * d / (4 * k)


def skyrmions_at(
    parameters: AntiferromagnetParameters, stack: Stack, positions: Sequence[float]
) -> Float[Tensor, "row 3 nx ny"]:
    """State of replicas with a skyrmion at each of these places (m) in the middle of the track."""
    lower = stack.layer(0)
    middle = lower.grid.width / 2
    parts = []
    for position in positions:
        radius, width = free_skyrmion(parameters, position)
        parts.append(skyrmion(lower, (position, middle), radius=radius, width=width))
    m = torch.cat(parts)
    return stack.join([m, -m])


@dataclass(frozen=True)
class Junction:
    """The junction of the detector.

    Attributes:
        observable: Conductance of each layer.
        step: Change of conductance in S by a skyrmion in the middle of the window.
        empty: Conductance in S of a window without a skyrmion at 0 K.
        noise: Standard deviation of the conductance in S in one read.
    """

    observable: JunctionConductance
    step: float
    empty: float
    noise: float

    @property
    def relative_change(self) -> float:
        """(R_empty − R_skyrmion)/R_skyrmion of the window."""
        return self.step / self.empty


def junction_of(parameters: AntiferromagnetParameters, stack: Stack) -> Junction:
    """The junction, with what a skyrmion of the profile that simulations start from changes in it."""
    detector, junction = parameters.detector, parameters.junction
    ends = (detector.position - detector.length / 2, detector.position + detector.length / 2)
    observable = JunctionConductance(
        junction.resistance_area,
        junction.tunnel_magnetoresistance,
        window=(*ends, 0.0, stack.grid.width),
    )
    with_one = stack.split(observable.of(stack, skyrmions_at(parameters, stack, [detector.position])))[0, READ]
    lower = uniform(stack.layer(0), (0.0, 0.0, 1.0))
    without = stack.split(observable.of(stack, stack.join([lower, -lower])))[0, READ]
    return Junction(observable, float(with_one - without), float(without), _noise(parameters, float(with_one)))


def _noise(parameters: AntiferromagnetParameters, conductance: float) -> float:
    """Noise of one read in S: shot and thermal noise of the current (:meth:`.TunnelJunction.noise_of`)."""
    voltage = parameters.junction.read_voltage
    return float(parameters.junction.noise_of(voltage * conductance, parameters.characterisation.temperature)) / voltage
