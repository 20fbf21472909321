"""A file given to the wrong command is recognised, and the command for it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from barkhausen.core.config import read_toml
from barkhausen.core.errors import InputError
from barkhausen.device.technology import load_technology
from barkhausen.experiment.design.search_file import load_search
from barkhausen.experiment.recipe import load_recipe
from barkhausen.sweep.sweep_file import load_sweep
from barkhausen.synapse.crossbar.chip import load_chip

RECIPE = "states = 3\n[dataset]\nname = 'digits'\n"
SWEEP = "recipe = 'base.toml'\n[search]\nkind = 'grid'\n[search.over]\nseed = [0]\n"
PARAMETERS = "[track]\nlength = 320e-9\n[characterisation]\ndevices = 4\n"
SEARCH = "[device.track]\nlength = 320e-9\n[search]\nstates = 3\n"
CHIP = "[tile]\nrows = 64\n"

READERS = {
    "train": load_recipe,
    "sweep": load_sweep,
    "characterize": load_technology,
    "design": load_search,
    "infer": load_chip,
}


@pytest.mark.parametrize(
    ("command", "text", "message"),
    [
        (
            "sweep",
            RECIPE,
            r"is a recipe, which describes one run, not a sweep file, .*: barkhausen train file\.toml --out DIR "
            r'\(a sweep file names it, recipe = "file\.toml", and says under \[search\.over\]',
        ),
        ("sweep", PARAMETERS, r"is a parameter file of a device, .*: barkhausen characterize file\.toml"),
        ("train", SWEEP, r"is a sweep file, which varies a recipe, not a recipe, .*: barkhausen sweep file\.toml"),
        ("train", SWEEP + "[dataset]\nname = 'digits'", r"is a sweep file"),
        ("train", PARAMETERS, r"is a parameter file of a device, .*: barkhausen characterize file\.toml"),
        ("train", SEARCH, r"is a search file, which designs a device, .*: barkhausen design file\.toml"),
        ("train", CHIP, r"is a chip file, .*: barkhausen infer RUN --crossbar file\.toml"),
        ("characterize", RECIPE, r"is a recipe, .*, not a parameter file of a device: barkhausen train file\.toml"),
        ("design", RECIPE, r"is a recipe, .*: barkhausen train"),
        ("infer", RECIPE, r"is a recipe, .*: barkhausen train"),
    ],
)
def test_the_right_command_is_named(command: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "file.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        READERS[command](tmp_path / "file.toml")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("command", "text", "message"),
    [
        ("train", RECIPE + "[search]\nkind = 'grid'\n", "unknown key 'search'"),
        ("sweep", "recipe = 'base.toml'\nepochs = 3\n", "unknown key 'epochs'|search"),
        ("train", "nothing = 1\n", "unknown key 'nothing'"),
        ("characterize", PARAMETERS + "[tile]\nrows = 2\n", "unknown key 'tile'"),
    ],
)
def test_a_wrong_key_in_a_right_file_is_named_as_such(command: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "file.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        READERS[command](tmp_path / "file.toml")  # type: ignore[operator]


def test_a_recipe_of_the_package_is_named_as_it_is_called() -> None:
    with pytest.raises(InputError, match=r'barkhausen train mnist-in-situ --out DIR .*recipe = "mnist-in-situ"'):
        load_sweep("mnist-in-situ")


def test_a_device_file_is_told_from_a_recipe(tmp_path: Path) -> None:
    path = tmp_path / "device.nc"
    path.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(InputError, match=r"device\.nc: is a device file, not TOML: `barkhausen devices .*device\.nc`"):
        read_toml(path)
