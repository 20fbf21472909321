"""Values in another unit are refused where they are given, with what was probably meant."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from barkhausen.core.config import validated
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import QUANTITIES, plausible
from barkhausen.device import DeviceParameters, ResistiveParameters, load_technology
from barkhausen.micromagnetics import (
    Drive,
    EdgeRoughness,
    Film,
    Grid,
    Material,
    Notch,
    StrainGate,
    TrackOutline,
    VoltageControlledAnisotropy,
    material,
    material_names,
    simulate,
)

IN_ANOTHER_UNIT: list[tuple[str, float, str]] = [
    ("track length", 320, "320 m is no track length; 320e-9 (320 nm)?"),
    ("track length", 0.32, "0.32 m is no track length; 0.32e-6 (0.32 um)?"),
    ("film thickness", 0.8, "0.8 m is no film thickness; 0.8e-9 (0.8 nm)?"),
    ("saturation magnetisation", 1000, "1000 A/m is no saturation magnetisation; 1e+06 (1000 emu/cm3)?"),
    ("DMI constant", 0.24, "0.24 J/m2 is no DMI constant; 0.24e-3 (0.24 mJ/m2)?"),
    ("DMI constant", -1.5, "-1.5 J/m2 is no DMI constant; -1.5e-3 (-1.5 mJ/m2)?"),
    ("anisotropy", 0.8, "0.8 J/m3 is no anisotropy; 800000 (0.8 MJ/m3)?"),
    ("exchange stiffness", 15, "15 J/m is no exchange stiffness; 15e-12 (15 pJ/m)?"),
    ("exchange stiffness", 1e-6, "1e-06 J/m is no exchange stiffness; 1e-11 (1e-06 erg/cm)?"),
    ("read voltage", 100, "100 V is no read voltage; 100e-3 (100 mV)?"),
    ("pulse duration", 1, "1 s is no pulse duration; 1e-9 (1 ns)?"),
    ("pulse duration", 0.2, "0.2 s is no pulse duration; 0.2e-9 (0.2 ns)?"),
    ("current density", 10, "10 A/m2 is no current density; 1e+11 (10 MA/cm2)?"),
    ("current density", 0.1, "0.1 A/m2 is no current density; 1e+11 (0.1 TA/m2)?"),
    ("tunnel magnetoresistance", 150, "150 is no tunnel magnetoresistance; 1.5 (150 %)?"),
    ("Young's modulus", 200, "200 Pa is no Young's modulus; 2e+11 (200 GPa)?"),
    ("resistivity", 200, "200 ohm m is no resistivity; 200e-8 (200 uohm cm)?"),
    ("resistance-area product", 10, "10 ohm m2 is no resistance-area product; 10e-12 (10 ohm um2)?"),
    ("conductance", 50, "50 S is no conductance; 50e-6 (50 uS)?"),
    ("magnetostriction", 260, "260 is no magnetostriction; 260e-6 (260 ppm)?"),
    ("relative permittivity", 0.1, "0.1 is no relative permittivity; must be 1 to 1e+06"),
    ("track length", 1e30, "1e+30 m is no track length; must be 1e-10 to 0.01 m"),
]


@pytest.mark.parametrize(("quantity", "value", "line"), IN_ANOTHER_UNIT)
def test_value_in_another_unit_is_refused_with_what_was_meant(quantity: str, value: float, line: str) -> None:
    with pytest.raises(InputError) as caught:
        plausible(quantity, value, "track.key")
    assert str(caught.value) == f"track.key = {line}"


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_usual_values_are_plausible_and_so_is_what_is_suggested(quantity: str) -> None:
    known = QUANTITIES[quantity]
    for value in (known.usual, -known.usual, 0.0, known.usual * 10, known.usual / 10, math.nan, math.inf):
        plausible(quantity, value, "key")
    for factor in known.units.values():
        assert known.holds(known.usual), factor


# What has been built or measured, at the edges of what is known.
RECORDS = [
    ("track length", 20e-9), ("track length", 1e-3), ("film thickness", 0.2e-9), ("gate thickness", 0.5e-3),
    ("saturation magnetisation", 5e3), ("saturation magnetisation", 1.95e6), ("DMI constant", 7e-3),
    ("anisotropy", 100.0), ("anisotropy", 1.7e7), ("exchange stiffness", 1e-12), ("exchange stiffness", 3.1e-11),
    ("damping", 3e-5), ("spin Hall angle", 140.0), ("resistivity", 1.6e-8), ("current density", 1e6),
    ("current density", 1e13), ("gate voltage", 400.0), ("pulse duration", 1e-12), ("pulse duration", 5e-3),
    ("tunnel magnetoresistance", 6.31), ("resistance-area product", 1e-13), ("read voltage", 1e-3),
    ("conductance", 1e-12), ("write energy", 1e-17), ("relative permittivity", 30000.0), ("field", 100.0),
    ("magnetostriction", 2.4e-3), ("piezoelectric coefficient", 2.5e-9), ("VCMA coefficient", 1e-12),
]  # fmt: skip


@pytest.mark.parametrize(("quantity", "value"), RECORDS)
def test_what_has_been_measured_is_plausible(quantity: str, value: float) -> None:
    plausible(quantity, value, "key")


TABLES: list[tuple[dict[str, Any], str]] = [
    ({"track": {"length": 320}}, r"track\.length = 320 m is no track length; 320e-9 "),
    ({"track": {"width": 64}}, r"track\.width = 64 m is no width; 64e-9 "),
    ({"material": {"saturation_magnetisation": 1000}}, r"material\.saturation_magnetisation = 1000 A/m .*; 1e\+06 "),
    ({"material": {"dmi": 0.24}}, r"material\.dmi = 0\.24 J/m2 is no DMI constant; 0\.24e-3 "),
    ({"protocol": {"program": {"width": 1}}}, r"protocol\.program\.width = 1 s is no pulse duration; 1e-9 "),
    ({"protocol": {"gate_hold": 0.2}}, r"protocol\.gate_hold = 0\.2 s is no pulse duration; 0\.2e-9 "),
    ({"protocol": {"gate_voltages": [-300, 300]}}, r"protocol\.gate_voltages\.0 = -300 V is no .*; -300e-3 "),
    ({"protocol": {"reset_voltage": 300}}, r"protocol\.reset_voltage = 300 V is no gate voltage .*; 300e-3 "),
    ({"junction": {"read_voltage": 100}}, r"junction\.read_voltage = 100 V is no read voltage; 100e-3 "),
    ({"gate": {"youngs_modulus": 200}}, r"gate\.youngs_modulus = 200 Pa .*; 2e\+11 "),
    ({"shape": {"roughness": {"rms": 1.0}}}, r"shape\.roughness\.rms = 1 m is no roughness; 1e-9 "),
    ({"shape": {"end_stops": {"length": 40}}}, r"shape\.end_stops\.length = 40 m is no length; 40e-9 "),
    ({"shape": {"notches": [{"position": 100, "depth": 1e-9, "half_length": 9e-9}]}},
     r"shape\.notches\.0\.position = 100 m is no position; 100e-9 "),
    ({"characterisation": {"cell": 4}}, r"characterisation\.cell = 4 m is no cell size; 4e-9 "),
]  # fmt: skip


@pytest.mark.parametrize(("tables", "line"), TABLES)
def test_parameter_file_in_other_units_is_refused_by_key(tables: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=rf"^track\.toml: {line}"):
        validated(DeviceParameters, tables, "track.toml")


def test_thick_gates_stand_hundreds_of_volts() -> None:
    tables = {"track": {"piezoelectric_thickness": 0.5e-3}, "protocol": {"gate_voltages": [-400.0, 400.0]}}
    assert DeviceParameters.model_validate(tables).protocol.gate_voltages == (-400.0, 400.0)
    Drive(gate_voltage=400.0, gate=StrainGate(piezoelectric_thickness=0.5e-3))


def test_resistive_parameters_in_other_units_are_refused() -> None:
    for tables, line in (
        ({"conductance_high": 100}, r"conductance_high = 100 S is no conductance; 100e-6 "),
        ({"write": {"energy": 5}}, r"write\.energy = 5 J is no write energy; 5e-12 "),
        ({"read": {"time": 10}}, r"read\.time = 10 s is no read time; 10e-9 "),
    ):
        with pytest.raises(InputError, match=line):
            validated(ResistiveParameters, tables, "cell.toml")


CONSTRUCTORS: list[tuple[Any, str]] = [
    (lambda: Material(saturation_magnetisation=1000, exchange_stiffness=1e-11, damping=0.1), "1000 A/m is no"),
    (lambda: material("cofeb-tantalum", dmi=0.6), "0.6 J/m2 is no DMI constant; 0.6e-3"),
    (lambda: TrackOutline(length=320), "320 m is no track length; 320e-9"),
    (lambda: Notch(position=100e-9, depth=8, half_length=1e-8), "8 m is no length; 8e-9"),
    (lambda: EdgeRoughness(rms=1), "1 m is no roughness; 1e-9"),
    (lambda: StrainGate(piezoelectric_thickness=100), "100 m is no gate thickness; 100e-9"),
    (lambda: VoltageControlledAnisotropy(coefficient=100, oxide_thickness=1e-9, film_thickness=1e-9), "100e-15"),
    (lambda: Grid(8, 8, 4, 4e-9, 1e-9), "grid.dx = 4 m is no cell size; 4e-9"),
    (lambda: Drive(current_density=10), "drive.current_density = 10 A/m2 is no current density; 1e+11"),
    (lambda: Drive(field_z=3000), "drive.field_z = 3000 T is no field; 3000e-4"),
    (lambda: Drive(gate_voltage=[0, -300], gate=StrainGate()), "drive.gate_voltage = -300 V is no gate voltage"),
    (lambda: Film(GRID, material("permalloy"), anisotropy=torch.full((8, 8), 0.8)), "film.anisotropy = 0.8 J/m3"),
    (lambda: simulate(FILM, duration=2.0), "duration = 2 s is no simulated time; 2e-9"),
    (lambda: simulate(FILM, duration=1e-9, dt=0.1), "dt = 0.1 s is no time step; 0.1e-12"),
]  # fmt: skip
GRID = Grid(8, 8, 4e-9, 4e-9, 1e-9)
FILM = Film(GRID, material("cofeb-tantalum"))


@pytest.mark.parametrize(("construct", "line"), CONSTRUCTORS)
def test_constructor_in_another_unit_is_refused(construct: Any, line: str) -> None:
    with pytest.raises(InputError) as caught:
        construct()
    assert line in str(caught.value)


def test_presets_and_shipped_parameter_files_are_plausible() -> None:
    for name in material_names():
        assert material(name).saturation_magnetisation > 0
    # Those of other kinds and technologies are read in tests/cli/test_recipes_command.py.
    files = list(Path(__file__).parents[2].glob("src/barkhausen/device/shipped/*-[0-9].toml"))
    assert len(files) >= 8
    for file in files:
        load_technology(file)
