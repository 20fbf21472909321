from __future__ import annotations

import math

import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import Drive, Film, Grid, StrainGate, System, VoltageControlledAnisotropy, Waveform
from barkhausen.micromagnetics import material as preset

SIGNALS = ("current_density", "magnet_current_density", "field_x", "field_y", "field_z", "gate_voltage")


def test_strain_gate_by_hand() -> None:
    # eps = −190e-12 / 100e-9 = −1.9e-3 per volt; 3/2 × 260e-6 × 200e9 × eps = −148.2 kJ/m³ per volt.
    assert StrainGate().strain_per_volt == pytest.approx(-1.9e-3, rel=1e-14)
    assert StrainGate().anisotropy_per_volt == pytest.approx(-148_200, rel=1e-14)
    half = StrainGate(transfer=0.5, piezoelectric_thickness=200e-9)
    assert half.anisotropy_per_volt == pytest.approx(-148_200 / 4, rel=1e-14)
    assert StrainGate(magnetostriction=-26e-6).anisotropy_per_volt == pytest.approx(14_820, rel=1e-14)


def test_vcma_gate_by_hand() -> None:
    # xi / (t_ox t_FM) = 100e-15 / (1e-9 × 2e-9) = 50 kJ/m³ per volt.
    gate = VoltageControlledAnisotropy(coefficient=100e-15, oxide_thickness=1e-9, film_thickness=2e-9)
    assert gate.anisotropy_per_volt == pytest.approx(5e4, rel=1e-14)


IMPOSSIBLE_GATES: list[tuple[str, float]] = [
    *((name, value) for name in ("youngs_modulus", "piezoelectric_thickness") for value in (0, -1, math.nan)),
    *((name, value) for name in ("magnetostriction", "piezoelectric_coefficient") for value in (math.nan, math.inf)),
    ("transfer", 1.5),
    ("transfer", -0.1),
    ("thickness", 1e-9),
]


def test_impossible_gate_is_refused() -> None:
    for name, value in IMPOSSIBLE_GATES:
        with pytest.raises(InputError, match=f"^StrainGate: (unknown key '{name}'|{name} = {value})"):
            StrainGate(**{name: value})


def test_table_holds_every_input_of_every_replica() -> None:
    drive = Drive(
        current_density=Waveform.pulse([1e11, 2e11], width=1e-9),
        magnet_current_density=3e10,
        field_x=0.1,
        field_y=[0.2, 0.3],
        field_z=-0.4,
        gate_voltage=Waveform([0.0, 1e-9], [0.0, 2.0]),
        gate=StrainGate(),
    )
    table = drive.table(torch.tensor([0.0, 0.5e-9, 2e-9], dtype=torch.float64), 2)
    strain = StrainGate().anisotropy_per_volt
    expected = [
        [[1e11, 2e11], [3e10] * 2, [0.1] * 2, [0.2, 0.3], [-0.4] * 2, [0.0, 0.0]],
        [[1e11, 2e11], [3e10] * 2, [0.1] * 2, [0.2, 0.3], [-0.4] * 2, [strain] * 2],
        [[0.0, 0.0], [3e10] * 2, [0.1] * 2, [0.2, 0.3], [-0.4] * 2, [2 * strain] * 2],
    ]
    torch.testing.assert_close(table, torch.tensor(expected, dtype=torch.float64), rtol=1e-14, atol=0)
    inputs = drive.inputs(table[1])
    assert inputs.current_density.tolist() == [1e11, 2e11]
    assert inputs.magnet_current_density.tolist() == [3e10, 3e10]
    torch.testing.assert_close(inputs.field, table[1, 2:5])
    assert inputs.anisotropy_change.tolist() == pytest.approx([strain, strain], rel=1e-14)


def test_nothing_drives_by_default() -> None:
    assert not Drive().table(torch.tensor([0.0, 1.0]), 3).any()


def test_selection_keeps_gate_and_profile() -> None:
    profile = torch.rand(3, 2)
    drive = Drive(gate_voltage=[1.0, 2.0, 3.0], field_x=0.5, gate=StrainGate(), gate_profile=profile)
    chosen = drive.select(torch.tensor([2, 0]))
    table = chosen.table(torch.tensor([0.0]), 2)
    per_volt = StrainGate().anisotropy_per_volt
    assert table[0, 5].tolist() == pytest.approx([3 * per_volt, per_volt], rel=1e-14)
    assert table[0, 2].tolist() == [0.5, 0.5]
    assert chosen.gate_profile is not None
    assert torch.equal(chosen.gate_profile, profile)


@pytest.mark.parametrize("name", SIGNALS)
def test_impossible_signal_is_refused_by_name(name: str) -> None:
    """What a waveform cannot be is told in test_waveform; here, that each signal is checked under its own name."""
    with pytest.raises(InputError, match=rf"^drive\.{name}: waveform: not all values are finite$"):
        Drive(**{name: [0.0, math.nan]}, gate=StrainGate())


@pytest.mark.parametrize("name", SIGNALS)
def test_signal_for_another_number_of_replicas_is_refused_by_name(name: str) -> None:
    unit = 1e10 if "current" in name else 1.0
    drive = Drive(**{name: [unit, 2 * unit, 3 * unit]}, gate=StrainGate())
    drive.check_replicas(3)
    for replicas in (1, 2, 4):
        with pytest.raises(InputError, match=rf"^drive\.{name}: given for 3 replicas, but there are {replicas}$"):
            drive.check_replicas(replicas)


def test_voltage_needs_a_gate() -> None:
    with pytest.raises(InputError, match=r"^drive\.gate_voltage: needs drive\.gate, which says how"):
        Drive(gate_voltage=0.5)
    with pytest.raises(InputError, match=r"^drive\.gate_voltage: needs drive\.gate"):
        Drive(gate_voltage=Waveform.pulse([0.0, 1.0], 1e-9))
    Drive(gate_voltage=0.0)  # no voltage, no need


@pytest.mark.parametrize("profile", [torch.ones(4), torch.ones(1, 4, 3), torch.full((4, 3), math.nan)])
def test_profile_that_is_no_plane_of_numbers_is_refused(profile: torch.Tensor) -> None:
    with pytest.raises(InputError, match=r"^drive\.gate_profile: must be finite numbers of shape \(nx, ny\)$"):
        Drive(gate=StrainGate(), gate_profile=profile)


def test_profile_must_fit_the_grid() -> None:
    film = Film(Grid(4, 3, 1e-9, 1e-9, 1e-9), preset("cofeb-tantalum"))
    with pytest.raises(InputError, match=r"^drive\.gate_profile: shape \(3, 4\) is not the grid's \(4, 3\)$"):
        System(film, Drive(gate=StrainGate(), gate_profile=torch.ones(3, 4)))
