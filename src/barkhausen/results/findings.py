"""What a reader of a summary must know of the rows that it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from barkhausen.results.columns import FAILED, FINISHED, PLANNED, seed_column
from barkhausen.results.notes import Note


def counted(frame: pd.DataFrame) -> list[Note]:
    """Notes on tasks that failed or are not finished."""
    status = frame["status"].value_counts()
    failed, planned = int(status.get(FAILED, 0)), int(status.get(PLANNED, 0))
    lines = []
    if failed:
        # Not every failure has left a message.
        errors = frame.loc[frame["status"] == FAILED, "error"].dropna() if "error" in frame.columns else pd.Series()
        most = f", most often: {errors.value_counts().index[0]}" if len(errors) else ""
        lines.append(Note("failed", f"{failed} of {len(frame)} tasks failed and are left out{most}"))
    if planned:
        lines.append(Note("planned", f"{planned} of {len(frame)} tasks are planned but not finished"))
    return lines


def unlike(parts: Sequence[tuple[Any, pd.DataFrame]], keys: Sequence[str], others: Sequence[str]) -> list[Note]:
    """A note where groups hold tasks that differ in more than their seed.

    Args:
        parts: Rows of each group.
        keys: Keys of the groups.
        others: Further keys in which tasks differ, without the seed.
    """
    done = [part[part["status"] == FINISHED] for _, part in parts]
    mixed = [key for key in others if any(part[key].nunique(dropna=False) > 1 for part in done)]
    if not mixed:
        return []
    named = ", ".join(mixed)
    text = f"the tasks of a group differ in {named} too: means, spreads and intervals mix these settings with the seeds"
    return [Note("unlike", f"{text}; part them with --group {' --group '.join([*keys, *mixed])}")]


class Findings:
    """What turned up on the way that a reader must know."""

    def __init__(self) -> None:
        self.averaged = self.uneven = False
        self.clipped: list[str] = []

    def count_rows(self, rows: pd.DataFrame, value: str, seeds: int) -> None:
        """Whether some of these rows share a seed, and as many share each."""
        finite = rows[rows[value].notna()]
        if seeds < len(finite):
            self.averaged = True
            self.uneven |= bool(finite[seed_column(rows)].value_counts(dropna=False).nunique() > 1)

    def notes(self, keys: Sequence[str]) -> list[Note]:
        """What a reader must know of it."""
        notes = []
        if self.averaged:
            text = f"rows of one seed that agree in {', '.join(keys) or 'no key'} are averaged before anything else, "
            notes.append(Note("averaged", text + "so that n counts seeds"))
        if self.uneven:
            text = "not every seed has the same number of these rows: what is averaged differs between seeds"
            notes.append(Note("uneven", text))
        if self.clipped:
            names = ", ".join(dict.fromkeys(self.clipped))
            text = (
                f"{len(self.clipped)} of the variances between seeds ({names}) were estimated below zero and are set "
            )
            notes.append(Note("clipped", text + "to zero: chips alone make seeds differ more than they do"))
        return notes
