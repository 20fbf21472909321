"""A whole sweep: plan, claim the directory, run what is not finished, keep the tables up to date."""

from __future__ import annotations

import contextlib
import functools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from distributed import Client

from barkhausen.core.errors import InputError, shortened
from barkhausen.core.progress import Progress, display_of
from barkhausen.core.user_code import allowed_code
from barkhausen.experiment.jobs import JOBS
from barkhausen.results.columns import FAILED, FINISHED
from barkhausen.sweep.cluster import cores, external_cluster, local_cluster
from barkhausen.sweep.execute import Call, Executor
from barkhausen.sweep.optuna_search import Asking, Row
from barkhausen.sweep.plan import Planner, Task, check_data
from barkhausen.sweep.points import Point, check_number, ends, points, repeated
from barkhausen.sweep.store import Store
from barkhausen.sweep.sweep_file import Search, Sweep
from barkhausen.sweep.tables import tasks_of_table, write_tables
from barkhausen.sweep.task import Outcome, run_task

MOST_WORKERS = 8
EVERY = 60.0
"""Interval in s between updates of the tables of a running sweep."""

FAILURES_LOGGED = 20
Log = Callable[[str], None]


@dataclass(frozen=True)
class Counts:
    """Numbers of finished, failed and planned tasks."""

    finished: int
    failed: int
    planned: int


def run_sweep(
    sweep: Sweep,
    directory: Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    data_dir: Path | None = None,
    dashboard: bool = False,
    progress: Progress | bool | None = None,
    log: Log = lambda line: None,
) -> Counts:
    """Run a sweep or its missing tasks, and write its tables.

    Failed tasks are tried again, and the same call resumes an interrupted sweep.

    Args:
        sweep: Sweep from :func:`.load_sweep`.
        directory: Directory of the sweep, on a file system that all workers share.
        workers: Number of processes on this machine. Default: as many as there are cores for, at most eight.
        scheduler: Address of a dask scheduler (``tcp://…``) whose workers are used instead.
        data_dir: Root of the data sets, which workers read too.
        dashboard: Whether dask's own pages are served.
        progress: Progress display.
        log: Function that receives messages, a line each.

    Raises:
        InputError: A key, value, data set or device file is wrong (nothing has been started then), or the directory
            or the scheduler cannot be used.
    """
    # Workers may have another working directory.
    directory = directory.absolute()
    data_dir = None if data_dir is None else data_dir.absolute()
    threads = sweep.file.threads
    count = max(1, min(MOST_WORKERS, cores() // threads)) if workers is None else workers

    def open_cluster() -> AbstractContextManager[Client]:
        if scheduler is not None:
            return external_cluster(scheduler, log)
        return local_cluster(count, threads, dashboard=dashboard)

    return Sweeping(
        sweep,
        directory,
        data_dir,
        open_cluster=open_cluster,
        progress=display_of(progress),
        log=log,
        # What is allowed here is allowed to the workers of this sweep.
        call=functools.partial(run_task, allow_code=allowed_code()),
    ).run()


class Sweeping:
    """One sweep in progress.

    Args:
        sweep, directory, data_dir, progress, log: As in :func:`run_sweep`.
        open_cluster: Function that gives the client. It is not called if no task is left to run.
        call: Function that runs a task on a worker.
    """

    def __init__(
        self,
        sweep: Sweep,
        directory: Path,
        data_dir: Path | None,
        *,
        open_cluster: Callable[[], AbstractContextManager[Client]],
        progress: Progress,
        log: Log,
        call: Call = run_task,
    ) -> None:
        self.sweep, self.directory, self.data_dir, self.call = sweep, directory, data_dir, call
        self.open_cluster, self.progress, self.log = open_cluster, progress, log
        self.store, self.planner = Store(directory), Planner(sweep)
        self.plan: list[Task] = []
        self.rows: Counter[str] = Counter()
        self.outcomes: dict[str, Outcome] = {}
        self.failures_logged = 0
        self.started = self.written = time.monotonic()

    def run(self) -> Counts:
        """Run it."""
        search = self.sweep.file.search
        check_number(search)
        asking = None
        if search.kind == "optuna":
            asking = Asking(search, JOBS.named(self.sweep.file.task).numbers)
            # What will be asked for is not known yet; that any of it can be right, is checked all the same.
            check_data([self.planner.task(point) for point in ends(search)], self.data_dir)
        else:
            # All of it, before anything starts: the last of ten thousand recipes may be the wrong one, and a
            # recipe takes well below a millisecond.
            self._add([self.planner.task(point) for point in points(search)])
            check_data(self.plan, self.data_dir)
        with self.store.claimed(self.sweep.to_toml()):
            if asking is None:
                self._read_outcomes(self.plan)
                counts = self.counts()
                self.log(f"{len(self.plan)} tasks planned, {counts.finished} of them finished before")
                others = tasks_of_table(self.directory) - {task.key for task in self.plan}
                if others:
                    self.log(f"{len(others)} tasks here were planned with other code or settings; they are not used")
            try:
                self._execute(asking)
            finally:
                self._write()
        return self.counts()

    def counts(self) -> Counts:
        """Of the rows of the table."""
        status = [self.outcomes.get(task.key, {}).get("status") for task in self.plan]
        finished, failed = status.count(FINISHED), status.count(FAILED)
        return Counts(finished, failed, len(status) - finished - failed)

    def _execute(self, asking: Asking | None) -> None:
        total = len(self.plan) if asking is None else self._samples()
        with contextlib.ExitStack() as stack:
            executor: Executor | None = None
            advance = stack.enter_context(self.progress.task(self._title(), total, done=self._rows_done(self.plan)))
            while True:
                batch = self.plan
                trials = [] if asking is None else asking.generation()
                if asking is not None:
                    if not trials:
                        return
                    points_of = [self._tasks_of(asking.search, point) for _, point in trials]
                    batch = [task for tasks in points_of for task in tasks]
                    self._read_outcomes(batch)
                    self._add(batch)
                    advance(self._rows_done(batch))
                if any(not self._is_done(task.key) for task in batch):
                    if executor is None:
                        client = stack.enter_context(self.open_cluster())
                        on_end = self._on_end(advance)
                        executor = Executor(
                            client,
                            self.directory,
                            self.data_dir,
                            call=self.call,
                            on_end=on_end,
                            meanwhile=self._meanwhile,
                        )
                    executor.run(batch, self._is_done)
                if asking is None:
                    return
                for (trial, _), tasks in zip(trials, points_of, strict=True):
                    asking.tell(trial, [self._result(task) for task in tasks])

    def _tasks_of(self, search: Search, point: Point) -> list[Task]:
        """All repetitions of a point that was asked for; none where its values do not go together."""
        try:
            return [self.planner.task(settings) for settings in repeated(search, point)]
        except InputError as error:
            self.log(f"left out: {error}")
            return []

    def _on_end(self, advance: Callable[[int], None]) -> Callable[[Task, Outcome], None]:
        def ended(task: Task, outcome: Outcome) -> None:
            self.outcomes[task.key] = outcome
            advance(self.rows[task.key])
            if outcome["status"] == FAILED:
                self.failures_logged += 1
                if self.failures_logged <= FAILURES_LOGGED:
                    self.log(f"failed: {task.key} {_in_words(task)}: {outcome['error']}")
                elif self.failures_logged == FAILURES_LOGGED + 1:
                    self.log("more tasks failed; table.parquet and failure.json have them all")

        return ended

    def _meanwhile(self) -> None:
        if time.monotonic() - self.written < EVERY:
            return
        self._write()
        counts = self.counts()
        minutes = (time.monotonic() - self.started) / 60
        self.log(f"{minutes:.0f} min: {counts.finished} finished, {counts.failed} failed, {counts.planned} to come")

    def _write(self) -> None:
        write_tables(self.directory, self.sweep.file.task, self.sweep.file.search, self.plan, self.outcomes)
        self.written = time.monotonic()

    def _add(self, tasks: Sequence[Task]) -> None:
        self.plan += tasks
        self.rows.update(task.key for task in tasks)

    def _read_outcomes(self, tasks: Sequence[Task]) -> None:
        """What earlier calls left of these tasks, and of the trainings that they need."""
        for key in dict.fromkeys(_keys(tasks)):
            found = self.store.result(key) or self.store.failure(key)
            if found is not None:
                self.outcomes[key] = found

    def _is_done(self, key: str) -> bool:
        return self.outcomes.get(key, {}).get("status") == FINISHED

    def _rows_done(self, tasks: Sequence[Task]) -> int:
        return sum(self._is_done(task.key) for task in tasks)

    def _result(self, task: Task) -> Row | None:
        row: Row | None = self.outcomes.get(task.key, {}).get("row")
        return row

    def _samples(self) -> int:
        search = self.sweep.file.search
        return search.samples * sum(1 for _ in repeated(search, {}))

    def _title(self) -> str:
        return shortened(self.sweep.file.name) or f"{self.sweep.file.task} {self.sweep.file.search.kind}"


def _keys(tasks: Sequence[Task]) -> Iterator[str]:
    for task in tasks:
        if task.needs is not None:
            yield task.needs.key
        yield task.key


def _in_words(task: Task) -> str:
    return ", ".join(f"{key} = {value}" for key, value in task.settings.items())
