"""Convolution layers whose kernels are held by devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch.nn.functional as F  # noqa: N812  # torch's own convention
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.device import CharacterisedDevice, PulsedDevice
from barkhausen.learning.layers.base import LayerOptions, SynapseLayer
from barkhausen.learning.layers.low_precision import low_convolution
from barkhausen.learning.layers.recording import recorded
from barkhausen.learning.layers.straight_through import Sliding, device_convolution
from barkhausen.synapse.write_verify import WriteVerify

if TYPE_CHECKING:
    from typing_extensions import Unpack

Size = int | tuple[int, ...]
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]


class _SynapseConvolution(SynapseLayer):
    """A convolution whose kernels are held by devices; see the subclasses."""

    dimensions: int
    plain: type[nn.Conv1d] | type[nn.Conv2d]

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: Size,
        device: CharacterisedDevice | PulsedDevice,
        write: WriteVerify | None = None,
        *,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        padding_mode: PaddingMode = "zeros",
        **options: Unpack[LayerOptions],
    ) -> None:
        # Torch's own layer checks the geometry and computes the padding; on "meta" it holds no numbers.
        like = self.plain(
            inputs,
            outputs,
            kernel,  # type: ignore[arg-type]  # of as many dimensions as the layer has
            stride,  # type: ignore[arg-type]
            padding,  # type: ignore[arg-type]
            dilation,  # type: ignore[arg-type]
            groups,
            options.get("bias", True),
            padding_mode,
            device="meta",
        )
        super().__init__(tuple(like.weight.shape), device, write, **options)
        self.in_channels, self.out_channels, self.groups = inputs, outputs, groups
        self.kernel_size, self.stride, self.dilation = like.kernel_size, like.stride, like.dilation
        self.padding = like.padding
        self.padding_mode: PaddingMode = padding_mode
        # Unequal padding of the two sides ("same" with an even kernel) and modes other than zeros are applied
        # beforehand.
        amounts: list[int] = list(like._reversed_padding_repeated_twice)
        sides = list(zip(amounts[::2], amounts[1::2], strict=True))[::-1]
        inside = padding_mode == "zeros" and all(left == right for left, right in sides)
        self._ahead = None if inside else amounts
        within = tuple(left for left, _ in sides) if inside else (0,) * self.dimensions
        self.sliding = Sliding(like.stride, within, like.dilation, groups)

    def forward(self, x: Float[Tensor, "*batch inputs *place"]) -> Float[Tensor, "*batch outputs *out_place"]:
        """Compute with the synaptic weights."""
        record: Tensor | None = recorded(self, x)
        if record is not None:
            return record
        tensors = (self.padded(x), self.latent_weight, self.bias, self.synapses.weight, self.scale)
        low = self.low_precision
        if low is not None and low.of_gradient:
            return low_convolution(*tensors, self.sliding, low)
        return device_convolution(*tensors, self.sliding)

    def padded(self, x: Float[Tensor, "*batch inputs *place"]) -> Float[Tensor, "*batch inputs *place"]:
        """Inputs with the padding that is applied before the convolution (:attr:`sliding` holds the rest)."""
        if self._ahead is None:
            return x
        return F.pad(x, self._ahead, mode="constant" if self.padding_mode == "zeros" else self.padding_mode)

    def as_float(self) -> nn.Module:
        """The deployed layer."""
        plain = self.plain(
            self.in_channels,
            self.out_channels,
            self.kernel_size,  # type: ignore[arg-type]
            self.stride,  # type: ignore[arg-type]
            self.padding,  # type: ignore[arg-type]
            self.dilation,  # type: ignore[arg-type]
            self.groups,
            self.bias is not None,
            self.padding_mode,
            device="meta",
        )
        plain.to_empty(device=self.latent_weight.device)
        return self._with_own_weights(plain)

    def extra_repr(self) -> str:
        """Size, states and margin, as ``print(model)`` shows them."""
        shape = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        more = "" if self.padding in ("valid", (0,) * self.dimensions) else f", padding={self.padding}"
        more += "" if self.groups == 1 else f", groups={self.groups}"
        return f"{shape}{more}, {self._devices()}"


class SynapseConv1d(_SynapseConvolution):
    """A 1-D convolution whose kernels are held by devices; each device is used at all positions of the input.

    Args:
        inputs: Number of input channels.
        outputs: Number of output channels.
        kernel: Size of the kernel.
        device: Statistics of the devices.
        write: Write-verify settings.
        stride, padding, dilation, groups, padding_mode: Geometry, as :class:`torch.nn.Conv1d` takes it.
        options: Further keyword arguments of :class:`.SynapseLayer`.
    """

    dimensions, plain = 1, nn.Conv1d


class SynapseConv2d(_SynapseConvolution):
    """A 2-D convolution whose kernels are held by devices; the arguments are those of :class:`SynapseConv1d`."""

    dimensions, plain = 2, nn.Conv2d
