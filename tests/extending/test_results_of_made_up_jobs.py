"""A job and a learning rule from outside the package go through sweep, table and pages."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from barkhausen.core.registry import EXTENSIONS
from barkhausen.experiment.jobs import JOBS
from barkhausen.learning.rules import RULES
from barkhausen.report.runs.page import write_report
from barkhausen.report.sweep.page import write_sweep_report
from barkhausen.results.published import published
from barkhausen.results.read import load_table, load_tables
from barkhausen.results.summarise import summarise
from barkhausen.results.table import markdown_table, result_table
from barkhausen.sweep import keys
from made_up_runs import summary_of, write_run
from small_sweep import run_in_threads, sweep_of

MODULE = '''
"""A job that throws coins."""

from barkhausen.experiment.jobs import JOBS, Column, Job, Planned, Result
from barkhausen.learning.rules import RULES
from barkhausen.learning.rules.registry import Rule


def plan(planning, settings):
    values = planning.placed(settings)
    return Planned(decides=values, values=values)


def throw(order):
    heads = order.values["coins"] * order.values["bias"]
    return Result({"heads": heads, "flip_picojoule": 0.5 * heads, "spin_picojoule": 0.25 * heads})


JOBS.register(
    "coins",
    Job(
        what="coins that were thrown",
        columns=(Column("heads", "heads", higher_is_better=True),),
        needed=("heads",),
        summarised=("heads",),
        plan=plan,
        work=throw,
        networks=False,
        cause_labels={"flip": "flips"},
    ),
)
RULES.register(
    "made-up", Rule(name="made-up", label="made up", on_devices=True, learner=lambda parts: parts.optimizer)
)
'''

SWEEP = """
task = "coins"
recipe = "base.toml"
[search]
kind = "grid"
[search.over]
coins = [1, 2]
bias = [0.25, 0.5, 0.75]
"""


@pytest.fixture
def extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    file = tmp_path / "coins_from_outside.py"
    file.write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(EXTENSIONS, "coins_from_outside")
    importlib.invalidate_caches()
    keys.code_version.cache_clear()
    yield file
    keys.code_version.cache_clear()
    JOBS.pop("coins", None)
    RULES.pop("made-up", None)
    sys.modules.pop("coins_from_outside", None)


def test_a_job_goes_through_sweep_table_and_page(extension: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    counts = run_in_threads(sweep_of(tmp_path / "in", SWEEP, base=""), out)
    assert (counts.finished, counts.failed) == (6, 0)
    frame = load_table(out)
    assert frame["heads"].tolist() == [0.25, 0.5, 0.75, 0.5, 1.0, 1.5]
    assert frame["flip_picojoule"].tolist() == [0.5 * heads for heads in frame["heads"]]
    summary = summarise(load_tables([out]).rows)
    assert (summary.group, summary.values) == (("coins", "bias"), ("heads",))
    write_sweep_report(out)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "coins that were thrown" in page
    assert "flips" in page and "spin" in page


def test_its_file_is_part_of_the_code_version(extension: Path) -> None:
    with_it = keys.code_version()
    assert extension in list(keys.deciding_sources())
    extension.write_text(MODULE + "# changed\n", encoding="utf-8")
    keys.code_version.cache_clear()
    assert keys.code_version() != with_it


def test_a_rule_has_a_row_and_no_published_figure(extension: Path, tmp_path: Path) -> None:
    run = write_run(tmp_path, "made-up", 5, 0)
    row, other = result_table([summary_of("made-up", 5, 0, 0.9, 0.8), summary_of("in-situ", 5, 0, 0.9, 0.8)])
    assert published("accuracy", "mnist", "made-up", "mlp") is None
    assert (row["mode"], row["published_accuracy"], row["published_picojoule_per_inference"]) == ("made-up", None, None)
    assert other["published_accuracy"] == 0.9667
    assert "| made-up | 5 |" in markdown_table([row])
    write_report([run, write_run(tmp_path, "in-situ", 5, 1)], tmp_path / "page.html")
    assert "made-up, 5 states" in (tmp_path / "page.html").read_text(encoding="utf-8")
