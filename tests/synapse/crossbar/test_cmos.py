"""A chip against CMOS: a small network calculated by hand, in joules, seconds and square metres."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from barkhausen.core.errors import InputError
from barkhausen.synapse.crossbar import LayerLoad, inference_costs, load_chip
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.cmos import Ratio, compared, sensitivities
from barkhausen.synapse.crossbar.cmos.comparison import ratio, states_in_bits
from barkhausen.synapse.crossbar.cmos.machine import Work
from barkhausen.synapse.crossbar.cmos.published_chips import PUBLISHED_CHIPS
from barkhausen.synapse.crossbar.cmos.sram_cells import cell_energy
from barkhausen.synapse.crossbar.learning_load import LearningLoad

if TYPE_CHECKING:
    from tests.conftest import Report

CHIP = load_chip()
# A convolution of 100 positions and a linear layer: 100 outputs of 120 inputs, then 10 of 200.
LAYERS = [
    LayerLoad(100, 120, mean_conductance=1e-5, mean_square_voltage=1e-3, uses=100, name="convolution"),
    LayerLoad(10, 200, mean_conductance=1e-5, mean_square_voltage=1e-3, name="linear"),
]
SYNAPSES = 12_000 + 2000


def test_devices_are_the_chip_itself() -> None:
    found = compared(CHIP, LAYERS, bits=3)
    costs = inference_costs(CHIP, LAYERS)
    assert found.ours.inference == costs.energy
    assert (found.ours.latency, found.ours.interval) == (costs.latency, costs.interval)
    assert found.ours.area == costs.area


def test_sram_cells_by_hand(report: Report) -> None:
    tile, chip, whole = (compared(CHIP, LAYERS, bits=3).others[n] for n in (0, 1, 2))
    # 300 columns of 120 rows take 3 tiles of 127 outputs; 30 columns of 200 rows take 2 tiles of 128 rows.
    tiles = 3 + 2
    cells = tiles * 128 * 128 * 3.24e-13
    # 16 converters a tile, 0.5 (1 + 1) x 1.2e-9 m2; one-bit drivers; an adder each.
    adc, dac, adders = tiles * 16 * 1.2e-9, tiles * 128 * 1.66e-13, tiles * 16 * 1.37e-10
    normalise = 2 * 1.1884e-8
    report("area of SRAM cells", tile.area_total, cells + adc + dac + adders + normalise, 1e-15)
    # On the chip of devices there are 1 + 2 tiles of converters.
    report(
        "with its converters",
        chip.area_total,
        cells + 3 * 16 * 1.2e-9 + dac + 3 * 16 * 1.37e-10 + normalise,
        1e-15,
    )
    # 7 binary digits; 8 conversions of 0.833 ns in turn after a read of 10 ns.
    once = 7 * (10e-9 + 8 * 8.33e-10)
    report("latency", tile.latency, 101 * once, 1e-12)
    report("latency with few converters", chip.latency, 101 * 7 * (10e-9 + 3 * 8 * 8.33e-10), 1e-12)
    report("interval", tile.interval, 100 * once, 1e-12)
    conversions = 7 * (100 * 300 * 1 + 30 * 2)
    report("conversions", tile.inference["ADC"], conversions * 10.1e-15 * 256, 1e-16)
    report("additions", tile.inference["accumulate"], conversions * 1e-13, 1e-18)
    results = 100 * 100 + 10
    report("normalisation", tile.inference["normalise"], results * (4.6e-12 + 1e-13), 1e-18)
    # Each of 7 x 100 reads drives 120 rows in 3 tiles.
    report("drivers", tile.inference["DAC"], 7 * (100 * 120 * 3 + 200) * 3.9e-13, 1e-17)
    line = 1e-16 * (3.24 / 2.5) ** 0.5 + 1e-16
    cell = 0.81 * 1.5 * line
    report("cells", tile.inference["cell read"], 7 * (100 * 120 * 300 + 200 * 30) * cell, 1e-16)
    assert cell_energy(CHIP, 120, 300) == pytest.approx(120 * 300 * cell)
    leak = 3 * SYNAPSES * 1e-11 * tile.latency
    report("leakage", tile.inference["leakage"], leak, 1e-9 * leak)
    assert whole.name.startswith("int8")


def test_logic_by_hand(report: Report) -> None:
    int8, float32 = compared(CHIP, LAYERS, bits=3, units=1000).others[2:]
    cycles = 1200 + 2
    for machine in (int8, float32):
        report("latency", machine.latency, cycles * 1e-9, 1e-18)
    # Forward pass, gradient, and errors of the second layer alone.
    report("step", int8.step_time, 100 * (2 * cycles + 2) * 1e-9, 1e-12)
    report("area, int8", int8.area_total, 1000 * (2.82e-10 + 1.37e-10) + 8 * SYNAPSES * 7e-13, 1e-15)
    report("area, float32", float32.area_total, 1000 * 1.1884e-8 + 32 * SYNAPSES * 7e-13, 1e-15)
    multiply_adds = 1_200_000 + 2000
    report("int8", int8.inference["multiply-add"], multiply_adds * 3e-13, 1e-15)
    report("float32", float32.inference["multiply-add"], multiply_adds * 4.6e-12, 1e-14)
    # Latent weight and two words of the optimiser, 32 bits each.
    report("memory", float32.training_area["gradient memory"], 96 * SYNAPSES * 7e-13, 1e-15)


def test_training_step_of_sram_cells() -> None:
    learning = LearningLoad(optimiser_states=0)
    work = Work(batch=10, writes=50, programming=1e-9)
    found = compared(CHIP, LAYERS, bits=4, work=work, learning=learning)
    assert found.ours.step["programming"] == 1e-9
    sram = found.others[0]
    # 4 bits of each of 50 weights, 5 pJ for 32 bits.
    assert sram.step["programming"] == pytest.approx(50 * 4 * 5e-12 / 32)
    # The digital part is the same, apart from verification and reads of devices.
    for cause in ("gradient", "latent weights", "optimiser memory", "update", "gradient operands"):
        assert sram.step[cause] == pytest.approx(found.ours.step[cause])
    # Devices of the last layer: 10 outputs x 200 inputs back, 200 rows converted once for each bit.
    back = 7 * 200 * 4 * 10.1e-15 * 256
    assert sram.step["ADC"] == pytest.approx(10 * (sram.inference["ADC"] + back))


def test_ratios_go_the_way_of_their_constants() -> None:
    def sram(chip: Chip) -> Ratio:
        made = compared(chip, LAYERS, bits=3)
        return ratio(made.others[0], made.serial)

    found = {item.constant: item for item in sensitivities(CHIP, sram)}
    assert found["sram_cell_area"].exponent("area") > 0 > found["cell_area"].exponent("area")
    assert found["sram_cell_area"].exponent("latency") == pytest.approx(0, abs=1e-12)
    assert found["dram"].strength == pytest.approx(0, abs=1e-12)
    strengths = [item.strength for item in found.values()]
    assert strengths == sorted(strengths, reverse=True)


def test_more_bits_take_more_and_the_same_inputs_the_same_time() -> None:
    few, many = (compared(CHIP, LAYERS, bits=bits) for bits in (2, 6))
    assert ratio(few.others[0], few.serial).latency == pytest.approx(1)
    assert ratio(many.others[1], many.serial).latency > ratio(few.others[1], few.serial).latency
    assert many.others[0].area_total > few.others[0].area_total
    assert many.others[0].inference_total > few.others[0].inference_total
    assert many.others[2] == few.others[2]


def test_every_node_has_all_constants_of_the_comparison() -> None:
    nodes = [compared(load_chip(node=node), LAYERS, bits=3).others[0] for node in ("45", "32", "22", "7")]
    area, energy = ([each.area["SRAM cells"] for each in nodes], [each.inference["cell read"] for each in nodes])
    assert area == sorted(area, reverse=True)
    # Published cells of SRAM: 0.346 um2 at 45 nm, 0.171 at 32, 0.092 at 22.
    assert area[1] / area[0] == pytest.approx(0.171 / 0.35, rel=1e-3)
    assert area[2] / area[0] == pytest.approx(0.092 / 0.35, rel=1e-3)
    assert energy == sorted(energy, reverse=True)


def test_what_is_not_verified_is_printed_as_assumed() -> None:
    lines = [line for line in load_chip(node="7").assumed() if "not verified against the source" in line]
    names = {line.partition(" = ")[0].removeprefix("chip.constants.") for line in lines}
    assert names == {"integer_add", "integer_multiply", "float_add", "sram_8KB", "sram_32KB", "sram_1MB"}
    chips = {chip.name: chip for chip in PUBLISHED_CHIPS}
    assert all(chip.checked for chip in chips.values())
    # ISAAC by its structure: 168 tiles of 12 units of 8 arrays, 8 cells a weight, 16 bits in 16 reads of 100 ns.
    operations = 2 * 168 * 12 * 8 * 128 * 128 / 8 / (16 * 100e-9)
    assert chips["ISAAC"].tera_operations == pytest.approx(operations / 65.8 / 1e12, rel=0.02)


def test_operations_per_joule_and_bits_of_states() -> None:
    found = compared(CHIP, LAYERS, bits=3)
    assert found.tera_operations(found.ours) == pytest.approx(2 * 1_202_000 / found.ours.inference_total / 1e12)
    assert [states_in_bits(states) for states in (2, 3, 5, 8, 32)] == [1, 2, 3, 3, 5]
    with pytest.raises(InputError, match="bits = 0: must be 1 or more"):
        compared(CHIP, LAYERS, bits=0)
    one = compared(CHIP, [replace(LAYERS[1], uses=1)], bits=1)
    assert one.ours.latency == one.ours.interval
