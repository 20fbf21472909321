"""Barriers against closed forms, attempt frequencies against Langer's, retention times against walls that run away."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
import xarray as xr

from barkhausen.core.errors import InputError, OutcomeError
from barkhausen.core.units import BOLTZMANN, GYROMAGNETIC_RATIO
from barkhausen.device import DeviceParameters
from barkhausen.device.domain_wall.barriers.tilted import SPREAD, tilted_landscapes
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters
from barkhausen.device.domain_wall.retention import depopulation, resting_places, retention, retention_on
from barkhausen.micromagnetics import Drive, Film, Grid, Material, material

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = pytest.mark.usefixtures("one_thread")

WIDTH, THICKNESS, CELL = 64e-9, 1e-9, 1e-9
COBALT = Material(
    saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=0.3, anisotropy=0.8e6, dmi=0.5e-3,
    spin_hall_angle=0.2,
)  # fmt: skip
PLAIN = CompactParameters(demag_factor=1.0, neel_cost=0.0, edge_cost=0.0, twist_factor=1.0)
HEAT = BOLTZMANN * 300.0
DELTA = COBALT.wall_width


def passed(delta: float, period: float) -> float:
    """What the profile sech² lets through of a cosine of Ku, y/sinh(y) with y = pi k Delta/2, and the cells, a sinc."""
    k = 2 * math.pi / period
    y = math.pi * k * delta / 2
    return y / math.sinh(y) * math.sin(k * CELL / 2) / (k * CELL / 2)


def waves(barriers: list[float], period: float, material: Material = COBALT, tilt: float = 0.0) -> Film:
    """Nine periods of a cosine of Ku, a device for each barrier 4 Delta t w K1 (in kB T, about); a gradient (J/m⁴)."""
    grid = Grid(round(9 * period / CELL), 1, CELL, WIDTH, THICKNESS)
    unit = 4 * DELTA * THICKNESS * WIDTH * passed(DELTA, period)
    height = torch.tensor(barriers, dtype=torch.float64) * HEAT / unit
    ku = material.anisotropy + height[:, None] * torch.cos(2 * math.pi / period * grid.x)
    ku = ku + tilt * (grid.x - grid.length / 2)
    return Film(grid, material, anisotropy=ku[..., None])


def wave_height(film: Film, period: float, device: int = 0) -> float:
    """The same barrier in J, with the Delta that the median of Ku gives."""
    assert film.anisotropy is not None
    delta = float(CompactModel(film, PLAIN).energy().wall_width[0, device])
    turn = 2 * math.pi / period * film.grid.x
    amplitude = 2 * float((film.anisotropy[device, :, 0] * torch.cos(turn)).mean())
    return 4 * delta * THICKNESS * WIDTH * amplitude * passed(delta, period)


def held(film: Film, place: float, parameters: CompactParameters = PLAIN, temperature: float = 300.0) -> xr.Dataset:
    return retention_on(film, np.array([place]), parameters, temperature=temperature)


def value(data: xr.Dataset, name: str, device: int = 0, state: int = 0) -> float:
    return float(data[name].values[state, device])


# ---- the barrier ----------------------------------------------------------------------------------------------------


@pytest.mark.validation
def test_barrier_of_a_cosine(report: Report) -> None:
    """A spline through places 1 nm apart is off by (k h)⁴/384, 1e-7 of the amplitude, a minimum on 0.25 nm by 1e-4."""
    film = waves([10.0, 40.0], 60e-9)
    data = held(film, 250e-9)
    expected = np.array([wave_height(film, 60e-9, device) / HEAT for device in (0, 1)])
    report("barrier of a cosine of Ku (kB T)", data["barrier"].values[0] / HEAT, expected, 3e-4 * expected)
    assert value(data, "rest_position") == pytest.approx(270e-9, abs=0.5e-9)
    half = held(film, 250e-9, PLAIN.model_copy(update={"pinning_factor": 0.5}))
    assert half["barrier"].values == pytest.approx(0.5 * data["barrier"].values, rel=1e-9, abs=0)


def test_lower_of_two_saddles_counts_and_says_where_it_is() -> None:
    """−(A/2) cos kx − F x has its stationary points at sin kx = s = 2 F/(A k), and the lower barrier

    A sqrt(1 − s²) − (F/k)(pi − 2 asin s); the slope on the way is at most A k/2 − F.
    """
    period, tilt = 60e-9, 4e11
    k = 2 * math.pi / period
    for sign in (1.0, -1.0):
        film = waves([30.0], period, tilt=sign * tilt)
        data = held(film, 270e-9)
        delta = float(CompactModel(film, PLAIN).energy().wall_width[0, 0])
        height, force = wave_height(film, period), 2 * delta * THICKNESS * WIDTH * tilt
        s = 2 * force / (height * k)
        expected = height * math.sqrt(1 - s * s) - force / k * (math.pi - 2 * math.asin(s))
        assert 0.02 < 1 - expected / height < 0.5
        assert value(data, "direction") == -sign
        assert value(data, "barrier") == pytest.approx(expected, rel=1e-3, abs=0)
        field = (height * k / 2 - force) / (2e6 * THICKNESS * WIDTH)
        assert value(data, "pinning_field") == pytest.approx(field, rel=1e-3)


def test_wall_next_to_the_end_leaves_over_the_end() -> None:
    """A single hill in the middle: left of it the wall is held by a rise towards the end of the track."""
    grid = Grid(200, 1, CELL, WIDTH, THICKNESS)
    ku = COBALT.anisotropy + 1e5 * (grid.x < 30e-9) + 2e5 * ((grid.x > 80e-9) & (grid.x < 110e-9))
    film = Film(grid, COBALT, anisotropy=ku[None, :, None])
    data = held(film, 55e-9)
    energy = CompactModel(film, PLAIN).energy().energy[0, 0].numpy()
    assert value(data, "direction") == -1.0
    lowest = float(energy[40:75].min())
    assert value(data, "barrier") == pytest.approx(float(energy[0]) - lowest, rel=1e-3, abs=0)


def test_a_wall_that_strays_half_the_time_rests_in_a_notch_and_not_between_two() -> None:
    positions = np.array([[[90.0, 10.0, 11.0, 91.0], [10.0, 12.0, np.nan, 11.0], [np.nan] * 4]])
    np.testing.assert_equal(resting_places(positions), [[11.0, 11.0, np.nan]])


def test_places_that_hold_nothing_keep_nothing_and_missing_ones_stay_missing() -> None:
    film = waves([0.2, 40.0], 60e-9)
    data = retention_on(film, np.array([[270e-9, 270e-9], [270e-9, np.nan]]), PLAIN, temperature=300.0)
    assert data["retention_time"].values[0, 0] == 0.0
    assert np.isnan(data["attempt_frequency"].values[0, 0])
    assert np.isnan(data["barrier"].values[1, 1])
    # Of the first state one of two devices is lost at once; of the second the only one there is.
    assert data["failure_probability"].values[0].tolist() == pytest.approx([0.5, 1.0], abs=0.01)
    assert data["retention_tenth"].values.tolist() == [0.0, 0.0]


# ---- the rate -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damping", [0.05, 0.3, 2.0])
def test_attempt_frequency_of_a_high_barrier_is_langer_s(damping: float) -> None:
    """Two saddles, with k = ±Delta² (2 pi/period)² barrier/2 and the same K: f0 = 2 lambda/(2 pi).

    The weights of valley and barrier differ from those of parabolas by kB T/(4 barrier) each.
    """
    barrier, period = 60.0, 60e-9
    material = COBALT.model_copy(update={"damping": damping})
    data = held(waves([barrier], period, material), 270e-9)
    found = value(data, "barrier")
    k = DELTA**2 * (2 * math.pi / period) ** 2 * found / 2
    angular = THICKNESS * WIDTH * math.pi * COBALT.dmi
    g = GYROMAGNETIC_RATIO / ((1 + damping**2) * 2e6 * DELTA * WIDTH * THICKNESS)
    half = 0.5 * damping * g * (angular - k)
    growth = -half + math.sqrt(half**2 + (1 + damping**2) * g**2 * k * angular)
    assert value(data, "attempt_frequency") == pytest.approx(growth / math.pi, rel=0.02)
    expected = math.exp(found / HEAT) / value(data, "attempt_frequency")
    assert value(data, "retention_time") == pytest.approx(expected, rel=1e-9)


def test_long_flat_barrier_is_crossed_by_diffusion() -> None:
    """Between two wells 300 nm apart: 1/rate = ∫ exp(−U/kB T) ∫ exp(U/kB T)/D, as Smoluchowski's equation has it.

    With the damping of 2 the friction decides. The valley is closed on the other side by a hill.
    """
    grid = Grid(500, 1, CELL, WIDTH, THICKNESS)
    wells = ((grid.x - 100e-9).abs() < 10e-9) | ((grid.x - 400e-9).abs() < 10e-9)
    ku = COBALT.anisotropy - 0.25e5 * wells + 2e5 * (grid.x < 60e-9)
    material = COBALT.model_copy(update={"damping": 2.0})
    film = Film(grid, material, anisotropy=ku[None, :, None])
    data = held(film, 100e-9)
    energy = CompactModel(film, PLAIN).energy().energy[0, 0].numpy() / HEAT
    diffusion = GYROMAGNETIC_RATIO * DELTA * HEAT / (2 * 2.0 * 1e6 * WIDTH * THICKNESS)
    inside = np.exp(-energy[60:250] + energy[100]).sum() * 1e-9
    over = np.exp(energy[100:400] - energy[100]).sum() * 1e-9
    assert 5 < value(data, "barrier") / HEAT < 20
    assert value(data, "retention_time") == pytest.approx(inside * over / diffusion, rel=0.05)


def test_depopulation() -> None:
    """A = loss for a small one; 1 for a large one; in between against the integral in another variable, by hand."""
    assert depopulation(1e-4) == pytest.approx(1e-4, rel=0.02)
    assert depopulation(50.0) == pytest.approx(1.0, abs=1e-5)
    x = (np.arange(2_000_000) + 0.5) * 1e-4
    for loss in (0.5, 2.0, 8.0):
        integral = np.log(-np.expm1(-loss * (x**2 + 0.25))) / (x**2 + 0.25)
        assert depopulation(loss) == pytest.approx(math.exp(integral.sum() * 1e-4 / math.pi), rel=1e-3)


def escape_time(film: Film, period: float, duration: float, replicas: int, seed: int) -> tuple[float, float]:
    """Mean time in s in which walls leave the middle valley, and its standard error, from those after the first tenth.

    A wall has left once it is a third of a period beyond the saddle.
    """
    middle = 4.5 * period
    result = CompactModel(film, PLAIN).simulate(
        Drive(), duration=duration, every=0.05e-9, replicas=replicas, position=middle, temperature=300.0, dt=5e-12,
        generator=torch.Generator().manual_seed(seed),
    )  # fmt: skip
    out = ~(np.abs(result["wall_position"].values - middle) < 5 / 6 * period)
    first = np.where(out.any(0), out.argmax(0) * 0.05e-9, duration) - 0.1 * duration
    waited = first[first > 0]
    left = int((waited < 0.9 * duration - 1e-12).sum())
    mean = float(waited.sum()) / left
    return mean, mean / math.sqrt(left)


def test_walls_run_away_as_fast_as_predicted() -> None:
    """4 kB T: about a third of 500 walls leaves in 12 ns, known to 8 %; the rate is asymptotic in kB T/barrier."""
    film = waves([4.0], 40e-9)
    mean, error = escape_time(film, 40e-9, 12e-9, 500, seed=1)
    assert value(held(film, 180e-9), "retention_time") == pytest.approx(mean, abs=3 * error + 0.05 * mean)


@pytest.mark.slow
@pytest.mark.parametrize(("barrier", "damping", "duration", "allowed"), [
    (4.0, 0.3, 60e-9, 0.1), (5.0, 0.3, 100e-9, 0.1), (5.0, 0.02, 80e-9, 0.25),
])  # fmt: skip
def test_retention_time_against_simulation(
    barrier: float, damping: float, duration: float, allowed: float, report: Report
) -> None:
    """Friction decides at 0.3; at 0.02 the loss of energy does, 2 kB T a round, known to kB T/barrier."""
    film = waves([barrier], 60e-9, COBALT.model_copy(update={"damping": damping}))
    mean, error = escape_time(film, 60e-9, duration, 1000, seed=2)
    found = value(held(film, 270e-9), "retention_time")
    report(f"retention at {barrier:g} kB T, alpha = {damping:g} (ns)", 1e9 * found, 1e9 * mean,
           1e9 * (3 * error + allowed * mean))  # fmt: skip


# ---- devices --------------------------------------------------------------------------------------------------------


def notched(**how: object) -> DeviceParameters:
    return DeviceParameters.model_validate(
        {
            "track": {"length": 256e-9},
            "shape": {
                "notches": [{"position": x, "depth": 8e-9, "half_length": 24e-9} for x in (90e-9, 170e-9)],
                "roughness": {"rms": 1e-9},
            },
            "characterisation": {"devices": 3, **how},
        }
    )


def test_states_of_rough_devices() -> None:
    positions = np.array([[88e-9, 90e-9, 93e-9], [168e-9, 171e-9, 169e-9]])
    data = retention(notched(), positions)
    assert data["barrier"].dims == ("state", "device")
    assert {name: data[name].attrs["units"] for name in ("rest_position", "barrier", "attempt_frequency")} == {
        "rest_position": "m", "barrier": "J", "attempt_frequency": "Hz",
    }  # fmt: skip
    # Each rests within a wall width of its notch; no two devices are alike.
    assert np.abs(data["rest_position"].values - [[90e-9], [170e-9]]).max() < 9e-9
    assert len(set(data["barrier"].values.ravel())) == 6
    time = np.sort(data["retention_time"].values, axis=1)
    assert data["retention_median"].values.tolist() == time[:, 1].tolist()
    assert data["retention_tenth"].values.tolist() == time[:, 0].tolist()
    expected = -np.expm1(-data["time"].values[:, None, None] / data["retention_time"].values).mean(2)
    assert data["failure_probability"].values == pytest.approx(expected.mean(-1) if expected.ndim > 2 else expected)
    assert (np.diff(data["failure_probability"].values, axis=0) >= 0).all()
    soft = notched().model_copy(update={"material": material("cofeb-tantalum")})
    assert soft.material.constants_at == 0
    hard, hot = (retention(soft, positions, CompactParameters(), temperature=at) for at in (300.0, 600.0))
    assert hot["barrier"].values == pytest.approx(hard["barrier"].values, rel=1e-6, abs=0)
    assert (hot["retention_time"].values < hard["retention_time"].values).all()
    assert hard.attrs["method"] == "compact"
    assert "barrier_error" not in hard


def test_barriers_of_the_calibrated_model_carry_their_error() -> None:
    positions = np.array([[88e-9, 90e-9, 93e-9], [168e-9, 171e-9, 169e-9]])
    data, warm = (retention(notched(), positions, temperature=at) for at in (300.0, 400.0))
    assert data.attrs["method"] == "compact-calibrated"
    assert (warm["barrier"].values < data["barrier"].values).all()
    error, heat = data["barrier_error"].values, BOLTZMANN * 300.0
    assert error == pytest.approx(SPREAD * data["barrier"].values)
    # The bound is the retention with a barrier that is lower by 1.645 standard errors.
    assert data["retention_time_lower"].values == pytest.approx(
        data["retention_time"].values * np.exp(-1.645 * error / heat)
    )
    # The landscape of straight walls alone is higher: a wall that may tilt leaves a notch at a lower cost.
    film = notched().film_at(300.0)
    straight = CompactModel(film, CompactParameters()).landscape()[1][0].numpy()
    tilted = tilted_landscapes(film, CompactParameters(), 1.0, 1.0)["energy"].values[:, ::4]
    assert (tilted <= straight + 1e-6 * straight.max()).all()
    assert tilted[:, 20:-20].min() > 0.5 * straight[:, 20:-20].min()


def test_given_landscapes_are_searched_in_place_of_the_compact_models() -> None:
    """A parabola of 8 kB T between two hills: its barrier and direction, whatever the film is."""
    parameters = notched(devices=1)
    place = np.arange(0.0, 256e-9 + 1e-12, 0.25e-9)
    hills = np.where(np.abs(place - 100e-9) < 30e-9, 8 * HEAT * ((place - 100e-9) / 30e-9) ** 2, 8 * HEAT)
    hills = np.where(place < 70e-9, 9 * HEAT, np.where(place > 130e-9, 0.0, hills))
    given = xr.Dataset({"energy": (("device", "place"), hills[None])}, {"place": place}, {"method": "string"})
    data = retention(parameters, np.array([[101e-9]]), landscapes=given)
    assert data.attrs["method"] == "string"
    assert value(data, "barrier") == pytest.approx(8 * HEAT, rel=0.02)
    assert value(data, "direction") == 1
    assert value(data, "barrier_left") == pytest.approx(9 * HEAT)
    with pytest.raises(InputError, match="for 1 devices, but the film has 3"):
        retention(notched(), np.array([[101e-9] * 3]), landscapes=given)


def test_a_film_without_order_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"temperature = 9000 K: must be 0 or more and below material.curie_temperature"
    ):
        retention(notched(), np.array([90e-9, 170e-9]), temperature=9000.0)


def test_one_place_for_all_devices() -> None:
    data = retention(notched(temperature=250.0), np.array([90e-9, 170e-9]))
    assert data["barrier"].shape == (2, 3)
    assert data.attrs["temperature"] == 250.0


@pytest.mark.parametrize(
    ("positions", "temperature", "message"),
    [
        (np.zeros((2, 5)), 300.0, r"positions: shape \(2, 5\) is not \(state, device\) of 3 devices"),
        (np.zeros(2), 0.0, r"temperature = 0\.0: retention needs a positive temperature"),
    ],
)
def test_wrong_arguments_are_refused(positions: np.ndarray, temperature: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        retention(notched(), positions, temperature=temperature)


def test_bloch_walls_are_refused() -> None:
    film = waves([10.0], 60e-9, COBALT.model_copy(update={"dmi": 0.05e-3}))
    with pytest.raises(OutcomeError, match="the DMI does not hold the walls at the angle of a Néel wall"):
        held(film, 270e-9, PLAIN.model_copy(update={"neel_cost": 1.0}))
