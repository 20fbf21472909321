"""A chip from TOML: what it says by default, what it refuses and why, and what its constants come to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from barkhausen.core.errors import InputError
from barkhausen.synapse.crossbar.chip import Constants, load_chip


def close(value: float) -> Any:
    """To rounding; pytest's own absolute tolerance of 1e-12 would hide joules."""
    return pytest.approx(value, rel=1e-9, abs=0)


def test_the_shipped_chip_has_every_constant_with_its_unit_and_source() -> None:
    chip = load_chip()
    assert (chip.tile.rows, chip.tile.columns, chip.tile.scheme) == (128, 128, "reference-column")
    for name in Constants.model_fields:
        constant = getattr(chip.constants, name)
        assert constant.value > 0
        assert len(constant.source) > 20, name
        assert "\n" not in constant.source, name
    listed = "\n".join(chip.assumed())
    assert "chip.constants.cell_area = 2.5e-13 m2: 0.5 um x 0.5 um" in listed
    assert "chip.sense.time = 1e-08 (default)" in listed
    # What is cited is not assumed.
    assert "constants.adc_step" not in listed


def test_a_file_says_only_what_differs_and_settings_replace_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "chip.toml"
    path.write_text(
        "[tile]\nrows = 64\n[adc]\nbits = 6\n[constants]\nadc_step = 2e-15\n"
        '[constants.dram]\nvalue = 1e-9\nsource = "measured"\n'
    )
    chip = load_chip(path, ["adc.bits=5", "inputs.read_voltage=0.05"])
    assert (chip.tile.rows, chip.tile.columns, chip.adc.bits) == (64, 128, 5)
    assert chip.conversion_energy == close(2e-15 * 32)
    assert (chip.read_voltage(0.1), load_chip().read_voltage(0.1)) == (0.05, 0.1)
    # A number without a source is an assumption, and the source of the value that it replaces is not its own.
    assert (chip.constants.adc_step.assumed, chip.constants.adc_step.source) == (True, "as given")
    assert (chip.constants.dram.assumed, chip.constants.dram.source, chip.constants.dram.unit) == (
        False,
        "measured",
        "J",
    )
    lines = chip.assumed()
    assert "chip.constants.adc_step = 2e-15 J: as given" in lines
    assert not any("tile.rows" in line or "read_voltage" in line for line in lines)


IMPOSSIBLE_CHIPS: list[tuple[str, str]] = [
    ("adc.bits=0", "--set adc.bits=0: adc.bits: must be 1 to 32 bits, got 0"),
    ("inputs.bits=0", "--set inputs.bits=0: inputs.bits: must be 1 to 32 bits, got 0"),
    ("adc.percentile=0", "adc.percentile: must be above 0 and at most 100 per cent, got 0"),
    ("adc.columns=0", "adc.columns: must be 1 column per converter or more, got 0"),
    (
        "tile.columns=1",
        "tile: a tile of 128 x 1 is smaller than one pair: an output and its reference take 2 columns",
    ),
    ("tile.rows=0", "a tile of 0 x 128 is smaller than one pair"),
    ("wires.word_line=-1", "wires.word_line: the resistance of a wire must be zero or positive, got -1 ohm"),
    ("wires.bit_line=nan", "wires.bit_line = nan: input should be a finite number"),
    ("sense.time=0", "sense.time: must be positive, got 0 s"),
    ("sense.tme=1", "unknown key 'sense.tme'; did you mean 'sense.time'?"),
    ("constants.adc_stp=1", "unknown key 'constants.adc_stp'; did you mean 'constants.adc_step'?"),
    ("constants.adc_step=-1", "constants.adc_step.value: a cost must be zero or positive, got -1"),
    ("constants.adc_step.unit=pJ", "constants: adc_step has the unit 'J', not 'pJ'"),
    ("constants.adc_step.source=", "constants.adc_step.source: must not be empty"),
    ("inputs.read_voltage=0", "inputs.read_voltage: must be positive, got 0 V"),
    ("inputs.mode=serial", "inputs.mode = 'serial': input should be 'analogue' or 'bit-serial'"),
    ("noise.temperature=-3", "noise.temperature: must be zero or positive, got -3"),
    ("digital.node=45", "digital.node: a CMOS node must be 1e-9 to 1e-6 m, got 45 m"),
    ("gradient_memory.optimiser_states=-1", "gradient_memory.optimiser_states: must be zero or positive, got -1"),
    ("tile=3", "tile = 3: must be a table"),
]


def test_an_impossible_chip_is_refused_in_one_line_with_the_reason() -> None:
    for setting, message in IMPOSSIBLE_CHIPS:
        with pytest.raises(InputError) as caught:
            load_chip(settings=[setting])
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_the_file_is_named_where_there_is_one(tmp_path: Path) -> None:
    path = tmp_path / "chip.toml"
    path.write_text("[adc]\nbits = 0\n")
    with pytest.raises(InputError, match=r"chip\.toml: adc\.bits: must be 1 to 32 bits"):
        load_chip(path)


def test_outputs_and_blocks_of_both_schemes() -> None:
    reference, pair = load_chip(), load_chip(settings=["tile.scheme=differential-pair"])
    assert (reference.tile.outputs, reference.tile.devices_per_weight) == (127, 1)
    assert (pair.tile.outputs, pair.tile.devices_per_weight) == (64, 2)
    assert reference.tile.blocks(256, 784) == (7, 3)
    assert pair.tile.blocks(256, 784) == (7, 4)
    # 127 outputs, eight to a converter; 64 of them.
    assert (reference.converters, pair.converters) == (16, 8)


@pytest.mark.parametrize(
    ("mode", "bits", "signed", "planes"),
    [
        ("analogue", 8, "true", 1),
        ("bit-serial", 8, "true", 7),
        ("bit-serial", 8, "false", 8),
        ("bit-serial", 1, "true", 1),
    ],
)
def test_reads_of_an_input(mode: str, bits: int, signed: str, planes: int) -> None:
    chip = load_chip(settings=[f"inputs.mode={mode}", f"inputs.bits={bits}", f"inputs.signed={signed}"])
    assert chip.inputs.planes == planes


def test_constants_at_other_bits_and_nodes() -> None:
    chip = load_chip(settings=["digital.node=22.5e-9", "adc.bits=10", "inputs.bits=4"])
    assert chip.conversion_energy == close(10.1e-15 * 1024)
    assert chip.converter_area == close(1.2e-9 * 2.5)
    assert chip.multiply_add == close(4.6e-12 / 2)
    assert chip.integer_add == close(1e-13 / 2)
    assert chip.word("32KB") == close(1e-11 / 2)
    assert chip.word("dram") == close(6.5e-10)
    assert chip.digital_area_factor == close(1 / 4)
    assert chip.drive_energy == close(3.9e-13 + 16 * 1.2e-15)
    serial = load_chip(settings=["inputs.mode=bit-serial"])
    assert serial.drive_energy == close(3.9e-13)
    assert serial.driver_area == close(load_chip().driver_area / 8)
