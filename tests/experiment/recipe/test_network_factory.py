"""Networks of the user's own, named by a recipe: trained, swept, put on chips; their code only where it is allowed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from barkhausen.core.errors import InputError, OutcomeError
from barkhausen.core.user_code import UserFunction, code_allowed
from barkhausen.experiment.chip.inference import infer_on_chip
from barkhausen.experiment.recipe import Recipe, load_recipe, recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.trained import load_trained
from barkhausen.learning import synapse_layers
from barkhausen.report.runs.page import write_report
from barkhausen.results.columns import FINISHED
from barkhausen.sweep.plan import Planner
from barkhausen.sweep.sweep_file import load_sweep
from barkhausen.sweep.task import run_task
from barkhausen.synapse.crossbar.chip import load_chip

pytestmark = pytest.mark.usefixtures("one_thread")

PARTS = """
from torch import nn

def norm(features):
    return nn.BatchNorm1d(features)
"""
NETWORK = """
import torch
from torch import nn

from own_parts import norm

class Shift(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.matrix = nn.Parameter(torch.eye(features))

    def forward(self, x):
        return x @ self.matrix

def make(shapes, width=12):
    return nn.Sequential(
        nn.Linear(shapes.features, width), norm(width), nn.ReLU(), Shift(width), nn.Linear(width, shapes.classes)
    )

def trained(shapes):
    layer = nn.Linear(shapes.features, shapes.classes)
    nn.init.constant_(layer.weight, 0.25)
    return nn.Sequential(layer)

def few_outputs(shapes):
    return nn.Linear(shapes.features, 3)

def other_inputs(shapes):
    return nn.Linear(7, shapes.classes)

def no_module(shapes):
    return 3

def pair(shapes):
    class Pair(nn.Linear):
        def forward(self, x):
            return super().forward(x), x
    return Pair(shapes.features, shapes.classes)

def raises(shapes):
    raise RuntimeError("no weights\\nfound")

number = 5
"""
RECIPE: dict[str, Any] = {
    "states": 3,
    "epochs": 2,
    "batch_size": 50,
    "threads": 1,
    "dataset": {"name": "digits"},
    "network": {"factory": "own_network:make", "options": {"width": 10}},
    "device": {"preset": "gaussian", "sigma": 0.1, "margin": 0.3},
    "transfer": {"chips": 1},
}


def forget() -> None:
    from barkhausen.core import user_code  # noqa: PLC0415  # its record of imports is of one process

    for name in ("own_network", "own_parts", "own_trap"):
        sys.modules.pop(name, None)
        user_code._imported.pop(name, None)


@pytest.fixture(scope="module", autouse=True)
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory with the user's modules, as the working directory."""
    where = tmp_path_factory.mktemp("own")
    (where / "own_network.py").write_text(NETWORK)
    (where / "own_parts.py").write_text(PARTS)
    (where / "own_trap.py").write_text("open('executed', 'w').close()\ndef make(shapes):\n    pass\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(where)
        patch.setattr(sys, "path", [*sys.path])
        forget()
        yield where
        forget()


def recipe(**network: Any) -> Recipe:
    return recipe_from({**RECIPE, "network": {**RECIPE["network"], **network}}, "test")


@pytest.fixture(scope="module")
def run(own: Path) -> Path:
    """A finished run of such a network."""
    with code_allowed(["own_network"]):
        Run(recipe(), own / "run").execute()
    return own / "run"


def test_the_network_is_trained_and_its_source_is_in_the_summary(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    assert summary["test_accuracy"] > 0.25  # chance is 0.1
    code = summary["network_code"]
    assert code["factory"] == "own_network:make"
    assert set(code["files"]) == {"own_network.py", "own_parts.py"}
    assert len(code["sha256"]) == 64
    assert summary["digital_weights"] == [
        {"name": "3.matrix", "class": "Shift", "shape": [10, 10], "reason": "not recognised"}
    ]
    assert f'factory_sha256 = "{code["sha256"]}"' in (run / "recipe.toml").read_text()
    assert "hidden" not in (run / "recipe.toml").read_text()


def test_the_trained_network_comes_back_for_chips_exports_and_pages(run: Path, tmp_path: Path) -> None:
    with code_allowed(["own_network"]):
        found = infer_on_chip(run, load_chip(None, ()))
        names = [name for name, _ in synapse_layers(load_trained(run).model)]
    assert found.ideal == json.loads((run / "summary.json").read_text())["test_accuracy"]
    assert names == ["0", "4"]
    # A page only reads results.
    write_report([run], tmp_path / "page.html")


def test_neither_a_recipe_nor_a_run_alone_has_code_executed(run: Path, own: Path) -> None:
    trap = recipe(factory="own_trap:make", options={})
    line = r"own_trap:make'.*: runs the code of a module.*add --allow-code own_trap"
    with pytest.raises(InputError, match=line) as caught:
        Run(trap, own / "trapped").execute()
    assert "\n" not in str(caught.value)
    # Another module that is allowed allows no further one, nor the one within it.
    with code_allowed(["own_network", "own_trap.inner", "own"]), pytest.raises(InputError, match=line):
        Run(trap, own / "trapped").execute()
    sweep = own / "sweep-of-traps.toml"
    sweep.write_text(
        'threads = 1\n[recipe.dataset]\nname = "digits"\n[recipe.network]\nfactory = "own_trap:make"\n'
        '[search]\nkind = "grid"\nover = { seed = [0] }\n'
    )
    with pytest.raises(InputError, match=line):
        Planner(load_sweep(sweep)).task({"seed": 0})
    assert not (own / "executed").exists()
    assert "own_trap" not in sys.modules
    for load in (load_trained, lambda path: infer_on_chip(path, load_chip(None, ()))):
        with pytest.raises(InputError, match="add --allow-code own_network"):
            load(run)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("own_network:few_outputs", r"must give \(2, 10\) for 2 samples of 64 features \(digits\), gives \(2, 3\)"),
        ("own_network:other_inputs", r"on 2 samples of 64 features: RuntimeError: mat1 and mat2"),
        ("own_network:no_module", r"must return a torch\.nn\.Module, returned int"),
        ("own_network:pair", r"must give \(2, 10\) .* gives tuple"),
        ("own_network:raises", r"RuntimeError: no weights \(.*own_network\.py line \d+\)"),
        ("own_network:mak", r"has no function 'mak'; did you mean 'make'"),
        ("own_network:number", r"has no function 'number'"),
        ("own_nowhere:make", r"no module 'own_nowhere' in the working directory or on PYTHONPATH"),
        ("own.no.where:make", r"no module 'own\.no\.where'"),
        ("_socket:socket", r"the module has no Python source file"),
    ],
)
def test_a_function_that_cannot_make_the_network_is_one_line(own: Path, place: str, line: str) -> None:
    with code_allowed([place.partition(":")[0]]), pytest.raises(InputError, match=line) as caught:
        Run(recipe(factory=place, options={}), own / "wrong").execute()
    assert "\n" not in str(caught.value)
    assert not (own / "wrong").exists()


def test_options_that_the_function_lacks_are_one_line(own: Path) -> None:
    with code_allowed(["own_network"]), pytest.raises(InputError, match=r"TypeError: .*unexpected keyword.*'depth'"):
        Run(recipe(options={"depth": 2}), own / "wrong").execute()


@pytest.mark.parametrize(
    ("network", "line"),
    [
        ({"factory": "own_network"}, r"network\.factory: 'own_network': must be 'module:function'"),
        ({"factory": "own network:make"}, "must be 'module:function'"),
        ({"factory": "own_network:make", "kind": "cnn"}, r"network: kind = 'cnn': with factory"),
        ({"factory": "own_network:make", "hidden": [3]}, r"hidden has no effect on the network of factory"),
        ({"kind": "factory"}, r"kind = 'factory' needs factory = 'module:function'"),
        ({"factory_sha256": "0" * 64}, r"factory_sha256 belongs to factory"),
        ({"start": "cold"}, r"network\.start = 'cold'"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(network: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=line):
        recipe_from({**RECIPE, "network": network}, "test")


def test_a_setting_replaces_the_network_of_a_recipe(own: Path) -> None:
    (own / "cnn.toml").write_text('[network]\nkind = "cnn"\nhidden = [3]\nchannels = [2]\nnormalisation = "none"\n')
    made = load_recipe(own / "cnn.toml", ["network.factory=own_network:make", "network.options.width=5"])
    assert made.model_dump()["network"] == {
        "kind": "factory",
        "factory": "own_network:make",
        "options": {"width": 5},
        "normalisation": "none",
        "keep_float": [],
    }


def test_weights_that_the_function_gives_are_kept_on_request(own: Path) -> None:
    with code_allowed(["own_network"]):
        base = recipe(factory="own_network:trained", options={}, start="weights").model_copy(update={"epochs": 1})
        slow = base.optimizer.model_copy(update={"rate": 1e-9, "latent_rate": 1e-9})
        Run(base.model_copy(update={"optimizer": slow}), own / "kept").execute()
        layer = next(iter(synapse_layers(load_trained(own / "kept").model)))[1]
    assert float(layer.weight.detach().mean()) == pytest.approx(0.25, abs=0.02)


def test_torch_s_own_generator_is_left_alone_and_weights_follow_the_seed(own: Path) -> None:
    from barkhausen.data import load_dataset  # noqa: PLC0415
    from barkhausen.experiment.network import build_network, shapes_of  # noqa: PLC0415

    shapes, where = shapes_of(load_dataset("digits")), torch.device("cpu")
    with code_allowed(["own_network"]):
        torch.manual_seed(1)
        first = build_network(recipe(), shapes, None, where)
        after = torch.rand(3)
        torch.manual_seed(1)
        assert torch.equal(after, torch.rand(3))
        again = build_network(recipe(), shapes, None, where)
        other = build_network(recipe().model_copy(update={"seed": 1}), shapes, None, where)
    assert torch.equal(first[0].weight, again[0].weight)
    assert not torch.equal(first[0].weight, other[0].weight)


def interrupted(own: Path, name: str) -> Path:
    """A run that was stopped after its first epoch."""
    made = Run(recipe(), own / name)
    train = Run._train

    def once(self: Run, training: Any, metrics: Any, logs: Any) -> None:
        epoch = training.run_epoch

        def run_epoch(*arguments: Any) -> Any:
            if training.epoch:
                raise OutcomeError("stopped")
            return epoch(*arguments)

        training.run_epoch = run_epoch
        train(self, training, metrics, logs)

    with pytest.MonkeyPatch.context() as patch, code_allowed(["own_network"]), pytest.raises(OutcomeError):
        patch.setattr(Run, "_train", once)
        made.execute()
    return own / name


def test_a_run_resumes_with_another_source_only_where_it_is_accepted(own: Path) -> None:
    where = interrupted(own, "changed")
    parts = own / "own_parts.py"
    try:
        parts.write_text(PARTS + "\n# A remark.\n")
        with code_allowed(["own_network"]):
            with pytest.raises(InputError, match="has changed since it was imported; use a new process"):
                UserFunction("own_network:make", "network.factory").load()
            forget()
            with pytest.raises(InputError, match=r"source of network\.factory .* has changed .*--accept-changed-code"):
                Run(recipe(), where).execute()
            summary = Run(recipe(), where, accept_changed_code=True).execute()
        assert summary["epochs"] == 2
        assert any("resumed with another source of own_network:make" in note for note in summary["notes"])
        assert summary["network_code"]["sha256"] in (where / "recipe.toml").read_text()
    finally:
        parts.write_text(PARTS)
        forget()


def test_a_recipe_that_names_a_source_takes_no_other(own: Path) -> None:
    with code_allowed(["own_network"]), pytest.raises(InputError, match=r"is not the one of .*0{12}…"):
        Run(recipe(factory_sha256="0" * 64), own / "wrong").execute()


SWEEP = """
threads = 1
[recipe]
states = 3
epochs = 1
[recipe.dataset]
name = "digits"
[recipe.network]
factory = "own_network:make"
[recipe.device]
preset = "gaussian"
[recipe.transfer]
chips = 1
[search]
kind = "grid"
over = { "network.options.width" = [6, 8] }
"""


def test_tasks_of_a_sweep_have_their_source_in_their_key_and_run_where_it_is_allowed(own: Path) -> None:
    (own / "sweep.toml").write_text(SWEEP)
    with code_allowed(["own_network"]):
        six, eight = (Planner(load_sweep(own / "sweep.toml")).task({"network.options.width": n}) for n in (6, 8))
    assert six.key != eight.key
    assert len(six.resolved()["network"]["factory_sha256"]) == 64
    refused = run_task(own / "sweep", six, None)
    assert "add --allow-code own_network" in refused["error"]
    assert run_task(own / "sweep", six, None, allow_code=("own_network",))["status"] == FINISHED
    try:
        (own / "own_parts.py").write_text(PARTS + "\n# A remark.\n")
        with code_allowed(["own_network"]):
            changed = Planner(load_sweep(own / "sweep.toml")).task({"network.options.width": 6})
        assert changed.key != six.key
        stale = run_task(own / "sweep", eight, None, allow_code=("own_network",))
        assert "is not the one of network.factory_sha256" in stale["error"]
    finally:
        (own / "own_parts.py").write_text(PARTS)


def test_sources_are_the_module_and_what_it_imports_from_beside_itself(tmp_path: Path) -> None:
    package = tmp_path / "own_package"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "deep" / "__init__.py").write_text("from ..layers import A\n")
    (package / "deep" / "nets.py").write_text("import own_helper\nfrom . import losses\nimport torch\n")
    (package / "deep" / "losses.py").write_text("")
    (package / "layers.py").write_text("A = 1\n")
    (package / "unused.py").write_text("")
    (tmp_path / "own_helper.py").write_text("")
    with pytest.MonkeyPatch.context() as patch, code_allowed(["own_package.deep.nets"]):
        patch.syspath_prepend(str(tmp_path))
        found = UserFunction("own_package.deep.nets:make", "network.factory").files()
    assert set(found) == {
        "own_package/__init__.py", "own_package/deep/__init__.py", "own_package/deep/nets.py",
        "own_package/deep/losses.py", "own_package/layers.py", "own_helper.py",
    }  # fmt: skip


@pytest.mark.slow
def test_workers_of_a_sweep_get_the_permission_of_the_command(own: Path, tmp_path: Path) -> None:
    (own / "sweep.toml").write_text(SWEEP)
    start = [sys.executable, "-m", "barkhausen", "sweep", "sweep.toml", "--workers", "1", "--out", str(tmp_path / "s")]

    def command(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*start, *more], cwd=own, capture_output=True, text=True, check=False)

    alone = command()
    assert (alone.returncode, "--allow-code own_network" in alone.stderr) == (2, True)
    done = command("--allow-code", "own_network")
    assert "2 of 2 tasks finished" in done.stdout, done.stderr
