"""Gates of a track: chosen by kind, refused where they cannot be, and paid for."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from barkhausen.core.config import validated
from barkhausen.core.errors import InputError
from barkhausen.device import (
    GATES,
    DeviceParameters,
    OxideGate,
    Piezoelectric,
    ProgrammingEvent,
    Racetrack,
    TunnelJunction,
    gaussian_device,
    load_parameters,
    read_device,
    shipped_toml,
    write_device,
)
from barkhausen.device.domain_wall.design.space import DesignSpace, Ranges
from barkhausen.device.doubts import doubts_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TRACK = Racetrack(length=320e-9, width=64e-9, thickness=2e-9)
BARRIER = TunnelJunction(resistance_area=1e-9)
VCMA = """
[track]
length = 320e-9
width = 64e-9
thickness = 2e-9

[gate]
kind = "vcma"
coefficient = -300e-15
oxide_thickness = 2e-9

[junction]
resistance_area = 1e-9

[protocol]
gate_voltages = [-1.5, 0.0, 1.5]
reset_voltage = 1.0
"""


def written(folder: Path, text: str = VCMA) -> Path:
    path = folder / "device.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_files_without_a_kind_have_the_piezoelectric_gate_and_the_same_text_as_before() -> None:
    parameters = DeviceParameters.model_validate({"gate": {"transfer": 0.5}})
    assert parameters.gate == Piezoelectric(transfer=0.5)
    assert "kind" not in parameters.model_dump()["gate"]
    assert parameters == DeviceParameters.model_validate({"gate": {"kind": "strain", "transfer": 0.5}})


def test_vcma_changes_the_anisotropy_by_the_field_over_the_film(tmp_path: Path) -> None:
    parameters = load_parameters(written(tmp_path))
    gate = parameters.gate.on(parameters.track)
    # -300 fJ/(V m) × 1 V/(2 nm × 2 nm)
    assert gate.anisotropy_per_volt == pytest.approx(-300e-15 / (2e-9 * 2e-9))
    # 8.854 pF/m × 9.7 × 320 nm × 64 nm/2 nm
    assert parameters.gate.capacitance(parameters.track) == pytest.approx(8.7946e-16, rel=1e-4)
    assert parameters.gate.largest_voltage(parameters.track) == pytest.approx(2.0)


def test_a_device_of_another_gate_comes_back_from_its_file(tmp_path: Path) -> None:
    parameters = load_parameters(written(tmp_path))
    path = tmp_path / "device.nc"
    write_device(gaussian_device(3, parameters=parameters), path)
    stored = read_device(path).data.attrs["parameters"]
    assert DeviceParameters.model_validate_json(stored) == parameters
    assert "piezoelectric" not in stored


def test_a_barrier_that_is_the_dielectric_leaks_while_the_gate_is_on(tmp_path: Path) -> None:
    parameters = load_parameters(written(tmp_path))
    event = ProgrammingEvent(parameters.protocol, (-1.5, 0.0, 1.5))
    capacitance, conductance = parameters.gate.capacitance(TRACK), TRACK.area / 1e-9
    held = 1e-9 + 2 * 0.2e-9
    by_hand = [capacitance * (1 + v * v) + conductance * (1.0 * 1e-9 + v * v * held) for v in (-1.5, 0.0, 1.5)]
    found = event.gate_energy(TRACK, parameters.gate, parameters.junction)
    np.testing.assert_allclose(found, by_hand, rtol=1e-9)
    sealed = parameters.gate.model_copy(update={"dielectric": "insulator"})
    np.testing.assert_allclose(
        event.gate_energy(TRACK, sealed, BARRIER), [capacitance * (1 + v * v) for v in (-1.5, 0.0, 1.5)], rtol=1e-9
    )
    device = gaussian_device(3, parameters=parameters)
    np.testing.assert_allclose(
        device.energy("gate"), [(capacitance + conductance * held) * v * v for v in (-1.5, 0, 1.5)]
    )


def test_a_barrier_of_another_thickness_than_its_resistance_is_told() -> None:
    # 10 ohm um2 at 1 nm and ten times as much every 0.29 nm: 2.8e4 at 2 nm.
    gate = OxideGate(oxide_thickness=2e-9)
    assert gate.doubts(TunnelJunction(resistance_area=1e-8)) == []
    (line,) = gate.doubts(TunnelJunction(resistance_area=10e-12))
    assert line.startswith("RA = 10 ohm um2 for 2 nm of oxide")
    assert gate.model_copy(update={"dielectric": "insulator"}).doubts(TunnelJunction()) == []
    device = gaussian_device(3, parameters=DeviceParameters(gate=gate))
    assert ("Beyond reports", line) in doubts_of(device)


def test_what_is_assumed_names_the_gate_and_no_piezoelectric(tmp_path: Path) -> None:
    parameters = load_parameters(written(tmp_path))
    lines = [*parameters.assumed(), *parameters.assumed_of_simulation()]
    assert "gate.permittivity = 9.7 (default)" in lines
    assert not any("oxide_thickness" in line and "default" in line for line in lines)
    assert any("leaks V^2 L w/RA" in line for line in lines)
    assert any(line.startswith("VCMA: -300 fJ/(V m) over 2 nm") for line in lines)
    assert not any("piezoelectric" in line or line.startswith("strain") for line in lines)
    plain = DeviceParameters()
    assert "track.piezoelectric_thickness = 1e-07 (default)" in plain.assumed()
    assert not any(line.startswith("gate.") for line in plain.assumed())


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("gate.kind=\"strian\"", "gate: kind = 'strian': no such gate; did you mean 'strain'?"),
        ("gate.kind=3", "gate: kind = 3: no such gate"),
        ("gate=1", "gate: must be a table"),
        ("gate.oxide_thicknes=1e-9", "unknown key 'gate.oxide_thicknes' of a gate of kind = 'vcma'; did you mean"),
        ("gate.transfer=1", "unknown key 'gate.transfer' of a gate of kind = 'vcma' (a key of kind = 'strain')"),
        ("gate.coefficient=-300", "gate.coefficient = -300 J/(V m) is no VCMA coefficient; -300e-15"),
        ("gate.breakdown_field=1.2", "gate.breakdown_field = 1.2 V/m is no breakdown field; 1.2e+09"),
        ("gate.permittivity=0", "gate.permittivity = 0: input should be greater than 0"),
        ("track.piezoelectric_thickness=1e-7",
         "track.piezoelectric_thickness: means nothing with a gate of kind = 'vcma'"),
        ("protocol.gate_voltages=[-2.1,0,1]", "protocol.gate_voltages.0 = -2.1 V is no gate voltage"),
    ],
)  # fmt: skip
def test_an_impossible_gate_is_refused_in_one_line(tmp_path: Path, setting: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        load_parameters(written(tmp_path), [setting])
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_gate_of_ones_own_is_chosen_by_its_name() -> None:
    class Doubled(Piezoelectric):
        kind: str = "doubled"  # type: ignore[assignment]

        def capacitance(self, track: Racetrack) -> float:
            return 2 * super().capacitance(track)

    GATES.register("doubled", Doubled)
    try:
        parameters = validated(DeviceParameters, {"gate": {"kind": "doubled"}}, "own.toml")
        assert parameters.gate.capacitance(TRACK) == 2 * Piezoelectric().capacitance(TRACK)
        assert DeviceParameters.model_validate_json(parameters.model_dump_json()) == parameters
    finally:
        del GATES["doubled"]


def test_voltages_of_a_design_are_ordered_by_the_sign_of_the_gate() -> None:
    notched = validated(DeviceParameters, tomllib.loads(shipped_toml("notched-5")), "notched-5")
    base = notched.model_copy(update={"gate": OxideGate(coefficient=100e-15)})
    space = DesignSpace(base, 3, "equal-notches", Ranges())
    point = space.bounds.mean(axis=1)
    point[:3] = -0.5, 0.5, 0.1
    # With xi > 0 a falling voltage lets the wall pass more notches.
    assert space.decode(point).protocol.gate_voltages == (0.5, 0.1, -0.5)
