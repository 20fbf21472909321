"""One self-contained page about finished runs: tables, plots, and what they show, in plain words.

Every number on the page is computed from the run directories; the words around it are in
``runs/runs.html.jinja``. The page loads nothing (unless plotly.js is linked), so it can be kept, mailed and read years
later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.core.registry import load_extensions
from barkhausen.experiment.jobs import JOBS
from barkhausen.learning.rules import RULES
from barkhausen.report.panels import Panel
from barkhausen.report.read_stochastic import of_runs as _registers  # noqa: F401
from barkhausen.report.render import render
from barkhausen.report.runs import figures
from barkhausen.report.runs.groups import Kind, kinds_of, pairs_of
from barkhausen.report.runs.neurons import neuron_panels
from barkhausen.report.runs.of_rules import RULE_PANELS
from barkhausen.report.runs.trade_off import trade_off_plot
from barkhausen.report.runs.whole_energy import whole_energies
from barkhausen.report.uncertainty.figures import uncertainty_panels
from barkhausen.results.finished import FinishedRun, load_run, weight_statistics
from barkhausen.results.published import FIGURES, Figure, Paper, network_of, published
from barkhausen.results.readings import READINGS
from barkhausen.results.table import score_of_all

SMALL_DROP, COLLAPSE = 0.01, 0.05
"""Drops of accuracy that the page calls small (below the first) and a collapse (above the second)."""


@dataclass(frozen=True)
class Beside:
    """What a page about runs of a published system says of it.

    Attributes:
        name: Name of the system.
        title: What it is, in a line.
        status: ``"reproduction of"`` or ``"after"``.
        paper: Its paper, if there is one.
        figures: Its published figures.
        readings: Rows of ours beside the published: kind of run, quantity, ours, published, verdict.
        assumptions: What the paper does not say and was chosen.
        link: Page about the sweep, beside this one.
        panels: Figures that the system adds.
        labels: Function from the summary of a run to the name of its kind. Default: mode, states, and what differs.
    """

    name: str
    title: str
    status: str
    paper: Paper | None
    figures: Sequence[Figure]
    readings: Sequence[tuple[str, ...]]
    assumptions: Sequence[str]
    link: str
    panels: Sequence[Panel] = ()
    labels: Callable[[dict[str, Any]], str] | None = None


def write_report(
    runs: Sequence[str | Path],
    out: str | Path,
    *,
    names: Mapping[Path, str] | None = None,
    beside: Beside | None = None,
) -> None:
    """Write one page about finished runs.

    Args:
        runs: Their directories, in any order; one named twice counts once.
        out: The page; nothing beside it is needed to read it.
        names: Names of runs by directory. Default: the last part of the directory.
        beside: The published system that they are runs of, if any.

    Raises:
        InputError: There are no runs; one is not finished, damaged or of another version; ``out`` cannot be
            written.
    """
    directories = [Path(each) for each in runs]
    out = Path(out)
    if not directories:
        raise InputError("no runs to report on: name the directory of at least one finished run")
    finished = [
        replace(run, name=(names or {}).get(directory, run.name))
        for directory in {each.resolve(): each for each in directories}.values()
        for run in [load_run(directory)]
    ]
    finished.sort(key=lambda run: (place_of(run.summary["mode"]), -(run.summary["states"] or 0), run.summary["seed"]))
    known = FIGURES if beside is None else beside.figures
    kinds = kinds_of(finished, None if beside is None else beside.labels, known)
    score = score_of_all([run.summary for run in finished])
    page = render(
        "runs/runs.html.jinja",
        runs=finished,
        score=score,
        kinds=kinds,
        pairs=pairs_of(kinds),
        plots=figures,
        stopped=any("stopping" in run.summary for run in finished),
        curves=figures.learning_plots(kinds),
        cut=figures.cut_at(finished),
        trade_off=trade_off_plot(kinds),
        whole=whole_energies(kinds),
        neurons=neuron_panels(kinds),
        readings=READINGS,
        weight_statistics=weight_statistics,
        beside=beside,
        of_rules=[] if beside is not None and beside.panels else _of_rules(kinds),
        uncertainty=_uncertainty(kinds),
        papers=_papers(kinds, known),
        causes={cause: _cause_label(finished, cause) for kind in kinds for cause in kind.causes},
        zip=zip,
        with_ending=lambda words, ending: [word + ending for word in words],
        assumptions=_assumptions(kinds),
        small_drop=SMALL_DROP,
        collapse=COLLAPSE,
    )
    atomic_write(out, page)


def _uncertainty(kinds: Sequence[Kind]) -> list[Panel]:
    """Sections about the uncertainty of the first run of each kind that measured it."""
    first = {kind.label: run for kind in kinds for run in kind.runs[::-1] if "uncertainty" in run.summary}
    if not first:
        return []
    seeds = ", ".join(dict.fromkeys(str(run.summary["seed"]) for run in first.values()))
    about = f"The first run of each kind that measured it (seed {seeds})."
    return uncertainty_panels({label: run.summary["uncertainty"] for label, run in first.items()}, about)


def _of_rules(kinds: Sequence[Kind]) -> list[Panel]:
    """Sections that learning rules add about their runs."""
    found = []
    for mode, panels in RULE_PANELS.items():
        own = [kind for kind in kinds if kind.row["mode"] == mode]
        found += panels(own) if own else []
    return found


def _papers(kinds: Sequence[Kind], known: Sequence[Figure]) -> list[Paper]:
    """Papers whose figures stand on the page."""
    quantities = (kinds[0].score.name, "picojoule_per_inference")
    found = [
        published(name, kind.row["dataset"], kind.row["mode"], network_of(kind.summary["recipe"]), known)
        for kind in kinds
        for name in quantities
    ]
    return list(dict.fromkeys(figure.paper for figure in found if figure is not None))


def _cause_label(runs: Sequence[FinishedRun], cause: str) -> str:
    """Label of a cause of energy, as the runs name it."""
    for run in runs:
        label = run.summary["energy"].get("labels", {}).get(cause)
        if label is not None:
            return str(label)
    return JOBS["train"].cause_labels.get(cause, cause.replace("_", " "))


def place_of(mode: str) -> int:
    """Place of a learning rule among the rows of tables."""
    load_extensions()
    order = list(RULES)
    return order.index(mode) if mode in order else len(order)


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
