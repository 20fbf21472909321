"""Recipes of the package: listed, printed, copied, and taken by name wherever a file is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import barkhausen.core.files.recipes as files
from barkhausen.cli.recipes import shipped_files
from barkhausen.core.config import read_toml
from barkhausen.core.errors import InputError
from barkhausen.core.files.recipes import recipe_file, shipped_recipes
from barkhausen.device import load_technology
from barkhausen.device.domain_wall.trains.parameters import load_pulsed_track
from barkhausen.experiment.characterisation.kind import kind_of_parameters
from barkhausen.experiment.design.search_file import load_search
from barkhausen.experiment.recipe import load_recipe
from barkhausen.reproduce import SYSTEMS
from barkhausen.sweep import load_sweep
from barkhausen.synapse.crossbar import load_chip
from conftest import Command

COMMAND = "recipes"
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory that is not the repository."""
    monkeypatch.chdir(tmp_path)


def simulated(path: Path) -> object:
    """Parameters of a device that ``characterize`` simulates."""
    kind = kind_of_parameters(path)
    if kind is None:
        return load_technology(path)
    values = read_toml(path)
    return kind.simulator(values).parameters_from(values, (), str(path))


def reads(command: str, path: Path) -> object:
    """What the command makes of the file."""
    loaders = {
        "train": load_recipe,
        "sweep": load_sweep,
        "reproduce": load_sweep,
        "design": load_search,
        "infer": load_chip,
        "characterize": simulated,
        "characterize-pulses": load_pulsed_track,
    }
    return loaders[command.partition(" ")[0]](path)  # type: ignore[operator]


@pytest.mark.parametrize("name", shipped_files())
def test_a_copy_means_the_same_as_the_file_of_the_package(name: str, command: Command, tmp_path: Path) -> None:
    copy = tmp_path / "deep" / "copy.toml"
    assert command(name, "--out", copy) == (0, f"copied to {copy}\n", "")
    shipped = shipped_files()[name]
    assert copy.read_bytes() == shipped.path.read_bytes()
    ours, theirs = (reads(shipped.command, path) for path in (shipped.path, copy))
    if hasattr(ours, "to_toml"):
        assert ours.to_toml() == theirs.to_toml()  # type: ignore[attr-defined]
    else:
        assert ours == theirs


def test_the_list_names_every_file_and_its_command(command: Command) -> None:
    code, out, _ = command()
    assert code == 0
    for name, file in shipped_files().items():
        assert f" {name} " in out
        assert f"barkhausen {file.command}" in out
        assert 10 < len(file.about) < 250
    assert {name for name, file in shipped_files().items() if file.command.startswith("reproduce")} == set(SYSTEMS)


def test_a_recipe_is_printed_as_it_is(command: Command) -> None:
    assert command("mnist-float") == (0, shipped_recipes()["mnist-float"].read_text(encoding="utf-8"), "")


def test_all_are_copied_into_a_directory(command: Command, tmp_path: Path) -> None:
    assert command("--out", tmp_path / "all")[0] == 0
    assert {path.stem for path in (tmp_path / "all").iterdir()} == set(shipped_files())


def test_a_file_of_the_user_is_not_replaced(command: Command, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("epochs = 3\n", encoding="utf-8")
    assert command("mnist-float", "--out", mine)[::2] == (
        2,
        f"barkhausen: {mine}: exists already; choose another --out\n",
    )
    assert mine.read_text(encoding="utf-8") == "epochs = 3\n"


def test_an_unknown_name_suggests_the_nearest(command: Command) -> None:
    code, _, err = command("mnist-flot")
    assert (code, err) == (2, "barkhausen: mnist-flot: no recipe of the package; did you mean 'mnist-float'?\n")


def test_names_are_taken_where_files_are() -> None:
    assert load_recipe("mnist-float").mode == "float"
    assert load_recipe(Path("mnist-float"), ["epochs=1"]).epochs == 1
    assert load_search("design-graded-notches").search.states == 5
    assert load_sweep("sweep-example").base == read_toml(shipped_recipes()["mnist-margin"])


def test_a_file_of_the_user_comes_before_a_recipe_of_that_name(tmp_path: Path) -> None:
    shutil.copy(shipped_recipes()["mnist-float"], tmp_path / "mnist-in-situ")
    assert recipe_file("mnist-in-situ").resolve() == (tmp_path / "mnist-in-situ").resolve()
    assert load_recipe("mnist-in-situ").mode == "float"


def test_a_directory_of_runs_does_not_hide_a_recipe(tmp_path: Path) -> None:
    (tmp_path / "mnist-float").mkdir()
    assert load_recipe("mnist-float").mode == "float"


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("mnist-in-stu", "mnist-in-stu: no such file, and no recipe of the package; did you mean 'mnist-in-situ'?"),
        ("recipes/mnist-cnn.toml", "recipes/mnist-cnn.toml: no such file; the package's recipe is called by its name"),
        ("something", "something: no such file, and no recipe of the package; `barkhausen recipes` lists them"),
        ("something.toml", "something.toml: no such file"),
    ],
)
def test_what_is_neither_file_nor_recipe_is_refused_in_one_line(named: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        load_recipe(named)
    assert str(error.value).startswith(message)


def test_paths_of_the_repository_still_lead_to_the_recipes() -> None:
    old = ROOT / "recipes"
    if not (ROOT / "pyproject.toml").is_file() or files.FOLDER != ROOT / "src" / "barkhausen" / "recipes":
        pytest.skip("not run from the repository")
    assert {path.name for path in old.glob("*.toml")} == {path.name for path in files.FOLDER.glob("*.toml")}
    assert (old / "papers" / "misba-2021.toml").is_file()
