"""Input that asks for too much, or holds values that no key takes: one line and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w

from barkhausen.core.limits import MEMORY_VARIABLE

pytestmark = pytest.mark.usefixtures("one_thread")

COMMAND = "train"
RECIPE = {
    "states": 3,
    "epochs": 1,
    "dataset": {"name": "digits"},
    "network": {"hidden": [8]},
    "device": {"preset": "gaussian"},
    "transfer": {"chips": 1},
}
NOTCHED = """
[track]
length = 320e-9
width = 64e-9
[shape]
notches = [{ position = 900e-9, depth = 8e-9, half_length = 12e-9 }]
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(tomli_w.dumps(RECIPE))
    return path


def one_line(result: tuple[int, str, str], *parts: str) -> None:
    code, out, err = result
    assert (code, out) == (2, ""), err
    assert len(err.splitlines()) == 1, err
    assert all(part in err for part in parts), err


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        (["network.hidden=[1000000000]"], ("6.4e+10 weights", "2.56 TB", MEMORY_VARIABLE)),
        (["network.hidden=[30000, 30000, 30000]"], ("weights", "GB", MEMORY_VARIABLE)),
        (["network.hidden=[100000]", "batch_size=1000000"], ("batch_size = 1000000", "1437 samples", "GB")),
        (["network.kind=cnn", "network.channels=[8]", "network.kernel=100000"], ("weights", "GB", MEMORY_VARIABLE)),
        (["device.max_attempts=2147483647"], ("max_attempts = 2147483647", "TB", MEMORY_VARIABLE)),
        (["threads=1000000000"], ("threads = 1000000000",)),
        (["seed=1979-05-27"], ("seed", "is a date")),
        (['dataset.name="a\\u0000b"'], ("dataset.name", "NUL")),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_recipe_that_asks_for_too_much(
    command, recipe: Path, tmp_path: Path, settings: list[str], parts: tuple[str, ...]
) -> None:
    words = [word for setting in settings for word in ("--set", setting)]
    one_line(command(recipe, "--out", tmp_path / "run", *words), *parts)
    assert not (tmp_path / "run").exists()


def test_memory_is_taken_where_it_is_asked_for(
    command, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MEMORY_VARIABLE, "10 kB")
    one_line(command(recipe, "--out", tmp_path / "run"), "more than the 10 kB")
    monkeypatch.setenv(MEMORY_VARIABLE, "1 GB")
    code, _, err = command(recipe, "--out", tmp_path / "run")
    assert code == 0, err


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('recipe = "a\\u0000b"\n[search]\nkind = "grid"\nover = { seed = [1] }', ("recipe", "NUL")),
        (
            'recipe = "dated.toml"\n[search]\nkind = "grid"\nover = { states = [3] }',
            ("dated.toml", "seed", "is a date"),
        ),
        (
            'recipe = "recipe.toml"\ntask = "infer"\n[search]\nkind = "grid"\nover = { "chip.adc.bits" = [nan] }',
            ("adc.bits = nan",),
        ),
        (
            f'recipe = "recipe.toml"\n[search]\nkind = "grid"\nover = {{ seed = {list(range(1000))}, '
            f"states = {list(range(2, 250))}, epochs = {list(range(1, 100))} }}",
            ("24552000 points", "GB"),
        ),
        ('recipe = "/dev/zero"\n[search]\nkind = "grid"\nover = { seed = [1] }', ("/dev/zero", "is a device")),
    ],
    ids=["NUL", "date", "NaN on a chip axis", "millions of points", "device"],
)
def test_sweep_file(  # noqa: PLR0917
    command, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, parts: tuple[str, ...]
) -> None:
    (tmp_path / "dated.toml").write_text("seed = 1979-05-27\n")
    (tmp_path / "sweep.toml").write_text(text)
    monkeypatch.setattr("test_cli_limits.COMMAND", "sweep")
    one_line(command(tmp_path / "sweep.toml", "--out", tmp_path / "out"), *parts)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (NOTCHED, ("notch",)),
        ("[characterisation]\ndevices = 4000\ncell = 1e-9\n", ("devices = 4000", "GB", MEMORY_VARIABLE)),
        ("[characterisation]\ndevices = 2\ncycles = 4096\n", ("x 4096 cycles", "GB", MEMORY_VARIABLE)),
    ],
    ids=["notch off the track", "cells of devices", "replicas"],
)
def test_parameters_of_a_device(
    command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, parts: tuple[str, ...]
) -> None:
    (tmp_path / "device.toml").write_text(text)
    monkeypatch.setattr("test_cli_limits.COMMAND", "characterize")
    one_line(command(tmp_path / "device.toml", "--out", tmp_path / "device.nc"), *parts)
