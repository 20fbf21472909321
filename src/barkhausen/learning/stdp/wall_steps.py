"""Steps of domain walls that realise changes of a strength: dx = v t_p, with a velocity that differs from pulse to
pulse.

A strength s from 0 to 1 is the place of a wall on its track. A change Δs is one current pulse of the duration
t_p = Δs L / ⟨v⟩, at a fixed current; the wall moves by v t_p. The relative spread of v is that of the step, whatever
the duration of the pulse.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.device.pulses.device import DOWN, UP, PulsedDevice

SMALLEST_SHARE = 0.05
"""Mean step as a share of the largest one below which a wall counts as pinned in the time to write a strength."""


@dataclass(frozen=True, eq=False)
class Walls:
    """Walls of single devices.

    Attributes:
        up, down: Factors of the steps of each device.
        low, high: Strengths at its bounds.
    """

    up: Tensor
    down: Tensor
    low: Tensor
    high: Tensor


@dataclass(frozen=True, eq=False)
class WallSteps:
    """Distribution of the steps of walls, relative to what a pulse was meant to change.

    Attributes:
        mean: Mean step over the meant one, up (row 0) and down (row 1), at strengths evenly from 0 to 1.
        spread: Cycle-to-cycle standard deviation over the meant step.
        device_spread: Relative device-to-device standard deviation of steps up and down.
        correlation: Correlation of their logarithms.
        bound_spread: Device-to-device standard deviation of the lower and upper bound of the strength.
        pulse_change: Change of the strength that a whole pulse of the device file makes on average; None for a law.
        energy: Energy in J of a whole pulse up and down by cause, and the label of each cause.
        assumed: Assumptions, a line each.
    """

    mean: Float[Tensor, "2 grid"]
    spread: Float[Tensor, "2 grid"]
    device_spread: tuple[float, float] = (0.0, 0.0)
    correlation: float = 0.0
    bound_spread: tuple[float, float] = (0.0, 0.0)
    pulse_change: float | None = None
    energy: Mapping[str, tuple[str, float, float]] | None = None
    assumed: tuple[str, ...] = ()

    @classmethod
    def declared(cls, spread: float) -> WallSteps:
        """Steps Δs (1 + σ ξ) with a standard normal ξ, at every place of the wall.

        Args:
            spread: σ; 0 for steps without noise.
        """
        if not (spread >= 0 and math.isfinite(spread)):
            raise InputError(f"spread must not be negative, got {spread:g}")
        line = f"steps of walls: declared law, relative spread {spread:g}, the same at every place"
        return cls(torch.ones(2, 2), torch.full((2, 2), float(spread)), assumed=(line,))

    @classmethod
    def of_device(cls, device: PulsedDevice) -> WallSteps:
        """Steps with the mean, the spread and the pinning of a device moved by pulses.

        The meant step is that of a pulse whose duration is chosen for the mean step over the track and both signs.
        """
        means, sds = np.abs(device.step_means), device.step_sds
        usual = float(means.mean())
        if not usual > 0:
            raise InputError("the walls of the device do not move")
        as_tensor = (torch.tensor(part / usual, dtype=torch.float32) for part in (means, sds))
        mean, spread = as_tensor
        low, high = device.bound_sd
        energy = {cause: (label, *device.energy(cause)) for cause, label in device.energy_causes.items()}
        lines = (
            *device.assumed,
            f"steps of walls: those of a pulse of the device, {usual / 2:.3g} of the track on average, in proportion "
            "to the duration of the pulse, with the same relative spread; the current is that of the device file",
        )
        return cls(
            mean, spread, device.scale_sd, device.scale_correlation, (low / 2, high / 2), usual / 2, energy, lines
        )

    def without_noise(self) -> WallSteps:
        """The mean steps of walls that are all alike."""
        return replace(self, spread=torch.zeros_like(self.spread), device_spread=(0.0, 0.0), bound_spread=(0.0, 0.0))

    def draw(self, shape: tuple[int, ...], generator: torch.Generator) -> Walls:
        """Single walls with the spread between devices."""
        where = generator.device
        sizes = torch.sqrt(torch.log1p(torch.tensor(self.device_spread, device=where).square()))
        normal = torch.randn((4, *shape), generator=generator, device=where)
        rest = math.sqrt(max(1.0 - self.correlation**2, 0.0))
        other = self.correlation * normal[0] + rest * normal[1]
        factors = (torch.exp(s * z - s * s / 2) for s, z in zip(sizes, (normal[0], other), strict=True))
        up, down = factors
        low, high = self.bound_spread
        # Bounds of one device never cross.
        lower = (low * normal[2]).clamp(max=0.45)
        upper = (1.0 + high * normal[3]).clamp(min=0.55)
        return Walls(up, down, lower, upper)

    def moved(
        self,
        strength: Float[Tensor, "*wall"],
        meant: Float[Tensor, "*wall"],
        walls: Walls,
        generator: torch.Generator | None,
    ) -> Float[Tensor, "*wall"]:
        """Strengths after one pulse on each wall.

        Args:
            strength: Strengths before.
            meant: Mean change that the pulse is meant for: positive up, negative down, 0 for no pulse.
            walls: The walls.
            generator: Random stream of the noise; None for mean steps.
        """
        rises = meant > 0
        factor = torch.where(rises, walls.up, walls.down)
        if self.mean.shape[1] == 2:
            mean, spread = self.mean[0, 0], self.spread[0, 0]
        else:
            place = (strength - walls.low) / (walls.high - walls.low)
            mean, spread = (_between(table.to(strength), place, rises) for table in (self.mean, self.spread))
        if generator is not None:
            noise = torch.randn(strength.shape, generator=generator, device=strength.device)
            mean = mean + spread * noise
        changed = strength + meant * factor * mean
        return torch.minimum(torch.maximum(changed, walls.low), walls.high)

    def written_spread(self, strength: Float[Tensor, "*wall"], pulse: float) -> Float[Tensor, "*wall"]:
        """Standard deviation of a strength that pulses have written from 0, without verification.

        Each pulse moves the wall by a share μ(s) of the meant change p, with the variance (p σ(s))²; so the variance
        grows by p σ²/μ for each unit of s. Where the wall is nearly pinned, the law is cut at a twentieth of the
        largest mean step.

        Args:
            strength: Strengths written.
            pulse: Meant change of each pulse.
        """
        mean, spread = self.mean[0].double(), self.spread[0].double()
        rate = pulse * spread.square() / mean.clamp(min=SMALLEST_SHARE * float(mean.max()))
        grid = torch.linspace(0.0, 1.0, len(rate), dtype=torch.float64)
        fine = torch.linspace(0.0, 1.0, 201, dtype=torch.float64)
        rates = torch.from_numpy(np.interp(fine.numpy(), grid.numpy(), rate.numpy()))
        variance = torch.cat([torch.zeros(1, dtype=torch.float64), torch.cumulative_trapezoid(rates, fine)])
        place = strength.clamp(0.0, 1.0) * 200
        below = place.long().clamp(max=199)
        found = torch.lerp(variance[below].to(strength), variance[below + 1].to(strength), place - below)
        return found.sqrt()

    def relative_noise(self, sign: int) -> float:
        """Mean over the track of the relative spread of steps up (1) or down (−1)."""
        row = {UP: 0, DOWN: 1}[sign]
        return float(self.spread[row].mean() / self.mean[row].mean())


def _between(table: Float[Tensor, "2 grid"], place: Tensor, rises: Tensor) -> Tensor:
    """Values of a table at strengths, its first row where they rise."""
    last = table.shape[1] - 1
    at = place.clamp(0.0, 1.0) * last
    below = at.long().clamp(max=last - 1)
    row = torch.where(rises, 0, last + 1) + below
    flat = table.reshape(-1)
    return torch.lerp(flat[row], flat[row + 1], at - below)
