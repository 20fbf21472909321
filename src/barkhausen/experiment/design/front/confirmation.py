"""Micromagnetic confirmation of a design of a front: voltages scanned anew, an ensemble of events, and barriers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import xarray as xr
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from barkhausen.core.errors import InputError, OutcomeError
from barkhausen.core.files import atomic_write, read_json
from barkhausen.core.progress import Progress
from barkhausen.core.units import BOLTZMANN
from barkhausen.device import DeviceParameters, write_device
from barkhausen.device.domain_wall.barriers import string_barriers
from barkhausen.device.domain_wall.characterise import Characterisation, at_rest, characterise
from barkhausen.device.domain_wall.design.front import MERITS, Merits, chosen, corrected, merits_of, shares
from barkhausen.device.domain_wall.design.front.merits import LONGEST, of_worst
from barkhausen.device.domain_wall.ensemble import Ensemble
from barkhausen.device.domain_wall.event import ProgrammingEvent
from barkhausen.device.domain_wall.retention import resting_places, retention
from barkhausen.device.file_statistics import bits, neighbour_overlaps
from barkhausen.micromagnetics import WallCount, WallPosition, domain_wall, simulate
from barkhausen.micromagnetics.checkpoints import OtherSimulationError

RESAMPLES = 1000
"""Number of bootstrap samples."""

STEP, ATTEMPTS = 1.15, 5
"""Factor between two currents that are tried, and how many are."""

REACHED = 0.95
"""Share of walls at the place of its state from which on a state counts as reached."""


class Refused(BaseModel):
    """Result of a design that is impossible."""

    model_config = ConfigDict(extra="forbid")
    refused: str


class Simulated(BaseModel):
    """Result of a design that was simulated, as far as the page and the parameter files need it."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)
    merits: dict[str, float]
    voltages: Annotated[list[float], Field(min_length=1)]
    drive_factor: float
    events: int
    devices: int
    scan: dict[str, Any]
    mean: list[float | None]
    barrier: list[list[float | None]]
    retention_interval: tuple[float, float]

    @field_validator("merits")
    @classmethod
    def _all_of_them(cls, value: dict[str, float]) -> dict[str, float]:
        if value.keys() != set(MERITS):
            raise ValueError("other merits")
        return value


class Kept(BaseModel):
    """Stored result with the design and the settings that it belongs to."""

    design: dict[str, Any]
    result: Refused | Simulated


def _read(path: Path) -> dict[str, Any]:
    try:
        held = read_json(path)
        Kept.model_validate(held)
    except (InputError, ValidationError):
        raise InputError(f"{path}: is damaged; delete it to simulate this design again") from None
    # As it is, with its keys in their order, so that an interrupted search ends with the same bytes.
    stored: dict[str, Any] = held
    return stored


def confirm(
    parameters: DeviceParameters,
    scan: tuple[float, ...],
    stem: Path,
    *,
    scanned: int,
    cycles: int = 1,
    kept_at: float,
    progress: Progress,
    **simulating: Any,
) -> dict[str, Any]:
    """Simulate a design; return its merits, states and barriers, or the reason why such a device is impossible.

    The gate voltages are chosen anew from a scan on a few devices, if need be with other currents, since the compact
    model's are those of its own thresholds. Then the ensemble of events is simulated, on devices of which the first few
    are those of the scan. On these few, the barriers of the resting walls are found by paths of least energy; their
    mean ratio to the compact model's corrects those of all devices.

    The device file and the result are stored as ``<stem>.nc`` and ``<stem>.json``, with unfinished work beside them. A
    design with stored results is not simulated again.

    Args:
        parameters: Parameters of the design, with the numbers of devices and cycles to simulate.
        scan: Gate voltages in V to be scanned, in the order in which walls go farther.
        stem: Path of the files without suffix.
        scanned: Number of devices of the scan and of the paths of least energy.
        cycles: Number of events of each device at each voltage of the scan.
        kept_at: Temperature in K at which states are to be kept.
        progress: Progress display.
        simulating: Backend, threads and accelerator of
            :func:`~barkhausen.device.domain_wall.characterise.characterise`.

    Raises:
        InputError: The backend cannot be used, or a file cannot be read or written.
    """
    kept, work = stem.with_suffix(".json"), stem.with_suffix(".work")
    described = {
        "parameters": parameters.model_dump(mode="json"), "scan": list(scan), "scanned": scanned, "kept_at": kept_at,
    }  # fmt: skip
    if cycles != 1:
        described["cycles"] = cycles
    if kept.exists():
        held = _read(kept)
        found: dict[str, Any] = held["result"]
        if held["design"] == described and ("refused" in found or stem.with_suffix(".nc").exists()):
            return found
    try:
        result = _confirmed(parameters, scan, stem, work, scanned, cycles, kept_at, progress, simulating)
    except OtherSimulationError as error:
        raise InputError(
            f"{work}: holds unfinished work of other settings ({error.why}); go on with those, or delete it to "
            "simulate this design anew"
        ) from None
    except OutcomeError as error:
        result = {"refused": str(error)}
    atomic_write(kept, json.dumps({"design": described, "result": result}, indent=1, allow_nan=False) + "\n")
    shutil.rmtree(work, ignore_errors=True)
    return result


def _confirmed(  # noqa: PLR0917 (of one caller)
    parameters: DeviceParameters,
    scan: tuple[float, ...],
    stem: Path,
    work: Path,
    scanned: int,
    cycles: int,
    kept_at: float,
    progress: Progress,
    simulating: dict[str, Any],
) -> dict[str, Any]:
    places = [notch.position for notch in parameters.shape.notches]
    factor, seen = _adapted(
        _with_voltages(parameters, scan, devices=scanned, cycles=cycles), places, work, progress, simulating
    )
    voltages = tuple(scan[k] for k in chosen(seen, _reach(scan)))
    device = _with_voltages(with_drive(parameters, factor), voltages)
    found = characterise(device, checkpoint=work / "events", progress=progress, **simulating)
    write_device(found.device, stem.with_suffix(".nc"))
    positions = found.device.data["state_value"].transpose("state", "device", "cycle").values
    in_order = _with_voltages(device, tuple(found.device.data["gate_voltage"].values.tolist()))
    held, ratios = _held(in_order, positions, kept_at, scanned, work / "barriers", progress, simulating.get("threads"))
    merits = merits_of(in_order, positions, _after_reset(found, in_order), held)
    return {
        "merits": asdict(merits),
        "voltages": list(in_order.protocol.gate_voltages or ()),
        "drive_factor": factor,
        "events": int(positions.size),
        "devices": int(positions.shape[1]),
        "scan": {"voltages": list(scan), "shares": seen.tolist()},
        **_states(found, positions, held, ratios, parameters.characterisation.seed),
    }


def _reach(scan: Sequence[float]) -> int:
    """Number of neighbouring voltages that count as one: a twelfth of the scan, of which each has few walls."""
    return max(1, round(len(scan) / 12))


def _adapted(
    scan: DeviceParameters, places: list[float], work: Path, progress: Progress, simulating: dict[str, Any]
) -> tuple[float, Float[np.ndarray, "state voltage"]]:
    """Factor on both currents, and the shares of walls at the place of each state at each voltage.

    Where the compact model's currents do not lead to all states, they are changed in steps of :data:`STEP`: up if at
    the last voltage too few walls reach the last state, else down. The first factor with which all states are reached
    is taken, or that with the largest sum of shares.
    """
    best: tuple[float, float, Float[np.ndarray, "state voltage"]] | None = None
    factor, direction = 1.0, 0
    for attempt in range(ATTEMPTS):
        tried = with_drive(scan, factor)
        seen = shares(_scanned(tried, work / f"scan-{attempt}", progress, simulating), places)
        own = [float(seen[state, level]) for state, level in enumerate(chosen(seen))]
        if best is None or sum(own) > best[0]:
            best = sum(own), factor, seen
        if min(own) >= REACHED:
            break
        direction = direction or (1 if seen[-1, -1] < REACHED else -1)
        factor *= STEP**direction
    assert best is not None
    return best[1], best[2]


def with_drive(parameters: DeviceParameters, factor: float) -> DeviceParameters:
    """The same device with both currents multiplied by a factor."""
    protocol = parameters.protocol
    pulses = {
        name: pulse.model_copy(update={"current_density": factor * pulse.current_density})
        for name, pulse in (("reset", protocol.reset), ("program", protocol.program))
    }
    return parameters.model_copy(update={"protocol": protocol.model_copy(update=pulses)})


def _with_voltages(parameters: DeviceParameters, voltages: tuple[float, ...], **numbers: int) -> DeviceParameters:
    protocol = parameters.protocol.model_copy(update={"gate_voltages": voltages})
    how = parameters.characterisation.model_copy(update=numbers)
    return parameters.model_copy(update={"protocol": protocol, "characterisation": how})


def _scanned(
    parameters: DeviceParameters, checkpoint: Path, progress: Progress, simulating: dict[str, Any]
) -> Float[np.ndarray, "voltage device cycle"]:
    """Resting positions in m at each gate voltage; NaN where there is not a single wall."""
    ensemble, how = Ensemble(parameters), parameters.characterisation
    result = simulate(
        ensemble.film.assign(ensemble.device_of_replica),
        ensemble.drive,
        duration=ensemble.event.duration,
        every=ensemble.every,
        replicas=ensemble.replicas,
        seed=how.seed,
        temperature=ensemble.temperature(how.devices * how.cycles),
        integrator=how.integrator,
        dt=ensemble.dt,
        initial=domain_wall(ensemble.film, ensemble.starts),
        observe=(WallPosition(), WallCount()),
        backend=simulating.get("backend", "auto"),
        threads=simulating.get("threads"),
        device=simulating.get("accelerator", "cpu"),
        checkpoint=checkpoint,
        progress=progress,
    )
    times = result["time"].values
    in_shape = (len(times), *ensemble.shape)
    walls, counts = (result[name].values.reshape(in_shape) for name in ("wall_position", "wall_count"))
    reading = min(parameters.junction.read_time, parameters.protocol.relaxation) * (1 - 1e-9)
    return at_rest(walls, counts, times >= times[-1] - reading)[0]


def _after_reset(found: Characterisation, parameters: DeviceParameters) -> Float[np.ndarray, "state device cycle"]:
    event = ProgrammingEvent(parameters.protocol, parameters.protocol.gate_voltages or ())
    settled = int(np.searchsorted(found.history["time"].values, event.reset_end + parameters.protocol.settle)) - 1
    walls, counts = (found.history[name].values[settled] for name in ("wall_position", "wall_count"))
    return np.asarray(np.where(counts == 1, walls, np.nan))


def _held(  # noqa: PLR0917 (of one caller)
    parameters: DeviceParameters,
    positions: Float[np.ndarray, "state device cycle"],
    kept_at: float,
    scanned: int,
    checkpoint: Path,
    progress: Progress,
    threads: int | None,
) -> tuple[xr.Dataset, Float[np.ndarray, " wall"]]:
    """Barriers and retention times of the walls of all devices, and the ratios that correct them.

    Paths of least energy are found on the first devices. The compact model has all barriers, which are multiplied by
    the mean ratio of both.
    """
    places = resting_places(positions)
    compact = retention(parameters, places, temperature=kept_at)
    first = parameters.model_copy(
        update={"characterisation": parameters.characterisation.model_copy(update={"devices": scanned})}
    )
    few = places[:, :scanned]
    landscapes = string_barriers(
        first, few, temperature=kept_at, checkpoint=checkpoint, threads=threads, progress=progress
    )
    paths = retention(first, few, temperature=kept_at, landscapes=landscapes)
    ratio = (paths["barrier"] / compact["barrier"].isel(device=slice(0, scanned))).values.ravel()
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    return corrected(compact, float(ratio.mean()) if len(ratio) else 1.0), ratio


def _states(
    found: Characterisation,
    positions: Float[np.ndarray, "state device cycle"],
    held: xr.Dataset,
    ratios: Float[np.ndarray, " wall"],
    seed: int,
) -> dict[str, Any]:
    """Means, spreads, barriers and times of each state, and intervals of 95 % over devices, for JSON."""
    data = found.device.data
    told, overlaps = bits(data), neighbour_overlaps(data)
    barrier = held["barrier"].values / (BOLTZMANN * float(held.attrs["temperature"]))
    return {
        "mean": _plain(np.nanmean(positions, axis=(1, 2))),
        "spread": _plain(np.nanstd(positions, axis=(1, 2))),
        "barrier": [_plain(row) for row in barrier],
        "barrier_ratio": _plain(ratios),
        "retention_interval": _plain(retention_interval(held, ratios, seed)),
        "bits": None if told is None else _plain([told.value, told.low, told.high]),
        "overlaps": [_plain([each.value, each.low, each.high]) for each in overlaps],
    }


def retention_interval(held: xr.Dataset, ratios: Float[np.ndarray, " wall"], seed: int) -> tuple[float, float]:
    """Interval of 95 % of the retention of the 10 % worst device in the worst state: bootstrap over devices and ratios.

    Each sample draws devices and, for the correction of the barriers, ratios: their mean is uncertain, and the
    barrier of a single wall deviates from it.

    Args:
        held: Corrected barriers in J, attempt frequencies and times in s of each state and device.
        ratios: Ratios of barriers by paths of least energy to those of the compact model.
        seed: Seed of the resampling.
    """
    generator = np.random.default_rng(seed)
    heat = BOLTZMANN * float(held.attrs["temperature"])
    barrier, frequency = held["barrier"].values, held["attempt_frequency"].values
    worst = np.empty(RESAMPLES)
    for sample in range(RESAMPLES):
        drawn = generator.integers(barrier.shape[1], size=barrier.shape[1])
        change = np.ones(barrier.shape)
        if len(ratios):
            # The mean of a resample, and around it the deviations of single walls.
            mean = generator.choice(ratios, len(ratios)).mean()
            change = (mean + generator.choice(ratios - ratios.mean(), barrier.shape)) / ratios.mean()
        exponent = np.minimum((barrier * change)[:, drawn] / heat, 600.0)
        worst[sample] = min(of_worst(np.exp(exponent) / frequency[:, drawn]), LONGEST)
    low, high = np.quantile(worst, (0.025, 0.975))
    return float(low), float(high)


def _plain(values: Any) -> list[float | None]:
    """Numbers for JSON, with null in place of NaN and a large number in place of infinity."""
    bounded = np.minimum(np.asarray(values, dtype=float), 1e300)
    return [float(value) if np.isfinite(value) else None for value in bounded]


def merits_from(result: dict[str, Any]) -> Merits | None:
    """Merits of a confirmed design; None if it was refused."""
    return Merits(**result["merits"]) if "merits" in result else None
