"""Common mistakes on the command line: the line says what is wrong and what serves instead."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from barkhausen.cli.app import main
from barkhausen.core.registry import EXTENSIONS
from barkhausen.device import gaussian_device, read_device, write_device
from barkhausen.device.resistive.technology import ResistiveParameters, resistive_device
from barkhausen.experiment.design.verdict import Verdict
from made_up_sweep import write_sweep

pytestmark = pytest.mark.usefixtures("one_thread")

Command = Callable[..., tuple[int, str, str]]

RECIPE = """
states = 3
epochs = 1
threads = 1
[dataset]
name = "digits"
[network]
hidden = [8]
[device]
preset = "racetrack"
[optimizer]
schedule = "constant"
[transfer]
chips = 1
"""
DEVICE = Path(__file__).parents[1] / "old_versions" / "0.1.0" / "characterisation.toml"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """A command of barkhausen within this process: exit code, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["barkhausen", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0), *capfd.readouterr()

    return call


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return tmp_path / "recipe.toml"


def test_a_recipe_is_not_swept_and_a_sweep_is_not_trained(run: Command, recipe: Path, tmp_path: Path) -> None:
    code, out, err = run("sweep", recipe, "--out", tmp_path / "out")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "barkhausen train recipe.toml --out DIR" in err
    (tmp_path / "sweep.toml").write_text("recipe = 'recipe.toml'\n[search]\nkind = 'grid'\n", encoding="utf-8")
    code, out, err = run("train", tmp_path / "sweep.toml", "--out", tmp_path / "out")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "barkhausen sweep sweep.toml --out DIR" in err
    assert not (tmp_path / "out").exists()


def test_unfinished_work_of_another_characterisation_is_discarded_on_request(run: Command, tmp_path: Path) -> None:
    work = tmp_path / "device.nc.work" / "ensemble"
    work.mkdir(parents=True)
    (work / "plan.json").write_text('{"seed": 1}', encoding="utf-8")
    settings = ("--set", "characterisation.devices=1", "--set", "characterisation.cycles=1")
    settings = (*settings, "--set", "shape.notches.1.depth=6e-9", "--threads", "1")
    code, out, err = run("characterize", DEVICE, "--out", tmp_path / "device.nc", *settings)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "holds the unfinished work of another characterisation" in err
    assert err.endswith("choose another --out, or --overwrite to discard it\n")
    code, _, err = run("characterize", DEVICE, "--out", tmp_path / "device.nc", *settings, "--overwrite")
    assert code == 0, err
    notches = json.loads(read_device(tmp_path / "device.nc").data.attrs["parameters"])["shape"]["notches"]
    assert [notch["depth"] for notch in notches] == [4e-9, 6e-9]
    assert not (tmp_path / "device.nc.work").exists()


def test_a_finished_device_file_of_other_parameters_is_replaced_on_request(run: Command, tmp_path: Path) -> None:
    device = tmp_path / "device.nc"
    small = ("--set", "characterisation.devices=1", "--set", "characterisation.cycles=1", "--threads", "1")
    assert run("characterize", DEVICE, "--out", device, *small)[0] == 0
    first = device.read_bytes()
    # The same again gives the same.
    assert run("characterize", DEVICE, "--out", device, *small)[0] == 0
    assert device.read_bytes() == first
    other = (*small, "--set", "track.width=48e-9")
    code, out, err = run("characterize", DEVICE, "--out", device, *other)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "holds a device with track.width = " in err
    assert err.endswith("this one has 4.8e-08; choose another --out, or --overwrite to replace it\n")
    assert device.read_bytes() == first
    code, _, err = run("characterize", DEVICE, "--out", device, *other, "--overwrite")
    assert code == 0, err
    assert json.loads(read_device(device).data.attrs["parameters"])["track"]["width"] == 48e-9


def test_a_page_never_takes_the_place_of_a_device_file(run: Command, tmp_path: Path) -> None:
    device = tmp_path / "device.nc"
    code, out, err = run("characterize", DEVICE, "--out", device, "--report", device)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "must be a file that ends in .html" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "why"), [("gaussian", "was not simulated (gaussian)"), ("text", "no device file of this technology")]
)
def test_characterisation_replaces_nothing_else(run: Command, tmp_path: Path, content: str, why: str) -> None:
    device = tmp_path / "device.nc"
    if content == "text":
        device.write_text("precious", encoding="utf-8")
    else:
        write_device(gaussian_device(3), device)
    before = device.read_bytes()
    code, out, err = run("characterize", DEVICE, "--out", device)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert why in err
    assert device.read_bytes() == before


def test_a_sigma_that_is_set_brings_its_preset(run: Command, recipe: Path, tmp_path: Path) -> None:
    code, out, err = run("train", recipe, "--set", "device.sigma=0.1", "--out", tmp_path / "out")
    assert code == 0, err
    assert 'preset = "gaussian"' in (tmp_path / "out" / "recipe.toml").read_text(encoding="utf-8")
    assert "margin 0.3: 0.3 times the mean spacing of the 3 levels and 3 times their spread (the default" in out
    (tmp_path / "recipe.toml").write_text(RECIPE.replace("[optimizer]", "sigma = 0.1\n[optimizer]"), encoding="utf-8")
    code, _, err = run("train", recipe, "--out", tmp_path / "other")
    assert code == 2
    assert "sigma belongs to the gaussian preset, not to racetrack; write preset = 'gaussian', or leave one" in err


def test_a_preset_beside_a_device_file_is_told_to_have_no_effect(run: Command, recipe: Path, tmp_path: Path) -> None:
    write_device(gaussian_device(3, 0.2), tmp_path / "device.nc")
    file = f"device.file={tmp_path / 'device.nc'}"
    code, _, err = run("train", recipe, "--set", file, "--out", tmp_path / "set")
    assert (code, "no effect" in err) == (0, False)
    text = RECIPE.replace("[optimizer]", f"file = '{tmp_path / 'device.nc'}'\n[optimizer]")
    recipe.write_text(text, encoding="utf-8")
    code, _, err = run("train", recipe, "--out", tmp_path / "both")
    assert code == 0
    assert err.count("device.preset = 'racetrack' has no effect beside device.file") == 1


def test_an_extension_that_cannot_be_imported_is_told_of(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EXTENSIONS, "nowhere_to_be_found")
    code, out, err = run("devices", "gaussian-2")
    assert (code, "source: gaussian" in out) == (0, True)
    assert err == (
        "barkhausen: BARKHAUSEN_EXTENSIONS: No module named 'nowhere_to_be_found'; what it registers is missing\n"
    )


def test_the_page_of_a_sweep_is_pointed_at(run: Command, tmp_path: Path) -> None:
    directory = write_sweep(tmp_path / "sweep")
    code, out, err = run("report", directory, "--out", tmp_path / "page.html")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert f"is the directory of a sweep, not of a run: `barkhausen table {directory}`" in err


def test_a_run_is_lengthened_and_another_started_from_it(run: Command, recipe: Path, tmp_path: Path) -> None:
    short = ("train", recipe, "--out", tmp_path / "run")
    assert run(*short)[0] == 0
    code, _, err = run(*short, "--set", "epochs=2")
    assert code == 2
    assert "holds a run with epochs = 1, this one has 2; --lengthen to train it on, choose another --out" in err
    code, out, err = run(*short, "--set", "epochs=2", "--lengthen")
    assert code == 0, err
    assert "lengthened from 1 to 2 epochs: the same numbers" in out
    code, _, err = run("train", recipe, "--init-from", tmp_path / "run", "--out", tmp_path / "second")
    assert code == 0, err
    summary = json.loads((tmp_path / "second" / "summary.json").read_text(encoding="utf-8"))
    assert summary["recipe"]["init_from"] == str(tmp_path / "run")
    code, _, err = run("train", recipe, "--init-from", tmp_path / "nothing", "--out", tmp_path / "third")
    assert (code, "no such file or run" in err) == (2, True)


def test_wires_that_take_most_of_the_weights_are_told_of(run: Command, recipe: Path, tmp_path: Path) -> None:
    """Junctions of 1 to 4 kilohm on the default chip, and of a thousand times as much."""
    random = np.random.default_rng(0)
    settings = ("--set", "network.hidden=[64]", "--set", "epochs=4", "--set", "optimizer.latent_rate=0.03")
    told = {}
    for name, largest in (("kilohm", 1e-3), ("megohm", 1e-6)):
        conductances = np.linspace(0.25, 1.0, 5)[:, None, None] + 0.01 * random.standard_normal((5, 8, 8))
        parameters = ResistiveParameters(conductance_low=0.0, conductance_high=1.5 * largest)
        device = resistive_device(largest * conductances, parameters, source="measured")
        write_device(device, tmp_path / f"{name}.nc")
        file = f"device.file={tmp_path / name}.nc"
        assert run("train", recipe, "--set", file, *settings, "--out", tmp_path / name)[0] == 0
        code, _, err = run("infer", tmp_path / name, "--out", tmp_path / f"{name}.json")
        assert code == 0, err
        found = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
        told[name] = (err, found["ideal_accuracy"] - found["accuracy"])
    assert "leave" in told["kilohm"][0]
    assert "% of the weights of linear1: its devices have down to" in told["kilohm"][0]
    assert told["kilohm"][1] > 0.4
    assert "of the weights" not in told["megohm"][0]
    assert told["megohm"][1] < 0.1


def test_design_prints_the_verdict_of_its_page(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = {"best": "of the search"}
    coinciding = ("Coinciding states", "states 1 and 2 are no farther apart than their standard deviation.")

    def found(of: object) -> Verdict:
        assert of is result
        return Verdict("The best design has rough edges.", "Thermal motion limits it.", [coinciding])

    search, verdict = (
        importlib.import_module(f"barkhausen.experiment.design.{name}") for name in ("search", "verdict")
    )
    monkeypatch.setattr(search, "design_to_directory", lambda *_, **__: result)
    monkeypatch.setattr(verdict, "verdict", found)
    monkeypatch.setattr("barkhausen.report.design.page.write_design_page", lambda out: out / "design.html")
    code, out, _ = run("design", tmp_path / "search.toml", "--out", tmp_path / "out")
    assert code == 0
    lines = ["The best design has rough edges.", "Thermal motion limits it.", ": ".join(coinciding)]
    assert out.splitlines()[:3] == lines


@pytest.mark.parametrize(
    "arguments",
    [["x" * 5000], ["train", "x" * 5000, "--out", "run"], ["devices", "x" * 5000], ["devices", "--" + "x" * 5000]],
    ids=["command", "file", "name", "option"],
)
def test_a_very_long_name_is_shortened(run: Command, arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "xxx" in err
    assert len(err) < 700
