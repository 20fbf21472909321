"""Parts of a chip around its synapses, each with its own checks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, field_validator, model_validator

from barkhausen.core.config import Parameters, name_in
from barkhausen.core.plausible import checked_as
from barkhausen.synapse.crossbar.schemes import SCHEMES, ReadScheme

Bank = Literal["8KB", "32KB", "1MB"]
MOST_BITS = 32
MOST_SWING = 10.0


class Part(Parameters):
    model_config = ConfigDict(allow_inf_nan=False)


class Tile(Part):
    """Size of one crossbar, and the scheme by which it represents signed weights."""

    rows: int
    """Number of inputs of one tile."""
    columns: int
    """Number of physical columns, including those of references and of the second devices of pairs."""
    scheme: Annotated[str, name_in(SCHEMES)]
    """How positive conductances represent weights of both signs (:mod:`.schemes`)."""

    @model_validator(mode="after")
    def _holds_a_weight(self) -> Tile:
        if self.rows < 1 or self.columns < self.way.least_columns:
            raise ValueError(f"a tile of {self.rows} x {self.columns} is smaller than one pair: {self.way.smallest}")
        return self

    @property
    def way(self) -> ReadScheme:
        """The scheme itself."""
        return SCHEMES.named(self.scheme)

    @property
    def outputs(self) -> int:
        """Largest number of outputs of one tile."""
        return self.way.outputs(self.columns)

    @property
    def devices_per_weight(self) -> int:
        """Number of devices that hold one weight, not counting a shared reference."""
        return self.way.devices_per_weight

    def blocks(self, outputs: int, inputs: int) -> tuple[int, int]:
        """Numbers of tiles along the inputs and along the outputs of a weight matrix."""
        return -(-inputs // self.rows), -(-outputs // self.outputs)


class WireResistance(Part):
    """Resistance in ohm of one wire segment, from one crossing to the next."""

    word_line: float
    """Along a row."""
    bit_line: float
    """Along a column."""

    @field_validator("*")
    @classmethod
    def _not_negative(cls, value: float) -> float:
        if value < 0:
            raise ValueError(f"the resistance of a wire must be zero or positive, got {value:g} ohm")
        return value


def _bits(value: int) -> int:
    if not 1 <= value <= MOST_BITS:
        raise ValueError(f"must be 1 to {MOST_BITS} bits, got {value}")
    return value


class Junction(Part):
    """The tunnel junctions that the crossbar reads."""

    resistance_area: Annotated[float, checked_as("resistance-area product")] | Literal["device"]
    """Resistance-area product of the parallel state in ohm m², or ``"device"``: that of the device file."""

    @field_validator("resistance_area")
    @classmethod
    def _some(cls, value: float | str) -> float | str:
        if not isinstance(value, str) and value <= 0:
            raise ValueError(f"must be positive or 'device', got {value:g} ohm m2")
        return value


class Inputs(Part):
    """How inputs become voltages on rows."""

    bits: int
    """Number of bits of an input, including its sign."""
    signed: bool
    """Whether inputs can be negative, as negative voltages."""
    mode: Literal["analogue", "bit-serial"]
    """``analogue``: one read, with as many voltages as inputs have values. ``bit-serial``: one read at full voltage for
    each binary digit."""
    read_voltage: Annotated[float, checked_as("read voltage")] | None = None
    """Voltage in V of the largest input. Default: that of the device file."""

    _checked = field_validator("bits")(_bits)

    @field_validator("read_voltage")
    @classmethod
    def _positive(cls, value: float | None) -> float | None:
        if value is not None and value <= 0:
            raise ValueError(f"must be positive, got {value:g} V")
        return value

    @property
    def planes(self) -> int:
        """Number of reads for one input: 1, or the number of binary digits of its magnitude (the sign is that of the
        voltage)."""
        if self.mode == "analogue":
            return 1
        return max(self.bits - 1, 1) if self.signed else self.bits


class Converter(Part):
    """The analogue-to-digital converters (ADC) at the ends of the columns."""

    bits: int
    columns: int
    """Number of outputs of a tile that share one converter, one after the other (fewer where a tile has fewer)."""
    range: Literal["full-scale", "calibrated"]
    """``full-scale``: the largest possible output of a tile. ``calibrated``: a percentile of its outputs on training
    data."""
    percentile: float
    """Percentile of the absolute partial sums, in per cent."""

    _checked = field_validator("bits")(_bits)

    @field_validator("columns")
    @classmethod
    def _some(cls, value: int) -> int:
        if value < 1:
            raise ValueError(f"must be 1 column per converter or more, got {value}")
        return value

    @field_validator("percentile")
    @classmethod
    def _some_range(cls, value: float) -> float:
        if not 0 < value <= 100:
            raise ValueError(f"must be above 0 and at most 100 per cent, got {value:g}")
        return value


class ReadNoise(Part):
    """Noise of reads and spread of conductances; see :mod:`.noise`."""

    thermal: bool
    shot: bool
    factor: float
    """Factor on the standard deviations of both."""
    spread: float
    """Relative standard deviation of a device's conductance."""
    temperature: Annotated[float, checked_as("temperature")]
    """Temperature in K."""

    @field_validator("factor", "spread", "temperature")
    @classmethod
    def _not_negative(cls, value: float) -> float:
        if value < 0:
            raise ValueError(f"must be zero or positive, got {value:g}")
        return value


class Sense(Part):
    """Sensing of column currents."""

    time: Annotated[float, checked_as("read time")]
    """Integration time of one read in s."""

    @field_validator("time")
    @classmethod
    def _some(cls, value: float) -> float:
        if value <= 0:
            raise ValueError(f"must be positive, got {value:g} s")
        return value


class Digital(Part):
    """Logic and buffers beside the tiles."""

    node: float
    """CMOS node in m."""
    constants_node: float = 45e-9
    """CMOS node in m of the constants of logic and SRAM, from which they are scaled to ``node``."""
    buffer: Bank
    """Size of the SRAM banks that hold activations."""
    weights: Literal["sram", "dram"]
    """Memory in which the float32 baseline keeps its weights."""

    @field_validator("node", "constants_node")
    @classmethod
    def _in_metres(cls, value: float) -> float:
        if not 1e-9 <= value <= 1e-6:
            raise ValueError(f"a CMOS node must be 1e-9 to 1e-6 m, got {value:g} m")
        return value


class GradientMemory(Part):
    """Digital memory for training: latent weight and optimiser states of every synapse."""

    bits: int
    """Number of bits of one word."""
    optimiser_states: int
    """Number of optimiser words for each synapse."""
    bank: Bank
    """Size of its SRAM banks."""

    _checked = field_validator("bits")(_bits)

    @field_validator("optimiser_states")
    @classmethod
    def _not_negative(cls, value: int) -> int:
        if value < 0:
            raise ValueError(f"must be zero or positive, got {value}")
        return value


class GradientUnit(Part):
    """The digital unit that multiplies errors by inputs, and sums the products of a batch in its registers."""

    lanes: int
    """Number of synapses along a row or a column that share one operand read from the memory."""
    bank: Bank
    """Size of the SRAM banks that hold inputs and errors of a batch."""

    @field_validator("lanes")
    @classmethod
    def _some(cls, value: int) -> int:
        if value < 1:
            raise ValueError(f"must be 1 or more, got {value}")
        return value


class Verify(Part):
    """The circuit that compares a device with its margin after a programming attempt."""

    converter: Literal["comparator", "adc"]
    """``comparator``: two decisions; ``adc``: one conversion."""
    swing: float
    """Voltage in V between the two ends of the range of a device at the comparator, after integration."""

    @field_validator("swing")
    @classmethod
    def _some(cls, value: float) -> float:
        if not 0 < value <= MOST_SWING:
            raise ValueError(f"must be above 0 and at most {MOST_SWING:g} V, got {value:g} V")
        return value


class Accumulators(Part):
    """Capacitors on which a crossbar sums the gradient of a batch, where it does."""

    voltage: float
    """Voltage in V of the largest sum, and of the pulses."""

    @field_validator("voltage")
    @classmethod
    def _some(cls, value: float) -> float:
        if not 0 < value <= MOST_SWING:
            raise ValueError(f"must be above 0 and at most {MOST_SWING:g} V, got {value:g} V")
        return value


class Constant(Part):
    """A constant with its source."""

    value: float
    unit: str
    source: str
    assumed: bool
    """Whether the value is our (or the user's) assumption rather than a published value."""

    @field_validator("value")
    @classmethod
    def _not_negative(cls, value: float) -> float:
        if value < 0:
            raise ValueError(f"a cost must be zero or positive, got {value:g}")
        return value

    @field_validator("source")
    @classmethod
    def _said(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must not be empty: give the source of the value")
        return value
