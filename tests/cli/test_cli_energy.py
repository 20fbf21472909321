"""``barkhausen energy``: the account of finished runs on any chip, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from conftest import Command

pytestmark = pytest.mark.usefixtures("one_thread")

COMMAND = "energy"
LOW = {"latent_bits": 8, "activation_bits": 2, "error_bits": 4}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("runs")
    small = {"dataset": {"name": "digits"}, "network": {"hidden": [16]}, "epochs": 2, "transfer": {"chips": 1}}
    kinds: dict[str, dict[str, Any]] = {
        "in-situ": {},
        "ex-situ": {},
        "ex-situ-low": {"mode": "ex-situ", "precision": LOW},
        "float": {},
        "level-change": {"precision": LOW, "optimizer": {"name": "layer-rms"}},
    }
    for mode, more in kinds.items():
        Run(recipe_from({**small, "mode": mode, **more, "threads": 1}, "test"), where / mode).execute()
    return where


def account(command: Command, tmp_path: Path, *arguments: object) -> dict[str, Any]:
    out = tmp_path / "energy.json"
    code, _, error = command(*arguments, "--out", out)
    assert code == 0, error
    found: dict[str, Any] = json.loads(out.read_text())["account"]
    return found


def flat(told: str) -> str:
    """A table as one line of cells."""
    return " ".join(told.replace("│", " ").replace("┃", " ").split())


@pytest.mark.parametrize("mode", ["in-situ", "ex-situ", "ex-situ-low", "level-change"])
def test_the_account_computed_anew_is_that_of_the_run(command: Command, runs: Path, tmp_path: Path, mode: str) -> None:
    kept = json.loads((runs / mode / "summary.json").read_text())["account"]
    found = account(command, tmp_path, runs / mode)
    assert found.keys() == kept.keys()
    # An ex-situ run accounts for its precursor, whose weights differ from those of a chip.
    near = 1e-3 if mode.startswith("ex-situ") else 1e-9
    for name in ("step", "initial", "inference", "float32_step", "float32_inference", "int8_step", "int8_inference"):
        assert found[name] == pytest.approx(kept[name], rel=near, abs=1e-30), name
    assert {name: found[name] for name in ("batch", "steps", "samples", "chips", "learning")} == {
        name: kept[name] for name in ("batch", "steps", "samples", "chips", "learning")
    }


def test_wholes_come_first_beside_float32_and_int8_logic(command: Command, runs: Path) -> None:
    code, told, error = command(runs / "level-change")
    assert code == 0, error
    text = flat(told)
    assert text.index("whole energy of") < text.index("where the energy of a trained sample goes")
    assert "float32 logic times int8 logic times" in text
    for name in ("a trained sample", "the training", "the trained chip", "an inference"):
        assert f" {name} " in text
    assert "programming: SOT pulses" in text
    for reading in ("per trained sample and epoch", "per training sample", "per test inference"):
        assert reading in text
    lines = [line for line in told.splitlines() if line.startswith("not counted: ")]
    assert len(lines) == 1
    assert "power supplies; pads; everything off the chip; half-select currents and write disturb" in lines[0]


def test_wholes_are_sums_of_their_parts(command: Command, runs: Path, tmp_path: Path) -> None:
    found = account(command, tmp_path, runs / "in-situ")
    step, initial = sum(found["step"].values()), sum(found["initial"].values())
    assert found["per_trained_sample_joule"] == pytest.approx(step / found["batch"], rel=1e-12, abs=0)
    assert found["training_joule"] == pytest.approx(step * found["steps"] + initial, rel=1e-12, abs=0)
    assert found["per_inference_joule"] == pytest.approx(sum(found["inference"].values()), rel=1e-12, abs=0)
    summary = json.loads((runs / "in-situ" / "summary.json").read_text())
    programming = initial + found["steps"] * sum(found["step"][cause] for cause in ("sot", "gate", "read"))
    assert programming == pytest.approx(summary["energy"]["programming_joule"], rel=1e-9, abs=0)


def test_a_chip_has_its_share_of_the_precursor(command: Command, runs: Path, tmp_path: Path) -> None:
    one, ten = (account(command, tmp_path, runs / "ex-situ", "--chips", number) for number in (1, 10))
    own = sum(one["initial"].values())
    assert one["per_chip_joule"] == pytest.approx(one["training_joule"], rel=1e-12, abs=0)
    assert ten["per_chip_joule"] - own == pytest.approx((one["per_chip_joule"] - own) / 10, rel=1e-9, abs=0)
    text = flat(command(runs / "ex-situ", "--chips", 10)[1])
    assert "the precursor is trained in float32 logic" in text
    assert "one of 10 chips: its share of the training, its programming" in text
    assert "share of the training" in text


def test_another_chip_has_another_account(command: Command, runs: Path, tmp_path: Path) -> None:
    usual = account(command, tmp_path, runs / "in-situ")
    small = account(command, tmp_path, runs / "in-situ", "--set", "digital.node=22.5e-9")
    assert small["int8_step"]["multiply-add"] == pytest.approx(usual["int8_step"]["multiply-add"] / 2, abs=0)
    assert small["step"]["ADC"] == usual["step"]["ADC"]
    file = tmp_path / "chip.toml"
    file.write_text("[adc]\nbits = 6\n")
    coarse = account(command, tmp_path, runs / "in-situ", "--crossbar", file)
    assert coarse["step"]["ADC"] == pytest.approx(usual["step"]["ADC"] / 4, abs=0)
    # Programming goes with the second device of a pair.
    pairs = account(command, tmp_path, runs / "in-situ", "--set", "tile.scheme=differential-pair")
    assert pairs["step"]["sot"] == pytest.approx(2 * usual["step"]["sot"], abs=0)


def test_a_run_of_an_earlier_version_has_an_account_too(command: Command, runs: Path, tmp_path: Path) -> None:
    kept = account(command, tmp_path, runs / "in-situ")
    path = runs / "in-situ" / "summary.json"
    text = path.read_text()
    summary = json.loads(text)
    del summary["account"]
    try:
        path.write_text(json.dumps(summary))
        found = account(command, tmp_path, runs / "in-situ")
    finally:
        path.write_text(text)
    # It does not say which verifications belong to the initial programming.
    assert found["per_trained_sample_joule"] == pytest.approx(kept["per_trained_sample_joule"], rel=1e-4, abs=0)


def test_a_precursor_is_billed_at_the_bits_of_its_recipe(command: Command, runs: Path, tmp_path: Path) -> None:
    full, low = account(command, tmp_path, runs / "ex-situ"), account(command, tmp_path, runs / "ex-situ-low")
    assert full["step"] == pytest.approx(full["float32_step"], rel=1e-9, abs=0)
    assert low["step"]["multiply-add"] == pytest.approx(full["step"]["multiply-add"], rel=1e-9, abs=0)
    # Two words of Adam stay, as no smaller optimiser was asked for; the latent weights that change have a byte.
    assert low["step"]["optimiser memory"] == full["step"]["optimiser memory"]
    changed = low["learning"]["updates"]
    assert 0 < changed < 1
    assert low["step"]["latent weights"] == pytest.approx(changed * full["step"]["latent weights"] / 4, rel=1e-9, abs=0)
    assert "float32 logic, with 8/2/4 bits for latent weights" in flat(command(runs / "ex-situ-low")[1])


def test_other_nodes_and_batches_in_a_table(command: Command, runs: Path, tmp_path: Path) -> None:
    run = runs / "level-change"
    out = tmp_path / "energy.json"
    code, told, error = command(run, "--node", "45,7", "--batch", "1,100", "--out", out)
    assert code == 0, error
    found = json.loads(out.read_text())
    named = [(each.pop("constants_of"), round(1e9 * each["node"]), each["batch"]) for each in found["others"]]
    assert named == [("45", 45, 1), ("7", 7, 1), ("45", 45, 100), ("7", 7, 100)]
    usual, one = found["account"], found["others"][0]
    assert found["others"][2] == usual
    # Reads of the copy go with the steps, its writes and the verifications with the samples.
    assert one["learning"]["verifications"] == pytest.approx(usual["learning"]["verifications"] / 100, rel=1e-12)
    assert usual["learning"]["copy_bits"] / 100 < one["learning"]["copy_bits"] < usual["learning"]["copy_bits"]
    assert one["step"]["sot"] == pytest.approx(usual["step"]["sot"] / 100, rel=1e-12, abs=0)
    assert one["step"]["latent weights"] == usual["step"]["latent weights"]
    assert one["steps"] == 100 * usual["steps"]
    assert "other nodes and batches" in flat(told)
    assert "kept are the programming of a sample" in told
    only = account(command, tmp_path, run, "--node", "7")
    assert only == found["others"][3]


@pytest.mark.parametrize(
    ("mode", "arguments", "words"),
    [
        ("in-situ", ["--node", "5"], "node = '5': must be one of 45, 32, 22, 7, 7-scaled (nm)"),
        ("in-situ", ["--batch", "1,x"], "--batch 1,x: must be whole numbers"),
        ("in-situ", ["--batch", "0"], "batch = 0: must be 1 or more"),
        ("float", [], "has no devices"),
        ("in-situ", ["--chips", "0"], "chips = 0: must be 1 or more"),
        ("in-situ", ["--set", "adc.bit=3"], "adc.bit"),
        ("in-situ", ["--set", "tile.columns=1"], "smaller than one pair"),
        ("in-situ", ["--crossbar", "nowhere.toml"], "nowhere.toml"),
        ("nothing", [], "not a finished run"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    command: Command, runs: Path, mode: str, arguments: list[str], words: str
) -> None:
    code, told, error = command(runs / mode, *arguments)
    assert (code, told) == (2, "")
    assert words in error
    assert error.count("\n") == 1
