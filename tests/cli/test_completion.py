"""Completion on the shell: fast, without torch, of commands, options, recipes, devices and systems."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from barkhausen.cli.terminal.completion import complete_device, complete_recipe, complete_system
from barkhausen.core.files.recipes import shipped_recipes
from barkhausen.device import shipped_names
from barkhausen.reproduce import SYSTEMS

START = "import sys; sys.argv[0] = 'barkhausen'; from barkhausen.__main__ import main; main()"


def barkhausen(*arguments: str, **environment: str) -> str:
    """Output of the command under its own name."""
    return subprocess.run(
        [sys.executable, "-c", START, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    ).stdout


def completed(*words: str) -> list[str]:
    """What bash offers after the words."""
    return barkhausen(
        _BARKHAUSEN_COMPLETE="complete_bash",
        COMP_WORDS=" ".join(["barkhausen", *words]),
        COMP_CWORD=str(len(words)),
    ).split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["tr"], {"train"}),
        (["train", "mnist-i"], {"mnist-in-situ"}),
        (["devices", "notched"], {"notched-5"}),
        (["train", "--da"], {"--data-dir"}),
        (["recipes", "default"], {"default-chip"}),
    ],
)
def test_the_shell_offers(words: list[str], offered: set[str]) -> None:
    assert set(completed(*words)) == offered


def test_completion_is_installed_for_the_users_shell(tmp_path: Path) -> None:
    # Otherwise the shell is the one that the tests were started from, if any.
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", "HOME": str(tmp_path)}
    barkhausen("--install-completion", "bash", **named)
    assert "complete" in (tmp_path / ".bash_completions" / "barkhausen.sh").read_text(encoding="utf-8")
    assert "barkhausen.sh" in (tmp_path / ".bashrc").read_text(encoding="utf-8")
    assert "_BARKHAUSEN_COMPLETE" in barkhausen("--show-completion", "zsh", **named)


def test_names_are_those_of_the_package() -> None:
    assert set(complete_system("")) == set(SYSTEMS)
    assert set(shipped_names()) < set(complete_device(""))
    assert set(shipped_recipes()) <= set(complete_recipe(""))


def test_files_and_folders_follow_the_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    for name in ("mine.toml", "mine.nc", "mine.txt", ".mine.toml", "mine/deep.toml"):
        (tmp_path / name).touch()
    assert complete_recipe("mine") == ["mine/", "mine.toml"]
    assert complete_recipe("mine/") == ["mine/deep.toml"]
    assert complete_device("mine") == ["mine/", "mine.nc"]
    assert complete_device("nowhere/") == []
