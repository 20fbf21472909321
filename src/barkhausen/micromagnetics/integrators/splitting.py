"""Symmetric splitting on a checkerboard in torch: the reference of the compiled one, on CPU and CUDA."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.integrators.base import Stepper, check_stepper_state, check_stepping
from barkhausen.micromagnetics.integrators.local_fields import LocalFields, even_cells, why_no_checkerboard
from barkhausen.micromagnetics.integrators.step_size import StepAdvice, step_times, whole_steps
from barkhausen.micromagnetics.integrators.turn_guard import check_turn
from barkhausen.micromagnetics.integrators.turns import (
    diffused,
    displaced,
    dot,
    precessed,
    precessed_among_others,
    relaxed,
    turned_about,
    weight_alone,
    weight_among_others,
)
from barkhausen.micromagnetics.layout import along_longer_axis
from barkhausen.micromagnetics.state import Inputs
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import Exchange
from barkhausen.micromagnetics.terms.thermal import ThermalNoise, thermal_amplitude

TABLE_STEPS = 512
"""Steps for which the drive is tabulated at once."""


def thermal_turn(film: Film, temperature: float, dt: float) -> float:
    """Standard deviation of the turn in rad of a full cell by thermal noise about one axis in one step.

    gamma/sqrt(1 + alpha²) sigma dt with sigma of :func:`thermal_amplitude`: noise in both terms of the
    Landau-Lifshitz-Gilbert equation is, being isotropic, noise in the first alone and that much stronger.
    """
    turn = GYROMAGNETIC_RATIO / (1 + film.material.damping**2) ** 0.5 * thermal_amplitude(film, temperature, dt) * dt
    return float(turn)


class Splitting(Stepper):
    """Exact turns of one colour of a checkerboard in the field of the other, composed symmetrically.

    While the cells of the other colour rest, a cell sees a fixed field of exchange, DMI, torques and near stray field
    and turns about it exactly, which keeps its length, the energy and Boltzmann's distribution, whatever the step
    (Krech, Bunker and Landau, Comput. Phys. Commun. 111, 1 (1998); with noise: Ma and Dudarev, Phys. Rev. B 83,
    134418 (2011)). A step is half a turn of the even cells, a turn of the odd ones, half a turn of the even ones, each
    with relaxation and thermal noise (Brown's) around it, and with the precession about the easy axis, all in an order
    that reads the same from its end. What acts beside the turns has a weight (``turns.py``), since long waves would
    feel it too strongly. The far part of the stray field, and terms unknown to the package, are extrapolated to the
    middle of the step from the starts of this and the last one: one evaluation a step. Of second order without noise.

    Args:
        system: Film, terms and drive of the batch.
        m: Initial magnetisation, ``[replica, 3, nx, ny]``.
        dt: Time step in s.
        temperature: Temperature in K, one for all replicas or one for each; 0: without noise for as long as it lives.
        seed: Seed of the ensemble.
        replicas: Numbers of these replicas in the ensemble (they choose their noise); default 0, 1, …
        advice: Advice on the step, for error messages.

    Raises:
        InputError: The film has no checkerboard, or an argument is wrong.
    """

    @checks_arguments("StepAdvice", "System")
    def __init__(
        self,
        system: System,
        m: Float[Tensor, "replica 3 nx ny"],
        *,
        dt: float,
        temperature: float | Float[Tensor, " replica"] = 0.0,
        seed: int = 0,
        replicas: Int[Tensor, " replica"] | None = None,
        advice: StepAdvice | None = None,
    ) -> None:
        reason = why_no_checkerboard(system.film)
        if reason is not None:
            raise InputError(f"integrator = 'splitting': {reason}")
        check_stepping(system, dt, temperature, replicas)
        self.system, self.dt, self.advice = system, dt, advice
        self._m = along_longer_axis(system.start(m))
        self.replicas = torch.arange(system.replicas) if replicas is None else replicas
        self._even = even_cells(system.film.grid).to(system.device)
        self._last: Tensor | None = None
        self.take_film()
        hot = bool((torch.as_tensor(temperature) > 0).any())
        self._noise = ThermalNoise(self.replicas, seed, self._m) if hot else None
        self._variance: Tensor | float = 0.0
        if hot:
            self.set_temperature(temperature)

    def set_temperature(self, temperature: float | Float[Tensor, " replica"]) -> None:
        """Set the temperature in K, one for all replicas or one for each, from the next step on."""
        film = self.system.film
        if self._noise is None and bool((torch.as_tensor(temperature) > 0).any()):
            super().set_temperature(temperature)
        kick: Tensor | float
        if isinstance(temperature, Tensor):
            kicks = [thermal_turn(film, float(value), self.dt) for value in temperature]
            kick = self._m.new_tensor(kicks)[:, None, None, None]
        else:
            kick = thermal_turn(film, temperature, self.dt)
        if film.thermal_factor is not None:
            kick = kick * film.thermal_factor[:, None]
        if isinstance(self._damping, Tensor):
            # The turn of a full cell has the material's damping.
            kick = kick * ((1 + film.material.damping**2) / (1 + self._damping * self._damping)).sqrt()
        self._variance = kick * kick

    @property
    def m(self) -> Float[Tensor, "replica 3 nx ny"]:
        """Current magnetisation."""
        return self._m

    def set_magnetisation(self, m: Float[Tensor, "replica 3 nx ny"]) -> None:
        """Replace the magnetisation; the extrapolation starts anew."""
        self._m = along_longer_axis(self.system.start(m))
        self._last = None

    def advance(self, start: float, stop: float) -> None:
        """Move from ``start`` to ``stop``, a whole number of steps apart."""
        steps = whole_steps(start, stop, self.dt)
        worst = self._m.new_zeros(self._m.shape[0])
        drive = self.system.drive
        for first in range(0, steps, TABLE_STEPS):
            count = min(TABLE_STEPS, steps - first)
            times = step_times(start, first, count, self.dt)
            middles = [drive.inputs(row) for row in self.system.table(times + 0.5 * self.dt)]
            starts = [drive.inputs(row) for row in self.system.table(times)] if self._fields.others else middles
            for k in range(count):
                worst = torch.maximum(worst, self._step(starts[k], middles[k]))
            check_turn(worst, self.replicas, start + (first + count) * self.dt, self.advice)

    def _step(self, start: Inputs, middle: Inputs) -> Float[Tensor, " replica"]:
        m = self._m
        far = self._fields.extrapolated(m, start)
        if far is not None:
            last = far if self._last is None else self._last
            self._last, far = far, 1.5 * far - 0.5 * last
        easy = [(axis, self._rate * _shaped(k)) for axis, k in self._fields.axes(middle)]
        noise = self._draw()
        m, first = self._part(m, self._even, middle, far, easy, "open", noise)
        m, whole = self._part(m, ~self._even, middle, far, easy, "whole", noise)
        m, last_half = self._part(m, self._even, middle, far, easy, "close", self._draw())
        self._m = along_longer_axis(m)
        return torch.maximum(torch.maximum(first, whole), last_half)

    def _draw(self) -> Tensor | None:
        """Unit noise of one step."""
        return None if self._noise is None else self._noise.draw((self._m.shape[2], self._m.shape[3]))

    def _part(  # noqa: PLR0917 (one step in three parts)
        self,
        m: Tensor,
        cells: Bool[Tensor, "nx ny"],
        inputs: Inputs,
        far: Tensor | None,
        easy: list[tuple[Tensor | int, Tensor]],
        part: str,
        noise: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """One part of a step of one colour, and the square of its largest turn of each replica."""
        field, torque = self._fields.frozen(torch.where(cells, 0.0, m), cells, inputs)
        if far is not None:
            field += far
        half, damping = 0.5 * self._rate, self._damping
        # m × (m × V) is part of the relaxation, and -alpha V of the precession.
        turn = half * (field if torque is None else field - damping * torque)
        square = dot(turn, turn)
        if self._coupled:
            precess, weight = precessed_among_others, weight_among_others(square)
            loss = weight
        else:
            precess, weight = precessed, weight_alone(square)
            loss = torch.ones_like(weight)
        pull = (half * loss) * (damping * field if torque is None else damping * field + torque)
        pulls = [(axis, (0.5 * damping) * k * loss) for axis, k in easy]
        angles = [(axis, 0.25 * k * weight) for axis, k in easy]
        if noise is not None:
            # Half of the noise of an even cell before its turns, half after: all of it after them is too cold for
            # long waves and too hot for short ones, by damping times the phase of a step.
            noise = noise * diffused((1.0 if part == "whole" else 0.5) * loss * self._variance)
        moved = m
        if part != "close":
            moved = relaxed(moved, pull, pulls)
        if part == "open":
            moved = _kicked(moved, noise)
        for _ in range(2 if part == "whole" else 1):
            moved = _turned(moved, angles)
            moved = precess(moved, turn, square)
            moved = _turned(moved, angles[::-1])
        if part != "open":
            moved = relaxed(_kicked(moved, noise), pull, pulls)
            moved = (1.5 - 0.5 * dot(moved, moved)) * moved
        return torch.where(cells, moved, m), (square * cells).amax((1, 2, 3))

    def take_film(self) -> bool:
        """Take what follows from the film anew."""
        film = self.system.film
        self._fields = LocalFields(self.system)
        self._coupled = any(isinstance(term, Exchange) for term in self.system.terms) and film.grid.cells > 1
        self._damping = film.damping if isinstance(film.damping, float) else film.damping[:, None]
        self._rate = self.dt * self._fields.rate()
        return True

    def state_dict(self) -> dict[str, Tensor]:
        """Magnetisation, random state, and the extrapolated field one step ago (that of now if there was no step)."""
        state = {"m": self._m.cpu()}
        if self._noise is not None:
            state["random"] = self._noise.state()
        if self._fields.far:
            last = self._last
            if last is None:
                last = torch.full_like(self._m, torch.nan)
            state["far"] = last.cpu()
        return state

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Resume from what :meth:`state_dict` returned."""
        shape = tuple(self._m.shape)
        check_stepper_state(state, {"m": shape} if self._noise is None else {"m": shape, "random": None})
        self._m = along_longer_axis(state["m"].to(self.system.device, self.system.dtype, copy=True))
        if self._noise is not None:
            self._noise.load_state(state["random"])
        last = state.get("far")
        self._last = None
        if last is not None and not bool(last.isnan().all()):
            self._last = last.to(self.system.device, self.system.dtype, copy=True)


def _shaped(k: Tensor | float) -> Tensor | float:
    """A strength per cell, ``[replica, nx, ny]``, as one of the components of a field."""
    return k[:, None] if isinstance(k, Tensor) else k


def _kicked(m: Tensor, noise: Tensor | None) -> Tensor:
    """m moved by the part of the noise that is tangent to it."""
    return m if noise is None else displaced(m, noise - dot(noise, m) * m)


def _turned(m: Tensor, angles: list[tuple[Tensor | int, Tensor]]) -> Tensor:
    for axis, angle in angles:
        m = turned_about(m, axis, angle)
    return m
