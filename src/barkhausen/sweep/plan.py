"""From points to tasks: every recipe resolved and checked, every task with its key, before anything runs."""

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
    """One computation.

    Attributes:
        kind: Name of its job.
        key: Digest of all that decides its numbers.
        settings: What it differs in from the base of the sweep, by dotted key.
        values: Resolved values of its job, as JSON.
        device: SHA-256 of the device file that it uses.
        code: Version of the code that it was planned with.
        threads: CPU threads that it takes.
        given: Values without defaults, where its job needs them, as JSON.
        shown: Columns of the table that follow from the settings.
        needs: Task that has to be finished before.
        notes: Lines that its results are to carry; they are no part of the key.
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
        """The content of its ``task.json``."""
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
        """The task for the worker; arguments as of :class:`.Order`."""
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
    """Makes tasks out of settings. What many tasks have in common (device files, chips, trainings) is read once.

    Args:
        sweep: Sweep that the settings belong to.
    """

    def __init__(self, sweep: Sweep) -> None:
        self.sweep, self.code = sweep, code_version()
        self.planning = Planning(sweep.base, sweep.chip, sweep.origin, sweep.file.threads)
        self._needed: dict[tuple[str, str], Task] = {}

    def task(self, settings: Mapping[str, Any]) -> Task:
        """The task of these settings.

        Raises:
            InputError: A key or value is unknown or wrong, or a device file cannot be used.
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
    """Read (or download) every data set once, here and not in every worker at a time.

    Raises:
        InputError: One is unknown or not to be had, or has too few samples to set so many aside.
    """
    seen: set[tuple[str, int]] = set()
    for task in tasks:
        for name, samples in JOBS.named(task.kind).datasets(task.resolved()):
            if (name, samples) not in seen:
                seen.add((name, samples))
                dataset = load_dataset(name, data_dir)
                if samples:
                    dataset.with_validation(samples)
