"""Hybrid Monte Carlo: samples of a film's thermal equilibrium without a time step that biases them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN
from barkhausen.micromagnetics.system import System

LENGTHS = (2.0, 2.6)
"""Range of the lengths of trajectories, where half a period is pi: a mode ends on its other side, and means converge
faster than those of independent samples."""

SHORTEST, LONGEST = 0.01, 0.4
"""Bounds of the step, where a period is 2 pi."""

WANTED = 0.85
"""Share of trajectories to be accepted."""


@dataclass(eq=False)
class HybridMonteCarlo:
    """Canonical distribution of the magnetisation of a full film (Duane et al., Phys. Lett. B 195, 216 (1987)).

    Trajectories of a fictitious motion are accepted with the probability min(1, exp(−change of energy/kB T)), so that
    averages are those of the energy alone. Energy and field are the system's. The coordinates of a cell are u = (m_1,
    m_2)/(1 + m_3) along the axes of its rest position, of measure 4 d²u/(1 + u²)²; masses are the stiffness of spin
    waves, so that all modes have nearly the same period.

    Args:
        system: Film and drive of the replicas, at time 0.
        temperature: Temperature in K.
        rest: Rest position of each cell, about which it fluctuates, ``[1 or replica, 3, nx, ny]``.
        anisotropy: Effective anisotropy in J/m³ for the masses. It changes the work, not the result.

    Raises:
        InputError: The temperature or the anisotropy is not positive, or cells are empty.
    """

    system: System
    temperature: float
    rest: Float[Tensor, "any 3 nx ny"]
    anisotropy: float

    def __post_init__(self) -> None:
        for name in ("temperature", "anisotropy"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} = {getattr(self, name)}: must be positive")
        film, grid = self.system.film, self.system.film.grid
        if film.fill is not None or film.maps is not None:
            raise InputError("film: hybrid Monte Carlo takes films whose cells are all full and alike")
        heat = BOLTZMANN * self.temperature
        self.heat, self.moment = heat, film.moment / heat
        along, across = (
            (2 - 2 * torch.cos(2 * math.pi * torch.fft.fftfreq(n, dtype=torch.float64))) / d**2
            for n, d in ((grid.nx, grid.dx), (grid.ny, grid.dy))
        )
        stiff = self.anisotropy + film.material.exchange_stiffness * (along[:, None] + across)
        self.mass = 8 * grid.cell_volume * stiff / heat
        third = self.rest.to(torch.float64)
        # Any two axes across the third: y and z are never both along it.
        helper = torch.zeros_like(third)
        helper[:, 1], helper[:, 2] = (third[:, 1].abs() < 0.9).double(), (third[:, 1].abs() >= 0.9).double()
        first = torch.nn.functional.normalize(torch.linalg.cross(helper, third, dim=1), dim=1)
        self.axes = first, torch.linalg.cross(third, first, dim=1), third
        self.u = torch.zeros(self.system.replicas, 2, *grid.shape, dtype=torch.float64)
        self.inputs = self.system.inputs(0.0)
        self.step = 0.2

    def moments(self, u: Float[Tensor, "replica 2 nx ny"] | None = None) -> Float[Tensor, "replica 3 nx ny"]:
        """m of the coordinates; default: of the present ones."""
        u = self.u if u is None else u
        s = 1 + u.square().sum(1, keepdim=True)
        first, second, third = self.axes
        m: Tensor = (2 * u[:, :1] * first + 2 * u[:, 1:] * second) / s + (2 / s - 1) * third
        return m

    def potential(self, u: Float[Tensor, "replica 2 nx ny"]) -> Float[Tensor, " replica"]:
        """Energy over kB T, with the measure of the coordinates."""
        measure = 2 * torch.log1p(u.square().sum(1)).sum((1, 2))
        return self.system.energy(self.moments(u), self.inputs) / self.heat + measure

    def slope(self, u: Float[Tensor, "replica 2 nx ny"]) -> Float[Tensor, "replica 2 nx ny"]:
        """Gradient of the potential."""
        s = 1 + u.square().sum(1, keepdim=True)
        force = -self.moment * self.system.field(self.moments(u), self.inputs)
        across = torch.stack([(force * axis).sum(1) for axis in self.axes[:2]], dim=1)
        inner = (across * u).sum(1, keepdim=True) + (force * self.axes[2]).sum(1, keepdim=True)
        return 2 * across / s - 4 * u * inner / s**2 + 4 * u / s

    def run(
        self,
        sweeps: int,
        generator: torch.Generator,
        observe: Callable[[Float[Tensor, "replica 3 nx ny"]], Tensor],
    ) -> tuple[Tensor, float]:
        """Mean of an observable over the last three quarters of a number of trajectories, and the share accepted.

        Args:
            sweeps: Number of trajectories of each replica.
            generator: Random stream.
            observe: Function of the magnetisation, with the replica as the first dimension of its result.
        """
        total, counted, accepted = None, 0, 0.0
        inverse, root = 1 / self.mass, self.mass.sqrt()
        energy = self.potential(self.u)
        for sweep in range(sweeps):
            u = self.u
            p = _filtered(torch.randn(u.shape, dtype=u.dtype, generator=generator), root)
            before = energy + 0.5 * (p * _filtered(p, inverse)).sum((1, 2, 3))
            length = LENGTHS[0] + (LENGTHS[1] - LENGTHS[0]) * float(torch.rand(1, generator=generator))
            count = math.ceil(length / self.step)
            p = p - 0.5 * self.step * self.slope(u)
            for k in range(count):
                u = u + self.step * _filtered(p, inverse)
                p = p - (self.step if k < count - 1 else 0.5 * self.step) * self.slope(u)
            new = self.potential(u)
            after = new + 0.5 * (p * _filtered(p, inverse)).sum((1, 2, 3))
            taken = torch.rand(len(u), dtype=u.dtype, generator=generator).log() < before - after
            self.u = torch.where(taken[:, None, None, None], u, self.u)
            energy = torch.where(taken, new, energy)
            share = float(taken.double().mean())
            if sweep < sweeps // 4:
                # The step is settled in the part that is not counted.
                self.step = min(LONGEST, max(SHORTEST, self.step * (1.05 if share > WANTED else 0.95)))
                continue
            seen = observe(self.moments())
            total = seen if total is None else total + seen
            counted, accepted = counted + 1, accepted + share
        if total is None:
            raise InputError(f"sweeps = {sweeps}: must be 1 or more")
        return total / counted, accepted / counted


def _filtered(values: Float[Tensor, "replica 2 nx ny"], weight: Float[Tensor, "nx ny"]) -> Tensor:
    """The values with each wave multiplied by a weight."""
    shape = weight.shape
    waves = torch.fft.rfft2(values) * weight[:, : shape[1] // 2 + 1]
    filtered: Tensor = torch.fft.irfft2(waves, s=(shape[0], shape[1]))
    return filtered
