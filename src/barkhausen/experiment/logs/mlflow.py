"""Runs in MLflow: parameters, metrics, final figures and files, on a server or in a database file.

MLflow is brought up to date with the run's directory: whatever it lacks (the server was down, the run was interrupted,
MLflow was asked for only afterwards) is sent with the next epoch, or when the same command is given again, and nothing
is sent twice. A failure never stops the training.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from barkhausen.core.config import flat
from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.experiment.logs.base import numbers
from barkhausen.experiment.recipe import Recipe
from barkhausen.version import __version__

if TYPE_CHECKING:
    from mlflow import MlflowClient

SCHEMES = ("http", "https", "sqlite", "postgresql", "mysql", "mssql", "databricks")
"""What a tracking URI may begin with; MLflow no longer keeps runs in plain directories."""
EXPERIMENT = "barkhausen"
HELD = "mlflow.json"
"""The file in the run's directory that says which MLflow run it is."""
ENVIRONMENT = {
    # Users did not ask for a report to the developers of MLflow.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # By default, training waits minutes at every call to a server that is down.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
"""Settings of MLflow for this process; what the environment already sets stays."""
AT_ONCE = 1000
"""Metrics that MLflow takes in one call."""
LONGEST = 6000
"""Characters of a parameter that MLflow takes."""


def _warn(line: str) -> None:
    warnings.warn(line, stacklevel=2)


@dataclass(frozen=True)
class Mlflow:
    """An MLflow server or database that runs are logged to.

    Args:
        uri: Address of a server (``http://…``) or of a database (``sqlite:///runs/mlflow.db``).
        experiment: Name under which MLflow groups the runs; made if there is none.
        tags: Further tags of the runs.
        warn: Function that is given one line when MLflow cannot be reached.

    Raises:
        InputError: MLflow is not installed, or the URI is none of a server or database.
    """

    uri: str
    experiment: str = EXPERIMENT
    tags: Mapping[str, str] = field(default_factory=dict)
    warn: Callable[[str], None] = _warn
    takes_finished_runs = True

    def __post_init__(self) -> None:
        scheme = self.uri.partition(":")[0].partition("+")[0]
        if scheme not in SCHEMES:
            raise InputError(
                f"MLflow's URI {self.uri!r}: must name a server (http://…) or a database (sqlite:///runs/mlflow.db)"
            )
        if not self.experiment.strip():
            raise InputError("the MLflow experiment needs a name")
        if importlib.util.find_spec("mlflow") is None:
            raise InputError("MLflow is not installed: pip install 'barkhausen[mlflow]'")

    def open(self, recipe: Recipe, directory: Path, metrics: list[dict[str, Any]]) -> MlflowLog:
        """Begin the MLflow run of a run, or continue the one that its directory names."""
        return MlflowLog(self, recipe, directory, metrics)


class MlflowLog:
    """The MLflow run of one run.

    Args:
        where: Server or database, and experiment.
        recipe: Recipe of the run.
        directory: Directory of the run; ``mlflow.json`` there keeps the identifier of the MLflow run.
        metrics: Lines of epochs that may be missing in MLflow.
    """

    def __init__(self, where: Mlflow, recipe: Recipe, directory: Path, metrics: list[dict[str, Any]]) -> None:
        self.where, self.recipe, self.directory = where, recipe, directory
        self.pending = list(metrics)
        self.summary: dict[str, Any] | None = None
        self.client: MlflowClient | None = None
        self.run_id = ""
        self.failing = False
        self.complete = False

    def __enter__(self) -> MlflowLog:
        self._send()
        return self

    def add(self, epoch: int, line: dict[str, Any]) -> None:
        """Send the numbers of one epoch, and whatever could not be sent before."""
        self.pending.append(line)
        self._send()

    def finish(self, summary: dict[str, Any]) -> None:
        """Send the final figures and the files, and mark the MLflow run as finished."""
        self.summary = summary
        if not self._send():
            self.where.warn(f"MLflow lacks a part of {self.directory}: give the same command again to send the rest")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            status = "KILLED" if issubclass(kind, KeyboardInterrupt) else "FAILED"
            self._tried(lambda: self._end(status))

    def _send(self) -> bool:
        """Send what is not there yet; whether all of it arrived."""
        return self._tried(self._send_all)

    def _tried(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except Exception as error:
            # No failure of a log may cost hours of training.
            if not self.failing:
                self.where.warn(f"MLflow, {_named(self.where.uri)}: {_first_line(error)}; training continues")
            self.failing = True
            return False
        self.failing = False
        return True

    def _send_all(self) -> None:
        client = self._opened()
        if self.complete:
            return
        while self.pending:
            line = self.pending[0]
            self._log_numbers(client, dict(numbers(line)), line["epoch"])
            del self.pending[0]
        if self.summary is not None:
            there = client.get_run(self.run_id).data.metrics
            figures = {key: value for key, value in final_figures(self.summary).items() if key not in there}
            self._log_numbers(client, figures, self.recipe.epochs)
            self._upload(client, "recipe.toml", "device.nc", "metrics.jsonl", "summary.json")
            # Last, so that a run marked as finished is complete.
            client.set_terminated(self.run_id, "FINISHED")
            self.summary = None

    def _opened(self) -> MlflowClient:
        """The client. On first use the MLflow run is begun or found, and what it holds is not sent again."""
        if self.client is not None:
            return self.client
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient  # noqa: PLC0415 (takes seconds, and need not be installed)

        client = MlflowClient(tracking_uri=self.where.uri)
        self.run_id = self._found(client) or self._begun(client)
        if not self.complete:
            self._log_parameters(client)
            self._upload(client, "recipe.toml", "device.nc")
            there = {metric.step for metric in client.get_metric_history(self.run_id, "seconds")}
            self.pending = [line for line in self.pending if line["epoch"] not in there]
        self.client = client
        return client

    def _found(self, client: MlflowClient) -> str | None:
        """The MLflow run that the directory names, if this MLflow has it; marked as running unless it is complete."""
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            held = json.loads((self.directory / HELD).read_text(encoding="utf-8"))
            run_id = str(held["run_id"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        try:
            run = client.get_run(run_id)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        if run.info.lifecycle_stage != "active":
            return None
        self.complete = run.info.status == "FINISHED"
        if not self.complete:
            client.update_run(run_id, status="RUNNING")
        return run_id

    def _begun(self, client: MlflowClient) -> str:
        tags = {"barkhausen.version": __version__, **self.where.tags}
        made = client.create_run(self._experiment(client), tags=tags, run_name=self.directory.resolve().name)
        run_id: str = made.info.run_id
        held = {"run_id": run_id, "uri": _named(self.where.uri), "experiment": self.where.experiment}
        atomic_write(self.directory / HELD, json.dumps(held) + "\n")
        return run_id

    def _experiment(self, client: MlflowClient) -> str:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        name = self.where.experiment
        held = client.get_experiment_by_name(name)
        if held is None:
            try:
                made: str = client.create_experiment(name, artifact_location=_files_beside(self.where.uri))
                return made
            except MlflowException:
                # Another run of a sweep has made it meanwhile.
                held = client.get_experiment_by_name(name)
                if held is None:
                    raise
        identifier: str = held.experiment_id
        return identifier

    def _log_parameters(self, client: MlflowClient) -> None:
        from mlflow.entities import Param  # noqa: PLC0415

        values = flat(self.recipe.model_dump(exclude_none=True))
        client.log_batch(self.run_id, params=[Param(key, str(value)[:LONGEST]) for key, value in values.items()])

    def _log_numbers(self, client: MlflowClient, values: dict[str, float], step: int) -> None:
        from mlflow.entities import Metric  # noqa: PLC0415

        now = int(1000 * time.time())
        metrics = [Metric(key, float(value), now, step) for key, value in values.items()]
        # Last, the one that marks the step as complete.
        metrics.sort(key=lambda metric: metric.key == "seconds")
        for start in range(0, len(metrics), AT_ONCE):
            client.log_batch(self.run_id, metrics=metrics[start : start + AT_ONCE])

    def _upload(self, client: MlflowClient, *names: str) -> None:
        for name in names:
            if (self.directory / name).exists():
                client.log_artifact(self.run_id, str(self.directory / name))

    def _end(self, status: str) -> None:
        if self.client is not None:
            self.client.set_terminated(self.run_id, status)


def final_figures(summary: dict[str, Any]) -> dict[str, float]:
    """The single numbers of a summary, by name: ``final/test_accuracy``, ``final/energy/per_inference_joule``, …

    Counts by layer and by state, and what the parameters say already, are left to ``summary.json``.
    """
    figures: dict[str, float] = {}
    for key, value in summary.items():
        if key in ("recipe", "schema", "states", "seed", "epochs", "software", "device"):
            continue
        for name, number in value.items() if isinstance(value, dict) else [("", value)]:
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                figures[f"final/{key}/{name}" if name else f"final/{key}"] = number
    return figures


def _files_beside(uri: str) -> str | None:
    """Where the files of runs in an SQLite database are kept: beside it, not in the current directory."""
    if not uri.startswith("sqlite:///"):
        return None
    database = Path(uri.removeprefix("sqlite:///").partition("?")[0]).resolve()
    return (database.parent / f"{database.stem}-artifacts").as_uri()


def _named(uri: str) -> str:
    """The URI, or a text that holds it, without user and password."""
    return re.sub(r"(?<=://)[^/\s]*@", "", uri)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = _named(lines[0]) if lines else type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]}…"
