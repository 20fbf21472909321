"""Sections of pages: a figure or a table alone, with the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from barkhausen.report.plots import Spec


@dataclass(frozen=True)
class Panel:
    """A section of the page: what it shows, one or more plots, and their data as a table.

    Attributes:
        title: Heading.
        text: What is shown and how it was measured.
        plots: Plots with a label each; none for a table alone.
        head: Names of the columns of the table.
        rows: Cells of the table, the first of each row its name.
    """

    title: str
    text: str
    plots: Sequence[tuple[str, Spec]]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
