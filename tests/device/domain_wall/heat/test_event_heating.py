"""Heat of a programming event: from the waveforms of current, gate and read to a device file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from barkhausen.core.config import validated
from barkhausen.core.errors import InputError
from barkhausen.device import DeviceParameters, ProgrammingEvent, gaussian_device, read_device, write_device
from barkhausen.device.domain_wall.characterise import characterise
from barkhausen.device.domain_wall.event import LEAD
from barkhausen.device.domain_wall.heat import EventHeating, Heat, event_heating
from barkhausen.device.doubts import doubts_of, temperature_rises

TABLES: dict[str, Any] = {
    "track": {"length": 128e-9, "width": 32e-9, "heavy_metal_thickness": 3e-9, "heavy_metal_resistivity": 1.2e-6},
    "material": {"preset": "cofeb-tungsten", "constants_at": 0},
    "shape": {"end_stops": {"length": 16e-9}, "notches": [{"position": 64e-9, "depth": 6e-9, "half_length": 16e-9}]},
    "protocol": {
        "gate_voltages": [1.0, -1.0],
        "reset": {"current_density": 6e11, "width": 1.0e-9},
        "program": {"current_density": 2.5e11, "width": 1.8e-9},
        "reset_voltage": 1.0,
        "edge_time": 0.05e-9,
        "settle": 0.1e-9,
        "gate_hold": 0.05e-9,
        "relaxation": 0.3e-9,
    },
    "junction": {"resistance_area": 1e-9},
    "characterisation": {"devices": 2, "cycles": 2, "seed": 3, "integrator": "splitting"},
    "heat": {},
}


def device(**changes: dict[str, Any]) -> DeviceParameters:
    return validated(DeviceParameters, {key: TABLES[key] | changes.get(key, {}) for key in TABLES}, "device")


def heating_of(parameters: DeviceParameters) -> EventHeating:
    found = event_heating(parameters, parameters.protocol.voltages(2))
    assert found is not None
    return found


def test_the_heat_of_the_event_is_its_energy() -> None:
    parameters = device()
    found, event = heating_of(parameters), ProgrammingEvent(parameters.protocol, (1.0, -1.0))
    np.testing.assert_allclose(found.energies["sot"], event.sot_energy(parameters.track), rtol=3e-4)
    assert (found.energies["gate"] == 0).all()
    area = parameters.track.area
    np.testing.assert_allclose(found.energies["read"], 0.1**2 * area / 1e-9 * 0.3e-9, rtol=1e-3)


def test_a_leaking_gate_heats_with_its_voltage() -> None:
    vcma = {"kind": "vcma", "oxide_thickness": 2e-9}
    leaking = validated(DeviceParameters, TABLES | {"gate": vcma}, "device")
    sealed = leaking.model_copy(update={"gate": leaking.gate.model_copy(update={"dielectric": "insulator"})})
    event = ProgrammingEvent(leaking.protocol, (1.0, -1.0))
    billed = event.gate_energy(leaking.track, leaking.gate, leaking.junction)
    charged = event.gate_energy(sealed.track, sealed.gate, sealed.junction)
    np.testing.assert_allclose(heating_of(leaking).energies["gate"], billed - charged, rtol=1e-4)
    assert heating_of(leaking).peaks["program"][0] > heating_of(sealed).peaks["program"][0]


def test_the_hottest_moment_of_a_pulse_is_its_end_and_the_track_cools_after_it() -> None:
    parameters = device()
    found = heating_of(parameters)
    event = ProgrammingEvent(parameters.protocol, (1.0, -1.0))
    column = found.rise[:, 0]
    plateau_end = LEAD + 0.05e-9 + 1.0e-9
    assert found.times[column.argmax()] == pytest.approx(plateau_end, abs=0.03e-9)
    assert found.peaks["reset"][0] == column.max() == found.greatest
    # The program pulse begins on what the reset has left.
    assert 0.5 * column.max() < column[np.searchsorted(found.times, event.program_start)] < 0.8 * column.max()
    np.testing.assert_array_equal(column[found.times <= LEAD], 0.0)
    # The response is linear: twice the current, four times the heat.
    twice = device(protocol={"reset": {"current_density": 1.2e12, "width": 1e-9}})
    assert heating_of(twice).peaks["reset"][0] == pytest.approx(4 * found.peaks["reset"][0], rel=1e-6)


def test_a_rectangular_pulse_gives_the_rise_of_the_strip() -> None:
    parameters = device(protocol={"edge_time": 0.0})
    heat = parameters.heat
    assert heat is not None
    strip = heat.strip(parameters.track, parameters.track.piezoelectric_thickness)
    by_hand = 1.2e-6 * 3e-9 * 6e11**2 * strip.step_response(np.array([1e-9]))[0]
    assert heating_of(parameters).peaks["reset"][0] == pytest.approx(by_hand, rel=1e-4)


def test_a_gate_below_the_track_holds_the_heat_and_a_better_substrate_takes_it() -> None:
    thin = {"piezoelectric_thickness": 5e-9}
    rise = {
        name: heating_of(device(track=thin, heat={"substrate": name, "oxide_thickness": 0})).greatest
        for name in ("diamond", "silicon", "glass")
    }
    assert rise["diamond"] < rise["silicon"] < 0.8 * rise["glass"]
    assert rise["silicon"] < 0.8 * heating_of(device()).greatest


def test_without_the_table_nothing_is_heated() -> None:
    plain = validated(DeviceParameters, {key: value for key, value in TABLES.items() if key != "heat"}, "device")
    assert event_heating(plain, (1.0, -1.0)) is None
    assert "heat" not in plain.model_dump()
    assert DeviceParameters.model_validate_json(device().model_dump_json()) == device()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"substrate": "silicom"}, "heat.substrate: 'silicom': no such substrate; did you mean 'silicon'?"),
        ({"oxide_thickness": 20}, "heat.oxide_thickness = 20 m is no gate thickness; 20e-9"),
        ({"film_heat_capacity": 3.5}, "heat.film_heat_capacity = 3.5 J/(m3 K) is no heat capacity; 3.5e+06"),
        ({"oxide_conductivity": 0}, "heat.oxide_conductivity = 0: input should be greater than 0"),
        ({"interface_resistance": 10}, "heat.interface_resistance = 10 m2 K/W is no thermal resistance"),
        ({"oxide": 1}, "unknown key 'heat.oxide'"),
    ],
)
def test_impossible_heat_is_refused_in_one_line(table: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        validated(DeviceParameters, TABLES | {"heat": table}, "device")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_hot_event_is_simulated_at_the_temperature_of_its_pulses(tmp_path: Path) -> None:
    pulse = {"current_density": 4e11, "width": 0.2e-9}
    short = {"reset": pulse, "program": pulse, "settle": 0.05e-9, "relaxation": 0.1e-9}
    few = {"devices": 1, "cycles": 1}
    hot, cool = (
        device(protocol=short, characterisation=few, heat={"simulated_above": limit}) for limit in (1.0, 500.0)
    )
    of_hot, of_cool = (characterise(parameters, threads=1) for parameters in (hot, cool))
    rise = heating_of(hot)
    path = tmp_path / "hot.nc"
    write_device(of_hot.device, path)
    stored = read_device(path)
    assert temperature_rises(stored)["reset"] == pytest.approx(rise.peaks["reset"].max())
    assert "Heat" in dict(doubts_of(stored))
    assert "Heat" not in dict(doubts_of(of_cool.device))
    assert any(line.startswith("heat: from the whole track") for line in stored.assumed)
    history = of_hot.history["temperature"]
    assert history.dims == ("time", "state")
    assert float(history.max()) == pytest.approx(300 + rise.greatest, abs=1.5)
    # Other noise from the reset on, the same before it.
    walls = [found.history["wall_position"].values for found in (of_hot, of_cool)]
    before = of_hot.history["time"].values < LEAD
    np.testing.assert_array_equal(walls[0][before], walls[1][before])
    assert not np.array_equal(walls[0][-1], walls[1][-1])


def test_replicas_of_a_voltage_have_its_temperature() -> None:
    rise = np.array([[0.0, 0.0], [10.0, 20.0]])
    found = EventHeating(np.array([0.0, 1e-9]), rise, {}, {})
    wave = found.temperature(300.0, 3)
    at_end = wave(torch.tensor([1e-9], dtype=torch.float64))[0]
    np.testing.assert_array_equal(at_end.numpy(), [310.0] * 3 + [320.0] * 3)
    common = EventHeating(np.array([0.0, 1e-9]), rise[:, :1].repeat(2, axis=1), {}, {}).temperature(300.0, 3)
    assert common.replicas == 1


def test_the_defaults_of_the_layers_are_those_that_are_described() -> None:
    heat = Heat()
    assert [layer.thickness for layer in heat.layers(100e-9)] == [100e-9, 20e-9, math.inf]
    assert [layer.resistance for layer in heat.layers(0.0)] == [1e-8, 0.0]
    assert "100 nm of gate (1.4 W/(m K)) on 20 nm of oxide (1.38 W/(m K)) on silicon (148 W/(m K)" in heat.described(
        1e-7
    )
    assert gaussian_device(3, parameters=DeviceParameters(heat=heat)).states == 3
