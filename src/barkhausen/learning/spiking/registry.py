"""Cells and encoders by name, with the options that a recipe may give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from barkhausen.core.config import NoOptions, NotNegative, Parameters, Positive, StrictParameters
from barkhausen.core.registry import Registry
from barkhausen.device.neuron.schema import KIND
from barkhausen.device.of_kind import checked_digest, file_of_kind
from barkhausen.learning.spiking.cell import Cell, Reset
from barkhausen.learning.spiking.device import device_cell
from barkhausen.learning.spiking.encoders import ConstantCurrent, Encoder, Latency, Poisson
from barkhausen.learning.spiking.leaky import LeakyCell
from barkhausen.learning.spiking.surrogate import Shape, Surrogate
from barkhausen.learning.spiking.wall import WallCell, WallLaw


class CellOptions(StrictParameters):
    """Keys of ``cell_options`` that all cells have."""

    reset: Reset = "zero"
    """``zero``, ``subtract``, ``none`` or ``ignore``, as of :class:`.Cell`."""
    spread: NotNegative = 0.0
    """Relative standard deviation of each change of the state."""
    gradient_through_reset: bool = True
    """Whether the surrogate gradient also counts the spike that resets the state."""
    surrogate: Shape = "superspike"
    """Shape of the surrogate gradient."""
    slope: Positive = 100.0
    """Its slope, in the inverse unit of the state."""
    amplitude: Positive = 1.0
    """Its value at the threshold."""

    @property
    def common(self) -> dict[str, Any]:
        """Arguments of :class:`.Cell`."""
        return {
            "reset": self.reset,
            "spread": self.spread,
            "gradient_through_reset": self.gradient_through_reset,
            "surrogate": Surrogate(self.surrogate, self.slope, self.amplitude),
        }


class LeakyOptions(CellOptions):
    """Keys of a leaky cell."""

    gain: Positive = 0.1
    """Change of the potential for a unit of current."""
    leak: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Part of the potential that is lost in a step."""
    decay: Annotated[float, Field(ge=0, lt=1)] = 0.8
    """Factor of the synaptic current for one step."""


class IntegrateOptions(CellOptions):
    """Keys of an integrating cell."""

    gain: Positive = 0.1
    """Change of the potential for a unit of current."""
    decay: Annotated[float, Field(ge=0, lt=1)] = 0.8
    """Factor of the synaptic current for one step."""


class WallOptions(CellOptions):
    """Keys of a domain-wall cell; lengths, times and currents in SI units, as of :class:`.WallLaw`."""

    normalised: bool = False
    """Whether the surrogate gradient is one of the place in units of the threshold; otherwise in metres."""
    narrow: Positive = 25e-9
    """Width of the track where a wall starts, in m."""
    wide: Positive = 105e-9
    """Width of the track at the threshold, in m."""
    threshold: Positive = 200e-9
    """Place at which the neuron fires, in m."""
    current: Positive = 50e-6
    """Current for an input of 1, in A."""
    damping: Positive = 0.05
    """Gilbert damping."""


class DeviceCellOptions(CellOptions):
    """Keys of a cell of a neuron file."""

    device: str
    """Shipped device of kind ``neuron``, or a device file."""
    device_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(default=None, validate_default=True)
    """Digest of the device file; another file is refused. Default: that of the file at the start."""
    unit: Positive | None = None
    """Drive of an input of 1. Default: the largest drive of the device."""
    decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Factor of the synaptic current for one step; 0 for no synapse. Neurons without memory have none."""
    slope: Positive = 10.0
    """Slope of the surrogate gradient of the state in units of the threshold."""

    @field_validator("device")
    @classmethod
    def _can_be_found(cls, given: str) -> str:
        file_of_kind(given, KIND)
        return given

    @field_validator("device_sha256")
    @classmethod
    def _of_this_file(cls, given: str | None, info: ValidationInfo) -> str | None:
        name = info.data.get("device")
        if name is None:
            return given
        return checked_digest(name, file_of_kind(name, KIND), given)


@dataclass(frozen=True)
class CellKind:
    """A kind of cell.

    Attributes:
        name: Value of ``cell`` in a recipe.
        label: Name on pages.
        build: Function from options, seed of the noise and truncation to a cell.
        options: Model of ``cell_options``.
    """

    name: str
    label: str
    build: Callable[[Any, int, int], Cell]
    options: type[Parameters] = CellOptions


@dataclass(frozen=True)
class EncoderKind:
    """A kind of encoder.

    Attributes:
        name: Value of ``encoder`` in a recipe.
        label: Name on pages.
        build: Function from options, number of steps and seed to an encoder.
        options: Model of ``encoder_options``.
    """

    name: str
    label: str
    build: Callable[[Any, int, int], Encoder]
    options: type[Parameters] = NoOptions


CELLS: Registry[CellKind] = Registry("cell", "network.options.cell")
"""Kinds of cell."""
ENCODERS: Registry[EncoderKind] = Registry("encoder", "network.options.encoder")
"""Kinds of encoder."""


def _leaky(options: LeakyOptions, seed: int, truncation: int) -> Cell:
    return LeakyCell(options.gain, options.leak, options.decay, seed=seed, truncation=truncation, **options.common)


def _integrate(options: IntegrateOptions, seed: int, truncation: int) -> Cell:
    return LeakyCell(options.gain, 0.0, options.decay, seed=seed, truncation=truncation, **options.common)


def _wall(options: WallOptions, seed: int, truncation: int) -> Cell:
    wall = WallLaw(
        narrow=options.narrow,
        wide=options.wide,
        threshold=options.threshold,
        current=options.current,
        damping=options.damping,
    )
    return WallCell(wall, normalised=options.normalised, seed=seed, truncation=truncation, **options.common)


def _device(options: DeviceCellOptions, seed: int, truncation: int) -> Cell:
    common = {key: value for key, value in options.common.items() if key != "spread"}
    return device_cell(options.device, options.unit, seed=seed, truncation=truncation, decay=options.decay, **common)


CELLS.register("lif", CellKind("lif", "LIF", _leaky, LeakyOptions))
CELLS.register("if", CellKind("if", "IF", _integrate, IntegrateOptions))
CELLS.register("domain-wall", CellKind("domain-wall", "domain-wall neuron", _wall, WallOptions))


CELLS.register("device", CellKind("device", "neuron device", _device, DeviceCellOptions))


class ConstantOptions(StrictParameters):
    """Keys of a constant-current encoder."""

    gain: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Part of the way to the current that the potential goes in a step."""


class PoissonOptions(StrictParameters):
    """Keys of a Poisson encoder."""

    rate: Positive = 100.0
    """Rate of the number 1 in Hz."""
    step: Positive = 1e-3
    """Time step in s."""


class LatencyOptions(StrictParameters):
    """Keys of a latency encoder."""

    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.01
    """Numbers up to it never spike."""
    time_constant: Positive | None = None
    """Time constant in steps. Default: times are linear in the number."""


ENCODERS.register(
    "constant-current",
    EncoderKind(
        "constant-current",
        "constant current",
        lambda options, steps, seed: ConstantCurrent(steps, options.gain),
        ConstantOptions,
    ),
)
ENCODERS.register(
    "poisson",
    EncoderKind(
        "poisson",
        "Poisson",
        lambda options, steps, seed: Poisson(steps, options.rate, options.step, seed),
        PoissonOptions,
    ),
)
ENCODERS.register(
    "latency",
    EncoderKind(
        "latency",
        "latency",
        lambda options, steps, seed: Latency(steps, options.threshold, options.time_constant),
        LatencyOptions,
    ),
)
