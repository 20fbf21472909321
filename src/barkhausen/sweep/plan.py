"""Planning of a sweep: tasks made from points, each with its resolved recipe checked and its key, before any runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from barkhausen.data import load_dataset
from barkhausen.experiment.jobs import JOBS, Order, Planning
from barkhausen.sweep.keys import canonical, code_version, key_of
from barkhausen.sweep.sweep_file import Sweep


@dataclass(frozen=True)
class Task:
    """One computation of a sweep.

    Attributes:
        kind: Name of the job.
        key: Digest of everything that determines the results.
        settings: Differences from the base of the sweep, by dotted key.
        values: Resolved values of the job, as JSON.
        device: SHA-256 of the device file; None without one.
        code: Version of the code at the time of planning.
        threads: Number of CPU threads.
        given: Values without defaults, if the job needs them, as JSON.
        shown: Columns of the table that follow from the settings.
        needs: Task that must be finished first; None without one.
        notes: Notes for the results, a line each. They are not part of the key.
    """

    kind: str
    key: str
    settings: Mapping[str, Any]
    values: str
    device: str | None
    code: str
    threads: int
    given: str = "{}"
    shown: Mapping[str, Any] = field(default_factory=dict)
    needs: Task | None = None
    notes: tuple[str, ...] = ()

    def resolved(self) -> dict[str, Any]:
        """The resolved values as nested tables."""
        values: dict[str, Any] = json.loads(self.values)
        return values

    def describe(self) -> dict[str, Any]:
        """Content of ``task.json``."""
        return {
            "kind": self.kind,
            "key": self.key,
            "settings": dict(self.settings),
            "values": self.resolved(),
            "device_sha256": self.device,
            "code_version": self.code,
            "needs": None if self.needs is None else self.needs.key,
        }

    def order(self, root: Path, directory: Path, needed: Path | None, data_dir: Path | None) -> Order:
        """The task as a worker receives it; arguments as in :class:`.Order`."""
        return Order(
            values=self.resolved(),
            given=json.loads(self.given),
            device=self.device,
            threads=self.threads,
            directory=directory,
            root=root,
            needed=needed,
            data_dir=data_dir,
            notes=self.notes,
        )


class Planner:
    """Planner of the tasks of one sweep. Files that several tasks share (device files, chips, trainings) are read once.

    Args:
        sweep: Sweep to plan.
    """

    def __init__(self, sweep: Sweep) -> None:
        self.sweep, self.code = sweep, code_version()
        self.planning = Planning(sweep.base, sweep.chip, sweep.origin, sweep.file.threads)
        self._needed: dict[tuple[str, str], Task] = {}

    def task(self, settings: Mapping[str, Any]) -> Task:
        """Task with the given settings.

        Args:
            settings: Differences from the base of the sweep, by dotted key.

        Raises:
            InputError: A key is unknown, a value is wrong, or a device file cannot be used.
        """
        return self._task(self.sweep.file.task, {**self.sweep.file.set, **settings}, settings)

    def _task(self, kind: str, everything: Mapping[str, Any], settings: Mapping[str, Any]) -> Task:
        planned = JOBS.named(kind).plan(self.planning, everything)
        needs = None
        if planned.needs is not None:
            name = (planned.needs[0], canonical(planned.needs[1]))
            if name not in self._needed:
                self._needed[name] = self._task(planned.needs[0], planned.needs[1], planned.needs[1])
            needs = self._needed[name]
        return Task(
            kind=kind,
            key=key_of(kind, planned.decides, planned.device, self.code, None if needs is None else needs.key),
            settings=settings,
            values=canonical(planned.values),
            device=planned.device,
            code=self.code,
            threads=planned.threads,
            given=canonical(planned.given),
            shown=planned.shown,
            needs=needs,
            notes=self.sweep.notes,
        )


def check_data(tasks: Iterable[Task], data_dir: Path | None) -> None:
    """Read (or download) each data set once, before the workers read it.

    Raises:
        InputError: A data set is unknown or not available, or has too few samples for the validation set.
    """
    seen: set[tuple[str, int, str]] = set()
    for task in tasks:
        for name, samples, options in JOBS.named(task.kind).datasets(task.resolved()):
            key = (name, samples, repr(options))
            if key not in seen:
                seen.add(key)
                dataset = load_dataset(name, data_dir, options=options)
                if samples:
                    dataset.with_validation(samples)
