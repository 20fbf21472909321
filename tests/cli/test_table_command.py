"""``barkhausen table``: from the command line to a file, and one line for whatever is wrong."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from barkhausen.cli.app import main
from made_up_runs import write_run
from made_up_sweep import accuracy_of, fail, write_sweep


@dataclass
class Result:
    code: int
    out: str
    err: str


Command = Callable[..., Result]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """The command within this process."""

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["barkhausen", "table", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return Result(int(stop.value.code or 0), *capfd.readouterr())

    return run


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    return write_sweep(tmp_path / "sweep")


def test_text_is_for_reading(table: Command, sweep: Path) -> None:
    done = table(sweep, "--where", "mode=in-situ")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert re.split(r"\s{2,}", lines[0].strip()) == [
        "device.margin",
        "network.hidden",
        "accuracy (%)",
        "95 %",
        "picojoule_per_inference",
        "95 %",
    ]
    assert re.search(r"0\.4 +\[128, 64\] +96\.80 ± 0\.20 \(n = 3\)", lines[2])
    assert done.err == ""


def test_csv_is_for_machines(table: Command, sweep: Path) -> None:
    done = table(sweep, "--format", "csv", "--group", "mode", "--value", "accuracy", "--where", "device.margin=0.6")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["mode"] for row in rows] == ["in-situ", "ex-situ", "float"]
    assert float(rows[0]["accuracy_mean"]) == pytest.approx(accuracy_of("in-situ", 0.6, 1), abs=1e-15)
    assert rows[0]["accuracy_n"] == "3"
    # What is to be said is no part of the table.
    assert "standard deviation between n seeds" in done.err


def test_baseline_is_short_for_the_float_mode(table: Command, sweep: Path) -> None:
    short = table(sweep, "--baseline", "--where", "mode=in-situ")
    assert "less the baseline's (points)" in short.out
    assert "−0.7000 (3 pairs)" in short.out
    assert "cannot give p below 0.25" in short.out
    assert short == table(sweep, "--against", "mode=float", "--where", "mode=in-situ")


@pytest.mark.parametrize(("name", "mark"), [("a.md", "| --- "), ("a.tex", r"\toprule"), ("a.csv", ",accuracy_mean")])
def test_the_suffix_decides(table: Command, sweep: Path, tmp_path: Path, name: str, mark: str) -> None:
    done = table(sweep, "--out", tmp_path / name)
    assert (done.code, done.out) == (0, "")
    assert mark in (tmp_path / name).read_text(encoding="utf-8")
    assert table(sweep, "--out", tmp_path / name, "--format", "text").code == 0
    assert "-----" in (tmp_path / name).read_text(encoding="utf-8")


def test_parquet_is_read_back(table: Command, sweep: Path, tmp_path: Path) -> None:
    assert table(sweep, "--out", tmp_path / "t.parquet").code == 0
    frame = pd.read_parquet(tmp_path / "t.parquet")
    assert len(frame) == 6
    assert frame["accuracy_n"].tolist() == [3] * 6
    assert table(sweep, "--raw", "--out", tmp_path / "raw.parquet").code == 0
    assert len(pd.read_parquet(tmp_path / "raw.parquet")) == 18


def test_raw_shows_tasks(table: Command, sweep: Path) -> None:
    done = table(sweep, "--raw", "--where", "seed=1", "--where", "mode=float")
    assert done.out.splitlines()[2].count("finished") == 1
    assert len(done.out.splitlines()) == 4


def test_runs_and_what_reproduce_leaves(table: Command, tmp_path: Path) -> None:
    runs = [write_run(tmp_path / "all", seed=seed, accuracy=0.98 + 0.001 * seed) for seed in (0, 1, 2)]
    twins = [write_run(tmp_path / "all", "float", None, seed=seed, accuracy=0.985) for seed in (0, 1, 2)]
    (tmp_path / "all" / "summary.json").write_text("[]")
    named, below = table(*runs, *twins, "--baseline"), table(tmp_path / "all", "--baseline")
    assert named.code == 0, named.err
    assert sorted(named.out.splitlines()) == sorted(below.out.splitlines())
    assert re.search(r"in-situ +98\.10 ± 0\.10 \(n = 3\)", named.out)


def test_failures_are_said(table: Command, tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path / "sweep", change=lambda rows: fail(rows[0]))
    for form in ("text", "markdown", "latex"):
        done = table(sweep, "--format", form)
        assert "1 of 18 tasks failed" in done.out
        assert "1 of 3" in done.out
    assert "1 of 18 tasks failed" in table(sweep, "--format", "csv").err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--where", "device.margn=0.4"], "did you mean 'device.margin'"),
        (["--where", "seed=77"], "none of the 18 rows"),
        (["--group", "moode"], "did you mean 'mode'"),
        (["--value", "acuracy"], "did you mean 'accuracy'"),
        (["--against", "mode=analog"], "there is no baseline"),
        (["--format", "cvs"], "did you mean 'csv'"),
        (["--format", "parquet"], "needs a file"),
        (["--raw", "--baseline"], "cannot be combined with"),
        (["--out", "/proc/nowhere/t.csv"], "cannot be written"),
    ],
)
def test_what_is_wrong_is_one_line(table: Command, sweep: Path, arguments: list[str], told: str) -> None:
    done = table(sweep, *arguments)
    assert (done.code, done.out) == (2, "")
    last = done.err.splitlines()[-1]
    assert last.startswith("barkhausen: ")
    assert told in last
    assert "Traceback" not in done.err


def test_a_directory_of_nothing_is_one_line(table: Command, tmp_path: Path) -> None:
    done = table(tmp_path)
    assert done.code == 2
    assert "neither a sweep" in done.err
