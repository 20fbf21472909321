"""Errors of one line each, naming the culprit: wrong input, and outcomes without a result.

The command line turns every :class:`BarkhausenError` into that line and exit code 2, without a traceback.
Anything else that escapes is a defect of ours and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BarkhausenError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(BarkhausenError, ValueError):
    """The user's input is wrong; the message is one line: which key, which value, what is allowed."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class OutcomeError(BarkhausenError):
    """The input is sound, but what it leads to is no result: a diverged training, a wall that never rests.

    Another attempt with the same input ends in the same way.
    """


class DataNotFoundError(InputError):
    """A data set was not found in any of the places searched, and could not be downloaded."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known word, or the list of what is known.

    Ready to be appended to an error message.
    """
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; known: {', '.join(known)}" if known else ""
