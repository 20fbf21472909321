"""Encoders: numbers become spike trains [time, sample, number]."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.learning.layers.drawing import keep_stream, next_of_stream


class Encoder(nn.Module):
    """Spike trains of the numbers of a sample.

    Args:
        steps: Number of time steps.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        if steps < 1:
            raise InputError(f"steps must be at least 1, got {steps}")
        self.steps = steps

    def extra_repr(self) -> str:
        """Steps, as ``print(model)`` shows them."""
        return f"steps={self.steps}"


class ConstantCurrent(Encoder):
    """Spikes of a leaky integrate-and-fire neuron for each number, driven by the number as a constant current.

    v ← v + g (i − v), spike and reset to 0 at v > 1: numbers up to 1 never spike, greater ones with a fixed period.

    Args:
        steps: Number of time steps.
        gain: g.
    """

    def __init__(self, steps: int, gain: float = 0.1) -> None:
        super().__init__(steps)
        if not 0 < gain <= 1:
            raise InputError(f"gain must be above 0 and at most 1, got {gain:g}")
        self.gain = gain

    @torch.no_grad()
    def periods(self, x: Float[Tensor, "sample number"]) -> Int[Tensor, "sample number"]:
        """Steps from spike to spike, and from the start to the first; 0 where there is none within all steps."""
        found = torch.zeros(x.shape, dtype=torch.int64, device=x.device)
        # The potential after n steps is i (1 − (1 − g)ⁿ); the recursion decides where rounding does.
        index = (x > 1.0).flatten().nonzero().squeeze(1)
        current = x.flatten()[index]
        potential = torch.zeros_like(current)
        periods = torch.zeros(len(index), dtype=torch.int64, device=x.device)
        for step in range(1, self.steps + 1):
            potential = potential + self.gain * (current - potential)
            periods.masked_fill_((potential > 1.0) & (periods == 0), step)
            if step % 8 == 0 and bool(periods.all()):
                break
        found.view(-1)[index] = periods
        return found

    def forward(self, x: Float[Tensor, "sample number"]) -> Float[Tensor, "time sample number"]:
        """Spike trains."""
        periods = self.periods(x)
        time = torch.arange(1, self.steps + 1, device=x.device).view(-1, *[1] * x.dim())
        fires: Tensor = (time % periods.clamp(min=1) == 0) & (periods > 0)
        return fires.to(x.dtype)

    def through(self, layer: nn.Module, x: Float[Tensor, "sample number"]) -> Float[Tensor, "time sample output"]:
        """Outputs of an affine layer for the spike trains of all steps.

        Numbers with the same period spike together, so the layer is called once for each period instead of once for
        each step: layer(Σₚ maskₚ(t)) = layer(0) + Σₚ (layer(maskₚ) − layer(0)).
        """
        periods = self.periods(x)
        present = torch.bincount(periods.flatten(), minlength=2)[1:].nonzero().squeeze(1) + 1
        masks = (periods == present.view(-1, 1, 1)).to(x.dtype)
        zero: Tensor = layer(x.new_zeros(1, x.shape[1]))
        if not len(present):
            return zero.expand(self.steps, len(x), -1)
        parts: Tensor = layer(masks.flatten(0, 1)) - zero
        time = torch.arange(1, self.steps + 1, device=x.device)
        fires = (time.view(-1, 1) % present == 0).to(x.dtype)
        return (fires @ parts.view(len(present), -1)).view(self.steps, len(x), -1) + zero


class Poisson(Encoder):
    """Independent spikes at each step with a probability proportional to the number.

    Args:
        steps: Number of time steps.
        rate: Greatest rate in Hz, for the number 1; numbers are clipped to [0, 1].
        step: Time step in s.
        seed: Seed, for calls without a generator.
    """

    def __init__(self, steps: int, rate: float = 100.0, step: float = 1e-3, seed: int = 0) -> None:
        super().__init__(steps)
        if not (rate > 0 and step > 0 and rate * step <= 1):
            raise InputError(f"rate = {rate:g} Hz: must be positive and at most one spike a step of {step:g} s")
        self.rate, self.step = rate, step
        keep_stream(self, seed)

    def probability(self, x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """Probability of a spike at a step."""
        return x.clamp(0, 1) * (self.rate * self.step)

    def forward(
        self, x: Float[Tensor, "sample number"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "time sample number"]:
        """Spike trains; each call draws new ones."""
        if generator is None:
            generator = next_of_stream(self, x.device)
        drawn = torch.rand(self.steps, *x.shape, generator=generator, device=generator.device)
        return (drawn.to(x.device) < self.probability(x)).to(x.dtype)


class Latency(Encoder):
    """One spike, the earlier the greater the number.

    Without a time constant at step (1 − x)(steps − 1), rounded; with one at τ ln(x / (x − θ)), when a membrane with
    that time constant reaches θ. Numbers not above the threshold never spike.

    Args:
        steps: Number of time steps.
        threshold: θ; numbers are clipped to at most 1.
        time_constant: τ in steps; None for times that are linear in the number.
    """

    def __init__(self, steps: int, threshold: float = 0.01, time_constant: float | None = None) -> None:
        super().__init__(steps)
        if not 0 < threshold < 1 or (time_constant is not None and not time_constant > 0):
            raise InputError(
                f"threshold must be between 0 and 1 and a time constant positive, got {threshold:g}, {time_constant}"
            )
        self.threshold, self.time_constant = threshold, time_constant

    def forward(self, x: Float[Tensor, "sample number"]) -> Float[Tensor, "time sample number"]:
        """Spike trains."""
        fires, number = x > self.threshold, x.clamp(self.threshold, 1.0)
        if self.time_constant is None:
            when = torch.round((1.0 - number) * (self.steps - 1))
        else:
            least = math.ulp(1.0) ** 0.5
            when = torch.round(self.time_constant * torch.log(number / (number - self.threshold).clamp(min=least)))
        time = torch.arange(self.steps, device=x.device, dtype=x.dtype).view(-1, *[1] * x.dim())
        return ((time == when) & fires).to(x.dtype)
