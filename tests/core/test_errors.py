"""Messages of errors and warnings are one line of limited length."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from barkhausen.core.errors import LONGEST_LINE, InputError, InputWarning, one_line, shortened, warn
from barkhausen.core.renamed import RECIPE_KEYS, renamed_keys, renamed_setting
from barkhausen.experiment.recipe import load_recipe, recipe_from


def test_a_short_text_stays_and_a_long_one_keeps_both_ends() -> None:
    assert shortened("a" * 60) == "a" * 60
    text = shortened("begin" + "x" * 1000 + "end")
    assert (len(text), text[:5], text[-3:], text.count("…")) == (60, "begin", "end", 1)


def test_a_message_is_one_line_without_long_words() -> None:
    assert one_line("a\nb  c") == "a b c"
    line = one_line("key = " + "x" * 10_000 + ": unknown")
    assert line.startswith("key = xxx")
    assert line.endswith("x: unknown")
    assert len(line) < 300
    assert len(one_line("word " * 10_000)) <= LONGEST_LINE


@pytest.mark.parametrize("values", [{"mode": "x" * 5000}, {"x" * 5000: 1}, {"dataset": {"y" * 5000: 1}}])
def test_a_long_name_in_a_recipe_is_shortened(values: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        recipe_from(values, "recipe.toml")
    assert len(str(caught.value)) < 400
    assert "…" in str(caught.value) or "..." in str(caught.value)


def test_a_warning_is_given_at_the_line_outside_the_package() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn("something\nis odd")
    assert [(str(each.message), each.category, Path(each.filename)) for each in caught] == [
        ("something is odd", InputWarning, Path(__file__))
    ]


# --- a key under its old and its new name -------------------------------------------------------------------


def test_a_key_under_both_names_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"^optimizer\.memory_rate and optimizer\.latent_rate are two names of one key"
    ):
        renamed_keys({"optimizer": {"memory_rate": 1e-3, "latent_rate": 2e-3}}, RECIPE_KEYS)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_table_under_the_old_name_is_refused_and_not_dropped(tmp_path: Path) -> None:
    assert renamed_setting("optimizer.memory_rate.x=1", RECIPE_KEYS) == "optimizer.latent_rate.x=1"
    path = tmp_path / "recipe.toml"
    for name in ("memory_rate", "latent_rate"):
        path.write_text(f"[dataset]\nname = 'digits'\n[optimizer]\n{name} = 8e-3\n")
        with pytest.raises(InputError, match="'latent_rate' is not a table"):
            load_recipe(path, ["optimizer.memory_rate.x=1"])
    # As before, a setting under either name replaces the file's value.
    assert load_recipe(path, ["optimizer.memory_rate=1e-3"]).optimizer.latent_rate == 1e-3
