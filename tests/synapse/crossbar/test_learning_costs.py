"""The digital part of a training step: low precision, sparsity, verification and monitoring by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from barkhausen.core.errors import InputError
from barkhausen.synapse.crossbar.chip import Chip, load_chip
from barkhausen.synapse.crossbar.costs import training_costs
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.learning_costs import learning_energy
from barkhausen.synapse.crossbar.learning_load import LearningLoad
from barkhausen.synapse.crossbar.outer_product import outer_product_time

LAYER = LayerLoad(outputs=5, inputs=30, mean_conductance=1e-5, mean_square_voltage=4e-3, largest_voltage=0.1)
BATCH = 10
CAUSES = {
    "gradient",
    "gradient sums",
    "gradient operands",
    "latent weights",
    "optimiser memory",
    "update",
    "verify",
    "monitoring",
}


def close(value: float) -> Any:
    """To rounding; pytest's own absolute tolerance of 1e-12 would hide joules."""
    return pytest.approx(value, rel=1e-9, abs=0)


def energy(*, chip: Chip | None = None, **load: Any) -> dict[str, float]:
    return learning_energy(load_chip() if chip is None else chip, [LAYER], BATCH, LearningLoad(**load))


def test_integer_products_and_their_sums_by_hand() -> None:
    found = energy(activation_bits=4, error_bits=8)
    # A sum of 10 products of 12 bits has 16; its register costs as much as the addition.
    add = 1e-13 * 16 / 32
    assert set(found) == CAUSES
    assert found["gradient"] == close(1500 * (2e-13 * 32 / 64 + add))
    assert found["gradient sums"] == close(1500 * add)
    # Inputs of 4 and errors of 8 bits: written once, read once.
    assert found["gradient operands"] == close(10 * 5e-11 / 32 * 2 * (30 * 4 + 5 * 8))


def test_products_with_ternary_numbers_are_additions() -> None:
    found = energy(activation_bits=2, error_bits=8)
    add = 1e-13 * 14 / 32
    assert found["gradient"] == close(1500 * add)
    assert energy(activation_bits=2)["gradient"] == close(1500 * 9e-13)


def test_products_with_zero_and_unchanged_latent_weights_are_free() -> None:
    whole, part = energy(activation_bits=2, error_bits=8), energy(activation_bits=2, error_bits=8, products=0.25)
    assert part["gradient"] == close(whole["gradient"] / 4)
    assert part["gradient sums"] == close(whole["gradient sums"] / 4)
    assert part["gradient operands"] == whole["gradient operands"]
    few = energy(latent_bits=8, updates=0.1)
    assert few["latent weights"] == close(2 * 150 * 0.1 * 5e-11 * 8 / 32)


def test_operands_are_read_again_where_a_layer_is_larger_than_the_unit() -> None:
    small = load_chip(settings=["gradient_unit.lanes=4"])
    # Five outputs take two passes over the inputs, thirty inputs eight over the errors.
    assert energy(chip=small)["gradient operands"] == close(10 * 5e-11 * (30 * 3 + 5 * 9))


def test_the_update_of_an_integer_latent_weight() -> None:
    found = energy(latent_bits=8, optimiser_states=0)
    assert found["update"] == close(150 * (2e-13 * 256 / 64 + 2 * 1e-13 / 2))
    assert found["optimiser memory"] == 0


def test_an_attempt_is_verified_by_two_decisions_or_one_conversion() -> None:
    assert energy(verifications=7)["verify"] == close(7 * 2 * 9.2e-14)
    converter = load_chip(settings=["verify.converter=adc"])
    assert energy(chip=converter, verifications=7)["verify"] == close(7 * 10.1e-15 * 256)
    # A rule that keeps six bits of every verified weight needs a conversion of six bits.
    assert energy(verifications=7, verify_bits=6)["verify"] == close(7 * 10.1e-15 * 64)
    assert energy(chip=converter, verifications=7, verify_bits=6)["verify"] == close(7 * 10.1e-15 * 256)


def test_reads_of_single_devices_and_a_digital_copy() -> None:
    # One of 30 rows of 128 cells is driven for every five devices.
    row = 3.9e-13 + 1.2e-15 * 256 + 128 * 1e-16 * 0.01
    one = 0.01 * 1e-8 * 1e-5 + row * 30 / 150 + 10.1e-15 * 256
    assert energy(reads=150)["monitoring"] == close(150 * one)
    assert energy(copy_bits=96)["monitoring"] == close(3 * 5e-11)


def test_gradient_products_on_a_crossbar_by_hand() -> None:
    found = energy(activation_bits=4, error_bits=6, gradient_bits=6, products=0.5)
    assert set(found) == CAUSES
    # Gates of 2 fF at 1 V for half of the products; each of 150 capacitors of 10 fF is converted and reset once.
    assert found["gradient"] == close(0.5 * 1500 * 2e-15)
    assert found["gradient sums"] == close(150 * (10.1e-15 * 64 + 1e-14))
    # One tile: 30 rows of 128 cells with 4-bit drivers, 5 columns with 6-bit ones; one read of both from the buffer.
    drivers = 30 * (3.9e-13 + 1.2e-15 * 16) + 5 * (3.9e-13 + 1.2e-15 * 64)
    assert found["gradient operands"] == close(10 * (drivers + 35 * 128 * 1e-16 + (30 * 4 + 5 * 6) / 32 * 1e-11))
    # Memory and update of latent weights are those of digital sums.
    digital = energy(activation_bits=4, error_bits=6, products=0.5)
    assert {name: found[name] for name in ("latent weights", "update")} == {
        name: digital[name] for name in ("latent weights", "update")
    }


def test_large_layers_are_driven_on_every_tile() -> None:
    wide = replace(LAYER, outputs=200, inputs=300)
    found = learning_energy(load_chip(), [wide], 1, LearningLoad(activation_bits=1, error_bits=1, gradient_bits=8))
    # 128 x 127 weights a tile: three tiles along the inputs, two along the outputs.
    lines = 300 * 2 + 200 * 3
    assert found["gradient operands"] == close(lines * (3.9e-13 + 128 * 1e-16) + 500 / 32 * 1e-11)


def test_the_time_of_products_on_a_crossbar() -> None:
    # Pulses of ten samples, then 150 cells on 16 converters.
    assert outer_product_time(load_chip(), [LAYER], BATCH) == close(10 * 1e-8 + 10 * 8.33e-10)
    plain = training_costs(load_chip(), [LAYER], batch=BATCH)
    low = LearningLoad(activation_bits=4, error_bits=6, gradient_bits=6)
    third = training_costs(load_chip(), [LAYER], batch=BATCH, learning=low)
    assert third.latency - plain.latency == close(10 * 1e-8 + 10 * 8.33e-10)
    assert third.area["gradient cells"] == close(128 * 128 * 5e-12)
    # Digital logic has no such crossbar.
    digital = training_costs(load_chip(), [LAYER], batch=BATCH, learning=replace(low, gradient_bits=32))
    assert third.int8["gradient operands"] == digital.int8["gradient operands"]


def test_the_choice_of_gradients_costs_an_addition_for_each_comparison() -> None:
    plain, chosen = energy(latent_bits=8), energy(latent_bits=8, comparisons=8.0)
    assert chosen["update"] - plain["update"] == close(8 * 150 * 1e-13)


def test_the_noise_of_an_analogue_sum() -> None:
    assert load_chip().accumulator_noise == close(math.sqrt(1.380649e-23 * 300 / 1e-14))
    assert load_chip(settings=["accumulators.voltage=0.5"]).accumulator_noise == close(
        2 * load_chip().accumulator_noise
    )


def test_the_error_of_a_verify_read() -> None:
    assert load_chip().verify_noise == close(2 * math.hypot(8e-3, 1.5e-3) / 0.5)
    assert load_chip(settings=["verify.converter=adc"]).verify_noise == close(2 / 256 / math.sqrt(12))


@pytest.mark.parametrize(
    ("load", "message"),
    [
        ({"products": 1.5}, "products = 1.5: must be a share from 0 to 1"),
        ({"reads": -1.0}, "reads = -1: must be zero or positive"),
        ({"updates": math.nan}, "updates = nan: must be zero or positive"),
    ],
)
def test_wrong_loads_are_refused(load: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        LearningLoad(**load)  # type: ignore[arg-type]  # numbers by name
