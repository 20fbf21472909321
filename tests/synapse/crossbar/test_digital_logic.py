"""The int8 baseline: multiply-adds, weights and gradients by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from barkhausen.core.errors import InputError
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
    found = training_energy(load_chip(), [FIRST, LAST], 10, without_devices(LOW).within(BITS), BITS)
    # The first layer passes no errors on.
    assert found["multiply-add"] == close(10 * (165 + 15) * 3e-13)
    assert found["weights"] == close((165 + 15) * 5e-11 / 4)
    assert found["buffer"] == close(10 * (35 + 8 + 8) * 1e-11 / 4)
    assert found["normalise"] == close(10 * (5 + 3 + 5) * (4.6e-12 + 1e-13))


def test_the_baseline_has_the_precision_and_sparsity_of_the_training_and_no_devices() -> None:
    digital = without_devices(LOW).within(BITS)
    assert (digital.activation_bits, digital.error_bits) == (2, 8)
    assert (digital.latent_bits, digital.products, digital.updates) == (8, 0.4, 0.2)
    found = training_energy(load_chip(), [FIRST, LAST], 10, digital, BITS)
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


def test_the_float32_baseline_keeps_one_latent_weight_and_two_words_of_adam() -> None:
    costs = training_costs(load_chip(), [FIRST, LAST], batch=10)
    assert costs.baseline["leakage"] == close(165 * 3 * 32 * 1e-11 * costs.latency)


def test_a_precursor_has_float32_passes_and_gradients_of_its_own_bits() -> None:
    costs = training_costs(load_chip(), [FIRST, LAST], batch=10, learning=LOW)
    found = costs.precursor
    assert found["multiply-add"] == close(10 * (165 + 15) * 4.6e-12)
    assert found["weights"] == close((165 + 15) * 5e-11)
    # Two factors of 2 and 16 bits: 40 % of the products are additions as wide as a sum of ten.
    assert found["gradient"] == close(0.4 * 10 * 165 * 1e-13 * 22 / 32)
    assert found["gradient operands"] == close(10 * 5e-11 / 32 * 2 * ((30 + 5) * 2 + (5 + 3) * 16))
    assert found["latent weights"] == close(2 * 165 * 0.2 * 5e-11 / 4)
    assert found["optimiser memory"] == 0
    assert (found["verify"], found["monitoring"]) == (0, 0)
    assert found["leakage"] == close(165 * 8 * 1e-11 * costs.latency)


def test_a_precursor_at_full_precision_is_the_float32_baseline() -> None:
    costs = training_costs(load_chip(), [FIRST, LAST], batch=10, learning=LearningLoad(optimiser_states=2))
    assert dict(costs.precursor) == pytest.approx(dict(costs.baseline), rel=1e-9, abs=0)


def test_another_node_brings_its_own_constants() -> None:
    seven = load_chip(node="7")
    costs = inference_costs(seven, [FIRST])
    assert costs.int8["multiply-add"] == close(150 * (7e-14 + 3e-14))
    assert costs.int8["weights"] == close(150 * 7e-12 / 4)
    assert costs.baseline["multiply-add"] == close(150 * (1.31e-12 + 3.8e-13))
    # Converters are those of the default chip.
    assert costs.energy["ADC"] == inference_costs(load_chip(), [FIRST]).energy["ADC"]
    # Settings are scaled from the node of the constants.
    half = inference_costs(load_chip(settings=["digital.node=3.5e-9"], node="7"), [FIRST])
    assert half.int8["multiply-add"] == close(150 * 1e-13 / 2)


@pytest.mark.parametrize(
    ("node", "at", "over"),
    [
        ("32", (0.8367, -0.4341, 0.1701, 0.9), 1.0),
        ("22", (0.373, -0.1582, 0.04104, 0.9), math.log(32 / 22) / math.log(32 / 20)),
        ("7-scaled", (0.1776, -0.09097, 0.02447, 0.7), 1.0),
    ],
)
def test_scaled_nodes_follow_the_published_equations(
    node: str, at: tuple[float, float, float, float], over: float
) -> None:
    def energy(two: float, one: float, none: float, volt: float) -> float:
        return two * volt**2 + one * volt + none

    horowitz = energy(1.018, -0.3107, 0.1539, 0.9)
    # 22 nm lies between 32 and 20 nm.
    start = 1.0 if node != "22" else energy(0.8367, -0.4341, 0.1701, 0.9) / horowitz
    factor = start * (energy(*at) / horowitz / start) ** over
    assert load_chip(node=node).multiply_add == pytest.approx(4.6e-12 * factor, rel=2e-3, abs=0)


def test_a_node_without_constants_is_refused() -> None:
    with pytest.raises(InputError, match=r"node = '5': must be one of 45, 32, 22, 7, 7-scaled \(nm\)"):
        load_chip(node="5")
