from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from barkhausen.core.errors import InputError, InputWarning
from barkhausen.device import CharacterisedDevice, DeviceParameters, Racetrack
from barkhausen.device.importers.mumax3 import import_mumax3_tables as import_tables

LENGTH = DeviceParameters().track.length
HEADER = "# t (s)\tmx ()\tmy ()\tmz ()\twall_position (m)\n"
Row = tuple[float, float, float]
GIVEN = DeviceParameters(track=Racetrack(length=LENGTH))


def import_mumax3_tables(tables: Any, parameters: DeviceParameters = GIVEN, **options: Any) -> CharacterisedDevice:
    """Import with a track length that is given."""
    return import_tables(tables, parameters, **options)


def table(path: Path, rows: Sequence[Row], header: str = HEADER) -> Path:
    """A table as mumax3 writes it; rows are time, mean m_z and wall position."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header + "".join(f"{t!r}\t0.01\t-0.02\t{mz!r}\t{x!r}\n" for t, mz, x in rows))
    return path


def ends(mz: float = 0.0, position: float = 0.5 * LENGTH, end: float = 1e-9) -> list[Row]:
    return [(0.0, 0.9, 0.9 * LENGTH), (0.5 * end, 0.5, 0.4 * LENGTH), (end, mz, position)]


def place(root: Path, state: str, device: str = "0", cycle: str = "0") -> Path:
    return root / f"state{state}_device{device}_cycle{cycle}.out" / "table.txt"


def positions(device: CharacterisedDevice) -> Any:
    return device.data["state_value"].values


def refused(*arguments: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        import_mumax3_tables(*arguments, **options)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.fixture
def known(tmp_path: Path) -> np.ndarray:
    """Tables of three states, four devices and three cycles in tmp_path; their known positions."""
    noise = np.random.default_rng(3)
    means = np.array([0.2, 0.5, 0.8])[:, None, None] * LENGTH
    values: np.ndarray = means + noise.normal(0, 0.02 * LENGTH, (3, 4, 3))
    # Labels that neither text nor directory order puts where they belong.
    for state, label in enumerate(("low", "mid", "high")):
        for device in range(4):
            for cycle in range(3):
                x = float(values[state, device, cycle])
                table(place(tmp_path, label, str(8 + device), str(9 + cycle)), ends(2 * x / LENGTH - 1, x))
    (tmp_path / "statelow_device8_cycle9.out" / "log.txt").write_text("//not a table\n")
    return values


def test_positions_of_a_column_come_back_exactly_at_state_device_and_cycle(tmp_path: Path, known: np.ndarray) -> None:
    device = import_mumax3_tables(tmp_path, column="wall_position")
    np.testing.assert_array_equal(positions(device), known)
    attributes = json.loads(device.data.attrs["attributes"])
    assert attributes["state_labels"] == ["low", "mid", "high"]
    assert (attributes["tables"], attributes["quantity"]) == (36, "wall_position")
    assert device.source == "simulated"


def test_positions_from_mean_mz_come_back_to_rounding(tmp_path: Path, known: np.ndarray) -> None:
    device = import_mumax3_tables(tmp_path)
    np.testing.assert_allclose(positions(device), known, rtol=0, atol=1e-15 * LENGTH * 1e3)
    mirrored = import_mumax3_tables(tmp_path, left=-1)
    np.testing.assert_allclose(positions(mirrored), LENGTH - known[::-1], rtol=0, atol=1e-15 * LENGTH * 1e3)
    assert json.loads(mirrored.data.attrs["attributes"])["state_labels"] == ["high", "mid", "low"]


def test_what_was_assumed_is_said(tmp_path: Path, known: np.ndarray) -> None:
    up, down, column = (
        import_mumax3_tables(tmp_path, **options).assumed
        for options in ({}, {"left": -1, "domain_mz": 0.95}, {"column": "wall_position", "average": 0.25e-9})
    )
    assert up[0].startswith("wall positions are x = L/2 (1 + m_z) from the mean m_z of the last row: the left domain")
    assert "points up, |m_z| in the domains is 1," in up[0]
    assert "(1 - m_z/0.95)" in down[0]
    assert "points down, |m_z| in the domains is 0.95," in down[0]
    assert column[0] == "wall positions are mumax3's column 'wall_position' averaged over the last 2.5e-10 s"
    assert up[1] == "the walls are at rest at the end of the tables, 1e-09 s"
    assert set(GIVEN.assumed()) <= set(up)


def test_unsaturated_domains_do_not_draw_the_wall_to_the_middle(tmp_path: Path) -> None:
    for label, x in (("a", 0.25), ("b", 0.9)):
        table(place(tmp_path, label), ends(0.95 * (2 * x - 1)))
    device = import_mumax3_tables(tmp_path, domain_mz=0.95)
    np.testing.assert_allclose(positions(device).ravel(), [0.25 * LENGTH, 0.9 * LENGTH], rtol=1e-12)
    drawn = import_mumax3_tables(tmp_path)
    assert positions(drawn).ravel()[1] == pytest.approx(0.88 * LENGTH)


def test_a_column_that_counts_from_the_middle_is_shifted(tmp_path: Path) -> None:
    for label, x in (("a", -0.3), ("b", 0.2)):
        table(place(tmp_path, label), ends(position=x * LENGTH))
    device = import_mumax3_tables(tmp_path, column="wall_position", offset=LENGTH / 2)
    np.testing.assert_allclose(positions(device).ravel(), [0.2 * LENGTH, 0.7 * LENGTH], rtol=1e-12)
    assert "plus 2.56e-07 m" in device.assumed[0]


def test_the_mean_over_the_end_is_weighted_by_time(tmp_path: Path) -> None:
    # Constant but for one brief excursion that has many rows, and a last row that is written twice.
    rows = [(0.0, 0.0, 3e-7), (5e-10, 0.0, 1e-7)]
    rows += [(5e-10 + k * 1e-12, 0.0, 1e-7 + 1e-8 * min(k, 20 - k)) for k in range(1, 21)]
    rows += [(1e-9, 0.0, 1e-7), (1e-9, 0.0, 1e-7)]
    table(place(tmp_path, "a"), rows)
    table(place(tmp_path, "b"), [(t, mz, x + 1e-7) for t, mz, x in rows])
    device = import_mumax3_tables(tmp_path, column="wall_position", average=5e-10)
    excursion = 20e-12 * 1e-7 / 2 / 5e-10
    assert positions(device).ravel() == pytest.approx([1e-7 + excursion, 2e-7 + excursion], rel=1e-9)
    # A window that begins between two rows begins on the line between them.
    half = import_mumax3_tables(tmp_path, column="wall_position", average=7.5e-10)
    before = (2e-7 + 1e-7) / 2 * 2.5e-10
    assert positions(half).ravel()[0] == pytest.approx((before + 5e-10 * (1e-7 + excursion)) / 7.5e-10, rel=1e-9)


def test_missing_cycles_are_left_empty(tmp_path: Path) -> None:
    for labels, x in ((("a", "0", "0"), 0.2), (("a", "0", "1"), 0.3), (("b", "0", "1"), 0.7)):
        table(place(tmp_path, *labels), ends(position=x * LENGTH))
    device = import_mumax3_tables(tmp_path, column="wall_position")
    np.testing.assert_array_equal(positions(device), np.array([[[0.2, 0.3]], [[math.nan, 0.7]]]) * LENGTH)


def test_the_pattern_is_the_users_and_files_may_be_listed(tmp_path: Path) -> None:
    paths = [
        table(tmp_path / name, ends(position=x * LENGTH))
        for name, x in (("V-0.5/wafer 1/r2.txt", 0.1), ("V+0.5/wafer 1/r2.txt", 0.6), ("V+0.5/wafer 1/r10.txt", 0.7))
    ]
    pattern = "V{state}/{device}/r{cycle}.txt"
    expected = np.array([[[0.1, math.nan]], [[0.6, 0.7]]]) * LENGTH
    for tables in (tmp_path, paths, [str(path) for path in reversed(paths)]):
        device = import_mumax3_tables(tables, column="wall_position", pattern=pattern)
        np.testing.assert_array_equal(positions(device), expected)
    assert json.loads(device.data.attrs["attributes"])["state_labels"] == ["-0.5", "+0.5"]


def test_fields_that_the_pattern_leaves_out_have_one_value(tmp_path: Path) -> None:
    for label, x in (("1", 0.2), ("2", 0.6)):
        table(tmp_path / f"{label}.out" / "table.txt", ends(position=x * LENGTH))
    device = import_mumax3_tables(tmp_path, column="wall_position", pattern="{state}.out/table.txt")
    assert positions(device).shape == (2, 1, 1)
    assert json.loads(device.data.attrs["attributes"])["state_labels"] == ["1", "2"]


def test_spellings_of_the_same_table_are_the_same(tmp_path: Path) -> None:
    for label, x in (("a", 0.2), ("b", 0.6)):
        path = table(place(tmp_path, label), ends(position=x * LENGTH))
        text = path.read_text().replace("\n", "\r\n").replace("\r\n0.0", "\r\n# printed by the script\r\n\r\n0", 1)
        path.write_bytes(text.encode())
    device = import_mumax3_tables(tmp_path, column="wall_position")
    assert positions(device).ravel().tolist() == [0.2 * LENGTH, 0.6 * LENGTH]


def test_mz_that_rounding_left_beyond_one_is_the_end_of_the_track(tmp_path: Path) -> None:
    for label, mz in (("a", -1.0000001), ("b", 1.0000001)):
        table(place(tmp_path, label), ends(mz))
    assert positions(import_mumax3_tables(tmp_path)).ravel().tolist() == [0.0, LENGTH]


def test_the_length_is_that_of_the_parameters(tmp_path: Path) -> None:
    for label, mz in (("a", -0.5), ("b", 0.5)):
        table(place(tmp_path, label), ends(mz))
    device = import_mumax3_tables(tmp_path, DeviceParameters(track=Racetrack(length=1e-6)))
    assert positions(device).ravel().tolist() == pytest.approx([0.25e-6, 0.75e-6])


MALFORMED: list[tuple[str, str]] = [
    ("", "line 1: is not the header of a mumax3 table"),
    ("0\t1\t2\n", "line 1: is not the header"),
    ("# t (s)\tmx ()\tmy ()\n", "line 1: no column 'mz'; known: mx, my, t"),
    (HEADER, "holds no rows"),
    (HEADER + "0\t0\t0\t0\t0\n1e-9\t0\t0\n", "line 3: 3 fields, the header has 5"),
    (HEADER + "0\t0\t0\t0\t0\n1e-9\t0\t0\tlots\t0\n", "line 3: mz = 'lots' is not a number"),
    (HEADER + "0\t0\t0\t0\t0\n1e-9\t0\t0\tNaN\t0\n", "line 3: mz = NaN is not finite"),
    (HEADER + "0\t0\t0\t0\t0\n1e-9\t+Inf\t0\t0\t0\n", "line 3: mx = +Inf is not finite"),
    (HEADER + "0\t0\t0\t0\t0\nNaN\t0\t0\t0\t0\n", "line 3: t = NaN is not finite"),
    (HEADER + "1e-9\t0\t0\t0\t0\n5e-10\t0\t0\t0\t0\n", "line 3: goes back in time, from 1e-09 s to 5e-10 s"),
    (HEADER + "0\t0\t0\t0\t0\n1e-9\t0\t0\t1.2\t0\n", "line 3: m_z = 1.2 is more than the domains have"),
]


def test_a_malformed_table_is_named_with_its_line(tmp_path: Path) -> None:
    for text, message in MALFORMED:
        table(place(tmp_path, "a"), ends())
        bad = place(tmp_path, "b")
        bad.parent.mkdir(exist_ok=True)
        bad.write_text(text)
        assert refused(tmp_path).startswith(f"{bad}: {message}")


def test_rows_that_are_no_use_here_may_hold_anything(tmp_path: Path) -> None:
    for label, mz in (("a", -0.5), ("b", 0.5)):
        table(place(tmp_path, label), [(0.0, mz, math.nan), (1e-9, mz, math.nan)])
    assert positions(import_mumax3_tables(tmp_path)).ravel().tolist() == [0.25 * LENGTH, 0.75 * LENGTH]
    assert "line 2: wall_position = nan is not finite" in refused(tmp_path, column="wall_position")


def test_a_table_that_ends_early_is_named_with_its_last_line(tmp_path: Path) -> None:
    table(place(tmp_path, "a"), ends(0.1))
    early = table(place(tmp_path, "b"), [*ends(0.5)[:2], (0.99e-9, 0.5, 0.0)])
    assert refused(tmp_path) == f"{early}: line 4: ends at 9.9e-10 s, others reach 1e-09 s; was it interrupted?"
    table(early, [*ends(0.5)[:2], (0.999e-9, 0.5, 0.0)])
    assert positions(import_mumax3_tables(tmp_path)).shape == (2, 1, 1)


def test_labels_given_twice_are_named(tmp_path: Path) -> None:
    first = table(place(tmp_path / "monday", "a"), ends())
    second = table(place(tmp_path / "tuesday", "a"), ends())
    assert refused(tmp_path) == f"{second}: state a, device 0, cycle 0 was given by {first} already"


@pytest.mark.parametrize("name", ["stateb_device0.out", "oldstateb_device0_cycle0.out"])
def test_a_table_whose_path_does_not_match_is_named(tmp_path: Path, name: str) -> None:
    table(place(tmp_path, "a"), ends())
    stray = table(tmp_path / name / "table.txt", ends())
    assert refused(tmp_path).startswith(f"{stray}: does not match the pattern 'state{{state}}_device")


OPTIONS_THAT_DO_NOT_FIT: list[tuple[dict[str, Any], str]] = [
    ({"column": "ext_dwpos"}, "no column 'ext_dwpos'"),
    ({"column": "mz"}, "line 1: column 'mz ()' is not in m"),
    ({"column": "wall_position", "offset": 0.9 * LENGTH}, "line 4: position 7.168e-07 m lies off the track"),
    ({"offset": 1e-9}, "offset: needs column"),
    ({"offset": math.nan, "column": "mz"}, "offset = nan"),
    ({"left": 2}, "left = 2"),
    ({"domain_mz": 0.0}, "domain_mz = 0.0"),
    ({"average": 0.0}, "average = 0.0"),
    ({"average": 2e-9}, "line 4: the table spans 1e-09 s, less than average = 2e-09 s"),
    ({"pattern": "state{state}_{wafer}.txt"}, "no field '{wafer}'"),
    ({"pattern": "{state}_{state}.txt"}, "{state} is named twice"),
    ({"pattern": "{device}.txt"}, "needs {state}"),
    ({"pattern": "{state.txt"}, "pattern '{state.txt': expected '}'"),
    ({"pattern": "{state}/nothing.txt"}, "holds no table for the pattern"),
]


def test_options_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    for options, message in OPTIONS_THAT_DO_NOT_FIT:
        table(place(tmp_path, "a"), ends(-0.5))
        table(place(tmp_path, "b"), ends(0.5))
        assert message in refused(tmp_path, **options)


def test_what_is_missing_or_no_device_is_refused_by_name(tmp_path: Path) -> None:
    assert refused(place(tmp_path, "a")) == f"{place(tmp_path, 'a')}: no such file"
    assert "holds no table" in refused(tmp_path)
    assert "tables: holds no table" in refused([])
    table(place(tmp_path, "a"), ends())
    assert refused(tmp_path) == f"{tmp_path}: the device has 1 state(s); a synapse needs 2 to 256"


# ---- tables that are probably not what they are taken for --------------------------------------------------------


def raw(path: Path, names: str, rows: Sequence[Sequence[float]]) -> Path:
    """A table with columns of one's own; the header gives names alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = "# t (s)\t" + "\t".join(f"{name} ()" for name in names.split())
    path.write_text("\n".join([header, *("\t".join(map(repr, row)) for row in rows)]) + "\n")
    return path


def two_states(root: Path, names: str, rows: Any) -> None:
    """Tables of two states; ``rows`` gives the rows for a mean m_z."""
    for label, mz in (("a", -0.5), ("b", 0.5)):
        raw(place(root, label), names, rows(mz))


def test_positions_from_mz_need_the_length_of_the_track(tmp_path: Path) -> None:
    two_states(tmp_path, "mx my mz", lambda mz: [(0.0, 0, 0, 0), (1e-9, 0, 0, mz)])
    for parameters in (None, DeviceParameters(), DeviceParameters(track=Racetrack(width=48e-9))):
        with pytest.raises(InputError, match=r"^track\.length is needed, since m_z gives a position as a share of it"):
            import_tables(tmp_path, parameters)
    given = DeviceParameters.model_validate({"track": {"length": 320e-9}})
    assert positions(import_tables(tmp_path, given)).ravel() == pytest.approx([80e-9, 240e-9])


def test_positions_of_a_column_need_no_length_but_say_which_is_assumed(tmp_path: Path) -> None:
    for label, x in (("a", 82e-9), ("b", 202e-9)):
        table(place(tmp_path, label), ends(position=x))
    device = import_tables(tmp_path, column="wall_position")
    assert positions(device).ravel() == pytest.approx([82e-9, 202e-9])
    assert "track.length = 5.12e-07 (default)" in device.assumed


def test_a_film_in_the_plane_is_warned_of(tmp_path: Path) -> None:
    two_states(tmp_path, "mx my mz", lambda mz: [(0.0, 0.99, 0, 0), (1e-9, 0.98, 0.1, 0.01 * mz)])
    with pytest.warns(InputWarning, match=r"statea_.*lies in the plane, 0\.99 .* \(and 1 more table\): m_z = -0\.005"):
        import_mumax3_tables(tmp_path)
    # Without m_x and m_y only m_z itself can tell, as in a vortex.
    two_states(tmp_path, "mz", lambda mz: [(0.0, 0), (1e-9, 0.01 * mz)])
    with pytest.warns(InputWarning, match="m_z is about 0 throughout"):
        import_mumax3_tables(tmp_path)


def test_a_wall_that_rests_in_the_middle_is_not_taken_for_a_film_in_the_plane(tmp_path: Path) -> None:
    for label, mz in (("a", 0.0), ("b", 0.5)):
        raw(place(tmp_path, label), "mx my mz", [(0.0, 0.1, 0, 0.0), (1e-9, 0.1, 0, mz)])
    assert positions(import_mumax3_tables(tmp_path)).ravel() / LENGTH == pytest.approx([0.5, 0.75])


def test_a_single_row_is_warned_of(tmp_path: Path) -> None:
    two_states(tmp_path, "mx my mz", lambda mz: [(0.0, 0, 0, mz)])
    with pytest.warns(InputWarning, match=r"holds a single row, at t = 0 s \(and 1 more table\); is it the start"):
        device = import_mumax3_tables(tmp_path)
    assert positions(device).ravel() / LENGTH == pytest.approx([0.25, 0.75])


def test_rows_that_are_all_at_the_start_are_warned_of_and_have_no_average(tmp_path: Path) -> None:
    two_states(tmp_path, "mx my mz", lambda mz: [(0.0, 0, 0, 0.9), (0.0, 0, 0, mz)])
    with pytest.warns(InputWarning, match=r"all rows are at t = 0 \(and 1 more table\), as of a loop of minimize"):
        device = import_mumax3_tables(tmp_path)
    assert positions(device).ravel() / LENGTH == pytest.approx([0.25, 0.75])
    assert "all rows are at t = 0 s, as of a loop of minimize() or relax()" in refused(tmp_path, average=1e-9)


def test_columns_may_be_more_and_in_any_order_and_written_twice(tmp_path: Path) -> None:
    two_states(tmp_path, "E_total mz mx my mz", lambda mz: [(0.0, -1e-18, 0, 0, 0, 0), (1e-9, -1e-18, mz, 0.1, 0, mz)])
    assert positions(import_mumax3_tables(tmp_path)).ravel() / LENGTH == pytest.approx([0.25, 0.75])
    raw(place(tmp_path, "b"), "mz mx my mz", [(0.0, 0, 0, 0, 0), (1e-9, 0.5, 0, 0, 0.4)])
    assert "line 3: two columns 'mz' hold different values" in refused(tmp_path)


@pytest.mark.parametrize(
    "names", ["mx my mz0 mz1 mz2", "mx my m_z[0] m_z[1]", "m.region0z m.region1z", "m_row0_z m_row1_z"]
)
def test_a_profile_of_mz_is_not_taken_for_its_mean(tmp_path: Path, names: str) -> None:
    two_states(tmp_path, names, lambda mz: [(0.0, *[mz] * len(names.split())), (1e-9, *[mz] * len(names.split()))])
    message = refused(tmp_path)
    assert "columns of m_z" in message
    assert "a profile, not the mean m_z of the track" in message
