"""One self-contained page about a published system: published figures beside ours, figures with their data, and what
was chosen.

The numbers come from the entry of the system; the words around them are in ``system.html.jinja``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from barkhausen.core.files import atomic_write
from barkhausen.report.panels import Panel
from barkhausen.report.render import render
from barkhausen.report.runs.page import Beside

__all__ = ["Panel", "write_system_page"]


def write_system_page(
    out: str | Path, beside: Beside, panels: Sequence[Panel], *, spread: str, notes: Sequence[str] = ()
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
    atomic_write(Path(out), page)
