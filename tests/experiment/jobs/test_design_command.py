"""``barkhausen design`` from file to directory: what it writes, how it goes on, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from barkhausen.core.errors import InputError, OutcomeError
from barkhausen.device import DeviceParameters, load_parameters, read_device
from barkhausen.device.domain_wall.compact.calibration import Calibration
from barkhausen.device.domain_wall.compact.model import CompactParameters
from barkhausen.device.domain_wall.design import SCORES
from barkhausen.experiment.design import calibration as design_calibration
from barkhausen.experiment.design import confirmation as design_confirmation
from barkhausen.experiment.design import search as design
from barkhausen.experiment.design.search import design_to_directory
from barkhausen.experiment.design.search_file import load_search
from made_up_design import SEARCH, MadeUp

WRITTEN = ("search.toml", "designed.toml", "candidates.csv", "design.json")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "search-file.toml"
    path.write_text(tomli_w.dumps(SEARCH))
    return path


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> MadeUp:
    """The command on a made-up model, and pages without plotly's five megabytes."""
    model = MadeUp()
    monkeypatch.setattr(design, "trials", model)
    monkeypatch.setattr("barkhausen.report.render.get_plotlyjs", lambda: "")
    return model


def contents(directory: Path) -> dict[str, bytes]:
    return {name: (directory / name).read_bytes() for name in WRITTEN}


@pytest.mark.usefixtures("made_up")
def test_design_writes_what_it_found(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = design_to_directory(source, out)
    assert {path.name for path in out.iterdir() if not path.name.startswith(".")} == set(WRITTEN)
    assert json.loads((out / "design.json").read_text()) == result
    assert [entry["family"] for entry in result["families"]] == ["rough", "equal-notches"]
    with (out / "candidates.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * 8 == sum(entry["candidates"] for entry in result["families"])
    assert list(rows[0])[:4] == ["family", "generation", "gate_voltage_0", "gate_voltage_1"]
    assert list(rows[0])[-len(SCORES) :] == list(SCORES)
    for entry in result["families"]:
        costs = [[float(r["cost"]) for r in rows if (r["family"], r["generation"]) == (entry["family"], str(g))]
                 for g in range(3)]  # fmt: skip
        assert [len(row) for row in costs] == [8, 8, 8]
        assert entry["best_by_generation"] == np.minimum.accumulate(np.min(costs, axis=1)).tolist()
        finalists = [finalist["compact"]["score"]["cost"] for finalist in entry["finalists"]]
        assert len(finalists) == 8
        assert finalists == sorted(finalists)
    best = min((entry["finalists"][0] for entry in result["families"]), key=lambda f: f["compact"]["score"]["cost"])
    value = {variable["name"]: variable["value"] for variable in best["variables"]}
    designed = load_parameters(out / "designed.toml")
    assert designed.model_dump(mode="json", exclude_none=True) == result["best"]["parameters"]
    assert designed.protocol.gate_voltages == (value["gate_voltage_0"], value["gate_voltage_1"])
    assert designed.protocol.program.current_density == value["current_density"]
    assert designed.characterisation.devices == 3
    # What nobody gave is still known to be assumed, by the file and by who reads it.
    assert "track.thickness = 1e-09 (default)" in designed.assumed()
    assert "# assumed: track.thickness = 1e-09 (default)" in (out / "designed.toml").read_text()
    assert "NOT confirmed" in (out / "designed.toml").read_text()


@pytest.mark.parametrize("calls", [0, 1, 2, 4, 6, 7, 9, 12])
def test_interrupted_search_ends_with_the_same_files(source: Path, tmp_path: Path, made_up: MadeUp, calls: int) -> None:
    design_to_directory(source, tmp_path / "undisturbed")
    total, made_up.calls, made_up.calls_to_live = made_up.calls, 0, calls
    with pytest.raises(KeyboardInterrupt):
        design_to_directory(source, tmp_path / "interrupted")
    assert not (tmp_path / "interrupted" / "designed.toml").exists()
    made_up.calls_to_live = 10**9
    design_to_directory(source, tmp_path / "interrupted")
    assert contents(tmp_path / "interrupted") == contents(tmp_path / "undisturbed")
    # Batches of the search that were kept are not computed again: there are six of them.
    assert made_up.calls == total + max(0, calls - 6)


@pytest.mark.usefixtures("made_up")
def test_a_search_can_be_made_longer(source: Path, tmp_path: Path) -> None:
    design_to_directory(source, tmp_path / "one", settings=["search.families=['rough']", "search.generations=1"])
    design_to_directory(source, tmp_path / "one")
    design_to_directory(source, tmp_path / "other")
    one, other = contents(tmp_path / "one"), contents(tmp_path / "other")
    assert sorted(one.pop("candidates.csv").split()) == sorted(other.pop("candidates.csv").split())
    assert one["design.json"] == other["design.json"]
    assert one["designed.toml"] == other["designed.toml"]


@pytest.mark.usefixtures("made_up")
def test_search_on_a_shape_of_its_own_is_read_back(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    design_to_directory(source, out, settings=["device.shape.taper=0.01"])
    result, candidates = design.finished_search(out)
    assert result["recipe"]["device"]["shape"]["taper"] == 0.01
    assert candidates
    assert load_search(out / "search.toml").device.shape.taper == 0.01
    # As version 0.2.0 wrote it.
    held = out / "search.toml"
    held.write_text(held.read_text().replace("[device.shape]\n", "[device.shape]\nnotches = []\n"))
    assert design.finished_search(out)[1] == candidates
    assert design_to_directory(source, out, settings=["device.shape.taper=0.01"]) == result


@pytest.mark.usefixtures("made_up")
def test_another_search_in_the_directory_is_refused(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    design_to_directory(source, out)
    before = contents(out)
    with pytest.raises(InputError, match=r"holds a search with search\.seed = 4, this one has 5; choose another --out"):
        design_to_directory(source, out, settings=["search.seed=5"])
    with pytest.raises(InputError, match=r"device\.track\.width = 4\.8e-08"):
        design_to_directory(source, out, settings=["device.track.width=60e-9"])
    assert contents(out) == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with pytest.raises(InputError, match="exists and is not the directory of a search"):
        design_to_directory(source, tmp_path / "full")
    assert {path.name for path in (tmp_path / "full").iterdir()} == {"thesis.tex"}


@pytest.mark.usefixtures("made_up")
def test_damaged_candidates_are_refused(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    design_to_directory(source, out)
    lines = (out / "candidates.csv").read_text().splitlines()
    lines[3] = lines[3].replace("rough,0,", "rough,0,x")
    (out / "candidates.csv").write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"candidates\.csv: line 4 is not a candidate of this search"):
        design_to_directory(source, out)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("search.states=1", "search.states = 1: input should be greater than or equal to 2"),
        ("search.population=12", "search.population: must be a power of two"),
        ("search.families=['smooth']", "search.families.0 = 'smooth'"),
        ("search.generation=3", "unknown key 'search.generation'; did you mean 'search.generations'?"),
        ("search.ranges.notch_width=[1,2]", "unknown key 'search.ranges.notch_width'"),
        ("search.ranges.pulse_width=[2e-9,1e-9]", "first number must not be greater than the second"),
        (
            "search.ranges.pulse_width=[3.5,5]",
            "search.ranges.pulse_width = 3.5 s is no pulse duration; 3.5e-9 (3.5 ns)?",
        ),
        ("search.ranges.notch_half_length=[1e-9,40e-9]", "2 notches fit between the end stops up to"),
        ("search.compact.pinning=1", "unknown key 'search.compact.pinning'"),
        ("device.protocol.gate_voltages=[0,1]", "device.protocol.gate_voltages: is set by the search"),
        ("device.shape.notches=[]", "device.shape.notches: is set by the search"),
        ("search.ranges.gate_voltage=[-1,9]", "search.ranges.gate_voltage: gate: a change of Ku by -1.33"),
    ],
)
def test_wrong_files_are_refused_in_one_line(source: Path, tmp_path: Path, setting: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        design_to_directory(source, tmp_path / "out", settings=[setting])
    assert message in str(error.value)
    assert not (tmp_path / "out").exists()


def refuse(parameters: DeviceParameters, *, checkpoint: Path, **_: Any) -> None:
    (checkpoint / "pictures").mkdir(parents=True)
    raise OutcomeError("characterisation: of 2 events at 1 V none left a single wall on the track")


@pytest.mark.usefixtures("made_up")
def test_a_design_that_micromagnetics_refuses_is_not_called_confirmed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(design_confirmation, "characterise", refuse)
    result = design_to_directory(source, tmp_path / "out", settings=["search.confirm=3"])
    tried = [
        (entry["family"], rank)
        for entry in result["families"]
        for rank, finalist in enumerate(entry["finalists"])
        if finalist["confirmed"]
    ]
    # The best of each family first.
    assert {("rough", 0), ("equal-notches", 0)} < set(tried)
    assert len(tried) == 3
    assert result["families"][0]["finalists"][0]["confirmed"] == {
        "refused": "characterisation: of 2 events at 1 V none left a single wall on the track"
    }
    assert result["best"]["confirmed"] is False
    assert "NOT confirmed" in (tmp_path / "out" / "designed.toml").read_text()


@pytest.mark.usefixtures("made_up")
def test_an_error_before_the_simulation_is_the_users(source: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="backend = 'abacus'"):
        design_to_directory(source, tmp_path / "out", settings=["search.confirm=1"], backend="abacus")


@pytest.mark.usefixtures("made_up")
def test_the_best_confirmed_design_wins(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    costs: list[float] = []

    def confirm(parameters: DeviceParameters, stem: Path, *_: Any, **__: Any) -> dict[str, Any]:
        assert (parameters.characterisation.devices, parameters.characterisation.cycles) == (2, 1)
        costs.append(3.0 - len(costs))
        score = dict.fromkeys(SCORES, 0.1) | {"cost": costs[-1]}
        states = {name: [0.1, 0.2] for name in ("voltage", "mean", "spread", "misplaced")} | {"overlaps": [0.1]}
        return {"score": score, "states": states}

    monkeypatch.setattr(design, "confirm", confirm)
    result = design_to_directory(source, tmp_path / "out", settings=["search.confirm=2"])
    assert costs == [3.0, 2.0]
    first = {entry["family"]: entry["finalists"][0]["compact"]["score"]["cost"] for entry in result["families"]}
    # The second to be confirmed, although the compact model likes it less.
    assert result["best"]["family"] == max(first, key=first.__getitem__)
    assert result["best"]["confirmed"] is True
    assert "confirmed micromagnetically" in (tmp_path / "out" / "designed.toml").read_text()


def test_calibration_is_made_once_and_used(
    source: Path, tmp_path: Path, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = CompactParameters(pinning_factor=0.7654)
    asked: list[dict[str, Any]] = []

    def calibrate(*_: Any, **how: Any) -> Calibration:
        asked.append(how)
        return Calibration(parameters=fitted, comparisons=(), settings={})

    monkeypatch.setattr(design_calibration, "calibrate", calibrate)
    settings = ["search.calibrate=true", "search.families=['rough']"]
    made_up.calls_to_live = 1
    with pytest.raises(KeyboardInterrupt):
        design_to_directory(source, tmp_path / "out", settings=settings)
    made_up.calls_to_live = 10**9
    result = design_to_directory(source, tmp_path / "out", settings=settings)
    assert len(asked) == 1
    assert asked[0]["voltages"] == pytest.approx([-1.05, 0, 1.05])
    assert [notch.depth for notch in asked[0]["notches"]] == pytest.approx([6.5e-9, 11.5e-9])
    assert asked[0]["held_out"].depth == pytest.approx(9e-9)
    assert set(made_up.seen) == {fitted}
    assert result["compact"]["pinning_factor"] == 0.7654


@pytest.mark.usefixtures("one_thread")
def test_design_is_confirmed_by_micromagnetics(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("barkhausen.report.render.get_plotlyjs", lambda: "")
    settings = ["search.families=['equal-notches']", "search.generations=1", "search.confirm=1"]
    out = tmp_path / "out"
    result = design_to_directory(source, out, settings=settings, threads=1)
    best = result["families"][0]["finalists"][0]
    confirmed, stem = best["confirmed"], out / "confirmed" / best["name"]
    assert best["name"].startswith("equal-notches-")
    simulated = read_device(stem.with_suffix(".nc"))
    assert [simulated.data.sizes[name] for name in ("state", "device", "cycle")] == [2, 2, 1]
    assert confirmed["states"]["mean"] == pytest.approx(simulated.moments[0].tolist())
    assert confirmed["score"]["energy"] == pytest.approx(
        float((simulated.energy("sot") + simulated.energy("gate")).mean())
    )
    assert 0 <= confirmed["score"]["not_home"] <= 1
    assert result["best"]["confirmed"] is True
    assert not stem.with_suffix(".work").exists()
    before = contents(out)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("simulated twice")

    monkeypatch.setattr(design_confirmation, "characterise", never)
    design_to_directory(source, out, settings=settings, threads=1)
    assert contents(out) == before


def test_shipped_recipe_is_a_search() -> None:
    recipe = load_search(Path(__file__).parents[3] / "recipes" / "design-graded-notches.toml")
    assert recipe.search.states == 5
    assert recipe.search.families == ("rough", "equal-notches", "graded-notches", "gradient")
