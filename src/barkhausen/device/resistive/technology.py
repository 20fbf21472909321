"""Registry entry of resistive memories: the state coordinate is the conductance itself, and devices are measured or
declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float
from pydantic import Field, model_validator

from barkhausen.core.config import NotNegative, Parameters, Positive
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import checked_as
from barkhausen.device.characterised import CharacterisedDevice, Source
from barkhausen.device.coordinate import ReadOut, StateCoordinate
from barkhausen.device.resistive import declared
from barkhausen.device.resistive.declared import DeclaredState, Sample
from barkhausen.device.schema import MAXIMAL_STATES
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
    """Parameters of writing and reading a resistive memory, and its states where they are declared."""

    write: Write = Write()
    read: Read = Read()
    conductance_low: Annotated[NotNegative, checked_as("conductance")] = 0.0
    """Smallest conductance that a device can have, in S."""
    conductance_high: Annotated[Positive, checked_as("conductance")] = 1e-4
    """Greatest conductance that a device can have, in S. Default for declared states: one that no draw reaches."""
    state: Annotated[list[DeclaredState], Field(max_length=MAXIMAL_STATES)] = Field(default=[])
    """States with lognormal resistances, in any order, of a device that is declared; none for one that is measured."""
    spread: Annotated[float, Field(ge=0, le=100)] = 1.0
    """Factor on all standard deviations of the states."""
    sample: Sample = Sample()
    """Sample of the declared distribution that the device file keeps."""

    @model_validator(mode="after")
    def _states_can_be_told_apart(self) -> ResistiveParameters:
        if len(self.state) == 1:
            raise ValueError("state: there is 1; a synapse needs 2 or more, or none for a device that is measured")
        return self

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
            if name not in self.model_fields_set and not self.state
        ]


def state_range(parameters: ResistiveParameters) -> tuple[float, float]:
    """Smallest and greatest conductance in S."""
    low, high = parameters.conductance_low, parameters.conductance_high
    if parameters.state and "conductance_high" not in parameters.model_fields_set:
        high = declared.default_range(parameters.state, parameters.spread)[1]
    return low, high


def resistive_device(
    conductances: Float[np.ndarray, "state device cycle"],
    parameters: ResistiveParameters,
    *,
    source: Source,
    assumed: Sequence[str] = (),
    moments: tuple[Array, Array, Array] | None = None,
    conductance_range: tuple[float, float] | None = None,
    write_energies: Array | None = None,
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
        write_energies: Energies in J of one attempt to each state. Default: that of the parameters.
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
            "write": np.full(len(conductances), parameters.write.energy) if write_energies is None else write_energies,
            "read": read.voltage**2 * read.time * mean,
        },
        causes=CAUSES,
        moments=moments,
        parameters=parameters,
        assumed=assumed,
        attributes=attributes,
    )


def declare(parameters: ResistiveParameters, *, attributes: Mapping[str, Any] | None = None) -> CharacterisedDevice:
    """The device whose lognormal states the parameters declare.

    Its moments are those of the lognormal distributions, exactly; synapses are drawn from these. The values in the file
    are a sample for pages and plots.

    Args:
        parameters: Parameters with two states or more.
        attributes: Further metadata, stored as JSON.

    Raises:
        InputError: No states are declared, or a mean conductance lies outside the range.
    """
    if not parameters.state:
        raise InputError(
            "state: none are declared; give [[state]] with a resistance each, or measurements to import-device"
        )
    states, spread = declared.in_order(parameters.state), parameters.spread
    limits = state_range(parameters)
    labels = [state.label or f"{state.resistance:g} ohm" for state in states]
    given = [parameters.write.energy if state.energy is None else state.energy for state in states]
    device = resistive_device(
        declared.sample_of(states, spread, parameters.sample, limits),
        parameters,
        source="declared",
        assumed=[
            "lognormal resistances, declared, not measured: median "
            + ", ".join(
                f"{label} {state.resistance:g} ohm (sigma of ln R {spread * state.sigma_device:g} between devices, "
                f"{spread * state.sigma_cycle:g} between cycles)"
                for label, state in zip(labels, states, strict=True)
            ),
            "factors of one device in different states are independent",
            *parameters.assumed(),
        ],
        moments=declared.moments(states, spread),
        write_energies=np.array(given),
        attributes={"state_labels": labels, **(attributes or {})},
    )
    return device.extended(declared.logarithmic(states, spread))


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
        declare=declare,
        state_range=state_range,
        assumed=ResistiveParameters.assumed,
        columns=("conductance_s", "resistance_ohm"),
        imported=imported,
    ),
)
