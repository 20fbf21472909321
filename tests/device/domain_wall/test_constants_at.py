"""Constants of a device at a temperature: which files mean what, and what its films and its gate get."""

from __future__ import annotations

import json

import pytest

from barkhausen.device import DeviceParameters, read_device
from barkhausen.device.domain_wall.parameters import WRITTEN_BY_OLD, parameters_from
from barkhausen.device.presets import shipped_file, shipped_names
from barkhausen.device.technology import SHIPPED
from barkhausen.micromagnetics import Material
from barkhausen.micromagnetics.temperature.averages import thermal_order
from barkhausen.micromagnetics.temperature.bare import bare_constants

SMALL = {
    "track": {"length": 96e-9, "width": 32e-9},
    "material": {"preset": "cofeb-tungsten"},
    "shape": {"roughness": {"rms": 0.0}, "end_stops": {"length": 16e-9, "anisotropy": 3e5}},
    "characterisation": {"devices": 1, "temperature": 300.0},
}


def device(**material: float) -> DeviceParameters:
    values = json.loads(json.dumps(SMALL))
    values["material"] |= material
    return parameters_from(values, (), "test")


def test_a_new_file_means_300_kelvin_and_an_old_one_the_constants_of_cells() -> None:
    assert DeviceParameters().material.constants_at == 300.0
    assert device().material.constants_at == 300.0
    assert "constants_at" not in device().material.source
    assert device(constants_at=0).material.constants_at == 0.0
    assert Material.model_fields["constants_at"].default == 0.0
    dumped = device(constants_at=350.0).model_dump(mode="json")
    assert DeviceParameters.model_validate(dumped).material.constants_at == 350.0
    old = {key: dumped["material"][key] for key in WRITTEN_BY_OLD}
    assert DeviceParameters.model_validate(dumped | {"material": old}).material.constants_at == 0.0


@pytest.mark.parametrize("name", [name for name in shipped_names() if name.startswith(("racetrack", "notched"))])
def test_shipped_volatile_devices_keep_the_constants_of_their_cells(name: str) -> None:
    stored = json.loads(read_device(shipped_file(name)).data.attrs["parameters"])
    assert DeviceParameters.model_validate(stored).material.constants_at == 0.0
    assert "constants_at = 0" in (SHIPPED / f"{name}.toml").read_text(encoding="utf-8")


def test_films_and_gate_have_bare_constants_and_barriers_the_averages() -> None:
    ours = device()
    bare = bare_constants(ours.material, 4e-9, 1e-9, 300.0)
    film, hot = ours.film(), ours.film(temperature=350.0)
    assert film.material == bare.material
    assert film.anisotropy is not None and hot.anisotropy is not None
    rise = float(film.anisotropy.max() - film.anisotropy.min())
    assert rise == pytest.approx(3e5 * bare.anisotropy_factor, rel=1e-9)
    given = ours.gate.on(ours.track).anisotropy_per_volt
    assert ours.gate_of_simulation().anisotropy_per_volt == pytest.approx(given * bare.anisotropy_factor, rel=1e-12)
    averages = ours.film_at(300.0)
    assert averages.material == ours.material
    assert ours.gate_at(300.0).anisotropy_per_volt == given
    law = ours.material.at(350.0).anisotropy / ours.material.anisotropy
    assert ours.film_at(350.0).material == ours.material.at(350.0)
    assert ours.gate_at(350.0).anisotropy_per_volt == pytest.approx(given * law, rel=1e-12)
    assert float(hot.anisotropy.max() - hot.anisotropy.min()) == pytest.approx(
        3e5 * law * bare_constants(ours.material, 4e-9, 1e-9, 350.0).anisotropy_factor, rel=1e-9
    )
    assert any("averages at 300 K" in line and "m = 0.9" in line for line in ours.assumed_of_simulation())


def test_constants_of_cells_are_simulated_as_they_are() -> None:
    ours = device(constants_at=0)
    assert ours.film().material == ours.material
    assert ours.gate_of_simulation() == ours.gate.on(ours.track)
    m = thermal_order(ours.film(), 300.0)
    assert ours.film_at(300.0).material.anisotropy == pytest.approx(m**3 * ours.material.anisotropy, rel=1e-12)
