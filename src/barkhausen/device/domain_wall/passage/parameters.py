"""Parameters of attempts to drive a wall past a notch, read from a TOML file with ``kind = "probability"``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from barkhausen.core.config import NotNegative, Parameters, Positive
from barkhausen.core.plausible import checked_as
from barkhausen.device.domain_wall.parameters import DeviceParameters, check_drives, parameters_of_kind
from barkhausen.device.domain_wall.protocol import Duration

DRIVES = {
    "current": ("current density", "A/m2", "current density of the pulse in the heavy metal"),
    "field": ("field", "T", "amplitude of the pulse of the perpendicular field"),
}
"""Name, SI unit and description of each drive."""


class Passage(Parameters):
    """One attempt: the wall waits before the notch, a pulse drives it, it relaxes and is read. SI units.

    All defaults are assumptions. The wall is brought back by a reset pulse of a fixed current density before each
    attempt; that pulse is counted in the energy and not simulated.
    """

    drive: Literal["current", "field"] = "current"
    """What is swept: the current density in the heavy metal, or a perpendicular field."""
    values: Annotated[tuple[Positive, ...], Field(min_length=4, max_length=256)]
    """Amplitudes of the drive in A/m² or T."""
    width: Annotated[Positive, checked_as("pulse duration")] = 2e-9
    """Duration of the plateau in s."""
    edge_time: Duration = 0.1e-9
    """Rise and fall times in s, in addition to the plateau."""
    settle: Duration = 0.2e-9
    """Time in s before the pulse, in which the wall relaxes to its shape."""
    relaxation: Duration = 1e-9
    """Time in s from the end of the pulse to the read."""
    start: Annotated[Positive, checked_as("length")]
    """Position of the wall before the attempt in m."""
    line: Annotated[Positive, checked_as("length")]
    """Position in m beyond which the wall has passed."""
    reset_current_density: Annotated[NotNegative, checked_as("current density")] = 4e11
    """Current density in A/m² of the reset pulse, which lasts as long as the pulse."""

    @property
    def duration(self) -> float:
        """Duration of an attempt in s."""
        return self.settle + self.width + 2 * self.edge_time + self.relaxation


class PassageParameters(DeviceParameters):
    """Track with a notch, material, junction, and the attempts."""

    passage: Passage

    @model_validator(mode="after")
    def _on_the_track(self) -> PassageParameters:
        passage, length = self.passage, self.track.length
        if not 0 < passage.start < passage.line < length:
            raise ValueError(
                f"passage.start = {passage.start:g} and passage.line = {passage.line:g}: must follow each other on the "
                f"track of {length:g} m"
            )
        kind = "current density" if passage.drive == "current" else "field"
        check_drives(passage.values, kind, "passage.values")
        for name in ("protocol", "gate"):
            if name in self.model_fields_set:
                raise ValueError(f"{name}: has no meaning with kind = 'probability'; a wall passes a notch without it")
        return self


def parameters_from(values: dict[str, Any], settings: Sequence[str], origin: str) -> PassageParameters:
    """Parameters from the values of a parameter file, which assignments ``key=value`` change in place.

    Raises:
        InputError: A key or value is wrong.
    """
    return parameters_of_kind(PassageParameters, values, settings, origin)
