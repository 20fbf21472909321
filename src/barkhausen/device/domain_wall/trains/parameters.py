"""Parameters of a track whose wall is moved by identical current pulses, read from a TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from barkhausen.core.config import Parameters, Positive, apply_setting, read_toml, validated
from barkhausen.core.plausible import checked_as
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.device.domain_wall.protocol import Duration, common_step

NOT_OF_PULSES = ("protocol", "gate")
"""Tables of a device that is reset and programmed under a gate voltage; here no gate is used."""


class PulseTrain(Parameters):
    """Pulses up, then pulses down, each followed by a delay; SI units. All defaults are assumptions."""

    current_density: Annotated[Positive, checked_as("current density")] = 1e11
    """Current density in A/m² in the heavy metal of a pulse up; that of a pulse down is its negative."""
    width: Annotated[Positive, checked_as("pulse duration")] = 0.5e-9
    """Duration of the plateau in s."""
    edge_time: Duration = 0.0
    """Rise and fall times in s, in addition to the plateau."""
    delay: Annotated[Positive, checked_as("pulse duration")] = 2e-9
    """Time in s between the end of a pulse and the start of the next."""
    up: Annotated[int, Field(ge=2, le=1024)] = 30
    """Number of pulses up."""
    down: Annotated[int, Field(ge=2, le=1024)] = 30
    """Number of pulses down."""
    start: Annotated[Positive, checked_as("length")] | None = None
    """Position of the wall before the first pulse in m. Default: 20 nm to the right of the left end stop."""
    settle: Duration = 1e-9
    """Time in s before the first pulse."""
    records: Annotated[int, Field(ge=1, le=64)] = 8
    """Number of records of the position in each delay, evenly spaced; the last one is at its end."""

    @property
    def pulse_time(self) -> float:
        """Duration in s of a pulse with its flanks."""
        return self.width + 2 * self.edge_time

    @property
    def signs(self) -> list[int]:
        """Sign of each pulse in their order."""
        return [1] * self.up + [-1] * self.down

    def step(self, advised: float) -> float:
        """Longest time step in s that divides pulse, settling and the time between records, and is not above another.

        Args:
            advised: Largest step in s.
        """
        pieces = [self.pulse_time, self.delay / self.records, *([self.settle] if self.settle > 0 else [])]
        return common_step(pieces, advised)


class PulsedTrackParameters(DeviceParameters):
    """Track, shape, material, junction and train of pulses of one device."""

    train: PulseTrain = PulseTrain()

    @model_validator(mode="after")
    def _without_what_is_unused(self) -> PulsedTrackParameters:
        for name in NOT_OF_PULSES:
            if name in self.model_fields_set:
                raise ValueError(f"{name}: means nothing where identical pulses move the wall; the table is train")
        start, length = self.start, self.track.length
        if not 0 < start < length:
            raise ValueError(f"train.start = {start:g}: must lie on the track of {length:g} m")
        return self

    @model_serializer(mode="wrap")
    def _without_the_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        for name in self.gate.unused_of_track:
            values.get("track", {}).pop(name, None)
        gone = {*NOT_OF_PULSES, *(name for name in ("heat", "interfaces") if values.get(name) is None)}
        return {key: value for key, value in values.items() if key not in gone}

    @property
    def start(self) -> float:
        """Position of the wall before the first pulse in m."""
        given = self.train.start
        return self.shape.end_stops.length + 20e-9 if given is None else given

    @property
    def pulse_energy(self) -> float:
        """Joule heat in J of one pulse in the heavy metal; a linear flank counts a third of its duration."""
        train = self.train
        return self.track.joule_heat(train.current_density, train.width + 2 * train.edge_time / 3)

    def assumed(self) -> list[str]:
        """Assumptions, a line each: track, junction and train at defaults that are not published values."""
        gate = {*self.gate.unused_of_track, "piezoelectric_thickness", "piezoelectric_permittivity"}
        return [
            f"{part}.{name} = {value:g} (default)"
            for part, values in (("track", self.track), ("junction", self.junction), ("train", self.train))
            for name, value in values.model_dump().items()
            if name not in values.model_fields_set and name not in gate and value is not None
        ]


def load_pulsed_track(path: str | Path, settings: list[str] | tuple[str, ...] = ()) -> PulsedTrackParameters:
    """Read parameters from TOML; its tables are the fields of :class:`PulsedTrackParameters`.

    Args:
        path: TOML file.
        settings: Assignments ``key=value`` that replace values of the file, such as ``train.delay=1e-9``.

    Raises:
        InputError: The file cannot be read, or a key or value in it is wrong.
    """
    values = read_toml(path)
    for setting in settings:
        apply_setting(values, setting)
    return validated(PulsedTrackParameters, values, str(path), settings)
