"""Whitening of image patches: a convolution whose filters are the principal components of training images."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.learning.networks.fitted import FittedLayer


class PatchWhitening(FittedLayer):
    """Convolution with the whitened principal components of image patches, and with their negatives.

    Components v of patches with the covariance C give filters v/√(λ + eps), so that their outputs are uncorrelated and
    of variance one (A. Krizhevsky, 2009; as a first layer: K. Jordan, arXiv:2404.00498). The filters are fitted to
    training images and then fixed: they are digital, and no devices hold them. A bias is learnt.

    Args:
        channels: Channels of the images.
        kernel: Rows and columns of a patch.
        eps: Constant ε added to the variance of each component.
        device: Torch device.
    """

    filters: Tensor

    def __init__(
        self, channels: int, kernel: int = 2, eps: float = 5e-4, device: torch.device | str | None = None
    ) -> None:
        super().__init__()
        self.kernel, self.eps = kernel, eps
        self.outputs = 2 * channels * kernel**2
        # Any filters until they are fitted: single pixels.
        single = torch.eye(self.outputs // 2, device=device).view(-1, channels, kernel, kernel)
        self.register_buffer("filters", torch.cat([single, -single]))
        self.bias = nn.Parameter(torch.zeros(self.outputs, device=device))

    @torch.no_grad()
    def fit(self, x: Float[Tensor, "sample channel row column"]) -> None:
        """Compute the filters from images."""
        patches = F.unfold(x.contiguous(), self.kernel).transpose(1, 2).flatten(0, 1).double()
        patches -= patches.mean(dim=0)
        variance, components = torch.linalg.eigh(patches.T @ patches / len(patches))
        # The sign of an eigenvector is arbitrary: its largest element is made positive.
        largest = components.gather(0, components.abs().argmax(dim=0, keepdim=True))
        filters = (components * largest.sign() / (variance + self.eps).sqrt()).T.flip(0)
        filters = filters.reshape(-1, *self.filters.shape[1:])
        self.filters.copy_(torch.cat([filters, -filters]))

    def forward(self, x: Float[Tensor, "sample channel row column"]) -> Float[Tensor, "sample output row_ column_"]:
        """Whitened patches."""
        return F.conv2d(x, self.filters, self.bias)

    def extra_repr(self) -> str:
        """As ``print(model)`` shows it."""
        return f"{self.filters.shape[1]}, {self.outputs}, kernel={self.kernel}"
