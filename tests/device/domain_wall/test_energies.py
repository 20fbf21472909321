from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from barkhausen.core.config import validated
from barkhausen.core.errors import InputError
from barkhausen.device import (
    CharacterisedDevice,
    DeviceParameters,
    Piezoelectric,
    ProgrammingProtocol,
    Pulse,
    Racetrack,
    TunnelJunction,
    domain_wall_device,
    gaussian_device,
    load_parameters,
)
from barkhausen.synapse import AttemptEnergies
from version_1 import as_version_1

# 512 nm x 64 nm over 100 nm of relative permittivity 1000, in F, and over 10 ohm um2, in S.
CAPACITANCE = 8.8541878128e-12 * 1000 * 512e-9 * 64e-9 / 100e-9
PARALLEL = 512e-9 * 64e-9 / 10e-12
ANTIPARALLEL = PARALLEL / 2.5


def close(value: Any) -> Any:
    """Nearly equal; the absolute tolerance that pytest allows by default is a thousand times these energies."""
    return pytest.approx(value, rel=1e-9, abs=0)


def parameters(**tables: Any) -> DeviceParameters:
    return DeviceParameters.model_validate(tables)


def without(device: CharacterisedDevice, *names: str) -> CharacterisedDevice:
    """A file of version 1 that lacks some variables."""
    return CharacterisedDevice(as_version_1(device).drop_vars(list(names)))


def test_pulse_of_the_default_track_costs_what_the_formula_gives_by_hand() -> None:
    # (1e11 A/m2)^2 * 2.0e-6 ohm m * (512 * 64 * 5 = 163 840 nm3) * 1 ns
    assert Racetrack().joule_heat(1e11, 1e-9) == close(3.2768e-15)
    assert ProgrammingProtocol().sot_energy(Racetrack()) == close(6.5536e-15)


@pytest.mark.parametrize(
    ("change", "factor"),
    [
        ({"length": 1024e-9}, 2),
        ({"width": 128e-9}, 2),
        ({"heavy_metal_thickness": 10e-9}, 2),
        ({"heavy_metal_resistivity": 1.0e-6}, 0.5),
        ({"thickness": 2e-9}, 1),
        ({"piezoelectric_thickness": 50e-9}, 1),
    ],
)
def test_joule_heat_follows_the_volume_of_the_heavy_metal(change: dict[str, float], factor: float) -> None:
    assert Racetrack(**change).joule_heat(1e11, 1e-9) == close(factor * 3.2768e-15)


def test_joule_heat_is_square_in_current_linear_in_time_and_blind_to_sign() -> None:
    track = Racetrack()
    assert track.joule_heat(2e11, 1e-9) == close(4 * 3.2768e-15)
    assert track.joule_heat(1e11, 3e-9) == close(3 * 3.2768e-15)
    assert track.joule_heat(-1e11, 1e-9) == track.joule_heat(1e11, 1e-9)


def test_reset_and_programming_pulse_are_both_paid_for() -> None:
    protocol = ProgrammingProtocol(
        reset=Pulse(current_density=-2e11, width=3e-9), program=Pulse(current_density=1e11, width=1e-9)
    )
    assert protocol.sot_energy(Racetrack()) == close((12 + 1) * 3.2768e-15)


@pytest.mark.parametrize(
    ("change", "factor"),
    [
        ({}, 1),
        ({"length": 1024e-9}, 2),
        ({"width": 128e-9}, 2),
        ({"piezoelectric_permittivity": 4000.0}, 4),
        ({"piezoelectric_thickness": 200e-9}, 0.5),
        ({"heavy_metal_thickness": 10e-9}, 1),
    ],
)
def test_gate_is_a_plate_capacitor_charged_without_recovery(change: dict[str, float], factor: float) -> None:
    track = Racetrack(**change)
    # 8.854 pF/m * 1000 * 512 nm * 64 nm / 100 nm = 2.9013 fF
    assert pytest.approx(2.9013e-15, rel=1e-4, abs=0) == CAPACITANCE
    assert Piezoelectric().capacitance(track) == close(factor * CAPACITANCE)
    assert Piezoelectric().charging_energy(track, 0.5) == close(factor * CAPACITANCE * 0.25)
    assert Piezoelectric().charging_energy(track, -1.5) == close(factor * CAPACITANCE * 2.25)
    assert Piezoelectric().charging_energy(track, 0.0) == 0.0


def test_read_costs_voltage_squared_times_conductance_times_time() -> None:
    junction, area = TunnelJunction(), Racetrack().area
    assert junction.parallel_conductance(area) == close(PARALLEL)
    assert junction.antiparallel_conductance(area) == close(ANTIPARALLEL)
    # (0.1 V)^2 * 3.2768 mS * 1 ns
    assert junction.read_energy(PARALLEL) == close(3.2768e-14)
    other = TunnelJunction(tunnel_magnetoresistance=1.0, resistance_area=20e-12, read_voltage=0.2, read_time=5e-9)
    assert other.parallel_conductance(area) == close(PARALLEL / 2)
    assert other.antiparallel_conductance(area) == close(PARALLEL / 4)
    assert other.read_energy(1e-3) == close(0.04 * 1e-3 * 5e-9)


def test_device_prices_each_state_by_cause() -> None:
    device = gaussian_device(3)
    # States at 0.2, 0.5 and 0.8 of the track, programmed with -0.5, 0 and 0.5 V.
    conductance = ANTIPARALLEL + (PARALLEL - ANTIPARALLEL) * np.array([0.2, 0.5, 0.8])
    gate = CAPACITANCE * np.array([0.25, 0.0, 0.25])
    assert device.energy("sot") == close(np.full(3, 6.5536e-15))
    assert device.energy("gate") == close(gate)
    assert device.energy("read") == close(0.01 * 1e-9 * conductance)


def test_gate_voltages_belong_to_the_states_in_their_order() -> None:
    given = parameters(protocol={"gate_voltages": [0.1, -0.3, 0.2]})
    device = gaussian_device(3, parameters=given)
    assert device.data["gate_voltage"].values.tolist() == [0.1, -0.3, 0.2]
    assert device.energy("gate") == close(CAPACITANCE * np.array([0.01, 0.09, 0.04]))


@pytest.mark.parametrize("states", [2, 5])
def test_default_gate_voltages_are_evenly_spaced(states: int) -> None:
    assert ProgrammingProtocol().voltages(states) == pytest.approx(np.linspace(-0.5, 0.5, states))


def test_wrong_number_of_gate_voltages_is_refused() -> None:
    with pytest.raises(InputError, match=r"protocol\.gate_voltages has 2 values but the device has 3 states"):
        gaussian_device(3, parameters=parameters(protocol={"gate_voltages": [0.0, 0.5]}))


def test_file_that_does_not_split_its_energy_is_booked_as_sot_and_says_so() -> None:
    whole = gaussian_device(3)
    device = without(whole, "sot_energy", "gate_energy")
    total = whole.energy("sot") + whole.energy("gate")
    assert device.energy("sot").tolist() == total.tolist()
    assert device.energy("gate").tolist() == [0.0, 0.0, 0.0]
    assert device.energy("read").tolist() == whole.energy("read").tolist()
    assert set(device.assumed) - set(whole.assumed) == {
        "the device file does not split its programming energy: all of it is counted as SOT"
    }


@pytest.mark.parametrize("missing", ["sot_energy", "gate_energy"])
def test_half_a_split_neither_loses_energy_nor_counts_it_twice(missing: str) -> None:
    whole = gaussian_device(3)
    device = without(whole, missing)
    paid = device.energy("sot") + device.energy("gate")
    assert paid == close(whole.energy("sot") + whole.energy("gate"))
    assert any("counted as SOT" in line for line in device.assumed)


def test_file_without_read_energy_reads_for_free_and_says_so() -> None:
    whole = gaussian_device(3)
    device = without(whole, "read_energy")
    assert device.energy("read").tolist() == [0.0, 0.0, 0.0]
    assert device.energy("sot").tolist() == whole.energy("sot").tolist()
    assert set(device.assumed) - set(whole.assumed) == {
        "the device file gives no read energy: reads are counted as free"
    }


def test_total_energy_of_an_unsplit_file_is_that_of_the_split_one() -> None:
    whole = gaussian_device(3)
    attempts = np.array([3, 1, 4])
    split = AttemptEnergies.from_device(whole).of_attempts(attempts)
    unsplit = AttemptEnergies.from_device(without(whole, "sot_energy", "gate_energy")).of_attempts(attempts)
    assert unsplit.total == close(split.total)
    assert unsplit.by_cause["sot"] == close(split.by_cause["sot"] + split.by_cause["gate"])


@pytest.mark.parametrize(
    ("tables", "key"),
    [
        ({"protocol": {"gate_voltages": [0.0, 1e200]}}, r"protocol\.gate_voltages\.1"),
        ({"protocol": {"reset": {"current_density": 1e200}}}, r"protocol\.reset\.current_density"),
        ({"junction": {"read_voltage": 1e200}}, r"junction\.read_voltage"),
        ({"junction": {"resistance_area": 1e-322}}, r"junction\.resistance_area"),
    ],
)
def test_parameters_beyond_all_numbers_are_refused_by_name(tables: dict[str, Any], key: str) -> None:
    with pytest.raises(InputError, match=rf"^track\.toml: {key} = \S+ \S.* is no "):
        validated(DeviceParameters, tables, "track.toml")


@pytest.mark.parametrize("cause", ["sot", "gate", "read"])
def test_energies_beyond_all_numbers_are_refused_by_name(cause: str) -> None:
    positions = np.array([[[1e-7]], [[4e-7]]])
    energies = {cause: np.array([0.0, math.inf])}
    with pytest.raises(InputError, match=rf"energies of '{cause}' hold a value that is not fin"):
        domain_wall_device(positions, DeviceParameters(), source="measured", energies=energies)


def test_assumed_lists_what_was_left_at_its_default_and_nothing_else() -> None:
    lines = parameters(track={"length": 512e-9}, protocol={"reset": {"width": 2e-9}}).assumed()
    assert "track.width = 6.4e-08 (default)" in lines
    assert "junction.resistance_area = 1e-11 (default)" in lines
    assert "protocol.program.current_density = 1e+11 (default)" in lines
    assert any("gate_voltages" in line for line in lines)
    assert not any("track.length" in line for line in lines)
    assert not any("protocol.reset.width" in line for line in lines)
    assert not any("gate_voltages" in line for line in parameters(protocol={"gate_voltages": [0.0, 1.0]}).assumed())


def test_parameter_file_sets_track_protocol_and_junction(tmp_path: Path) -> None:
    path = tmp_path / "track.toml"
    path.write_text(
        "[track]\nwidth = 128e-9\n[protocol]\nreset = { width = 2e-9 }\ngate_voltages = [0, 1]\n"
        "[junction]\nread_voltage = 0.2\n"
    )
    device = gaussian_device(2, parameters=load_parameters(path))
    # Twice the width; reset twice as long as the programming pulse.
    assert device.energy("sot") == close(np.full(2, 2 * 3 * 3.2768e-15))
    assert device.energy("gate") == close(2 * CAPACITANCE * np.array([0.0, 1.0]))


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("[trak]\nlength = 1e-6\n", r"unknown key 'trak'; did you mean 'track'\?"),
        ("[track]\nlenght = 1e-6\n", r"unknown key 'track\.lenght'; did you mean 'track\.length'\?"),
        (
            "[protocol.reset]\nwidht = 1\n",
            r"unknown key 'protocol\.reset\.widht'; did you mean 'protocol\.reset\.width'\?",
        ),
        ("[track]\nlength = -1.0\n", r"track\.length = -1\.0: input should be greater than 0"),
        ("[track]\nlength = inf\n", r"track\.length = inf: input should be a finite number"),
        ("[junction]\nread_time = 'fast'\n", r"junction\.read_time = 'fast'"),
        ("[protocol]\ngate_voltages = [0.0, nan]\n", r"protocol\.gate_voltages\.1 = nan"),
        ("track = 3\n", r"track = 3: must be a table"),
        ("[track\n", r"is not valid TOML: .*line 1"),
    ],
)
def test_wrong_parameter_file_is_named_with_its_key(tmp_path: Path, text: str, culprit: str) -> None:
    path = tmp_path / "track.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"^\S*track\.toml: {culprit}"):
        load_parameters(path)
