"""The parts of a chip around its synapses, each checked by itself."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, field_validator, model_validator

from barkhausen.core.config import Parameters

Bank = Literal["8KB", "32KB", "1MB"]
MOST_BITS = 32


class Part(Parameters):
    model_config = ConfigDict(allow_inf_nan=False)


class Tile(Part):
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


class WireResistance(Part):
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


class Junction(Part):
    """The tunnel junctions that the crossbar reads."""

    resistance_area: float | Literal["device"]
    """Resistance-area product of the parallel state in ohm m², or ``"device"``: that of the device file."""

    @field_validator("resistance_area")
    @classmethod
    def _some(cls, value: float | str) -> float | str:
        if not isinstance(value, str) and value <= 0:
            raise ValueError(f"{value:g} ohm m2: a junction has some resistance; must be positive, or 'device'")
        return value


class Inputs(Part):
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


class Converter(Part):
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


class ReadNoise(Part):
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


class Sense(Part):
    """How a column current is sensed."""

    time: float
    """In s for which one read integrates it."""

    @field_validator("time")
    @classmethod
    def _some(cls, value: float) -> float:
        if value <= 0:
            raise ValueError(f"{value:g} s: nothing is sensed in no time, and noise is infinite; must be positive")
        return value


class Digital(Part):
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


class GradientMemory(Part):
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


class Constant(Part):
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
