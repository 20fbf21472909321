"""Registry entry of domain-wall racetracks: a wall whose position strain controls, read by a tunnel junction."""

from __future__ import annotations

from collections.abc import Sequence

from barkhausen.core.errors import InputError
from barkhausen.device.domain_wall.characterise import characterise
from barkhausen.device.domain_wall.interfaces.reports import beyond_reports
from barkhausen.device.domain_wall.labelled import CAUSES, COORDINATE, domain_wall_device
from barkhausen.device.domain_wall.parameters import NAME, DeviceParameters
from barkhausen.device.domain_wall.stability import stability_at
from barkhausen.device.technology import (
    TECHNOLOGIES,
    Imported,
    MeasuredValue,
    Technology,
    check_conductances,
    conductances,
)

JUNCTION_CONDUCTANCE = ("junction.tunnel_magnetoresistance", "junction.resistance_area")


def state_range(parameters: DeviceParameters) -> tuple[float, float]:
    """The two ends of the track in m."""
    return 0.0, parameters.track.length


def imported(
    column: str,
    measured: Sequence[MeasuredValue],
    parameters: DeviceParameters,
    conductance_range: tuple[float, float] | None,
    path: str,
) -> Imported:
    """Wall positions, or conductances or resistances of the whole junction converted to wall positions.

    Measured positions are states and weights by themselves; the length of the track enters their energies, conductances
    and limits, and is listed where it is a default. Conductances become positions by the length, which must be given.

    Raises:
        InputError: A value lies off the track or outside the conductances of the junction, or the length of the track
            is needed and not given.
    """
    assumed = parameters.assumed()
    length = parameters.track.length
    if column == "position_m":
        if conductance_range is not None:
            raise InputError(f"{path}: a conductance range was given but the file holds positions")
        for item in measured:
            if not 0 <= item.value <= length:
                raise InputError(
                    f"{item.where}: position {item.value:g} m lies off the track of {length:g} m "
                    "(set track.length in the parameter file)"
                )
        return Imported([item.value for item in measured], assumed)
    try:
        parameters.require_length("conductances stand for places along the track")
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    values = conductances(column, measured)
    # The measured range replaces that of the junction, for the positions and for the energy of a read.
    assumed = [line for line in assumed if not line.startswith(JUNCTION_CONDUCTANCE)]
    if conductance_range is None:
        conductance_range = min(values), max(values)
        assumed.insert(
            0, "G_AP = {:g} S and G_P = {:g} S are the extremes of the measured conductances".format(*conductance_range)
        )
    check_conductances(measured, values, conductance_range, path)
    low, high = conductance_range
    positions = [length * ((value - low) / (high - low)) for value in values]
    return Imported(positions, assumed, {"conductance_range": conductance_range})


DOMAIN_WALL = TECHNOLOGIES.register(
    NAME,
    Technology(
        name=NAME,
        label="domain-wall racetrack",
        coordinate=COORDINATE,
        parameters=DeviceParameters,
        causes=CAUSES,
        labelled=domain_wall_device,
        state_range=state_range,
        assumed=DeviceParameters.assumed,
        columns=("position_m", "conductance_s", "resistance_ohm"),
        imported=imported,
        characterise=characterise,
        variables=("gate_voltage", "current_density", "pulse_width"),
        extent="track",
        samples="A device is one realisation of the track with its own rough edges; a cycle is one programming event "
        "of a device with its own thermal noise.",
        size=lambda parameters: f"{1e9 * parameters.track.length:.0f} × {1e9 * parameters.track.width:.0f} nm",
        doubts=beyond_reports,
        stability_at=stability_at,
    ),
)
