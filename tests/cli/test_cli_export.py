from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.trained import load_trained
from barkhausen.learning import deployed
from conftest import Command

pytestmark = pytest.mark.usefixtures("one_thread")

COMMAND = "export"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("runs")
    small = {"dataset": {"name": "digits"}, "network": {"hidden": [8]}, "epochs": 1, "device": {"sigma": 0.2}}
    for mode in ("in-situ", "ex-situ", "float"):
        Run(recipe_from({**small, "mode": mode, "transfer": {"chips": 2}}, "test"), where / mode).execute()
    return where


def first_weight(model: torch.nn.Module) -> np.ndarray:
    weight: np.ndarray = deployed(model).get_submodule("linear1").weight.detach().numpy()
    return weight


@pytest.mark.parametrize(("mode", "chip"), [("in-situ", None), ("in-situ", 1), ("ex-situ", None), ("ex-situ", 1)])
def test_weights_of_the_network_or_chip_come_out(
    command: Command, runs: Path, tmp_path: Path, mode: str, chip: int | None
) -> None:
    which = [] if chip is None else ["--chip", chip]
    says = "trained network" if (mode, chip) == ("in-situ", None) else f"chip {chip or 0}"
    for kind in ("npz", "csv", "safetensors"):
        out = tmp_path / kind
        assert command(runs / mode, "--to", kind, "--out", out, *which) == (0, f"{says} in {out}\n", "")
    expected = first_weight(load_trained(runs / mode, chip).model)
    arrays = np.load(tmp_path / "npz")
    held = (arrays["linear1.conductance"] - arrays["linear1.reference_conductance"]) / arrays[
        "linear1.conductance_unit"
    ]
    assert (arrays["linear1.scale"] * held.astype(np.float32) == expected).all()
    assert (
        np.loadtxt(tmp_path / "csv" / "linear1.conductance.csv", delimiter=",") == arrays["linear1.conductance"]
    ).all()
    assert (load_file(tmp_path / "safetensors")["linear1.weight"].numpy() == expected).all()
    about = json.loads(str(arrays["metadata"]))["about"]
    assert (about["mode"], about["dataset"], about["chip"]) == (
        mode,
        "digits",
        chip if mode == "in-situ" else chip or 0,
    )


def test_onnx_of_a_float_run_and_nothing_but_the_line_on_the_terminal(
    command: Command, runs: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    out = tmp_path / "net.onnx"
    assert command(runs / "float", "--to", "onnx", "--out", out) == (0, f"trained network in {out}\n", "")
    inputs = torch.randn(3, 64, generator=torch.Generator().manual_seed(0))
    (outputs,) = runtime.InferenceSession(out).run(["output"], {"input": inputs.numpy()})
    np.testing.assert_allclose(outputs, load_trained(runs / "float").model(inputs).detach().numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["in-situ"], "Missing option '--to'"),
        (["in-situ", "--to", "npz"], "Missing option '--out'"),
        (["in-situ", "--to", "hdf5", "--out", "x"], "'hdf5' is not one of 'onnx', 'safetensors', 'npz', 'csv'"),
        (["in-situ", "--to", "npz", "--out", "x", "--chip", "2"], "chip = 2: in-situ has the chips 0 to 1"),
        (["float", "--to", "npz", "--out", "x"], "the network has no synapse layer"),
        (["nowhere", "--to", "npz", "--out", "x"], "nowhere: is not a finished run (no summary.json)"),
        (["in-situ", "--to", "csv", "--out", "ex-situ"], "ex-situ: exists; CSV needs a new or empty directory"),
        (["in-situ", "--to", "npz", "--out", "in-situ"], "in-situ: cannot be written"),
    ],
)
def test_wrong_command_line_is_one_line(
    command: Command, runs: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], line: str
) -> None:
    monkeypatch.chdir(runs)
    before = sorted(runs.rglob("*"))
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("barkhausen: ")
    assert line in err
    assert len(err.splitlines()) == 1
    assert sorted(runs.rglob("*")) == before
