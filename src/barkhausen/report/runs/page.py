"""One self-contained page about finished runs: tables, plots, and what they show, in plain words.

Every number on the page is computed from the run directories; the words around it are in
``runs/runs.html.jinja``. The page loads nothing, so it can be kept, mailed and read years later.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.report.render import render
from barkhausen.report.runs import figures
from barkhausen.report.runs.groups import Kind, kinds_of, pairs_of
from barkhausen.results import published
from barkhausen.results.finished import load_run, weight_statistics

MODES = ("in-situ", "ex-situ", "float")

SMALL_DROP, COLLAPSE = 0.01, 0.05
"""Drops of accuracy that the page calls small (below the first) and a collapse (above the second)."""


def write_report(runs: Sequence[Path], out: Path) -> None:
    """Write one page about finished runs.

    Args:
        runs: their directories, in any order; one named twice counts once.
        out: the page; nothing beside it is needed to read it.

    Raises:
        InputError: there are no runs; one is not finished, damaged or of another version; ``out`` cannot be
            written.
    """
    if not runs:
        raise InputError("no runs to report on: name the directory of at least one finished run")
    finished = [load_run(path) for path in {path.resolve(): path for path in runs}.values()]
    finished.sort(
        key=lambda run: (MODES.index(run.summary["mode"]), -(run.summary["states"] or 0), run.summary["seed"])
    )
    kinds = kinds_of(finished)
    page = render(
        "runs/runs.html.jinja",
        runs=finished,
        kinds=kinds,
        pairs=pairs_of(kinds),
        plots=figures,
        weight_statistics=weight_statistics,
        published=published,
        zip=zip,
        assumptions=_assumptions(kinds),
        small_drop=SMALL_DROP,
        collapse=COLLAPSE,
    )
    atomic_write(out, page)


def _assumptions(kinds: Sequence[Kind]) -> dict[tuple[str, ...], list[str]]:
    """Every assumption once, under the labels of the kinds that rest on it."""
    holders: dict[str, list[str]] = {}
    for kind in kinds:
        for line in dict.fromkeys(line for run in kind.runs for line in run.summary["assumed"]):
            holders.setdefault(line, []).append(kind.label)
    groups: dict[tuple[str, ...], list[str]] = {}
    for line, labels in holders.items():
        groups.setdefault(tuple(labels), []).append(line)
    return groups
