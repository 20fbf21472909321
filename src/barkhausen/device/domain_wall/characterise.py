"""Characterisation of a racetrack: a thermal ensemble of all states, devices and cycles in one simulation.

Each replica is one programming event of one device. A wall anywhere on the track, as an earlier event may have left it,
is reset, settles, is driven under the gate voltage of the state, relaxes and is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Int

from barkhausen.core.errors import InputError, OutcomeError
from barkhausen.core.progress import Progress
from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.domain_wall.ensemble import Ensemble
from barkhausen.device.domain_wall.event import ProgrammingEvent
from barkhausen.device.domain_wall.labelled import domain_wall_device
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.device.domain_wall.stability import stability
from barkhausen.device.fitted import fitted
from barkhausen.device.statistics.selection import LEAST_DEVICES
from barkhausen.micromagnetics import (
    MeanMagnetisation,
    PerpendicularMap,
    WallCount,
    WallPosition,
    domain_wall,
    simulate,
)
from barkhausen.micromagnetics.checkpoints import OtherSimulationError

COMMAND = "barkhausen characterize DEVICE.toml --out device.nc"

SINGLE, NONE, SEVERAL = 0, 1, 2
"""Outcomes of a programming event: one wall, none left, more than one."""


@dataclass(frozen=True)
class Characterisation:
    """Result of a characterisation.

    Args:
        device: Content of the device file.
        history: ``wall_position`` and ``wall_count`` [time, state, device, cycle], and for one event of each state
            ``perpendicular`` [time, state, x, y]: m_z in units of 1/127 (int8; −128 where there is no material). With
            ``heat``, also ``temperature`` [time, state] of the track in K.
    """

    device: CharacterisedDevice
    history: xr.Dataset


def characterise(
    parameters: DeviceParameters,
    *,
    checkpoint: Path | None = None,
    progress: Progress | bool | None = None,
    backend: str = "auto",
    threads: int | None = None,
    accelerator: str = "cpu",
    attributes: dict[str, object] | None = None,
) -> Characterisation:
    """Simulate the ensemble that ``parameters`` describes, and make a device from the resting positions of its walls.

    States are sorted by mean position. A programming event that does not end with exactly one wall is a failure: its
    position is NaN, its ``outcome`` gives the reason, and it is excluded from all statistics.

    Args:
        parameters: Parameters of the device and its protocol, with the numbers of devices and cycles.
        checkpoint: Directory of finished work, from which the same call resumes. The caller deletes it.
        progress: Progress display.
        backend, threads, accelerator: As in :func:`barkhausen.micromagnetics.simulate`.
        attributes: Further metadata of the device file.

    Raises:
        InputError: The parameters do not describe a possible device.
        OutcomeError: No event left a wall in some state, or states cannot be distinguished.
    """
    run = _Run(parameters)
    ensemble = run.ensemble
    if ensemble.shape[0] < 2:
        raise InputError(
            f"protocol.gate_voltages = {list(ensemble.voltages)}: a synapse needs 2 states or more, a voltage for each"
        )
    result = simulate(
        ensemble.film.assign(ensemble.device_of_replica),
        ensemble.drive,
        duration=ensemble.event.duration,
        every=ensemble.every,
        replicas=ensemble.replicas,
        seed=parameters.characterisation.seed,
        temperature=ensemble.temperature(ensemble.replicas // ensemble.shape[0]),
        integrator=parameters.characterisation.integrator,
        dt=ensemble.dt,
        initial=domain_wall(ensemble.film, ensemble.starts),
        observe=(WallPosition(), WallCount(), MeanMagnetisation()),
        backend=backend,
        threads=threads,
        device=accelerator,
        checkpoint=None if checkpoint is None else checkpoint / "ensemble",
        progress=progress,
    )
    pictures = run.pictured(checkpoint, progress, backend, threads, accelerator)
    barriers = Barriers(None if checkpoint is None else checkpoint / "barriers", threads, progress)
    try:
        return run.labelled(result, pictures, attributes or {}, barriers)
    except OtherSimulationError:
        raise
    except InputError as error:
        # The parameters have been checked, so an impossible device is an outcome of the simulation.
        raise OutcomeError(str(error)) from None


class Barriers(NamedTuple):
    """How the barriers of the states are computed: arguments of :func:`.stability`."""

    checkpoint: Path | None
    threads: int | None
    progress: Progress | bool | None


class _Run:
    """One characterisation in progress."""

    def __init__(self, parameters: DeviceParameters) -> None:
        self.parameters, self.ensemble = parameters, Ensemble(parameters)

    def pictured(
        self,
        checkpoint: Path | None,
        progress: Progress | bool | None,
        backend: str,
        threads: int | None,
        accelerator: str,
    ) -> xr.Dataset:
        """One additional event of the first device in each state, with its own noise, and with maps of m_z."""
        how, ensemble = self.parameters.characterisation, self.ensemble
        states, devices, cycles = ensemble.shape
        event = ProgrammingEvent(self.parameters.protocol, ensemble.voltages)
        return simulate(
            ensemble.film.assign([0] * states),
            event.drive(self.parameters.gate_of_simulation()),
            duration=event.duration,
            every=ensemble.every,
            replicas=states,
            seed=how.seed,
            temperature=ensemble.temperature(1),
            integrator=how.integrator,
            dt=ensemble.dt,
            initial=domain_wall(ensemble.film, ensemble.starts[:: devices * cycles]),
            observe=(PerpendicularMap(),),
            backend=backend,
            threads=threads,
            device=accelerator,
            checkpoint=None if checkpoint is None else checkpoint / "pictures",
            progress=progress,
        )

    def labelled(
        self, result: xr.Dataset, pictures: xr.Dataset, attributes: dict[str, object], barriers: Barriers
    ) -> Characterisation:
        """Positions, failures and energies of each state, in order of mean position."""
        times = result["time"].values
        ensemble = self.ensemble
        in_shape = (len(times), *ensemble.shape)
        walls = result["wall_position"].values.reshape(in_shape)
        counts = result["wall_count"].values.reshape(in_shape)
        resting, outcome = at_rest(walls, counts, times >= self._read_from(times))
        after_reset = int(np.searchsorted(times, ensemble.event.reset_end + self.parameters.protocol.settle)) - 1
        order = _by_mean_position(resting, outcome, ensemble.voltages)
        parameters = self.parameters.model_copy(
            update={
                "protocol": self.parameters.protocol.model_copy(
                    update={"gate_voltages": tuple(ensemble.voltages[k] for k in order)}
                )
            }
        )
        event = ProgrammingEvent(parameters.protocol, parameters.protocol.gate_voltages or ())
        history = _history(result, pictures, walls, counts, order)
        device = domain_wall_device(
            resting[order],
            parameters,
            source="micromagnetics",
            assumed=[*parameters.assumed(), *parameters.assumed_of_simulation()],
            energies={
                "sot": event.sot_energy(parameters.track),
                "gate": event.gate_energy(parameters.track, parameters.gate, parameters.junction),
            },
            outcome=outcome[order],
            attributes={
                "seed": parameters.characterisation.seed,
                "dt": float(result.attrs["dt"]),
                "backend": str(result.attrs["backend"]),
                "duration": ensemble.event.duration,
                "reset_position": float(np.nanmean(walls[after_reset])),
                "reset_position_spread": float(np.nanstd(walls[after_reset])),
                "completed_resets": _share_completed(walls[after_reset], np.nanmean(resting[order], axis=(1, 2))),
                "command": COMMAND,
                **attributes,
            },
        )
        if ensemble.heating is not None:
            heating = ensemble.heating.select(order)
            device = device.extended(heating.summary())
            history = history.assign(temperature=heating.history(parameters.characterisation.temperature, times))
        device = _with_distribution(device, parameters.characterisation.seed)
        if parameters.characterisation.temperature > 0:
            device = device.extended(stability(parameters, device.state_values, **barriers._asdict()))
        return Characterisation(device, history)

    def _read_from(self, times: np.ndarray) -> float:
        """Start in s of the interval over which a read averages the position, within the relaxation."""
        protocol, junction = self.parameters.protocol, self.parameters.junction
        return float(times[-1] - min(junction.read_time, protocol.relaxation) * (1 - 1e-9))


def at_rest(
    walls: Float[np.ndarray, "time state device cycle"],
    counts: Float[np.ndarray, "time state device cycle"],
    reading: Bool[np.ndarray, " time"],
) -> tuple[Float[np.ndarray, "state device cycle"], Int[np.ndarray, "state device cycle"]]:
    """Resting position in m of each event, and its outcome.

    The position is the mean over the records in ``reading``. It is NaN unless there was exactly one wall in all of
    them: a wall that vanishes during the read was not at rest.

    Returns:
        Positions, and :data:`SINGLE`, :data:`NONE` or :data:`SEVERAL`.
    """
    during = counts[reading]
    single = (during == 1).all(axis=0)
    with np.errstate(invalid="ignore"):
        position = np.where(single, walls[reading].mean(axis=0), np.nan)
    several = (during > 1).any(axis=0)
    outcome = np.where(single, SINGLE, np.where(several, SEVERAL, NONE)).astype(np.int8)
    return position, outcome


def _with_distribution(device: CharacterisedDevice, seed: int) -> CharacterisedDevice:
    """The device with statistics and the best distribution, unless there are too few devices to choose one."""
    return fitted(device, seed) if device.devices_seen >= LEAST_DEVICES else device


def _by_mean_position(resting: np.ndarray, outcome: np.ndarray, voltages: Sequence[float]) -> list[int]:
    for voltage, row in zip(voltages, outcome, strict=True):
        if not (row == SINGLE).any():
            none, several = int((row == NONE).sum()), int((row == SEVERAL).sum())
            raise OutcomeError(
                f"characterisation: of {row.size} events at {voltage:g} V none left a single wall on the track "
                f"({none} lost it, {several} left several)"
            )
    return [int(k) for k in np.argsort(np.nanmean(resting, axis=(1, 2)))]


def _share_completed(after_reset: Float[np.ndarray, "state device cycle"], means: Float[np.ndarray, " state"]) -> float:
    """Share of resets that left one wall nearer to the first state than to the second."""
    return float((np.nan_to_num(after_reset, nan=np.inf) < 0.5 * (means[0] + means[1])).mean())


def _history(
    result: xr.Dataset, pictures: xr.Dataset, walls: np.ndarray, counts: np.ndarray, order: list[int]
) -> xr.Dataset:
    maps = pictures["mz"].transpose("time", "replica", "x", "y").values[:, order]
    small = np.where(np.isnan(maps), -128, np.round(np.nan_to_num(maps) * 127)).astype(np.int8)
    full = ("time", "state", "device", "cycle")
    return xr.Dataset(
        {
            "wall_position": (full, walls[:, order].astype(np.float32), {"units": "m"}),
            "wall_count": (full, counts[:, order].astype(np.int8), {"units": "1"}),
            "perpendicular": (
                ("time", "state", "x", "y"),
                small,
                {"units": "1/127", "long_name": "m_z of one event of each state; -128: no material"},
            ),
        },
        coords={
            "time": ("time", result["time"].values, {"units": "s"}),
            "x": ("x", pictures["x"].values, {"units": "m"}),
            "y": ("y", pictures["y"].values, {"units": "m"}),
        },
        attrs={"drive": str(result.attrs["drive"]), "dt": float(result.attrs["dt"])},
    )
