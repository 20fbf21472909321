"""The calibration: its fits on data of known origin, its statistics, and whole on a small track and on the real one."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.device.domain_wall.compact.calibration import (
    Calibration,
    Comparison,
    _at_rest,
    _fit_motion,
    _fit_notches,
    calibrate,
)
from barkhausen.device.domain_wall.compact.calibration_notches import Notches, Pulses, Ramps, half_passed
from barkhausen.device.domain_wall.compact.calibration_runs import Bench, Paths, standard_error
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters
from barkhausen.micromagnetics import (
    Film,
    Grid,
    Notch,
    StrainGate,
    TrackOutline,
    Waveform,
    compiled,
    material,
    track_film,
)

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = pytest.mark.usefixtures("one_thread")

# Strong damping: thick steps in micromagnetics, and walls that do not swing.
COBALT = material("cofeb-tantalum", dmi=0.5e-3, spin_hall_angle=0.3, damping=0.2)
SHALLOW = Notch(position=0.0, depth=6e-9, half_length=24e-9)
DEEP = Notch(position=0.0, depth=10e-9, half_length=24e-9)
DEEPEST = Notch(position=0.0, depth=14e-9, half_length=28e-9)


def bench(**changes: Any) -> Bench:
    values: dict[str, Any] = {
        "material": COBALT, "width": 48e-9, "thickness": 1e-9, "cell": 4e-9, "gate": StrainGate(),
        "voltages": (0.0, 0.4), "temperature": 0.0, "replicas": 1, "seed": 0, "checkpoint": None,
    }  # fmt: skip
    return Bench(**(values | changes))


# ---- the fits find what made the data -------------------------------------------------------------------------------


def test_fit_of_the_motion_finds_the_factors_that_made_the_paths() -> None:
    """Paths of the compact model itself, weighed as known to 3 % each, against factors expected within 20 % of 1.

    That draws a factor back by some (3/20)² of its distance, and damping and drive together, which paths hardly tell
    apart, by more; the paths themselves come out to 3 % of the 80 nm that they cover.
    """
    truth = CompactParameters(dmi_factor=0.85, damping_factor=1.2, drive_factor=0.9)
    on = bench()
    film = on.track(320e-9)
    paths = Paths(on, film, tuple((j, 0.0) for j in (3e10, 1e11, 3e11)), 0.8e-9, np.empty(0))
    paths = dataclasses.replace(paths, walls=paths.predicted(truth)[..., None])
    found = _fit_motion(CompactParameters(), paths)
    assert found.dmi_factor == pytest.approx(0.85, rel=0.03)
    assert found.damping_factor == pytest.approx(1.2, rel=0.05)
    assert found.drive_factor == pytest.approx(0.9, rel=0.05)
    assert found.damping_factor / found.drive_factor == pytest.approx(1.2 / 0.9, rel=0.03)
    assert paths.predicted(found) == pytest.approx(paths.predicted(truth), abs=2.4e-9)


@pytest.mark.slow
def test_fit_of_the_notches_finds_the_factors_that_made_the_currents(monkeypatch: pytest.MonkeyPatch) -> None:
    """With weak damping, where walls arrive turned, and at 300 K, where shares of walls pass.

    The data are drawn with other noise: the mean of 24 ramps is off by 1 %, a threshold from shares of 24 by 5 %, and
    twice as much between two sets; the latter is what a change of twist by 0.1 does.
    """
    monkeypatch.setattr("barkhausen.device.domain_wall.compact.calibration_runs.COMPACT_REPLICAS", 24)
    truth, start = CompactParameters(pinning_factor=0.85, twist_factor=0.2), CompactParameters()
    constants = COBALT.model_copy(update={"damping": 0.05, "dmi": 0.3e-3})
    on, other = (bench(material=constants, temperature=300.0, seed=seed, voltages=(0.0,)) for seed in (0, 1))
    at, made = (Notches.of(b, [DEEP, DEEPEST]) for b in (on, other))
    static = at.depinning_current(start)
    points = tuple((1.6 * float(j), v) for j, (_, v) in zip(static, at.cases, strict=True))
    free = Ramps(made, points, np.empty(0)).predicted(truth)
    currents = static[:, None] * np.geomspace(0.1, 1.5, 10)
    share = Pulses(made, 2e-9, currents, np.empty(0)).predicted(truth)
    passed = np.arange(24) < np.round(24 * share)[..., None]
    track = on.track(320e-9)
    paths = Paths(on, track, ((5e10, 0.0), (2e11, 0.0)), 0.6e-9, np.empty(0))
    paths = dataclasses.replace(paths, walls=paths.predicted(truth)[..., None])
    found = _fit_notches(start, paths, Ramps(at, points, free[:, None]), Pulses(at, 2e-9, currents, passed))
    assert found.damping_factor == pytest.approx(1.0, abs=0.2)
    assert found.pinning_factor == pytest.approx(0.85, abs=0.06)
    assert found.twist_factor == pytest.approx(0.2, abs=0.2)


def test_walls_at_rest_tell_demagnetisation_and_the_cost_of_a_neel_wall() -> None:
    """On a wide track N_zz is nearly 1, and a Néel wall costs nearly what it does in an infinite film."""
    found = _at_rest(bench(width=192e-9, voltages=(0.0,)))
    assert found.order == 1.0
    assert 0.93 < found.demag_factor < 0.99
    delta = float(CompactModel(bench().track(320e-9), found).energy().wall_width[0, 0])
    assert 0.6 < found.neel_cost - found.edge_cost * delta / 192e-9 < 1.0
    narrow = _at_rest(bench(width=48e-9, voltages=(0.0,)))
    assert narrow.demag_factor < found.demag_factor
    assert narrow.neel_cost - narrow.edge_cost * delta / 48e-9 < 0.3
    # One law for both: what the edges take off goes with Delta over the width.
    assert narrow.edge_cost == pytest.approx(found.edge_cost, rel=0.5)


# ---- what it is made of ---------------------------------------------------------------------------------------------


def test_half_passed_is_the_mean_threshold() -> None:
    currents = np.array([[1.0, 2.0, 4.0, 8.0]]) * 1e11
    root = math.sqrt(2)
    # All thresholds between 2 and 4; half at once between 1 and 2, the others between 4 and 8; none and all passing.
    assert half_passed(currents, np.array([[0.0, 0.0, 1.0, 1.0]])) == pytest.approx([2e11 * root])
    assert half_passed(currents, np.array([[0.0, 0.5, 0.5, 1.0]])) == pytest.approx([2e11 * root])
    assert half_passed(currents, np.array([[0.0, 0.0, 0.0, 0.0]])) == pytest.approx([8e11 * root])
    assert half_passed(currents, np.array([[1.0, 1.0, 1.0, 1.0]])) == pytest.approx([1e11 / root])
    thresholds = np.random.default_rng(0).lognormal(math.log(2.5e11), 0.2, size=200_000)
    fine = np.geomspace(0.8e11, 8e11, 31)[None]
    share = (thresholds < fine.T).mean(1)[None]
    assert half_passed(fine, share) == pytest.approx([2.5e11], rel=2e-3)


def test_static_depinning_current_is_the_force_balance_of_each_case() -> None:
    at = Notches.of(bench(), [SHALLOW, DEEP])
    assert at.cases == [(0, 0.0), (0, 0.4), (1, 0.0), (1, 0.4)]
    current = at.depinning_current(CompactParameters())
    # A deeper notch holds more, and a positive voltage, which lowers Ku, less.
    assert current[2] > 1.3 * current[0]
    assert current[1] < 0.9 * current[0]
    model = CompactModel(at.assigned(1), CompactParameters())
    for factor, left in ((0.97, False), (1.05, True)):
        points = [(factor * float(j), v) for j, (_, v) in zip(current, at.cases, strict=True)]
        rise = at.bench.drive(points, Waveform(torch.tensor([0.0, 20e-9]), torch.tensor([0.0, 1.0])), 1)
        q = model.simulate(rise, duration=30e-9, every=1e-9, replicas=4, position=at.notches[0].position, dt=5e-12)
        assert (~(q["wall_position"].values[-1] < at.exits)).tolist() == [left] * 4


def test_width_is_the_median_of_the_tracks() -> None:
    outline = TrackOutline(
        length=256e-9, width=48e-9, notches=(Notch(position=128e-9, depth=10e-9, half_length=40e-9),)
    )
    assert Bench.width_of(track_film(outline, COBALT)) == pytest.approx(48e-9)
    assert Bench.width_of(Film(Grid(8, 6, 4e-9, 4e-9, 1e-9), COBALT)) == pytest.approx(24e-9)


def test_standard_error() -> None:
    values = np.array([[1.0, 3.0], [2.0, 2.0]])
    assert standard_error(values, axis=1) == pytest.approx([1.0, 0.0])
    assert standard_error(values[:, :1], axis=1).tolist() == [0.0, 0.0]


def test_comparison_leaves_lost_points_out() -> None:
    c = Comparison.of(
        "velocity", "m/s", ["a", "b", "c"], micromagnetics=np.array([10.0, np.nan, 20.0]),
        uncertainty=np.array([1.0, np.nan, 2.0]), compact=np.array([13.0, 5.0, 16.0]), held_out=True,
    )  # fmt: skip
    assert c.points == ("a", "c")
    assert c.error == pytest.approx(math.sqrt((9 + 16) / 2))
    assert c.relative_error == pytest.approx(math.sqrt((0.3**2 + 0.2**2) / 2))
    assert c.relative_uncertainty == pytest.approx(0.1)


# ---- the whole ------------------------------------------------------------------------------------------------------

small_run = pytest.mark.skipif(not compiled.available(), reason="takes minutes without the compiled kernel")


@small_run
def test_small_calibration_predicts_what_it_has_not_seen(tmp_path: Path) -> None:
    """Currents in ratios of 1.36 tell a threshold at zero temperature to half a step, 0.18; 0.15 are the model's."""
    film = track_film(TrackOutline(length=128e-9, width=32e-9), COBALT, cell=4e-9)
    options: dict[str, Any] = {
        "voltages": (0.0,), "notches": [SHALLOW.model_copy(update={"depth": 5e-9})], "currents": 7, "temperature": 0.0,
        "held_out": SHALLOW.model_copy(update={"depth": 6e-9}), "pulse": 1e-9, "threads": 1, "checkpoint": tmp_path,
    }  # fmt: skip
    found = calibrate(film, None, **options)
    assert found.parameters.order == 1.0
    assert 0.7 < found.parameters.pinning_factor < 1.4
    assert 0.6 < found.parameters.dmi_factor < 1.2
    assert found.errors["threshold"] < 0.33
    assert found.errors["velocity"] < 0.15
    assert found.errors["displacement"] < 0.15
    assert {c.quantity for c in found.comparisons if not c.held_out} == {
        "velocity", "displacement", "depinning current", "threshold", "pass probability",
    }  # fmt: skip
    again = Calibration.model_validate_json(found.model_dump_json())
    assert again.parameters == found.parameters
    assert again.errors == found.errors
    json.dumps(found.errors)
    rows = found.table().splitlines()
    assert len(rows) == 2 + sum(len(c.points) for c in found.comparisons)
    assert any("held out" in row and "notch 6 x 24 nm" in row for row in rows)
    assert found.settings["width"] == pytest.approx(32e-9)


@pytest.mark.parametrize(
    ("film", "options", "message"),
    [
        (material("cofeb-tantalum", spin_hall_angle=0.0), {}, "no current moves a wall to calibrate on"),
        (material("cofeb-tantalum", dmi=0.0), {}, "no current moves a wall to calibrate on"),
        (COBALT, {"voltages": (0.0, 0.1)}, r"voltages = \[0\.0, 0\.1\]: must be one or more, and 0 without a gate"),
        (COBALT, {"voltages": ()}, r"voltages = \[\]: must be one or more"),
        (COBALT, {"voltages": (0.0,), "replicas": 0}, r"replicas = 0: must be 1 or more"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(film: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        calibrate(Film(Grid(8, 8, 4e-9, 4e-9, 1e-9), film), None, **options)


@small_run
@pytest.mark.slow
@pytest.mark.validation
def test_calibration_of_a_device_track(report: Report) -> None:
    """300 K, five to forty thresholds: held-out pulses to 15 % and the error of the micromagnetic ones."""
    constants = material("cofeb-tantalum", dmi=0.3e-3, spin_hall_angle=0.3, damping=0.05)
    found = calibrate(track_film(TrackOutline(length=256e-9, width=64e-9), constants, cell=4e-9), StrainGate())
    errors = found.errors
    report("compact model, held-out thresholds (rms, relative)", errors["threshold"], 0.0,
           0.15 + errors["threshold_uncertainty"])  # fmt: skip
    report("compact model, held-out velocities (rms, relative)", errors["velocity"], 0.0,
           0.10 + 2 * errors["velocity_uncertainty"])  # fmt: skip
    report("compact model, held-out pass probabilities (rms)", errors["pass_probability"], 0.0,
           0.10 + errors["pass_probability_uncertainty"])  # fmt: skip
    # Softened by heat as the mean magnetisation says, and held by notches as a straight wall would be.
    report("compact model, pinning factor", found.parameters.pinning_factor, 1.0, 0.1)
    report("compact model, order", found.parameters.order, 0.94, 0.01)
