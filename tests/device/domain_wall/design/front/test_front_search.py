"""The search for a front, on merits whose front is known, and what becomes of one that is interrupted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from barkhausen.core.errors import InputError
from barkhausen.device import DeviceParameters
from barkhausen.device.domain_wall.design.front import Found, FrontSpace, Limits, Merits, VoltageScan, front, trade

SPACE = FrontSpace(DeviceParameters(), 2, {}, VoltageScan())
LIMITS = Limits(overlap=0.2, misplaced=1.0, lost=1.0)
LOW, HIGH = (np.array([getattr(v, end) for v in SPACE.variables]) for end in ("low", "high"))


def merits(vector: Sequence[float]) -> Merits | None:
    """Energy rises with the first variable and the distance of the others from the middle, retention with the first;
    states overlap where the second is large. Points whose third one is large are impossible."""
    share = (np.array(vector) - LOW) / (HIGH - LOW)
    if share[2] > 0.9:
        return None
    away = float(((share[1:] - 0.5) ** 2).sum())
    return Merits(
        energy=10.0 ** (share[0] + away),
        retention=10.0 ** (10 * share[0]),
        barrier=1.0,
        overlap=0.3 if share[1] > 0.6 else 0.1,
        misplaced=0.0,
        displaced=0.0,
        bits=1.0,
        failures=0.0,
        not_home=0.0,
        current_density=1.0,
        temperature_rise=0.0,
    )


class Memory:
    """Storage that dies when told to."""

    def __init__(self) -> None:
        self.place = "here"
        self.points: list[Found] = []
        self.evaluations = 0
        self.to_live = 10**9

    def of(self, generation: int) -> list[Found]:
        return [point for point in self.points if point.generation == generation]

    def add(self, points: Sequence[Found]) -> None:
        self.points += points

    def evaluate(self, generation: int, vectors: Sequence[tuple[float, ...]]) -> list[Found]:
        if self.evaluations == self.to_live:
            raise KeyboardInterrupt
        self.evaluations += 1
        return [Found(generation, vector, (0.0, 1.0), merits(vector)) for vector in vectors]


def search(memory: Memory, generations: int = 25, objectives: tuple[str, ...] = ("energy", "retention")) -> list[Found]:
    return trade(
        SPACE, memory.evaluate, memory, objectives=objectives, limits=LIMITS,  # type: ignore[arg-type]
        generations=generations, population=32, seed=3,
    )  # fmt: skip


def test_the_front_is_found() -> None:
    found = search(Memory())
    best = front(found, ("energy", "retention"), LIMITS)
    energies = [point.merits.energy for point in best if point.merits]
    times = [point.merits.retention for point in best if point.merits]
    assert energies == sorted(energies)
    assert times == sorted(times)
    assert all(point.merits is not None and point.merits.overlap <= 0.2 for point in best)
    # On the front log10(energy) is a tenth of log10(retention); 800 points come near to it over most of its length.
    excess = np.log10(energies) - 0.1 * np.log10(times)
    assert float(np.median(excess)) < 0.1
    assert max(times) / min(times) > 1e7


def test_one_objective_under_limits() -> None:
    found = search(Memory(), objectives=("energy",))
    (best,) = front(found, ("energy",), LIMITS)
    assert best.merits is not None
    assert best.merits.energy < 10**0.15
    assert best.merits.energy == min(p.merits.energy for p in found if p.feasible(LIMITS) and p.merits)


def test_an_interrupted_search_ends_with_the_same_points() -> None:
    whole = search(Memory(), 6)
    memory = Memory()
    memory.to_live = 3
    with pytest.raises(KeyboardInterrupt):
        search(memory, 6)
    memory.to_live = 10**9
    assert search(memory, 6) == whole
    assert memory.evaluations == 7
    # A longer search begins with the same generations.
    assert search(memory, 7)[: len(whole)] == whole


def test_points_of_another_search_are_refused() -> None:
    memory = Memory()
    search(memory, 0)
    memory.points[0] = Found(0, (1.0, *memory.points[0].vector[1:]), (), None)
    with pytest.raises(InputError, match=r"^here: generation 0 has the points of another search; delete the file"):
        search(memory, 0)


def test_more_than_enough_is_no_gain() -> None:
    found = [
        Found(0, vector, (), merits(vector))
        for vector in (SPACE.point([x] + [0.5] * (len(LOW) - 1)) for x in (0.2, 0.6, 0.9))
    ]
    assert len(front(found, ("energy", "retention"), LIMITS)) == 3
    assert front(found, ("energy", "retention"), LIMITS, 1e5) == found[:2]
