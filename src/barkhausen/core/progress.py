"""Progress of long work: a bar on a terminal or in a notebook, one line a minute in a log."""

from __future__ import annotations

import contextlib
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console

MINUTE = 60.0
"""Seconds between two lines in a log."""


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


class Log:
    """Display for logs: one line a minute for each task, and one when a task that had lines ends.

    Args:
        write: Function that takes a line. Default: prints it to the standard error.
        every: Seconds between two lines.
        clock: Function that gives the time in s.
    """

    def __init__(
        self,
        write: Callable[[str], object] | None = None,
        *,
        every: float = MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.write = write or _to_standard_error
        self.every, self.clock = every, clock

    @contextlib.contextmanager
    def task(self, title: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
        """Context of a task shown as lines."""
        started = last = self.clock()
        made = 0

        def advance(steps: int) -> None:
            nonlocal last, made
            made += steps
            now = self.clock()
            if now - last < self.every:
                return
            last = now
            line = f"{title}: {done + made} of {total}"
            if total > 0:
                line += f" ({100 * (done + made) / total:.0f} %)"
            line += f", {_duration(now - started)} elapsed"
            left = total - done - made
            if made > 0 and left > 0:
                line += f", about {_duration((now - started) * left / made)} left"
            self.write(line)

        yield advance
        if last > started:
            self.write(f"{title}: finished after {_duration(self.clock() - started)}")


class Terminal:
    """Bar for each task, with the time left; one line a minute where the console is no terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def task(self, title: str, total: int, done: int = 0) -> AbstractContextManager[Callable[[int], None]]:
        """Context of a task shown as a bar, or as lines of a log."""
        if not self.console.is_terminal:
            write = self.console.print
            return Log(lambda line: write(line, markup=False, highlight=False, soft_wrap=True)).task(title, total, done)
        return self._bar(title, total, done)

    @contextlib.contextmanager
    def _bar(self, title: str, total: int, done: int) -> Iterator[Callable[[int], None]]:
        from rich.progress import (  # noqa: PLC0415 (not needed to start)
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            # A step may take minutes; with rich's default of half a minute no time left would be shown.
            speed_estimate_period=3600,
            transient=True,
        )
        with bars:
            number = bars.add_task(title, total=total, completed=done)
            yield lambda steps: bars.advance(number, steps)


class Notebook:
    """Bar of tqdm for each task, below the cell that runs it; it disappears when the task ends."""

    @contextlib.contextmanager
    def task(self, title: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
        """Context of a task shown as a bar."""
        with warnings.catch_warnings():
            # Without ipywidgets the bar is of text, which needs no warning.
            warnings.filterwarnings("ignore", message="IProgress not found")
            from tqdm.auto import tqdm  # noqa: PLC0415 (not needed to start)

        with tqdm(total=total, initial=done, desc=title, leave=False, dynamic_ncols=True) as bar:
            yield bar.update


def automatic() -> Progress:
    """The display that fits: bars in a notebook or on a terminal, lines where the output goes to a log."""
    if _in_notebook():
        return Notebook()
    from rich.console import Console  # noqa: PLC0415 (not needed to start)

    return Terminal(Console(stderr=True))


def display_of(progress: Progress | bool | None) -> Progress:
    """The display that an argument ``progress`` stands for.

    Args:
        progress: A display; ``True``: the one that fits (:func:`automatic`); ``False`` or ``None``: none.
    """
    if isinstance(progress, bool):
        return automatic() if progress else Silent()
    return progress or Silent()


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


def _duration(seconds: float) -> str:
    """A duration as 0:05:09, or with days in front."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def _to_standard_error(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 (this is the display)
