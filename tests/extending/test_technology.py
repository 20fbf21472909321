"""A technology registered from outside: from a table of measurements to a network on a crossbar."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

import forked
from barkhausen.device import read_device

HERE = Path(__file__).parent


def barkhausen(*words: str, where: Path) -> forked.Ended:
    """Run the command with the technology registered, as a user would."""
    paths = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH", ""))))
    environment = os.environ | {
        "BARKHAUSEN_EXTENSIONS": "technology_skyrmions",
        "PYTHONPATH": paths,
        "COLUMNS": "200",
        "OMP_NUM_THREADS": "1",
    }
    return forked.run(*words, where=where, environment=environment)


def table(path: Path) -> Path:
    generator = np.random.default_rng(0)
    lines = ["state,device,cycle,skyrmions"]
    for state, mean in enumerate((1.0, 4.0, 8.0)):
        for device in range(6):
            offset = 0.2 * generator.standard_normal()
            lines += [f"s{state},d{device},{c},{mean + offset + 0.2 * generator.standard_normal()}" for c in range(4)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("skyrmions")
    table(where / "measured.csv")
    found = barkhausen(
        "import-device", "measured.csv", "--technology", "skyrmion-count", "--out", "device.nc", where=where
    )
    assert found.returncode == 0, found.stderr
    (where / "recipe.toml").write_text(
        'mode = "in-situ"\nepochs = 1\nthreads = 1\n[dataset]\nname = "digits"\n[network]\nhidden = [8]\n'
        '[device]\nfile = "device.nc"\nmargin = 0.3\n[transfer]\nchips = 1\n'
    )
    found = barkhausen("train", "recipe.toml", "--out", "run", where=where)
    assert found.returncode == 0, found.stderr
    return where


def test_the_device_file_says_what_it_is(folder: Path) -> None:
    device = read_device(folder / "device.nc")
    assert (device.technology, device.coordinate.name, device.state_range) == (
        "skyrmion-count",
        "skyrmion number",
        (0, 10),
    )
    assert device.energy_causes == {"nucleation": "nucleating pulses", "counting": "Hall read"}
    shown = barkhausen("devices", "device.nc", where=folder)
    assert shown.returncode == 0, shown.stderr
    assert "skyrmion-count" in shown.stdout
    assert "nucleating pulses (fJ)" in shown.stdout
    assert "assumed: a skyrmion counts once" in shown.stdout


def test_training_counts_energy_by_its_own_causes(folder: Path) -> None:
    energy = json.loads((folder / "run" / "summary.json").read_text())["energy"]
    assert set(energy["by_cause"]) == {"nucleation", "counting"}
    assert energy["labels"]["counting"] == "Hall read"
    assert energy["programming_joule"] == pytest.approx(sum(energy["by_cause"].values()), rel=1e-12, abs=0)


def test_the_network_runs_on_a_crossbar(folder: Path) -> None:
    found = barkhausen("infer", "run", "--out", "chip.json", where=folder)
    assert found.returncode == 0, found.stderr
    chip = json.loads((folder / "chip.json").read_text())
    assert 0.1 < chip["accuracy"] <= 1
    assert any("chip.junction does not apply" in line for line in chip["assumed"])


def test_characterisation_does_not_apply(folder: Path) -> None:
    (folder / "device.toml").write_text('technology = "skyrmion-count"\nmost = 12\n')
    found = barkhausen("characterize", "device.toml", "--out", "other.nc", where=folder)
    assert found.returncode == 2
    assert "characterisation does not apply, since a skyrmion disc is measured" in " ".join(found.stderr.split())
    assert not (folder / "other.nc").exists()
