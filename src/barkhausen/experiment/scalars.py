"""TensorBoard scalars of a run."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from barkhausen.atomic import unwritable


class ScalarLog:
    """Writes every number of an epoch's metrics; a resumed run hides what an interrupted epoch left behind.

    Raises:
        InputError: the directory cannot be written.
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
            for key, value in line.items():
                if isinstance(value, dict):
                    for name, number in value.items():
                        self.writer.add_scalar(f"{key}/{name}", number, epoch)
                elif isinstance(value, list):
                    for number, item in enumerate(value):
                        self.writer.add_scalar(f"{key}/{number}", item, epoch)
                elif key != "epoch":
                    self.writer.add_scalar(key, value, epoch)
            self.writer.flush()
        except OSError as error:
            raise unwritable(self.directory, error) from None

    def __enter__(self) -> ScalarLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.writer.close()
        except OSError as failure:
            raise unwritable(self.directory, failure) from None
