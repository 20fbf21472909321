"""From a TOML file to films: shape, material, gate, and errors of one line."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.device.domain_wall.parameters import DeviceParameters, load_parameters

TOML = """
[track]
length = 200e-9
width = 48e-9

[material]
preset = "cofeb-tantalum"
dmi = 0.3e-3
constants_at = 0

[shape]
notches = [{ position = 100e-9, depth = 8e-9, half_length = 20e-9 }]
roughness = { rms = 0.0 }
end_stops = { length = 20e-9, anisotropy = 2e5 }

[characterisation]
devices = 3
"""


def written(tmp_path: Path, text: str = TOML) -> Path:
    path = tmp_path / "device.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_names_a_preset_and_replaces_some_constants(tmp_path: Path) -> None:
    parameters = load_parameters(written(tmp_path))
    assert parameters.material.dmi == 0.3e-3
    assert parameters.material.damping == 0.03
    assert "changed: dmi" in parameters.material.source
    again = DeviceParameters.model_validate_json(parameters.model_dump_json())
    assert again == parameters


def test_settings_replace_what_the_file_says(tmp_path: Path) -> None:
    parameters = load_parameters(written(tmp_path), ["track.width=64e-9", "characterisation.seed=7"])
    assert parameters.track.width == 64e-9
    assert parameters.characterisation.seed == 7


def test_the_notch_takes_its_area_from_the_film(tmp_path: Path) -> None:
    parameters = load_parameters(written(tmp_path))
    film = parameters.film(cell=4e-9)
    assert film.fill is not None
    area = float(film.fill[0].sum()) * film.grid.dx * film.grid.dy
    # Two triangles of base 40 nm and height 8 nm.
    assert area == pytest.approx(200e-9 * 48e-9 - 2 * 0.5 * 40e-9 * 8e-9, rel=2e-3, abs=0)


def test_the_ends_are_raised_and_the_gradient_rises(tmp_path: Path) -> None:
    parameters = load_parameters(written(tmp_path), ["shape.anisotropy_gradient=1e11"])
    film = parameters.film(cell=4e-9)
    assert film.anisotropy is not None
    along = film.anisotropy[0, :, 0]
    x = film.grid.x
    inside = (x > 20e-9) & (x < 180e-9)
    torch.testing.assert_close(along[inside], 0.8e6 + 1e11 * x[inside])
    torch.testing.assert_close(along[~inside], 0.8e6 + 1e11 * x[~inside] + 2e5)


def test_grains_differ_between_devices(tmp_path: Path) -> None:
    settings = ["shape.grains.spread=0.05", "shape.roughness.rms=1e-9", "shape.end_stops.length=0.0"]
    film = load_parameters(written(tmp_path), settings).film(cell=4e-9)
    assert film.anisotropy is not None and film.devices == 3
    assert film.anisotropy.shape[0] == 3
    spread = float(film.anisotropy.std()) / 0.8e6
    # About a hundred grains a device: the standard deviation is known to a tenth.
    assert spread == pytest.approx(0.05, rel=0.2)


def test_a_device_is_the_same_whatever_the_number_of_devices(tmp_path: Path) -> None:
    parameters = load_parameters(written(tmp_path), ["shape.roughness.rms=1e-9"])
    few, many = parameters.film(devices=2), parameters.film(devices=5)
    assert few.fill is not None and many.fill is not None
    torch.testing.assert_close(few.fill, many.fill[:2], rtol=0, atol=0)
    other = parameters.film(devices=2, seed=9).fill
    assert other is not None and not torch.equal(other, few.fill)


def test_the_gate_is_as_thick_as_the_piezoelectric_of_the_track(tmp_path: Path) -> None:
    parameters = load_parameters(written(tmp_path), ["track.piezoelectric_thickness=200e-9"])
    # 1.5 × 260 ppm × 200 GPa × (−190 pm/V)/200 nm
    by_hand = 1.5 * 260e-6 * 200e9 * -190e-12 / 200e-9
    assert parameters.gate.on(parameters.track).anisotropy_per_volt == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("track.width=-1", "track.width = -1: input should be greater than 0"),
        ("track.breadth=1", "unknown key 'track.breadth'"),
        ("material.dmi2=1", "unknown key 'material.dmi2'; did you mean 'material.dmi'?"),
        ("material.preset=\"gold\"", "no material preset 'gold'"),
        ("material.preset=3", "preset = 3"),
        ("characterisation.devices=0", "characterisation.devices = 0"),
        ("characterisation.temperature=-3", "characterisation.temperature = -3"),
        ("shape.roughness.rms=-1e-9", "shape.roughness.rms"),
        ("protocol.reset.width=0", "protocol.reset.width = 0"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_named_in_one_line(tmp_path: Path, change: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        load_parameters(written(tmp_path), [change])
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_stops_that_leave_no_track_are_refused(tmp_path: Path) -> None:
    parameters = load_parameters(written(tmp_path), ["shape.end_stops.length=100e-9"])
    with pytest.raises(InputError, match="leave nothing of a track"):
        parameters.film()


def test_assumptions_are_listed() -> None:
    lines = DeviceParameters().assumed_of_simulation()
    assert any("1 nm rms" in line for line in lines)
    assert any("260 ppm" in line for line in lines)
    assert any("3e+05" in line or "300000" in line for line in lines)
    assert math.isclose(DeviceParameters().characterisation.temperature, 300.0)
