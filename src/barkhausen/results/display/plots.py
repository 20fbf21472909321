"""Figures of finished runs and of tables of sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from barkhausen.core.display.plot_style import BLUE, COLOURS, VERMILLION, legend_above, new_axes, new_panels, one_column
from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.experiment.jobs import Column
from barkhausen.experiment.score import measured_on
from barkhausen.experiment.summary import energy_of
from barkhausen.results.columns import job_of, key_column, seed_column, swept_keys, value_column
from barkhausen.results.headings import last_name
from barkhausen.results.summarise import default_values, summarise

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from barkhausen.results.finished import FinishedRun

MOST_CURVES = 7
"""Largest number of curves, one a colour."""

MOST_LETTERS = 30
"""Largest number of letters of a vertical title on one line."""


def plot_run(run: FinishedRun, axes: Axes | Sequence[Axes] | None = None, *, kind: str = "learning") -> list[Axes]:
    """Draw a finished run.

    Args:
        run: Finished run.
        axes: Axes to draw on. Default: those of a new figure one column wide.
        kind: ``learning``: training loss and held-out accuracy after each epoch, two panels; ``energy``: programming
            energy by cause.

    Returns:
        The axes.

    Raises:
        InputError: There is no such figure, or the run programmed no devices and has no energy.
    """
    if kind not in RUN_PLOTS:
        raise InputError(f"kind = {kind!r}: no such figure of a run{did_you_mean(kind, RUN_PLOTS)}")
    given = None if axes is None else list(axes) if isinstance(axes, Sequence | np.ndarray) else [axes]
    drawn: list[Axes] = RUN_PLOTS[kind](run, given)
    return drawn


def _plot_learning(run: FinishedRun, axes: list[Axes] | None) -> list[Axes]:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    epochs = [epoch.epoch for epoch in run.epochs]
    score = run.score
    measured = [(epoch.epoch, score.scale * epoch.held_out) for epoch in run.epochs if epoch.held_out is not None]
    with one_column():
        panels = axes or new_panels(2, height=2.9, share_x=True)
        if len(panels) != 2:
            raise InputError(f"axes: {len(panels)} are given for 2 panels")
        panels[0].plot(epochs, [epoch.train_loss for epoch in run.epochs], color=VERMILLION, marker="o")
        panels[0].set_ylabel("training loss")
        panels[1].plot([e for e, _ in measured], [value for _, value in measured], color=BLUE, marker="o")
        panels[1].set_ylabel(f"{measured_on(run.summary)} {score.title}")
        panels[1].set_xlabel("epoch")
        panels[1].xaxis.set_major_locator(MaxNLocator(integer=True))
        panels[0].figure.align_ylabels(panels)
    return panels


def _plot_energy(run: FinishedRun, axes: list[Axes] | None) -> list[Axes]:
    if run.summary["states"] is None:
        raise InputError(f"{run.name}: a {run.summary['mode']} run programs no devices and has no energy to draw")
    return [energy_of(run.summary).plot(None if axes is None else axes[0])]


RUN_PLOTS: dict[str, Any] = {"learning": _plot_learning, "energy": _plot_energy}
"""Figures of a run by name."""


def plot_table(
    frame: pd.DataFrame,
    value: str | None = None,
    x: str | None = None,
    by: str | None = None,
    axes: Axes | None = None,
    *,
    chips: pd.DataFrame | None = None,
) -> Axes:
    """Draw means with their intervals, from the long-format table of a sweep.

    Args:
        frame: Table of :func:`~barkhausen.results.load_table`, or some of its rows.
        value: Column of results. Default: the first that the job summarises, such as the accuracy.
        x: Column along the horizontal axis. Default: the swept key with most numbers.
        by: Column with a curve for each value. Default: the next swept key, if there is one besides the seed.
        axes: Axes to draw on. Default: those of a new figure one column wide.
        chips: Single chips of the tasks (:func:`~barkhausen.results.load_chips`), which make intervals narrower.

    Returns:
        The axes.

    Raises:
        InputError: There is no such column, nothing was swept, or there are too many curves.
    """
    names = default_values(frame)
    value = value_column(frame, value) if value is not None else next(iter(names), None)
    if value is None:
        raise InputError("value: name a column of the table; it has none that is drawn by default")
    x, by = _keys(frame, x, by)
    summary = summarise(frame, [value], [key for key in (x, by) if key is not None], chips=chips)
    column, rows = _column_of(frame, value), summary.frame
    curves = [(None, rows)] if by is None else list(rows.groupby(by, dropna=False, sort=False))
    if len(curves) > MOST_CURVES:
        raise InputError(f"by = {by!r}: {len(curves)} curves are more than {MOST_CURVES}; select rows first")
    numbers = pd.api.types.is_numeric_dtype(rows[x]) and not pd.api.types.is_bool_dtype(rows[x])
    places = {} if numbers else {label: place for place, label in enumerate(dict.fromkeys(rows[x].astype(str)))}
    with one_column():
        axes = new_axes(axes)
        for number, ((label, part), colour) in enumerate(zip(curves, COLOURS, strict=False)):
            shown = part.sort_values(x) if numbers else part
            across = shown[x].to_numpy(np.float64) if numbers else np.array([places[t] for t in shown[x].astype(str)])
            offset = 0.0 if numbers else 0.12 * (number - (len(curves) - 1) / 2)
            mean, low, high = (
                column.scale * shown[f"{value}_{name}"].to_numpy(np.float64) for name in ("mean", "low", "high")
            )
            errors = np.nan_to_num(np.abs(np.stack([mean - low, high - mean])))
            axes.errorbar(
                across + offset,
                mean,
                errors,
                color=colour,
                marker="o",
                linestyle="-" if numbers else "none",
                capsize=2,
                elinewidth=0.7,
                label=None if by is None else f"{_words(by)} {_label(label)}",
            )
        if not numbers:
            axes.set_xticks(range(len(places)), list(places))
        axes.set_xlabel(_words(x))
        # A long title has its unit on a line of its own: the figure is no higher than a column is wide.
        axes.set_ylabel(column.title if len(column.title) <= MOST_LETTERS else column.title.replace(" (", "\n("))
        if by is not None:
            legend_above(axes, min(len(curves), 3))
    return axes


def _keys(frame: pd.DataFrame, x: str | None, by: str | None) -> tuple[str, str | None]:
    """The columns of the axis and of the curves."""
    swept = [key for key in swept_keys(frame) if key != seed_column(frame)]
    if x is not None:
        x = key_column(frame, x)
    if by is not None:
        by = key_column(frame, by)
    free = [key for key in swept if key not in (x, by) and frame[key].nunique(dropna=False) > 1]
    if x is None:
        free.sort(key=lambda key: (not pd.api.types.is_numeric_dtype(frame[key]), -frame[key].nunique()))
        if not free:
            raise InputError("x: nothing besides the seed was swept; name the column of the horizontal axis")
        x = free.pop(0)
    if by is None and free:
        by = free[0]
    return x, by


def _column_of(frame: pd.DataFrame, value: str) -> Column:
    job = job_of(frame)
    return Column(value) if job is None else job.column(value)


def _words(key: str) -> str:
    return last_name(key).replace("_", " ").replace(".", " ")


def _label(value: object) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
