"""The six transitions and three holds: which pulses make each, and how often each ends where it should."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from barkhausen.device.categories.schema import NONE
from barkhausen.device.skyrmion.parameters import SkyrmionParameters
from barkhausen.device.skyrmion.textures import CATEGORIES, MIRRORED, STATES
from barkhausen.device.skyrmion.writing import Outcomes, PulseSequence, duration_of, pulse_named, run
from barkhausen.micromagnetics import Film
from barkhausen.micromagnetics.observables.texture import CORE_DOWN, CORE_UP, DOWN, OTHER, UP

COUNTED = {
    "nucleate": ("nucleate",),
    "collapse": ("collapse",),
    "nucleate, collapse": ("nucleate", "collapse"),
    "collapse, nucleate, collapse": ("collapse", "nucleate", "collapse"),
    "hold": ("hold",),
}
"""Sequences that are applied without a read between, by the name in the device file."""

NUCLEATE, COLLAPSE, BOTH, ALL, HOLD = range(5)

POLICY = {
    UP: (BOTH, NUCLEATE, NONE),
    DOWN: (NONE, NUCLEATE, BOTH),
    CORE_DOWN: (ALL, NONE, COLLAPSE),
    CORE_UP: (COLLAPSE, NONE, ALL),
    OTHER: (COLLAPSE, COLLAPSE, COLLAPSE),
}
"""Sequence for each category and wanted state (down, skyrmion, up).

A skyrmion with its core up lies in a disc that is down: its collapse leaves the disc down. To turn it up, the disc goes
down, then to a skyrmion whose core is down, whose collapse leaves it up. A texture that is none of the four gets
``collapse`` again and again: a wall across the disc goes by chance, since no voltage drives it either way.
"""

SIMULATED = {
    "uniform": ((UP, DOWN), ("nucleate", "collapse")),
    "skyrmion": ((CORE_UP, CORE_DOWN), ("collapse", "nucleate", "collapse")),
    "hold uniform": ((UP, DOWN), ("hold",)),
    "hold skyrmion": ((CORE_UP, CORE_DOWN), ("hold",)),
    "clear": ((OTHER,), ("collapse",)),
}
"""Ensembles: categories that replicas start from, in equal parts, and pulses with a read after each."""

STAGES = {
    "uniform": {0: NUCLEATE, 1: BOTH},
    "skyrmion": {0: COLLAPSE, 2: ALL},
    "hold uniform": {0: HOLD},
    "hold skyrmion": {0: HOLD},
    "clear": {0: COLLAPSE},
}
"""Sequence of the device file that each stage of an ensemble measures."""

CLEARED = 64
"""Replicas of the ensemble ``clear``, at most."""


@dataclass(frozen=True)
class Measured:
    """Outcomes of all ensembles.

    Args:
        outcomes: Outcomes by ensemble and category that the replicas start from.
    """

    outcomes: Mapping[tuple[str, int], Outcomes]

    def counts(self, *, pooled: bool = True) -> Int[np.ndarray, "sequence category category"]:
        """Events by sequence, category before and category after.

        Args:
            pooled: Whether a category and its mirror image share their events. A vertical mirror plane turns up into
                down and leaves disc and equation of motion as they are, so the probabilities are the same.
        """
        size = len(CATEGORIES)
        found = np.zeros((len(COUNTED), size, size), np.int64)
        for (name, _), outcomes in self.outcomes.items():
            stages = outcomes.counts(size)
            for stage, sequence in STAGES[name].items():
                if stage < len(stages):
                    found[sequence] += stages[stage]
        if not pooled:
            return found
        mirror = np.array(MIRRORED)
        mirrored = found[:, mirror][:, :, mirror]
        # Textures that are none of the four are their own mirror images.
        other = found[:, OTHER].copy()
        found = found + mirrored
        found[:, OTHER] = other
        return found


def measure(
    parameters: SkyrmionParameters,
    *,
    names: tuple[str, ...] = tuple(SIMULATED),
    replicas: int | None = None,
    film: Film | None = None,
    cell: float | None = None,
    checkpoint: Path | None = None,
    threads: int | None = None,
    done: Callable[[int], None] = lambda replicas: None,
) -> Measured:
    """Simulate the ensembles.

    Args:
        parameters: Parameters of the device.
        names: Ensembles, of :data:`SIMULATED`.
        replicas: Replicas of each ensemble, in equal parts from each of its categories. Default: those of the
            parameters.
        film, cell, checkpoint, threads, done: As of :func:`.writing.run`.
    """
    total = parameters.characterisation.replicas if replicas is None else replicas
    found = {}
    for name in names:
        categories, pulses = SIMULATED[name]
        number = list(SIMULATED).index(name)
        share = min(total, CLEARED) if name == "clear" else -(-total // len(categories))
        for category in categories:
            sequence = PulseSequence(category, pulses, share, parameters.characterisation.seed + 1000 * number)
            found[name, category] = run(
                parameters, sequence, film=film, cell=cell, checkpoint=checkpoint, threads=threads, done=done
            )
    return Measured(found)


def policy() -> Int[np.ndarray, "category state"]:
    """:data:`POLICY` as a table."""
    return np.array([POLICY[category] for category in range(len(CATEGORIES))])


def energies(parameters: SkyrmionParameters) -> dict[str, np.ndarray]:
    """Energy in J of each sequence by cause, pulse by pulse."""
    found: dict[str, np.ndarray] = {}
    for place, pulses in enumerate(COUNTED.values()):
        for name in pulses:
            pulse = pulse_named(parameters, name)
            for cause, energy in ({} if pulse is None else parameters.pulse_energy(pulse)).items():
                found.setdefault(cause, np.zeros(len(COUNTED)))[place] += energy
    return found


def durations(parameters: SkyrmionParameters) -> list[float]:
    """Time in s of each sequence, with the rest after each pulse."""
    return [sum(duration_of(parameters, name) for name in pulses) for pulses in COUNTED.values()]


def succeeded(counts: Int[np.ndarray, "sequence category category"], category: int, state: int) -> tuple[int, int]:
    """Events of the policy's sequence from a category to a state: those that ended there, and all.

    A state that the category already is, is held.
    """
    sequence = POLICY[category][state]
    row = counts[HOLD if sequence == NONE else sequence, category]
    return int(row[np.array(STATES) == state].sum()), int(row.sum())
