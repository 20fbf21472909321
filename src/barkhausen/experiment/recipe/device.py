"""Table ``[device]`` of a recipe."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import (
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from barkhausen.core.config import (
    Count,
    Fraction,
    NotNegative,
    Positive,
    StrictParameters,
)
from barkhausen.device.pulses.cell import PulsedCell
from barkhausen.experiment.optimisation.settings import (
    MarginScheduleRecipe,
)

Preset = Literal["racetrack", "notched", "nonvolatile", "skyrmion", "gaussian"]


class DeviceRecipe(StrictParameters):
    """Device of the synapses (a shipped device, a textbook Gaussian or a device file), and how it is programmed."""

    preset: Preset = "nonvolatile"
    """Family of the shipped device with the recipe's number of states; ``gaussian`` is implied by ``sigma``."""
    sigma: NotNegative | None = None
    """Total spread of a Gaussian device on weights in [−1, 1]; 0.15 unless given."""
    file: str | None = None
    """Device file to use instead of the preset."""
    pulsed: str | None = None
    """Device moved by pulses, for rules that need one: the name of a shipped or textbook device (``linear-N``,
    ``soft-bounds-N``, ``exponential-NU``). Default: ``soft-bounds-64``."""
    pulse_energy: Positive | None = None
    """Energy in J of one pulse of a device moved by pulses that states none, such as a textbook or a measured one.
    Default: pulses are counted as free."""
    pulse_spread: Fraction = 0.0
    """Spread of the steps between devices moved by pulses, relative to the mean step. Default: that of the device."""
    cell: PulsedCell = PulsedCell()
    """Devices moved by pulses of one synapse: ``single``, ``pair``, ``one-sided`` or ``places``."""
    margin: NotNegative | None = None
    """Noise tolerance margin in weight units. Default: that of the learning rule for the device."""
    max_attempts: Count = 1
    """Largest number of write-verify attempts of each programming event."""
    count_writes: bool = False
    """Keep how often every single device was written (4 bytes each), for ``endurance`` in the summary."""
    verify_noise: NotNegative = 0.0
    """Standard deviation of a verify read in weight units; 0.033 for the comparator of the default chip."""
    margin_schedule: MarginScheduleRecipe | None = None
    """Factor on the margin over the training, of rules that program while training. Default: a factor of 1."""

    @field_validator("preset", mode="before")
    @classmethod
    def _is_a_family(cls, given: Any) -> Any:
        family, _, states = given.rpartition("-") if isinstance(given, str) else ("", "", "")
        if family in get_args(Preset) and states.isdecimal():
            context = {"family": family, "states": states}
            raise PydanticCustomError("preset_with_states", "take preset = '{family}' with states = {states}", context)
        return given

    @model_validator(mode="before")
    @classmethod
    def _sigma_means_gaussian(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        if values.get("file") is not None:
            # A preset beside a file is ignored, but a wrong one is still reported.
            return {key: value for key, value in values.items() if key != "preset" or value not in get_args(Preset)}
        if "sigma" in values and "preset" not in values:
            return {**values, "preset": "gaussian"}
        if values.get("preset") == "gaussian" and "sigma" not in values:
            return {**values, "sigma": 0.15}
        return values

    @model_validator(mode="after")
    def _sigma_is_of_the_gaussian_preset(self) -> DeviceRecipe:
        if self.sigma is not None and self.file is not None:
            raise ValueError("sigma belongs to the gaussian preset; with a device file, leave it out")
        if self.sigma is not None and self.preset != "gaussian":
            raise ValueError(
                f"sigma belongs to the gaussian preset, not to {self.preset}; write preset = 'gaussian', or leave one "
                "of the two out"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_unused_preset(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        if self.file is not None:
            # Written out beside the file, they would make the resolved recipe contradict itself.
            values = {key: value for key, value in values.items() if key not in ("preset", "sigma")}
        # Resolved recipes of runs that were made before the key existed stay the same text.
        unused = ("verify_noise", "margin_schedule", "pulsed", "pulse_energy", "pulse_spread")
        if self.cell == PulsedCell():
            values.pop("cell", None)
        return {key: value for key, value in values.items() if key not in unused or value}
