"""Ensemble simulation: hundreds of thermal replicas of a film in one call."""

from __future__ import annotations

import math
import time as clock
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.limits import check_memory
from barkhausen.core.plausible import plausible
from barkhausen.core.progress import Progress, display_of
from barkhausen.micromagnetics.backend import Backend, choose_backend
from barkhausen.micromagnetics.checkpoints import Checkpoint, digest
from barkhausen.micromagnetics.display import accessor  # noqa: F401 (results have .barkhausen.plot())
from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.files.ovf import Snapshots
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.initial import default_state, for_replicas
from barkhausen.micromagnetics.integrators import CompiledHeun, DormandPrince, Heun, StepAdvice, Stepper, advise_step
from barkhausen.micromagnetics.observables import Observable, check_observables, default_observables
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import Term, standard_terms
from barkhausen.version import __version__

MAXIMAL_STEPS = 1e9
"""Largest number of steps; more would take weeks and are probably a mistake in the units."""

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
    temperature: float = 0.0,
    initial: Float[Tensor, "any 3 nx ny"] | None = None,
    dt: float | None = None,
    every: float | None = None,
    observe: Sequence[Observable] | None = None,
    terms: Sequence[Term] | None = None,
    integrator: str = "heun",
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
        temperature: Temperature in K; 0 is deterministic.
        initial: Initial magnetisation, ``[replica or 1, 3, nx, ny]``. Default: one Néel wall in the
            middle; in a film magnetised in its plane, uniform along +x.
        dt: Time step in s. Default: the one that :func:`advise_step` recommends, fitted to ``every``.
        every: Time between records in s. Default: a hundredth of the duration.
        observe: Observables. Default: position, number, tilt and angle of walls, and <m>.
        terms: Terms of the effective field. Default: all terms that the material has constants for.
        integrator: ``heun``, or ``dormand-prince`` (adaptive, at zero temperature).
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
    plan = _Plan.of(
        film,
        drive,
        duration,
        replicas,
        seed,
        temperature,
        dt,
        every,
        terms,
        integrator,
        tolerance,
        "default" if initial is None else digest(torch.as_tensor(initial)),
    )
    chosen = choose_backend(
        film, plan.terms, replicas, name=backend, integrator=integrator, device=device, dtype=dtype, chunk=chunk,
        memory=memory, threads=threads,
    )  # fmt: skip
    observe = default_observables() if observe is None else tuple(observe)
    check_observables(observe)
    if snapshots is not None:
        snapshots.check_replicas(replicas)
    needed = BYTES_OF_A_CELL * film.grid.cells * float(replicas) + BYTES_OF_A_RECORD * len(plan.times) * float(replicas)
    check_memory(needed, f"replicas = {replicas}: of {film.grid.cells} cells and {len(plan.times)} records each")
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
                run = _Chunk(plan, chosen, rows=rows, start=start[rows], observe=observe, snapshots=snapshots)
                records = run.execute(number, keep, advance)
            else:
                advance(len(rows) * (len(plan.times) - 1))
            parts.append(records)
    return _dataset(plan, chosen, observe, parts)


@dataclass(frozen=True)
class _Plan:
    """Checked arguments of one simulation."""

    film: Film
    drive: Drive
    terms: tuple[Term, ...]
    replicas: int
    seed: int
    temperature: float
    dt: float
    times: Float[Tensor, " time"]
    integrator: str
    tolerance: float
    advice: StepAdvice
    initial: str
    """Initial state: the default, or a digest of the one given."""

    @staticmethod
    def of(  # noqa: PLR0917 (the arguments of the one caller, in its order)
        film: Film,
        drive: Drive | None,
        duration: float,
        replicas: int,
        seed: int,
        temperature: float,
        dt: float | None,
        every: float | None,
        terms: Sequence[Term] | None,
        integrator: str,
        tolerance: float,
        initial: str,
    ) -> _Plan:
        drive = drive or Drive()
        _check_numbers(replicas, seed, temperature, {"duration": duration, "every": every, "dt": dt})
        if integrator == "dormand-prince" and temperature > 0:
            raise InputError("integrator = 'dormand-prince': is for temperature = 0; thermal noise needs 'heun'")
        film.check_replicas(replicas)
        drive.check_replicas(replicas)
        every = duration / 100 if every is None else every
        check_memory(BYTES_OF_A_RECORD * (duration / every), f"every = {every:g} s: {duration / every:.3g} records")
        records = round(duration / every)
        if records < 1 or abs(duration / every - records) > 1e-6 * records:
            raise InputError(f"every = {every:g}: the duration of {duration:g} s is not a whole number of records")
        advice = advise_step(film, drive, temperature=temperature, dt=dt)
        if dt is None:
            dt = every / math.ceil(every / advice.recommended * (1 - 1e-9))
            advice = advise_step(film, drive, temperature=temperature, dt=dt)
        elif integrator == "heun":
            if dt > advice.stable:
                raise InputError(advice.verdict)
            if abs(every / dt - round(every / dt)) > 1e-6 * every / dt or round(every / dt) < 1:
                fits = every / math.ceil(every / dt)
                raise InputError(
                    f"dt = {dt:g}: every = {every:g} s is not a whole number of steps; dt = {fits:.4g} s would be"
                )
            if temperature > 0 and dt > advice.recommended * (1 + 1e-9):
                warnings.warn(advice.verdict, stacklevel=3)
        if duration / dt > MAXIMAL_STEPS:
            raise InputError(
                f"duration = {duration:g} s: is {duration / dt:.1g} steps of {dt:g} s; the most is {MAXIMAL_STEPS:g}"
            )
        terms = standard_terms(film.material, film.maps) if terms is None else _checked_terms(terms)
        drive.check_effect(film.material, terms)
        times = torch.arange(records + 1, dtype=torch.float64) * every
        return _Plan(film, drive, terms, replicas, seed, temperature, dt, times, integrator, tolerance, advice, initial)

    def stepper(self, system: System, m: Tensor, rows: Tensor, backend: Backend) -> Stepper:
        """Integrator of one chunk."""
        if self.integrator == "dormand-prince":
            return DormandPrince(system, m, tolerance=self.tolerance, replicas=rows)
        if backend.name == "compiled":
            return CompiledHeun(
                system, m, dt=self.dt, temperature=self.temperature, seed=self.seed, replicas=rows, advice=self.advice,
                threads=backend.threads,
            )  # fmt: skip
        return Heun(
            system, m, dt=self.dt, temperature=self.temperature, seed=self.seed, replicas=rows, advice=self.advice
        )

    def attributes(self, backend: Backend) -> dict[str, object]:
        """Attributes of the result."""
        return {
            "seed": self.seed,
            "temperature": self.temperature,
            "dt": self.dt,
            "duration": float(self.times[-1]),
            "integrator": self.integrator,
            "tolerance": self.tolerance,
            "terms": [repr(term) for term in self.terms],
            "drive": self.drive.describe(),
            "initial": self.initial,
            **self.film.describe(),
            **backend.describe(),
            "version": __version__,
        }

    def fingerprint(self, backend: Backend, observe: Sequence[Observable], start: Tensor) -> dict[str, object]:
        """Values that distinguish this simulation from others, for a checkpoint."""
        drive, film = self.drive, self.film
        waves = [t for wave in drive.waveforms.values() for t in (wave.times, wave.values)]
        shapes = [*(part for item in film.tensors.items() for part in item), film.device_of_replica]
        return self.attributes(backend) | {
            "replicas": self.replicas,
            "chunk": backend.chunk,
            "tolerance": self.tolerance,
            "times": digest(self.times),
            "terms": [repr(term) for term in self.terms],
            "observe": [repr(item) for item in observe],
            "drive": digest(*waves, repr(drive.gate), drive.gate_profile),
            "film": digest(*shapes),
            "initial": digest(start),
        }


def _check_numbers(replicas: int, seed: int, temperature: float, times: dict[str, float | None]) -> None:
    if not (isinstance(replicas, Integral) and replicas >= 1):
        raise InputError(f"replicas = {replicas}: must be a whole number, 1 or more")
    if not (isinstance(seed, Integral) and 0 <= seed < 1 << 63):
        raise InputError(f"seed = {seed}: must be a whole number, 0 to 2^63 - 1")
    for name, value in times.items():
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} = {value}: must be a positive time in s")
        plausible("time step" if name == "dt" else "simulated time", value or 0.0, name)
    if not (math.isfinite(temperature) and temperature >= 0):
        raise InputError(f"temperature = {temperature}: must be zero or positive, in K")
    plausible("temperature", temperature, "temperature")


def _checked_terms(terms: Sequence[Term]) -> tuple[Term, ...]:
    for term in terms:
        if not isinstance(term, Term):
            raise InputError(f"terms: {term!r} is not a Term")
    return tuple(terms)


class _Chunk:
    """Integration of one chunk of replicas."""

    def __init__(
        self,
        plan: _Plan,
        backend: Backend,
        *,
        rows: Tensor,
        start: Tensor,
        observe: Sequence[Observable],
        snapshots: Snapshots | None,
    ) -> None:
        self.plan, self.rows, self.observe, self.snapshots = plan, rows, observe, snapshots
        self.system = System(
            plan.film.select(rows), plan.drive.select(rows), plan.terms, replicas=len(rows), dtype=backend.dtype,
            device=backend.device,
        )  # fmt: skip
        self.stepper = plan.stepper(self.system, start.to(backend.dtype), rows, backend)
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
            self.stepper.advance(times[k], times[k + 1])
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
        m = self.stepper.m
        state = self.system.state(m, time)
        for item in self.observe:
            # A copy: what an observable returns may be a view of the magnetisation, which moves on in place.
            self.records[item.name].append(item(self.system, state).to("cpu", copy=True))
        if self.snapshots is not None:
            self.snapshots.save(self.system.film, m, self.rows, number, time)


def _dataset(
    plan: _Plan, backend: Backend, observe: Sequence[Observable], parts: list[dict[str, Tensor]]
) -> xr.Dataset:
    variables, coordinates = {}, {}
    for item in observe:
        values = torch.cat([part[item.name] for part in parts], dim=1).numpy()
        variables[item.name] = (("time", "replica", *item.dimensions), values, {"units": item.units})
        coordinates.update({key: np.asarray(label) for key, label in item.coordinates(plan.film).items()})
    return xr.Dataset(
        variables,
        coords={
            "time": ("time", plan.times.numpy(), {"units": "s"}),
            "replica": ("replica", np.arange(plan.replicas)),
            **coordinates,
        },
        attrs=plan.attributes(backend),
    )
