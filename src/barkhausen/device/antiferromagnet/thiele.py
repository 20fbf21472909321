"""Thiele's equation of a skyrmion in two layers coupled antiparallel: velocities in a gradient of Ku and by a current.

The gyrotropic forces of the two layers cancel. What is left of Thiele's equation, for a texture that moves rigidly, is
alpha (Ms/gamma) 𝒟 v = F, force and drag counted for each layer and volume alike:

- a gradient of Ku: the energy of a texture at X is ∫ Ku(x) (1 − m_z²) dA, so F = −(dKu/dx) S, S = ∫ (1 − m_z²) dA;
- spin-orbit torque, a field B_DL m × sigma: F = −Ms B_DL P, P = ∫ (m × sigma) · ∂m/∂x dA;
- drag: 𝒟 = ∫ (∂m/∂x)² dA.

A skyrmion much larger than the width Δ of its wall has S = 4 π R Δ and, since the wall moves along itself at the sides,
𝒟 = 2 π R/Δ: v = −2 Δ² gamma (dKu/dx)/(alpha Ms), twice the velocity of a straight wall across the track. In a small
skyrmion the moments also turn around its core, which adds to 𝒟, and the DMI makes its wall narrower: it is slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.units import ELEMENTARY_CHARGE, GYROMAGNETIC_RATIO, REDUCED_PLANCK
from barkhausen.device.antiferromagnet.nanotrack import stiffness
from barkhausen.device.antiferromagnet.parameters import AntiferromagnetParameters
from barkhausen.micromagnetics import Film, Observable, State, System, minimize, uniform
from barkhausen.micromagnetics.stack import Stack

INTEGRALS = ("anisotropy", "drag", "torque")
"""Names of S, 𝒟 and P."""


@dataclass(frozen=True)
class ShapeIntegrals(Observable):
    """S (m²), 𝒟 (1) and P (m) of each layer, that of the edges included."""

    name: ClassVar[str] = "integrals"
    units: ClassVar[str] = "m2, 1, m"
    dimensions: ClassVar[tuple[str, ...]] = ("integral",)

    def coordinates(self, film: Film) -> dict[str, Sequence[object]]:
        """Names of the integrals."""
        return {"integral": list(INTEGRALS)}

    def __call__(self, system: System, state: State) -> Float[Tensor, "replica 3"]:
        """The integrals."""
        grid = system.film.grid
        m = state.m.to(torch.float64)
        area = grid.dx * grid.dy
        slope = torch.zeros_like(m)
        slope[:, :, 1:-1] = (m[:, :, 2:] - m[:, :, :-2]) / (2 * grid.dx)
        # Bonds, not central differences: the exchange of the cells sees these.
        bonds = (m[:, :, 1:] - m[:, :, :-1]) / grid.dx
        x, _, z = m.unbind(1)
        # sigma = −y: m × sigma = (m_z, 0, −m_x).
        torque = z * slope[:, 0] - x * slope[:, 2]
        parts = ((1 - z.square()).sum((1, 2)), bonds.square().sum((1, 2, 3)), torque.sum((1, 2)))
        return torch.stack(parts, 1) * area


def empty_integrals(parameters: AntiferromagnetParameters, stack: Stack) -> Float[Tensor, " integral"]:
    """S, 𝒟 and P of the track without a skyrmion, whose moments tilt at the edges by the DMI; mean of the layers."""
    lower = uniform(stack.layer(0), (0.0, 0.0, 1.0))
    rest = minimize(System(stack), stack.join([lower, -lower]), torque=1e-3, on_maximum="ignore")
    return ShapeIntegrals().of(stack, rest).mean(0)


def leak_velocity(
    parameters: AntiferromagnetParameters, integrals: Float[Tensor, "*any integral"]
) -> Float[Tensor, "*any"]:
    """Velocity in m/s in the gradient of Ku: −gamma (dKu/dx) S/(alpha Ms 𝒟)."""
    material = parameters.material
    unit = GYROMAGNETIC_RATIO / (material.damping * material.saturation_magnetisation)
    return -unit * parameters.track.anisotropy_gradient * integrals[..., 0] / integrals[..., 1]


def large_skyrmion_velocity(parameters: AntiferromagnetParameters, position: float) -> float:
    """−2 Δ² gamma (dKu/dx)/(alpha Ms) in m/s, Δ = sqrt(A/Ku) at a place: of a skyrmion much larger than its wall."""
    material = parameters.material
    width = stiffness(parameters) / parameters.anisotropy(position)
    unit = GYROMAGNETIC_RATIO / (material.damping * material.saturation_magnetisation)
    return -2 * width * unit * parameters.track.anisotropy_gradient


def torque_field(parameters: AntiferromagnetParameters, current_density: float) -> float:
    """B_DL in T of a current density in A/m², mean of the layers: hbar theta J/(2 e Ms t)."""
    material, magnet = parameters.material, parameters.magnet
    field = REDUCED_PLANCK * material.spin_hall_angle * current_density
    field /= 2 * ELEMENTARY_CHARGE * material.saturation_magnetisation * magnet.thickness
    share = 0.5 if magnet.kind == "synthetic" and parameters.conductor.strips == 1 else 1.0
    return share * field


def drive_velocity(
    parameters: AntiferromagnetParameters, integrals: Float[Tensor, "*any integral"], current_density: float
) -> Float[Tensor, "*any"]:
    """Velocity in m/s by spin-orbit torque alone: −gamma B_DL P/(alpha 𝒟)."""
    factor = GYROMAGNETIC_RATIO * torque_field(parameters, current_density) / parameters.material.damping
    return -factor * integrals[..., 2] / integrals[..., 1]
