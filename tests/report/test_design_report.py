"""The page about a search: complete, honest about what was not confirmed, and really drawn by a browser."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from barkhausen.device.domain_wall.design import PARTS, SCORES, Candidate, Score, Weights
from barkhausen.experiment.design import search as design
from barkhausen.experiment.design.archive import CsvArchive
from barkhausen.experiment.design.search import design_to_directory
from barkhausen.experiment.design.search_file import load_search
from barkhausen.experiment.design.verdict import limit, verdict
from barkhausen.report.design.figures import pareto_front, scenario_plot, sensitivity_plots
from barkhausen.report.design.page import shown, write_design_report
from made_up_design import SEARCH, MadeUp

FAMILIES = ("rough", "equal-notches", "graded-notches", "gradient")
HOSTILE = "</script><script>alert('x')</script><img src=http://evil.example/x onerror=alert(1)>"

Found = tuple[dict[str, Any], list[Candidate]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """A search of all families of five states, on a made-up model; two designs confirmed."""
    return found_in(tmp_path_factory.mktemp("design"))


def found_in(root: Path) -> Found:
    """The same, in a directory."""
    search = copy.deepcopy(SEARCH)
    search["device"]["track"] |= {"length": 320e-9, "width": 64e-9}
    search["search"] |= {"states": 5, "families": list(FAMILIES), "generations": 6, "population": 16}
    search["search"]["ranges"] = {}
    (root / "search.toml").write_text(tomli_w.dumps(search))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "trials", MadeUp())
        patch.setattr("barkhausen.report.render.get_plotlyjs", lambda: "")
        result = design_to_directory(root / "search.toml", root / "out")
    recipe = load_search(root / "search.toml")
    archive = CsvArchive(root / "out" / "candidates.csv", {family: recipe.space(family) for family in FAMILIES})
    confirm(result, "graded-notches", 0.125)
    return result, archive.candidates


def confirm(result: dict[str, Any], family: str, overlap: float) -> None:
    """Say that the best design of a family was simulated, with the compact model's states a little shifted."""
    entry = next(entry for entry in result["families"] if entry["family"] == family)
    finalist = entry["finalists"][0]
    states = copy.deepcopy(finalist["compact"]["states"])
    states["mean"] = [mean + 5e-9 for mean in states["mean"]]
    finalist["confirmed"] = {"score": finalist["compact"]["score"] | {"overlap": overlap}, "states": states}
    result["best"] |= {"family": family, "rank": 0, "confirmed": True}


def page_of(result: dict[str, Any], candidates: list[Candidate], path: Path) -> str:
    """The page without plotly's five megabytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("barkhausen.report.render.get_plotlyjs", lambda: "")
        write_design_report(result, candidates, path)
    return path.read_text(encoding="utf-8")


def words(page: str) -> str:
    """What a reader sees, on one line."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    text = re.sub(r"<[^>]+>", " ", text)
    return " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").split())


def specs_of(page: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', page, re.S)]


def test_page_says_what_was_found(found: Found, tmp_path: Path) -> None:
    result, candidates = found
    text = words(page_of(result, candidates, tmp_path / "page.html"))
    assert f"A search for 5 states on a magnetic track of 320.0 nm × 64.00 nm evaluated {len(candidates)} " in text
    assert "The best design has notches of different depths: by micromagnetic simulation" in text
    assert "overlap by 0.125 on average" in text
    assert "Not confirmed" not in text
    assert "evaluated again with 8 events for each state on fresh devices, and 1 of them simulated" in text
    for entry in result["families"]:
        best = entry["finalists"][0]
        cost, again = best["searched"]["cost"], best["compact"]["score"]["cost"]
        assert f"{entry['family']} {cost:.3f} {again:.3f}" in text
    voltage = result["families"][2]["finalists"][0]["variables"][4]["value"]
    assert f"gate voltage 4 {shown(voltage, 'V')}".replace("\u00a0", " ") in text
    assert "track.thickness = 1e-09 (default)" in text
    assert "2 × mean overlap + 0.5 × misplacement + 0.25 × unevenness" in text


def test_page_has_every_plot_and_its_data(found: Found, tmp_path: Path) -> None:
    page = page_of(*found, tmp_path / "page.html")
    # Convergence, a family's states each, Pareto, three groups of variables, scenarios.
    assert len(specs_of(page)) == 1 + 4 + 1 + 3 + 1
    figures = page.count("<figure")
    assert figures == 5 == len(re.findall(r"<summary>Data of figure \d+</summary>", page))
    assert not re.search(r"<(link|img|iframe|object|embed)\b|@import|url\(", page)
    assert not re.search(r"<th(?![^>]*scope=)[ >]", page)
    convergence = specs_of(page)[0]
    assert [trace["name"] for trace in convergence["data"]] == list(FAMILIES)
    assert convergence["data"][0]["y"] == found[0]["families"][0]["best_by_generation"]
    graded = specs_of(page)[3]
    assert [trace["name"] for trace in graded["data"]] == ["compact model", "micromagnetics"]
    shift = np.array(graded["data"][1]["y"]) - np.array(graded["data"][0]["y"])
    assert shift == pytest.approx([5] * 5, abs=0.02)
    assert len(graded["layout"]["shapes"]) == 5
    assert len(specs_of(page)[1]["layout"].get("shapes", [])) == 0


def test_page_warns_of_a_design_that_was_not_confirmed(found: Found, tmp_path: Path) -> None:
    result, candidates = copy.deepcopy(found[0]), found[1]
    finalist = result["families"][2]["finalists"][0]
    finalist["confirmed"] = {"refused": f"no wall left {HOSTILE}"}
    result["best"]["confirmed"] = False
    page = page_of(result, candidates, tmp_path / "page.html")
    text = words(page)
    assert "Not confirmed: none of the designs that were simulated micromagnetically held its states" in text
    assert "by the compact model neighbouring states overlap" in text
    assert "no wall left" in text
    assert HOSTILE not in page
    finalist["confirmed"] = None
    text = words(page_of(result, candidates, tmp_path / "page.html"))
    assert "Not confirmed: no design was simulated micromagnetically" in text


def test_a_second_design_of_a_family_is_shown_where_it_was_simulated(found: Found, tmp_path: Path) -> None:
    result = copy.deepcopy(found[0])
    second = result["families"][2]["finalists"][1]
    second["confirmed"] = {
        "score": second["compact"]["score"] | {"overlap": 0.077},
        "states": second["compact"]["states"],
    }
    result["best"] |= {"rank": 1}
    page = page_of(result, found[1], tmp_path / "page.html")
    assert "overlap by 0.077 on average" in words(page)
    assert f"graded-notches (2) {second['searched']['cost']:.3f}" in words(page)
    assert len(specs_of(page)) == 11


def test_verdict_is_the_same_on_the_page_and_on_the_terminal(found: Found, tmp_path: Path) -> None:
    told = verdict(found[0])
    text = words(page_of(*found, tmp_path / "page.html"))
    assert len(told.lines) == 2 + len(told.warnings)
    for line in told.lines:
        assert " ".join(line.split()) in text


def test_verdict_warns_of_coinciding_states_and_of_voltages_out_of_order(found: Found) -> None:
    result = copy.deepcopy(found[0])
    states = result["families"][2]["finalists"][0]["confirmed"]["states"]
    states["mean"] = [60e-9, 100e-9, 102e-9, 180e-9, 240e-9]
    states["spread"] = [3e-9, 1e-9, 3e-9, 5e-9, 4e-9]
    states["voltage"] = [-0.7, -0.3, 0.0, 0.4, 0.7]
    assert [title for title, _ in verdict(result).warnings] == ["Coinciding states"]
    assert "states 1 and 2 (100.0 and 102.0 nm)" in verdict(result).warnings[0][1]
    assert "in effect 4 states" in verdict(result).warnings[0][1]
    states["mean"][2], states["voltage"][1:3] = 120e-9, [0.0, -0.3]
    assert [title for title, _ in verdict(result).warnings] == ["Order of the voltages"]
    states["mean"][4] = states["spread"][4] = None
    assert verdict(result).warnings[0] == ("Lost states", "no event left a wall in state 4.")


def score_of(**values: float) -> dict[str, float]:
    return dict.fromkeys(SCORES, 0.0) | values


@pytest.mark.parametrize(
    ("overlaps", "cause", "sentence"),
    [
        (
            (0.02, 0.18),
            "temperature",
            "Thermal motion limits this design: without it neighbours would overlap by 0.02",
        ),
        (
            (0.19, 0.03),
            "roughness",
            "Rough edges limit this design: with smooth ones neighbours would overlap by 0.03",
        ),
        ((0.05, 0.04), "roughness", "without thermal motion by 0.050"),
        ((0.19, 0.195), "", "Neither thermal motion nor rough edges limit this design"),
    ],
)
def test_page_names_what_limits_the_overlap(
    found: Found, tmp_path: Path, overlaps: tuple[float, float], cause: str, sentence: str
) -> None:
    result = copy.deepcopy(found[0])
    around = result["around"]
    around["own"] = [score_of(overlap=overlap) for overlap in (0.18, 0.22, 0.19, 0.21)]
    without = dict(zip(("temperature", "roughness"), overlaps, strict=True))
    for scenario in around["scenarios"]:
        if scenario["value"] == 0:
            scenario["score"] = score_of(overlap=without[scenario["quantity"]])
    told = limit(around)
    assert told["cause"] == cause
    assert (told["own"], told["cold"], told["smooth"]) == pytest.approx((0.2, *overlaps))
    assert told["chance"] == pytest.approx(2 * np.std([0.18, 0.22, 0.19, 0.21], ddof=1))
    assert sentence in words(page_of(result, found[1], tmp_path / "page.html"))


def test_pareto_front_is_what_no_other_beats() -> None:
    points = [(1.0, 0.4), (2.0, 0.5), (3.0, 0.2), (3.0, 0.3), (4.0, 0.2), (5.0, 0.0)]
    scores = [Score(**score_of(energy=energy, overlap=overlap)) for energy, overlap in points]
    assert [(score.energy, score.overlap) for score in pareto_front(scores)] == [(1.0, 0.4), (3.0, 0.2), (5.0, 0.0)]


def test_bars_of_a_scenario_add_up_to_its_cost(found: Found) -> None:
    weights = Weights()
    spec = scenario_plot(found[0]["around"]["scenarios"], weights)
    bars = [trace for trace in spec["data"] if trace["type"] == "bar"]
    assert 1 < len(bars) <= len(PARTS)
    totals = np.sum([trace["x"] for trace in bars], axis=0)
    costs = [scenario["score"]["cost"] for scenario in found[0]["around"]["scenarios"]]
    assert totals == pytest.approx(costs, abs=1e-3)


def test_sensitivity_is_drawn_about_the_design(found: Found) -> None:
    around = found[0]["around"]
    own = [score["cost"] for score in around["own"]]
    plots = dict(sensitivity_plots(around["sweeps"], own))
    assert list(plots) == ["gate voltages", "pulses", "track"]
    assert sum(len(spec["data"]) for spec in plots.values()) == len(around["sweeps"])
    for spec in plots.values():
        for trace in spec["data"]:
            assert trace["y"][trace["x"].index(0)] == pytest.approx(np.mean(own), abs=1e-3)
            assert max(np.abs(trace["x"])) <= 20


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (-0.25, "V", "−0.2500 V"),
        (4.3e-9, "s", "4.300 ns"),
        (2e-8, "m", "20.00 nm"),
        (3.5e11, "A/m2", "3.500 × 10¹¹ A/m²"),
        (1.3, "", "1.300"),
        (0.0, "V", "0 V"),
    ],
)
def test_values_are_shown_with_their_units(value: float, unit: str, text: str) -> None:
    assert shown(value, unit).replace("\u00a0", " ") == text
