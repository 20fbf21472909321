"""Console on which the command line prints its tables."""

from __future__ import annotations

from rich.console import Console


def wide_console() -> Console:
    """A console that does not truncate tables when the output is not a terminal."""
    console = Console()
    # A table truncated to 80 columns would lose figures when piped into a file.
    return console if console.is_terminal else Console(width=160)
