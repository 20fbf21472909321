"""``barkhausen cmos``: a recipe and a finished run, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from conftest import Command

pytestmark = pytest.mark.usefixtures("one_thread")

COMMAND = "cmos"
SMALL = {"dataset": {"name": "digits"}, "network": {"hidden": [16]}, "epochs": 1, "transfer": {"chips": 1}}


def test_a_recipe_and_its_run_are_compared(command: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    summary = Run(recipe_from({**SMALL, "threads": 1}, "test"), run).execute()
    recipe = '[dataset]\nname = "digits"\n[network]\nhidden = [16]\n'
    (tmp_path / "recipe.toml").write_text(recipe)
    varied = '[recipe.dataset]\nname = "digits"\n[search]\nkind = "grid"\n[search.over]\nseed = [0, 1]\n'
    (tmp_path / "sweep.toml").write_text(varied)
    found = {}
    for source in (tmp_path / "recipe.toml", tmp_path / "sweep.toml", run):
        out = tmp_path / "found.json"
        more = ["--recipe-set", "network.hidden=[16]"] if source.stem == "sweep" else []
        code, text, error = command(source, "--node", "22", "--out", out, *more)
        assert code == 0, error
        assert "SRAM cells, 3 a weight" in text
        found[source.name] = json.loads(out.read_text())
    untrained, trained = found["recipe.toml"], found["run"]
    assert found["sweep.toml"]["ratios"] == untrained["ratios"]
    assert untrained["multiply_adds"] == trained["multiply_adds"] == 64 * 16 + 16 * 10
    assert untrained["machines"][0]["area"] == trained["machines"][0]["area"]
    assert untrained["assumed"] != trained["assumed"]
    assert trained["writes"] == summary["programming"]["training_events"] / summary["steps"]
    assert trained["node"] == 22e-9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mnist-float"], "has no devices"),
        (["mnist-in-situ", "--node", "9"], "node = '9': must be one of 45, 32, 22, 7"),
        (["nsl-kdd-autoencoder"], "its sizes are not known without its files"),
        (["mnist-in-situ", "--mean-square", "2"], "must be above 0 and at most 1"),
    ],
)
def test_refused(command: Command, arguments: list[str], message: str) -> None:
    code, _, error = command(*arguments)
    assert code == 2
    assert message in error
    assert error.count("\n") == 1
