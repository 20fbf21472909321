"""The thermal ensemble of a small racetrack: positions, failures, prices, resuming."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from barkhausen.core.config import validated
from barkhausen.core.errors import InputError, OutcomeError
from barkhausen.device.domain_wall.characterise import NONE, SEVERAL, SINGLE, Characterisation, at_rest, characterise
from barkhausen.device.domain_wall.ensemble import Ensemble
from barkhausen.device.domain_wall.event import ProgrammingEvent
from barkhausen.device.domain_wall.parameters import DeviceParameters

SMALL: dict[str, Any] = {
    "track": {"length": 128e-9, "width": 32e-9, "heavy_metal_thickness": 3e-9},
    "material": {"preset": "cofeb-tungsten"},
    "shape": {
        "roughness": {"rms": 0.5e-9},
        "end_stops": {"length": 16e-9},
        "notches": [{"position": 64e-9, "depth": 6e-9, "half_length": 16e-9}],
    },
    "protocol": {
        "gate_voltages": [1.0, -1.0],
        "reset": {"current_density": 4e11, "width": 1.0e-9},
        "program": {"current_density": 2.5e11, "width": 1.8e-9},
        "reset_voltage": 1.0,
        "edge_time": 0.05e-9,
        "settle": 0.1e-9,
        "gate_hold": 0.05e-9,
        "relaxation": 0.3e-9,
    },
    "characterisation": {"devices": 3, "cycles": 2, "seed": 3},
}


def small(**changes: dict[str, Any]) -> DeviceParameters:
    """The small device, with some keys of some tables replaced."""
    return validated(DeviceParameters, {table: SMALL[table] | changes.get(table, {}) for table in SMALL}, "small")


@pytest.fixture(scope="module")
def found() -> Characterisation:
    return characterise(small())


class Interrupting:
    """A progress that breaks off after so many steps."""

    def __init__(self, after: int) -> None:
        self.left = after

    @contextlib.contextmanager
    def task(self, title: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
        def advance(steps: int) -> None:
            self.left -= steps
            if self.left < 0:
                raise KeyboardInterrupt

        yield advance


def test_a_wall_is_at_rest_only_if_there_is_one_throughout_the_read() -> None:
    # Records × 1 state × 4 devices × 1 cycle; the read is the last two records.
    walls = np.array([[1.0, 1.0, 1.0, 1.0], [2.0, 2.0, np.nan, np.nan], [4.0, np.nan, np.nan, np.nan]])
    counts = np.array([[1, 1, 1, 1], [1, 1, 0, 3], [1, 0, 0, 2]])
    shape = (3, 1, 4, 1)
    reading = np.array([False, True, True])
    position, outcome = at_rest(walls.reshape(shape), counts.reshape(shape), reading)
    np.testing.assert_array_equal(outcome.ravel(), [SINGLE, NONE, NONE, SEVERAL])
    np.testing.assert_array_equal(position.ravel(), [3.0, np.nan, np.nan, np.nan])


def test_the_notch_tells_the_two_voltages_apart(found: Characterisation) -> None:
    device = found.device
    # A positive voltage lowers Ku (d31 < 0), and with it the wall energy that the notch at 64 nm pins.
    assert device.data["gate_voltage"].values.tolist() == [-1.0, 1.0]
    position = device.data["state_value"].values
    assert position.shape == (2, 3, 2)
    assert (position > 16e-9).all() and (position < 112e-9).all()
    # Six walls for each voltage scatter by more than their difference; 24 have 24 nm between them, with 5 nm of error.
    many = characterise(small(characterisation={"devices": 12})).device.data["state_value"].values
    assert many[1].mean() > many[0].mean() + 10e-9
    assert device.source == "micromagnetics"


def test_prices_are_those_of_the_waveforms(found: Characterisation) -> None:
    parameters = small()
    event = ProgrammingEvent(parameters.protocol, (-1.0, 1.0))
    assert found.device.energy("sot") == pytest.approx(event.sot_energy(parameters.track), rel=1e-9, abs=0)
    assert found.device.energy("gate") == pytest.approx(
        event.gate_energy(parameters.track, parameters.gate, parameters.junction), rel=1e-9, abs=0
    )
    edges = 2 * 0.05e-9 / 3
    integral = 4e11**2 * (1e-9 + edges) + 2.5e11**2 * (1.8e-9 + edges)
    heat = 2.0e-6 * 128e-9 * 32e-9 * 3e-9 * integral
    assert found.device.energy("sot")[0] == pytest.approx(heat, rel=1e-9, abs=0)


def test_the_file_says_how_it_was_made(found: Characterisation) -> None:
    attributes = json.loads(found.device.data.attrs["attributes"])
    assert attributes["seed"] == 3
    assert 0 < attributes["dt"] < 2e-13
    assert 0 <= attributes["completed_resets"] <= 1
    stored = DeviceParameters.model_validate_json(found.device.data.attrs["parameters"])
    assert stored.protocol.gate_voltages == (-1.0, 1.0)
    assert any("0.5 nm rms" in line for line in found.device.assumed)


def test_histories_end_where_the_states_are(found: Characterisation) -> None:
    history = found.history
    assert history["wall_position"].dims == ("time", "state", "device", "cycle")
    last = history["time"].values >= history["time"].values[-1] - 0.3e-9 * (1 - 1e-9)
    mean = history["wall_position"].values[last].astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(mean, found.device.data["state_value"].values, atol=1e-12)
    assert history["perpendicular"].dims == ("time", "state", "x", "y")
    assert history["perpendicular"].dtype == np.int8
    maps = history["perpendicular"].values
    # Left of the wall the film points up, right of it down.
    assert maps[-1, 0, 2].max() > 100 and maps[-1, 0, -3].max() < 0


def test_another_seed_gives_other_states(found: Characterisation) -> None:
    other = characterise(small(characterisation={"seed": 4}))
    assert not np.array_equal(other.device.data["state_value"].values, found.device.data["state_value"].values)


@pytest.mark.parametrize("after", [pytest.param(30, marks=pytest.mark.slow), 250])
def test_an_interrupted_ensemble_goes_on_to_the_same_end(found: Characterisation, tmp_path: Path, after: int) -> None:
    """And so the same parameters give the same bits."""
    work = tmp_path / "work"
    with pytest.raises(KeyboardInterrupt):
        characterise(small(), checkpoint=work, progress=Interrupting(after))
    assert work.exists()
    resumed = characterise(small(), checkpoint=work)
    for name in ("state_value", "outcome"):
        np.testing.assert_array_equal(resumed.device.data[name].values, found.device.data[name].values)
    assert resumed.history.identical(found.history)
    with pytest.raises(InputError, match="holds another simulation"):
        characterise(small(characterisation={"seed": 5}), checkpoint=work)


def test_a_wall_that_leaves_the_track_is_a_failure_and_no_position() -> None:
    # Without stops the reset drives every wall off the left end.
    open_ended = small(
        shape={"end_stops": {"length": 0.0}, "notches": []},
        protocol={"reset": {"current_density": 4e11, "width": 2e-9}},
        characterisation={"devices": 2, "cycles": 1},
    )
    with pytest.raises(
        OutcomeError, match=r"of 2 events at .* V none left a single wall on the track \(\d lost it, \d left several\)"
    ):
        characterise(open_ended)


def test_events_are_numbered_state_by_state() -> None:
    ensemble = Ensemble(small())
    assert ensemble.replica(1, 2, 1) == 1 * 6 + 2 * 2 + 1
    assert ensemble.device_of_replica.tolist() == [0, 0, 1, 1, 2, 2] * 2
    with pytest.raises(InputError, match="device = 3: must be 0 to 2"):
        ensemble.replica(0, 3, 0)
    # Every wall starts somewhere on the track, at a place of its own.
    assert float(ensemble.starts.min()) >= 16e-9 and float(ensemble.starts.max()) <= 112e-9
    assert len(set(ensemble.starts.tolist())) == 12


def test_an_event_is_written_for_mumax3_with_its_own_start_and_pulses() -> None:
    ensemble = Ensemble(small())
    script = ensemble.mumax3(1, 0, 0)
    assert "replica 6 (device 0), seed 3, 300 K" in script
    assert script != ensemble.mumax3(0, 0, 0)
    dmi = next(line for line in script.splitlines() if line.startswith("Dind = "))
    # The constants of the cells, whose average at the temperature is that of the material.
    assert float(dmi.removeprefix("Dind = ")) == pytest.approx(ensemble.film.material.dmi, rel=1e-9)
    assert ensemble.mumax3(1, 0, 0) == script
