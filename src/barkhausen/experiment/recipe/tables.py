"""Short tables of a recipe: faults, decay, transfer, account of energy."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    field_validator,
    model_validator,
)

from barkhausen.core.config import (
    Count,
    Positive,
    StrictParameters,
)
from barkhausen.core.errors import InputError
from barkhausen.synapse import Decay
from barkhausen.synapse.crossbar.chip import USUAL_NODE, checked_node


class FaultsRecipe(StrictParameters):
    """Faults of the devices (:class:`barkhausen.synapse.Faults`)."""

    stuck: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of devices that never change."""
    stuck_at: Annotated[int, Field(ge=0)] | Literal["random"] = "random"
    """State in which they rest."""
    annihilated_walls: Annotated[float, Field(ge=0, le=1)] | Literal["device"] = 0.0
    """Probability that a programming attempt loses the wall; ``device``: the failure rates of the device file."""


class DecayRecipe(StrictParameters):
    """Time that passes at every training step, in which devices lose their states by themselves."""

    step_time: Positive | None = None
    """Duration of a training step in s. Default: devices keep their states while the network trains."""
    temperature: Positive | None = None
    """Temperature in K. Default: that of the device's characterisation."""

    @model_validator(mode="after")
    def _temperature_needs_a_time(self) -> DecayRecipe:
        if self.temperature is not None and self.step_time is None:
            raise ValueError("temperature has no effect without step_time, the duration of a training step in s")
        return self

    def during_steps(self) -> Decay | None:
        """Decay at every training step; None where there is none."""
        return None if self.step_time is None else Decay(self.step_time, self.temperature)


class TransferRecipe(StrictParameters):
    """Programming of fresh chips after training."""

    chips: Count = 10
    max_attempts: Count = 5
    """Largest number of write-verify attempts when a chip is programmed."""


class EnergyRecipe(StrictParameters):
    """Chip of the account of the whole energy; it changes nothing else of a run."""

    node: str = USUAL_NODE
    """CMOS node of logic and SRAM in nm, by name: 45, 32, 22, 7 or 7-scaled."""

    @field_validator("node", mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("node")
    @classmethod
    def _with_constants(cls, value: str) -> str:
        try:
            return checked_node(value)
        except InputError as error:
            raise ValueError(str(error).partition(": ")[2]) from None
