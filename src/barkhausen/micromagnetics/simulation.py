"""Simulation that is advanced step by step, so that what drives it may depend on what it has done."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.config import differing
from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.core.files.reading import read_bytes
from barkhausen.core.limits import check_memory
from barkhausen.core.progress import Progress, display_of
from barkhausen.micromagnetics.backend import bytes_per_replica, choose_backend
from barkhausen.micromagnetics.checkpoints import check_state, identity_of, sum_of
from barkhausen.micromagnetics.display import accessor  # noqa: F401 (results have .barkhausen.plot())
from barkhausen.micromagnetics.excitation.clocked import ClockedDrive, held_constants, same_constants
from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.observables import Observable, check_observables
from barkhausen.micromagnetics.observables.base import listed
from barkhausen.micromagnetics.plan import (
    Batch,
    Plan,
    Temperature,
    check_steps,
    check_time,
    digest_of_film,
    records_dataset,
    whole_records,
)
from barkhausen.micromagnetics.states import default_state, for_replicas
from barkhausen.micromagnetics.terms import Term
from barkhausen.version import __version__

CLOCK_FRACTION = 4096
"""Parts of a step that times of the drive are rounded to: far below a step, far above the rounding of a time."""


class Simulation:
    """Batch of replicas in memory that is advanced piece by piece: closed loops, pulses that depend on a read.

    The state after a piece is the state before the next. Noise depends on the seed and on the number of a replica
    alone. With a step of its own (``dt``) a simulation takes the same path, to the last bit, however its time is
    divided into pieces of whole steps.

    Args:
        film: Grid, material, and shape and anisotropy of each replica (:meth:`Film.assign`).
        drive: Currents, fields and gate voltages while :meth:`advance` is given none. Its waveforms count from time
            0 of the simulation. Default: none.
        replicas: Number of replicas, all computed together.
        seed: Seed of the thermal noise.
        temperature: Temperature in K: a number, one for each replica, or a waveform, which counts from time 0 and is
            held for 8 steps at a time.
        initial: Initial magnetisation, ``[replica or 1, 3, nx, ny]``. Default: as :func:`simulate`.
        dt: Time step in s; every piece must be a whole number of steps. Default: for each piece the longest step that
            divides it and is not above what :func:`advise_step` recommends.
        terms: Terms of the effective field. Default: all terms that the material has constants for.
        integrator, tolerance: As for :func:`simulate`.
        backend, device, dtype, threads: As for :func:`simulate`.

    Raises:
        InputError: An argument is wrong, or the parts do not fit each other.
    """

    def __init__(
        self,
        film: Film,
        drive: Drive | None = None,
        *,
        replicas: int = 1,
        seed: int = 0,
        temperature: Temperature = 0.0,
        initial: Float[Tensor, "any 3 nx ny"] | None = None,
        dt: float | None = None,
        terms: Sequence[Term] | None = None,
        integrator: str = "auto",
        tolerance: float = 1e-5,
        backend: str = "auto",
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        threads: int | None = None,
    ) -> None:
        check_time("dt", dt)
        self._plan = plan = Plan.of(film, replicas, seed, temperature, terms, integrator, tolerance)
        self._drive = drive = drive or Drive()
        plan.check_drive(drive)
        self._backend = chosen = choose_backend(
            film,
            plan.terms,
            replicas,
            name=backend,
            integrator=plan.integrator,
            device=device,
            dtype=dtype,
            threads=threads,
        )
        check_memory(bytes_per_replica(film, chosen.name, dtype) * float(replicas), f"replicas = {replicas}")
        start = for_replicas(film, default_state(film) if initial is None else initial, replicas)
        advice = plan.advice(drive, dt)
        self._wanted = dt
        dt, advice = plan.step(advice.recommended if dt is None else dt, drive, dt, "a step")
        # The time is origin + steps × dt, so that no error accumulates.
        self._origin, self._steps = 0.0, 0
        rows = torch.arange(replicas)
        self._batch = Batch(plan, chosen, self._on_clock(drive, None), rows, start, dt, advice)
        self._held = held_constants(drive)
        self._last: tuple[Drive, float] = (drive, math.nan)

    def __repr__(self) -> str:
        nx, ny = self.film.grid.shape
        layers = f"{self.film.layer_count} x " if self.film.layer_count > 1 else ""
        return (
            f"Simulation({self._plan.replicas} replicas of {layers}{nx} x {ny} cells, t = {self.time:.6g} s, "
            f"dt = {self.dt:g} s, {self._backend.describe()['backend']})"
        )

    @property
    def time(self) -> float:
        """Simulated time in s."""
        return self._origin + self._steps * self._batch.dt

    @property
    def dt(self) -> float:
        """Time step in use in s."""
        return self._batch.dt

    @property
    def replicas(self) -> int:
        """Number of replicas."""
        return self._plan.replicas

    @property
    def m(self) -> Float[Tensor, "replica 3 nx ny"]:
        """Copy of the magnetisation, in the precision and on the device of the computation.

        It may be set: ``[replica or 1, 3, nx, ny]``, scaled to unit length in filled cells and 0 in empty ones.
        """
        return self._batch.stepper.m.clone()

    @m.setter
    def m(self, value: Float[Tensor, "any 3 nx ny"]) -> None:
        self._batch.stepper.set_magnetisation(for_replicas(self.film, value, self.replicas).to(self._backend.dtype))

    @property
    def film(self) -> Film:
        """Film of the replicas.

        It may be set to another one with the same grid, material, filled cells and devices, whose anisotropy differs:
        what follows from the rest, such as the demagnetising kernel, is kept.
        """
        return self._plan.film

    @film.setter
    def film(self, film: Film) -> None:
        _check_same(self.film, film)
        if "_tensor" in self.film.__dict__:
            film.__dict__["_tensor"] = self.film.__dict__["_tensor"]
        self._plan = replace(self._plan, film=film)
        self._batch.replace_film(film)
        # The anisotropy has its part in the advice on the step.
        self._last = (self._drive, math.nan)

    def advance(
        self,
        duration: float,
        drive: Drive | None = None,
        observe: Sequence[Observable] = (),
        every: float | None = None,
        *,
        progress: Progress | bool | None = None,
    ) -> xr.Dataset | None:
        """Take the state on by that time.

        Args:
            duration: Simulated time in s.
            drive: Drive of this piece alone, whose waveforms count from its start; common to all replicas or one value
                for each. Default: the drive of the simulation, whose waveforms count from time 0.
            observe: Observables.
            every: Time between records in s. Default: one record, at the end.
            progress: Display of the progress; ``True``: a bar on the terminal or in the notebook.

        Returns:
            Observables with the dimensions ``time`` and ``replica``, at each multiple of ``every`` after the start
            (that of the start itself is the last of the piece before); ``None`` without observables.

        Raises:
            InputError: An argument is wrong, or the piece is no whole number of steps.
            IntegrationError: The integration of a replica broke down. The state is then of no use: load an earlier
                one.
        """
        interval, records = duration, 1
        if every is not None or self._last[1] != duration:
            check_time("duration", math.nan if duration is None else duration)
            check_time("every", every)
            interval = duration if every is None else every
            records = whole_records(duration, interval)
        used = self._drive if drive is None else drive
        if self._last != (used, interval):
            if used is not self._last[0]:
                self._plan.check_drive(used)
            dt, advice = self._plan.step(
                interval, used, self._kept_step(interval, used), "duration" if every is None else "every"
            )
            check_steps(duration, dt)
            self._change_step(dt)
            self._batch.stepper.advice = self._batch.advice = advice
            self._last = (used, interval)
        self._set_drive(used, None if drive is None else self.time)
        observe = listed(observe)
        if observe:
            check_observables(observe)
        kept: dict[str, list[Tensor]] = {item.name: [] for item in observe}
        times = []
        with display_of(progress).task("replica-records", self.replicas * records) as made:
            for _ in range(records):
                self._move(interval)
                times.append(self.time)
                for name, values in self._batch.observe(observe, self.time).items() if observe else ():
                    kept[name].append(values)
                made(self.replicas)
        if not observe:
            return None
        stacked = {name: torch.stack(values) for name, values in kept.items()}
        return records_dataset(self._plan, observe, stacked, torch.tensor(times, dtype=torch.float64), self.attributes)

    def read(self, observable: Observable) -> Float[Tensor, "replica *more"]:  # noqa: F821, UP037
        """Values of one observable now, as a tensor: a quick read for closed loops."""
        check_observables((observable,))
        return self._batch.observe((observable,), self.time)[observable.name]

    def observe(self, observables: Sequence[Observable]) -> xr.Dataset:
        """Observables now, under the drive of the last piece, with the dimension ``replica``."""
        items = listed(observables)
        check_observables(items)
        values = {name: value[None] for name, value in self._batch.observe(items, self.time).items()}
        time = torch.tensor([self.time], dtype=torch.float64)
        return records_dataset(self._plan, items, values, time, self.attributes).isel(time=0)

    @property
    def attributes(self) -> dict[str, Any]:
        """Parameters of the simulation, as results carry them."""
        return self._identity() | {"dt": self.dt, "version": __version__}

    def state_dict(self) -> dict[str, Tensor]:
        """State from which the simulation resumes to the last bit: tensors on the CPU."""
        clock = torch.tensor([self._origin, self._batch.dt], dtype=torch.float64)
        state = self._batch.stepper.state_dict() | {
            "clock": clock, "steps": torch.tensor(self._steps),
            "identity": identity_of(self._identity(), self.film.describe()),
        }  # fmt: skip
        return {key: value.clone() for key, value in state.items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Resume, to the last bit, from what :meth:`state_dict` of an equal simulation returned.

        Raises:
            InputError: The state is of another simulation.
        """
        check_state(state, self.state_dict())
        rest = {key: value for key, value in state.items() if key != "identity"}
        origin, dt = rest.pop("clock").tolist()
        steps = int(rest.pop("steps"))
        if self._wanted is not None and dt != self._wanted:
            raise InputError(f"state: was taken with dt = {dt:g} s, here dt = {self._wanted:g} s")
        if dt != self._batch.dt:
            self._batch.rebuild(dt, self._plan.advice(self._drive, dt))
            self._last = (self._drive, math.nan)
        self._batch.stepper.load_state_dict(rest)
        self._origin, self._steps = origin, steps

    def save(self, path: Path | str) -> None:
        """Write :meth:`state_dict` and what it belongs to into a file (safetensors).

        Raises:
            InputError: The file cannot be written.
        """
        tensors = {key: value.contiguous() for key, value in self.state_dict().items()}
        about = json.dumps(self._identity() | {"film": digest_of_film(self.film)}, sort_keys=True)
        atomic_write(Path(path), safetensors.torch.save(tensors, {"simulation": about, "sum": sum_of(tensors)}))

    def load(self, path: Path | str) -> None:
        """Resume, to the last bit, from a file that :meth:`save` of an equal simulation wrote.

        Raises:
            InputError: The file is damaged, or of another simulation; the message says in what it differs.
        """
        path = Path(path)
        data = read_bytes(path, binary=True)
        try:
            tensors = safetensors.torch.load(data)
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
            about = json.loads(header["__metadata__"]["simulation"])
            if header["__metadata__"].get("sum", sum_of(tensors)) != sum_of(tensors):
                raise ValueError("its numbers do not have the sum that was kept with them")
        except (ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
            raise InputError(f"{path}: is no state of a simulation ({error})") from None
        mine = json.loads(json.dumps(self._identity() | {"film": digest_of_film(self.film)}))
        keys = differing(mine, about)
        if keys:
            raise InputError(f"{path}: is the state of another simulation (differs in {', '.join(keys)})")
        try:
            self.load_state_dict(tensors)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    def _identity(self) -> dict[str, Any]:
        """Parameters that do not change on the way."""
        plan = self._plan
        temperature = plan.describe_temperature()
        return {
            "seed": plan.seed,
            "replicas": plan.replicas,
            "temperature": json.dumps(temperature) if isinstance(temperature, dict) else temperature,
            "integrator": plan.integrator,
            "tolerance": plan.tolerance,
            "terms": [repr(term) for term in plan.terms],
            **plan.film.describe(),
            **self._backend.describe(),
        }

    def _kept_step(self, interval: float, drive: Drive) -> float | None:
        """Step asked for, or the present one where it fits the interval and the advice, or None."""
        if self._wanted is not None or self._plan.adaptive:
            return self._wanted
        dt, recommended = self._batch.dt, self._plan.advice(drive).recommended
        fits = abs(interval / dt - round(interval / dt)) <= 1e-9 * interval / dt and interval > 0.5 * dt
        return dt if fits and 0.5 * recommended < dt <= recommended else None

    def _change_step(self, dt: float) -> None:
        if dt == self._batch.dt or self._plan.adaptive:
            return
        self._origin, self._steps = self.time, 0
        self._batch.rebuild(dt, self._batch.advice)

    def _set_drive(self, drive: Drive, start: float | None) -> None:
        """Make a drive that of the batch, counted from ``start`` (s), or from time 0."""
        system = self._batch.system
        system.drive = self._on_clock(drive, start)
        held = held_constants(drive)
        if all(one is two for one, two in zip(held, self._held, strict=True)):
            return
        system.take_profiles(drive)
        if not same_constants(held, self._held):
            # The kernel holds them.
            self._batch.rebuild(self._batch.dt, self._batch.advice)
        self._held = held

    def _move(self, interval: float) -> None:
        """Make whole steps; an adaptive integrator lands on the end."""
        if self._plan.adaptive:
            start = self._origin
            self._batch.advance(start, start + interval)
            self._origin = start + interval
            return
        steps = round(interval / self._batch.dt)
        self._batch.advance(self.time, self._origin + (self._steps + steps) * self._batch.dt)
        self._steps += steps

    def _on_clock(self, drive: Drive, start: float | None) -> ClockedDrive:
        """The drive at times of the simulation, counted from ``start`` (s), or from time 0."""
        return ClockedDrive.of(drive, lambda times: self._own_time(times, start))

    def _own_time(self, times: Float[Tensor, " time"], start: float | None) -> Float[Tensor, " time"]:
        """Times (s) on the clock of the simulation: the same, to the last bit, however they were summed up."""
        if self._plan.adaptive:
            return times - (start or 0.0)
        dt = self._batch.dt
        parts = torch.round((times - self._origin) / dt * CLOCK_FRACTION) / CLOCK_FRACTION
        if start is None:
            return self._origin + parts * dt
        return (parts - round((start - self._origin) / dt)) * dt


def _check_same(film: Film, other: Film) -> None:
    """Raise :class:`InputError` if a film cannot take the place of another while a simulation runs."""
    if not isinstance(other, Film):
        raise InputError(f"film: {type(other).__name__} is not a Film")
    if other.grid != film.grid:
        raise InputError(f"film: has {other.grid}, the simulation {film.grid}")
    if other.material != film.material:
        raise InputError("film: has another material than the simulation")
    mine, its = ({**item.tensors, "device_of_replica": item.device_of_replica} for item in (film, other))
    for name in sorted({*mine, *its} - {"anisotropy"}):
        one, two = mine.get(name), its.get(name)
        if one is not two and (one is None or two is None or not torch.equal(one, two)):
            raise InputError(f"film.{name}: differs from that of the simulation")
    if other.devices not in (1, film.devices) and film.devices != 1:
        raise InputError(f"film: has {other.devices} devices, the simulation {film.devices}")
