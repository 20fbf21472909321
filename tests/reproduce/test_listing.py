"""The table of systems: every one with paper, expected time and whether it has been run."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from barkhausen.cli import reproduce
from barkhausen.cli.app import app
from barkhausen.reproduce import SYSTEMS
from barkhausen.reproduce.listing import HEADINGS, expected, listing
from barkhausen.results.published import Paper
from barkhausen.results.table import NO_VALUE


def test_every_system_has_a_row_and_finished_runs_are_named(tmp_path: Path) -> None:
    (tmp_path / "misba-2021").mkdir()
    (tmp_path / "misba-2021" / "table.csv").write_text("mode\n")
    rows = {row[0]: dict(zip(HEADINGS, row, strict=True)) for row in listing(tmp_path)}
    assert list(rows) == list(SYSTEMS)
    row = rows["misba-2021"]
    assert (row["paper"], row["one core"]) == ("after Misba et al. 2022, arXiv:2111.07284", "14 min")
    assert row["full run"] == f"docs/results.md\n{tmp_path / 'misba-2021'}"
    assert rows["alam-2023"]["full run"] == "docs/results.md"
    assert rows["bindal-2022"]["full run"] == NO_VALUE
    assert [expected(None), expected(119), expected(600)] == [NO_VALUE, "119 min", "10 h"]


@pytest.mark.parametrize(
    ("citation", "short"),
    [
        ("Alam, Misba, Atulasimha (2023), arXiv:2309.06449", "Alam et al. 2023, arXiv:2309.06449"),
        ("Ellis et al.: synapses (2023), arXiv:2303.01886, with code", "Ellis et al. 2023, arXiv:2303.01886"),
        ("Bindal et al. (2024): successor of arXiv:2207.10462", "Bindal et al. 2024"),
        ("Somebody: Title. Journal 3, 034006 (2023)", "Somebody 2023"),
        ("A preprint", "A preprint"),
    ],
)
def test_paper_in_short(citation: str, short: str) -> None:
    assert Paper(citation, "").short == short


def test_list_is_readable_at_100_columns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reproduce, "wide_console", lambda: Console(width=100))
    result = CliRunner().invoke(app, ["reproduce", "--list"])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 100
    assert "not measured" not in result.output
    shown = result.output.replace("\n", " ")
    assert all(name in shown for name in SYSTEMS)
    # A row and the rule beneath it: no system takes more than seven lines.
    rules = [number for number, line in enumerate(lines) if line.startswith(("├", "┡", "└"))]
    assert max(b - a for a, b in itertools.pairwise(rules)) <= 7
