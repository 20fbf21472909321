"""Destinations of a run's numbers beside its own files: what every such log has to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from barkhausen.experiment.recipe import Recipe


class RunLog(Protocol):
    """The log of one run, open while it runs."""

    def add(self, epoch: int, line: dict[str, Any]) -> None:
        """Take the metrics of one epoch (a line of ``metrics.jsonl``), counted from 1."""

    def finish(self, summary: dict[str, Any]) -> None:
        """Take the result; every file of the run is written by then."""

    def __enter__(self) -> RunLog:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, with the exception that ended the run, if any."""


class Destination(Protocol):
    """A destination that opens the log of any run."""

    def open(self, recipe: Recipe, directory: Path, metrics: list[dict[str, Any]]) -> RunLog:
        """Open the log of a run.

        Args:
            recipe: Recipe of the run.
            directory: Directory of the run.
            metrics: Lines of the epochs that an earlier process has finished; the log may hold them already.
        """

    @property
    def takes_finished_runs(self) -> bool:
        """Whether to give it a run that was finished earlier once more, in case something is missing there."""


def numbers(line: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The numbers of one epoch under their own names, nested ones under ``group/name``."""
    for key, value in line.items():
        if isinstance(value, dict):
            yield from ((f"{key}/{name}", number) for name, number in value.items())
        elif isinstance(value, list):
            yield from ((f"{key}/{place}", number) for place, number in enumerate(value))
        elif key != "epoch":
            yield key, value
