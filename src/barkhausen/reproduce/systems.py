"""The registry of systems that can be reproduced: one file of settings each, published figures beside ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from barkhausen.core.files.recipes import PAPER_RECIPES
from barkhausen.core.registry import Registry
from barkhausen.report.panels import Panel
from barkhausen.results.published import PAPERS, Figure, Paper, figures_of

FOLDER = PAPER_RECIPES
"""Folder of the sweep files of the package's own systems: ``recipes/papers``."""

Summaries = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Reading:
    """A quantity of ours beside the published one.

    Attributes:
        kind: What our runs are: label of their row.
        quantity: What is compared, in words.
        ours: Our figure with its spread, as text.
        published: The published figure as text; empty where there is none.
        verdict: What the comparison says: ``"reached"``, ``"not reached"``, or why neither can be said.
    """

    kind: str
    quantity: str
    ours: str
    published: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class Measured:
    """Results of one task of a system's sweep.

    Attributes:
        settings: What the task has on top of the base of the sweep, by dotted key.
        shown: Mode, states, seed, data set and device.
        row: Columns of results.
        chips: Accuracy on each chip.
        directory: Directory of the task's own files.
    """

    settings: Mapping[str, Any]
    shown: Mapping[str, Any]
    row: Mapping[str, Any]
    chips: tuple[float, ...] = ()
    directory: Path | None = None

    def plain(self) -> dict[str, Any]:
        """All but the directory, as JSON."""
        return {
            "settings": dict(self.settings), "shown": dict(self.shown), "row": dict(self.row), "chips": list(self.chips)
        }  # fmt: skip


@dataclass(frozen=True)
class Conclusion:
    """What the results of a system's sweep come to.

    Attributes:
        table: Rows of its table, all with the same keys.
        readings: Comparisons with the paper.
        panels: Sections of its page.
        spread: What stands behind brackets and ± in the comparisons, in a sentence.
    """

    table: Sequence[Mapping[str, Any]]
    readings: Sequence[Reading]
    panels: Sequence[Panel]
    spread: str


@dataclass(frozen=True)
class System:
    """A published system.

    Attributes:
        name: Name on the command line, and of its paper in the table of published figures.
        title: What it is, in a line.
        status: ``"reproduction of"`` where the paper's own parameters are known, else ``"after"``.
        sweep: Sweep file.
        assumptions: What the paper does not say and we chose, a line each.
        quick: Settings of the sweep file for a short look.
        stand_in: Data set to take where the paper's can be neither found nor downloaded; None for none.
        labels: Function from a summary to the name of its kind, for a first column of the tables. Default: no such
            column.
        readings: Comparisons of our runs with the paper beyond the columns of the table, from summaries that have the
            lines of all epochs too (``metrics``).
        published_as: Name of its paper in the table of published figures. Default: that of the system.
        core_minutes: Time of a full run on one core in minutes, as measured; None where it was not.
        results: Page of the documentation that quotes figures of a full run; empty where none has been made.
        statement: What the paper says in words, where it gives no number.
        conclude: Function from the results of all tasks to table, comparisons and page, for a sweep of another job than
            ``train``. Default: results are those of runs.
        panels: Figures for the page about the runs, from the same.
    """

    name: str
    title: str
    status: Literal["reproduction of", "after"]
    sweep: Path
    assumptions: tuple[str, ...]
    quick: Mapping[str, Any] = field(default_factory=dict)
    stand_in: str | None = None
    labels: Callable[[Mapping[str, Any]], str] | None = None
    readings: Callable[[Summaries], list[Reading]] = lambda summaries: []
    published_as: str = ""
    core_minutes: float | None = None
    results: str = ""
    statement: str = ""
    conclude: Callable[[Sequence[Measured]], Conclusion] | None = None
    panels: Callable[[Summaries], list[Panel]] = lambda summaries: []

    @property
    def paper(self) -> Paper | None:
        """Its paper."""
        return PAPERS.get(self.published_as or self.name)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """What was published of it."""
        return figures_of(self.published_as or self.name)


SYSTEMS: Registry[System] = Registry("system", "reproduce NAME")
"""Systems, in the order of the list."""

DEFAULT = "misba-2021"
"""What is reproduced where no system is named."""
