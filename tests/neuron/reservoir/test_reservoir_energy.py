"""Energies of a forecast, computed by hand."""

from __future__ import annotations

import math

import pytest

from barkhausen.neuron.reservoir import SkyrmionDisc
from barkhausen.neuron.reservoir.energy import digital_energy, read_noise, reservoir_energy
from barkhausen.synapse.crossbar import load_chip

EPSILON_0, CHARGE = 8.8541878128e-12, 1.602176634e-19


def test_energy_of_a_step_is_the_product_of_its_factors() -> None:
    chip = load_chip()
    disc = SkyrmionDisc.model_validate({"temperature": 300.0, "copies": 3, "virtual_nodes": 10})
    how = {"mean_square_voltage": 1.6, "mean_mz": -0.7, "bits": 32}
    found = reservoir_energy(disc, chip, [(2, 40, 1)], **how)  # type: ignore[arg-type]
    area = math.pi * (50e-9) ** 2
    farad = EPSILON_0 * 7 * area / 1e-9
    assert found.by_cause["gate"] == pytest.approx(3 * farad * 1.6, rel=1e-6)
    parallel = area / 1e-11
    siemens = parallel / 2.5 + (parallel - parallel / 2.5) * 0.15
    assert found.by_cause["reads"] == pytest.approx(3 * 10 * 0.1**2 * siemens * 50e-12)
    assert found.by_cause["ADC"] == pytest.approx(10 * 256 * 10.1e-15)
    assert found.by_cause["multiply-add"] == pytest.approx(80 * 4.6e-12)
    assert found.by_cause["weights"] == pytest.approx(80 * 50e-12)
    recovered = reservoir_energy(disc, chip, [(2, 40, 1)], recovered=True, **how)  # type: ignore[arg-type]
    assert recovered.by_cause["gate"] == pytest.approx(found.by_cause["gate"] / 2)
    assert found.total - recovered.total == pytest.approx(found.by_cause["gate"] / 2)
    assert any("C V2, C = 0.4868 fF" in line for line in found.factors)
    # Shot noise of I over 1/(2 t), as m_z: sqrt(e I/t) over V dG/dm_z.
    noise = math.sqrt(CHARGE * 0.1 * siemens / 50e-12) / (0.1 * (parallel - parallel / 2.5) / 2)
    assert read_noise(disc, -0.7) == pytest.approx(noise)


def test_digital_logic_counts_every_use_of_a_matrix_and_fetches_it_once() -> None:
    chip = load_chip()
    once, often = (digital_energy(chip, [(128, 33, uses)], 32).by_cause for uses in (1, 24))
    assert often["multiply-add"] == pytest.approx(24 * once["multiply-add"])
    assert often["weights"] == once["weights"] == pytest.approx(128 * 33 * 50e-12)
    assert digital_energy(chip, [(128, 33, 1)], 8).total < sum(once.values()) / 3
    assert digital_energy(chip, [], 32).total == 0.0
