"""The search itself, on a cost whose least value is known, and what becomes of one that is interrupted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from barkhausen.core.errors import InputError
from barkhausen.device import DeviceParameters
from barkhausen.device.domain_wall.design import (
    BATCH,
    SCORES,
    Candidate,
    DesignSpace,
    Family,
    Ranges,
    Score,
    Vector,
    best_by_generation,
    cheapest,
    search,
)

SPACE = DesignSpace(DeviceParameters(), 3, "rough", Ranges())
GOAL = np.array([0.2, 0.5, 0.8, 0.3, 0.7, 0.4])
"""The point of least cost, as shares of the ranges."""


def score_of(cost: float) -> Score:
    return Score(**{name: cost if name == "cost" else 0.0 for name in SCORES})


class Memory:
    """An archive that forgets nothing, and dies when told to."""

    def __init__(self) -> None:
        self.rows: list[Candidate] = []
        self.kept: dict[tuple[Family, Vector], Candidate] = {}
        self.evaluated: list[list[Vector]] = []
        self.batches_to_live = 10**9

    def find(self, family: Family, vector: Vector) -> Candidate | None:
        return self.kept.get((family, vector))

    def add(self, candidates: Sequence[Candidate]) -> None:
        self.rows += candidates
        self.kept |= {(row.family, row.vector): row for row in candidates}

    def of(self, family: Family) -> list[Candidate]:
        return [row for row in self.rows if row.family == family]

    def evaluate(self, vectors: Sequence[Vector]) -> list[Score]:
        if len(self.evaluated) == self.batches_to_live:
            raise KeyboardInterrupt
        self.evaluated.append(list(vectors))
        low, high = SPACE.bounds.T
        # As in a batch of the compact model, a cost depends on the company, if ever so little.
        luck = 1e-3 * np.sin(1e3 * np.arange(len(vectors)) + len(vectors))
        costs = [float((((np.array(v) - low) / (high - low) - GOAL) ** 2).sum()) for v in vectors]
        return [score_of(cost + more) for cost, more in zip(costs, luck, strict=True)]

    def run(self, generations: int = 12, population: int = 64, seed: int = 5) -> list[Candidate]:
        return search(SPACE, self.evaluate, self, generations=generations, population=population, seed=seed)


def test_search_finds_the_least_cost() -> None:
    found = Memory().run(generations=40, population=32)
    best = cheapest(found, 1)[0]
    low, high = SPACE.bounds.T
    assert ((np.array(best.vector) - low) / (high - low)) == pytest.approx(GOAL, abs=0.06)
    curve = best_by_generation(found, 40)
    assert len(curve) == 41
    assert (np.diff(curve) <= 0).all()
    assert curve[-1] == best.score.cost < 0.1 * curve[0]


def test_candidates_are_within_bounds_and_in_order() -> None:
    found = Memory().run()
    points = np.array([candidate.vector for candidate in found])
    assert ((points >= SPACE.bounds[:, 0]) & (points <= SPACE.bounds[:, 1])).all()
    assert (np.diff(points[:, :3]) >= 0).all()
    assert [candidate.generation for candidate in found] == sorted(candidate.generation for candidate in found)


def test_same_seed_same_search() -> None:
    assert Memory().run(seed=3) == Memory().run(seed=3)
    assert Memory().run(seed=3) != Memory().run(seed=4)


@pytest.mark.parametrize("batches", [0, 1, 3, 8, 20])
def test_interrupted_search_ends_as_an_undisturbed_one(batches: int) -> None:
    undisturbed, interrupted = Memory(), Memory()
    expected = undisturbed.run()
    assert len(undisturbed.evaluated) == 13 * 64 / BATCH
    interrupted.batches_to_live = batches
    with pytest.raises(KeyboardInterrupt):
        interrupted.run()
    assert len(interrupted.evaluated) == batches
    interrupted.batches_to_live = 10**9
    assert interrupted.run() == expected
    # Nothing was computed twice.
    assert interrupted.evaluated == undisturbed.evaluated


def test_a_longer_search_begins_with_the_shorter_one() -> None:
    memory = Memory()
    first = memory.run(generations=4)
    computed = len(memory.evaluated)
    longer = memory.run(generations=9)
    assert longer[: len(first)] == first
    assert len(memory.evaluated) - computed == 5 * 64 / BATCH
    assert longer == Memory().run(generations=9)
    # And a shorter one does not see what a longer one has found.
    assert memory.run(generations=4) == first


def test_the_same_point_is_evaluated_once() -> None:
    ranges = {name: (value[0], value[0]) for name, value in Ranges().model_dump().items()}
    fixed = DesignSpace(DeviceParameters(), 3, "rough", Ranges.model_validate(ranges))
    memory = Memory()
    advanced: list[int] = []
    found = search(
        fixed,
        lambda vectors: [score_of(1.0) for _ in vectors],
        memory,
        generations=3,
        population=8,
        seed=0,
        advance=advanced.append,
    )
    assert len(found) == 1
    assert found[0].generation == 0


def test_an_error_in_an_evaluation_comes_through() -> None:
    def refuse(vectors: Sequence[Vector]) -> list[Score]:
        raise InputError(f"{len(vectors)} candidates are too many")

    with pytest.raises(InputError, match=r"^32 candidates are too many$"):
        search(SPACE, refuse, Memory(), generations=1, population=64, seed=0)


def test_cheapest_come_first_and_the_earlier_of_two() -> None:
    rows = [Candidate("rough", k, (float(k),), score_of(cost)) for k, cost in enumerate((3.0, 1.0, 2.0, 1.0))]
    assert [row.generation for row in cheapest(rows, 3)] == [1, 3, 2]
    assert best_by_generation(rows[:3], 4) == [3.0, 1.0, 1.0, 1.0, 1.0]
