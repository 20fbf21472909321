from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from barkhausen.core.config import Parameters
from barkhausen.core.errors import InputError
from barkhausen.device import (
    CharacterisedDevice,
    DeviceParameters,
    EmpiricalStates,
    Racetrack,
    domain_wall_device,
    import_measured_csv,
)
from barkhausen.device.fitted import fitting_report

LENGTH = 512e-9
HEADER = "state,device,cycle,position_m\n"
ROWS = "low,A,1,1e-7\nhigh,A,1,4e-7\n"


GIVEN = DeviceParameters(track=Racetrack(length=LENGTH))


def imported(
    path: Path, text: str | bytes, parameters: Parameters | None = GIVEN, **arguments: Any
) -> CharacterisedDevice:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_measured_csv(path, parameters, **arguments)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return tmp_path / "measured.csv"


def positions(device: CharacterisedDevice) -> Any:
    return device.data["state_value"].values


def refused(path: Path, text: str | bytes, **arguments: Any) -> str:
    with pytest.raises(InputError) as caught:
        imported(path, text, **arguments)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert len(line.splitlines()) == 1
    return line.removeprefix(f"{path}: ")


def test_positions_arrive_at_their_state_device_and_cycle(csv: Path) -> None:
    text = "low,A,1,1e-7\nlow,A,2,1.1e-7\nlow,B,1,1.2e-7\nhigh,A,1,4e-7\nhigh,B,1,4.1e-7\nhigh,B,2,4.2e-7\n"
    device = imported(csv, HEADER + text)
    expected = [[[1e-7, 1.1e-7], [1.2e-7, math.nan]], [[4e-7, math.nan], [4.1e-7, 4.2e-7]]]
    np.testing.assert_array_equal(positions(device), expected)
    assert device.source == "measured"
    assert device.moments[0] / 1e-7 == pytest.approx([1.1, 4.1])
    attributes = json.loads(device.data.attrs["attributes"])
    assert attributes == {"imported_from": csv.name, "quantity": "position_m", "state_labels": ["low", "high"]}


def test_states_are_numbered_by_mean_position_whatever_their_labels_and_order(csv: Path) -> None:
    # 10 comes before 2 and 9 as text, and after them as a number; by position it lies between.
    text = "9,A,1,4e-7\n10,A,1,3e-7\n2,A,1,1e-7\n9,A,2,3.2e-7\n10,A,2,3.4e-7\n2,A,2,1e-7\n"
    device = imported(csv, HEADER + text)
    assert json.loads(device.data.attrs["attributes"])["state_labels"] == ["2", "10", "9"]
    assert positions(device)[:, 0].tolist() == [[1e-7, 1e-7], [3e-7, 3.4e-7], [4e-7, 3.2e-7]]


def test_columns_may_come_in_any_order_beside_others(csv: Path) -> None:
    device = imported(csv, "note,POSITION_M, cycle ,Device,state\nok,1e-7,1,A,low\n,4e-7,1,A,high\n")
    assert positions(device).ravel().tolist() == [1e-7, 4e-7]


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + (HEADER + ROWS).encode(),
        (HEADER + ROWS).replace("\n", "\r\n"),
        (HEADER + ROWS).rstrip("\n"),
        (HEADER + "\n , , , \n" + ROWS + "\n\n"),
        'state,"device",cycle,position_m\n"low",A,1,"1e-7"\nhigh,"A",1,4e-7\n',
        HEADER + " low , A , 1 , 1e-7 \nhigh,A,1,4e-7\n",
    ],
    ids=["byte-order mark", "CR LF", "no last line break", "blank lines", "quotes", "spaces"],
)
def test_spellings_of_the_same_table_are_the_same(csv: Path, text: str | bytes) -> None:
    device = imported(csv, text)
    assert positions(device).tolist() == [[[1e-7]], [[4e-7]]]
    assert json.loads(device.data.attrs["attributes"])["state_labels"] == ["low", "high"]


def test_labels_may_be_quoted_text_with_commas_and_any_letters(csv: Path) -> None:
    device = imported(csv, HEADER + '"low, or ""first""",α,1,1e-7\nhigh,α,1,4e-7\n')
    assert json.loads(device.data.attrs["attributes"])["state_labels"] == ['low, or "first"', "high"]


def test_conductances_become_positions_between_the_given_ends(csv: Path) -> None:
    text = "state,device,cycle,conductance_s\nlow,A,1,1.5e-3\nhigh,A,1,2.75e-3\n"
    device = imported(csv, text, conductance_range=(1e-3, 3e-3))
    assert positions(device).ravel() / LENGTH == pytest.approx([0.25, 0.875])
    assert not any("G_AP" in line for line in device.assumed)


def test_extremes_stand_in_for_ends_that_are_not_given_and_this_is_said(csv: Path) -> None:
    text = "state,device,cycle,conductance_s\nlow,A,1,1e-3\nmiddle,A,1,1.5e-3\nhigh,A,1,3e-3\n"
    device = imported(csv, text)
    assert positions(device).ravel() / LENGTH == pytest.approx([0, 0.25, 1])
    assert "G_AP = 0.001 S and G_P = 0.003 S are the extremes of the measured conductances" in device.assumed


def test_length_of_the_track_comes_from_the_parameters(csv: Path) -> None:
    track = DeviceParameters.model_validate({"track": {"length": 1e-6}})
    assert positions(imported(csv, HEADER + "a,A,1,1e-7\nb,A,1,9e-7\n", parameters=track)).max() == 9e-7
    text = "state,device,cycle,conductance_s\na,A,1,0.1\nb,A,1,0.3\n"
    device = imported(csv, text, parameters=track, conductance_range=(0.0, 0.4))
    assert positions(device).ravel() / 1e-6 == pytest.approx([0.25, 0.75])


def test_rounding_cannot_put_the_highest_conductance_off_the_track(csv: Path) -> None:
    # About one conductance in 400 has (length * g) / g above length.
    conductances = np.random.default_rng(0).random(20_000)
    unlucky = conductances[LENGTH * conductances / conductances > LENGTH]
    assert len(unlucky) > 10
    for value in unlucky[:10].tolist():
        text = f"state,device,cycle,conductance_s\nlow,A,1,{value / 2!r}\nhigh,A,1,{value!r}\n"
        assert positions(imported(csv, text, conductance_range=(0.0, value))).max() == LENGTH


@pytest.mark.parametrize("quantity", ["position_m", "conductance_s"])
def test_sigmas_of_a_made_up_device_are_recovered(csv: Path, quantity: str) -> None:
    sigma_device, sigma_cycle, devices, cycles = 0.03, 0.04, 150, 12
    generator = np.random.default_rng(0)
    mean = np.array([0.25, 0.5, 0.75])[:, None, None]
    offset = sigma_device * generator.standard_normal((3, devices, 1))
    place = mean + offset + sigma_cycle * generator.standard_normal((3, devices, cycles))
    value = LENGTH * place if quantity == "position_m" else 1e-3 + 2e-3 * place
    # A tenth of the cycles is missing.
    kept = generator.random(place.shape) < 0.9
    lines = [f"s{s},d{d},{c},{float(value[s, d, c])!r}" for s, d, c in np.argwhere(kept)]
    generator.shuffle(lines)
    ends = {} if quantity == "position_m" else {"conductance_range": (1e-3, 3e-3)}
    device = imported(csv, f"state,device,cycle,{quantity}\n" + "\n".join(lines), **ends)
    found_mean, found_device, found_cycle = (moment / LENGTH for moment in device.moments)
    # Standard errors for n = 10.8 cycles: sqrt(sd^2 / D + sc^2 / (D n)) of a mean; of the sigmas, from mean squares
    # with D - 1 and D (n - 1) degrees of freedom, (sd^2 + sc^2 / n) sqrt(2 / D) / (2 sd) and sc / sqrt(2 D (n - 1)).
    n = 0.9 * cycles
    error = math.sqrt((sigma_device**2 + sigma_cycle**2 / n) / devices)
    assert found_mean == pytest.approx(mean.ravel(), abs=4 * error)
    error = (sigma_device**2 + sigma_cycle**2 / n) * math.sqrt(2 / devices) / (2 * sigma_device)
    assert found_device == pytest.approx(np.full(3, sigma_device), abs=4 * error)
    assert found_cycle == pytest.approx(np.full(3, sigma_cycle), abs=4 * sigma_cycle / math.sqrt(2 * devices * (n - 1)))


BAD = [
    ("state,device,cycle\n" + ROWS, r"line 1: the header must be .* not 'state,device,cycle'; no column of values"),
    ("state,device,position_m\n" + ROWS, r"line 2: 4 fields, the header has 3; a decimal comma"),
    ("state;device;cycle;position_m\n", r"holds no rows"),
    ("state,device,cycle,position_m,conductance_s\n", r"line 1: the header must be"),
    ("state,state,device,cycle,position_m\n", r"line 1: the header must be"),
    ("state,device,cycle,position_m,position_m\n", r"line 1: the header must be"),
    (ROWS, r"line 1: the header must be .* not 'low,A,1,1e-7'"),
    ("", r"line 1: the header must be .* not ''"),
    (HEADER, r"holds no rows"),
    (HEADER + "\n,,,\n", r"holds no rows"),
    (HEADER + ROWS + "low,A,2\n", r"line 4: 3 fields, the header has 4"),
    (HEADER + ROWS + "low,A,2,1e-7,x\n", r"line 4: 5 fields, the header has 4"),
    (HEADER + "\n" + ROWS + "\nlow,A,2,1,2e-7\n", r"line 6: 5 fields, the header has 4"),
    (HEADER + "low,A,1,\n", r"all 1 values are missing"),
    (HEADER + "low,A,1,\nhigh,A,1,4e-7\n", r"all values of state low are missing"),
    (HEADER + ROWS + "low,A,2,1_0e-7\n", r"line 4: '1_0e-7' is not a number"),
    (HEADER + ROWS + "low,A,2,1e-7 m\n", r"line 4: '1e-7 m' is not a number"),
    (HEADER + ROWS + "low,A,2,-inf\n", r"line 4: '-inf' is not finite"),
    (HEADER + ROWS + ",A,2,1e-7\n", r"line 4: state, device and cycle must not be empty"),
    (HEADER + ROWS + "low, ,2,1e-7\n", r"line 4: state, device and cycle must not be empty"),
    (HEADER + ROWS + "low,A,,1e-7\n", r"line 4: state, device and cycle must not be empty"),
    (HEADER + ROWS + "low,A, 1,2e-7\n", r"line 4: state low, device A, cycle 1 was given in line 2 already"),
    (HEADER + ROWS + "low,A,2,6e-7\n", r"line 4: position 6e-07 m lies off the track of 5\.12e-07 m .*track\.length"),
    (HEADER + ROWS + "low,A,2,-1e-12\n", r"line 4: position -1e-12 m lies off the track"),
    (HEADER + "low,A,1,1e-7\n", r"the device has 1 state\(s\); a synapse needs 2 to 256"),
    (HEADER + "low,A,1,1e-7\nhigh,A,1,1e-7\n", r"mean values of states 0 and 1 .* distinct"),
    (HEADER + "low,A,1,1e-7\nhigh,B,1,4e-7\n", r"no device was seen in every state"),
    (HEADER + "".join(f"{s},A,1,{s}e-9\n" for s in range(300)), r"the device has 300 state\(s\)"),
    (HEADER + "x" * 200_000 + ",A,1,1e-7\n", r"line 2: field larger than field limit"),
    (b"\xff\xfe" + (HEADER + ROWS).encode("utf-16-le")[:-1], r"begins as UTF-16 text but cannot be read as such"),
    (b"\xef\xbb\xbflow,\xff", r"begins as UTF-8 text but cannot be read as such"),
    (b"\0" * 40, r"holds NUL characters"),
    (b"\xd0\xcf\x11\xe0" + b"x" * 40, r"is an Excel file of before 2007"),
    (b"PK\x03\x04" + b"x" * 40, r"cannot be read as an Excel workbook"),
]


def test_malformed_table_is_refused_with_its_line(csv: Path) -> None:
    for text, culprit in BAD:
        with pytest.raises(InputError, match=f"^{culprit}"):
            raise InputError(refused(csv, text))


@pytest.mark.parametrize(
    ("given_range", "culprit"),
    [
        ((2e-3, 1e-3), r"conductance range 0\.002 to 0\.001 S: must be rising and not negative"),
        ((1e-3, 1e-3), r"conductance range 0\.001 to 0\.001 S"),
        ((-1e-3, 1e-3), r"conductance range -0\.001 to 0\.001 S"),
        ((math.nan, 1e-3), r"conductance range nan to 0\.001 S"),
        ((1e-3, 2.5e-3), r"line 3: conductance 0\.003 S lies outside 0\.001 to 0\.0025 S"),
        ((2e-3, 4e-3), r"line 2: conductance 0\.001 S lies outside 0\.002 to 0\.004 S"),
    ],
)
def test_conductance_range_that_cannot_be_is_refused(csv: Path, given_range: tuple[float, float], culprit: str) -> None:
    text = "state,device,cycle,conductance_s\nlow,A,1,1e-3\nhigh,A,1,3e-3\n"
    with pytest.raises(InputError, match=f"^{culprit}"):
        raise InputError(refused(csv, text, conductance_range=given_range))


def test_conductance_range_has_no_place_beside_positions(csv: Path) -> None:
    assert "the file holds positions" in refused(csv, HEADER + ROWS, conductance_range=(1e-3, 3e-3))


def test_labels_that_never_repeat_are_refused_before_they_fill_the_memory(csv: Path) -> None:
    # 250 states, 2000 devices and 2000 cycles are a table of 8 GB.
    rows = "".join(f"s{i % 250},d{i},c{i},{2e-9 * (i % 250)}\n" for i in range(2000))
    assert "number the cycles anew for each device" in refused(csv, HEADER + rows)


def test_missing_file_and_directory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv: no such file"):
        import_measured_csv(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="is a directory, not a file"):
        import_measured_csv(tmp_path)


fields = st.sampled_from(
    ["low", "high", "A", "1", "2", "1e-7", "4e-7", "5.12e-7", "0", "-1", "nan", '"', "", " ", "\0"]
)
rows = st.lists(st.lists(fields | st.text(max_size=3), max_size=5).map(",".join), max_size=8).map("\n".join)
quantities = st.sampled_from(["position_m", "conductance_s"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text() | st.binary() | rows | st.builds(lambda q, r: f"state,device,cycle,{q}\n{r}", quantities, rows),
    ends=st.none() | st.tuples(st.floats(), st.floats()),
)
def test_any_text_is_a_device_or_refused_in_one_line(
    csv: Path, text: str | bytes, ends: tuple[float, float] | None
) -> None:
    try:
        device = imported(csv, text, conductance_range=ends)
    except InputError as error:
        assert str(error).startswith(f"{csv}: ")
        assert len(str(error).splitlines()) == 1
    else:
        assert device.distribution().levels[[0, -1]].tolist() == [-1, 1]


tables = st.dictionaries(
    st.tuples(st.sampled_from("ab"), st.sampled_from("AB"), st.sampled_from("12")),
    st.floats(0, LENGTH),
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables)
def test_any_table_keeps_every_measurement(csv: Path, table: dict[tuple[str, str, str], float]) -> None:
    text = HEADER + "".join(f"{','.join(key)},{value!r}\n" for key, value in table.items())
    try:
        device = imported(csv, text)
    except InputError as error:
        assert str(error).startswith(f"{csv}: ")
    else:
        found = positions(device)
        assert sorted(found[np.isfinite(found)]) == sorted(table.values())


def test_reads_are_priced_with_the_measured_conductances(tmp_path: Path) -> None:
    path = tmp_path / "micro.csv"
    path.write_text("state,device,cycle,conductance_s\n0,a,1,15e-6\n1,a,1,25e-6\n")
    device = import_measured_csv(path, GIVEN, conductance_range=(13e-6, 33e-6))
    # 0.1 V for 1 ns.
    assert device.energy("read") == pytest.approx([15e-6 * 1e-11, 25e-6 * 1e-11], rel=1e-9, abs=0)
    assert float(device.data["conductance_high"]) == 33e-6
    assert not any("resistance_area" in line or "tunnel_magnetoresistance" in line for line in device.assumed)


def rows_of(positions: np.ndarray) -> str:
    """A table as a laboratory would write it, states and devices by name."""
    lines = [f"s{s},d{d},{c},{float(positions[s, d, c])!r}" for s, d, c in np.argwhere(np.isfinite(positions))]
    return HEADER + "\n".join(lines)


def two_places(by_cycle: bool, seed: int) -> np.ndarray:
    """Three states; the wall of the middle one goes 30 nm left in 3 of 10 cases, of cycles or of devices."""
    generator = np.random.default_rng(seed)
    shape = (3, 32, 8)
    mean = LENGTH * np.array([0.2, 0.5, 0.8])[:, None, None]
    place = np.zeros(shape)
    place[1] = -30e-9 * (generator.random((32, 8 if by_cycle else 1)) < 0.3)
    offset, noise = 2e-9 * generator.standard_normal((*shape[:2], 1)), 3e-9 * generator.standard_normal(shape)
    return mean + place + offset + noise


@pytest.mark.parametrize("by_cycle", [True, False], ids=["cycles choose", "devices choose"])
@pytest.mark.parametrize("seed", [0, 1])
def test_mixture_in_a_table_is_recovered_within_its_intervals(csv: Path, by_cycle: bool, seed: int) -> None:
    positions = two_places(by_cycle, seed)
    positions[0, 5, 3] = math.nan
    device = imported(csv, rows_of(positions), fit=True, seed=seed)
    data = device.data
    assert data.attrs["distribution"] == "mixture"
    assert data["mixture_level"].values.tolist()[1] == (0 if by_cycle else 1)
    assert np.isfinite(data["mixture_weight"].values).sum(axis=1).tolist() == [1, 2, 1]
    total = math.hypot(2e-9, 3e-9)
    truth = {"weight": [0.3, 0.7], "mean": [0.5 * LENGTH - 30e-9, 0.5 * LENGTH], "sigma": [total, total]}
    for name, values in truth.items():
        low, high = np.moveaxis(data[f"mixture_{name}_interval"].values[1], -1, 0)
        assert (low <= values).all(), name
        assert (values <= high).all(), name
        assert (high - low < (0.5 if name == "weight" else 7e-9)).all(), name
    # What a synapse is programmed to goes to both places, 30 nm apart.
    noise = device.distribution().draw_noise(torch.ones(20_000, dtype=torch.int64))
    offsets = device.distribution().draw_devices(20_000)[:, 1]
    drawn = (noise if by_cycle else offsets).numpy() * 0.3 * LENGTH
    left = drawn < -6e-9
    assert left.mean() == pytest.approx(float(data["mixture_weight"][1, 0]), abs=0.05)
    assert drawn[~left].mean() - drawn[left].mean() == pytest.approx(30e-9, abs=2e-9)


TINY = np.array(
    [
        [[0.10, 0.12], [0.14, 0.16], [0.18, 0.20], [0.10, 0.12]],
        [[0.50, 0.54], [0.50, 0.54], [0.58, 0.62], [0.66, math.nan]],
    ]
)


def test_statistics_of_a_tiny_table_by_hand(csv: Path) -> None:
    device = imported(csv, rows_of(LENGTH * TINY), fit=True)
    first, second = fitting_report(device)
    # Means of devices 0.11, 0.15, 0.19, 0.11 about 0.14; mean square within 4 * 2 * 0.01² / 4 = 2e-4, between
    # 2 (9 + 1 + 25 + 9) 1e-4 / 3 = 44/15000, sigma_d² = (44/15000 - 2e-4) / 2.
    assert first.mean == pytest.approx(0.14 * LENGTH, rel=1e-9, abs=0)
    assert first.sigma_cycle == pytest.approx(math.sqrt(2e-4) * LENGTH, rel=1e-9, abs=0)
    assert first.sigma_device == pytest.approx(math.sqrt((44 / 15000 - 2e-4) / 2) * LENGTH, rel=1e-9, abs=0)
    assert (first.devices, first.cycles, second.devices, second.cycles) == (4, 8, 4, 7)
    # Four devices are too few for intervals.
    assert all(math.isnan(end) for end in (*first.sigma_cycle_interval, *first.sigma_device_interval))
    # Seven values: 3 x 0.52, 0.60 twice and 0.66 once are their devices' means; 3.94 in all.
    assert second.mean == pytest.approx(3.94 / 7 * LENGTH, rel=1e-9, abs=0)
    # Distance of the eight values from the normal distribution that was fitted, by its definition.
    sigma = math.hypot(first.sigma_device, first.sigma_cycle) / LENGTH
    below = ndtr((np.sort(TINY[0].ravel()) - 0.14) / sigma)
    distance = max((np.arange(1, 9) / 8 - below).max(), (below - np.arange(8) / 8).max())
    assert float(device.data["fit_distance"][0, 0]) == pytest.approx(distance)
    # And for the rate of read errors.
    assert math.isnan(first.read_error_rate)
    assert np.isnan(device.data["read_error_interval"].values[0]).all()
    assert first.overlap_with_next < 0.01
    assert math.isnan(second.overlap_with_next)
    assert (first.failure_rate, first.components, first.level) == (0, 1, "")
    assert first.distribution == device.data.attrs["distribution"]


def test_report_of_a_mixture_names_its_parts_and_overlap(csv: Path) -> None:
    device = imported(csv, rows_of(two_places(True, 2)), fit=True)
    rows = fitting_report(device)
    assert [(row.distribution, row.components, row.level) for row in rows] == [
        ("mixture", 1, ""),
        ("mixture", 2, "cycle"),
        ("mixture", 1, ""),
    ]
    assert [row.state for row in rows] == [0, 1, 2]
    assert rows[1].distance == float(device.data["fit_distance"][1, 1])
    assert rows[1].p_value == float(device.data["fit_p_value"][1, 1])
    assert rows[1].overlap_with_next == float(device.data["overlap"][1, 2])


def test_report_of_a_file_without_statistics_says_what_it_knows(csv: Path) -> None:
    rows = fitting_report(imported(csv, HEADER + ROWS))
    assert [(row.devices, row.cycles, row.distribution, row.components) for row in rows] == [(1, 1, "empirical", 1)] * 2
    assert [row.mean for row in rows] == pytest.approx([1e-7, 4e-7], rel=1e-9, abs=0)
    assert all(math.isnan(row.p_value) and math.isnan(row.sigma_cycle_interval[0]) for row in rows)


def test_failures_are_reported_by_state() -> None:
    outcome = np.zeros(TINY.shape, np.int8)
    outcome[1, 3, 1] = 2
    device = domain_wall_device(LENGTH * TINY, DeviceParameters(), source="micromagnetics", outcome=outcome)
    assert [row.failure_rate for row in fitting_report(device)] == [0, 1 / 8]


def test_fit_of_too_few_devices_is_refused_with_the_file(csv: Path) -> None:
    assert refused(csv, HEADER + ROWS, fit=True).startswith(
        "state 0 was seen in 1 device(s); a distribution is chosen by"
    )


def test_import_without_a_fit_is_what_it_was(csv: Path) -> None:
    device = imported(csv, rows_of(LENGTH * TINY))
    assert device.data.attrs["distribution"] == "empirical"
    assert not [name for name in device.data if str(name).startswith(("fit_", "mixture_", "overlap", "bandwidth_"))]
    assert isinstance(device.distribution(), EmpiricalStates)
