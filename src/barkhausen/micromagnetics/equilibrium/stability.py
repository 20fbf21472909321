"""Whether a state at rest is a minimum of the energy: the lowest curvature of the energy, by Lanczos' method."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.core.seeds import mixed_seed
from barkhausen.micromagnetics.state import Inputs
from barkhausen.micromagnetics.system import System

UNSTABLE = -1e-4
"""Curvature in T below which a state counts as a maximum or a saddle. A mode of that curvature grows at the rate
gamma alpha 1e-4 T, 0.6 us at alpha = 0.1: slower ones are those of a wall that is free to move."""

SMOOTHING = 3
"""Times that a random start is averaged with its neighbours: soft modes are long, stiff ones cost steps to remove."""


@dataclass(frozen=True)
class Stability:
    """Lowest curvature of the energy at a state, over all small rotations of its cells, replica by replica.

    Curvatures are in T: the second derivative of the energy along a mode v over sum_i Ms V phi_i |v_i|². At a minimum
    it is positive, the field that holds the softest mode; a mode of negative curvature −B grows at the rate
    alpha gamma B/(1 + alpha²).
    """

    curvature: Float[Tensor, " replica"]
    """Lowest curvature found in T: never below the true one, and above it by no more than ``error``, unless the start
    was perpendicular to the lowest mode."""
    error: Float[Tensor, " replica"]
    """Bound in T on the distance to the nearest true curvature (norm of the residual)."""
    mode: Float[Tensor, "replica 3 nx ny"]
    """Mode of that curvature, perpendicular to m, its largest rotation 1 rad."""
    evaluations: int
    """Field evaluations that it took."""

    @property
    def unstable(self) -> Bool[Tensor, " replica"]:
        """Whether the state is a maximum or a saddle: curvature below :data:`UNSTABLE`."""
        return self.curvature < UNSTABLE


@checks_arguments("System")
def stability(
    system: System,
    m: Float[Tensor, "replica 3 nx ny"],
    *,
    time: float = 0.0,
    evaluations: int = 60,
    accuracy: float = 1e-3,
    seed: int = 0,
    sign_only: bool = False,
) -> Stability:
    """Lowest curvature of the energy at a state, by Lanczos' method on differences of the field.

    The Hessian on the sphere is v -> P [(m · B) v − (dB/dm) v], P the projection perpendicular to m; it is symmetric
    in the scalar product weighted with the moments. (dB/dm) v comes from one difference of fields, exact where the
    field is linear in m. A Ritz value is an upper bound: one below zero proves that the state is no minimum.

    Args:
        system: Film, terms and drive; terms that derive from no energy make the Hessian unsymmetric and its curvatures
            meaningless.
        m: State, at rest or nearly so (the Hessian is taken at m as it is).
        time: Time of the drive in s.
        evaluations: Largest number of field evaluations.
        accuracy: Residual in T at which the lowest curvature counts as found.
        seed: Seed of the random start; each replica has its own, whatever its company.
        sign_only: Stop as soon as every replica is either known to be unstable or has its lowest curvature.
    """
    if not bool(torch.isfinite(m).all()):
        raise InputError("m: not all values are finite")
    lanczos = _Lanczos(system, m, system.inputs(time), seed)
    for _ in range(max(1, evaluations - 1)):
        done = lanczos.extend(accuracy)
        if sign_only:
            done = done | (lanczos.lowest < UNSTABLE)
        if bool(done.all()):
            break
    return lanczos.result()


class _Lanczos:
    """Lanczos' method with full orthogonalisation, all replicas at once."""

    def __init__(self, system: System, m: Tensor, inputs: Inputs, seed: int) -> None:
        self.system, self.m, self.inputs = system, system.start(m), inputs
        moment = system.film.relative_moment
        self.weight = torch.ones_like(self.m[:, :1]) if moment is None else moment[:, None].expand_as(self.m[:, :1])
        self.base = system.field(self.m, inputs)
        self.held = (self.m * self.base).sum(1, keepdim=True)
        # Rotation in rad of the largest cell in the difference of fields: rounding over it, and curvature times it, are
        # both far below the accuracy.
        self.small = 1e-4 if self.m.dtype == torch.float64 else 1e-2
        self.count = 1
        start = self._tangent(_random_rotations(self.m, seed))
        # Where nothing can move there is no rotation, and the curvature is zero.
        self.basis = [start / self._norm(start).clamp_min(1e-30)]
        self.diagonal: list[Tensor] = []
        self.beside: list[Tensor] = []
        self.lowest = self.m.new_full((len(self.m),), torch.inf)
        self.residual = self.lowest.clone()
        self.share = torch.ones(len(self.m), 1, dtype=self.m.dtype, device=self.m.device)

    def extend(self, accuracy: float) -> Tensor:
        """One more vector; whether the lowest curvature of each replica is known well enough."""
        v = self.basis[-1]
        image = self._hessian(v)
        self.diagonal.append(self._dot(v, image))
        for _ in range(2):
            for known in self.basis:
                image = image - self._dot(known, image)[:, None, None, None] * known
        norm = self._norm(image)
        k = len(self.basis)
        matrix = torch.zeros(len(self.m), k, k, dtype=torch.float64, device="cpu")
        for i in range(k):
            matrix[:, i, i] = self.diagonal[i].double().cpu()
        for i, beside in enumerate(self.beside):
            matrix[:, i, i + 1] = matrix[:, i + 1, i] = beside.double().cpu()
        values, vectors = torch.linalg.eigh(matrix)
        self.lowest = values[:, 0].to(self.m)
        self.share = vectors[:, :, 0].to(self.m)
        self.residual = norm.flatten() * self.share[:, -1].abs()
        # An invariant subspace ends there, with a remainder of rounding.
        ended = norm.flatten() < 1e-10 * (1 + self.diagonal[-1].abs())
        self.beside.append(torch.where(ended, torch.zeros_like(self.lowest), norm.flatten()))
        self.basis.append(
            torch.where(ended[:, None, None, None], torch.zeros_like(image), image / norm.clamp_min(1e-30))
        )
        return ended | (self.residual < accuracy)

    def result(self) -> Stability:
        """Lowest curvature and its mode."""
        mode = torch.zeros_like(self.m)
        for share, v in zip(self.share.unbind(1), self.basis, strict=False):
            mode += share[:, None, None, None] * v
        largest = self._largest(mode)
        return Stability(self.lowest, self.residual, mode / largest[:, None, None, None], self.count)

    def _hessian(self, v: Tensor) -> Tensor:
        largest = self._largest(v)[:, None, None, None]
        step = self.small / largest
        self.count += 1
        change = (self.system.field(self.m + step * v, self.inputs) - self.base) / step
        return self._tangent(self.held * v - change)

    def _tangent(self, v: Tensor) -> Tensor:
        along: Tensor = (self.m * v).sum(1, keepdim=True)
        # m is zero in empty cells, where nothing may turn.
        across = v * self.m.square().sum(1, keepdim=True).sign() - along * self.m
        return across if self.system.film.moving is None else across * self.system.film.moving[:, None]

    def _largest(self, v: Tensor) -> Tensor:
        """Largest rotation in any cell of each replica."""
        largest: Tensor = torch.linalg.vector_norm(v, dim=1).amax((1, 2))
        return self.system.over_layers(largest, "amax").clamp_min(1e-30)

    def _dot(self, a: Tensor, b: Tensor) -> Tensor:
        return self.system.over_layers((self.weight * a * b).sum((1, 2, 3)))

    def _norm(self, a: Tensor) -> Tensor:
        norm: Tensor = self._dot(a, a).sqrt()
        return norm[:, None, None, None]


def _random_rotations(m: Tensor, seed: int) -> Tensor:
    """Random vectors of all wavelengths, the long ones strongest; those of a replica depend on its number alone."""
    shape = m.shape[1:]
    rows = [
        torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(mixed_seed(seed, replica)))
        for replica in range(len(m))
    ]
    noise = torch.stack(rows)
    smooth = noise.clone()
    for _ in range(SMOOTHING):
        for dim in (2, 3):
            if noise.shape[dim] > 1:
                ahead, behind = smooth.roll(-1, dim), smooth.roll(1, dim)
                smooth = 0.5 * smooth + 0.25 * (ahead + behind)
    uniform = noise.mean((2, 3), keepdim=True) * (noise.shape[2] * noise.shape[3]) ** 0.5
    rotations: Tensor = (smooth + 0.5 * uniform + 0.02 * noise).to(m)
    return rotations
