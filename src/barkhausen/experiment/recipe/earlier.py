"""Runs that began with a recipe of the package which has another content now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from barkhausen.core.config import read_toml
from barkhausen.core.errors import warn
from barkhausen.core.files.recipes import recipe_file, shipped_recipes
from barkhausen.experiment.recipe import Recipe, load_recipe

EARLIER = {"mnist-in-situ": "mnist-margin"}
"""Recipes whose learning rule is another one than in earlier versions: name, and that of their earlier content."""

RESOLVED = "recipe.toml"


def recipe_for(named: str | Path, settings: Sequence[str], directory: Path) -> Recipe:
    """The recipe of a run, or its earlier content where the run in the directory began with that.

    Args:
        named: TOML file, or name of a recipe of the package.
        settings: Settings such as ``states=3``.
        directory: Directory of the run.

    Raises:
        InputError: The file cannot be read, or a key or value is unknown or wrong.
    """
    recipe = load_recipe(named, list(settings))
    earlier, held = EARLIER.get(str(named)), directory / RESOLVED
    if earlier is None or not held.is_file() or recipe_file(named) != shipped_recipes()[str(named)]:
        return recipe
    before, begun = load_recipe(earlier, list(settings)), read_toml(held).get("mode")
    if begun == recipe.mode or begun != before.mode:
        return recipe
    warn(f"{directory}: began with an earlier {named}, whose rule was {before.mode}; it goes on with it, as {earlier}")
    return before
