"""Interfacial constants of a film, and the ranges that are reported for its stack."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from barkhausen.core.config import validated
from barkhausen.core.errors import InputError
from barkhausen.device import DeviceParameters, gaussian_device, read_device, write_device
from barkhausen.device.domain_wall.interfaces import QUANTITIES, STACKS, Interfaces
from barkhausen.device.domain_wall.interfaces.reports import beyond_reports, stack_values
from barkhausen.device.doubts import doubts_of

ROOT = Path(__file__).parents[3]
TRACK = {"thickness": 2e-9, "heavy_metal_thickness": 3e-9, "heavy_metal_resistivity": 1.1e-6}
INSIDE = {
    "preset": "cofeb-tungsten",
    "saturation_magnetisation": 0.8e6,
    "stack": "w-cofeb-insert-mgo",
    "interfacial_anisotropy": 1.25e-3,
    "interfacial_dmi": 0.35e-12,
}


def device(material: dict[str, Any], **tables: Any) -> DeviceParameters:
    return validated(DeviceParameters, {"track": TRACK, "material": material} | tables, "device.toml")


def test_interfaces_divided_by_the_thickness_give_the_constants_of_the_volume() -> None:
    parameters = device(INSIDE)
    assert parameters.material.anisotropy == pytest.approx(1.25e-3 / 2e-9)
    assert parameters.material.dmi == pytest.approx(0.35e-12 / 2e-9)
    assert parameters.material.damping == 0.05  # of the preset
    both = device(INSIDE | {"interfacial_anisotropy": [0.15e-3, 1.1e-3], "bulk_anisotropy": -0.1e6})
    assert both.material.anisotropy == pytest.approx(-0.1e6 + 1.25e-3 / 2e-9)
    assert (
        "interfaces: K_i = 0.15 + 1.1 mJ/m2, K_v = -0.1 MJ/m3, D_i = 0.35 pJ/m on 2 nm" in both.assumed_of_simulation()
    )
    alloy = device({"preset": "cofeb-tungsten", "bulk_anisotropy": 0.7e6})
    assert (alloy.material.anisotropy, alloy.material.dmi) == (0.7e6, 0.24e-3)


def test_another_thickness_changes_what_the_interfaces_give_and_nothing_else() -> None:
    thin = device(INSIDE).with_thickness(1.6e-9)
    assert thin.track.thickness == 1.6e-9
    assert thin.material.anisotropy == pytest.approx(1.25e-3 / 1.6e-9)
    assert thin.material.dmi == pytest.approx(0.35e-12 / 1.6e-9)
    plain = device({"preset": "cofeb-tungsten"})
    assert plain.with_thickness(1.6e-9).material == plain.material


def test_a_device_file_keeps_its_interfaces(tmp_path: Path) -> None:
    parameters = device(INSIDE | {"interfacial_anisotropy": [0.15e-3, 1.1e-3]})
    write_device(gaussian_device(3, parameters=parameters), tmp_path / "device.nc")
    stored = read_device(tmp_path / "device.nc").data.attrs["parameters"]
    assert DeviceParameters.model_validate_json(stored) == parameters
    assert "interfaces" not in device({"preset": "cofeb-tungsten"}).model_dump()


def test_what_nobody_has_reported_is_named_with_its_source() -> None:
    assert beyond_reports(device(INSIDE)) == []
    strange = INSIDE | {"interfacial_anisotropy": 2.4e-3, "spin_hall_angle": -0.6, "interfacial_dmi": -1e-12}
    found = beyond_reports(device(strange, gate={"kind": "vcma", "coefficient": -370e-15, "dielectric": "insulator"}))
    assert [line.split(" ")[0] for line in found] == ["K_i", "|D_i|", "|theta_SH|", "|theta_SH|/rho", "|xi|"]
    assert found[0].startswith(
        "K_i = 2.4 mJ/m2 is outside the 1 to 2 mJ/m2 reported for W/CoFeB/insert/CoFeB/MgO (1.3 mJ/m2 on"
    )
    # A high angle of one sample with the low resistivity of another one is told by their ratio.
    mixed = beyond_reports(device(INSIDE | {"spin_hall_angle": 0.5}))
    assert len(mixed) == 1 and mixed[0].startswith("|theta_SH|/rho = 0.4545 MS/m")
    told = doubts_of(gaussian_device(3, parameters=device(strange)))
    assert ("Beyond reports", found[0]) in told


def test_the_anisotropy_of_a_multilayer_is_of_its_bulk() -> None:
    layers = {"preset": "cobalt-platinum", "saturation_magnetisation": 0.7e6, "stack": "pt-co-ni"}
    given = stack_values(device(layers | {"anisotropy": 0.55e6}))
    assert (given["bulk_anisotropy"], given["interfacial_anisotropy"]) == (0.55e6, 0.0)
    declared = stack_values(device(layers | {"bulk_anisotropy": 0.55e6}))
    assert declared == given
    of_an_interface = stack_values(device({"preset": "cofeb-tungsten", "stack": "w-cofeb-mgo", "anisotropy": 0.8e6}))
    assert of_an_interface["interfacial_anisotropy"] == pytest.approx(1.6e-3)


def test_without_a_stack_nothing_is_held_against_reports() -> None:
    assert beyond_reports(device({"preset": "cofeb-tungsten", "spin_hall_angle": 5.0})) == []
    assert beyond_reports(device({"preset": "cofeb-tungsten", "interfacial_anisotropy": 9e-3})) == []


@pytest.mark.parametrize(
    ("material", "said"),
    [
        ({"stack": "w-cofeb"}, "material: stack: 'w-cofeb': no such stack; did you mean 'w-cofeb-mgo'?"),
        ({"interfacial_anisotropy": 1.3}, "interfacial_anisotropy = 1.3 J/m2 is no interfacial anisotropy; 1.3e-3"),
        ({"interfacial_anisotropy": [1e-3] * 3}, "must be a number, or two for the lower and the upper interface"),
        ({"interfacial_anisotropy": "much"}, "must be a number, or two for the lower and the upper interface"),
        ({"interfacial_dmi": 0.3}, "interfacial_dmi = 0.3 J/m is no interfacial DMI; 0.3e-12 (0.3 pJ/m)?"),
        ({"interfacial_anisotropy": 1e-3, "anisotropy": 1e6}, "material.anisotropy and material.interfacial_anis"),
        ({"bulk_anisotropy": 6e5, "anisotropy": 6e5}, "both give Ku: give one of them"),
        ({"interfacial_dmi": 1e-12, "dmi": 1e-3}, "material.dmi and material.interfacial_dmi both give D: give one"),
        ({"interfacial_dm": 1e-12}, "unknown key 'material.interfacial_dm'; did you mean 'material.interfacial_d"),
    ],
)  # fmt: skip
def test_impossible_interfaces_are_refused_in_one_line(material: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        device(material)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_every_range_is_one_with_a_source_and_the_page_lists_it(capsys: pytest.CaptureFixture[str]) -> None:
    for name, stack in STACKS.items():
        assert stack.ranges.keys() <= QUANTITIES.keys(), name
        for quantity, known in stack.ranges.items():
            assert known.low <= known.high and known.source, (name, quantity)
            assert stack.outside({quantity: known.high}) == [] != stack.outside({quantity: 2 * known.high + 1e-30})
    assert Interfaces(stack="w-cofeb-mgo").volume_constants(1e-9) == {}
    runpy.run_path(str(ROOT / "benchmarks" / "devices" / "reported_ranges.py"))
    assert capsys.readouterr().out.strip() in (ROOT / "docs" / "stacks.md").read_text(encoding="utf-8")
