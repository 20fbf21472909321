"""The systems bindal-2022 and bindal-2024, from a sweep to the page."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from barkhausen.reproduce import SYSTEMS
from barkhausen.reproduce.run import reproduce

SMOKE = {
    "set.characterisation.replicas": 2,
    "set.characterisation.still": 1,
    "set.characterisation.cell": 3e-9,
    "set.characterisation.every": 8e-12,
    "set.characterisation.settle": 8e-12,
    "set.train.inputs": [1.0],
    "set.train.width": 8e-12,
    "set.train.pause": 8e-12,
    "set.train.periods": 2,
    "set.track.length": 96e-9,
    "set.detector.position": 78e-9,
}


@pytest.mark.parametrize("name", ["bindal-2022", "bindal-2024"])
def test_the_page_stands_beside_the_paper(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SYSTEMS, name, dataclasses.replace(SYSTEMS[name], quick=SMOKE))
    rows = reproduce(tmp_path / "out", name, quick=True, workers=1)
    assert len(rows) == 1 and rows[0]["cycles_tried"] == 1
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["status"] == "after" and "a quick look" in summary["notes"][0]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for text in ("Trajectories", "Law", "largest change of the resistance"):
        assert text in page
    published = " ".join(str(reading["published"]) for reading in summary["readings"])
    assert ("9.2 %" in published) == (name == "bindal-2022")
    assert ("Thiele" in page) == (name == "bindal-2022")
