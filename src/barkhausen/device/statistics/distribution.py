"""Where a programmed wall comes to rest: the statistics of the states, device by device.

All numbers here are synaptic weights (see :mod:`barkhausen.device.characterised` for the map from positions),
so that the outermost states have mean −1 and +1. A programmed weight is

    w = level of the state + offset of this device in this state + noise of this cycle

with the offset fixed for the life of a device (edge roughness, device-to-device part) and the noise drawn
afresh at every programming attempt (thermal, cycle-to-cycle part).
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

        At most ``count`` distinct devices are returned; fewer where the characterisation holds fewer.
        """

    def draw_population(
        self, count: int, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "device state"], Int[Tensor, " device"] | None]:
        """Draw the offsets of fresh devices as :meth:`draw_devices` does, and whose noise each of them has.

        The second is what :meth:`draw_noise` takes as ``origin``; None if the noise of all devices is one.
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
            state: Target of each event (int64).
            generator: Of the noise.
            origin: Of the device of each event, from :meth:`draw_population`; without it the noise is that of a
                random device where devices differ in it.
        """

    @abstractmethod
    def to(self, target: torch.device) -> StateDistribution:
        """The same statistics with their tables on another torch device."""


@dataclass(frozen=True)
class GaussianStates(StateDistribution):
    """Independent normal offsets and normal noise, each with one sigma a state (in weight units)."""

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
    """Resampling of what was characterised, with no assumption about its shape.

    A fresh device is a copy of one characterised device: its offsets in all states are taken together, so
    their correlation survives. The noise is resampled from the residuals of the state (all devices pooled).
    """

    levels: Float[Tensor, " state"]
    offsets: Float[Tensor, "device state"]
    residuals: Float[Tensor, "state sample"]

    def draw_devices(self, count: int, generator: torch.Generator | None = None) -> Float[Tensor, "device state"]:
        """All characterised devices, or ``count`` of them drawn without repetition where it asks for fewer."""
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

    A fresh device is near a characterised one: its offsets in all states are taken together and moved by one draw along
    ``directions``, so their correlation survives. The noise is a kernel picked among the samples of its state.

    Attributes:
        offset_mean, offset_sigma: Kernel of each characterised device in each state.
        directions: Standard normals times these are standard normal in each state, and correlated between states.
        noise_mean, noise_sigma: Kernels of the noise; one row for all devices, or one for each characterised device.
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
        """Draw ``count`` devices, all different, and which characterised device the noise of each is that of."""
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
