"""Tables as laboratories write them: separators, decimal commas, encodings, gaps, units, workbooks, pulse trains."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from barkhausen.core.errors import InputError
from barkhausen.core.units import unit_factor
from barkhausen.device import (
    CharacterisedDevice,
    DeviceParameters,
    Racetrack,
    ResistiveParameters,
    import_measured_csv,
)

GIVEN = DeviceParameters(track=Racetrack(length=320e-9, width=64e-9))
ROWS = "S1,A,1,10.5\nS1,A,2,12.25\nS2,A,1,200.125\nS2,A,2,210\n"
EXPECTED = [[[10.5e-9, 12.25e-9]], [[200.125e-9, 210e-9]]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "measured.csv"


def imported(path: Path, content: str | bytes, parameters: Any = GIVEN, **options: Any) -> CharacterisedDevice:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return import_measured_csv(path, parameters, **options)


def refused(path: Path, content: str | bytes, parameters: Any = GIVEN, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        imported(path, content, parameters, **options)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value).removeprefix(f"{path}: ")


def attributes(device: CharacterisedDevice) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(device.data.attrs["attributes"])
    return found


def german(text: str, separator: str = ";") -> str:
    return text.replace(",", separator).replace(".", ",")


TABLE = "state,device,cycle,position_nm\n" + ROWS


@pytest.mark.parametrize(
    ("content", "read_as"),
    [
        (TABLE, []),
        (german(TABLE), ["columns separated by semicolons", "decimal commas"]),
        (german(TABLE, "\t"), ["columns separated by tabs", "decimal commas"]),
        (TABLE.replace(",", "\t"), ["columns separated by tabs"]),
        (b"\xef\xbb\xbf" + german(TABLE).encode(), ["columns separated by semicolons", "decimal commas"]),
        ("sep=;\n" + german(TABLE), ["columns separated by semicolons", "decimal commas"]),
        (TABLE.encode("utf-16"), ["UTF-16"]),
        (TABLE.encode("utf-16-le"), ["UTF-16"]),
        (TABLE.encode("utf-16-be"), ["UTF-16"]),
        (TABLE.encode("utf-32"), ["UTF-32"]),
        ("# measured on Monday\n\n" + TABLE, []),
        (TABLE.replace("\n", "\r\n"), []),
        (german(TABLE).replace("\n", ";;\n"), ["columns separated by semicolons", "decimal commas"]),
        (re.sub(r"(\d+)\.(\d+)", r'"\1,\2"', TABLE), ["decimal commas"]),
    ],
)  # fmt: skip
def test_every_manner_of_writing_a_table_gives_the_same_positions(
    path: Path, content: str | bytes, read_as: list[str]
) -> None:
    device = imported(path, content)
    np.testing.assert_allclose(device.state_values, EXPECTED, rtol=1e-12)
    assert attributes(device)["read_as"] == [*read_as, "positions in nm"]


def test_labels_in_latin_1_are_read_and_this_is_said(path: Path) -> None:
    device = imported(path, TABLE.replace("S2", "Zustand ü").encode("latin-1"))
    assert attributes(device)["state_labels"] == ["S1", "Zustand ü"]
    assert attributes(device)["read_as"] == ["Windows-1252 (Latin-1)", "positions in nm"]


GAPS = ["", "  ", "NaN", "nan", "n/a", "N/A", "NA", "#N/A", "#NV", "-", "--", "–", "null", "None", "#DIV/0!"]


@pytest.mark.parametrize("gap", GAPS)
def test_gaps_are_missing_and_counted(path: Path, gap: str) -> None:
    device = imported(path, TABLE + f"S2,B,1,{gap}\nS1,B,1,20\nS2,B,2,205\n")
    expected = [[[10.5, 12.25], [20, math.nan]], [[200.125, 210], [math.nan, 205]]]
    np.testing.assert_allclose(device.state_values * 1e9, expected, rtol=1e-12)
    assert device.assumed[0] == "1 of 7 values are missing (S2: 1) and left out, as if missing at random"
    assert attributes(device)["missing"] == 1


HEADINGS = [
    ("position_nm", 1e-9), ("Position (nm)", 1e-9), ("position [µm]", 1e-6), ("x / nm", 1e-9), ("POSITION_NM", 1e-9),
    ("wall position (Å)", 1e-10), ("position in um", 1e-6), ("Position_m", 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("heading", "factor"), HEADINGS)
def test_unit_stands_in_the_heading(path: Path, heading: str, factor: float) -> None:
    low, high = 20e-9 / factor, 300e-9 / factor
    device = imported(path, f"state,device,cycle,{heading}\nS1,A,1,{low!r}\nS2,A,1,{high!r}\n")
    np.testing.assert_allclose(device.state_values.ravel(), [20e-9, 300e-9], rtol=1e-12)


@pytest.mark.parametrize(
    ("heading", "low", "high"),
    [
        ("conductance_uS", 20, 50), ("G (µS)", 20, 50), ("Conductance [nS]", 20e3, 50e3),
        ("conductance_s", 20e-6, 50e-6), ("resistance_kohm", 50, 20), ("R (kΩ)", 50, 20),
        ("Resistance / MOhm", 0.05, 0.02), ("resistance_ohm", 5e4, 2e4),
    ],
)  # fmt: skip
def test_conductances_and_resistances_in_any_unit_are_the_same_device(
    path: Path, heading: str, low: float, high: float
) -> None:
    text = f"state,device,cycle,{heading}\nS1,A,1,{low!r}\nS2,A,1,{high!r}\n"
    np.testing.assert_allclose(imported(path, text, ResistiveParameters()).state_values.ravel(), [20e-6, 50e-6])
    places = imported(path, text, conductance_range=(10e-6, 60e-6)).state_values.ravel()
    np.testing.assert_allclose(places, [0.2 * 320e-9, 0.8 * 320e-9])


def test_unit_may_be_given_beside_the_table(path: Path) -> None:
    text = TABLE.replace("position_nm", "position")
    np.testing.assert_allclose(imported(path, text, unit="nm").state_values, EXPECTED, rtol=1e-12)
    assert "column 'position' has no unit: name it position_nm or the like, or give its unit (--unit nm)" in refused(
        path, text
    )
    assert refused(path, text, unit="kg").startswith("unit: 'kg' is no unit of this column")
    assert "is in nm, but the unit given is um" in refused(path, TABLE, unit="um")
    assert "'uS' is no unit of this column" in refused(path, TABLE.replace("position_nm", "position_uS"))


OWN = german(TABLE.replace("state,device,cycle,position_nm", "Zustand,Bauteil,Zyklus,Ort"))


def test_columns_of_other_names_are_chosen_or_suggested(path: Path) -> None:
    chosen = {"state": "zustand", "device": "Bauteil", "cycle": "Zyklus", "position": "Ort"}
    np.testing.assert_allclose(imported(path, OWN, columns=chosen, unit="nm").state_values, EXPECTED, rtol=1e-12)
    line = refused(path, OWN)
    assert line.endswith("did you mean columns state=Zustand,device=Bauteil,cycle=Zyklus,position=Ort?")
    assert "no column 'Zustan'; did you mean 'Zustand'?" in refused(path, OWN, columns={"state": "Zustan"})
    assert "no such thing as 'stat'; did you mean 'state'?" in refused(path, OWN, columns={"stat": "Zustand"})
    assert "chosen for two things" in refused(path, OWN, columns={"state": "Ort", "position": "Ort"})
    misspelt = TABLE.replace("device", "devcie")
    assert refused(path, misspelt).endswith("did you mean columns device=devcie?")


def test_rows_without_cycles_are_numbered_but_devices_must_be_known(path: Path) -> None:
    text = "state,device,position_nm\nS1,A,10.5\nS2,A,200.125\nS1,A,12.25\nS2,A,210\n"
    device = imported(path, text)
    np.testing.assert_allclose(device.state_values, EXPECTED, rtol=1e-12)
    assert "no column of cycles" in attributes(device)["read_as"][-1]
    assert "if all rows are of one device, add a column" in refused(path, text.replace("device", "operator"))
    # A column that seems to hold the cycles is not passed over.
    assert "did you mean columns cycle=run?" in refused(path, TABLE.replace("cycle", "run"))


AMBIGUOUS = [
    ('S1,A,1,10.5\nS1,A,2,"12,25"\n', "line 3: '12,25' has another decimal sign than line 2"),
    ("S1,A,1,1.234.567\n", "line 2: '1.234.567' has separators of thousands"),
    ('S1,A,1,"1.234,5"\n', "line 2: '1.234,5' has separators of thousands"),
    ("S1,A,1,10,5\n", "line 2: 5 fields, the header has 4; a decimal comma in a file separated by commas"),
    ("S1,A,1,inf\n", "line 2: 'inf' is not finite"),
    ("S1,A,1,10 nm\n", "line 2: '10 nm' is not a number"),
]


@pytest.mark.parametrize(("rows", "message"), AMBIGUOUS)
def test_numbers_of_two_meanings_are_refused(path: Path, rows: str, message: str) -> None:
    assert refused(path, TABLE.partition("\n")[0] + "\n" + rows).startswith(message)


def test_nanometres_under_metres_are_refused_with_what_was_meant(path: Path) -> None:
    line = refused(path, TABLE.replace("position_nm", "position_m"))
    assert line.startswith("line 2: position = 10.5 m is no position; 10.5e-9 (10.5 nm)?")
    micro = "state,device,cycle,conductance_s\nS1,A,1,20\nS2,A,1,50\n"
    assert "20 S is no conductance; 20e-6 (20 uS)?" in refused(path, micro, ResistiveParameters())


def test_conductances_of_a_track_need_its_length(path: Path) -> None:
    text = "state,device,cycle,conductance_uS\nS1,A,1,20\nS2,A,1,50\n"
    for parameters in (None, DeviceParameters(), DeviceParameters(track=Racetrack(width=48e-9))):
        assert "track.length is needed, since conductances stand for places" in refused(path, text, parameters)
    # Positions are what they are; what the default length stands behind is listed.
    device = imported(path, TABLE, None)
    np.testing.assert_allclose(device.state_values, EXPECTED, rtol=1e-12)
    assert any(line.startswith("track.length = 5.12e-07 (default)") for line in device.assumed)
    assert not any(line.startswith("track.length") for line in imported(path, TABLE).assumed)


PULSES = [
    ("1e-6\n2e-6\n3e-6\n", "one column of numbers without a header"),
    ("conductance_S\n1e-6\n2e-6\n3e-6\n2e-6\n", "one column of values"),
    ("1,1e-6\n2,2e-6\n3,3e-6\n", "a train of pulses with their numbers"),
    ("device,pulse number,direction,G (uS)\nA,1,LTP,1.5\nA,2,LTD,1.2\n", "a train of pulses with their numbers"),
    ("pulse;G (uS)\n1;1,5\n2;2,5\n", "a train of pulses with their numbers"),
    ("pulse number,LTP,LTD\n1,1e-6,9e-6\n2,2e-6,8e-6\n", "a train of pulses with their numbers"),
    ("up,down\n1e-6,9e-6\n2e-6,8e-6\n", "a pair of trains of pulses, up and down"),
    (
        "1.5e-6,9e-6\n2.5e-6,8e-6\n3.1e-6,7e-6\n",
        "two columns of numbers without a header, up and down pulses, as aihwkit",
    ),
    (
        "0,1e-6,2e-6,3e-6\n-1e-7,0,0.2,0.4\n1e-7,1,1,1\n",
        "a matrix of numbers without a header, such as a look-up table",
    ),
]


@pytest.mark.parametrize(("content", "what"), PULSES)
def test_trains_of_pulses_are_recognised_and_refused(path: Path, content: str, what: str) -> None:
    line = refused(path, content)
    assert line.startswith(f"line 1: this is {what}")
    assert "supported are tables with columns state, device, cycle and a measured value" in line


def workbook(path: Path, **sheets: list[list[Any]]) -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path.read_bytes()


CELLS: list[list[Any]] = [
    ["state", "device", "cycle", "Position (nm)", "measured on"],
    ["S1", 1, 1, 10.5, None],
    ["S1", 1, 2, "12,25", "Monday"],
    ["S2", 1, 1, 200.125, None],
    [None],
    ["S2", 1, 2, 210, None],
    ["S2", 2, 1, None, None],
    ["S1", 2, 1, "n/a", None],
]


def test_workbook_is_read_like_any_table(path: Path) -> None:
    device = imported(path, workbook(path, Data=[*CELLS[:2], ["S1", 1, 2, 12.25], *CELLS[3:]]))
    np.testing.assert_allclose(device.state_values, EXPECTED, rtol=1e-12)
    assert attributes(device)["read_as"] == ["sheet 'Data'", "positions in nm"]
    assert attributes(device)["missing"] == 2
    assert "sheet 'Data': row 3: '12,25' has another decimal sign than row 2" in refused(
        path, workbook(path, Data=CELLS)
    )


def test_sheet_is_chosen_or_each_sheet_is_a_device(path: Path) -> None:
    header, rows = ["state", "cycle", "position_nm"], [["S1", 1, 10.5], ["S2", 1, 200]]
    content = workbook(path, A=[header, *rows], B=[header, *rows], Empty=[])
    assert "holds 2 sheets (A, B): choose one by name (--sheet NAME), or 'all'" in refused(path, content)
    assert "no sheet 'C'; known: A, B" in refused(path, content, sheet="C")
    assert "no column of 'device'" in refused(path, content, sheet="A")
    device = imported(path, content, sheet="all")
    assert device.state_values.shape == (2, 2, 1)
    assert "a sheet was chosen ('A'), but this is no Excel workbook" in refused(path, TABLE, sheet="A")


def test_formula_without_result_is_no_gap(path: Path) -> None:
    content = workbook(path, Data=[*CELLS[:2], ["S2", 1, 1, "=D2*20"]])
    assert "sheet 'Data': row 3: '=D2*20' is not a number" in refused(path, content)


def test_units_with_prefixes() -> None:
    assert [unit_factor(text, "m") for text in ("m", "nm", "NM", "µm", "μm", "um", "Å", "mm", "km")] == [
        1, 1e-9, 1e-9, 1e-6, 1e-6, 1e-6, 1e-10, 1e-3, 1e3,
    ]  # fmt: skip
    assert [unit_factor(text, "ohm") for text in ("Ohm", "kOhm", "Mohm", "mohm", "kΩ", "GOHM")] == [
        1, 1e3, 1e6, 1e-3, 1e3, 1e9,
    ]  # fmt: skip
    assert [unit_factor(text, "S") for text in ("nm", "", "Siem", "x S")] == [None] * 4
