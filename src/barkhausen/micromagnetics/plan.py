"""Plan: checked arguments that ensembles and stepwise simulations share, and the batch of replicas that follows it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers
from barkhausen.core.errors import InputError, warn
from barkhausen.core.plausible import plausible
from barkhausen.micromagnetics.backend import Backend, choose_integrator
from barkhausen.micromagnetics.checkpoints import digest
from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.excitation.waveform import Values, Waveform
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.integrators import (
    CompiledHeun,
    CompiledSplitting,
    DormandPrince,
    Heun,
    Splitting,
    StepAdvice,
    Stepper,
    advise_splitting_step,
    advise_step,
)
from barkhausen.micromagnetics.observables import Observable
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import Demag, Term, terms_of

MAXIMAL_STEPS = 1e9
"""Largest number of steps; more would take weeks and are probably a mistake in the units."""

HELD_STEPS = 8
"""Steps for which a temperature that changes in time is held, at its value in their middle."""

Temperature = Waveform | Values
"""Temperature in K: a number for all replicas, one for each, or a waveform."""


@dataclass(frozen=True)
class Plan:
    """Checked arguments of a simulation that hold for all of it.

    Args:
        film: Grid, material and family of devices.
        terms: Terms of the effective field.
        replicas: Number of replicas.
        seed: Seed of the thermal noise.
        temperature: Temperature in K.
        integrator: Name of the integrator.
        tolerance: Tolerance of an adaptive integrator.
    """

    film: Film
    terms: tuple[Term, ...]
    replicas: int
    seed: int
    temperature: Waveform
    integrator: str
    tolerance: float

    @staticmethod
    def of(  # noqa: PLR0917 (the arguments of two callers, in their order)
        film: Film,
        replicas: int,
        seed: int,
        temperature: Temperature,
        terms: Sequence[Term] | None,
        integrator: str,
        tolerance: float,
    ) -> Plan:
        """The plan of these arguments.

        Raises:
            InputError: An argument is wrong, or the parts do not fit each other.
        """
        if not isinstance(film, Film):
            raise InputError(f"film: {type(film).__name__} is not a Film")
        if not (isinstance(replicas, Integral) and replicas >= 1):
            raise InputError(f"replicas = {replicas}: must be a whole number, 1 or more")
        if not (isinstance(seed, Integral) and 0 <= seed < 1 << 63):
            raise InputError(f"seed = {seed}: must be a whole number, 0 to 2^63 - 1")
        wave = _temperature(temperature)
        if wave.replicas not in (1, replicas):
            raise InputError(f"temperature: given for {wave.replicas} replicas, but there are {replicas}")
        if integrator == "dormand-prince" and not wave.is_zero:
            raise InputError(
                "integrator = 'dormand-prince': is for temperature = 0; thermal noise needs 'splitting' or 'heun'"
            )
        if film.material.constants_at > 0 and not wave.is_zero:
            warn(
                f"material.constants_at = {film.material.constants_at:g}: these are averages, and as constants of the "
                "cells thermal fluctuations will soften them; bare_film(film, temperature) gives the film to simulate"
            )
        if film.material.damping == 0 and not wave.is_zero:
            raise InputError(
                "damping = 0: with a temperature above 0 there must be damping, which the thermal field balances; "
                "take a small damping, or temperature = 0 with integrator = 'dormand-prince'"
            )
        film.check_replicas(replicas)
        terms = terms_of(film) if terms is None else _checked_terms(terms)
        integrator = choose_integrator(integrator, film, terms, hot=not wave.is_zero)
        return Plan(film, terms, replicas, seed, wave, integrator, tolerance)

    @property
    def adaptive(self) -> bool:
        """Whether the integrator chooses its steps itself."""
        return self.integrator == "dormand-prince"

    def check_drive(self, drive: Drive) -> None:
        """Raise :class:`InputError` if a drive is for other replicas or cells, or does nothing here."""
        if not isinstance(drive, Drive):
            raise InputError(f"drive: {drive!r} is not a Drive")
        drive.check_replicas(self.replicas)
        drive.check_effect(self.film.material, self.terms)

    def advice(self, drive: Drive, dt: float | None = None) -> StepAdvice:
        """Advice on the step under a drive."""
        advise = advise_splitting_step if self.integrator == "splitting" else advise_step
        return advise(self.film, drive, temperature=self.temperature.peak, dt=dt, terms=self.terms)

    def step(self, interval: float, drive: Drive, dt: float | None, name: str = "every") -> tuple[float, StepAdvice]:
        """Step in s for intervals of that length, and the advice on it: the recommended one if none is given.

        To be called from the function that the user calls: a warning points there.

        Args:
            interval: Time in s that has to be a whole number of steps.
            drive: Drive on the way.
            dt: Step in s that the user wants, or None.
            name: Name of the interval, for messages.

        Raises:
            InputError: The step is unstable, or the interval is no whole number of steps.
        """
        if self.adaptive and dt is None and not bool(torch.as_tensor(self.film.damping).all()):
            # Heun's method, which the advice is for, has no step without damping.
            return interval, self.advice(drive, interval)
        advice = self.advice(drive, dt)
        if dt is None:
            dt = interval / math.ceil(interval / advice.recommended * (1 - 1e-9))
            return dt, self.advice(drive, dt)
        if not self.adaptive:
            if dt > advice.stable:
                raise InputError(advice.verdict)
            if abs(interval / dt - round(interval / dt)) > 1e-6 * interval / dt or round(interval / dt) < 1:
                fits = interval / math.ceil(interval / dt)
                raise InputError(
                    f"dt = {dt:g}: {name} = {interval:g} s is not a whole number of steps; dt = {fits:.4g} s would be"
                )
            if self.temperature.peak > 0 and dt > advice.recommended * (1 + 1e-9):
                warnings.warn(advice.verdict, stacklevel=3)
        return dt, advice

    def stepper(  # noqa: PLR0917 (what a step needs)
        self, system: System, m: Tensor, rows: Int[Tensor, " replica"], backend: Backend, dt: float, advice: StepAdvice
    ) -> Stepper:
        """Integrator of the replicas with these numbers."""
        if self.adaptive:
            return DormandPrince(system, m, tolerance=self.tolerance, replicas=rows)
        wave = self.temperature.select(rows)
        # Of a waveform the highest, so that there is noise at all; the batch sets what holds at a time.
        temperature = float(wave.values.max()) if wave.replicas == 1 else wave.values.amax(0)
        splits = self.integrator == "splitting"
        if backend.name == "compiled":
            return (CompiledSplitting if splits else CompiledHeun)(
                system, m, dt=dt, temperature=temperature, seed=self.seed, replicas=rows, advice=advice,
                threads=backend.threads,
            )  # fmt: skip
        return (Splitting if splits else Heun)(
            system, m, dt=dt, temperature=temperature, seed=self.seed, replicas=rows, advice=advice
        )

    def describe_temperature(self) -> float | list[float] | dict[str, list[list[float]]]:
        """Temperature as plain values: a number, one for each replica, or the knots of a waveform."""
        if len(self.temperature.values) > 1:
            return self.temperature.describe()
        values = self.temperature.values[0].tolist()
        return values[0] if len(values) == 1 else values


class Batch:
    """Replicas of a plan that are integrated together.

    Args:
        plan: Plan of the simulation.
        backend: Backend that computes.
        drive: Drive of these replicas.
        rows: Numbers of the replicas.
        start: Initial magnetisation, ``[replica, 3, nx, ny]``.
        dt: Step in s.
        advice: Advice on it.
    """

    def __init__(  # noqa: PLR0917 (of two callers)
        self,
        plan: Plan,
        backend: Backend,
        drive: Drive,
        rows: Int[Tensor, " replica"],
        start: Tensor,
        dt: float,
        advice: StepAdvice,
    ) -> None:
        self.plan, self.backend, self.rows, self.dt, self.advice = plan, backend, rows, dt, advice
        self.system = System(
            plan.film.select(rows), drive, plan.terms, replicas=len(rows), dtype=backend.dtype, device=backend.device
        )
        self.temperature = plan.temperature.select(rows)
        self.stepper = plan.stepper(self.system, start.to(backend.dtype), rows, backend, dt, advice)

    def replace_film(self, film: Film) -> None:
        """Go on with another film of the same grid, material and filled cells; what follows from those is kept."""
        old = self.system.film
        self.system.film = film.select(self.rows).to(self.backend.dtype, self.backend.device)
        for term in self.system.terms:
            if isinstance(term, Demag):
                term.share_spectra(old, self.system.film)
        if not self.stepper.take_film():
            self.rebuild(self.dt, self.advice)

    def rebuild(self, dt: float, advice: StepAdvice) -> None:
        """Make the integrator anew for another step or changed constants; state and random numbers go on."""
        state = self.stepper.state_dict()
        self.dt, self.advice = dt, advice
        self.stepper = self.plan.stepper(self.system, state["m"], self.rows, self.backend, dt, advice)
        self.stepper.load_state_dict(state)

    def advance(self, start: float, stop: float) -> None:
        """Move from ``start`` to ``stop`` (s)."""
        if len(self.temperature.values) == 1:
            self.stepper.advance(start, stop)
            return
        # Blocks count from time 0 and keep the temperature of their middle, whatever the division into calls.
        block = HELD_STEPS * self.dt
        number, end = round(start / self.dt), round(stop / self.dt)
        while number < end:
            held, upto = number // HELD_STEPS, min(end, (number // HELD_STEPS + 1) * HELD_STEPS)
            middle = torch.tensor([(held + 0.5) * block], dtype=torch.float64)
            self.stepper.set_temperature(self.temperature(middle)[0])
            next_start = stop if upto == end else start + (upto - round(start / self.dt)) * self.dt
            self.stepper.advance(next_start - (upto - number) * self.dt, next_start)
            number = upto

    def observe(self, observe: Sequence[Observable], time: float) -> dict[str, Tensor]:
        """Values of observables at that time (s), on the CPU."""
        state = self.system.state(self.stepper.m, time)
        # Copies: what an observable returns may be a view of the magnetisation, which moves on in place.
        return {item.name: item(self.system, state).to("cpu", copy=True) for item in observe}


def check_time(name: str, value: float | None) -> None:
    """Raise :class:`InputError` if a time in s is not positive or not plausible; None is fine."""
    if value is not None and not (isinstance(value, Real) and math.isfinite(value) and value > 0):
        raise InputError(f"{name} = {value!r}: must be a positive time in s")
    plausible("time step" if name == "dt" else "simulated time", value or 0.0, name)


def check_steps(duration: float, dt: float) -> None:
    """Raise :class:`InputError` if a duration in s is too many steps."""
    if duration / dt > MAXIMAL_STEPS:
        raise InputError(
            f"duration = {duration:g} s: is {duration / dt:.1g} steps of {dt:g} s; the most is {MAXIMAL_STEPS:g}"
        )


def whole_records(duration: float, every: float) -> int:
    """Number of records of a duration, one each ``every`` (s).

    Raises:
        InputError: The number is not whole.
    """
    records = round(duration / every)
    if records < 1 or abs(duration / every - records) > 1e-6 * records:
        raise InputError(f"every = {every:g}: the duration of {duration:g} s is not a whole number of records")
    return records


def records_dataset(
    plan: Plan,
    observe: Sequence[Observable],
    records: dict[str, Tensor],
    times: Float[Tensor, " time"],
    attributes: dict[str, object],
) -> xr.Dataset:
    """Data set of observed values, ``[time, replica, ...]``, with labels and units."""
    variables, coordinates = {}, {}
    for item in observe:
        values = records[item.name].numpy()
        dimensions: tuple[str, ...] = ("time", "replica", *item.dimensions)
        if values.shape[1] != plan.replicas:
            # One value for each row of the batch.
            values = values.reshape(len(values), plan.replicas, -1, *values.shape[2:])
            dimensions = ("time", "replica", "layer", *item.dimensions)
            coordinates["layer"] = np.asarray(plan.film.layer_names)
        variables[item.name] = (dimensions, values, {"units": item.units, **item.attributes})
        coordinates.update({key: np.asarray(label) for key, label in item.coordinates(plan.film).items()})
    return xr.Dataset(
        variables,
        coords={
            "time": ("time", times.numpy(), {"units": "s"}),
            "replica": ("replica", np.arange(plan.replicas)),
            **coordinates,
        },
        attrs=attributes,
    )


def digest_of_drive(drive: Drive) -> str:
    """Fingerprint of a drive."""
    signals = drive.waveforms
    local = signals.pop("local_field")
    waves = [t for wave in signals.values() for t in (wave.times, wave.values)]
    more: list[object] = []
    # Drives without these keep the fingerprint of earlier versions.
    if drive.field_profile is not None:
        more += [local.times, local.values, drive.field_profile]
    if drive.current_direction != (1.0, 0.0):
        more.append(drive.current_direction)
    return digest(*waves, repr(drive.gate), drive.gate_profile, *more)


def digest_of_film(film: Film) -> str:
    """Fingerprint of what differs from cell to cell and device to device in a film."""
    return digest(*(part for item in film.tensors.items() for part in item), film.device_of_replica)


def _temperature(value: Temperature) -> Waveform:
    if not isinstance(value, Waveform):
        try:
            numbers = torch.atleast_1d(as_tensor_of_numbers("temperature", value))
        except (TypeError, ValueError):
            raise InputError(f"temperature = {value!r}: must be zero or positive, in K") from None
        wrong = ~(torch.isfinite(numbers) & (numbers >= 0))
        if bool(wrong.any()):
            raise InputError(f"temperature = {float(numbers[wrong][0])}: must be zero or positive, in K")
        value = Waveform.constant(value)
    elif bool((value.values < 0).any()):
        raise InputError(f"temperature = {float(value.values.min())}: must be zero or positive, in K")
    plausible("temperature", value.peak, "temperature")
    return value


def _checked_terms(terms: Sequence[Term]) -> tuple[Term, ...]:
    if isinstance(terms, Term):
        raise InputError(f"terms: {terms!r} is one term; must be a sequence of terms, ({terms!r},)")
    if isinstance(terms, str) or not isinstance(terms, Iterable):
        raise InputError(f"terms: {type(terms).__name__} is no list of terms")
    for term in terms:
        if not isinstance(term, Term):
            raise InputError(f"terms: {term!r} is not a Term")
    return tuple(terms)
