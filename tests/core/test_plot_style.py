"""The style of figures: what it sets, and what it leaves alone."""

from __future__ import annotations

import matplotlib as mpl
import pytest

from barkhausen.core.display.plot_style import POINTS, one_column, ordered_colours


def test_settings_are_as_before_afterwards_even_after_an_error() -> None:
    before = dict(mpl.rcParams)
    with pytest.raises(RuntimeError), one_column():
        assert mpl.rcParams["font.size"] == POINTS
        raise RuntimeError
    assert dict(mpl.rcParams) == before


def test_what_else_is_set_meanwhile_stays() -> None:
    """A notebook's backend turns interactive mode on when the first figure loads it."""
    before = mpl.rcParams["interactive"]
    try:
        with one_column():
            mpl.rcParams["interactive"] = not before
        assert mpl.rcParams["interactive"] is not before
    finally:
        mpl.rcParams["interactive"] = before


@pytest.mark.parametrize("number", [1, 2, 16])
def test_ordered_colours_are_all_different(number: int) -> None:
    assert len(set(ordered_colours(number))) == number
