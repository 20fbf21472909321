"""Finished runs, read from their directories and checked for a report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AliasChoices, ConfigDict, Field

from barkhausen.core.config import Real, validated
from barkhausen.core.errors import InputError
from barkhausen.core.files import read_json, read_json_lines
from barkhausen.experiment.energy import LearningAccount
from barkhausen.experiment.score import Score, held_out, score_of, score_on
from barkhausen.experiment.summary_file import Amount, Summary, Table, read_summary
from barkhausen.experiment.work.rows import device_name
from barkhausen.learning.rules import RULES
from barkhausen.learning.rules.registry import PULSES
from barkhausen.results.display.description import describe_run
from barkhausen.results.display.plots import plot_run
from barkhausen.results.file_names import SWEEP, TABLE
from barkhausen.results.table import result_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Epoch(Table):
    """One line of ``metrics.jsonl``."""

    model_config = ConfigDict(strict=True, allow_inf_nan=True)

    epoch: int
    train_loss: float
    """Not a number where training diverged: that is a result, not damage."""
    held_out: Real | None = Field(None, validation_alias=AliasChoices("test_accuracy", "validation_accuracy"))
    """Accuracy or other score; None where the test set was used after the last epoch alone."""
    events_by_layer: dict[str, Amount] = Field(default={})


_Weight = Annotated[float, Field(ge=-1e6, le=1e6)]
_Number = Annotated[int, Field(ge=0, le=2**53)]


class Histograms(Table):
    """Device weights of one chip, ``[state][bin]``, at two moments that ``meaning`` names."""

    range: Annotated[list[_Weight], Field(min_length=2, max_length=2)]
    levels: Annotated[list[_Weight], Field(min_length=1)]
    before: list[list[_Number]]
    after: list[list[_Number]]
    meaning: Annotated[list[str], Field(min_length=2, max_length=2)]


@dataclass(frozen=True)
class FinishedRun:
    """Checked contents of the directory of a finished run."""

    name: str
    summary: dict[str, Any]
    epochs: list[Epoch]
    histograms: Histograms | None

    def plot(self, axes: Axes | Sequence[Axes] | None = None, *, kind: str = "learning") -> list[Axes]:
        """Draw the run (:func:`~barkhausen.results.display.plots.plot_run`).

        Args:
            axes: Axes to draw on. Default: those of a new figure.
            kind: ``learning``: loss and accuracy after each epoch; ``energy``: programming energy by cause.
        """
        return plot_run(self, axes, kind=kind)

    def __repr__(self) -> str:
        return describe_run(self).text()

    def _repr_html_(self) -> str:
        return describe_run(self).html()

    @property
    def score(self) -> Score:
        """What the run is judged by."""
        return score_of(self.summary)

    @property
    def held_out(self) -> float:
        """Value of the score on the samples that were not trained on."""
        return held_out(self.summary)

    @property
    def train(self) -> float:
        """Value of the score on training samples."""
        value = score_on(self.summary, "train")
        assert value is not None
        return value

    @property
    def accuracy(self) -> float:
        """The same of a run that is judged by its accuracy."""
        return held_out(self.summary)

    @property
    def device_name(self) -> str:
        """The device file's name, that of the preset, or where the device comes from."""
        return device_name(self.summary)

    def events_by_epoch(self) -> dict[str, list[float]]:
        """Programming events of each layer: initial programming first, then what each epoch added."""
        layers = self.summary["programming"]["by_layer"]
        initial = {name: layer["initial_events"] for name, layer in layers.items()}
        totals = [initial, *(epoch.events_by_layer for epoch in self.epochs)]
        return {name: [initial[name], *(b[name] - a[name] for a, b in pairwise(totals))] for name in initial}


def load_run(directory: str | Path) -> FinishedRun:
    """Read and check the directory of a finished run.

    Raises:
        InputError: The run is not finished, a file is missing or damaged, or it is of another version.
    """
    directory = Path(directory)
    home, path = directory.resolve(), directory / "summary.json"
    # The directory of a task of a sweep is named by its key, and the run in it is not.
    name = home.parent.name if (home.parent / "task.json").is_file() else home.name
    if not path.exists():
        raise InputError(f"{directory}: is {_other_than_a_run(directory)}")
    summary, checked = read_summary(path)
    try:
        result_table([summary])
        if summary.get("account"):
            LearningAccount.from_summary(summary["account"])
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise InputError(f"{path}: is damaged ({type(error).__name__}: {error})") from None
    epochs = _read_metrics(
        directory / "metrics.jsonl", checked, score_of(summary), stopped=bool(summary.get("stopping"))
    )
    if checked.states is None:
        return FinishedRun(name, summary, epochs, None)
    path = directory / "histograms.json"
    histograms = validated(Histograms, read_json(path), str(path))
    panels = (histograms.before, histograms.after)
    sizes = {len(counts) for panel in panels for counts in panel}
    rule = RULES.find(checked.mode)
    states = {len(histograms.levels), *map(len, panels)}
    if rule is None or rule.devices != PULSES:
        # Devices moved by pulses have no states: their histograms are of intervals of the weight.
        states |= {len(checked.programming.by_state), checked.states}
    if len(states) != 1 or len(sizes) != 1 or 0 in sizes:
        raise InputError(f"{path}: is damaged (not two histograms of {checked.states} states)")
    return FinishedRun(name, summary, epochs, histograms)


def _other_than_a_run(directory: Path) -> str:
    """What a directory without a summary is, and what serves instead."""
    if (directory / SWEEP).exists() or (directory / TABLE).exists():
        return (
            f"the directory of a sweep, not of a run: `barkhausen table {directory}` shows its results, and "
            f"`barkhausen sweep` wrote the page about it, {directory / 'report.html'}"
        )
    if (directory / "recipe.toml").exists():
        return "not a finished run (no summary.json); the same `barkhausen train` resumes it"
    return "not a finished run (no summary.json)"


def _read_metrics(path: Path, summary: Summary, score: Score, *, stopped: bool) -> list[Epoch]:
    parts = {f"{part}_{score.name}": f"{part}_accuracy" for part in ("test", "validation")}
    lines = [{parts.get(key, key): value for key, value in line.items()} for line in read_json_lines(path)]
    epochs = [validated(Epoch, line, f"{path} line {number}") for number, line in enumerate(lines, 1)]
    # Only rules that program devices while they train have events to write down.
    layers = [set(epoch.events_by_layer) for epoch in epochs]
    if any(layers) and any(names != set(summary.programming.by_layer) for names in layers):
        raise InputError(f"{path}: is damaged (its layers are not those of summary.json)")
    # Which epoch is the last one of a run that stops early, is not known before the next; its score is in the summary.
    if epochs and epochs[-1].held_out is None and not stopped:
        raise InputError(f"{path}: is damaged (no {score.label} after the last epoch)")
    if any(value is not None and not score.possible(value) for value in (epoch.held_out for epoch in epochs)):
        raise InputError(f"{path}: is damaged (an impossible {score.label})")
    if len(epochs) != summary.epochs:
        raise InputError(f"{path}: is damaged ({len(epochs)} epochs, {summary.epochs} in summary.json)")
    return epochs


def weight_statistics(data: Histograms, panel: list[list[int]]) -> list[dict[str, float]]:
    """Number, mean and standard deviation of the weights of each state, and their mean square error."""
    low, high = data.range
    width = (high - low) / len(panel[0])
    rows = []
    for level, counts in zip(data.levels, panel, strict=True):
        weights = [(low + (place + 0.5) * width, count) for place, count in enumerate(counts) if count]
        number = sum(count for _, count in weights) or math.nan
        mean = sum(weight * count for weight, count in weights) / number
        variance = sum((weight - mean) ** 2 * count for weight, count in weights) / number
        error = sum((weight - level) ** 2 * count for weight, count in weights) / number
        rows.append({"level": level, "number": sum(counts), "mean": mean, "std": math.sqrt(variance), "error": error})
    return rows


def relative_error(data: Histograms) -> float:
    """Root mean square error of the weights after, relative to the root mean square of their levels."""
    rows = [row for row in weight_statistics(data, data.after) if row["number"]]
    levels = sum(row["level"] ** 2 * row["number"] for row in rows)
    return math.sqrt(sum(row["error"] * row["number"] for row in rows) / levels) if levels else math.inf
