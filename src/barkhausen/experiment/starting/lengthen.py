"""Runs that are trained on for more epochs than they began with."""

from __future__ import annotations

import json
from pathlib import Path

from barkhausen.core.config import read_toml
from barkhausen.core.files import atomic_write, read_json
from barkhausen.experiment.recipe import Recipe

LENGTHS = "lengthened.json"
"""File with the numbers of epochs that a run had before it was lengthened."""

OF_THE_SHORT_RUN = ("summary.json", "histograms.json", "mlflow.json")
"""Files that hold for the run of fewer epochs alone."""


def begin_longer(directory: Path, recipe: Recipe) -> None:
    """Turn the directory of a run into that of a longer one, which resumes from the last checkpoint.

    Killed at any moment, it is a run that the same call lengthens.

    Args:
        directory: Claimed directory of the run.
        recipe: Recipe of the run with more epochs.
    """
    held = directory / "recipe.toml"
    epochs = read_toml(held)["epochs"]
    lengths = _lengths(directory)
    if lengths[-1:] != [epochs]:
        atomic_write(directory / LENGTHS, json.dumps([*lengths, epochs]) + "\n")
    # Before the recipe: a summary beside a longer recipe would pass for that of the longer run.
    for name in OF_THE_SHORT_RUN:
        (directory / name).unlink(missing_ok=True)
    atomic_write(held, recipe.to_toml())


def lengthened(directory: Path, recipe: Recipe) -> list[str]:
    """Lines for the summary of a run that was lengthened."""
    lengths = _lengths(directory)
    if not lengths:
        return []
    first = " and ".join(map(str, lengths))
    line = f"lengthened from {first} to {recipe.epochs} epochs: "
    if recipe.optimizer.schedule == "constant":
        return [line + "the same numbers as those of a run of so many epochs"]
    before = f"the first epochs had the rates of a {recipe.optimizer.schedule} schedule over {first} epochs, "
    return [f"{line}{before}so a run of {recipe.epochs} epochs gives other numbers"]


def _lengths(directory: Path) -> list[int]:
    path = directory / LENGTHS
    return [int(epochs) for epochs in read_json(path)] if path.exists() else []
