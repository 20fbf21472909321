"""Completion of arguments on the shell: names of recipes, devices and published systems.

Each function reads names of files at most, so that the shell does not wait for torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from barkhausen.core.files.kinds import DEVICE_FILES
from barkhausen.core.files.recipes import PAPER_RECIPES, shipped_recipes

PACKAGE = Path(__file__).parents[2]


def complete_recipe(incomplete: str) -> list[str]:
    """Recipes, sweep files and search files of the package, and TOML files and folders on the disk."""
    return [*_starting(shipped_recipes(), incomplete), *_files(incomplete, (".toml",))]


def complete_device(incomplete: str) -> list[str]:
    """Presets, and device files and folders on the disk."""
    shipped = sorted(path.stem for path in (PACKAGE / "device" / "shipped").glob("*.nc"))
    names = [*shipped, *(f"gaussian-{states}" for states in (2, 3, 5, 8, 16))]
    return [*_starting(names, incomplete), *_files(incomplete, DEVICE_FILES)]


def complete_system(incomplete: str) -> list[str]:
    """Published systems."""
    files = PAPER_RECIPES.glob("*.toml")
    names = (path.stem for path in files if f"barkhausen reproduce {path.stem}\n" in path.read_text(encoding="utf-8"))
    return _starting(sorted(names), incomplete)


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _files(incomplete: str, suffixes: tuple[str, ...]) -> list[str]:
    """Folders, with a slash, and files with one of the suffixes, whose path begins as written."""
    head, slash, _ = incomplete.rpartition("/")
    folder = Path(head + slash or ".").expanduser()
    try:
        found = sorted(folder.iterdir())
    except OSError:
        return []
    paths = [
        f"{head}{slash}{path.name}{'/' if path.is_dir() else ''}"
        for path in found
        if (path.is_dir() or path.suffix in suffixes)
    ]
    return [path for path in paths if path.startswith(incomplete) and not Path(path).name.startswith(".")]
