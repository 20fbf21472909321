"""The table of systems: every one with paper, status, expected time and whether it has been run."""

from __future__ import annotations

from pathlib import Path

from barkhausen.reproduce import SYSTEMS
from barkhausen.reproduce.listing import HEADINGS, expected, listing


def test_every_system_has_a_row_and_finished_runs_are_named(tmp_path: Path) -> None:
    (tmp_path / "misba-2021").mkdir()
    (tmp_path / "misba-2021" / "table.csv").write_text("mode\n")
    rows = {row[0]: dict(zip(HEADINGS, row, strict=True)) for row in listing(tmp_path)}
    assert list(rows) == list(SYSTEMS)
    row = rows["misba-2021"]
    assert (row["status"], row["expected, one core"]) == ("after", "14 min")
    assert "IEEE Access" in row["paper"]
    assert row["full run"] == f"quoted in docs/results.md; here: {tmp_path / 'misba-2021'}"
    assert rows["alam-2023"]["full run"] == "quoted in docs/results.md"
    assert [expected(None), expected(119), expected(600)] == ["not measured", "119 min", "10 h"]
