"""A made-up device whose states are categories."""

from __future__ import annotations

import numpy as np

from barkhausen.device import CategoricalDevice, Categories, Pulses, StateCoordinate

NAMES = ("up", "down", "core down", "core up", "other")
LOWER, RAISE = 0, 1


def categorical(probability: float = 0.9, **changes: object) -> CategoricalDevice:
    """Three states of five categories: the first pulse makes a skyrmion, the second destroys it."""
    good, rest = round(1000 * probability), 1000 - round(1000 * probability)
    counts = np.zeros((2, 5, 5), np.int64)
    counts[LOWER, 0, [3, 4]] = good, rest
    counts[LOWER, 1, [2, 4]] = good, rest
    counts[RAISE, 2, [0, 2]] = good, rest
    counts[RAISE, 3, [1, 3]] = good, rest
    counts[RAISE, 4, [0, 1]] = 500, 500
    given = {
        "categories": Categories(NAMES, (2, 0, 1, 1, -1), (1.0, -1.0, 0.0, 0.0, 0.4)),
        "pulses": Pulses(
            ("lower", "raise"),
            counts,
            np.array([[0, 0, -1], [-1, 0, 0], [1, -1, 1], [1, -1, 1], [1, 1, 1]])[:, [0, 1, 2]],
            {"gate": np.array([2e-15, 1e-15])},
        ),
    } | changes
    return CategoricalDevice.from_transitions(
        given["categories"],  # type: ignore[arg-type]
        given["pulses"],  # type: ignore[arg-type]
        technology="resistive",
        source="simulated",
        coordinate=StateCoordinate("state", "1", "state"),
        state_range=(-1.0, 1.0),
        read_energy=1e-17,
        conductances=(1e-6, 2e-6),
        causes={"gate": "gate pulses"},
    )
