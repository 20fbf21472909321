"""The periphery of a chip around its synapses, and the TOML file a user describes it in.

The shipped ``chips/default.toml`` holds every value with its meaning; a file of one's own, only what differs. Each
constant says where it comes from and whether it is an assumption.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator

from barkhausen.core.config import apply_setting, read_toml, validated
from barkhausen.synapse.crossbar.chip_parts import (
    Bank,
    Constant,
    Converter,
    Digital,
    GradientMemory,
    Inputs,
    Junction,
    Part,
    ReadNoise,
    Sense,
    Tile,
    WireResistance,
)

DEFAULT_CHIP = Path(__file__).parent / "chips" / "default.toml"
REFERENCE_NODE = 45e-9
"""Technology in m of the digital constants."""
BY_USER = "as given"
"""Source of a constant that was given without one."""


class Constants(Part):
    """Energies, times and areas; what each is, ``chips/default.toml`` says."""

    adc_step: Constant
    adc_time: Constant
    adc_area: Constant
    driver: Constant
    dac_step: Constant
    dac_area: Constant
    wire_capacitance: Constant
    cell_area: Constant
    integer_add: Constant
    float_add: Constant
    float_multiply: Constant
    sram_8KB: Constant  # noqa: N815  # as the sizes are written
    sram_32KB: Constant  # noqa: N815
    sram_1MB: Constant  # noqa: N815
    dram: Constant
    integer_add_area: Constant
    multiply_add_area: Constant
    sram_area: Constant
    node_exponent: Constant

    @model_validator(mode="after")
    def _in_their_units(self) -> Constants:
        for name, default in _defaults()["constants"].items():
            unit = getattr(self, name).unit
            if unit != default["unit"]:
                raise ValueError(f"{name} has the unit {default['unit']!r}, not {unit!r}")
        return self


class Chip(Part):
    """A chip: tiles, converters, logic, and what they cost."""

    tile: Tile
    wires: WireResistance
    junction: Junction
    inputs: Inputs
    adc: Converter
    noise: ReadNoise
    sense: Sense
    digital: Digital
    gradient_memory: GradientMemory
    constants: Constants

    # ---- constants at this chip's node and numbers of bits; J, s, m² ------------------------------------------------

    @property
    def digital_energy_factor(self) -> float:
        """By which the energies of logic and SRAM differ from those at 45 nm."""
        return float((self.digital.node / REFERENCE_NODE) ** self.constants.node_exponent.value)

    @property
    def digital_area_factor(self) -> float:
        """By which the areas of logic and SRAM differ from those at 45 nm."""
        return (self.digital.node / REFERENCE_NODE) ** 2

    @property
    def conversion_energy(self) -> float:
        """Of one conversion of a column current, in J; below 6 bits or so an ADC takes more (comparator, logic)."""
        return float(self.constants.adc_step.value * 2.0**self.adc.bits)

    @property
    def converter_area(self) -> float:
        """Of one ADC, in m²."""
        return float(self.constants.adc_area.value * 0.5 * (1.0 + 2.0 ** (self.adc.bits - 8)))

    @property
    def drive_energy(self) -> float:
        """Of driving one row for one read, in J, without what the wire and the devices take."""
        analogue = self.inputs.mode == "analogue" and self.inputs.bits > 1
        return self.constants.driver.value + (self.constants.dac_step.value * 2.0**self.inputs.bits if analogue else 0)

    @property
    def driver_area(self) -> float:
        """Of one row's driver or DAC, in m²."""
        return self.constants.dac_area.value * (self.inputs.bits if self.inputs.mode == "analogue" else 1)

    @property
    def multiply_add(self) -> float:
        """Of one float32 multiplication and addition, in J."""
        both = self.constants.float_multiply.value + self.constants.float_add.value
        return both * self.digital_energy_factor

    @property
    def integer_add(self) -> float:
        """Of one 32-bit integer addition, in J."""
        return self.constants.integer_add.value * self.digital_energy_factor

    def word(self, bank: Bank | Literal["dram"]) -> float:
        """Energy in J of reading or writing 32 bits of a memory."""
        if bank == "dram":
            return self.constants.dram.value
        constant: Constant = getattr(self.constants, f"sram_{bank}")
        return constant.value * self.digital_energy_factor

    @property
    def converters(self) -> int:
        """ADCs of one tile."""
        return -(-self.tile.outputs // self.adc.columns)

    def conductance_factor(self, resistance_area: float | None) -> float:
        """Conductance of a device on the chip over that of the device file.

        Args:
            resistance_area: Resistance-area product in ohm m² of the junctions in the device file. None for devices
                without a tunnel junction, which the chip takes as they are.
        """
        mine = self.junction.resistance_area
        return 1.0 if isinstance(mine, str) or resistance_area is None else resistance_area / mine

    def read_voltage(self, of_device: float) -> float:
        """In V of the greatest input: the chip's own, or the device's."""
        return of_device if self.inputs.read_voltage is None else self.inputs.read_voltage

    def assumed(self) -> list[str]:
        """One line for each constant that is an assumption, and each value left at a default that is one."""
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


def load_chip(path: Path | None = None, settings: Sequence[str] = ()) -> Chip:
    """Read a chip from TOML; its tables are the fields of :class:`Chip`.

    What the file does not say is as in the shipped ``chips/default.toml``. A constant may be a plain number in its
    unit; without a source of its own it counts as assumed.

    Args:
        path: the TOML file; the default chip if None.
        settings: ``key=value``, such as ``adc.bits=6`` or ``constants.adc_step=5e-15``, that replace what the file
            says.

    Raises:
        InputError: the file cannot be read, a key or value in it is wrong, or there can be no such chip.
    """
    given = {} if path is None else read_toml(path)
    for setting in settings:
        apply_setting(given, setting)
    defaults = _defaults()
    if isinstance(given.get("constants"), dict):
        given["constants"] = {name: _constant(value) for name, value in given["constants"].items()}
    # A path of ours would tell the user nothing: without a file, what is wrong comes from the settings.
    return validated(Chip, _merged(defaults, given), "chip" if path is None else str(path))


def _constant(value: Any) -> Any:
    """A constant that a user gave, without the source of the value that it replaces."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = {"value": value}
    if isinstance(value, dict) and "value" in value and "source" not in value:
        return {"assumed": True, **value, "source": BY_USER}
    if isinstance(value, dict) and "value" in value:
        return {"assumed": False, **value}
    return value


def _merged(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults with what was given in their place, table by table."""
    whole = dict(defaults)
    for name, value in given.items():
        table = whole.get(name)
        whole[name] = _merged(table, value) if isinstance(table, dict) and isinstance(value, dict) else value
    return whole


def _defaults() -> dict[str, Any]:
    return read_toml(DEFAULT_CHIP)
