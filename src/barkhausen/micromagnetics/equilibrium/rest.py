"""What rest means: the largest torque, torques without energy, and what is done about maxima and saddles."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError, OutcomeError, did_you_mean, warn
from barkhausen.core.seeds import mixed_seed
from barkhausen.micromagnetics.equilibrium.stability import UNSTABLE, Stability, stability
from barkhausen.micromagnetics.layout import cross
from barkhausen.micromagnetics.state import Inputs
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import Torque

TORQUE = 1e-5
"""Default largest |m × B| in T at which the magnetisation counts as at rest."""

EVALUATIONS = 20_000
"""Default largest number of field evaluations until rest."""

OnMaximum = Literal["warn", "perturb", "ignore"]
"""What to do with a state at rest that is a maximum or a saddle of the energy."""

KICK = 0.1
"""Largest rotation in rad by which a maximum is perturbed: far above the rounding that would otherwise decide when the
state falls, far below what separates one minimum from the next."""

KICKS = 20
"""Largest number of maxima and saddles left one after another; each lies lower than the one before."""

CURVATURE_EVALUATIONS = 60
"""Field evaluations for the curvature of one state."""


class NotConvergedError(OutcomeError):
    """Error for an equilibrium that was not reached within the limit."""


class ExhaustedError(OutcomeError):
    """Error for field evaluations beyond their limit."""


class Counted(System):
    """System at one instant of the drive that counts its field evaluations and stops at a limit."""

    def __init__(self, system: System, inputs: Inputs, limit: int | None = None) -> None:
        self.__dict__.update(system.__dict__)
        self._system, self._inputs, self.limit = system, inputs, limit
        self.evaluations = 0

    def field(self, m: Tensor, inputs: Inputs | float = 0.0) -> Tensor:
        """Effective field in T at that instant, whatever the time."""
        if self.limit is not None and self.evaluations >= self.limit:
            raise ExhaustedError(f"{self.evaluations} field evaluations were not enough")
        self.evaluations += 1
        return self._system.field(m, self._inputs)


def largest_torque(system: System, m: Float[Tensor, "replica 3 nx ny"], time: float = 0.0) -> Float[Tensor, " replica"]:
    """Largest |m × B| of each replica in T, frozen cells left out."""
    torques: Tensor = torch.linalg.vector_norm(cross(m, system.field(m, time)), dim=1)
    return (torques if system.film.moving is None else torques * system.film.moving).amax((1, 2))


def acting_torques(system: System, inputs: Inputs) -> list[str]:
    """Names of the terms without an energy that exert a torque at this instant of the drive, on a state of disorder."""
    kinds = [term for term in system.terms if isinstance(term, Torque)]
    if not kinds:
        return []
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 3, *system.film.grid.shape, dtype=torch.float64, generator=generator)
    state = system.state(system.start(noise / torch.linalg.vector_norm(noise, dim=1, keepdim=True)), inputs)
    return [type(term).__name__ for term in kinds if bool(term.field(state).any())]


def check_torque(torque: float) -> None:
    """Raise :class:`InputError` if the torque in T at which a state counts as at rest is not positive."""
    if not 0 < torque < math.inf:
        raise InputError(f"torque = {torque:g}: must be positive, in T")


def check_on_maximum(on_maximum: str) -> None:
    """Raise :class:`InputError` for an unknown choice."""
    if on_maximum not in get_args(OnMaximum):
        known = get_args(OnMaximum)
        raise InputError(
            f"on_maximum = '{on_maximum}': must be one of {', '.join(known)}{did_you_mean(on_maximum, known)}"
        )


def settled(
    descend: Callable[[Tensor], Tensor],
    system: System,
    m: Tensor,
    *,
    time: float,
    on_maximum: OnMaximum,
    seed: int,
    name: str,
) -> Tensor:
    """The state that ``descend`` comes to, and what was asked for if that is no minimum.

    Args:
        descend: Way to a state at rest.
        system: Film, terms and drive.
        m: Initial magnetisation.
        time: Time of the drive in s.
        on_maximum: What to do with a maximum or saddle.
        seed: Seed of the perturbation.
        name: Name of the function, for messages.

    Raises:
        NotConvergedError: Every one of :data:`KICKS` states at rest was a maximum or a saddle.
    """
    m = descend(m)
    if on_maximum == "ignore" or acting_torques(system, system.inputs(time)):
        return m
    for kick in range(KICKS + 1):
        found = stability(system, m, time=time, evaluations=CURVATURE_EVALUATIONS, seed=seed + kick, sign_only=True)
        bad = found.unstable
        if not bool(bad.any()):
            return m
        if on_maximum == "warn":
            worst = int(found.curvature.argmin())
            layers = system.film.layer_count
            more = int(bad.sum()) // layers - 1
            others = f" (and {more} more)" if more else ""
            warn(
                f"{name}: the state of replica {worst // layers}{others} is at rest but a maximum or saddle of the "
                f"energy (curvature {float(found.curvature[worst]):.3g} T, below {UNSTABLE:g}): the least disturbance "
                f"makes it leave; on_maximum='perturb' does so, 'ignore' accepts it"
            )
            return m
        m = descend(kicked(m, found, seed + kick, system.film.layer_count))
    raise NotConvergedError(f"{name}: still at a saddle of the energy after {KICKS} perturbations")


def kicked(m: Tensor, found: Stability, seed: int, layers: int = 1) -> Tensor:
    """Unstable replicas turned by up to :data:`KICK` rad along their mode, to the side that the seed chooses."""
    sides = [
        float(torch.randint(0, 2, (), generator=torch.Generator().manual_seed(mixed_seed(seed, replica)))) * 2 - 1
        for replica in range(len(m) // layers)
        for _ in range(layers)
    ]
    side = torch.tensor(sides, dtype=m.dtype, device=m.device) * found.unstable
    moved = m + KICK * side[:, None, None, None] * found.mode
    norm = torch.linalg.vector_norm(moved, dim=1, keepdim=True)
    return torch.where(found.unstable[:, None, None, None], moved / norm.clamp_min(1e-30), m)
