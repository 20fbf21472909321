"""Updates of single samples, added over a batch: each is clipped and rounded as if it were a batch of one."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError


class SampleUpdates:
    """Quanta of the updates of all samples of a batch, at the weights that they share.

    The update of a sample is rate · gradient, clipped to ±limit and rounded toward zero to a multiple of the quantum.
    What is returned stands for a gradient: the sum of the quanta, which a step of plain gradient descent turns into
    the sum of the updates.

    Args:
        quantum: Smallest update.
        limit: Largest update.
        groups: Parameter groups of the optimiser, whose learning rate it is.
        device: Torch device of the counters.
    """

    def __init__(
        self, quantum: float, limit: float, groups: list[dict[str, Any]], device: torch.device | None = None
    ) -> None:
        self.quantum, self.limit, self.groups = quantum, limit, groups
        self.squares = torch.zeros((), dtype=torch.float64, device=device)
        """Sum of the squares of all updates of single samples, in quanta."""
        self.updates = torch.zeros((), dtype=torch.int64, device=device)
        """Number of those that are not zero."""

    @property
    def rate(self) -> float:
        """Learning rate."""
        return float(self.groups[0]["lr"])

    def taken(self) -> tuple[Tensor, Tensor]:
        """Sum of squares and number of the updates since the last call."""
        counted = self.squares.clone(), self.updates.clone()
        self.squares.zero_()
        self.updates.zero_()
        return counted

    def of_linear(self, error: Float[Tensor, "sample outputs"], seen: Float[Tensor, "sample inputs"]) -> Tensor:
        """Summed updates of the weights of a linear layer.

        The gradient of a sample is an error where its ternary input is 1 or −1, and zero elsewhere: it can be rounded
        before the product.

        Args:
            error: Gradients of a mean over the batch with respect to the outputs.
            seen: Inputs, each −1, 0 or 1.
        """
        if error.dim() != 2:
            raise InputError(f"updates of single samples: a linear layer with errors of {error.dim()} axes; must be 2")
        quanta = self._quanta(error)
        self.squares += (quanta.square().sum(1, dtype=torch.float64) * seen.abs().sum(1, dtype=torch.float64)).sum()
        self.updates += (quanta.count_nonzero(1) * seen.count_nonzero(1)).sum()
        return (quanta.t() @ seen).mul_(self.quantum / self.rate)

    def of_convolution(
        self,
        error: Float[Tensor, "sample outputs *out_place"],
        seen: Float[Tensor, "sample inputs *place"],
        weight: Tensor,
        how: tuple[object, ...],
    ) -> Tensor:
        """Summed updates of the weights of a 2-D convolution.

        Args:
            error: Gradients of a mean over the batch with respect to the outputs.
            seen: Inputs, each −1, 0 or 1.
            weight: Weights, for their shape.
            how: Arguments of ``torch.convolution`` after the bias.
        """
        stride, padding, dilation, _, _, groups = how
        if groups != 1:
            raise InputError(f"updates of single samples: a convolution of {groups} groups; must be 1")
        patches = F.unfold(seen, weight.shape[2:], dilation, padding, stride)  # type: ignore[arg-type]
        gradient = torch.bmm(error.flatten(2), patches.transpose(1, 2))
        return self._summed(gradient).view(weight.shape)

    def of_bias(self, error: Float[Tensor, "sample outputs *out_place"]) -> Tensor:
        """Summed updates of biases.

        Args:
            error: Gradients of a mean over the batch with respect to the outputs.
        """
        return self._summed(error.flatten(2).sum(2) if error.dim() > 2 else error)

    def _summed(self, gradient: Tensor) -> Tensor:
        quanta = self._quanta(gradient)
        self.squares += quanta.square().sum(dtype=torch.float64)
        self.updates += quanta.count_nonzero()
        return quanta.sum(0).mul_(self.quantum / self.rate)

    def _quanta(self, gradient: Tensor) -> Tensor:
        """Quanta of single samples; the gradient is that of a mean over them."""
        step = gradient * (len(gradient) * self.rate)
        return step.clamp_(-self.limit, self.limit).div_(self.quantum).trunc_()
