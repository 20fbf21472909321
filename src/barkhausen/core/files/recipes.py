"""Recipes that come with the package: found by name wherever a recipe, sweep file or search file is read."""

from __future__ import annotations

import os
from pathlib import Path

from barkhausen.core.errors import InputError, nearest

FOLDER = Path(__file__).parents[2] / "recipes"
"""Folder of the recipes; ``recipes`` at the root of the repository leads here."""

PAPER_RECIPES = FOLDER / "papers"
"""Folder of the sweep files of published systems."""

SUFFIX = ".toml"


def shipped_recipes() -> dict[str, Path]:
    """Files by name, in alphabetical order; those of published systems come last."""
    files = [*sorted(FOLDER.glob(f"*{SUFFIX}")), *sorted(PAPER_RECIPES.glob(f"*{SUFFIX}"))]
    return {path.stem: path for path in files}


def recipe_file(named: str | Path, folder: Path = Path()) -> Path:
    """Path of a TOML file that is named by its path, or by the name of a recipe of the package.

    A file of that path comes first. Where there is neither, a path is returned unchanged: reading it says why.

    Args:
        named: Path such as ``my-recipe.toml``, or name such as ``mnist-in-situ``.
        folder: Folder that a relative path starts from.

    Raises:
        InputError: There is no such file, and the name resembles or is one of the package's recipes.
    """
    path = folder / named
    # Not Path.exists, which raises an error for some impossible names.
    if os.path.isfile(path) or path.suffix not in ("", SUFFIX):  # noqa: PTH113
        return path
    shipped = shipped_recipes()
    if str(named) in shipped:
        return shipped[str(named)]
    if os.path.lexists(path):
        return path
    if path.stem in shipped:
        raise InputError(
            f"{path}: no such file; the package's recipe is called by its name alone, {path.stem}; "
            f"`barkhausen recipes {path.stem} --out FILE` copies it"
        )
    near = nearest(path.stem, shipped)
    if path.suffix == "" or near is not None:
        which = "; `barkhausen recipes` lists them" if near is None else f"; did you mean '{near}'?"
        raise InputError(f"{path}: no such file, and no recipe of the package{which}")
    return path
