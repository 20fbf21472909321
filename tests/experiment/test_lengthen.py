"""Runs that are trained on for more epochs, and runs that keep the defaults that they began with."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from barkhausen.core.errors import InputError
from barkhausen.experiment.recipe import Recipe, recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.starting import lengthen

pytestmark = pytest.mark.usefixtures("one_thread")

VALUES: dict[str, Any] = {
    "states": 3,
    "epochs": 1,
    "threads": 1,
    "dataset": {"name": "digits"},
    "network": {"hidden": [8]},
    "device": {"preset": "gaussian"},
    "transfer": {"chips": 1},
}


def recipe(epochs: int, schedule: str = "constant", mode: str = "in-situ", **more: Any) -> Recipe:
    return recipe_from({**VALUES, "epochs": epochs, "mode": mode, "optimizer": {"schedule": schedule}, **more}, "test")


def without(summary: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in summary.items() if key not in keys}


@pytest.mark.parametrize("mode", ["in-situ", "ex-situ", "float"])
def test_a_lengthened_run_is_the_long_run_bit_for_bit(mode: str, tmp_path: Path) -> None:
    short = Run(recipe(1, mode=mode), tmp_path / "short").execute()
    assert short["epochs"] == 1
    longer = Run(recipe(3, mode=mode), tmp_path / "short", lengthen=True).execute()
    whole = Run(recipe(3, mode=mode), tmp_path / "whole").execute()
    assert without(longer, "wall_seconds", "notes") == without(whole, "wall_seconds", "notes")
    for name in ("checkpoint.safetensors", "recipe.toml"):
        assert (tmp_path / "short" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert longer["notes"] == ["lengthened from 1 to 3 epochs: the same numbers as those of a run of so many epochs"]
    # It is a finished run of three epochs now, with or without the option.
    assert Run(recipe(3, mode=mode), tmp_path / "short").execute() == longer


def test_with_a_schedule_over_the_epochs_the_numbers_are_others_and_the_summary_says_so(tmp_path: Path) -> None:
    Run(recipe(1, "cosine"), tmp_path / "run").execute()
    longer = Run(recipe(2, "cosine"), tmp_path / "run", lengthen=True).execute()
    assert re.search("lengthened from 1 to 2 epochs: .* cosine schedule over 1 epochs", longer["notes"][0])
    rates = [json.loads(line)["rates"][0] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    # Each epoch has the rate of the schedule that was in force: of one epoch, then of two.
    assert rates == pytest.approx([1e-3, 1e-3 * (1e-3 + (1 - 1e-3) * 0.5)])


def test_without_the_option_another_number_of_epochs_is_refused_with_the_remedy(tmp_path: Path) -> None:
    Run(recipe(2), tmp_path / "run").execute()
    with pytest.raises(
        InputError, match=r"epochs = 2, this one has 3; --lengthen to train it on, choose another --out"
    ):
        Run(recipe(3), tmp_path / "run").execute()
    with pytest.raises(InputError, match=r"epochs = 2, this one has 1; choose another --out, or --overwrite$"):
        Run(recipe(1), tmp_path / "run", lengthen=True).execute()
    with pytest.raises(InputError, match="holds a run with seed = 0, this one has 1"):
        Run(recipe(3, seed=1), tmp_path / "run", lengthen=True).execute()


@pytest.mark.parametrize("step", ["atomic_write", "unlink"])
def test_killed_while_it_is_lengthened_it_can_be_lengthened_again(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Run(recipe(1), tmp_path / "run").execute()
    whole = Run(recipe(2), tmp_path / "whole").execute()
    calls = 2 if step == "unlink" else 5
    for stop in range(calls):
        shutil.copytree(tmp_path / "run", tmp_path / f"copy{stop}")
        with monkeypatch.context() as patch:
            _kill_at(stop, step, patch)
            with pytest.raises(KeyboardInterrupt):
                Run(recipe(2), tmp_path / f"copy{stop}", lengthen=True).execute()
                raise KeyboardInterrupt
        found = Run(recipe(2), tmp_path / f"copy{stop}", lengthen=True).execute()
        assert without(found, "wall_seconds", "notes") == without(whole, "wall_seconds", "notes")
        assert found["notes"][0].startswith("lengthened from 1 to 2 epochs")


def _kill_at(stop: int, step: str, patch: pytest.MonkeyPatch) -> None:
    count = iter(range(1000))
    real = lengthen.atomic_write if step == "atomic_write" else Path.unlink

    def killed(*arguments: Any, **options: Any) -> Any:
        if next(count) == stop:
            raise KeyboardInterrupt
        return real(*arguments, **options)  # type: ignore[operator]

    if step == "atomic_write":
        patch.setattr(lengthen, "atomic_write", killed)
    else:
        patch.setattr(Path, "unlink", killed)


# --- defaults of other versions -----------------------------------------------------------------------------


def test_a_run_goes_on_with_the_defaults_that_it_began_with(tmp_path: Path) -> None:
    """A run of an earlier version, whose defaults for this device were a margin of 0.4 and a rate of 6e-3."""
    old = recipe_from({**VALUES, "epochs": 2, "device": {"preset": "gaussian", "margin": 0.4}}, "old")
    whole = Run(old, tmp_path / "whole").execute()
    now = recipe_from({**VALUES, "epochs": 2}, "now")
    assert now.device.margin != 0.4
    assert Run(now, tmp_path / "whole").execute() == whole
    # Interrupted before its summary.
    (tmp_path / "whole" / "summary.json").unlink()
    again = Run(now, tmp_path / "whole").execute()
    assert without(again, "wall_seconds") == without(whole, "wall_seconds")
    with pytest.raises(InputError, match=r"device\.margin = 0\.4, this one has 0\.3"):
        Run(
            recipe_from({**VALUES, "epochs": 2, "device": {"preset": "gaussian", "margin": 0.3}}, ""),
            tmp_path / "whole",
        ).execute()


def test_the_summary_says_which_margin_was_used_and_why(tmp_path: Path) -> None:
    device = Run(recipe(1), tmp_path / "run").execute()["device"]
    assert device["margin"] == 0.45
    assert device["margin_in_words"] == (
        "0.45 times the mean spacing of the 3 levels and 3 times their spread (the default of the device)"
    )
