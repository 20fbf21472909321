"""Ensemble simulation: hundreds of thermal replicas of a film in one call."""

from __future__ import annotations

import json
import time as clock
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.limits import check_memory
from barkhausen.core.progress import Progress, display_of
from barkhausen.micromagnetics.backend import Backend, choose_backend
from barkhausen.micromagnetics.checkpoints import Checkpoint, digest
from barkhausen.micromagnetics.display import accessor  # noqa: F401 (results have .barkhausen.plot())
from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.files.ovf import Snapshots
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.integrators import StepAdvice
from barkhausen.micromagnetics.observables import Observable, check_observables, default_observables
from barkhausen.micromagnetics.plan import (
    Batch,
    Plan,
    Temperature,
    check_steps,
    check_time,
    digest_of_drive,
    digest_of_film,
    records_dataset,
    whole_records,
)
from barkhausen.micromagnetics.states import default_state, for_replicas
from barkhausen.micromagnetics.states.placing import tensor_of_state
from barkhausen.micromagnetics.terms import Term
from barkhausen.version import __version__

BYTES_OF_A_CELL, BYTES_OF_A_RECORD = 100, 100
"""Memory of a cell of one replica at the start, and of what is observed of a replica at one time."""

KEEP_SECONDS = 30.0
"""Seconds between two saves of the state of the current chunk."""


def simulate(
    film: Film,
    drive: Drive | None = None,
    *,
    duration: float,
    replicas: int = 1,
    seed: int = 0,
    temperature: Temperature = 0.0,
    initial: Float[Tensor, "any 3 nx ny"] | None = None,
    dt: float | None = None,
    every: float | None = None,
    observe: Sequence[Observable] | None = None,
    terms: Sequence[Term] | None = None,
    integrator: str = "auto",
    tolerance: float = 1e-5,
    backend: str = "auto",
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    chunk: int | None = None,
    memory: float | None = None,
    threads: int | None = None,
    snapshots: Snapshots | None = None,
    checkpoint: Path | str | None = None,
    progress: Progress | bool | None = None,
) -> xr.Dataset:
    """Simulate an ensemble of replicas and return the observables.

    A replica's noise depends on the seed and its number alone, never on how the replicas are divided into chunks.

    Args:
        film: Grid, material, and shape and anisotropy of each replica (:meth:`Film.assign`).
        drive: Currents, fields and gate voltages, common to all replicas or one for each. Default: none.
        duration: Simulated time in s.
        replicas: Number of replicas.
        seed: Seed of the thermal noise.
        temperature: Temperature in K, a number, one for each replica, or a waveform (held for 8 steps at a time); 0 is
            deterministic.
        initial: Initial magnetisation, ``[replica or 1, 3, nx, ny]``. Default: one Néel wall in the
            middle; in a film magnetised in its plane, uniform along +x.
        dt: Time step in s. Default: the one recommended for film and integrator, fitted to ``every``
            (:func:`advise_step`, :func:`advise_splitting_step`).
        every: Time between records in s. Default: a hundredth of the duration.
        observe: Observables. Default: position, number, tilt and angle of walls, and <m>.
        terms: Terms of the effective field. Default: all terms that the material has constants for.
        integrator: ``splitting``, ``heun``, ``dormand-prince`` (adaptive, at zero temperature), or ``auto``: the
            splitting at a temperature above zero for all terms it knows, otherwise Heun's method.
        tolerance: Tolerance of the adaptive integrator.
        backend: ``compiled``, ``torch``, or ``auto``: the compiled kernel where it can.
        device, dtype: ``cpu`` or ``cuda``; float32 or float64 (torch only).
        chunk, memory, threads: Replicas computed at once, limit of a chunk's bytes, threads of the compiled kernel
            (:func:`choose_backend`).
        snapshots: Snapshots of the magnetisation to save as OVF files.
        checkpoint: Directory for finished chunks and, every 30 s, the state of the current one; the same call
            resumes there after a kill, with the same result. The caller deletes it.
        progress: Display of the progress; ``True``: a bar on the terminal or in the notebook, one line a
            minute in a log.

    Returns:
        A data set with the dimensions ``time`` and ``replica`` and one variable for each observable; units, seed,
        step, backend and every parameter are attributes.

    Raises:
        InputError: An argument is wrong, or the parts do not fit each other.
        IntegrationError: The integration of a replica broke down; the message says which, when and why.
    """
    drive = drive or Drive()
    for name, value in (("duration", duration), ("every", every), ("dt", dt)):
        check_time(name, value)
    shared = Plan.of(film, replicas, seed, temperature, terms, integrator, tolerance)
    shared.check_drive(drive)
    every = duration / 100 if every is None else every
    check_memory(BYTES_OF_A_RECORD * (duration / every), f"every = {every:g} s: {duration / every:.3g} records")
    times = torch.arange(whole_records(duration, every) + 1, dtype=torch.float64) * every
    dt, advice = shared.step(every, drive, dt)
    check_steps(duration, dt)
    named = "default" if initial is None else digest(tensor_of_state(initial))
    plan = _Run(shared, drive, dt, times, advice, named)
    chosen = choose_backend(
        film, shared.terms, replicas, name=backend, integrator=shared.integrator, device=device,
        dtype=dtype, chunk=chunk, memory=memory, threads=threads,
    )  # fmt: skip
    observe = default_observables() if observe is None else tuple(observe)
    check_observables(observe)
    if snapshots is not None:
        if not isinstance(snapshots, Snapshots):
            raise InputError(f"snapshots: {snapshots!r} is not Snapshots; Snapshots({str(snapshots)!r}) saves there")
        snapshots.check_replicas(replicas)
        if film.layer_count > 1:
            raise InputError("snapshots: are of single films; of a stack, write Simulation(...).m with write_ovf")
    cells = film.grid.cells * film.layer_count
    needed = BYTES_OF_A_CELL * cells * float(replicas) + BYTES_OF_A_RECORD * len(plan.times) * float(replicas)
    check_memory(needed, f"replicas = {replicas}: of {cells} cells and {len(plan.times)} records each")
    start = for_replicas(film, default_state(film) if initial is None else initial, replicas)
    keep = None
    if checkpoint is not None:
        keep = Checkpoint(Path(checkpoint), plan.fingerprint(chosen, observe, start))
    parts = []
    total = replicas * (len(plan.times) - 1)
    with display_of(progress).task("replica-records", total) as advance:
        for number, first in enumerate(range(0, replicas, chosen.chunk)):
            rows = torch.arange(first, min(first + chosen.chunk, replicas))
            records = None if keep is None else keep.finished(number)
            if records is None:
                own = start[film.row_numbers(rows)]
                run = _Chunk(plan, chosen, rows=rows, start=own, observe=observe, snapshots=snapshots)
                records = run.execute(number, keep, advance)
            else:
                advance(len(rows) * (len(plan.times) - 1))
            parts.append(records)
    return _dataset(plan, chosen, observe, parts)


@dataclass(frozen=True)
class _Run:
    """Checked arguments of one simulation from its start to its end."""

    plan: Plan
    drive: Drive
    dt: float
    times: Float[Tensor, " time"]
    advice: StepAdvice
    initial: str
    """Initial state: the default, or a digest of the one given."""

    def attributes(self, backend: Backend) -> dict[str, object]:
        """Attributes of the result."""
        plan = self.plan
        temperature = plan.describe_temperature()
        return {
            "seed": plan.seed,
            "temperature": json.dumps(temperature) if isinstance(temperature, dict) else temperature,
            "dt": self.dt,
            "duration": float(self.times[-1]),
            "integrator": plan.integrator,
            "tolerance": plan.tolerance,
            "terms": [repr(term) for term in plan.terms],
            "drive": self.drive.describe(),
            "initial": self.initial,
            **plan.film.describe(),
            **backend.describe(),
            "version": __version__,
        }

    def fingerprint(self, backend: Backend, observe: Sequence[Observable], start: Tensor) -> dict[str, object]:
        """Values that distinguish this simulation from others, for a checkpoint."""
        return self.attributes(backend) | {
            "replicas": self.plan.replicas,
            "chunk": backend.chunk,
            "times": digest(self.times),
            "observe": [repr(item) for item in observe],
            "drive": digest_of_drive(self.drive),
            "film": digest_of_film(self.plan.film),
            "initial": digest(start),
        }


class _Chunk:
    """Integration of one chunk of replicas."""

    def __init__(
        self,
        plan: _Run,
        backend: Backend,
        *,
        rows: Tensor,
        start: Tensor,
        observe: Sequence[Observable],
        snapshots: Snapshots | None,
    ) -> None:
        self.plan, self.rows, self.observe, self.snapshots = plan, rows, observe, snapshots
        self.batch = Batch(plan.plan, backend, plan.drive.select(rows), rows, start, plan.dt, plan.advice)
        self.stepper = self.batch.stepper
        self.records: dict[str, list[Tensor]] = {item.name: [] for item in observe}

    def execute(self, number: int, keep: Checkpoint | None, advance: Callable[[int], None]) -> dict[str, Tensor]:
        """Run to the end, or go on to it from the state kept; ``advance`` is called with replica-records made."""
        times = self.plan.times.tolist()
        done = 0
        kept = None if keep is None else keep.running(number)
        if kept is not None:
            done = int(kept.pop("done"))
            for name in self.records:
                self.records[name] = list(kept.pop(f"record.{name}"))
            self.stepper.load_state_dict(kept)
            advance(len(self.rows) * done)
        else:
            self._record(0, times[0])
        last = clock.monotonic()
        for k in range(done, len(times) - 1):
            self.batch.advance(times[k], times[k + 1])
            self._record(k + 1, times[k + 1])
            advance(len(self.rows))
            if keep is not None and clock.monotonic() - last > KEEP_SECONDS and k + 2 < len(times):
                state = {f"record.{name}": torch.stack(values) for name, values in self.records.items()}
                keep.keep(number, self.stepper.state_dict() | state | {"done": torch.tensor(k + 1)})
                last = clock.monotonic()
        records = {name: torch.stack(values) for name, values in self.records.items()}
        if keep is not None:
            keep.finish(number, records)
        return records

    def _record(self, number: int, time: float) -> None:
        for name, values in self.batch.observe(self.observe, time).items():
            self.records[name].append(values)
        if self.snapshots is not None:
            self.snapshots.save(self.batch.system.film, self.stepper.m, self.rows, number, time)


def _dataset(run: _Run, backend: Backend, observe: Sequence[Observable], parts: list[dict[str, Tensor]]) -> xr.Dataset:
    records = {item.name: torch.cat([part[item.name] for part in parts], dim=1) for item in observe}
    return records_dataset(run.plan, observe, records, run.times, run.attributes(backend))
