"""The systems in a table: paper, expected time, and whether a full run has been made."""

from __future__ import annotations

from pathlib import Path

from barkhausen.reproduce.systems import SYSTEMS, System
from barkhausen.results.table import NO_VALUE

HEADINGS = ("system", "paper", "one core", "full run", "what it is")

LEGEND = (
    "one core: expected time of a full run, where one has been timed. full run: where its figures are quoted, and "
    "where one lies here."
)
"""What two of the columns mean."""


def listing(root: Path) -> list[tuple[str, ...]]:
    """A row for each system.

    Args:
        root: Directory in which runs lie under the names of their systems.
    """
    return [
        (
            system.name,
            NO_VALUE if system.paper is None else f"{system.status} {system.paper.short}",
            expected(system.core_minutes),
            _run(system, root),
            system.title,
        )
        for system in SYSTEMS.values()
    ]


def expected(minutes: float | None) -> str:
    """Time as text, in the unit that suits it."""
    if minutes is None:
        return NO_VALUE
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def _run(system: System, root: Path) -> str:
    """Where figures of a full run are quoted, and where one lies, a line each."""
    place = root / system.name
    found = [system.results, str(place) if (place / "table.csv").is_file() else ""]
    return "\n".join(filter(None, found)) or NO_VALUE
