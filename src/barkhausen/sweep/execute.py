"""Tasks on workers: a few more than there are workers at a time, each once, each after what it needs."""

from __future__ import annotations

import hashlib
import queue
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from distributed import Client, Future
from distributed.scheduler import KilledWorker

from barkhausen.core.errors import InputError
from barkhausen.results.columns import FAILED, FINISHED
from barkhausen.sweep.plan import Task
from barkhausen.sweep.store import Store
from barkhausen.sweep.task import REFUSED, Outcome

PER_WORKER = 3
"""Tasks submitted for each worker thread: one that runs, and two that wait, so that no worker waits for us."""

RETRIES = 2
"""Number of retries of a task whose failure may be temporary."""

LOOK = 2.0
"""Interval in s between checks of the number of workers."""

Call = Callable[[Path, Task, Path | None], Outcome]


class Executor:
    """Runs tasks on the workers of a client.

    Args:
        client: Client of dask.
        directory: Directory of the sweep.
        data_dir: Root of the data sets.
        call: Function that runs a task on a worker and returns its outcome.
        on_end: Function called with each finished or failed task and its outcome.
        meanwhile: Function called every few seconds.
    """

    def __init__(
        self,
        client: Client,
        directory: Path,
        data_dir: Path | None,
        *,
        call: Call,
        on_end: Callable[[Task, Outcome], None],
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self.client, self.directory, self.data_dir, self.call = client, directory, data_dir, call
        self.store = Store(directory)
        self.on_end, self.meanwhile = on_end, meanwhile
        # Sweeps may share a scheduler, and tasks; each writes in its own directory.
        self.suffix = hashlib.sha256(str(directory.resolve()).encode("utf-8")).hexdigest()[:8]
        self.most_in_flight = 0

    def run(self, tasks: Iterable[Task], done: Callable[[str], bool] = lambda key: False) -> None:
        """Run tasks until all are done or have failed.

        Args:
            tasks: Tasks in their order of start. A repeated task runs once.
            done: Function from a key to whether its task is already finished.
        """
        waiting, dependents = _ordered(tasks, done)
        flying: dict[Future[Outcome], Task] = {}
        try:
            self._run(waiting, dependents, flying)
        except OSError as error:
            raise InputError(f"the scheduler was lost ({error}); the same command resumes") from None
        finally:
            # Started tasks are not waited for; they resume from their last epoch next time.
            if flying and self.client.status == "running":
                self.client.cancel(list(flying))

    def _run(
        self, waiting: deque[Task], dependents: dict[str, list[Task]], flying: dict[Future[Outcome], Task]
    ) -> None:
        ended: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
        window, looked = 0, -LOOK
        while waiting or flying:
            if time.monotonic() - looked >= LOOK:
                looked = time.monotonic()
                window = max(PER_WORKER * sum(self.client.nthreads().values()), 1)
                self.meanwhile()
            while waiting and len(flying) < window:
                task = waiting.popleft()
                future = self._submit(task)
                flying[future] = task
                future.add_done_callback(ended.put)
            self.most_in_flight = max(self.most_in_flight, len(flying))
            try:
                future = ended.get(timeout=LOOK)
            except queue.Empty:
                self._check_scheduler()
                continue
            task = flying.pop(future)
            outcome = self._outcome(future, task)
            future.release()
            if outcome["status"] == REFUSED:
                # Every other task would be refused as well.
                raise InputError(outcome["error"])
            self.on_end(task, outcome)
            for dependent in dependents.pop(task.key, []):
                if outcome["status"] == FINISHED:
                    waiting.appendleft(dependent)
                else:
                    self.on_end(dependent, _without_need(task, outcome))

    def _submit(self, task: Task) -> Future[Outcome]:
        return self.client.submit(
            self.call,
            self.directory,
            task,
            self.data_dir,
            key=f"{task.kind}-{task.key}-{self.suffix}",
            pure=False,
            retries=RETRIES,
        )

    def _outcome(self, future: Future[Outcome], task: Task) -> Outcome:
        if future.status == "finished":
            outcome: Outcome = future.result()
            return outcome
        if future.status in ("cancelled", "lost"):
            raise InputError(f"the scheduler was lost, or cancelled task {task.key}; the same command resumes")
        error = future.exception()
        if isinstance(error, KilledWorker):
            line = "the worker died again and again under this task; out of memory?"
        else:
            line = str(error)
        known = self.store.failure(task.key)
        # Of a failure that was written down all is known; a worker that died wrote nothing.
        return known if known is not None and known.get("error") == line else _failed(line)

    def _check_scheduler(self) -> None:
        if self.client.status not in ("running", "connecting"):
            raise InputError("the scheduler was lost; the same command resumes")


def _ordered(tasks: Iterable[Task], done: Callable[[str], bool]) -> tuple[deque[Task], dict[str, list[Task]]]:
    """What can start, in order, and what has to wait for which of them."""
    waiting: dict[str, Task] = {}
    dependents: dict[str, dict[str, Task]] = {}
    for task in tasks:
        if done(task.key):
            continue
        need = task.needs
        if need is None or done(need.key):
            waiting.setdefault(task.key, task)
        else:
            waiting.setdefault(need.key, need)
            dependents.setdefault(need.key, {})[task.key] = task
    return deque(waiting.values()), {need: list(found.values()) for need, found in dependents.items()}


def _failed(line: str) -> Outcome:
    return {"status": FAILED, "error": line, "traceback": line, "seconds": 0.0}


def _without_need(need: Task, outcome: Outcome) -> Outcome:
    line = f"the {need.kind} task {need.key} that it needs failed: {outcome['error']}"
    return _failed(line) | {"traceback": outcome.get("traceback", line)}
