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
    """Something that shows how far the work has come."""

    def task(self, title: str, total: int, done: int = 0) -> AbstractContextManager[Callable[[int], None]]:
        """A piece of work of ``total`` steps; the block receives a function to call with steps made."""


class Silent:
    """Shows nothing."""

    @contextlib.contextmanager
    def task(self, title: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
        """A piece of work nobody watches."""
        yield lambda steps: None


class Terminal:
    """A bar a task, with the time left; nothing where the console is not a terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextlib.contextmanager
    def task(self, title: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
        """A piece of work shown as a bar."""
        bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
            # A step may take minutes; by rich's own half a minute there would be no time left to tell.
            speed_estimate_period=3600,
            transient=True,
        )
        with bars:
            number = bars.add_task(title, total=total, completed=done)
            yield lambda steps: bars.advance(number, steps)
