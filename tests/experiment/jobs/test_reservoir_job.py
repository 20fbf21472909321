"""Forecasts as tasks: naive methods against known values, recurrent networks, choices, and wrong recipes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from barkhausen.core.config import validated
from barkhausen.core.errors import InputError
from barkhausen.data.series.mackey_glass import mackey_glass
from barkhausen.experiment.reservoir.series import forecast_series
from barkhausen.experiment.reservoir.settings import ForecastRecipe
from barkhausen.experiment.reservoir.study import study

SHORT = {
    "lead": 60, "training": 300, "validation": 60, "validation_steps": 30, "test": 80, "steps": 30, "origins": 3
}  # fmt: skip


def recipe(method: str, options: Mapping[str, object] | None = None, **others: object) -> ForecastRecipe:
    series = {**SHORT, **others.pop("series", {})}  # type: ignore[dict-item]
    return validated(ForecastRecipe, {"method": method, "options": options or {}, "series": series, **others}, "recipe")


def test_parts_of_a_series_follow_one_another_and_scale_by_the_training() -> None:
    series = forecast_series(recipe("persistence").series, None)
    raw = mackey_glass(118 + 499)[118:]
    known = raw[60:360]
    np.testing.assert_allclose(series.offset + series.scale * series.values, raw, atol=1e-6)
    assert (known.min() - series.offset) / series.scale == pytest.approx(-1)
    assert series.test_origins().tolist() == [419, 444, 469]
    truth = series.truth(series.test_origins(), 30)
    np.testing.assert_allclose(series.offset + series.scale * truth[0], raw[420:450], atol=1e-6)
    direct = forecast_series(recipe("persistence", series={"mode": "direct"}).series, None)
    assert direct.test_origins().tolist() == list(range(419, 470))


def test_naive_forecasts_repeat_what_they_say() -> None:
    raw = mackey_glass(118 + 499)[118:]
    spread = raw[60:360].std()
    for method, back in (("persistence", np.zeros(30, int)), ("seasonal", 6 - np.arange(30) % 7)):
        found = study(recipe(method, series={"period": 7}))
        wanted = raw[np.array([419, 444, 469])[:, None] - back]
        truth = raw[np.array([419, 444, 469])[:, None] + np.arange(1, 31)]
        assert found.row["nrmse"] == pytest.approx(float(np.sqrt(((wanted - truth) ** 2).mean()) / spread), rel=1e-5)
        assert found.row["forecast_femtojoule"] is None


def test_the_choice_is_that_of_the_validation_part_and_the_rules_agree() -> None:
    taps, penalties = [2, 12], [1e-9, 1.0]
    rows = {}
    for rule in ("ridge", "recursive"):
        read_out = {"rule": rule, "taps": taps, "penalties": penalties, "washout": 30, "segments": 2}
        rows[rule] = study(recipe("echo-state", {"units": 30}, read_out=read_out, one_step=40)).row
        assert (rows[rule]["taps"], rows[rule]["penalty"]) == (12, 1e-9)
        # 30 units of 3 recurrent weights, input and bias, and 360 weights of the read-out.
        assert rows[rule]["multiply_add_femtojoule"] == pytest.approx((30 * 5 + 360) * 4600)
        assert rows[rule]["weights"] == 361 and rows[rule]["one_step_nrmse"] < 0.02
    assert rows["ridge"]["nrmse"] < 0.1
    direct = recipe("autoregression", series={"mode": "direct", "steps": 6}, read_out={"taps": [20]})
    assert study(direct).row["nrmse"] < study(recipe("persistence", series={"mode": "direct", "steps": 6})).row["nrmse"]


@pytest.mark.parametrize("method", ["lstm", "seq2seq"])
@pytest.mark.parametrize("mode", ["autonomous", "direct"])
def test_recurrent_networks_learn_and_are_the_same_again(method: str, mode: str) -> None:
    options = {"hidden": 8, "window": 20, "unroll": 8, "updates": 40, "check_every": 20, "batch": 8, "rate": 0.02}
    how = recipe(method, options, series={"mode": mode, "steps": 6, "validation_steps": 6})
    one = study(how)
    if method == "lstm":
        assert study(how).row == one.row
    assert one.row["nrmse"] < 0.85
    # One LSTM step is 4 h (h + 1) multiply-adds, at 4.6 pJ each on the default chip.
    assert one.row["multiply_add_femtojoule"] >= 4 * 8 * 9 * 4600


def test_runs_of_a_magnetic_reservoir_are_kept(tmp_path: Path) -> None:
    how = recipe(
        "macrospin",
        {"virtual_nodes": 4, "temperature": 300.0, "copies": 4},
        series={"training": 60, "validation": 8, "validation_steps": 4, "test": 8, "steps": 4, "origins": 2},
        read_out={"taps": [3], "washout": 8, "segments": 4, "penalties": [1e-3]},
        capacity={"bits": 40, "delays": 4},
    )
    first = study(how, folder=tmp_path)
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    assert len(files) == 4
    again = study(how, folder=tmp_path)
    assert again.row == first.row and files == {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    # Four junctions, four nodes each: 0.1 V for 50 ps through 40 nm x 40 nm of 10 ohm um2, between G_AP and G_P.
    parallel = 1e-2 * (40e-9**2 / 1e-11) * 50e-12 * 16 * 1e15
    assert parallel / 2.5 < first.row["reads_femtojoule"] < parallel


def test_wrong_recipes_are_told_in_a_line() -> None:
    cases: list[tuple[dict[str, object], str]] = [
        ({"method": "skyrmium"}, "no such method of forecasting"),
        ({"series": {"name": "mnist-1d"}}, "series.name"),
        ({"series": {"steps": 5000}}, "test = 1250: must hold the 5000 values"),
        ({"series": {"mode": "direct", "training": 20, "steps": 24}}, "must be more than the 24"),
        ({"series": {"lead": 10}}, "must be at least read_out.washout"),
        ({"read_out": {"penalties": [-1.0]}}, "penalties"),
        ({"options": {"hidden": 3}}, "unknown key 'hidden'"),
        ({"method": "lstm", "options": {"window": 1}}, "window = 1"),
    ]
    for given, words in cases:
        with pytest.raises(InputError, match=words) as caught:
            validated(ForecastRecipe, given, "recipe")
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="is no series"):
        study(recipe("persistence", series={"name": "digits"}))
