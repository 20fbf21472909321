"""The periphery of a chip around its synapses, and the TOML file a user describes it in.

The shipped ``chips/default.toml`` holds every value with its meaning; a file of one's own, only what differs. Each
constant says where it comes from and whether it is an assumption.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from barkhausen.validation import apply_setting, read_toml, validated

Bank = Literal["8KB", "32KB", "1MB"]

DEFAULT_CHIP = Path(__file__).parent / "chips" / "default.toml"
REFERENCE_NODE = 45e-9
"""Technology in m of the digital constants."""
MOST_BITS = 32
BY_USER = "as given"
"""Source of a constant that was given without one."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Tile(_Part):
    """Size of one crossbar, and how it makes signed weights."""

    rows: int
    """Inputs that one tile takes."""
    columns: int
    """Physical columns, those of references and of the second devices of pairs included."""
    scheme: Literal["reference-column", "differential-pair"]

    @model_validator(mode="after")
    def _holds_a_weight(self) -> Tile:
        if self.rows < 1 or self.columns < 2:
            need = "an output and its reference" if self.scheme == "reference-column" else "the two devices of a weight"
            raise ValueError(f"a tile of {self.rows} x {self.columns} is smaller than one pair: {need} take 2 columns")
        return self

    @property
    def outputs(self) -> int:
        """The most outputs that one tile has."""
        return self.columns - 1 if self.scheme == "reference-column" else self.columns // 2

    @property
    def devices_per_weight(self) -> int:
        """Devices that hold one weight, without the reference that outputs share."""
        return 1 if self.scheme == "reference-column" else 2

    def blocks(self, outputs: int, inputs: int) -> tuple[int, int]:
        """Tiles along the inputs, and along the outputs, of a weight matrix."""
        return -(-inputs // self.rows), -(-outputs // self.outputs)


class WireResistance(_Part):
    """Resistance in ohm of one segment of wire, from one crossing to the next."""

    word_line: float
    """Along a row."""
    bit_line: float
    """Along a column."""

    @field_validator("*")
    @classmethod
    def _not_negative(cls, value: float) -> float:
        if value < 0:
            raise ValueError(f"a wire of {value:g} ohm would deliver energy; must be zero or positive")
        return value


def _bits(value: int) -> int:
    if not 1 <= value <= MOST_BITS:
        raise ValueError(f"{value} bits: a number needs 1 to {MOST_BITS}")
    return value


class Inputs(_Part):
    """How inputs become voltages on rows."""

    bits: int
    """Of an input, its sign included."""
    signed: bool
    """Whether inputs have either sign, as voltages of either sign."""
    mode: Literal["analogue", "bit-serial"]
    """One read with as many voltages as inputs have values, or one at full voltage for each binary digit."""
    read_voltage: float | None = None
    """Of the greatest input in V; that of the device file if None."""

    _checked = field_validator("bits")(_bits)

    @field_validator("read_voltage")
    @classmethod
    def _positive(cls, value: float | None) -> float | None:
        if value is not None and value <= 0:
            raise ValueError(f"{value:g} V: no current flows; must be positive")
        return value

    @property
    def planes(self) -> int:
        """Reads that one input takes: 1, or the binary digits of its size (the sign is that of the voltage)."""
        if self.mode == "analogue":
            return 1
        return max(self.bits - 1, 1) if self.signed else self.bits


class Converter(_Part):
    """The converters (ADC) at the foot of the columns."""

    bits: int
    columns: int
    """Outputs of a tile that share one converter, one after the other (fewer where a tile has fewer)."""
    range: Literal["full-scale", "calibrated"]
    """Whatever a tile can deliver, or a percentile of what it delivers on training data."""
    percentile: float
    """Of the absolute partial sums in per cent."""

    _checked = field_validator("bits")(_bits)

    @field_validator("columns")
    @classmethod
    def _some(cls, value: int) -> int:
        if value < 1:
            raise ValueError(f"{value} columns to a converter: at least 1")
        return value

    @field_validator("percentile")
    @classmethod
    def _some_range(cls, value: float) -> float:
        if not 0 < value <= 100:
            why = "the range of the converter would be zero; " if value == 0 else ""
            raise ValueError(f"{value:g}: {why}must be above 0 and at most 100 per cent")
        return value


class ReadNoise(_Part):
    """What makes one read differ from the next, and one device from another; see :mod:`.noise`."""

    thermal: bool
    shot: bool
    factor: float
    """Times the standard deviation of both."""
    spread: float
    """Relative standard deviation of a device's conductance."""
    temperature: float
    """In K."""

    @field_validator("factor", "spread", "temperature")
    @classmethod
    def _not_negative(cls, value: float) -> float:
        if value < 0:
            raise ValueError(f"{value:g}: must be zero or positive")
        return value


class Sense(_Part):
    """How a column current is sensed."""

    time: float
    """In s for which one read integrates it."""

    @field_validator("time")
    @classmethod
    def _some(cls, value: float) -> float:
        if value <= 0:
            raise ValueError(f"{value:g} s: nothing is sensed in no time, and noise is infinite; must be positive")
        return value


class Digital(_Part):
    """Logic and buffers beside the tiles."""

    node: float
    """Technology in m."""
    buffer: Bank
    """Size of the memory that holds activations."""
    weights: Literal["sram", "dram"]
    """Where the float32 baseline keeps its weights."""

    @field_validator("node")
    @classmethod
    def _in_metres(cls, value: float) -> float:
        if not 1e-9 <= value <= 1e-6:
            raise ValueError(f"{value:g} m: no CMOS node; must be 1e-9 to 1e-6 (in m)")
        return value


class GradientMemory(_Part):
    """The digital memory that learns: memory, gradient and states of the optimiser of every synapse."""

    bits: int
    """Of one word."""
    optimiser_states: int
    """Words of the optimiser for each synapse."""
    bank: Bank
    """Size of its SRAM banks."""

    _checked = field_validator("bits")(_bits)

    @field_validator("optimiser_states")
    @classmethod
    def _not_negative(cls, value: int) -> int:
        if value < 0:
            raise ValueError(f"{value}: must be zero or positive")
        return value

    @property
    def words(self) -> int:
        """Words of one synapse: memory, gradient, and states of the optimiser."""
        return 2 + self.optimiser_states


class Constant(_Part):
    """A constant with its source."""

    value: float
    unit: str
    source: str
    assumed: bool
    """Whether it is our (or the user's) assumption, not a published value."""

    @field_validator("value")
    @classmethod
    def _not_negative(cls, value: float) -> float:
        if value < 0:
            raise ValueError(f"{value:g}: a cost must be zero or positive")
        return value

    @field_validator("source")
    @classmethod
    def _said(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("empty: say where the value comes from")
        return value


class Constants(_Part):
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


class Chip(_Part):
    """A chip: tiles, converters, logic, and what they cost."""

    tile: Tile
    wires: WireResistance
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
