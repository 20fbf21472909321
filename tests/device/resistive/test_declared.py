"""Resistive devices whose lognormal states are declared: statistics of conductance against the analytic moments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, read_device, write_device
from barkhausen.device.conductance import ConductanceMap
from barkhausen.device.file_statistics import densities
from barkhausen.device.identity import statistics_hash
from barkhausen.device.statistics.lognormal import FACTORS, lognormal_moments
from barkhausen.device.technology import technology_from
from barkhausen.synapse import SynapseArray

STATES = {"HRS": (250e3, 0.18, 0.24), "MRS": (50e3, 0.09, 0.12), "LRS": (10e3, 0.03, 0.04)}


def declared(*settings: str, states: dict[str, tuple[float, float, float]] | None = None) -> CharacterisedDevice:
    values = {
        "technology": "resistive",
        "write": {"energy": 1e-11},
        "state": [
            {"label": label, "resistance": ohm, "sigma_device": between, "sigma_cycle": within}
            for label, (ohm, between, within) in (STATES if states is None else states).items()
        ],
    }
    entry, parameters = technology_from(values, settings)
    assert entry.declare is not None
    return entry.declare(parameters)


def test_programmed_conductances_have_the_moments_of_the_lognormal_distribution() -> None:
    device, count = declared("spread=2"), 200_000
    conductance = ConductanceMap.of(device)
    generator = torch.Generator().manual_seed(1)
    array = SynapseArray((count,), device, margin=1.0, generator=generator)
    for state, (ohm, between, within) in enumerate(STATES.values()):
        array.renew(generator)
        array.program(torch.full((count,), state), generator=generator)
        found = conductance.conductance(array.weight.double().numpy())
        square = 4 * (between**2 + within**2)
        mean = np.exp(square / 2) / ohm
        std = mean * np.sqrt(np.expm1(square))
        # Standard errors: of the mean 4096 distinct devices and the noise, of a deviation as much of itself or more.
        assert found.mean() == pytest.approx(mean, abs=5 * (2 * between / FACTORS**0.5) * mean)
        assert found.std() == pytest.approx(std, rel=0.05)
        logarithm = np.log(found)
        assert np.median(logarithm) == pytest.approx(-np.log(ohm), abs=5 * 2 * between / FACTORS**0.5)
        assert logarithm.std() == pytest.approx(square**0.5, rel=0.04)


def test_declared_moments_add_up_to_the_whole_variance_and_split_between_devices_and_cycles() -> None:
    median, between, within = np.array([1e-5]), np.array([0.3]), np.array([0.4])
    mean, device, cycle = (float(part[0]) for part in lognormal_moments(median, between, within))
    assert mean == pytest.approx(1e-5 * np.exp(0.125))
    assert device**2 + cycle**2 == pytest.approx(mean**2 * np.expm1(0.25))
    states = declared(states={"HRS": (1e5, 0.0, 0.0), "LRS": (1e4, 0.3, 0.4)}).distribution()
    # One device again and again: its own mean, and noise proportional to it.
    generator = torch.Generator().manual_seed(0)
    offsets, rows = states.draw_population(2000, generator)
    assert rows is not None
    event = torch.ones(2000, 400, dtype=torch.int64)
    noise = states.draw_noise(event, generator, rows[:, None].expand_as(event))
    conductance = states.levels[1] + offsets[:, 1] + 1 + 2e-5 / 9e-5
    ratio = (noise.std(dim=1) / conductance).median()
    assert float(ratio) == pytest.approx(np.sqrt(np.expm1(0.16)), rel=0.03)
    assert float(offsets[:, 0].abs().max()) == 0.0


def test_the_file_keeps_states_order_energies_and_statistics(tmp_path: Path) -> None:
    device = declared("state.1.energy=3e-11", states={"LRS": STATES["LRS"], "HRS": STATES["HRS"]})
    write_device(device, tmp_path / "device.nc")
    again = read_device(tmp_path / "device.nc")
    assert again.declared and again.source == "declared"
    assert statistics_hash(again) == statistics_hash(device)
    assert again.moments[0][0] == pytest.approx(np.exp(0.045) / 250e3)
    assert again.energy("write").tolist() == [3e-11, 1e-11]
    assert again.energy("read") == pytest.approx(0.1**2 * 1e-8 * again.moments[0])
    assert any("lognormal" in line for line in again.assumed)
    for mean, density in zip(again.moments[0], densities(again), strict=True):
        assert density is not None
        places, height = density
        assert np.trapezoid(height, places) == pytest.approx(1.0, abs=1e-3)
        assert np.trapezoid(places * height, places) == pytest.approx(mean, rel=1e-2)
    assert statistics_hash(declared("spread=0.5")) != statistics_hash(declared())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["state.0.resistance=0"], "state.0.resistance"),
        (["state.0.resistance=250", "conductance_high=1e-3"], "outside"),
        (["state.0.sigma_cycle=3"], "state.0.sigma_cycle"),
        (["spread=-1"], "spread"),
    ],
)
def test_impossible_states_are_refused(settings: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        declared(*settings)


def test_a_device_without_states_is_not_declared() -> None:
    with pytest.raises(InputError, match=r"state: none are declared"):
        declared(states={})
    with pytest.raises(InputError, match="2 or more"):
        declared(states={"LRS": STATES["LRS"]})
