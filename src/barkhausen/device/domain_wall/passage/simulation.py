"""Thermal ensemble of attempts: drives × wires × cycles as the replicas of one simulation, and the curve fitted to it.

An attempt has passed if exactly one wall is left at the end and it lies beyond the line. Attempts that end with no wall
or several are lost; they are counted apart and not fitted.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from barkhausen.core.errors import OutcomeError
from barkhausen.core.progress import Progress
from barkhausen.device.domain_wall.parameters import NAME
from barkhausen.device.domain_wall.passage.parameters import DRIVES, PassageParameters
from barkhausen.device.probability.curve import fit_curve
from barkhausen.device.probability.device import Attempts, ProbabilityDevice
from barkhausen.micromagnetics import Drive, WallCount, WallPosition, Waveform, domain_wall, simulate

RECORD = 0.2e-9
"""Approximate time in s between records."""


def characterise_passage(
    parameters: PassageParameters,
    *,
    checkpoint: Path | None = None,
    progress: Progress | bool | None = None,
    backend: str = "auto",
    threads: int | None = None,
    accelerator: str = "cpu",
    attributes: dict[str, object] | None = None,
) -> ProbabilityDevice:
    """Simulate the attempts that ``parameters`` describes, and fit the probability of passing.

    ``characterisation.devices`` is the number of wires, each with edges of its own, and ``cycles`` that of attempts of
    each wire at each drive.

    Args:
        parameters: Track, notch, attempts, and numbers of wires and cycles.
        checkpoint: Directory of finished work, from which the same call resumes. The caller deletes it.
        progress, backend, threads, accelerator: As in :func:`barkhausen.micromagnetics.simulate`.
        attributes: Further metadata of the device file.

    Raises:
        InputError: The parameters do not describe a possible device.
        OutcomeError: The probability does not rise through one half within the drives.
    """
    how, passage = parameters.characterisation, parameters.passage
    values = np.array(passage.values)
    shape = len(values), how.devices, how.cycles
    film = parameters.film()
    amplitude = torch.tensor(np.repeat(values, how.devices * how.cycles))
    wave = Waveform.pulse(
        amplitude, passage.width, start=passage.settle, rise=passage.edge_time, fall=passage.edge_time
    )
    drive = Drive(current_density=wave) if passage.drive == "current" else Drive(field_z=wave)
    every = passage.duration / max(1, round(passage.duration / RECORD))
    replicas = len(amplitude)
    result = simulate(
        film.assign(torch.arange(how.devices).repeat_interleave(how.cycles).repeat(len(values))),
        drive,
        duration=passage.duration,
        every=every,
        replicas=replicas,
        seed=how.seed,
        temperature=how.temperature,
        integrator=how.integrator,
        dt=None if how.dt is None else every / max(1, round(every / how.dt)),
        initial=domain_wall(film, torch.full((replicas,), passage.start)),
        observe=(WallPosition(), WallCount()),
        backend=backend,
        threads=threads,
        device=accelerator,
        checkpoint=None if checkpoint is None else checkpoint / "passage",
        progress=progress,
    )
    position, walls = (result[name].values[-1].reshape(shape) for name in ("wall_position", "wall_count"))
    single = walls == 1
    passed = single & (np.nan_to_num(position) > passage.line)
    counts = Attempts(values, passed.sum(axis=2), single.sum(axis=2), (~single).sum(axis=2))
    if not (counts.attempts.sum(axis=1) > 0).all():
        raise OutcomeError("passage: at some drive no attempt ended with a single wall; narrow passage.values")
    fit = fit_curve(values, counts.passes, counts.attempts, seed=how.seed)
    return ProbabilityDevice.from_curve(
        fit.curve,
        technology=NAME,
        source="micromagnetics",
        drive=DRIVES[passage.drive],
        spread=fit.spread,
        fit=fit,
        counts=counts,
        energies=_energies(parameters, fit.curve.midpoint),
        parameters=parameters,
        assumed=_assumed(parameters),
        attributes={"seed": how.seed, "dt": float(result.attrs["dt"]), **(attributes or {})},
    )


def _energies(parameters: PassageParameters, midpoint: float) -> dict[str, tuple[float, float, str]]:
    """Energy of an attempt at the midpoint in J, power of the drive, and label, of each cause."""
    passage, track, junction = parameters.passage, parameters.track, parameters.junction
    # A linear edge counts a third of its duration.
    duration = passage.width + 2 * passage.edge_time / 3
    conductance = 0.5 * (junction.parallel_conductance(track.area) + junction.antiparallel_conductance(track.area))
    found = {
        "reset": (track.joule_heat(passage.reset_current_density, duration), 0.0, "reset pulse"),
        "read": (junction.read_energy(conductance), 0.0, "read"),
    }
    if passage.drive == "current":
        found = {"sot": (track.joule_heat(midpoint, duration), 2.0, "SOT pulse"), **found}
    return found


def _assumed(parameters: PassageParameters) -> list[str]:
    passage = parameters.passage
    of_gate = parameters.gate.described(parameters.track)
    lines = [
        line
        for line in parameters.assumed()
        if line.startswith(("track.", "junction.")) and not line.startswith("track.piezoelectric")
    ]
    lines += [line for line in parameters.assumed_of_simulation() if line != of_gate]
    lines.append(
        f"before each attempt the wall is at {1e9 * passage.start:g} nm, brought back by a pulse of "
        f"{passage.reset_current_density:g} A/m2 that always succeeds and is counted, not simulated"
    )
    lines.append(f"a wall beyond {1e9 * passage.line:g} nm after {1e9 * passage.duration:g} ns has passed")
    if passage.drive == "field":
        lines.append("the energy of the source of the field is not counted")
    return lines
