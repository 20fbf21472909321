"""Stochastic Heun method in torch: the reference, on CPU and CUDA, in float32 or float64."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.micromagnetics.integrators.base import Stepper, check_stepper_state, check_stepping
from barkhausen.micromagnetics.integrators.guard import check_norm
from barkhausen.micromagnetics.integrators.step_size import StepAdvice, step_times, whole_steps
from barkhausen.micromagnetics.layout import along_longer_axis
from barkhausen.micromagnetics.state import Inputs
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms.thermal import ThermalNoise, thermal_amplitude

TABLE_STEPS = 512
"""Steps for which the drive is tabulated at once."""

COMPENSATED_DAMPING = 1e-3
"""Damping below which sums in float32 are compensated. A step turns m by alpha gamma B dt towards the field; where that
is not far above the rounding of m, 6e-8, the film is damped by some other amount: 2.8 % off at alpha = 1e-4 and a phase
of 0.002 a step, 0.05 % at 1e-3."""


class Heun(Stepper):
    """Heun method with the same thermal field in predictor and corrector (Stratonovich interpretation).

    m' = m + dt f(m, t); m <- m + dt/2 [f(m, t) + f(m', t + dt)], then back to the unit sphere. With the thermal field
    of :func:`thermal_amplitude` this samples the Boltzmann distribution (García-Palacios and Lázaro, Phys. Rev. B 58,
    14937 (1998)). In float32 and below :data:`COMPENSATED_DAMPING` what the sums lose is carried along. No value is
    brought back from the device between the two ends of :meth:`advance`.

    Args:
        system: Film, terms and drive of the batch.
        m: Initial magnetisation, ``[replica, 3, nx, ny]``.
        dt: Time step in s.
        temperature: Temperature in K, one for all replicas or one for each; 0 is the deterministic method of second
            order, without noise for as long as it lives.
        seed: Seed of the ensemble.
        replicas: Numbers of these replicas in the ensemble (they choose their noise); default 0, 1, …
        advice: Advice on the step, for error messages.

    Raises:
        InputError: An argument is wrong.
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
        check_stepping(system, dt, temperature, replicas)
        self.system, self.dt, self.advice = system, dt, advice
        self._m = along_longer_axis(system.start(m))
        # Large temporaries cost more in page faults than in arithmetic, so they are kept.
        self._buffers = tuple(torch.empty_like(self._m) for _ in range(3))
        self.replicas = torch.arange(system.replicas) if replicas is None else replicas
        film = system.film
        small = float(torch.as_tensor(film.damping).min()) < COMPENSATED_DAMPING
        self._rest = torch.zeros_like(self._m) if small and self._m.dtype == torch.float32 else None
        hot = bool((torch.as_tensor(temperature) > 0).any())
        self._noise = ThermalNoise(film.row_numbers(self.replicas), seed, self._m) if hot else None
        self._amplitude: Tensor | float = 0.0
        if hot:
            self.set_temperature(temperature)
        self._empty = None if film.fill is None else (film.fill == 0).to(system.dtype)

    def set_temperature(self, temperature: float | Float[Tensor, " replica"]) -> None:
        """Set the temperature in K, one for all replicas or one for each, from the next step on."""
        film = self.system.film
        if self._noise is None and bool((torch.as_tensor(temperature) > 0).any()):
            super().set_temperature(temperature)
        amplitude: Tensor | float
        if isinstance(temperature, Tensor):
            roots = film.to_rows(temperature.sqrt())
            amplitude = (thermal_amplitude(film, 1.0, self.dt) * roots).to(self._m)[:, None, None, None]
        else:
            amplitude = thermal_amplitude(film, temperature, self.dt)
        self._amplitude = amplitude if film.thermal_factor is None else amplitude * film.thermal_factor[:, None]

    @property
    def m(self) -> Float[Tensor, "replica 3 nx ny"]:
        """Current magnetisation."""
        return self._m

    def advance(self, start: float, stop: float) -> None:
        """Move from ``start`` to ``stop``, a whole number of steps apart."""
        steps = whole_steps(start, stop, self.dt)
        deviation = self._m.new_zeros(self._m.shape[0])
        for first in range(0, steps, TABLE_STEPS):
            count = min(TABLE_STEPS, steps - first)
            rows = self.system.table(step_times(start, first, count + 1, self.dt))
            inputs = [self.system.drive.inputs(row) for row in rows]
            for k in range(count):
                deviation = torch.maximum(deviation, self._step(inputs[k], inputs[k + 1]))
            numbers = self.system.film.to_rows(self.replicas)
            check_norm(deviation, numbers, start + (first + count) * self.dt, self.advice)

    def _step(self, now: Inputs, then: Inputs) -> Float[Tensor, " replica"]:
        system, m = self.system, self._m
        field, slope, predicted = self._buffers
        noise = None if self._noise is None else self._noise.draw((m.shape[2], m.shape[3])).mul_(self._amplitude)
        self._evaluate(field, m, now, noise)
        system.rate(m, field, slope)
        torch.add(m, slope, alpha=self.dt, out=predicted)
        self._add(slope, 0.5 * self.dt)
        self._evaluate(field, predicted, then, noise)
        system.rate(predicted, field, slope)
        self._add(slope, 0.5 * self.dt)
        square = m[:, 0].square().addcmul_(m[:, 1], m[:, 1]).addcmul_(m[:, 2], m[:, 2])
        if self._empty is not None:
            square += self._empty
        if self._rest is None:
            m.mul_(square.rsqrt()[:, None])
        else:
            self._add(torch.mul(m, square.rsqrt().sub_(1)[:, None], out=slope), 1.0)
        return square.sub_(1).abs_().amax((1, 2))

    def _add(self, change: Tensor, factor: float) -> None:
        """Add to m; with compensation, also what earlier sums have lost (Kahan, Commun. ACM 8, 40 (1965))."""
        m, rest = self._m, self._rest
        if rest is None:
            m.add_(change, alpha=factor)
            return
        change.mul_(factor).add_(rest)
        rest.copy_(m)
        m.add_(change)
        # What of the change did not arrive: change − (m after − m before).
        rest.sub_(m).add_(change)

    def _evaluate(self, out: Tensor, m: Tensor, inputs: Inputs, noise: Tensor | None) -> None:
        if noise is None:
            out.zero_()
        else:
            out.copy_(noise)
        self.system.add_field(out, self.system.state(m, inputs))

    def take_film(self) -> bool:
        """Nothing is kept of what may change."""
        return True

    def state_dict(self) -> dict[str, Tensor]:
        """Magnetisation and random state."""
        state = {"m": self._m.cpu()}
        if self._rest is not None:
            state["rest"] = self._rest.cpu()
        if self._noise is not None:
            state["random"] = self._noise.state()
        return state

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Resume from what :meth:`state_dict` returned."""
        shape = tuple(self._m.shape)
        check_stepper_state(state, {"m": shape} if self._noise is None else {"m": shape, "random": None})
        self._m = along_longer_axis(state["m"].to(self.system.device, self.system.dtype, copy=True))
        if self._rest is not None and "rest" in state:
            self._rest = along_longer_axis(state["rest"].to(self._m, copy=True))
        if self._noise is not None:
            self._noise.load_state(state["random"])
