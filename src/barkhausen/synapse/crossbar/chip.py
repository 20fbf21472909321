"""The periphery of a chip around its synapses, and the TOML file that describes it.

The shipped ``chips/default.toml`` holds every value with its meaning; a user's file needs only the values that differ.
Each constant has a source and says whether it is an assumption. ``chips/nodes/`` holds the constants of logic and SRAM
at other CMOS nodes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator

from barkhausen.core.config import apply_setting, read_toml, validated
from barkhausen.core.errors import InputError
from barkhausen.core.files.kinds import CHIP, refuse_other_kind
from barkhausen.core.units import BOLTZMANN
from barkhausen.synapse.crossbar.chip_parts import (
    Accumulators,
    Bank,
    Constant,
    Converter,
    Digital,
    GradientMemory,
    GradientUnit,
    Inputs,
    Junction,
    Part,
    ReadNoise,
    Sense,
    Tile,
    Verify,
    WireResistance,
)

DEFAULT_CHIP = Path(__file__).parent / "chips" / "default.toml"
NODES = Path(__file__).parent / "chips" / "nodes"
USUAL_NODE = "45"
"""Name of the CMOS node whose constants are those of the default chip."""
BY_USER = "as given"
"""Source of a constant that a user gave without one."""


class Constants(Part):
    """Energies, times and areas, each described in ``chips/default.toml``."""

    adc_step: Constant
    adc_time: Constant
    adc_area: Constant
    driver: Constant
    dac_step: Constant
    dac_area: Constant
    wire_capacitance: Constant
    cell_area: Constant
    integer_add: Constant
    integer_multiply: Constant
    float_add: Constant
    float_multiply: Constant
    sram_8KB: Constant  # noqa: N815  # as the sizes are written
    sram_32KB: Constant  # noqa: N815
    sram_1MB: Constant  # noqa: N815
    dram: Constant
    integer_add_area: Constant
    integer_multiply_area: Constant
    multiply_add_area: Constant
    sram_area: Constant
    sram_cell_area: Constant
    gate_capacitance: Constant
    supply: Constant
    logic_clock: Constant
    comparator: Constant
    comparator_offset: Constant
    comparator_noise: Constant
    network: Constant
    leakage: Constant
    clock: Constant
    accumulator: Constant
    accumulator_gates: Constant
    accumulator_area: Constant
    node_exponent: Constant

    @model_validator(mode="after")
    def _in_their_units(self) -> Constants:
        for name, default in _defaults()["constants"].items():
            unit = getattr(self, name).unit
            if unit != default["unit"]:
                raise ValueError(f"{name} has the unit {default['unit']!r}, not {unit!r}")
        return self


class Chip(Part):
    """A chip: tiles, converters and logic, with their energies, times and areas."""

    tile: Tile
    wires: WireResistance
    junction: Junction
    inputs: Inputs
    adc: Converter
    noise: ReadNoise
    sense: Sense
    digital: Digital
    gradient_memory: GradientMemory
    gradient_unit: GradientUnit
    verify: Verify
    accumulators: Accumulators = Accumulators(voltage=1.0)
    constants: Constants

    # ---- constants at this chip's node and numbers of bits; J, s, m² ------------------------------------------------

    @property
    def digital_energy_factor(self) -> float:
        """Ratio of the energies of logic and SRAM to their constants."""
        return float((self.digital.node / self.digital.constants_node) ** self.constants.node_exponent.value)

    @property
    def digital_area_factor(self) -> float:
        """Ratio of the areas of logic and SRAM to their constants."""
        return (self.digital.node / self.digital.constants_node) ** 2

    @property
    def conversion_energy(self) -> float:
        """Energy in J of one conversion of a column current. Real ADCs below about 6 bits take more (comparator,
        logic)."""
        return float(self.constants.adc_step.value * 2.0**self.adc.bits)

    @property
    def converter_area(self) -> float:
        """Area of one ADC in m²."""
        return float(self.constants.adc_area.value * 0.5 * (1.0 + 2.0 ** (self.adc.bits - 8)))

    @property
    def drive_energy(self) -> float:
        """Energy in J of driving one row for one read, without that of the wire and the devices."""
        return self.drive_energy_of(self.inputs.bits if self.inputs.mode == "analogue" else 1)

    def drive_energy_of(self, bits: int) -> float:
        """Energy in J of driving one line once with a number of so many bits: one of one bit needs no converter."""
        return self.constants.driver.value + (self.constants.dac_step.value * 2.0**bits if bits > 1 else 0.0)

    @property
    def driver_area(self) -> float:
        """Area of the driver or DAC of one row in m²."""
        return self.constants.dac_area.value * (self.inputs.bits if self.inputs.mode == "analogue" else 1)

    @property
    def multiply_add(self) -> float:
        """Energy in J of one float32 multiplication and addition."""
        both = self.constants.float_multiply.value + self.constants.float_add.value
        return both * self.digital_energy_factor

    def with_words_of(self, bits: int) -> Chip:
        """The same chip with words of so many bits in its gradient memory."""
        return self.model_copy(update={"gradient_memory": self.gradient_memory.model_copy(update={"bits": bits})})

    @property
    def float_add(self) -> float:
        """Energy in J of one float32 addition."""
        return self.constants.float_add.value * self.digital_energy_factor

    def integer_multiply(self, bits: int, other: int) -> float:
        """Energy in J of one integer multiplication, which goes with the product of both numbers of bits."""
        return self.constants.integer_multiply.value * self.digital_energy_factor * bits * other / 64

    def verify_energy(self, bits: int = 1) -> float:
        """Energy in J of one verification of a device after a programming attempt, without the read itself.

        Args:
            bits: Bits of what it gives. 1: a comparison with the two ends of the margin, by two decisions or by one
                conversion (``verify.converter``); more take a conversion of as many bits.
        """
        if self.verify.converter == "adc":
            bits = max(bits, self.adc.bits)
        if bits > 1:
            return float(self.constants.adc_step.value * 2.0**bits)
        return 2 * self.constants.comparator.value * self.digital_energy_factor

    @property
    def verify_noise(self) -> float:
        """Standard deviation of a verify read in units of the weight, whose range is 2.

        Of a comparator: its offset and its noise, relative to the swing of the range. Of a converter: the rounding.
        """
        if self.verify.converter == "adc":
            return 2 / (2.0**self.adc.bits * math.sqrt(12))
        offset, noise = self.constants.comparator_offset.value, self.constants.comparator_noise.value
        return 2 * math.hypot(offset, noise) / self.verify.swing

    @property
    def accumulator_noise(self) -> float:
        """Standard deviation of an analogue sum relative to its largest, that of the charge of a capacitor after its
        reset, √(k T/C)/V."""
        charge = math.sqrt(BOLTZMANN * self.noise.temperature / self.constants.accumulator.value)
        return charge / self.accumulators.voltage

    @property
    def integer_add(self) -> float:
        """Energy in J of one 32-bit integer addition."""
        return self.constants.integer_add.value * self.digital_energy_factor

    def word(self, bank: Bank | Literal["dram"]) -> float:
        """Energy in J of reading or writing 32 bits of a memory."""
        if bank == "dram":
            return self.constants.dram.value
        constant: Constant = getattr(self.constants, f"sram_{bank}")
        return constant.value * self.digital_energy_factor

    @property
    def weight_word(self) -> float:
        """Energy in J of fetching 32 bits of the weights of digital logic."""
        return self.word("dram" if self.digital.weights == "dram" else "1MB")

    @property
    def converters(self) -> int:
        """Number of ADCs of one tile."""
        return -(-self.tile.outputs // self.adc.columns)

    def conductance_factor(self, resistance_area: float | None) -> float:
        """Ratio of the conductance of a device on the chip to that in the device file.

        Args:
            resistance_area: Resistance-area product in ohm m² of the junctions in the device file. None for devices
                without a tunnel junction, whose conductances are not changed.
        """
        mine = self.junction.resistance_area
        return 1.0 if isinstance(mine, str) or resistance_area is None else resistance_area / mine

    def read_voltage(self, of_device: float) -> float:
        """Voltage in V of the largest input: the chip's own or, where it has none, that of the device."""
        return of_device if self.inputs.read_voltage is None else self.inputs.read_voltage

    def assumed(self) -> list[str]:
        """Assumptions, a line each: assumed constants, and values left at an assumed default."""
        lines = []
        values, defaults = self.model_dump(), _defaults()
        for part in values.keys() - {"constants"}:
            lines += [
                f"chip.{part}.{name} = {value} (default)"
                for name, value in values[part].items()
                if value is not None and value == defaults[part].get(name)
            ]
        lines.sort()
        for name in Constants.model_fields:
            constant: Constant = getattr(self.constants, name)
            if constant.assumed:
                unit = "" if constant.unit == "1" else f" {constant.unit}"
                lines.append(f"chip.constants.{name} = {constant.value:g}{unit}: {constant.source}")
        return lines


def node_names() -> list[str]:
    """Names of the CMOS nodes that have constants of their own, the largest first."""
    return [USUAL_NODE, *sorted((path.stem for path in NODES.glob("*.toml")), key=_largest_first)]


def checked_node(node: str) -> str:
    """A name of a CMOS node.

    Raises:
        InputError: There are no constants of such a node.
    """
    if node not in node_names():
        raise InputError(f"node = {node!r}: must be one of {', '.join(node_names())} (nm)")
    return node


def load_chip(path: str | Path | None = None, settings: Sequence[str] = (), *, node: str = USUAL_NODE) -> Chip:
    """Read a chip from TOML; its tables are the fields of :class:`Chip`.

    Values that the file does not hold are those of the shipped ``chips/default.toml``. A constant may be a plain number
    in its unit; without a source it counts as assumed.

    Args:
        path: TOML file. Default: the default chip.
        settings: Assignments ``key=value`` that replace values of the file, such as ``adc.bits=6`` or
            ``constants.adc_step=5e-15``.
        node: Name of a CMOS node, whose constants of logic and SRAM replace those of the default chip; the file and the
            settings come after it.

    Raises:
        InputError: The file cannot be read, a key or value in it is wrong, there are no constants of the node, or such
            a chip cannot exist.
    """
    path = None if path is None else Path(path)
    checked_node(node)
    given = {} if path is None else read_toml(path)
    if path is not None:
        refuse_other_kind(given, CHIP, path)
    for setting in settings:
        apply_setting(given, setting)
    # Without a user's file, an error can only come from the settings, so that no path is named.
    return chip_from(given, "chip" if path is None else str(path), settings, node=node)


def chip_from(values: Mapping[str, Any], origin: str, settings: Sequence[str] = (), *, node: str = USUAL_NODE) -> Chip:
    """Chip of nested values on top of the default chip; arguments as in :func:`load_chip`.

    Args:
        values: What differs from the default chip.
        origin: Name of the source of the values, for messages.
        settings: Settings that were applied to the values, for messages.
        node: Name of a CMOS node.

    Raises:
        InputError: A key or value is wrong, or such a chip cannot exist.
    """
    given = dict(values)
    defaults = _defaults() if node == USUAL_NODE else _merged(_defaults(), read_toml(NODES / f"{node}.toml"))
    if isinstance(given.get("constants"), dict):
        given["constants"] = {name: _constant(value) for name, value in given["constants"].items()}
    return validated(Chip, _merged(defaults, given), origin, settings)


def _constant(value: Any) -> Any:
    """A constant given by a user, without the source of the value that it replaces."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = {"value": value}
    if isinstance(value, dict) and "value" in value and "source" not in value:
        return {"assumed": True, **value, "source": BY_USER}
    if isinstance(value, dict) and "value" in value:
        return {"assumed": False, **value}
    return value


def _merged(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults with given values in their place, table by table."""
    whole = dict(defaults)
    for name, value in given.items():
        table = whole.get(name)
        whole[name] = _merged(table, value) if isinstance(table, dict) and isinstance(value, dict) else value
    return whole


def _largest_first(node: str) -> tuple[int, str]:
    return -int(node.partition("-")[0]), node


def _defaults() -> dict[str, Any]:
    return read_toml(DEFAULT_CHIP)
