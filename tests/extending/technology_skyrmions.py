"""A made-up technology, registered from outside the package: skyrmions counted in a disc.

The state coordinate is a number of skyrmions, the conductance is linear in it, and nucleation and counting take energy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from barkhausen.core.config import Parameters, Positive
from barkhausen.device import TECHNOLOGIES, CharacterisedDevice, ReadOut, StateCoordinate, Technology
from barkhausen.device.technology import Imported, MeasuredValue

NAME = "skyrmion-count"
COORDINATE = StateCoordinate("skyrmion number", "1", "number of skyrmions in the disc")
CAUSES = {"nucleation": "nucleating pulses", "counting": "Hall read"}


class SkyrmionParameters(Parameters):
    """Disc, pulse and read."""

    most: Positive = 10.0
    nucleation_energy: Positive = 2e-13
    read_voltage: Positive = 0.05
    read_time: Positive = 2e-9


def state_range(parameters: SkyrmionParameters) -> tuple[float, float]:
    return 0.0, parameters.most


def labelled(
    values: Any,
    parameters: SkyrmionParameters,
    *,
    source: Any,
    assumed: Sequence[str] = (),
    moments: Any = None,
    attributes: Mapping[str, Any] | None = None,
) -> CharacterisedDevice:
    mean = np.nanmean(values, axis=(1, 2)) if moments is None else moments[0]
    return CharacterisedDevice.from_states(
        values,
        technology=NAME,
        coordinate=COORDINATE,
        state_range=state_range(parameters),
        source=source,
        conductances=(1e-6, 2e-5),
        read_out=ReadOut(parameters.read_voltage, parameters.read_time),
        energies={"nucleation": mean * parameters.nucleation_energy, "counting": np.full(len(mean), 3e-15)},
        causes=CAUSES,
        moments=moments,
        parameters=parameters,
        assumed=assumed,
        attributes=attributes,
    )


def imported(
    column: str,
    measured: Sequence[MeasuredValue],
    parameters: SkyrmionParameters,
    conductance_range: tuple[float, float] | None,
    path: str,
) -> Imported:
    return Imported([item.value for item in measured], ["a skyrmion counts once"])


TECHNOLOGIES.register(
    NAME,
    Technology(
        name=NAME,
        label="skyrmion disc",
        coordinate=COORDINATE,
        parameters=SkyrmionParameters,
        causes=CAUSES,
        labelled=labelled,
        state_range=state_range,
        assumed=lambda parameters: ["a disc without defects"],
        columns=("skyrmions",),
        imported=imported,
    ),
)
