"""``barkhausen design`` in the modes for fronts: what it writes, how it goes on, its page, and what it refuses."""

from __future__ import annotations

import copy
import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
import xarray as xr

from barkhausen.core.errors import InputError, OutcomeError
from barkhausen.core.progress import Silent
from barkhausen.device import load_parameters
from barkhausen.device.domain_wall.design.front import MERITS, appraisal
from barkhausen.experiment.design.front import confirmation, work
from barkhausen.experiment.design.front.confirmation import retention_interval
from barkhausen.experiment.design.front.verdict import verdict
from barkhausen.experiment.design.search import design_to_directory, finished_front
from barkhausen.experiment.design.search_file import load_search
from barkhausen.micromagnetics.checkpoints import OtherSimulationError
from barkhausen.report.design.page import write_design_page
from made_up_design import SEARCH, MadeUp

FRONT: dict[str, Any] = {
    "device": copy.deepcopy(SEARCH["device"]),
    "search": {
        "mode": "pareto", "states": 2, "generations": 2, "population": 8, "devices": 2, "confirm": 0, "seed": 4,
        "scan": {"levels": 5}, "limits": {"overlap": 1.0, "misplaced": 1.0, "lost": 1.0},
        "variables": {"track": {"width": [48e-9, 64e-9, 16e-9]}, "notch_depth": [0.1, 0.3]},
    },
}  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "front.toml"
    path.write_text(tomli_w.dumps(FRONT))
    return path


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> MadeUp:
    model = MadeUp()
    monkeypatch.setattr(appraisal, "trials", model)
    monkeypatch.setattr("barkhausen.report.render.get_plotlyjs", lambda: "")
    return model


def contents(directory: Path) -> dict[str, bytes]:
    names = ("search.toml", "points.csv", "design.json", "designs/00.toml")
    return {name: (directory / name).read_bytes() for name in names}


@pytest.mark.usefixtures("made_up")
def test_a_front_is_written_and_drawn(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = design_to_directory(source, out)
    assert json.loads((out / "design.json").read_text()) == result
    with (out / "points.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 8 == result["evaluated"]
    assert list(rows[0])[-len(MERITS) :] == list(MERITS)
    energies = [finalist["searched"]["energy"] for finalist in result["finalists"]]
    times = [finalist["searched"]["retention"] for finalist in result["finalists"]]
    assert energies == sorted(energies)
    assert times == sorted(times)
    for finalist in result["finalists"]:
        device = load_parameters(out / finalist["file"])
        assert list(device.protocol.gate_voltages or ()) == finalist["voltages"]
        assert "NOT confirmed" in (out / finalist["file"]).read_text()
    stored, points = finished_front(out)
    assert stored == result
    assert len(points) == 24
    page = write_design_page(out).read_text()
    assert "Energy against retention" in page
    assert verdict(result).summary in page.replace("&#39;", "'")
    assert "no design was simulated micromagnetically" in page


def test_an_interrupted_search_ends_with_the_same_files(source: Path, tmp_path: Path, made_up: MadeUp) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    design_to_directory(source, whole)
    calls, made_up.calls = made_up.calls, 0
    made_up.calls_to_live = calls // 2
    with pytest.raises(KeyboardInterrupt):
        design_to_directory(source, broken)
    made_up.calls_to_live = 10**9
    design_to_directory(source, broken)
    assert contents(broken) == contents(whole)
    with pytest.raises(InputError, match=r"holds a search with search.limits.overlap = 1.0, this one has 0.5"):
        design_to_directory(source, broken, settings=["search.limits.overlap=0.5"])


def test_one_objective_needs_no_front(source: Path, tmp_path: Path, made_up: MadeUp) -> None:
    settings = ["search.mode=constrained", "search.limits.retention=1e-9", "device.heat.substrate=silicon"]
    result = design_to_directory(source, tmp_path / "out", settings=settings)
    assert made_up.calls > 0
    kept = [finalist["searched"]["energy"] for finalist in result["finalists"]]
    assert kept == sorted(kept)
    assert set(result["by_generation"][0]) == {"feasible", "energy"}
    assert all(finalist["merits"]["temperature_rise"] > 0 for finalist in result["finalists"])


@pytest.mark.usefixtures("made_up")
def test_confirmed_designs_carry_their_voltages(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[bool] = []

    def confirmed(parameters: Any, scan: Any, stem: Path, cycles: int, **_: Any) -> dict[str, Any]:
        assert cycles == 3
        if not refused:
            refused.append(True)
            return {"refused": str(OutcomeError("no wall was left"))}
        merits = dict.fromkeys(MERITS, 0.0) | {"retention": 1e5, "energy": 1e-13, "barrier": 20.0}
        return {
            "merits": merits, "voltages": list(scan[1:3]), "drive_factor": 1.15, "events": 4, "devices": 2,
            "barrier": [[20.0, 21.0]] * 2,
            "scan": {"voltages": list(scan), "shares": [[0.5] * len(scan)] * 2}, "retention_interval": [1e4, 1e6],
            "mean": [6e-8, 1e-7], "spread": [1e-9, 1e-9], "barrier_ratio": [0.9, 1.0], "bits": None, "overlaps": [],
        }  # fmt: skip

    monkeypatch.setattr(work, "confirm", confirmed)
    result = design_to_directory(source, tmp_path / "out", settings=["search.confirm=2", "search.scan.cycles=3"])
    assert result["finalists"][0]["confirmed"] == {"refused": "no wall was left"}
    last = result["finalists"][-1]
    device = load_parameters(tmp_path / "out" / last["file"])
    assert list(device.protocol.gate_voltages or ()) == last["confirmed"]["voltages"]
    current = last["parameters"]["protocol"]["program"]["current_density"]
    assert device.protocol.program.current_density == pytest.approx(1.15 * current)
    assert "needs, by micromagnetics, 100 fJ an event with a retention of 1e+05 s" in verdict(result).summary
    page = write_design_page(tmp_path / "out").read_text()
    assert "no wall was left" in page
    assert "Share of the walls that come to rest" in page


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("search.mode=best", "search.mode = 'best'"),
        ("search.families=['rough']", "families: means nothing with mode = 'pareto'"),
        ("search.objectives=['energy','energy']", "names one of them twice"),
        ("search.variables={track={colour=[1.0,2.0]}}", "track.colour: is no quantity that a search varies"),
        ("search.scan.levels=1", "search.scan.levels"),
        ("search.states=6", "search.scan.levels = 5: must be at least the number of states, 6"),
        ("search.limits.retention=-1", "search.limits.retention"),
        ("search.limits.temperature_rise=100", "temperature_rise needs the table device.heat"),
        ("device.characterisation.temperature=0", "search.kept_at: give the temperature"),
        ("search.limits.bits=inf", "search.limits.bits = inf"),
        ("search.limits.energy=50", "50 J is no write energy; 50e-15 (50 fJ)?"),
        ("search.scan.range=[-1100,1300]", "search.scan.range: -1100 V is no gate voltage"),
        ("search.variables={notch_half_length=[12.0,24.0]}", "12 m is no length; 12e-9 (12 nm)?"),
        ("search.objectives=[energy,bits]", "input should be a valid tuple; texts in a list need quotes"),
    ],
)
def test_mistakes_are_named(source: Path, setting: str, text: str) -> None:
    with pytest.raises(InputError) as error:
        load_search(source, [setting])
    assert text in str(error.value)
    assert "\n" not in str(error.value)


def test_keys_of_fronts_mean_nothing_to_a_search_for_a_cost(tmp_path: Path) -> None:
    path = tmp_path / "search.toml"
    path.write_text(tomli_w.dumps(SEARCH))
    with pytest.raises(InputError, match="variables: means nothing with mode = 'cost'"):
        load_search(path, ["search.variables={notch_depth=[0.1,0.2]}"])
    assert "variables" not in load_search(path).to_toml()


def test_the_interval_of_a_retention_holds_it_and_grows_with_the_spread_of_ratios() -> None:
    heat, both = 1.380649e-23 * 300, ("state", "device")
    barrier = 30 + np.random.default_rng(0).normal(0, 1, (2, 40))
    held = xr.Dataset(
        {"barrier": (both, heat * barrier), "attempt_frequency": (both, np.full((2, 40), 1e9))},
        attrs={"temperature": 300.0},
    )
    worst = np.quantile(np.exp(barrier) / 1e9, 0.1, axis=1, method="lower").min()
    low, high = retention_interval(held, np.ones(6), 1)
    assert low <= worst <= high
    wider = retention_interval(held, np.array([0.8, 0.9, 1.0, 1.1, 1.2]), 1)
    assert wider[0] < low
    assert np.log(wider[1] / wider[0]) > 2 * np.log(high / low)


def test_currents_are_raised_until_walls_reach_the_last_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recipe = load_search("retention-frontier")
    space = recipe.front_space()
    device = space.decode(space.point(space.shares_of(recipe.device)))
    places = [notch.position for notch in device.shape.notches]
    scan = device.protocol.gate_voltages or ()

    def walls(passed: np.ndarray) -> np.ndarray:
        return np.array(places)[np.minimum(passed.astype(int), 4)][:, None, None]

    def strength(tried: Any) -> float:
        return float(tried.protocol.program.current_density / device.protocol.program.current_density)

    # The stronger the pulse, the more notches a wall passes at the last voltages.
    monkeypatch.setattr(
        confirmation, "_scanned", lambda tried, *_: walls(np.linspace(0, 4.999 * strength(tried) / 1.5, len(scan)))
    )
    factor, seen = confirmation._adapted(device, places, tmp_path, Silent(), {})
    assert factor == pytest.approx(1.15**2)
    assert [seen[k].max() for k in range(5)] == [1.0] * 5
    # Walls that pass the first notch at every voltage are driven less.
    monkeypatch.setattr(
        confirmation, "_scanned", lambda tried, *_: walls(np.linspace(1.35 * strength(tried), 6, len(scan)))
    )
    assert confirmation._adapted(device, places, tmp_path, Silent(), {})[0] == pytest.approx(1.15**-3)


@pytest.mark.usefixtures("made_up")
def test_a_backend_that_is_not_there_is_named_before_the_search(source: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="backend = 'kernel': must be one of"):
        design_to_directory(source, tmp_path / "out", backend="kernel")
    assert not (tmp_path / "out" / "points.csv").exists()


@pytest.mark.usefixtures("made_up")
def test_limits_of_the_compact_model_are_those_of_the_search_alone(source: Path, tmp_path: Path) -> None:
    impossible = "search.limits.bits=1.5"
    strict = design_to_directory(source, tmp_path / "strict", settings=[impossible])
    assert strict["feasible"] == 0
    loose = ["search.compact_limits={overlap=1.0,misplaced=1.0,lost=1.0}"]
    apart = design_to_directory(source, tmp_path / "apart", settings=[impossible, *loose])
    assert apart["feasible"] == apart["possible"] > 0
    assert all(finalist["keeps_limits"] for finalist in apart["finalists"])


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize(
    ("column", "value"), [("overlap", "nan"), ("energy", "-5"), ("retention", "inf"), ("gate_voltage_0", "nan")]
)
def test_damaged_points_are_refused(source: Path, tmp_path: Path, column: str, value: str) -> None:
    out = tmp_path / "out"
    design_to_directory(source, out)
    lines = (out / "points.csv").read_text().splitlines()
    row = lines[1].split(",")
    row[lines[0].split(",").index(column)] = value
    (out / "points.csv").write_text("\n".join([lines[0], ",".join(row), *lines[2:]]) + "\n")
    with pytest.raises(InputError, match=r"points\.csv: line 2 is not a point of this search .* delete the file"):
        design_to_directory(source, out)


SIMULATED: dict[str, Any] = {
    "merits": dict.fromkeys(MERITS, 0.1), "voltages": [-1.0, 1.0], "drive_factor": 1.0, "events": 4, "devices": 2,
    "scan": {"voltages": [-1.0, 1.0], "shares": [[1.0, 0.0], [0.0, 1.0]]}, "retention_interval": [1.0, 2.0],
    "mean": [6e-8, 1e-7], "spread": [1e-9, 1e-9], "barrier": [[20.0, None], [21.0, 22.0]], "barrier_ratio": [1.0],
    "bits": None, "overlaps": [],
}  # fmt: skip


def confirmed_again(stem: Path) -> dict[str, Any]:
    recipe = load_search("retention-frontier")
    space = recipe.front_space()
    device = space.decode(space.point(space.shares_of(recipe.device)))
    return confirmation.confirm(device, (-1.0, 1.0), stem, scanned=1, kept_at=300.0, progress=Silent())


def put(stem: Path, result: Any) -> None:
    """A stored result of the design of :func:`confirmed_again`, with its device file."""
    recipe = load_search("retention-frontier")
    space = recipe.front_space()
    device = space.decode(space.point(space.shares_of(recipe.device)))
    design = {"parameters": device.model_dump(mode="json"), "scan": [-1.0, 1.0], "scanned": 1, "kept_at": 300.0}
    stem.with_suffix(".json").write_text(json.dumps({"design": design, "result": result}))
    stem.with_suffix(".nc").touch()


def test_a_stored_confirmation_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a", SIMULATED)
    found = confirmed_again(tmp_path / "a")
    assert list(found) == list(SIMULATED)
    assert found == SIMULATED
    # Without its device file it is simulated anew.
    (tmp_path / "a.nc").unlink()
    monkeypatch.setattr(confirmation, "_confirmed", lambda *_: {"refused": "simulated anew"})
    assert confirmed_again(tmp_path / "a") == {"refused": "simulated anew"}


@pytest.mark.parametrize(
    "damage",
    [
        {"merits": {}}, {"merits": None}, {"merits": SIMULATED["merits"] | {"energy": "x"}}, {"voltages": []},
        {"merits": SIMULATED["merits"] | {"energy": float("nan")}}, {"drive_factor": "x"}, {"retention_interval": None},
        {"barrier": 3},
    ],
)  # fmt: skip
def test_a_damaged_confirmation_is_refused(tmp_path: Path, damage: dict[str, Any]) -> None:
    put(tmp_path / "a", SIMULATED | damage)
    with pytest.raises(InputError, match=r"a\.json: is damaged; delete it"):
        confirmed_again(tmp_path / "a")


def test_unfinished_work_of_other_settings_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def differs(*_: Any) -> None:
        raise OtherSimulationError(tmp_path / "a.work" / "scan-0", "holds another simulation (differs in backend)")

    monkeypatch.setattr(confirmation, "_confirmed", differs)
    with pytest.raises(InputError, match=r"a\.work: holds unfinished work of other settings .* or delete it"):
        confirmed_again(tmp_path / "a")
