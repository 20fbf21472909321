"""Lognormal states: conductances that vary by factors, between devices and from one programming to the next.

The conductance of a device in a state is

    G = median · exp(−sigma_device z_device − sigma_cycle z_cycle)

with independent standard normal numbers z. The logarithms of conductance and resistance have the same standard
deviations. With s² = sigma_device² + sigma_cycle² (Aitchison and Brown, *The Lognormal Distribution*, 1957)

    mean         median · exp(s²/2)
    between      mean · sqrt(exp(sigma_device²) − 1): standard deviation of the mean conductance of a device
    within       mean · exp(sigma_device²/2) · sqrt(exp(sigma_cycle²) − 1): root mean square over devices

and between² + within² is the variance mean² (exp(s²) − 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.special import ndtri
from torch import Tensor

from barkhausen.device.statistics.distribution import StateDistribution

FACTORS = 4096
"""Number of distinct devices: one for each mid-quantile of the normal distribution."""
ORDER = 20_220_600
"""Seed of the order in which quantiles of different states meet in one device."""

Array = Float[np.ndarray, " state"]


def lognormal_moments(median: Array, sigma_device: Array, sigma_cycle: Array) -> tuple[Array, Array, Array]:
    """Mean, standard deviation between devices, and root-mean-square standard deviation between cycles.

    Args:
        median: Median of each state.
        sigma_device, sigma_cycle: Standard deviations of the logarithm.
    """
    mean = median * np.exp((sigma_device**2 + sigma_cycle**2) / 2)
    between = mean * np.sqrt(np.expm1(sigma_device**2))
    within = mean * np.exp(sigma_device**2 / 2) * np.sqrt(np.expm1(sigma_cycle**2))
    return mean, between, within


@dataclass(frozen=True)
class LognormalStates(StateDistribution):
    """Devices that differ by a lognormal factor in each state, with lognormal noise on top.

    Factors of a device in different states are independent. Weights are linear in the conductance, so that the
    conductance in weight units is ``weight + zero``.

    Attributes:
        conductance: Mean conductance of each state in weight units.
        factors: Factors of the distinct devices, whose mean over the devices is 1 in each state.
        sigma_cycle: Standard deviation of the logarithm between cycles.
    """

    levels: Float[Tensor, " state"]
    conductance: Float[Tensor, " state"]
    factors: Float[Tensor, "device state"]
    sigma_cycle: Float[Tensor, " state"]

    @classmethod
    def of(cls, levels: Array, zero: float, sigma_device: Array, sigma_cycle: Array) -> LognormalStates:
        """Statistics of states with these mean weights.

        Args:
            levels: Mean weight of each state.
            zero: Conductance in weight units of a device of weight 0.
            sigma_device, sigma_cycle: Standard deviations of the logarithm.
        """
        normal = ndtri((np.arange(FACTORS) + 0.5) / FACTORS)
        normal /= normal.std()
        order = np.random.default_rng(ORDER)
        factors = np.exp(np.stack([sigma * order.permutation(normal) for sigma in sigma_device], axis=1))
        numbers = (levels, np.asarray(levels) + zero, factors / factors.mean(axis=0), sigma_cycle)
        return cls(*(torch.tensor(np.asarray(each), dtype=torch.float32) for each in numbers))

    def draw_devices(self, count: int, generator: torch.Generator | None = None) -> Float[Tensor, "device state"]:
        """Draw ``count`` devices."""
        return self.draw_population(count, generator)[0]

    def draw_population(
        self, count: int, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "device state"], Int[Tensor, " device"]]:
        """Draw ``count`` devices with the row of each one's factors, which its noise is proportional to."""
        row = torch.randint(len(self.factors), (count,), generator=generator, device=self.levels.device)
        return self.conductance * (self.factors[row] - 1), row

    def draw_noise(
        self,
        state: Int[Tensor, "*event"],
        generator: torch.Generator | None = None,
        origin: Int[Tensor, "*event"] | None = None,
    ) -> Float[Tensor, "*event"]:
        """Draw the deviation of one programming from the mean of its device."""
        devices, states = self.factors.shape
        if origin is None:
            origin = torch.randint(devices, state.shape, generator=generator, device=state.device)
        sigma = torch.take(self.sigma_cycle, state)
        z = torch.randn(state.shape, generator=generator, device=state.device)
        # The mean of exp(sigma z) is exp(sigma²/2).
        deviation = torch.expm1(z.mul_(sigma).sub_(sigma.square().mul_(0.5)))
        mean = torch.take(self.conductance, state).mul_(torch.take(self.factors, origin * states + state))
        return deviation.mul_(mean)

    def to(self, target: torch.device) -> LognormalStates:
        """The same statistics on another torch device."""
        tensors = (self.levels, self.conductance, self.factors, self.sigma_cycle)
        return LognormalStates(*(tensor.to(target) for tensor in tensors))
