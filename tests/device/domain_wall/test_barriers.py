"""Barriers from paths of least energy: against the general method, over ends, resumed, on some devices only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN
from barkhausen.device import DeviceParameters, preset
from barkhausen.device.domain_wall.barriers import calibrated_landscapes, string_barriers
from barkhausen.device.domain_wall.barriers.calibration import barrier_ratios
from barkhausen.device.domain_wall.barriers.landscape import along_path
from barkhausen.device.domain_wall.barriers.paths import VALLEY, Way, _lower
from barkhausen.device.domain_wall.barriers.resting import resting_walls
from barkhausen.device.domain_wall.barriers.temperature import retention_at
from barkhausen.device.domain_wall.barriers.walls import tilted_walls
from barkhausen.device.domain_wall.retention import retention
from barkhausen.micromagnetics import System, WallPosition, WallTilt, domain_wall, minimum_energy_path

pytestmark = pytest.mark.usefixtures("one_thread")

HEAT = BOLTZMANN * 300.0
PLACES = np.array([[44e-9, 44e-9], [84e-9, 84e-9]])


def short(devices: int = 2, **shape: object) -> DeviceParameters:
    """A short narrow track with two notches."""
    return DeviceParameters.model_validate(
        {
            "track": {"length": 128e-9, "width": 24e-9},
            "shape": {
                "notches": [
                    {"position": 44e-9, "depth": 4e-9, "half_length": 12e-9},
                    {"position": 84e-9, "depth": 5e-9, "half_length": 12e-9},
                ],
                "roughness": {"rms": 0.3e-9},
                "end_stops": {"length": 20e-9, "anisotropy": 3e5},
                **shape,
            },
            "characterisation": {"devices": devices},
        }
    )


def test_walls_are_straight_and_tilted_as_asked() -> None:
    film = short(1).film_at(300.0)
    q, tilt = torch.tensor([50e-9, 60e-9]), torch.tensor([0.0, 0.3])
    walls = tilted_walls(film, q, tilt)
    system = System(film.assign([0, 0]), replicas=2)
    present = film.select(torch.tensor([0])).filled
    assert present is not None
    walls = walls * present[:, None]
    state = system.state(walls)
    np.testing.assert_allclose(WallPosition()(system, state), q, atol=1e-9)
    np.testing.assert_allclose(WallTilt()(system, state), tilt, atol=0.02)
    np.testing.assert_allclose(walls[:1], domain_wall(film, 50e-9) * present[:, None], atol=1e-5)


def test_barriers_are_those_of_the_general_method_and_resume(tmp_path: Path) -> None:
    parameters = short()
    found = string_barriers(parameters, PLACES, devices=[1], checkpoint=tmp_path / "work")
    assert found["converged"].values.all()
    assert set(found["device_of_way"].values) == {1}
    assert np.isnan(found["energy"].values[0]).all()
    film = parameters.film_at(300.0)
    walls = resting_walls(film, [[], [44e-9, 84e-9]])[1]
    through = [domain_wall(film, float(x)) for x in np.linspace(44e-9, 84e-9, 9)[1:-1]]
    direct = minimum_energy_path(film.assign([1]), walls[0].state[None], walls[1].state[None], through=through,
                                 images=13, settle=False, force=1e-3)  # fmt: skip
    inner = found["end_of_way"].values == 0
    for name in ("barrier_forward", "barrier_backward"):
        # The general method takes the straight wall's path, or a lower tilted one if it slides there.
        assert found[name].values[inner] <= direct[name].values + 0.1 * HEAT
        assert found[name].values[inner] == pytest.approx(direct[name].values, abs=0.3 * HEAT)
    held = retention(parameters, PLACES, landscapes=found)
    assert held.attrs["method"] == "string"
    assert np.isnan(held["barrier"].values[:, 0]).all()
    assert held["barrier_right"].values[0, 1] == pytest.approx(
        found["barrier_forward"].values[inner].item(), abs=0.05 * HEAT
    )
    # Finished batches are read, missing ones are computed to the same bytes.
    chunks = sorted((tmp_path / "work").glob("chunk-*"))
    before = {path.name: path.read_bytes() for path in chunks}
    chunks[0].unlink()
    again = string_barriers(parameters, PLACES, devices=[1], checkpoint=tmp_path / "work")
    assert {path.name: path.read_bytes() for path in chunks} == before
    assert again.equals(found)
    with pytest.raises(InputError, match="holds another simulation"):
        string_barriers(parameters, PLACES, devices=[0], checkpoint=tmp_path / "work")


def test_a_model_fitted_to_the_paths_of_one_device_predicts_the_other() -> None:
    parameters = short(2, roughness={"rms": 0.6e-9, "correlation_length": 20e-9})
    fitted = calibrated_landscapes(parameters, PLACES, devices=[0])
    paths = string_barriers(parameters, PLACES)
    ratios = barrier_ratios(fitted, paths, HEAT)
    # Both directions of the one way of each device: its own are those of the path.
    np.testing.assert_allclose(ratios[:2], 1.0, atol=0.01)
    np.testing.assert_allclose(ratios[2:], 1.0, atol=0.1)
    assert fitted.attrs["fitted_pairs"] == 2
    assert 0.7 < fitted.attrs["factor"] < 1.4
    assert 0.02 <= fitted.attrs["relative_error"] < 0.2
    held = retention(parameters, PLACES, landscapes=fitted)
    assert held.attrs["method"] == "compact-calibrated"
    assert (held["retention_time_lower"] < held["retention_time"]).all()


def test_a_path_is_put_together_from_the_lower_hills_of_two_tilts() -> None:
    """Hills of 9 and 6, and of 7 and 8 kT: 7 and 6 are had by both, with the joint in the valley."""
    kt = HEAT
    a = np.array([0, 5, 9, 5, 0, 3, 6, 3, 0]) * kt
    b = np.array([0, 4, 7, 4, 0, 4, 8, 4, 0]) * kt
    which, other = _lower(a, b)
    assert np.where(which == 0, a, b).max() == 7 * kt
    assert other == pytest.approx(1 * kt)
    # No joint where the way over from one tilt to the other is as high as a hill.
    high = np.where(np.abs(np.arange(9) - 4) < 2, a.max() - 0.5 * VALLEY, 0.0)
    which, _ = _lower(np.maximum(a, high), np.maximum(b, high))
    assert len(set(which)) == 1


def test_the_energy_along_a_path_is_exact_at_rests_and_saddle() -> None:
    s = np.linspace(0.0, 1.0, 13)
    q, e = 40e-9 + 40e-9 * s, 5 * HEAT * np.sin(np.pi * s) ** 2 + HEAT * s**2 * (3 - 2 * s)
    place = np.arange(0.0, 120e-9, 0.25e-9)
    found = along_path(s, e, q, place)
    inside = (place >= q[0]) & (place <= q[-1])
    assert np.isnan(found[~inside]).all()
    exact = np.interp(place, q[0] + 40e-9 * np.linspace(0, 1, 2001),
                      5 * HEAT * np.sin(np.pi * np.linspace(0, 1, 2001)) ** 2
                      + HEAT * np.linspace(0, 1, 2001) ** 2 * (3 - 2 * np.linspace(0, 1, 2001)))  # fmt: skip
    np.testing.assert_allclose(found[inside], exact[inside], atol=0.06 * HEAT)
    assert np.nanmax(found) == pytest.approx(e.max(), rel=2e-3)


def test_few_images_for_short_ways() -> None:
    film = short(1).film_at(300.0)
    first, last = resting_walls(film, [[44e-9, 84e-9]])[0]
    assert Way(first, last).images(film) == 13
    assert Way(first, first, -1).images(film) == 17
    assert Way(first, last).places(film) == (first.position, last.position)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"devices": [2]}, r"devices = \[2\]: numbers must be 0 to 1"),
        ({"temperature": 0.0}, r"temperature = 0\.0: barriers need a positive temperature"),
    ],
)
def test_wrong_arguments_are_refused(how: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        string_barriers(short(), PLACES, **how)  # type: ignore[arg-type]


def test_retention_of_a_file_at_its_own_and_another_temperature() -> None:
    """At its own temperature the file's own values; above it lower barriers, and a shorter retention than Arrhenius'
    law with the stored barrier."""
    device = preset("notched-5")
    same = retention_at(device, 300.0)
    for name in ("barrier", "attempt_frequency", "retention_time"):
        np.testing.assert_allclose(same[name].values, device.data[name].values, rtol=1e-6)
    hot = retention_at(device, 358.0)
    assert (hot["barrier"].values < same["barrier"].values).all()
    arrhenius = np.exp(same["barrier"].values / (BOLTZMANN * 358.0)) / same["attempt_frequency"].values
    assert (hot["retention_time"].values < arrhenius).all()
    with pytest.raises(InputError, match="the device file has no 'barrier'"):
        retention_at(preset("gaussian-3"), 358.0)
