"""Search for designs on the front of several objectives under constraints: NSGA-II of Optuna.

K. Deb, A. Pratap, S. Agarwal, T. Meyarivan, IEEE Trans. Evol. Comput. 6, 182 (2002). With one objective it is a genetic
algorithm with the same constraints.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from barkhausen.core.errors import InputError
from barkhausen.device.domain_wall.design.front.merits import Limits, Merits, Objective, goal
from barkhausen.device.domain_wall.design.front.space import FrontSpace
from barkhausen.device.domain_wall.parameters import DeviceParameters

Vector = tuple[float, ...]

WORST = 1e6
"""Goal and violation of an impossible design, worse than any possible one."""


@dataclass(frozen=True)
class Found:
    """One evaluated point."""

    generation: int
    vector: Vector
    voltages: tuple[float, ...]
    """Gate voltages chosen for its states, in V; none if the design is impossible."""
    merits: Merits | None
    """None if the design is impossible."""

    def feasible(self, limits: Limits) -> bool:
        """Whether the design is possible and keeps the limits."""
        return self.merits is not None and limits.kept_by(self.merits)


class Points(Protocol):
    """Storage of evaluated generations."""

    place: str
    """Where they are stored, for messages."""

    def of(self, generation: int) -> list[Found]:
        """The points of a generation in order; none if it has not been stored."""

    def add(self, points: Sequence[Found]) -> None:
        """Store one generation: all of it or, on failure, nothing."""


def trade(
    space: FrontSpace,
    evaluate: Callable[[int, Sequence[Vector]], list[Found]],
    points: Points,
    *,
    objectives: Sequence[Objective],
    limits: Limits,
    generations: int,
    population: int,
    seed: int,
    starts: Sequence[DeviceParameters] = (),
    enough: float = math.inf,
    advance: Callable[[int], None] = lambda steps: None,
) -> list[Found]:
    """Search for the front; return all points in the order of their evaluation.

    The same arguments give the same points. Stored generations are not evaluated again but told to the sampler once
    more, so that the same call resumes an interrupted search and ends with the same result.

    Args:
        space: Devices.
        evaluate: Function that evaluates the points of a generation.
        points: Storage of evaluated generations.
        objectives: Objectives.
        limits: Constraints.
        generations: Number of generations after the initial points.
        population: Number of points in a generation, a power of two.
        seed: Seed of the initial points and of the sampler.
        starts: Known devices, with which the search begins (:meth:`.FrontSpace.first_generation`).
        enough: Retention in s beyond which more is no gain.
        advance: Function called with the number of completed points.

    Raises:
        InputError: Optuna is not installed, or stored points are those of another search.
    """
    try:
        import optuna  # noqa: PLC0415  # an extra
    except ImportError:
        raise InputError(
            "search.mode: needs Optuna for other modes than 'cost': pip install 'barkhausen[optuna]'"
        ) from None
    found: list[Found] = []
    # Version 5 has named constraints in place of a function.
    named = hasattr(optuna.Trial, "set_constraint")
    with _quiet(optuna):
        study = optuna.create_study(
            directions=["minimize"] * len(objectives),
            sampler=optuna.samplers.NSGAIISampler(
                population_size=population,
                crossover=optuna.samplers.nsgaii.VSBXCrossover(),
                seed=seed,
                constraints_func=None if named else lambda trial: [trial.user_attrs["violation"]],
            ),
        )
        for shares in space.first_generation(population, seed, starts):
            study.enqueue_trial(dict(zip(space.names, shares.tolist(), strict=True)))
        for generation in range(generations + 1):
            asked = [study.ask() for _ in range(population)]
            vectors = [_suggested(space, trial) for trial in asked]
            stored = points.of(generation)
            if not stored:
                stored = evaluate(generation, vectors)
                points.add(stored)
            if [point.vector for point in stored] != vectors:
                raise InputError(
                    f"{points.place}: generation {generation} has the points of another search; delete the file to "
                    "search anew"
                )
            for trial, point in zip(asked, stored, strict=True):
                if named:
                    trial.set_constraint("violation", _violation(point, limits))
                else:
                    trial.set_user_attr("violation", _violation(point, limits))
                study.tell(trial, _goals(point, objectives, enough))
            found += stored
            advance(population)
    return found


def front(
    found: Sequence[Found], objectives: Sequence[Objective], limits: Limits, enough: float = math.inf
) -> list[Found]:
    """Points that keep the limits and that no other one beats in all objectives, in order of the first objective.

    Args:
        found: Evaluated points.
        objectives: Objectives; with a single one, the front is the best point.
        limits: Constraints.
        enough: Retention in s beyond which more is no gain.
    """
    kept = [point for point in found if point.feasible(limits)]
    goals = [_goals(point, objectives, enough) for point in kept]
    best: dict[tuple[float, ...], Found] = {}
    for point, mine in zip(kept, goals, strict=True):
        beaten = any(all(a <= b for a, b in zip(other, mine, strict=True)) and other != mine for other in goals)
        if not beaten:
            best.setdefault(tuple(mine), point)
    return [best[key] for key in sorted(best)]


def _suggested(space: FrontSpace, trial: Any) -> Vector:
    """A point; Optuna knows it by the shares of the ranges, since its crossovers expect numbers of the order of one."""
    return space.point([float(trial.suggest_float(name, 0.0, 1.0)) for name in space.names])


def _goals(point: Found, objectives: Sequence[Objective], enough: float) -> list[float]:
    if point.merits is None:
        return [WORST] * len(objectives)
    return [goal(point.merits, objective, enough) for objective in objectives]


def _violation(point: Found, limits: Limits) -> float:
    """Sum of the violations of all limits; 0 for a design that keeps them."""
    if point.merits is None:
        return WORST
    return sum(max(0.0, violation) for violation in limits.violations(point.merits).values())


@contextlib.contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Its crossovers of real numbers have been "experimental" since version 3.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
