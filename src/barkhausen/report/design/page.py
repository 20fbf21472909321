"""The page about a design search: its designs, their confirmation, and what limits them.

All numbers on the page are those of ``design.json`` and ``candidates.csv``; the text around them is in
``design.html.jinja``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomli_w

from barkhausen.core.files import atomic_write
from barkhausen.device.domain_wall.design import PARTS, Candidate, Weights
from barkhausen.experiment.design.search import finished_front, finished_search, is_front
from barkhausen.experiment.design.verdict import best_finalist, verdict
from barkhausen.report.design import figures
from barkhausen.report.design.front.page import write_front_report
from barkhausen.report.render import render, sig
from barkhausen.results.table import NO_VALUE

UNITS = {
    "V": (1.0, "V"),
    "s": (1e9, "ns"),
    "m": (1e9, "nm"),
    "A/m2": (1e-11, "× 10¹¹ A/m²"),
    "J/m4": (1e-11, "× 10¹¹ J/m⁴"),
}
"""Factor and display unit of variables by SI unit."""

PAGE = "design.html"


def write_design_page(directory: str | Path) -> Path:
    """Write the page about a finished search into its directory, and return its path.

    Raises:
        InputError: The search is not finished, a file is damaged, or the page cannot be written.
    """
    directory = Path(directory)
    page = directory / PAGE
    if is_front(directory):
        write_front_report(*finished_front(directory), page)
    else:
        write_design_report(*finished_search(directory), page)
    return page


def write_design_report(result: dict[str, Any], candidates: Sequence[Candidate], path: str | Path) -> None:
    """Write one page about a search.

    Args:
        result: Content of ``design.json``.
        candidates: All evaluated candidates.
        path: File of the page.

    Raises:
        InputError: ``path`` cannot be written.
    """
    path = Path(path)
    recipe = result["recipe"]
    families = result["families"]
    weights = Weights(**recipe["search"]["weights"])
    own = [score["cost"] for score in result["around"]["own"]]
    page = render(
        "design/design.html.jinja",
        result=result,
        recipe=recipe,
        settings=recipe["search"],
        families=families,
        best=best_finalist(result),
        verdict=verdict(result),
        shown_designs=shown_designs(families),
        confirmed=[finalist for each in families for finalist in each["finalists"] if finalist["confirmed"]],
        evaluated=sum(each["candidates"] for each in families),
        plots=figures,
        parts=PARTS,
        weights=weights.model_dump(),
        length=recipe["device"]["track"]["length"],
        convergence=figures.convergence_plot(families),
        pareto=figures.pareto_plot(candidates, families),
        front=figures.pareto_front([c.score for c in candidates if c.family in {each["family"] for each in families}]),
        sensitivity=figures.sensitivity_plots(result["around"]["sweeps"], own),
        scenarios=figures.scenario_plot(result["around"]["scenarios"], weights),
        toml=tomli_w.dumps(result["best"]["parameters"]),
        shown=shown,
        nm=nanometre,
        fixed=fixed,
        fj=femtojoule,
    )
    atomic_write(path, page)


def shown_designs(families: Sequence[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """The best design of each family and all simulated designs, each named by its family and, from 2 on, its rank.

    Args:
        families: Families of ``design.json``.
    """
    return [
        (f"{entry['family']} ({rank + 1})" if rank else entry["family"], finalist)
        for entry in families
        for rank, finalist in enumerate(entry["finalists"])
        if rank == 0 or finalist["confirmed"]
    ]


def shown(value: float, unit: str, digits: int = 4) -> str:
    """A variable with its display unit."""
    scale, name = UNITS.get(unit, (1.0, unit))
    text = sig(abs(scale * value), digits)
    return f"{'−' if value < 0 else ''}{text}\N{NO-BREAK SPACE}{name}".rstrip("\N{NO-BREAK SPACE}")


def nanometre(value: float | None) -> str:
    """A length in nm, without the unit."""
    return NO_VALUE if value is None else f"{1e9 * value:.1f}"


def fixed(value: float | None, decimals: int = 3) -> str:
    """A plain number."""
    return NO_VALUE if value is None or not math.isfinite(value) else f"{value:.{decimals}f}"


def femtojoule(value: float) -> str:
    """An energy in fJ, without the unit."""
    return sig(1e15 * value, 3)
