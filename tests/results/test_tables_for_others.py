"""Tables for other programs: CSV that no spreadsheet runs and that is read back, LaTeX with readable headings."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import pandas as pd
import pytest

from barkhausen.core.errors import InputError
from barkhausen.core.files.csv_cells import guarded, unguarded
from barkhausen.report.figure_files import csv_text
from barkhausen.results.formats import as_csv, raw_cells, read_csv, rendered, summary_cells
from barkhausen.results.headings import column_title, key_titles
from barkhausen.results.published import network_of, published
from barkhausen.results.summarise import summarise
from barkhausen.results.table import as_csv as kinds_csv
from made_up_sweep import rows_of, table_of

FORMULAS = ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\n=1", "'=1", "''-A1", '=HYPERLINK("http://a")']
PLAIN = ["in-situ", "a=b", "'quoted'", "", "−5", "-0.5", "+3", "-1e-5", "-inf", "10 nm"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text_and_comes_back(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", PLAIN)
def test_numbers_and_other_text_stay_as_they_are(text: str) -> None:
    assert guarded(text) == text == unguarded(text)


def test_carriage_returns_do_not_end_the_row() -> None:
    assert guarded("\r=1\r\nb") == "'\n=1\nb"


def test_a_table_with_formulas_is_read_back(tmp_path: Path) -> None:
    count = len(FORMULAS)
    frame = pd.DataFrame(
        {
            "error": pd.array([*FORMULAS, None], "string"),
            "=key": [*range(count), -1],
            "gap": [*[-0.25] * count, math.nan],
        }
    )
    (tmp_path / "t.csv").write_text(as_csv(frame), encoding="utf-8", newline="")
    header, *rows = csv.reader(io.StringIO(as_csv(frame), newline=""))
    assert header == ["error", "'=key", "gap"]
    assert [row[0] for row in rows] == [f"'{text}" for text in FORMULAS] + [""]
    assert [row[1:] for row in rows][-2:] == [[str(count - 1), "-0.25"], ["-1", ""]]
    back = read_csv(tmp_path / "t.csv")
    assert back.columns.tolist() == ["error", "=key", "gap"]
    assert back["error"].tolist()[:-1] == FORMULAS
    assert back["gap"].tolist()[:-1] == [-0.25] * count
    (tmp_path / "none.csv").write_text("")
    with pytest.raises(InputError, match="no CSV table"):
        read_csv(tmp_path / "none.csv")


def test_every_csv_writer_guards_its_text() -> None:
    assert csv_text(["=x", "y"], [["=1+1", -0.5]]) == "'=x,y\n'=1+1,-0.5\n"
    assert kinds_csv([{"kind": "@a", "accuracy": -0.5, "states": None}]).splitlines()[1] == "'@a,-0.5,"


def test_latex_has_words_and_units_in_its_head() -> None:
    frame = table_of(rows_of(seeds=range(3)))
    lines = rendered(summary_cells(summarise(frame, against=["mode=float"])), "latex", ()).splitlines()
    head = lines[lines.index(r"  \toprule") + 1]
    assert head.split(" & ")[:6] == [
        "  Mode", "Margin", "Hidden", r"Accuracy (\%)", r"95 \% interval", "Difference to the baseline (points)",
    ]  # fmt: skip
    assert r"Programming energy (pJ per sample and epoch)" in head
    assert "_" not in head
    raw = rendered(raw_cells(frame.iloc[:2]), "latex", ())
    assert "Accuracy &" in raw
    assert "0.96" in raw


def test_headings_name_units() -> None:
    keys = ["track.width", "protocol.program.width", "characterisation.temperature", "device.margin", "transfer.margin"]
    assert key_titles(keys) == [
        "Track width (m)", "Protocol program width (s)", "Temperature (K)", "Device margin", "Transfer margin",
    ]  # fmt: skip
    assert [column_title(name) for name in ("smallest_gap", "sot_picojoule", "adc_picojoule")] == [
        "Smallest gap (% of the range)", "Energy: SOT pulses (pJ)", "Energy: adc (pJ)",
    ]  # fmt: skip


def test_published_figures_are_of_their_kind_of_network() -> None:
    def of(dataset: str, network: dict[str, str]) -> float | None:
        figure = published("accuracy", dataset, "in-situ", network_of({"network": network}))
        return None if figure is None else figure.value

    assert of("mnist", {}) == of("mnist", {"kind": "mlp"}) == 0.9667
    assert of("mnist", {"kind": "cnn"}) is None
    assert of("mnist", {"factory": "mine:network"}) is None
    assert (of("nsl-kdd", {"kind": "autoencoder"}), of("nsl-kdd", {"kind": "mlp"})) == (0.9098, None)


def test_an_entry_of_a_list_is_headed_by_its_list() -> None:
    assert key_titles(["network.hidden.0", "seed"])[0] == "Hidden 0"
    assert key_titles(["shape.notches.0.depth"])[0].startswith("Depth")
