"""Differential evolution over one family of devices, with every evaluation kept so that a search can go on."""

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
"""Candidates in one run of the compact model, for which an ordinary search needs half a gigabyte."""

MUTATION = (0.4, 0.9)
"""Scale of the differences that make a new candidate, drawn anew for each generation."""

RECOMBINATION = 0.7
"""Share of its variables that a new candidate takes from the mutant."""

Vector = tuple[float, ...]
Evaluate = Callable[[Sequence[Vector]], list[Score]]


@dataclass(frozen=True)
class Candidate:
    """One evaluated point of a design space."""

    family: Family
    generation: int
    """In which it came up first; 0: the points that the search begins with."""
    vector: Vector
    score: Score

    @property
    def name(self) -> str:
        """The family, and a digest of the point."""
        point = " ".join(value.hex() for value in self.vector)
        return f"{self.family}-{hashlib.sha256(point.encode()).hexdigest()[:10]}"


class Archive(Protocol):
    """Where evaluated candidates are kept."""

    def find(self, family: Family, vector: Vector) -> Candidate | None:
        """The candidate at exactly this point, if it has been evaluated."""

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Keep further candidates, all of them or none."""

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
    """Look for the point of least cost; return all candidates, in the order in which they were evaluated.

    The same arguments give the same candidates. What the archive holds is not evaluated again: interrupted anywhere,
    the same call goes on and ends as it would have.

    Args:
        space: Where to look.
        evaluate: Scores of a batch of vectors. They may depend on the batch, and so batches are the same in a search
            that was interrupted: one is kept as a whole or not at all.
        archive: What has been evaluated, and where to keep it.
        generations: After the first points.
        population: Candidates in a generation, a power of two.
        seed: Of the first points and of the mutations.
        advance: Told the number of candidates dealt with.
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
        # The optimiser takes these errors for its own, and says nothing of what was wrong.
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
    # An archive may reach further than this search: it was longer once.
    return [candidate for candidate in archive.of(space.family) if candidate.generation <= generations]


def best_by_generation(candidates: Iterable[Candidate], generations: int) -> list[float]:
    """Least cost found up to each generation."""
    best = np.full(generations + 1, np.inf)
    for candidate in candidates:
        best[candidate.generation] = min(best[candidate.generation], candidate.score.cost)
    return [float(cost) for cost in np.minimum.accumulate(best)]


def cheapest(candidates: Iterable[Candidate], number: int) -> list[Candidate]:
    """So many candidates of least cost, the earlier one first where two cost the same."""
    return list(islice(sorted(candidates, key=lambda candidate: candidate.score.cost), number))


class _EvaluationError(Exception):
    """Carries an error out of the optimiser."""


def _costs(
    space: DesignSpace,
    points: Float[np.ndarray, "candidate variable"],
    generation: int,
    evaluate: Evaluate,
    archive: Archive,
) -> list[float]:
    """Costs of a batch, from the archive or from an evaluation that is then kept."""
    vectors = [tuple(float(value) for value in space.in_order(point)) for point in points]
    missing = [vector for vector in dict.fromkeys(vectors) if archive.find(space.family, vector) is None]
    if missing:
        scores = evaluate(missing)
        archive.add([Candidate(space.family, generation, v, s) for v, s in zip(missing, scores, strict=True)])
    found = [archive.find(space.family, vector) for vector in vectors]
    return [candidate.score.cost for candidate in found if candidate is not None]
