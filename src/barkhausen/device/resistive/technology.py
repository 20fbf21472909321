"""Registry entry of resistive memories: the state coordinate is the conductance itself, and devices are measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float

from barkhausen.core.config import NotNegative, Parameters, Positive
from barkhausen.core.plausible import checked_as
from barkhausen.device.characterised import CharacterisedDevice, Source
from barkhausen.device.coordinate import ReadOut, StateCoordinate
from barkhausen.device.technology import (
    TECHNOLOGIES,
    Imported,
    MeasuredValue,
    Technology,
    check_conductances,
    conductances,
)

NAME = "resistive"
COORDINATE = StateCoordinate("conductance", "S", "conductance of the device")
CAUSES = {"write": "write pulses", "read": "verify read"}

Array = Float[np.ndarray, " state"]


class Write(Parameters):
    """The write pulses of one attempt."""

    energy: Annotated[NotNegative, checked_as("write energy")] = 1e-12
    """Energy of one attempt in J, the same for every state."""


class Read(Parameters):
    """The verify read."""

    voltage: Annotated[Positive, checked_as("read voltage")] = 0.1
    """Read voltage in V."""
    time: Annotated[Positive, checked_as("read time")] = 10e-9
    """Duration of a read in s."""


class ResistiveParameters(Parameters):
    """Parameters of writing and reading a resistive memory."""

    write: Write = Write()
    read: Read = Read()
    conductance_low: Annotated[NotNegative, checked_as("conductance")] = 0.0
    """Smallest conductance that a device can have, in S."""
    conductance_high: Annotated[Positive, checked_as("conductance")] = 1e-4
    """Greatest conductance that a device can have, in S."""

    def assumed(self) -> list[str]:
        """One line for each parameter left at a default that is our assumption."""
        lines = [
            f"{part}.{name} = {value:g} (default)"
            for part, values in (("write", self.write), ("read", self.read))
            for name, value in values.model_dump().items()
            if name not in values.model_fields_set
        ]
        return lines + [
            f"{name} = {getattr(self, name):g} S (default)"
            for name in ("conductance_low", "conductance_high")
            if name not in self.model_fields_set
        ]


def state_range(parameters: ResistiveParameters) -> tuple[float, float]:
    """Smallest and greatest conductance in S."""
    return parameters.conductance_low, parameters.conductance_high


def resistive_device(
    conductances: Float[np.ndarray, "state device cycle"],
    parameters: ResistiveParameters,
    *,
    source: Source,
    assumed: Sequence[str] = (),
    moments: tuple[Array, Array, Array] | None = None,
    conductance_range: tuple[float, float] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> CharacterisedDevice:
    """Make a device from conductances in S. The energy of a read is V² G t.

    Args:
        conductances: Conductances in S, NaN where a cycle is missing; states in order of their means.
        parameters: Parameters of writing and reading.
        source: Origin of the conductances.
        assumed: Assumptions, a line each.
        moments: Declared mean, device sigma and cycle sigma of each state in S.
        conductance_range: Smallest and greatest conductance in S. Default: those of the parameters.
        attributes: Further metadata, stored as JSON.

    Raises:
        InputError: A value is impossible for a device.
    """
    mean = np.nanmean(conductances, axis=(1, 2)) if moments is None else moments[0]
    read = parameters.read
    return CharacterisedDevice.from_states(
        conductances,
        technology=NAME,
        coordinate=COORDINATE,
        state_range=conductance_range or state_range(parameters),
        source=source,
        read_out=ReadOut(read.voltage, read.time),
        energies={
            "write": np.full(len(conductances), parameters.write.energy),
            "read": read.voltage**2 * read.time * mean,
        },
        causes=CAUSES,
        moments=moments,
        parameters=parameters,
        assumed=assumed,
        attributes=attributes,
    )


def imported(
    column: str,
    measured: Sequence[MeasuredValue],
    parameters: ResistiveParameters,
    conductance_range: tuple[float, float] | None,
    path: str,
) -> Imported:
    """Conductances, or resistances turned into conductances.

    If neither the parameters nor ``conductance_range`` give a range, it is that of the measured conductances.

    Raises:
        InputError: A resistance that is not positive, or a conductance outside the range.
    """
    values = conductances(column, measured)
    assumed = parameters.assumed()
    if conductance_range is None:
        if {"conductance_low", "conductance_high"} & parameters.model_fields_set:
            conductance_range = state_range(parameters)
        else:
            conductance_range = min(values), max(values)
            assumed = [line for line in assumed if not line.startswith("conductance_")]
            assumed.insert(0, "{:g} S and {:g} S, the extremes of the data, are the range".format(*conductance_range))
    check_conductances(measured, values, conductance_range, path)
    return Imported(values, assumed, {"conductance_range": conductance_range})


RESISTIVE = TECHNOLOGIES.register(
    NAME,
    Technology(
        name=NAME,
        label="resistive memory",
        coordinate=COORDINATE,
        parameters=ResistiveParameters,
        causes=CAUSES,
        labelled=resistive_device,
        state_range=state_range,
        assumed=ResistiveParameters.assumed,
        columns=("conductance_s", "resistance_ohm"),
        imported=imported,
    ),
)
