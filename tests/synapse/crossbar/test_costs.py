"""The ledger of a chip: every cause by hand, what it leaves out, and the sentence about it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from barkhausen.core.errors import InputError
from barkhausen.synapse import EnergyBreakdown
from barkhausen.synapse.crossbar.chip import Chip, load_chip
from barkhausen.synapse.crossbar.costs import disturb_per_read, inference_costs, training_costs
from barkhausen.synapse.crossbar.layer_load import LayerLoad

# 30 inputs and 5 outputs on tiles of 16 x 4: two tiles down, and with a reference (3 outputs a tile) two across.
SMALL = ["tile.rows=16", "tile.columns=4", "adc.columns=2", "adc.bits=6", "inputs.bits=4"]
LAYER = LayerLoad(outputs=5, inputs=30, mean_conductance=1e-5, mean_square_voltage=4e-3, reference_conductance=2e-5)


def close(value: float) -> Any:
    """To rounding; pytest's own absolute tolerance of 1e-12 would hide joules."""
    return pytest.approx(value, rel=1e-9, abs=0)


def chip(*more: str) -> Chip:
    return load_chip(settings=["sense.time=1e-9", *SMALL, *more])


def test_every_cause_of_an_inference_by_hand() -> None:
    energy = inference_costs(
        chip(), [LAYER], programming=EnergyBreakdown({"sot": 1e-15, "gate": 2e-15, "read": 3e-15})
    ).energy
    assert energy["device read"] == close(4e-3 * 1e-9 * (30 * 5 * 1e-5 + 30 * 2 * 2e-5))
    # 30 rows in each of two tiles across, four cells wide.
    assert energy["wires"] == close(60 * 4 * 1e-16 * 4e-3)
    assert energy["DAC"] == close(60 * (3.9e-13 + 16 * 1.2e-15))
    # 5 outputs of each of two tiles down.
    assert energy["ADC"] == close(10 * 10.1e-15 * 64)
    assert energy["accumulate"] == close(10 * 1e-13)
    assert energy["normalise"] == close(5 * (4.6e-12 + 1e-13))
    assert energy["buffer"] == close(35 * 1e-11 * 4 / 32)
    assert energy["programming"] == close(6e-15)
    # Five results of four bits over half the side of the chip; clocks are 30 % of logic and SRAM.
    side = math.sqrt(inference_costs(chip(), [LAYER]).area_total)
    assert energy["network"] == close(5 * 4 * 1.2e-10 * side / 2)
    assert energy["leakage"] == 0
    assert energy["clock"] == close(0.3 * (energy["accumulate"] + energy["normalise"] + energy["buffer"]))
    assert set(energy) == {
        "device read",
        "wires",
        "DAC",
        "ADC",
        "accumulate",
        "normalise",
        "buffer",
        "network",
        "leakage",
        "clock",
        "programming",
    }


def test_pairs_have_two_devices_and_half_the_outputs_on_a_tile() -> None:
    energy = inference_costs(chip("tile.scheme=differential-pair"), [LAYER]).energy
    assert energy["device read"] == close(4e-3 * 1e-9 * 30 * 5 * 2 * 1e-5)
    # Two outputs a tile: three across.
    assert energy["wires"] == close(90 * 4 * 1e-16 * 4e-3)
    assert energy["ADC"] == close(10 * 10.1e-15 * 64)


def test_two_reads_double_reads_and_conversions_and_need_no_reference() -> None:
    load = dataclasses.replace(LAYER, mean_square_common_voltage=1e-3)
    one = inference_costs(chip(), [load], read_disturb=1e-6)
    two = inference_costs(chip("tile.scheme=two-reads"), [load], read_disturb=1e-6)
    # The devices of weights alone: once at 4e-3 V², once at the common 1e-3 V².
    assert two.energy["device read"] == close((4e-3 + 1e-3) * 1e-9 * 30 * 5 * 1e-5)
    # Four outputs a tile: two across, as with three and a reference.
    assert two.energy["DAC"] == close(2 * one.energy["DAC"])
    assert two.energy["ADC"] == close(2 * one.energy["ADC"])
    assert two.energy["accumulate"] == close(2 * one.energy["accumulate"])
    assert two.energy["common input"] == close(60 * 1e-13 + 10 * (2e-13 + 1e-13))
    assert two.energy["normalise"] == one.energy["normalise"]
    assert two.latency == close(2 * one.latency)
    assert two.disturbed == close(2 * one.disturbed)
    assert two.area["devices"] == one.area["devices"]
    # Where nothing is known of the common voltage, it is the most that it can be.
    unknown = inference_costs(chip("tile.scheme=two-reads"), [LAYER])
    assert unknown.energy["device read"] == close(2 * 4e-3 * 1e-9 * 30 * 5 * 1e-5)


def test_bit_serial_inputs_are_read_once_a_plane() -> None:
    once, serial = (inference_costs(chip(*more), [LAYER]) for more in ([], ["inputs.mode=bit-serial"]))
    for cause in ("device read", "wires", "ADC", "accumulate"):
        assert serial.energy[cause] == close(3 * once.energy[cause]), cause
    assert serial.energy["DAC"] == close(3 * 60 * 3.9e-13)
    assert serial.energy["normalise"] == once.energy["normalise"]
    assert serial.latency == close(3 * once.latency)


def test_places_of_a_convolution_multiply_everything_but_programming_and_area() -> None:
    one = inference_costs(chip(), [LAYER], programming=EnergyBreakdown({"sot": 1e-15}), read_disturb=1e-9)
    many = inference_costs(
        chip(), [dataclasses.replace(LAYER, uses=49)], programming=EnergyBreakdown({"sot": 1e-15}), read_disturb=1e-9
    )
    for cause in set(one.energy) - {"programming", "leakage"}:
        assert many.energy[cause] == close(49 * one.energy[cause]), cause
    assert many.energy["programming"] == one.energy["programming"]
    assert many.latency == close(49 * one.latency)
    assert many.disturbed == close(49 * one.disturbed)
    assert many.area == one.area
    # The baseline keeps its weights over the places.
    assert many.baseline["weights"] == one.baseline["weights"]
    assert many.baseline["multiply-add"] == close(49 * one.baseline["multiply-add"])


def test_layers_add_up_and_total_is_their_sum() -> None:
    costs = inference_costs(chip(), [LAYER, LAYER])
    single = inference_costs(chip(), [LAYER])
    # Results of two layers go over a chip of twice the area.
    assert costs.energy["network"] == close(2 * math.sqrt(2) * single.energy["network"])
    assert costs.total - costs.energy["network"] == close(2 * (single.total - single.energy["network"]))
    assert costs.total == close(sum(costs.energy.values()))
    assert costs.area_total == close(2 * single.area_total)
    assert (costs.latency, costs.interval) == (close(2 * single.latency), close(single.latency))


def test_latency_by_hand() -> None:
    # 3 of the outputs stand in one tile; two share a converter.
    assert inference_costs(chip(), [LAYER]).latency == close(1e-9 + 2 * 8.33e-10)
    assert inference_costs(chip("adc.columns=1"), [LAYER]).latency == close(1e-9 + 8.33e-10)
    assert inference_costs(chip("adc.columns=50"), [LAYER]).latency == close(1e-9 + 3 * 8.33e-10)


def test_area_by_hand() -> None:
    costs = inference_costs(chip(), [LAYER])
    area = costs.area
    # Four tiles of 64 cells, 16 drivers of four bits and two converters (2 + 1 outputs) of six bits.
    assert area["devices"] == close(4 * 64 * 2.5e-13)
    assert area["DAC"] == close(4 * 16 * 4 * 1.66e-13)
    assert area["ADC"] == close(8 * 1.2e-9 * 0.5 * 1.25)
    assert area["accumulate"] == close(8 * 1.37e-10)
    assert area["normalise"] == close(2 * 1.1884e-8)
    assert costs.area_total == close(sum(area.values()))
    training = training_costs(chip(), [LAYER], batch=1).area
    assert training["gradient memory"] == close(150 * 3 * 32 * 7e-13)
    assert training["DAC"] == close(4 * 20 * 4 * 1.66e-13)


def test_the_baseline_by_hand() -> None:
    baseline = inference_costs(chip(), [LAYER]).baseline
    assert baseline["multiply-add"] == close(150 * 4.6e-12)
    assert baseline["weights"] == close(150 * 5e-11)
    assert baseline["normalise"] == close(5 * 4.7e-12)
    assert baseline["buffer"] == close(35 * 1e-11)
    far = inference_costs(chip("digital.weights=dram"), [LAYER]).baseline
    assert far["weights"] == close(150 * 6.5e-10)
    # At a smaller node both sides gain.
    small = inference_costs(chip("digital.node=22.5e-9"), [LAYER])
    whole = inference_costs(chip(), [LAYER])
    for cause in set(whole.baseline) - {"network", "leakage"}:
        assert small.baseline[cause] == close(whole.baseline[cause] / 2), cause
    assert small.energy["accumulate"] == close(10 * 1e-13 / 2)
    assert small.energy["ADC"] == close(10 * 10.1e-15 * 64)


def test_every_cause_of_a_training_step_by_hand() -> None:
    first = LAYER
    second = LayerLoad(
        outputs=4, inputs=5, mean_conductance=1e-5, mean_square_voltage=4e-3, mean_square_error_voltage=1e-3
    )
    forward = inference_costs(chip(), [first, second]).energy
    costs = training_costs(chip(), [first, second], batch=10, programming=EnergyBreakdown({"sot": 5e-12}))
    energy = costs.energy
    # Backwards through the second layer only: its 4 outputs are driven, in one tile down and two across.
    assert energy["device read"] == close(10 * (forward["device read"] + 1e-3 * 1e-9 * 20 * 1e-5))
    assert energy["wires"] == close(10 * (forward["wires"] + 4 * 16 * 1e-16 * 1e-3))
    assert energy["DAC"] == close(10 * (forward["DAC"] + 4 * (3.9e-13 + 16 * 1.2e-15)))
    assert energy["ADC"] == close(10 * (forward["ADC"] + 5 * 2 * 10.1e-15 * 64))
    assert energy["accumulate"] == close(10 * (forward["accumulate"] + 10 * 1e-13))
    assert energy["normalise"] == close(10 * (forward["normalise"] + 5 * 4.7e-12))
    assert energy["buffer"] == close(10 * (forward["buffer"] + 9 * 1e-11 * 4 / 32))
    # 170 synapses: a latent weight and two states of Adam, each read and written once.
    assert energy["gradient"] == close(10 * 170 * 4.6e-12)
    assert energy["gradient sums"] == close(10 * 170 * 1e-13)
    # Operands of 32 bits are written once, and read once since no layer is larger than the unit.
    assert energy["gradient operands"] == close(10 * 5e-11 * 2 * (30 + 5 + 5 + 4))
    assert energy["latent weights"] == close(170 * 2 * 5e-11)
    assert energy["optimiser memory"] == close(170 * 2 * 2 * 5e-11)
    assert energy["update"] == close(170 * 3 * 4.6e-12)
    assert energy["verify"] == energy["monitoring"] == 0
    # Forward 5 and 4 results, backward 5.
    side = math.sqrt(costs.area_total)
    assert energy["network"] == close(10 * 14 * 4 * 1.2e-10 * side / 2)
    assert energy["leakage"] == close(170 * 3 * 32 * 1e-11 * costs.latency)
    digital = ("accumulate", "normalise", "buffer", "gradient", "gradient sums", "gradient operands")
    digital += ("latent weights", "optimiser memory", "update")
    assert energy["clock"] == close(0.3 * sum(energy[cause] for cause in digital))
    assert energy["programming"] == close(5e-12)
    assert costs.baseline["multiply-add"] == close(10 * (170 + 20) * 4.6e-12)
    assert costs.baseline["weights"] == close((170 + 20) * 5e-11)
    assert costs.baseline["normalise"] == close(10 * (5 + 4 + 5) * 4.7e-12)
    # Backwards the two converters of a tile serve its five rows in use in three turns.
    forward_time = (1e-9 + 2 * 8.33e-10) * 2
    assert costs.latency == close(10 * (forward_time + 1e-9 + 3 * 8.33e-10))


def test_the_gradient_memory_in_other_words_and_banks() -> None:
    half = training_costs(
        chip("gradient_memory.bits=16", "gradient_memory.optimiser_states=0", "gradient_memory.bank=8KB"),
        [LAYER],
        batch=1,
    )
    assert half.energy["latent weights"] == close(150 * 2 * 5e-12 / 2)
    assert half.energy["optimiser memory"] == 0
    # Latent weights of 16 bits: an integer multiplication, a random number and a comparison.
    assert half.energy["update"] == close(150 * (2e-13 * 4 + 2 * 1e-13 / 2))


def test_read_disturb() -> None:
    costs = inference_costs(chip(), [LAYER], read_disturb=1e-3)
    assert costs.disturbed == close(0.15)
    assert costs.disturb_probability == close(1 - 0.999**150)
    assert inference_costs(chip(), [LAYER]).disturb_probability == 0.0
    assert inference_costs(chip(), [LAYER], read_disturb=1.0).disturb_probability == 1.0
    pairs = inference_costs(chip("tile.scheme=differential-pair"), [LAYER], read_disturb=1e-3)
    assert pairs.disturbed == close(0.3)
    training = training_costs(chip(), [LAYER, dataclasses.replace(LAYER, inputs=5)], batch=7, read_disturb=1e-3)
    assert training.disturbed == close(7 * (150 + 2 * 25) * 1e-3)
    # Far below what 1 − p can tell from 1.
    assert inference_costs(chip(), [LAYER], read_disturb=1e-18).disturb_probability == close(1.5e-16)
    assert disturb_per_read(0.1, 1e-9, 2e-9) == close(1 - 0.9**2)
    assert disturb_per_read(1e-12, 1e-9, 1e-8) == close(1e-11)


def test_the_sentence_names_what_dominates() -> None:
    sentence = inference_costs(chip(), [LAYER]).dominant()
    energy = inference_costs(chip(), [LAYER])
    first, second = sorted(energy.energy, key=lambda name: energy.energy[name], reverse=True)[:2]
    share = energy.energy[first] / energy.total
    assert sentence.startswith(f"Of the {energy.total * 1e12:.3g} pJ of one inference, {first} ")
    assert f"{share:.0%}, then {second} with" in sentence
    assert f"float32 logic at 45 nm would take {energy.baseline_total * 1e9:.3g} nJ" in sentence
    # A chip of enormous converters.
    bits = inference_costs(chip("adc.bits=20"), [LAYER]).dominant()
    assert "ADC takes 100%" in bits
    large = inference_costs(chip("adc.bits=20"), [LAYER])
    assert bits.endswith(f"{large.baseline_total / large.total:.3g} of that.")
    assert "training step of 3 samples" in training_costs(chip(), [LAYER], batch=3).dominant()


def test_costs_are_frozen() -> None:
    costs = inference_costs(chip(), [LAYER])
    with pytest.raises(dataclasses.FrozenInstanceError):
        costs.latency = 0.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        costs.energy["ADC"] = 0.0  # type: ignore[index]
    assert math.isfinite(costs.total)


def test_impossible_loads_are_refused() -> None:
    with pytest.raises(InputError, match="conv: uses = 0: must be 1 or more"):
        dataclasses.replace(LAYER, uses=0, name="conv")
    with pytest.raises(InputError, match="mean_square_voltage = -1: must be zero or positive"):
        dataclasses.replace(LAYER, mean_square_voltage=-1.0)
    with pytest.raises(InputError, match="no layer"):
        inference_costs(chip(), [])
    with pytest.raises(InputError, match="read_disturb = 2"):
        inference_costs(chip(), [LAYER], read_disturb=2.0)
    with pytest.raises(InputError, match="batch = 0"):
        training_costs(chip(), [LAYER], batch=0)
    with pytest.raises(InputError, match="must be a probability"):
        disturb_per_read(0.1, 1e-9, 0.0)
