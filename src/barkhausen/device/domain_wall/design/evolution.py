"""Differential evolution over one family of devices, with all evaluations stored so that a search can resume."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
from jaxtyping import Float
from scipy.optimize import differential_evolution

from barkhausen.device.domain_wall.design.score import Score
from barkhausen.device.domain_wall.design.space import DesignSpace, Family

BATCH = 32
"""Number of candidates in one run of the compact model; a typical search then needs half a gigabyte."""

MUTATION = (0.4, 0.9)
"""Range of the scale of the differences that make a new candidate, drawn anew for each generation."""

RECOMBINATION = 0.7
"""Fraction of its variables that a new candidate takes from the mutant."""

Vector = tuple[float, ...]
Evaluate = Callable[[Sequence[Vector]], list[Score]]


@dataclass(frozen=True)
class Candidate:
    """One evaluated point of a design space."""

    family: Family
    generation: int
    """Generation in which it first occurred; 0 for the initial points."""
    vector: Vector
    score: Score

    @property
    def name(self) -> str:
        """Name made of the family and a digest of the point."""
        point = " ".join(value.hex() for value in self.vector)
        return f"{self.family}-{hashlib.sha256(point.encode()).hexdigest()[:10]}"


class Archive(Protocol):
    """Storage of evaluated candidates."""

    def find(self, family: Family, vector: Vector) -> Candidate | None:
        """The candidate at exactly this point, if it has been evaluated."""

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Store further candidates: all of them or, on failure, none."""

    def of(self, family: Family) -> list[Candidate]:
        """The candidates of a family in the order in which they were evaluated."""


def search(
    space: DesignSpace,
    evaluate: Evaluate,
    archive: Archive,
    *,
    generations: int,
    population: int,
    seed: int,
    advance: Callable[[int], None] = lambda steps: None,
) -> list[Candidate]:
    """Search for the point with the smallest cost; return all candidates in the order of their evaluation.

    The same arguments give the same candidates. Candidates in the archive are not evaluated again, so the same call
    resumes an interrupted search and ends with the same result.

    Args:
        space: Design space.
        evaluate: Function that gives the scores of a batch of vectors. Scores may depend on the batch, so batches are
            stored as a whole or not at all, and are the same in an interrupted search.
        archive: Storage of evaluated candidates.
        generations: Number of generations after the initial points.
        population: Number of candidates in a generation, a power of two.
        seed: Seed of the initial points and of the mutations.
        advance: Function called with the number of completed candidates.
    """
    generation = -1

    def costs(points: Float[np.ndarray, "variable candidate"]) -> Float[np.ndarray, " candidate"]:
        nonlocal generation
        generation += 1
        found: list[float] = []
        for start in range(0, points.shape[1], BATCH):
            batch = points.T[start : start + BATCH]
            found += _costs(space, batch, generation, evaluate, archive)
            advance(len(batch))
        return np.array(found)

    def guarded(points: Float[np.ndarray, "variable candidate"]) -> Float[np.ndarray, " candidate"]:
        # The optimiser would catch these errors and hide their cause.
        try:
            return costs(points)
        except (TypeError, ValueError) as error:
            raise _EvaluationError from error

    try:
        differential_evolution(
            guarded,
            space.bounds,
            strategy="best1bin",
            maxiter=generations,
            init=space.first_generation(population, seed),
            mutation=MUTATION,
            recombination=RECOMBINATION,
            seed=np.random.default_rng(seed),
            tol=0.0,
            polish=False,
            updating="deferred",
            vectorized=True,
        )
    except _EvaluationError as failed:
        assert failed.__cause__ is not None
        raise failed.__cause__ from None
    # The archive may hold more generations, from a longer search.
    return [candidate for candidate in archive.of(space.family) if candidate.generation <= generations]


def best_by_generation(candidates: Iterable[Candidate], generations: int) -> list[float]:
    """Smallest cost found up to each generation."""
    best = np.full(generations + 1, np.inf)
    for candidate in candidates:
        best[candidate.generation] = min(best[candidate.generation], candidate.score.cost)
    return [float(cost) for cost in np.minimum.accumulate(best)]


def cheapest(candidates: Iterable[Candidate], number: int) -> list[Candidate]:
    """The candidates with the smallest costs; equal costs in order of evaluation."""
    return list(islice(sorted(candidates, key=lambda candidate: candidate.score.cost), number))


class _EvaluationError(Exception):
    """An error that is passed through the optimiser."""


def _costs(
    space: DesignSpace,
    points: Float[np.ndarray, "candidate variable"],
    generation: int,
    evaluate: Evaluate,
    archive: Archive,
) -> list[float]:
    """Costs of a batch, from the archive or from an evaluation, which is then stored."""
    vectors = [tuple(float(value) for value in space.in_order(point)) for point in points]
    missing = [vector for vector in dict.fromkeys(vectors) if archive.find(space.family, vector) is None]
    if missing:
        scores = evaluate(missing)
        archive.add([Candidate(space.family, generation, v, s) for v, s in zip(missing, scores, strict=True)])
    found = [archive.find(space.family, vector) for vector in vectors]
    return [candidate.score.cost for candidate in found if candidate is not None]
