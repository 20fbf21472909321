"""Notes of a table: what a reader must know, each with a key by which pages select them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Key = Literal[
    "averaged",
    "baseline",
    "clipped",
    "failed",
    "few-pairs",
    "holm",
    "intervals",
    "mixed-samples",
    "no-pairs",
    "no-spread",
    "planned",
    "repeated",
    "uneven",
    "unlike",
]


@dataclass(frozen=True)
class Note:
    """A note.

    Attributes:
        key: What it is about.
        text: The note itself, a line.
    """

    key: Key
    text: str

    def __str__(self) -> str:
        return self.text
