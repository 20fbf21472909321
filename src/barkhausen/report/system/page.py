"""One self-contained page about a published system: published figures beside ours, figures with their data, and what
was chosen.

The numbers come from the entry of the system; the words around them are in ``system.html.jinja``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from barkhausen.core.files import atomic_write
from barkhausen.report.plots import Spec
from barkhausen.report.render import render
from barkhausen.report.runs.page import Beside


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


def write_system_page(
    out: Path, beside: Beside, panels: Sequence[Panel], *, spread: str, notes: Sequence[str] = ()
) -> None:
    """Write the page.

    Args:
        out: File of the page.
        beside: The system, its paper, and ours beside the published figures.
        panels: Sections with figures and tables.
        spread: What stands behind ± and brackets in the table of published figures.
        notes: Notes of the sweep, such as that this is a quick look.
    """
    page = render("system/system.html.jinja", beside=beside, panels=panels, spread=spread, notes=notes)
    atomic_write(out, page)
