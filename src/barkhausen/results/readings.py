"""Three readings of a programming energy "per inference", which papers give without saying how it is derived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

READINGS = ("per trained sample and epoch", "per training sample", "per test inference")
"""What the programming energy of a run may be divided by: samples × epochs, samples, samples of the test set."""


def readings_of(summary: Mapping[str, Any]) -> dict[str, float | None]:
    """Programming energy in J of a run in each reading; None for the last where no test set was used."""
    whole, dataset = summary["energy"]["programming_joule"], summary["dataset"]
    samples, tests = dataset["train_samples"], dataset["test_samples"]
    shares = (samples * summary["epochs"], samples, tests)
    return {name: whole / number if number else None for name, number in zip(READINGS, shares, strict=True)}
