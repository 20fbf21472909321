"""Domain-wall devices made from resting positions of their walls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float, Int8

from barkhausen.core.errors import InputError
from barkhausen.device.characterised import CharacterisedDevice, Source
from barkhausen.device.coordinate import ReadOut, StateCoordinate
from barkhausen.device.domain_wall.parameters import NAME, DeviceParameters
from barkhausen.device.schema import check_states

COORDINATE = StateCoordinate("wall position", "m", "resting position of the wall")
CAUSES = {"sot": "SOT pulses", "gate": "gate", "read": "verify read"}

Array = Float[np.ndarray, " state"]


def domain_wall_device(
    positions: Float[np.ndarray, "state device cycle"],
    parameters: DeviceParameters,
    *,
    source: Source,
    assumed: Sequence[str] = (),
    moments: tuple[Array, Array, Array] | None = None,
    conductance_range: tuple[float, float] | None = None,
    energies: Mapping[str, Array] | None = None,
    outcome: Int8[np.ndarray, "state device cycle"] | None = None,
    extras: Sequence[xr.Dataset] = (),
    attributes: Mapping[str, Any] | None = None,
) -> CharacterisedDevice:
    """Make a device from resting positions, with the energy of programming each state.

    With the wall at x on a track of length L the conductance is G_AP + (G_P − G_AP) x / L.

    Args:
        positions: Wall positions in m, NaN where a cycle is missing; states in order of mean position.
        parameters: Parameters of track, protocol and junction, which give the energies.
        source: Origin of the positions.
        assumed: Assumptions, a line each; they are printed with every result.
        moments: Mean, device sigma and cycle sigma of each state in m where they are *declared* (a textbook Gaussian).
            Default: estimated from the positions.
        conductance_range: G_AP and G_P in S where they were measured. Default: those of the junction.
        energies: Energies in J of one attempt to each state, by cause (``sot``, ``gate``, ``read``). Default: those of
            the protocol.
        outcome: How each cycle ended: 0 a single wall at rest, 1 no wall left, 2 several walls, 3 a wall that is not at
            rest or off the track, −1 never run. Only a wall at rest has a position; all others are NaN.
        extras: Optional variables, such as those of :func:`~barkhausen.device.statistics.summary.describe_statistics`.
        attributes: Further metadata (seeds, command), stored as JSON.

    Raises:
        InputError: Shapes do not match, or a value is impossible for a device.
    """
    states = positions.shape[0]
    check_states(states)
    track, protocol, junction = parameters.track, parameters.protocol, parameters.junction
    gate, leak = parameters.gate, parameters.gate.leakage(track, junction) * protocol.gate_time
    voltages = protocol.voltages(states)
    if len(voltages) != states:
        raise InputError(f"protocol.gate_voltages has {len(voltages)} values but the device has {states} states")
    for cause in energies or {}:
        if cause not in CAUSES:
            raise InputError(f"energies: '{cause}' is not one of {', '.join(CAUSES)}")
    low, high = conductance_range or (
        junction.antiparallel_conductance(track.area),
        junction.parallel_conductance(track.area),
    )
    mean = np.nanmean(positions, axis=(1, 2)) if moments is None else moments[0]
    conductance = low + (high - low) * (mean / track.length)
    pulse = protocol.program
    return CharacterisedDevice.from_states(
        positions,
        technology=NAME,
        coordinate=COORDINATE,
        state_range=(0.0, track.length),
        source=source,
        conductances=(low, high),
        read_out=ReadOut(junction.read_voltage, junction.read_time, junction.resistance_area),
        energies={
            "sot": np.full(states, protocol.sot_energy(track)),
            "gate": np.array([gate.charging_energy(track, v) + leak * v * v for v in voltages]),
            "read": np.array([junction.read_energy(g) for g in conductance]),
            **(energies or {}),
        },
        causes=CAUSES,
        moments=moments,
        outcome=outcome,
        variables={
            "gate_voltage": (np.array(voltages), "V", "gate voltage during the programming pulse"),
            "current_density": (
                np.full(states, pulse.current_density),
                "A/m2",
                "current density of the programming pulse in the heavy metal",
            ),
            "pulse_width": (np.full(states, pulse.width), "s", "width of the programming pulse"),
        },
        parameters=parameters,
        assumed=assumed,
        extras=extras,
        attributes=attributes,
    )
