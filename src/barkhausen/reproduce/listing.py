"""The systems in a table: paper, status, expected time, and whether a full run has been made."""

from __future__ import annotations

from pathlib import Path

from barkhausen.reproduce.systems import SYSTEMS, System
from barkhausen.results.table import NO_VALUE

HEADINGS = ("system", "status", "paper", "expected, one core", "full run", "what it is")


def listing(root: Path) -> list[tuple[str, ...]]:
    """A row for each system.

    Args:
        root: Directory in which runs lie under the names of their systems.
    """
    return [
        (
            system.name,
            system.status,
            NO_VALUE if system.paper is None else system.paper.citation,
            expected(system.core_minutes),
            _run(system, root),
            system.title,
        )
        for system in SYSTEMS.values()
    ]


def expected(minutes: float | None) -> str:
    """Time as text, in the unit that suits it."""
    if minutes is None:
        return "not measured"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def _run(system: System, root: Path) -> str:
    """Where figures of a full run are quoted, and where one lies."""
    quoted = f"quoted in {system.results}" if system.results else "none yet"
    place = root / system.name
    if (place / "table.csv").is_file():
        return f"{quoted}; here: {place}"
    return quoted
