"""Old names on the command line: they work, and each is told once."""

from __future__ import annotations

from pathlib import Path

from conftest import Command

COMMAND = "train"
OLD = Path(__file__).parents[1] / "old_versions" / "0.1.0"


def test_old_keys_of_a_recipe_are_told_once_each(command: Command, tmp_path: Path) -> None:
    code, out, err = command(OLD / "recipe-in-situ.toml", "--set", "epochs=1", "--out", tmp_path / "run")
    assert code == 0
    assert "in-situ" in out
    for old, new in (
        ("optimizer.memory_rate", "optimizer.latent_rate"),
        ("faults.lost_walls", "faults.annihilated_walls"),
    ):
        assert err.count(f"barkhausen: {old} is now {new}; the old name still works\n") == 1
    assert "latent_rate = 0.008" in (tmp_path / "run" / "recipe.toml").read_text(encoding="utf-8")


def test_new_keys_are_not_remarked_upon(command: Command, tmp_path: Path) -> None:
    recipe = (OLD / "recipe-in-situ.toml").read_text(encoding="utf-8")
    recipe = recipe.replace("memory_rate", "latent_rate").replace("lost_walls", "annihilated_walls")
    (tmp_path / "recipe.toml").write_text(recipe, encoding="utf-8")
    code, _, err = command(tmp_path / "recipe.toml", "--set", "epochs=1", "--out", tmp_path / "run")
    assert (code, "old name" in err) == (0, False)
