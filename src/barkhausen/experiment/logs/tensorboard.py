"""TensorBoard scalars of a run."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from barkhausen.core.files import unwritable
from barkhausen.experiment.logs.base import numbers
from barkhausen.experiment.recipe import Recipe


class ScalarLog:
    """Log of every number of an epoch's metrics; a resumed run hides what an interrupted epoch left behind.

    Raises:
        InputError: The directory cannot be written.
    """

    def __init__(self, directory: Path, epoch: int) -> None:
        self.directory = directory
        try:
            self.writer = SummaryWriter(str(directory), purge_step=epoch + 1)
        except OSError as error:
            raise unwritable(directory, error) from None

    def add(self, epoch: int, line: dict[str, Any]) -> None:
        """Write the numbers of one epoch under their own names, nested ones under ``group/name``."""
        try:
            for name, number in numbers(line):
                self.writer.add_scalar(name, number, epoch)
            self.writer.flush()
        except OSError as error:
            raise unwritable(self.directory, error) from None

    def finish(self, summary: dict[str, Any]) -> None:
        """Nothing: all scalars belong to epochs."""

    def __enter__(self) -> ScalarLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.writer.close()
        except OSError as failure:
            raise unwritable(self.directory, failure) from None


class TensorBoard:
    """The log that every run has, in ``tensorboard/`` of its directory."""

    takes_finished_runs = False

    def open(self, recipe: Recipe, directory: Path, metrics: list[dict[str, Any]]) -> ScalarLog:
        """Continue after the epochs that are in ``metrics``."""
        return ScalarLog(directory / "tensorboard", len(metrics))
