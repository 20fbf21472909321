from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from barkhausen.cli.app import main
from barkhausen.core.config import flat
from barkhausen.core.errors import InputError
from barkhausen.experiment.logs import mlflow as mlflow_log
from barkhausen.experiment.logs.mlflow import Mlflow, final_figures
from barkhausen.experiment.recipe import Recipe, recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.training import Training

SMALL = {
    "dataset": {"name": "digits"}, "network": {"hidden": [16]}, "epochs": 3, "states": 3, "threads": 1,
    "transfer": {"chips": 2},
}  # fmt: skip


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One database for all tests of this file: making its tables takes a second or two."""
    pytest.importorskip("mlflow", reason="MLflow is not installed (extra mlflow)")
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'runs' / 'mlflow.db'}"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in mlflow_log.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    yield


def recipe(**changes: Any) -> Recipe:
    return recipe_from(SMALL | changes, "test")


def client(database: str) -> Any:
    from mlflow import MlflowClient  # noqa: PLC0415

    return MlflowClient(tracking_uri=database)


def lines(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]


def held(directory: Path) -> str:
    return str(json.loads((directory / "mlflow.json").read_text())["run_id"])


def steps(database: str, run_id: str, key: str = "seconds") -> list[int]:
    return [metric.step for metric in client(database).get_metric_history(run_id, key)]


@pytest.mark.usefixtures("one_thread")
def test_parameters_metrics_figures_and_files_are_in_mlflow(database: str, tmp_path: Path) -> None:
    warned: list[str] = []
    where = Mlflow(database, "whole runs", tags={"address": "abc"}, warn=warned.append)
    summary = Run(recipe(), tmp_path / "run", logs=(where,)).execute()
    assert warned == []
    mlflow = client(database)
    run = mlflow.get_run(held(tmp_path / "run"))
    assert mlflow.get_experiment(run.info.experiment_id).name == "whole runs"
    assert (run.info.status, run.info.run_name) == ("FINISHED", "run")
    assert run.data.tags["barkhausen.version"] == summary["software"]["barkhausen"]
    assert run.data.tags["address"] == "abc"
    expected = {key: str(value) for key, value in flat(recipe().model_dump(exclude_none=True)).items()}
    assert run.data.params == expected
    assert expected["device.preset"] == "nonvolatile"
    metrics = lines(tmp_path / "run")
    for key, values in {
        "train_loss": [line["train_loss"] for line in metrics],
        "rates/1": [line["rates"][1] for line in metrics],
        "events_by_layer/linear1": [line["events_by_layer"]["linear1"] for line in metrics],
    }.items():
        history = mlflow.get_metric_history(run.info.run_id, key)
        assert [(point.step, point.value) for point in history] == list(enumerate(values, start=1))
    assert run.data.metrics["final/test_accuracy"] == summary["test_accuracy"]
    assert run.data.metrics["final/energy/per_inference_joule"] == summary["energy"]["per_inference_joule"]
    assert run.data.metrics["final/unseen_chips/mean"] == summary["unseen_chips"]["mean"]
    files = {file.path for file in mlflow.list_artifacts(run.info.run_id)}
    assert files == {"recipe.toml", "device.nc", "metrics.jsonl", "summary.json"}
    # Beside the database, wherever the command is given.
    kept = Path(database.removeprefix("sqlite:///")).parent / "mlflow-artifacts" / run.info.run_id
    assert (kept / "artifacts" / "summary.json").read_bytes() == (tmp_path / "run" / "summary.json").read_bytes()
    assert (tmp_path / "run" / "tensorboard").is_dir()

    ended = run.info.end_time
    assert Run(recipe(), tmp_path / "run", logs=(where,)).execute() == summary
    again = mlflow.get_run(run.info.run_id)
    assert (again.info.end_time, steps(database, run.info.run_id)) == (ended, [1, 2, 3])
    assert len(mlflow.search_runs([run.info.experiment_id])) == 1


@pytest.mark.usefixtures("one_thread")
def test_interrupted_run_goes_on_in_the_same_mlflow_run(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = Mlflow(database, "interrupted")
    epoch = Training.run_epoch

    def interrupted(training: Training, *arguments: Any) -> dict[str, float]:
        if training.epoch == 2:
            raise KeyboardInterrupt
        return epoch(training, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "run_epoch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Run(recipe(), tmp_path / "run", logs=(where,)).execute()
    run_id = held(tmp_path / "run")
    assert client(database).get_run(run_id).info.status == "KILLED"
    assert steps(database, run_id) == [1, 2]
    Run(recipe(), tmp_path / "run", logs=(where,)).execute()
    assert held(tmp_path / "run") == run_id
    assert client(database).get_run(run_id).info.status == "FINISHED"
    for key in ("seconds", "train_loss", "test_accuracy"):
        assert steps(database, run_id, key) == [1, 2, 3]
    assert steps(database, run_id, "final/test_accuracy") == [3]

    Run(recipe(), tmp_path / "run", logs=(where,), overwrite=True).execute()
    assert held(tmp_path / "run") != run_id


@pytest.mark.usefixtures("one_thread")
def test_failing_server_costs_a_line_and_what_it_missed_is_sent_later(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Run(recipe(), tmp_path / "plain").execute()
    from mlflow import MlflowClient  # noqa: PLC0415

    warned: list[str] = []
    where = Mlflow(database, "failing", warn=warned.append)
    send, calls = MlflowClient.log_batch, 0

    def failing(self: Any, *arguments: Any, **values: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls in (2, 3):  # the first two epochs; parameters come before them
            raise ConnectionError("server is down\nand more of it")
        return send(self, *arguments, **values)

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_batch", failing)
        summary = Run(recipe(), tmp_path / "run", logs=(where,)).execute()
    assert [line for line in warned if "server is down" in line] == warned
    assert len(warned) == 1
    assert "and more" not in warned[0]
    assert summary["test_accuracy"] == plain["test_accuracy"]
    assert steps(database, held(tmp_path / "run")) == [1, 2, 3]

    # Nobody listens on this port; afterwards the same run is wanted in a database.
    warned.clear()
    Run(recipe(), tmp_path / "plain", logs=(Mlflow("http://me:secret@127.0.0.1:9", warn=warned.append),)).execute()
    assert len(warned) == 2
    assert "give the same command again to send the rest" in warned[1]
    assert "secret" not in "".join(warned)
    assert not (tmp_path / "plain" / "mlflow.json").exists()
    Run(recipe(), tmp_path / "plain", logs=(where,)).execute()
    assert steps(database, held(tmp_path / "plain")) == [1, 2, 3]


def test_wrong_mlflow_options_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"MLflow's URI 'runs/mlflow': must name a server"):
        Mlflow("runs/mlflow")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"MLflow is not installed: pip install 'barkhausen\[mlflow\]'"):
        Mlflow("sqlite:///mlflow.db")


def test_command_line_wants_a_uri_before_an_experiment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(
        "sys.argv", ["barkhausen", "train", "recipe.toml", "--out", str(tmp_path), "--mlflow-experiment", "trial"]
    )
    with pytest.raises(SystemExit, match="2"):
        main()
    assert capsys.readouterr().err == "barkhausen: --mlflow-experiment needs --mlflow URI\n"


def test_final_figures_are_the_single_numbers_of_a_summary() -> None:
    summary = {
        "schema": 1, "mode": "in-situ", "test_accuracy": 0.5, "validation_accuracy": None,
        "chips": {"mean": 0.5, "values": [0.5]}, "recipe": {"seed": 3}, "programming": {"attempts": 7, "by_state": {}},
    }  # fmt: skip
    assert final_figures(summary) == {
        "final/test_accuracy": 0.5,
        "final/chips/mean": 0.5,
        "final/programming/attempts": 7,
    }
