"""Statistics of the states: distributions of the weights of programmed devices.

All values are synaptic weights (see :mod:`barkhausen.device.characterised` for the map from the state coordinate), so
the outermost states have means −1 and +1. A programmed weight is

    w = level of the state + offset of this device in this state + noise of this cycle

The offset is fixed for each device (device-to-device part, such as edge roughness), and the noise is drawn anew at
every programming attempt (cycle-to-cycle part, such as thermal motion).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int
from torch import Tensor


class StateDistribution(ABC):
    """Statistics of the states of a population of devices."""

    levels: Float[Tensor, " state"]
    """Mean weight of each state, ascending, from −1 to 1."""

    @abstractmethod
    def draw_devices(self, count: int, generator: torch.Generator | None = None) -> Float[Tensor, "device state"]:
        """Draw the offsets of fresh devices.

        At most ``count`` distinct devices are returned, or fewer if the characterisation holds fewer.
        """

    def draw_population(
        self, count: int, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "device state"], Int[Tensor, " device"] | None]:
        """Draw the offsets of fresh devices like :meth:`draw_devices`, and the index of each one's noise distribution.

        The index is the ``origin`` of :meth:`draw_noise`. None if all devices share one noise distribution.
        """
        return self.draw_devices(count, generator), None

    @abstractmethod
    def draw_noise(
        self,
        state: Int[Tensor, "*event"],
        generator: torch.Generator | None = None,
        origin: Int[Tensor, "*event"] | None = None,
    ) -> Float[Tensor, "*event"]:
        """Draw the cycle-to-cycle part of one programming attempt to each of the given states.

        Args:
            state: Target state of each event (int64).
            generator: Random stream of the noise.
            origin: Index of the noise distribution of each event's device, from :meth:`draw_population`. Default: that
                of a random device.
        """

    @abstractmethod
    def to(self, target: torch.device) -> StateDistribution:
        """The same statistics with their tables on another torch device."""


@dataclass(frozen=True)
class GaussianStates(StateDistribution):
    """Independent normal offsets and normal noise, with a sigma of each for every state (in weight units)."""

    levels: Float[Tensor, " state"]
    sigma_device: Float[Tensor, " state"]
    sigma_cycle: Float[Tensor, " state"]

    def draw_devices(self, count: int, generator: torch.Generator | None = None) -> Float[Tensor, "device state"]:
        """Draw ``count`` devices, their offsets independent between devices and between states."""
        z = torch.randn((count, len(self.levels)), generator=generator, device=self.levels.device)
        return z * self.sigma_device

    def draw_noise(
        self,
        state: Int[Tensor, "*event"],
        generator: torch.Generator | None = None,
        origin: Int[Tensor, "*event"] | None = None,
    ) -> Float[Tensor, "*event"]:
        """Draw normal noise with the sigma of each event's state."""
        z = torch.randn(state.shape, generator=generator, device=state.device)
        return z.mul_(torch.take(self.sigma_cycle, state))

    def to(self, target: torch.device) -> GaussianStates:
        """The same statistics on another torch device."""
        return GaussianStates(self.levels.to(target), self.sigma_device.to(target), self.sigma_cycle.to(target))


@dataclass(frozen=True)
class EmpiricalStates(StateDistribution):
    """Resampling of characterised values, without an assumption about their distribution.

    A fresh device is a copy of one characterised device: its offsets in all states are taken together, which preserves
    their correlation. The noise is resampled from the residuals of the state (all devices pooled).
    """

    levels: Float[Tensor, " state"]
    offsets: Float[Tensor, "device state"]
    residuals: Float[Tensor, "state sample"]

    def draw_devices(self, count: int, generator: torch.Generator | None = None) -> Float[Tensor, "device state"]:
        """All characterised devices, or ``count`` of them drawn without repetition if that is fewer."""
        if count >= len(self.offsets):
            return self.offsets.clone()
        chosen = torch.randperm(len(self.offsets), generator=generator, device=self.offsets.device)
        return self.offsets[chosen[:count]]

    def draw_noise(
        self,
        state: Int[Tensor, "*event"],
        generator: torch.Generator | None = None,
        origin: Int[Tensor, "*event"] | None = None,
    ) -> Float[Tensor, "*event"]:
        """Draw residuals of each event's state, with replacement."""
        samples = self.residuals.shape[1]
        pick = torch.randint(samples, state.shape, generator=generator, device=state.device)
        return torch.take(self.residuals, state * samples + pick)

    def to(self, target: torch.device) -> EmpiricalStates:
        """The same statistics on another torch device."""
        return EmpiricalStates(self.levels.to(target), self.offsets.to(target), self.residuals.to(target))


@dataclass(frozen=True)
class SmoothedStates(StateDistribution):
    """Normal kernels about characterised offsets and residuals, or about the components of a mixture.

    A fresh device is close to a characterised one: its offsets in all states are taken together and shifted by one draw
    along ``directions``, which preserves their correlation. The noise is a kernel drawn from the samples of its state.

    Attributes:
        offset_mean, offset_sigma: Kernel of each characterised device in each state.
        directions: Matrix that turns independent standard normal numbers into standard normal numbers correlated
            between states.
        noise_mean, noise_sigma: Kernels of the noise: one row for all devices, or one for each characterised device.
    """

    levels: Float[Tensor, " state"]
    offset_mean: Float[Tensor, "device state"]
    offset_sigma: Float[Tensor, "device state"]
    directions: Float[Tensor, "direction state"]
    noise_mean: Float[Tensor, "pool state sample"]
    noise_sigma: Float[Tensor, "pool state sample"]

    def draw_devices(self, count: int, generator: torch.Generator | None = None) -> Float[Tensor, "device state"]:
        """Draw ``count`` devices, all different."""
        return self._draw(count, generator)[0]

    def draw_population(
        self, count: int, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "device state"], Int[Tensor, " device"] | None]:
        """Draw ``count`` devices, all different, with the index of the characterised device that gives each one's
        noise."""
        offsets, origin = self._draw(count, generator)
        return offsets, origin if len(self.noise_mean) > 1 else None

    def _draw(self, count: int, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        where = self.levels.device
        origin = torch.randint(len(self.offset_mean), (count,), generator=generator, device=where)
        z = torch.randn((count, len(self.directions)), generator=generator, device=where) @ self.directions
        return self.offset_mean[origin] + self.offset_sigma[origin] * z, origin

    def draw_noise(
        self,
        state: Int[Tensor, "*event"],
        generator: torch.Generator | None = None,
        origin: Int[Tensor, "*event"] | None = None,
    ) -> Float[Tensor, "*event"]:
        """Draw one kernel of each event's state, and a normal number from it."""
        pools, states, samples = self.noise_mean.shape
        key = torch.randint(samples, state.shape, generator=generator, device=state.device).add_(state, alpha=samples)
        if pools > 1:
            if origin is None:
                origin = torch.randint(pools, state.shape, generator=generator, device=state.device)
            key.add_(origin, alpha=states * samples)
        z = torch.randn(state.shape, generator=generator, device=state.device)
        return z.mul_(torch.take(self.noise_sigma, key)).add_(torch.take(self.noise_mean, key))

    def to(self, target: torch.device) -> SmoothedStates:
        """The same statistics on another torch device."""
        return SmoothedStates(*(getattr(self, item.name).to(target) for item in fields(self)))
