"""Errors and warnings with a message of one line: wrong input, doubtful input, and outcomes without a result.

The command line turns every :class:`BarkhausenError` into that line and exit code 2, without a traceback, and shows
every :class:`InputWarning` as one line. Any other exception is a defect of the package and keeps its traceback.
"""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Iterable

PACKAGE = __name__.partition(".")[0]

LONGEST_WORD, LONGEST_LINE = 200, 1500
"""Characters of a word and of a message beyond which they are shortened in the middle."""


def shortened(text: str, length: int = 60) -> str:
    """Text of at most ``length`` characters, with an ellipsis in the middle where it is longer."""
    if len(text) <= length:
        return text
    tail = length // 3
    return f"{text[: length - tail - 1]}…{text[-tail:]}"


def one_line(message: str) -> str:
    """A message as one line, without words or values of excessive length."""
    words = (shortened(word, LONGEST_WORD) for word in message.split())
    return shortened(" ".join(words), LONGEST_LINE)


class BarkhausenError(Exception):
    """Base class of the errors that the package raises on purpose."""


class InputError(BarkhausenError, ValueError):
    """Error in the input. The message is one line: which key, which value, what is allowed."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class OutcomeError(BarkhausenError):
    """Valid input that leads to no result: a training that diverges, a wall that never comes to rest.

    A second attempt with the same input ends in the same way.
    """


class DataNotFoundError(InputError):
    """Data set that is in none of the places searched and could not be downloaded."""


class InputWarning(UserWarning):
    """Warning about valid input that may not mean what the user expects."""


def warn(message: str) -> None:
    """Give an :class:`InputWarning` at the line outside the package that called it."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == PACKAGE:
        level, frame = level + 1, frame.f_back
    warnings.warn(InputWarning(one_line(message)), stacklevel=level)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that resembles another most; None if none does."""
    return next(iter(difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known word, or the list of what is known.

    Ready to be appended to an error message.
    """
    known = sorted(known)
    near = nearest(word, known)
    if near is not None:
        return f"; did you mean '{near}'?"
    return f"; known: {', '.join(known)}" if known else ""
