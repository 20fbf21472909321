"""Characterisation of a track whose wall identical pulses move: from trains of pulses to a device file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from barkhausen.core.errors import InputError, OutcomeError
from barkhausen.device.coordinate import ReadOut
from barkhausen.device.domain_wall.labelled import CAUSES, COORDINATE
from barkhausen.device.domain_wall.parameters import NAME
from barkhausen.device.domain_wall.trains.parameters import PulsedTrackParameters
from barkhausen.device.domain_wall.trains.simulation import simulate_train
from barkhausen.device.pulses.curves import PulseCurves
from barkhausen.device.pulses.device import PulsedDevice
from barkhausen.device.pulses.figures import line_deviation, nonlinearity
from barkhausen.device.pulses.fits import fit_curves

RESAMPLES = 200
COMMAND = "barkhausen characterize-pulses TRACK.toml --out device.nc"


@dataclass(frozen=True)
class PulseCharacterisation:
    """Result of a characterisation.

    Args:
        device: Content of the device file.
        history: ``wall_position`` and ``wall_count`` [pulse, record, device, cycle], and ``cold_position`` [pulse,
            record, device] of the same devices at 0 K.
    """

    device: PulsedDevice
    history: xr.Dataset


def characterise_pulses(
    parameters: PulsedTrackParameters,
    *,
    checkpoint: Path | None = None,
    attributes: dict[str, Any] | None = None,
    **how: Any,
) -> PulseCharacterisation:
    """Simulate trains of pulses, and make a device from the positions at the ends of the delays.

    Every device is simulated at the temperature in all its cycles, and once at 0 K. A wall that is lost, or is joined
    by others, has no positions from then on.

    Args:
        parameters: Track, train, and numbers of devices and cycles.
        checkpoint: Directory of finished work, from which the same call resumes. The caller deletes it.
        attributes: Further metadata of the device file.
        how: Progress, backend, threads and accelerator of :func:`.simulate_train`.

    Raises:
        InputError: The parameters do not describe a possible device.
        OutcomeError: The walls do not allow a fit: they are lost, or do not move.
    """
    places = [None if checkpoint is None else checkpoint / name for name in ("thermal", "cold")]
    hot = simulate_train(parameters, checkpoint=places[0], **how)
    cold = simulate_train(parameters, thermal=False, checkpoint=places[1], **how)
    history = hot.assign(cold_position=cold["wall_position"].isel(cycle=0))
    try:
        device = pulsed_track_device(parameters, history, attributes or {})
    except InputError as error:
        raise OutcomeError(f"characterisation: {error}") from None
    return PulseCharacterisation(device, history)


def pulsed_track_device(
    parameters: PulsedTrackParameters, history: xr.Dataset, attributes: dict[str, Any], resamples: int = RESAMPLES
) -> PulsedDevice:
    """Device of simulated positions.

    Args:
        parameters: Track and train.
        history: Histories of walls, as in :class:`PulseCharacterisation`.
        attributes: Further metadata of the device file.
        resamples: Number of bootstrap resamples of devices.

    Raises:
        InputError: There are too few positions, or they do not change.
    """
    track, junction = parameters.track, parameters.junction
    positions = kept_positions(history)
    signs = history["sign"].values.astype(np.int8)
    energy = parameters.pulse_energy
    device = fit_curves(
        PulseCurves(np.moveaxis(positions[:, -1], 0, -1), signs),
        technology=NAME,
        source="micromagnetics",
        coordinate=COORDINATE,
        resamples=resamples,
        seed=parameters.characterisation.seed,
        conductances=lambda place: float(junction.conductance(place, track)),
        energies={"sot": (energy, energy)},
        causes={"sot": CAUSES["sot"]},
        read_out=ReadOut(junction.read_voltage, junction.read_time, junction.resistance_area),
        parameters=parameters,
        assumed=[*parameters.assumed(), *assumed_of_track(parameters)],
        attributes={
            "seed": parameters.characterisation.seed,
            "dt": float(history.attrs["dt"]),
            "backend": str(history.attrs["backend"]),
            "lost_walls": float(np.isnan(positions[-1, -1]).mean()),
            "command": COMMAND,
            **attributes,
        },
    )
    drift = drift_in_delays(positions, signs, parameters.characterisation.seed, middle_of(parameters))
    return device.extended(drift, _cold(history, signs))


def middle_of(parameters: PulsedTrackParameters) -> tuple[float, float]:
    """Ends in m of the middle half of the track between its stops."""
    length, stop = parameters.track.length, parameters.shape.end_stops.length
    quarter = (length - 2 * stop) / 4
    return stop + quarter, length - stop - quarter


def assumed_of_track(parameters: PulsedTrackParameters) -> list[str]:
    """Assumptions of the simulation that concern a track without a gate, a line each."""
    gate = parameters.gate.described(parameters.track)
    return [line for line in parameters.assumed_of_simulation() if line != gate]


def kept_positions(history: xr.Dataset) -> Float[np.ndarray, "pulse record device cycle"]:
    """Positions in m; NaN from the moment on at which a track has not exactly one wall."""
    places = ("pulse", "record", "device", "cycle")
    counts = history["wall_count"].transpose(*places).values
    flat = counts.reshape(-1, *counts.shape[2:])
    good = np.logical_and.accumulate(flat == 1, axis=0).reshape(counts.shape)
    return np.where(good, history["wall_position"].transpose(*places).values, np.nan)


def drift_in_delays(
    positions: Float[np.ndarray, "pulse record device cycle"],
    signs: Float[np.ndarray, " pulse"],
    seed: int,
    limits: tuple[float, float],
    resamples: int = RESAMPLES,
) -> xr.Dataset:
    """Motion of the wall in the delays: root mean square, and mean in the direction of the pulse, with 95 % intervals
    over devices; the motion in the pulse beside it.

    Args:
        positions: Position in m; record 0 is the end of a pulse, the last record the end of its delay.
        signs: Sign of each pulse.
        seed: Seed of the resamples of devices.
        limits: Part of the track in m in which a wall must be at the end of a pulse to count: near its ends a wall is
            stopped, whatever happens in between.
        resamples: Number of resamples.
    """
    pulses = np.flatnonzero(signs != 0)
    forward = signs[pulses][:, None, None]
    inside = (positions[pulses, 0] - positions[pulses - 1, -1]) * forward
    after = (positions[pulses, -1] - positions[pulses, 0]) * forward
    counted = (positions[pulses, 0] >= limits[0]) & (positions[pulses, 0] <= limits[1])
    if not counted.any():
        return xr.Dataset()
    inside, after = (np.where(counted, values, np.nan) for values in (inside, after))
    quantities = {"pulse_motion": inside, "delay_motion": after, "delay_motion_rms": after**2}
    words = {
        "pulse_motion": "mean motion of a wall in the middle of the track during a pulse, in its direction",
        "delay_motion": "the same during a delay, in the direction of the pulse before",
        "delay_motion_rms": "root mean square of the same motion during a delay",
    }
    generator = np.random.default_rng(seed)
    count = positions.shape[2]
    chosen = generator.integers(count, size=(resamples, count))
    contents: dict[str, Any] = {}
    for name, values in quantities.items():
        # Sums and numbers by device: some devices count more often than others, and some not at all.
        sums, numbers = np.nansum(values, axis=(0, 2)), np.isfinite(values).sum(axis=(0, 2))
        drawn = numbers[chosen].sum(axis=1)
        means = sums[chosen].sum(axis=1)[drawn > 0] / drawn[drawn > 0]
        both = np.array([sums.sum() / numbers.sum(), *np.percentile(means, (2.5, 97.5))])
        both = np.sqrt(both) if name.endswith("rms") else both
        contents[name] = ((), both[0], {"units": "m", "long_name": words[name]})
        contents[f"{name}_interval"] = ("bound", both[1:], {"units": "m"})
    return xr.Dataset(contents)


def _cold(history: xr.Dataset, signs: Float[np.ndarray, " pulse"]) -> xr.Dataset:
    """Figures of the mean curves of the same devices at 0 K."""
    ends = history["cold_position"].transpose("pulse", "record", "device").values[:, -1].mean(axis=1)
    curves = [ends[np.flatnonzero(signs == sign)[0] - 1 : np.flatnonzero(signs == sign)[-1] + 1] for sign in (1, -1)]
    return xr.Dataset(
        {
            "cold_nonlinearity": ("sign", np.array([nonlinearity(curve) for curve in curves])),
            "cold_line_deviation": ("sign", np.array([line_deviation(curve) for curve in curves])),
        }
    )
