"""Characterisation of an antiferromagnetic skyrmion neuron: trajectories at 0 K, thermal trains, and its law."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from barkhausen.core.progress import Progress, display_of
from barkhausen.device.antiferromagnet.energy import energies
from barkhausen.device.antiferromagnet.figures import figures, with_estimates
from barkhausen.device.antiferromagnet.law import cycles_of, inputs_of, tables_of, threshold_place
from barkhausen.device.antiferromagnet.parameters import NAME, AntiferromagnetParameters
from barkhausen.device.antiferromagnet.trains import Train, run
from barkhausen.device.neuron.device import NeuronDevice

SHOWN = 8
"""Thermal replicas of each drive whose trajectories are kept."""


def still_train(parameters: AntiferromagnetParameters) -> Train:
    """Trajectories at 0 K: one of each input from rest, and one that leaks from the window of the detector."""
    rest = parameters.track.rest
    start = parameters.detector.position - parameters.detector.length / 2
    inputs = inputs_of(parameters)
    starts = (start, *(rest for _ in inputs[1:]))
    return Train(tuple(inputs.tolist()), starts, parameters.characterisation.still, 0.0, 0)


def thermal_trains(parameters: AntiferromagnetParameters) -> list[Train]:
    """Trains of the thermal replicas, chunk by chunk: all inputs in turn; those that leak start all along the track."""
    how, inputs = parameters.characterisation, inputs_of(parameters)
    rest, end = parameters.track.rest, threshold_place(parameters)
    number = np.arange(how.replicas)
    given = inputs[number % len(inputs)]
    leaking = max(1, -(-how.replicas // len(inputs)))
    # From the threshold down, so that few replicas give long ways.
    starts = np.where(given == 0, end - (end - rest) * (number // len(inputs)) / leaking, rest)
    return [
        Train(
            tuple(given[first : first + how.chunk].tolist()),
            tuple(starts[first : first + how.chunk].tolist()),
            parameters.train.periods,
            how.temperature,
            how.seed + first,
        )
        for first in range(0, how.replicas, how.chunk)
    ]


def characterise(
    parameters: AntiferromagnetParameters,
    *,
    checkpoint: Path | None = None,
    progress: Progress | bool | None = None,
    backend: str = "auto",
    threads: int | None = None,
    accelerator: str = "cpu",
    attributes: dict[str, Any] | None = None,
) -> NeuronDevice:
    """Simulate what ``parameters`` describe, and make the neuron of it.

    Args:
        parameters: Parameters of the device.
        checkpoint: Directory of unfinished work, kept period by period, from which the same call resumes. The caller
            deletes it.
        progress: Progress display.
        backend, accelerator: Not used: layers and sublattices run on torch, on the CPU.
        threads: Threads of torch.
        attributes: Further metadata of the device file.

    Returns:
        The neuron. Its file also holds the trajectories at 0 K (``still_…``) and some thermal ones (``thermal_…``), and
        the figures of :func:`.figures.figures` in its attributes.

    Raises:
        InputError: The parameters do not describe a possible device.
    """
    still, thermal = still_train(parameters), thermal_trains(parameters)
    total = sum(train.replicas * train.periods for train in (still, *thermal))
    with display_of(progress).task("replica-periods", total) as done:
        how: dict[str, Any] = {"checkpoint": checkpoint, "threads": threads, "done": done}
        trajectories = with_estimates(parameters, run(parameters, still, **how))
        trains = [run(parameters, train, **how) for train in thermal]
    measured = trains or [trajectories]
    counted, tables = cycles_of(parameters, measured), tables_of(parameters, measured)
    start, end = parameters.track.rest, threshold_place(parameters)
    inputs = inputs_of(parameters)
    device = NeuronDevice.from_steps(
        inputs * parameters.train.current_density,
        np.linspace(0.0, end - start, tables.mean.shape[1]),
        tables,
        technology=NAME,
        source="micromagnetics",
        drive=("current density", "A/m2", "current density of the pulse in the heavy metal"),
        threshold=end - start,
        step_time=parameters.train.period,
        cycles=counted.cycles,
        fired_at=counted.fired_at,
        energies=energies(parameters),
        parameters=parameters,
        assumed=[*parameters.assumed(), *_of_law(parameters)],
        attributes={
            "figures": figures(parameters, trajectories, trains, counted),
            "seed": parameters.characterisation.seed,
            "temperature": parameters.characterisation.temperature if trains else 0.0,
            **(attributes or {}),
        },
    )
    extras = [_renamed(trajectories, "still")]
    if trains:
        extras.append(_renamed(trains[0].isel(replica=slice(0, SHOWN)), "thermal"))
    return NeuronDevice(xr.merge([device.data, *extras], combine_attrs="override"))


def _of_law(parameters: AntiferromagnetParameters) -> list[str]:
    lines = ["places of the law count from the place of rest; steps are those of a whole period, pulse and pause"]
    if parameters.characterisation.replicas == 0:
        lines.append("law and cycles are those of single trajectories at 0 K: they have no spread")
    return lines


def _renamed(data: xr.Dataset, prefix: str) -> xr.Dataset:
    """The records of a train under names that are its own."""
    kept = data[["x", "y", "radius", "current", *(name for name in ("velocity", "thiele", "large") if name in data)]]
    names = {str(name): f"{prefix}_{name}" for name in (*kept.data_vars, *kept.dims, "input")}
    return kept.rename(names)
