"""The sweep file of many chips, at its smallest."""

from __future__ import annotations

from pathlib import Path

import pytest

from barkhausen.core.errors import InputError
from barkhausen.sweep.plan import Planner
from barkhausen.sweep.points import points
from barkhausen.sweep.sweep_file import load_sweep

SMALL = ["set.dataset.name=digits", "set.epochs=2", "set.mapping.chips=3", "search.repeat.seed=[0]"]


def test_settings_of_the_page_make_a_small_sweep() -> None:
    sweep = load_sweep("many-chips", SMALL)
    planner = Planner(sweep)
    tasks = [planner.task(point) for point in points(sweep.file.search)]
    values = [task.resolved() for task in tasks]
    assert [each["mapping"]["spread"] for each in values] == [0.0, 0.5, 1.0, 2.0]
    assert {(each["mapping"]["chips"], each["dataset"]["name"], each["epochs"]) for each in values} == {
        (3, "digits", 2)
    }
    assert len({task.needs.key for task in tasks if task.needs is not None}) == 1
    page = (Path(__file__).parents[2] / "docs/crossbar.md").read_text(encoding="utf-8")
    assert all(f"--set {setting}" in page for setting in SMALL)


def test_table_of_settings_in_the_file_itself_is_sent_to_set(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    text = (
        'task = "map"\nrecipe = "mnist-float"\n[mapping]\nchips = 3\n[search]\nkind = "grid"\nover = { seed = [0] }\n'
    )
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"sweep\.toml: unknown key 'mapping'; did you mean 'set\.mapping', a setting"):
        load_sweep(path)
