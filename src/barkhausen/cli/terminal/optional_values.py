"""Command whose option ``--report`` may stand without a value."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

OPTIONAL_METAVAR = "[PATH]"
"""Metavar of options that may stand without a value; their value is then the empty text."""


class Command(TyperCommand):
    """Command in which an option of the metavar :data:`OPTIONAL_METAVAR` without a value gets the empty text.

    Neither typer nor the parser below it offers such options.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse arguments after completing options without a value."""
        names = {name for option in self.params if option.metavar == OPTIONAL_METAVAR for name in option.opts}
        completed = []
        for place, word in enumerate(args):
            completed.append(word)
            following = args[place + 1 : place + 2]
            if word in names and (not following or following[0].startswith("-")):
                completed.append("")
        return super().parse_args(ctx, completed)
