"""The page about runs whose devices are read stochastically, and what rules without devices of states say there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from barkhausen.core.config import apply_setting
from barkhausen.core.errors import InputError
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from barkhausen.learning.rules import RULES
from barkhausen.report.runs.page import write_report
from made_up_runs import write_run

FILES = ("notch-current", "ellis-2023")


def trained(root: Path, *settings: str) -> Path:
    values = {
        "mode": "stochastic-read",
        "epochs": 1,
        "dataset": {"name": "digits", "threshold": 0.5},
        "network": {"hidden": [], "normalisation": "none"},
        "rule": {"reads": 4, "device": "ellis-2023"},
    }
    for setting in settings:
        apply_setting(values, setting)
    directory = root / "-".join(re.sub(r"\W+", "", setting) for setting in ("run", *settings))
    Run(recipe_from(values, "test"), directory).execute()
    return directory


def page_of(runs: list[Path], root: Path) -> str:
    """The page's text on one line, without scripts and markup, and without plotly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("barkhausen.report.render.get_plotlyjs", lambda: "")
        write_report(runs, root / "page.html")
    return (root / "page.html").read_text(encoding="utf-8")


def words(page: str) -> str:
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("\u00a0", " ").replace("\u202f", " ").split())


def test_page_has_reads_and_histogram_of_each_layer(tmp_path: Path) -> None:
    deep = ("network.hidden=[5]", "network.activation=step", "network.normalisation=batch", "rule.device=notch-current")
    runs = [trained(tmp_path), trained(tmp_path, *deep, "rule.reads=2")]
    page = page_of(runs, tmp_path)
    text = words(page)
    assert '<h2 id="weights-read">' in page
    specs = [json.loads(found) for found in re.findall(r'<script type="application/json">(.*?)</script>', page, re.S)]
    stacked = [spec for spec in specs if spec["layout"].get("barmode") == "stack"]
    assert [[trace["name"] for trace in spec["data"]] for spec in stacked] == [["linear1"], ["linear1", "linear2"]]
    assert [sum(trace["y"]) for spec in stacked for trace in spec["data"]] == [640, 320, 50]
    summary = json.loads((runs[0] / "summary.json").read_text(encoding="utf-8"))
    layer = summary["rule"]["layers"]["linear1"]
    deviation = (layer["mean_variance"] / 4) ** 0.5
    assert re.search(rf"linear1 4 640 {layer['mean']:.3f} {deviation:.3f} \d+\.\d % [\d .]+ –", text)
    assert "2 networks were trained by the following learning rule: stochastic reads." in text
    assert "Stochastic reads Each device is written and read anew" in text
    assert "what is attainable without devices" not in text
    # Each device is named once where it tells runs apart, without the digest of its file.
    assert "rule.device ellis-2023" in text
    assert "sha256" not in text


def test_texts_of_a_drive_without_unit(tmp_path: Path) -> None:
    text = words(page_of([trained(tmp_path)], tmp_path))
    assert "one weight unit is a drive of 1; all drives" in text
    assert "attempts are counted, their energy is not" in text
    assert "the device file gives no energy of an attempt." in text
    assert "one weight unit is a current density of 4.57897e+10 A/m2;" in " ".join(
        RULES.named("stochastic-read").assumed(RULES.named("stochastic-read").options(device="notch-current"))
    )


def test_damaged_histogram_is_an_error_of_one_line(tmp_path: Path) -> None:
    run = trained(tmp_path)
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    del summary["rule"]["layers"]["linear1"]["mean_variance"]
    (run / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    with pytest.raises(InputError, match=r"rule: layers\.linear1\.mean_variance: must be given"):
        page_of([run], tmp_path)


def test_baseline_is_a_property_of_the_rule(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, "float"), write_run(tmp_path)]
    text = words(page_of(runs, tmp_path))
    assert "1 network with ordinary floating-point weights was trained beside them." in text
    assert "Dashed: the float baseline, which programs no device." in text
    for run in runs[:1]:
        (run / "summary.json").write_text(
            (run / "summary.json").read_text(encoding="utf-8").replace('"mode": "float"', '"mode": "quantised"')
        )
    text = words(page_of(runs, tmp_path))
    assert "1 network was trained by the following learning rule: quantised in software." in text
    assert "ordinary floating-point weights" not in text
    assert "Dashed: networks that program no device." in text


def test_digests_tell_apart_what_nothing_else_does(tmp_path: Path) -> None:
    def with_digest(digit: str) -> Path:
        def change(summary: dict) -> None:
            summary["recipe"]["rule"] = {"device": "mine.nc", "device_sha256": digit * 64}

        return write_run(tmp_path, "float", change=change, name=f"run-{digit}")

    text = words(page_of([with_digest("a"), with_digest("b")], tmp_path))
    assert "float, rule.device sha256 aaaaaaaa" in text
    assert "a" * 9 not in text
