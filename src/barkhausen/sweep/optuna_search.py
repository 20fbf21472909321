"""Searches that learn from results: Optuna gives a generation of points and receives its results when all are done.

Generations have a fixed size, so the points do not depend on the number of workers or on which task ends first. Nothing
is stored: a resumed search repeats all steps from the start and finds its finished tasks by their keys.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.sweep.points import Point
from barkhausen.sweep.sweep_file import Range, Search

Row = Mapping[str, Any]


class Asking:
    """A search by Optuna.

    Args:
        search: Search of kind ``optuna``.
        columns: Columns of results that are numbers.

    Raises:
        InputError: Optuna is not installed, or an objective is not among the columns.
    """

    def __init__(self, search: Search, columns: Sequence[str]) -> None:
        try:
            import optuna  # noqa: PLC0415  # an extra
        except ImportError:
            raise InputError("search.kind = 'optuna' needs Optuna: pip install 'barkhausen[optuna]'") from None
        for column in (*search.maximise, *search.minimise):
            if column not in columns:
                raise InputError(f"objective '{column}' is not a column of results{did_you_mean(column, columns)}")
        self.search, self.optuna = search, optuna
        self.asked = 0
        direction = optuna.study.StudyDirection
        directions = [direction.MAXIMIZE] * len(search.maximise) + [direction.MINIMIZE] * len(search.minimise)
        with self._quiet():
            self.study = optuna.create_study(directions=directions, sampler=self._sampler(len(directions)))

    def generation(self) -> list[tuple[Any, Point]]:
        """The next points, each with what :meth:`tell` wants back; none when all samples have been asked for."""
        with self._quiet():
            trials = [self.study.ask() for _ in range(min(self.search.batch, self.search.samples - self.asked))]
            self.asked += len(trials)
            return [(trial, {k: self._suggested(trial, k) for k in self.search.over}) for trial in trials]

    def tell(self, trial: Any, rows: Sequence[Row | None]) -> None:
        """The rows of all repetitions of a point; the objectives are their means.

        A failed one fails the point, and so does a point that has none.
        """
        means = [self._mean(rows, column) for column in (*self.search.maximise, *self.search.minimise)]
        known = [mean for mean in means if mean is not None]
        with self._quiet():
            if len(known) == len(means):
                self.study.tell(trial, known)
            else:
                self.study.tell(trial, state=self.optuna.trial.TrialState.FAIL)

    def _mean(self, rows: Sequence[Row | None], column: str) -> float | None:
        values = [None if row is None else row.get(column) for row in rows]
        if not values or any(value is None or not math.isfinite(value) for value in values):
            return None
        return math.fsum(value for value in values if value is not None) / len(values)

    def _sampler(self, objectives: int) -> Any:
        search, samplers = self.search, self.optuna.samplers
        name = search.sampler if search.sampler != "auto" else "tpe" if objectives == 1 else "nsga-ii"
        if name == "random":
            return samplers.RandomSampler(seed=search.seed)
        if name == "nsga-ii":
            return samplers.NSGAIISampler(population_size=max(search.batch, 2), seed=search.seed)
        # Points of one generation keep away from each other.
        return samplers.TPESampler(seed=search.seed, constant_liar=True)

    def _suggested(self, trial: Any, key: str) -> Any:
        axis = self.search.over[key]
        if not isinstance(axis, Range):
            # By number: Optuna wants categories that are single values.
            return axis[trial.suggest_categorical(key, list(range(len(axis))))]
        if axis.integer:
            return trial.suggest_int(key, int(axis.low), int(axis.high), log=axis.log)
        return trial.suggest_float(key, float(axis.low), float(axis.high), log=axis.log)

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        logging = self.optuna.logging
        before = logging.get_verbosity()
        logging.set_verbosity(logging.ERROR)
        try:
            yield
        finally:
            logging.set_verbosity(before)
