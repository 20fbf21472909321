"""The recipe of a forecast: method, series, read-out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from barkhausen.core.config import Count, NotNegative, Parameters, Threads, name_in, own_options, validated
from barkhausen.data.registry import DATASETS
from barkhausen.experiment.reservoir.methods import METHODS


class SeriesTable(Parameters):
    """The series, and which of its values train, validate and test.

    The first ``lead`` values only drive; then follow those of training, validation and test.
    """

    name: Annotated[str, name_in(DATASETS)] = "mackey-glass"
    """Data set; a series."""
    skip: Annotated[int, Field(ge=0)] = 0
    """Values at the start of the series that are left out."""
    lead: Count = 120
    """Values before those of training."""
    training: Annotated[int, Field(ge=20)] = 1000
    validation: Annotated[int, Field(ge=2)] = 500
    test: Annotated[int, Field(ge=2)] = 1250
    """Numbers of values."""
    mode: Literal["autonomous", "direct"] = "autonomous"
    """``autonomous``: each output is the next input; ``direct``: all values ahead are outputs of one step."""
    steps: Count = 500
    """Values that are forecast."""
    origins: Count = 16
    """Forecasts of the test part, in autonomous mode; in direct mode there is one for each value."""
    validation_steps: Count = 250
    validation_origins: Count = 2
    """The same for the choice of penalty and number of steps, in autonomous mode."""
    period: Count = 24
    """Period of the seasonal naive forecast."""

    @model_validator(mode="after")
    def _fits(self) -> SeriesTable:
        ahead = self.validation_steps if self.mode == "autonomous" else self.steps
        for name, part, steps in (("validation", self.validation, ahead), ("test", self.test, self.steps)):
            if part < steps:
                raise ValueError(f"{name} = {part}: must hold the {steps} values of a forecast or more")
        if self.mode == "direct" and self.training <= self.steps:
            raise ValueError(f"training = {self.training}: must be more than the {self.steps} values of a forecast")
        return self

    @property
    def values(self) -> int:
        """Number of values of all parts."""
        return self.lead + self.training + self.validation + self.test


class ReadOutTable(Parameters):
    """The read-out of a reservoir."""

    rule: Literal["ridge", "recursive"] = "ridge"
    """Ridge regression, or recursive least squares with one pass over the training values."""
    taps: Annotated[tuple[Count, ...], Field(min_length=1)] = (20,)
    """Numbers of the last steps whose states are read; validation chooses."""
    inputs: bool = False
    """Whether the inputs of these steps are read beside the states."""
    penalties: Annotated[tuple[NotNegative, ...], Field(min_length=1)] = (1e-8, 1e-6, 1e-4, 1e-2)
    """Relative penalties of the weights; validation chooses."""
    forgetting: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Weight of a sample relative to the next, of recursive least squares."""
    washout: Count = 20
    """Steps before states count."""
    segments: Count = 16
    """Parts of the training values that run side by side."""


class CapacityTable(Parameters):
    """Capacities beside the forecast."""

    bits: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Random bits after the washout; 0: no capacities."""
    delays: Count = 10
    """Largest delay."""


class EnergyTable(Parameters):
    """Accounting of the energy of a forecast."""

    bits: Literal[8, 32] = 32
    """Bits of weights and activations in digital logic."""
    recovered: bool = False
    """Whether the charge of the gate is recovered: C V²/2 in place of C V²."""


class ForecastRecipe(Parameters):
    """One forecast: a method on a series."""

    method: Annotated[str, name_in(METHODS)] = "macrospin"
    """Reservoir, network or naive forecast."""
    options: SerializeAsAny[Parameters] = Field(default={}, validate_default=True)
    """Options of the method."""
    series: SeriesTable = SeriesTable()
    read_out: ReadOutTable = ReadOutTable()
    capacity: CapacityTable = CapacityTable()
    energy: EnergyTable = EnergyTable()
    one_step: Annotated[int, Field(ge=0)] = 0
    """Values of the test part whose forecast by one step is scored too; 0: none."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    threads: Threads = 1

    @model_validator(mode="before")
    @classmethod
    def _own_options(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        method = METHODS.find(values.get("method", "macrospin"))
        if method is None:
            return values
        given = values.get("options", {})
        if isinstance(given, dict):
            # Its errors name their own keys.
            given = validated(method.options, given, "options")
        return values | {"options": own_options(method.options, given)}

    @field_validator("options", mode="plain")
    @classmethod
    def _as_they_are(cls, value: Any) -> Any:
        return value

    @model_validator(mode="after")
    def _lead_is_enough(self) -> ForecastRecipe:
        needed = self.read_out.washout + max(self.read_out.taps)
        if METHODS[self.method].driven and self.series.lead < needed:
            raise ValueError(
                f"series.lead = {self.series.lead}: must be at least read_out.washout + read_out.taps = {needed}"
            )
        return self
