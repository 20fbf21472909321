"""The int8 baseline: multiply-adds, weights and gradients by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from barkhausen.synapse.crossbar.chip import load_chip
from barkhausen.synapse.crossbar.costs import inference_costs, training_costs
from barkhausen.synapse.crossbar.digital_logic import BITS, training_energy, without_devices
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.learning_costs import learning_energy
from barkhausen.synapse.crossbar.learning_load import LearningLoad

FIRST = LayerLoad(outputs=5, inputs=30, mean_conductance=1e-5, mean_square_voltage=4e-3)
LAST = LayerLoad(outputs=3, inputs=5, mean_conductance=1e-5, mean_square_voltage=4e-3)
LOW = LearningLoad(
    activation_bits=2, error_bits=16, latent_bits=8, optimiser_states=0, products=0.4, updates=0.2, verifications=9.0,
    reads=165.0, copy_bits=33.0,
)  # fmt: skip


def close(value: float) -> Any:
    """To rounding; pytest's own absolute tolerance of 1e-12 would hide joules."""
    return pytest.approx(value, rel=1e-9, abs=0)


def test_an_inference_by_hand() -> None:
    costs = inference_costs(load_chip(), [FIRST, LAST])
    int8 = costs.int8
    # 0.2 pJ for a product of 8 bits and 0.1 pJ for its 32-bit addition; a word of four weights takes 50 pJ.
    assert int8["multiply-add"] == close(165 * 3e-13)
    assert int8["weights"] == close(165 * 5e-11 / 4)
    assert int8["normalise"] == close(8 * (4.6e-12 + 1e-13))
    assert int8["buffer"] == close((30 + 5 + 5 + 3) * 1e-11 / 4)
    assert int8["network"] == close(8 * 8 * 1.2e-10 * math.sqrt(costs.area_total) / 2)
    assert int8["leakage"] == close(8 * 165 * 1e-11 * costs.latency)
    assert int8["clock"] == close(0.3 * sum(int8[name] for name in ("multiply-add", "weights", "normalise", "buffer")))


def test_a_training_step_by_hand() -> None:
    found = training_energy(load_chip(), [FIRST, LAST], 10, without_devices(LOW), BITS)
    # The first layer passes no errors on.
    assert found["multiply-add"] == close(10 * (165 + 15) * 3e-13)
    assert found["weights"] == close((165 + 15) * 5e-11 / 4)
    assert found["buffer"] == close(10 * (35 + 8 + 8) * 1e-11 / 4)
    assert found["normalise"] == close(10 * (5 + 3 + 5) * (4.6e-12 + 1e-13))


def test_the_baseline_has_the_precision_and_sparsity_of_the_training_and_no_devices() -> None:
    digital = without_devices(LOW)
    assert (digital.activation_bits, digital.error_bits) == (2, 8)
    assert (digital.latent_bits, digital.products, digital.updates) == (8, 0.4, 0.2)
    found = training_energy(load_chip(), [FIRST, LAST], 10, without_devices(LOW), BITS)
    assert (found["verify"], found["monitoring"]) == (0, 0)
    expected = learning_energy(load_chip(), [FIRST, LAST], 10, digital)
    assert {name: found[name] for name in expected} == expected
    # Low precision helps it as it helps the chip.
    full = training_costs(load_chip(), [FIRST, LAST], batch=10).int8
    low = training_costs(load_chip(), [FIRST, LAST], batch=10, learning=LOW).int8
    assert sum(low.values()) < sum(full.values()) < training_costs(load_chip(), [FIRST, LAST], batch=10).baseline_total


def test_constants_of_the_node_and_of_the_memory_apply() -> None:
    small = inference_costs(load_chip(settings=["digital.node=22.5e-9"]), [FIRST])
    assert small.int8["multiply-add"] == close(150 * 1.5e-13)
    dram = inference_costs(load_chip(settings=["digital.weights=dram"]), [FIRST])
    assert dram.int8["weights"] == close(150 * 6.5e-10 / 4)
