"""Spiking cells: neurons whose state integrates a current, fires above a threshold and is reset."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.learning.layers.drawing import keep_stream, next_of_stream
from barkhausen.learning.spiking import kernel
from barkhausen.learning.spiking.surrogate import SHAPES, Surrogate, spike

Reset = Literal["zero", "subtract", "none", "ignore"]

RESETS: tuple[Reset, ...] = get_args(Reset)


class State(NamedTuple):
    """State of the neurons of a layer after a step.

    Attributes:
        value: Membrane potential, or place of the wall in units of the threshold.
        current: Synaptic current.
        receptive: 1 where the neuron takes in current, 0 where it ignores it until its state is back at zero.
    """

    value: Float[Tensor, "sample neuron"]
    current: Float[Tensor, "sample neuron"]
    receptive: Float[Tensor, "sample neuron"]


class Cell(nn.Module):
    """A layer of neurons without connections: input currents in, spikes out.

    The time is the first dimension of inputs and spikes. Each subclass gives the change of the state in a step. The
    current of a synapse decays by a factor in each step. All steps run in compiled code where there is any, otherwise
    in a loop over :meth:`step`. The gradient of a call ends at its first step: it does not go through the state that is
    passed from call to call.

    Args:
        decay: Factor of the synaptic current for one step; 0 for no synapse.
        threshold: Smallest state that does not yet fire.
        reset: ``zero``: a spike puts the state to ``reset_to``; ``subtract``: it takes the threshold off; ``none``: the
            neuron fires at every step as long as its state is above the threshold; ``ignore``: no reset, but from a
            spike until the state is back at zero, current is ignored and the neuron does not fire.
        reset_to: State after a spike.
        gradient_through_reset: Whether the surrogate gradient also counts the spike that resets the state.
        surrogate: Surrogate gradient of a spike.
        spread: Relative standard deviation of each change of the state.
        floor: Smallest state.
        reset_failure: Probability that a reset fails and the state stays.
        truncation: Number of steps after which back-propagation through time is cut; 0 for never.
        seed: Seed of the noise, for calls without a generator.
    """

    law = 0
    """Number of the law in the compiled code."""
    new_current = True
    """Whether the current of a step counts in it; otherwise from the next step on."""

    def __init__(
        self,
        *,
        decay: float = 0.0,
        threshold: float = 1.0,
        reset: Reset = "zero",
        reset_to: float = 0.0,
        gradient_through_reset: bool = True,
        surrogate: Surrogate | None = None,
        spread: float = 0.0,
        floor: float = -math.inf,
        reset_failure: float = 0.0,
        truncation: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if reset not in RESETS:
            raise InputError(f"reset = {reset!r}: must be one of {', '.join(RESETS)}")
        if not 0 <= decay < 1:
            raise InputError(f"decay must be at least 0 and below 1, got {decay:g}")
        if not 0 <= reset_failure <= 1:
            raise InputError(f"reset_failure must be a probability, got {reset_failure:g}")
        if spread < 0 or truncation < 0:
            raise InputError(f"spread and truncation must not be negative, got {spread:g} and {truncation}")
        self.decay, self.threshold, self.reset, self.reset_to = decay, threshold, reset, reset_to
        self.gradient_through_reset, self.spread, self.floor = gradient_through_reset, spread, floor
        self.surrogate, self.truncation, self.reset_failure = surrogate or Surrogate(), truncation, reset_failure
        keep_stream(self, seed)

    def change(self, value: Tensor, current: Tensor, noise: Tensor | None) -> Tensor:
        """Change of the state in a step.

        Args:
            value: State before the step.
            current: Current that drives it.
            noise: Standard normal numbers; None for the mean change.
        """
        raise NotImplementedError

    def law_numbers(self) -> tuple[float, ...]:
        """Numbers of the law for the compiled code."""
        raise NotImplementedError

    def tables(self) -> tuple[Tensor, ...]:
        """Tables of the law for the compiled code."""
        return ()

    @property
    def noisy(self) -> bool:
        """Whether changes of the state are drawn at random."""
        return self.spread > 0 or self.reset_failure > 0

    def rest(self, like: Float[Tensor, "sample neuron"]) -> State:
        """Neurons at rest, as many as there are numbers in a tensor."""
        zeros = torch.zeros(like.shape, dtype=like.dtype, device=like.device)
        return State(zeros, zeros.clone(), torch.ones_like(zeros))

    def forward(
        self,
        inputs: Float[Tensor, "time sample neuron"],
        state: State | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "time sample neuron"], State]:
        """Spikes of all steps, and the state after the last.

        Args:
            inputs: Input currents.
            state: State before the first step. Default: at rest.
            generator: Random stream of the noise. Default: the cell's own.
        """
        if inputs.dim() < 2 or not len(inputs):
            raise InputError(f"{type(self).__name__}: needs inputs [time, …, neuron], got shape {tuple(inputs.shape)}")
        state = self.rest(inputs[0]) if state is None else _copied(state)
        noise = self._drawn(inputs, generator)
        if kernel.serves(inputs, *state):
            return kernel.run(inputs.contiguous(), noise, state, self._program()), state
        spikes = []
        for step in range(len(inputs)):
            if self.truncation and step % self.truncation == 0:
                state = State(*(part.detach() for part in state))
            out, state = self.step(inputs[step], state, None if noise is None else noise[step])
            spikes.append(out)
        return torch.stack(spikes), State(*(part.detach() for part in state))

    @torch.no_grad()
    def trace(
        self,
        inputs: Float[Tensor, "time sample neuron"],
        state: State | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Float[Tensor, "time sample neuron"], Float[Tensor, "time sample neuron"]]:
        """Spikes and states of all steps, each state before the reset, without gradient."""
        state = self.rest(inputs[0]) if state is None else _copied(state)
        noise = self._drawn(inputs, generator)
        if kernel.serves(inputs, *state):
            return kernel.trace(inputs.contiguous(), noise, state, self._program())
        spikes, values = [], []
        for step in range(len(inputs)):
            drawn = None if noise is None else noise[step]
            values.append(self._next(inputs[step], state, drawn)[0])
            out, state = self.step(inputs[step], state, drawn)
            spikes.append(out)
        return torch.stack(spikes), torch.stack(values)

    def step(self, inputs: Tensor, state: State, noise: Tensor | None = None) -> tuple[Tensor, State]:
        """Spikes of one step and the state after it; its gradient goes through the state.

        Args:
            inputs: Input currents.
            state: State before the step.
            noise: Standard normal numbers; None for the mean change.
        """
        value, current = self._next(inputs, state, noise)
        fired = spike(value - self.threshold, self.surrogate)
        if self.reset == "ignore":
            fired = fired * state.receptive
        held = torch.where(value > self.floor, value, torch.full_like(value, self.floor))
        counted = fired if self.gradient_through_reset else fired.detach()
        if noise is not None and self.reset_failure > 0:
            # The lower bits of the number that moved the state are uniform.
            lower = noise.abs() * 4096.0
            counted = counted * (lower - lower.floor() >= self.reset_failure).to(counted.dtype)
        cleared, added = self.reset_numbers()
        value = (1.0 - counted * cleared) * held + counted * added
        receptive = state.receptive
        if self.reset == "ignore":
            with torch.no_grad():
                receptive = torch.where(value <= 0, torch.ones_like(value), receptive * (1.0 - fired))
        return fired, State(value, current, receptive)

    def extra_repr(self) -> str:
        """What is not at its default, as ``print(model)`` shows it."""
        parts = [f"decay={self.decay:g}", f"threshold={self.threshold:g}", f"reset={self.reset}"]
        parts += [f"spread={self.spread:g}"] if self.spread else []
        return ", ".join([*parts, *([f"truncation={self.truncation}"] if self.truncation else [])])

    def _next(self, inputs: Tensor, state: State, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        """State before the reset, and current after the step."""
        current = state.current + inputs if self.new_current else state.current
        drive = current * state.receptive if self.reset == "ignore" else current
        value = state.value + self.change(state.value, drive, noise)
        return value, self.decay * current if self.new_current else self.decay * current + inputs

    def reset_numbers(self) -> tuple[float, float]:
        """1 where a spike removes the state and 0 elsewhere, and what it adds."""
        if self.reset == "zero":
            return 1.0, self.reset_to
        return 0.0, -self.threshold if self.reset == "subtract" else 0.0

    def _program(self) -> kernel.Program:
        curve = self.surrogate
        numbers = (
            self.decay, self.threshold, *self.reset_numbers(), float(self.gradient_through_reset), curve.amplitude,
            curve.slope, self.spread, *self.law_numbers(),
        )  # fmt: skip
        filled = torch.zeros(17)
        filled[: len(numbers)] = torch.tensor(numbers)
        filled[16] = self.reset_failure
        tables = self.tables()
        return kernel.Program(
            self.law, self.reset == "ignore", filled, tables, SHAPES.index(curve.shape), self.truncation
        )

    def _drawn(self, inputs: Tensor, generator: torch.Generator | None) -> Tensor | None:
        if not self.noisy:
            return None
        if generator is None:
            generator = next_of_stream(self, inputs.device)
        return torch.randn(inputs.shape, generator=generator, device=generator.device).to(inputs)

    def _scaled(self, change: Tensor, noise: Tensor | None) -> Tensor:
        """A change with its relative spread."""
        return change if noise is None else change * (1.0 + self.spread * noise)


def _copied(state: State) -> State:
    return State(*(part.detach().clone(memory_format=torch.contiguous_format) for part in state))
