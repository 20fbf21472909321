"""Where the command line prints its tables."""

from __future__ import annotations

from rich.console import Console


def wide_console() -> Console:
    """A console that does not cut tables off where it is no terminal."""
    console = Console()
    # A table cut off at 80 columns would lose figures when piped into a file.
    return console if console.is_terminal else Console(width=160)
