"""Execution of one task on a worker: never twice at a time, never again once finished, and with all failures
recorded."""

from __future__ import annotations

import os
import socket
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from barkhausen.core.errors import BarkhausenError, InputError, OutcomeError
from barkhausen.core.user_code import code_allowed
from barkhausen.experiment.jobs import JOBS
from barkhausen.experiment.summary import software
from barkhausen.results.columns import FAILED, FINISHED
from barkhausen.sweep.keys import code_version
from barkhausen.sweep.plan import Task
from barkhausen.sweep.store import Store

REFUSED = "refused"
"""Status of a task that a worker with other code refuses."""
PATIENCE = 3600.0
"""Seconds to wait for another process that is at work on the same task."""

Outcome = dict[str, Any]
"""``status``, and ``row`` and ``chips`` or ``error`` and ``traceback``; ``seconds``, ``worker``, ``started``,
``attempts``."""


class TaskError(BarkhausenError):
    """A failure of a task that may be temporary; it has been recorded."""


def run_task(
    directory: Path,
    task: Task,
    data_dir: Path | None,
    patience: float = PATIENCE,
    *,
    allow_code: tuple[str, ...] = (),
) -> Outcome:
    """Run or resume a task, or return the stored outcome of a finished one.

    Args:
        directory: Directory of the sweep.
        task: Task to run.
        data_dir: Root of the data sets.
        patience: Time in s to wait for another process that runs the task.
        allow_code: Modules whose functions the recipe may name (:func:`.code_allowed`).

    Returns:
        Outcome, also of a permanent failure (wrong input, diverged training). A worker with other code refuses the task
        without starting or recording anything.

    Raises:
        TaskError: Any other failure.
    """
    here = code_version()
    if here != task.code:
        line = f"this worker has barkhausen {here}, the sweep was planned with {task.code}"
        return {"status": REFUSED, "error": line}
    with code_allowed(allow_code):
        return attempt(directory, task, lambda: _work(Store(directory), task, data_dir), patience)


def attempt(directory: Path, task: Task, work: Callable[[], Outcome], patience: float = PATIENCE) -> Outcome:
    """One attempt at a task: ``work`` gives row and chips. Arguments and errors are those of :func:`run_task`."""
    store = Store(directory)
    with store.locked(task.key, patience) as ours:
        done = store.result(task.key)
        if done is not None:
            return done
        worker = f"{socket.gethostname()}:{os.getpid()}"
        started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        about: Outcome = {"worker": worker, "started": started}
        if not ours:
            error = f"another process has been at work on this task for {patience:g} s"
            return {"status": FAILED, "error": error, "traceback": error, "seconds": 0.0, "attempts": 0, **about}
        about["attempts"] = store.begin(task.key, task.describe(), about | {"software": software()})
        begun = time.perf_counter()
        try:
            outcome = {"status": FINISHED, **work(), "seconds": time.perf_counter() - begun, **about}
            store.finish(task.key, outcome)
            return outcome
        except Exception as error:
            text = traceback.format_exc().replace(f"{directory}{os.sep}", "")
            outcome = {"status": FAILED, "error": last_line(text), "traceback": text}
            outcome |= {"seconds": time.perf_counter() - begun, **about}
            store.fail(task.key, outcome)
            if isinstance(error, InputError | OutcomeError):
                return outcome
            # The error itself may not survive the way to another process.
            raise TaskError(outcome["error"]) from None


def last_line(text: str) -> str:
    """What a traceback ends with."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "unknown error"


def _work(store: Store, task: Task, data_dir: Path | None) -> Outcome:
    job = JOBS.named(task.kind)
    needed = None if task.needs is None else store.work(task.needs.key)
    order = task.order(store.directory, store.work(task.key), needed, data_dir)
    job.check(order)
    done = job.work(order)
    return {"row": done.row, "chips": list(done.chips)}
