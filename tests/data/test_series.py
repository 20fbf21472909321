"""Time series: windows and splits by hand, Mackey-Glass against another integrator, files verified by their values."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from barkhausen.core.errors import InputError
from barkhausen.data import load_dataset
from barkhausen.data.published import beside_repository
from barkhausen.data.series.mackey_glass import mackey_glass
from barkhausen.data.series.table import filled, numbers
from barkhausen.data.series.windows import SeriesOptions, windows_of

SHARED = Path(os.environ["BARKHAUSEN_DATA"]) if os.environ.get("BARKHAUSEN_DATA") else beside_repository()


def test_windows_and_split_are_those_by_hand() -> None:
    options = SeriesOptions(look_back=3, spacing=2, horizon=3, split=0.7)
    data = windows_of("counting", "made up", np.arange(20.0), "m", options)
    # The first window is 0, 2, 4; three steps after its last value is 7. Values 0 to 13 are for training.
    assert data.train_inputs[0].tolist() == [0, 2, 4]
    assert data.train_labels[:, 0].tolist() == list(range(7, 14))
    assert data.test_labels[:, 0].tolist() == list(range(14, 20))
    assert data.test_inputs[0].tolist() == [7, 9, 11]
    assert (data.image_shape, data.classes, data.target_unit) == ((3, 1), 1, "m")


def test_the_scaler_knows_the_training_part_alone() -> None:
    values = np.concatenate([np.arange(12.0), np.full(6, 1e4)])
    data = windows_of("jump", "made up", values, "", SeriesOptions(look_back=2, split=2 / 3))
    scaled = data.standardised()
    assert scaled.target_offset == np.arange(12.0).mean()
    assert scaled.target_scale == pytest.approx(np.arange(12.0).std())
    back = scaled.test_labels.double() * scaled.target_scale + scaled.target_offset
    torch.testing.assert_close(back, data.test_labels.double(), rtol=1e-6, atol=0)
    # Validation windows are the last ones, and no part of what scales.
    held = data.with_validation(3)
    assert held.test_labels[:, 0].tolist() == [9, 10, 11]
    assert held.train_labels[:, 0].tolist() == list(range(2, 9))
    assert held.standardised().target_offset == np.arange(9.0).mean()
    assert (held.symmetric().target_offset, held.symmetric().target_scale) == (4, 4)
    with pytest.raises(InputError, match="must be from 1 to 9, because jump has 10 training windows"):
        data.with_validation(10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"look_back": 90}, "too few for windows of 91 steps"),
        ({"values": 200}, "values = 200: jump has 100 values"),
    ],
)
def test_windows_that_do_not_fit_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        windows_of("jump", "made up", np.arange(100.0), "", SeriesOptions(**options))
    with pytest.raises(InputError, match="value 3 is not finite"):
        windows_of("jump", "made up", np.array([0, 1, np.nan, 2]), "", SeriesOptions(look_back=1))


def test_mackey_glass_is_that_of_another_integrator() -> None:
    # Method of steps: on each interval of one delay an ordinary equation, with the dense output of the interval before.
    delay, start, before, expected = 17, 1.2, None, [1.2]
    for number in range(18):

        def slope(t: float, x: np.ndarray, before=before) -> np.ndarray:
            delayed = 0.0 if before is None else before(t - delay)
            return 0.2 * delayed / (1 + delayed**10) - 0.1 * x

        begin = number * delay
        found = solve_ivp(
            slope, (begin, begin + delay), [start], method="DOP853", rtol=1e-12, atol=1e-12, max_step=0.5,
            dense_output=True,
        )  # fmt: skip
        before, start = found.sol, found.y[0, -1]
        expected += found.sol(begin + 1 + np.arange(delay))[0].tolist()
    assert np.abs(mackey_glass(18 * delay) - expected).max() < 1e-8
    data = load_dataset("mackey-glass", options={"values": 200})
    assert len(data.train_labels) + len(data.test_labels) == 200 - 24


def test_empty_cells_lie_on_a_line_where_there_may_be_some() -> None:
    cells = ["1", "", "", "4", "", "2"]
    assert filled(np.array(numbers(Path("f"), cells, 3))).tolist() == [1, 2, 3, 4, 3, 2]
    for empty in (0, 2):
        with pytest.raises(InputError, match="'' is no number"):
            numbers(Path("f"), cells, empty)


TEN_MINUTES = Path("household-power") / "household_power_2008_10min.csv.gz"


@pytest.mark.skipif(SHARED is None or not (SHARED / TEN_MINUTES).is_file(), reason="needs the shared data sets")
def test_ten_minutes_of_the_household_average_to_its_hours() -> None:
    """All but 13 of the hours of 2008 agree; the gaps of 25 October and 10 December are filled."""
    assert SHARED is not None
    options = {"look_back": 1, "horizon": 1}
    fine, hours = (
        torch.cat([data.known, data.test_labels[:, 0].double()]).numpy()
        for data in (
            load_dataset("household-power-10-minutes", SHARED, options=options),
            load_dataset("household-power", SHARED, options=options),
        )
    )
    assert len(fine) == 366 * 144
    first = 15 * 24 + 7  # from 2006-12-16 17:00 to the new year
    year = hours[first + 365 * 24 :][: 366 * 24]
    assert (np.abs(fine.reshape(-1, 6).mean(axis=1) - year) > 1e-3).sum() <= 20
    missing = (25 + 273) * 144 + 63  # 25 October, 10:30
    np.testing.assert_allclose(np.diff(fine[missing - 1 : missing + 5], 2), 0, atol=1e-6)
    assert load_dataset("household-power-10-minutes", SHARED).image_shape == (144, 1)


@pytest.mark.skipif(SHARED is None or not (SHARED / "airline-passengers").is_dir(), reason="needs the shared data sets")
def test_published_series_are_read_and_verified(tmp_path: Path) -> None:
    assert SHARED is not None
    airline = load_dataset("airline-passengers", SHARED)
    assert (len(airline.train_labels), len(airline.test_labels)) == (84, 48)
    assert airline.train_inputs[0, :3].tolist() == [112, 118, 132]
    assert float(load_dataset("santa-fe-laser", SHARED).train_inputs.max()) == 255
    folder = tmp_path / "airline-passengers"
    shutil.copytree(SHARED / "airline-passengers", folder)
    path = folder / "airline_passengers.csv"
    path.chmod(0o644)
    text = path.read_text().replace("112", "111", 1)
    # Other headings and line ends are the same series; another number is another one.
    path.write_text(text.replace("111", "112", 1).replace("month,", "Month,").replace("\n", "\r\n"))
    assert torch.equal(load_dataset("airline-passengers", tmp_path).train_inputs, airline.train_inputs)
    path.write_text(text)
    with pytest.raises(InputError, match="its values are not the published ones"):
        load_dataset("airline-passengers", tmp_path)
    path.write_text(text.replace("118", "many", 1))
    with pytest.raises(InputError, match="row 2: 'many' is no number"):
        load_dataset("airline-passengers", tmp_path)
