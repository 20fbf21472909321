"""One self-contained page about the uncertainty of networks.

All numbers on the page are those of ``barkhausen uncertainty``; the words around them are in
``uncertainty.html.jinja``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.report.render import render
from barkhausen.report.uncertainty.figures import uncertainty_panels


def write_uncertainty_report(summary: Mapping[str, Any], out: str | Path) -> None:
    """Write the page.

    Args:
        summary: Summary of :meth:`.RunUncertainty.summary`.
        out: File of the page.

    Raises:
        InputError: The summary is of something else, or ``out`` cannot be written.
    """
    missing = [key for key in ("dataset", "measured_on", "networks") if not summary.get(key)]
    if missing:
        raise InputError(f"the summary of uncertainty lacks {', '.join(missing)}; it is of another version")
    networks = summary["networks"]
    first = next(iter(networks.values()))
    page = render(
        "uncertainty/uncertainty.html.jinja",
        s=summary,
        first=first,
        panels=uncertainty_panels(networks),
    )
    atomic_write(Path(out), page)
