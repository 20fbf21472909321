"""Progress bars on a terminal, silence elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars


class Progress(Protocol):
    """Display of how far the work has come."""

    def task(self, title: str, total: int, done: int = 0) -> AbstractContextManager[Callable[[int], None]]:
        """Context of a task of ``total`` steps; it yields a function to call with the number of steps made."""


class Silent:
    """Display that shows nothing."""

    @contextlib.contextmanager
    def task(self, title: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
        """Context of a task that is not shown."""
        yield lambda steps: None


class Terminal:
    """Bar for each task, with the time left; nothing if the console is not a terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextlib.contextmanager
    def task(self, title: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
        """Context of a task shown as a bar."""
        bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
            # A step may take minutes; with rich's default of half a minute no time left would be shown.
            speed_estimate_period=3600,
            transient=True,
        )
        with bars:
            number = bars.add_task(title, total=total, completed=done)
            yield lambda steps: bars.advance(number, steps)
