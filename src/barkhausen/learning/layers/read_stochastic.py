"""Linear layers and convolutions whose devices are written and read anew, N times, at every forward pass.

The parameter ``weight`` is the drive of each device in weight units; what is used in a forward pass is a draw. So the
network is as random in evaluation as in training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.device.probability import ProbabilityDevice
from barkhausen.learning.layers.base import replace_modules
from barkhausen.learning.layers.drawing import DrawingModule, draw_from, drawing_from
from barkhausen.learning.layers.two_moment import mean_product, read_product
from barkhausen.synapse.read_stochastic import check_reads


class ReadStochasticLayer(DrawingModule):
    """A layer of devices that pass or fail at every read.

    Args:
        shape: Shape of the weights, outputs first.
        device: Probability of passing against the drive.
        reads: Number N of reads of each device in a forward pass.
        bias: Whether the layer has a digital bias. It starts at zero.
        generator: Random stream of the wires' midpoints, where they differ.
    """

    midpoint: Tensor

    def __init__(
        self,
        shape: tuple[int, ...],
        device: ProbabilityDevice,
        reads: int,
        *,
        bias: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_reads(reads)
        self.reads, self.device, self.generator = reads, device, None
        midpoint = device.midpoints(shape, generator)
        # A buffer: the wires belong to the network that learned on them.
        self.register_buffer("midpoint", midpoint)
        self.slope = device.curve.slope * device.weight_unit
        self.amplitude = device.curve.amplitude
        start = torch.full_like(midpoint, device.curve.midpoint / device.weight_unit)
        self.weight = nn.Parameter(start)
        self.bias = nn.Parameter(torch.zeros(shape[0], device=midpoint.device)) if bias else None

    @property
    def probability(self) -> Float[Tensor, "outputs inputs *kernel"]:
        """Probability of each device to pass at an input of 1: 1 − a + a s(k (w − x0))."""
        logistic = torch.sigmoid(self.slope * (self.weight - self.midpoint))
        return (1.0 - self.amplitude) + self.amplitude * logistic

    @property
    def drive(self) -> Float[Tensor, "outputs inputs *kernel"]:
        """Drive of each device in its SI unit."""
        return self.weight.detach() * self.device.weight_unit

    def expectation(self, x: Tensor) -> Tensor:
        """Mean of :meth:`forward` over reads."""
        raise NotImplementedError

    def uses(self, x: Tensor) -> Float[Tensor, " input"]:
        """Mean number of times that a sample has each input of a column above zero."""
        raise NotImplementedError


class ReadStochasticLinear(ReadStochasticLayer):
    """A linear layer of such devices; the arguments are those of :class:`ReadStochasticLayer`.

    Args:
        inputs: Number of inputs.
        outputs: Number of outputs.
        device: Probability of passing against the drive.
        reads: Number of reads.
        options: ``bias`` and ``generator``.
    """

    def __init__(self, inputs: int, outputs: int, device: ProbabilityDevice, reads: int, **options: Any) -> None:
        super().__init__((outputs, inputs), device, reads, **options)
        self.in_features, self.out_features = inputs, outputs

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Draw the sums of the columns."""
        out = read_product(x, self.probability, self.reads, self.generator)
        return out if self.bias is None else out + self.bias

    def expectation(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Mean of :meth:`forward` over reads."""
        out = mean_product(x, self.probability)
        return out if self.bias is None else out + self.bias

    def uses(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, " inputs"]:
        """Mean number of times that a sample has each input of a column above zero."""
        return (x > 0).float().mean(dim=0)

    def extra_repr(self) -> str:
        """Sizes and reads."""
        return f"{self.in_features}, {self.out_features}, reads={self.reads}"


class ReadStochasticConv2d(ReadStochasticLayer):
    """A 2-D convolution of such devices. Every position of the input reads them anew.

    Args:
        inputs: Number of input channels.
        outputs: Number of output channels.
        kernel: Rows and columns of the kernel.
        device: Probability of passing against the drive.
        reads: Number of reads.
        stride, padding, dilation: Geometry, as :class:`torch.nn.Conv2d` takes it; ``padding`` in pixels.
        options: ``bias`` and ``generator``.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int],
        device: ProbabilityDevice,
        reads: int,
        *,
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int] = (0, 0),
        dilation: tuple[int, int] = (1, 1),
        **options: Any,
    ) -> None:
        super().__init__((outputs, inputs, *kernel), device, reads, **options)
        self.kernel, self.stride, self.padding, self.dilation = kernel, stride, padding, dilation

    def forward(self, x: Float[Tensor, "batch inputs row column"]) -> Float[Tensor, "batch outputs row_out column_out"]:
        """Draw the sums at every position."""
        return self._over_places(x, lambda patches, f: read_product(patches, f, self.reads, self.generator))

    def expectation(
        self, x: Float[Tensor, "batch inputs row column"]
    ) -> Float[Tensor, "batch outputs row_out column_out"]:
        """Mean of :meth:`forward` over reads."""
        return self._over_places(x, mean_product)

    def uses(self, x: Float[Tensor, "batch inputs row column"]) -> Float[Tensor, " input"]:
        """Mean number of times that a sample has each input of a column above zero."""
        return (self._patches(x) > 0).float().sum(dim=2).mean(dim=0)

    def _patches(self, x: Tensor) -> Float[Tensor, "batch input place"]:
        return F.unfold(x, self.kernel, self.dilation, self.padding, self.stride)

    def _over_places(self, x: Tensor, product: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        patches = self._patches(x)
        out = product(patches.transpose(1, 2), self.probability.flatten(1)).transpose(1, 2)
        if self.bias is not None:
            out = out + self.bias[:, None]
        sizes = [
            (size + 2 * pad - spread * (length - 1) - 1) // step + 1
            for size, pad, spread, length, step in zip(
                x.shape[-2:], self.padding, self.dilation, self.kernel, self.stride, strict=True
            )
        ]
        return out.reshape(len(x), -1, *sizes)

    def extra_repr(self) -> str:
        """Sizes and reads."""
        outputs, inputs = self.weight.shape[:2]
        return f"{inputs}, {outputs}, kernel_size={self.kernel}, reads={self.reads}"


def read_stochastic_layers(model: nn.Module) -> Iterator[tuple[str, ReadStochasticLayer]]:
    """Name and layer of every layer that is read stochastically, in order."""
    for name, module in model.named_modules():
        if isinstance(module, ReadStochasticLayer):
            yield name, module


read_from, reading_from = draw_from, drawing_from
"""Functions that give layers the random stream of their reads, which they share with other modules that draw."""


def with_stochastic_reads(
    model: nn.Module, device: ProbabilityDevice, reads: int, generator: torch.Generator | None = None
) -> nn.Module:
    """Replace the linear layers and convolutions of a model by layers that are read stochastically, in place.

    Args:
        model: Float model. Its weights are not used: every drive starts at the midpoint of the curve.
        device: Probability of passing against the drive.
        reads: Number of reads of each device in a forward pass.
        generator: Random stream of the wires' midpoints.

    Raises:
        InputError: A convolution has groups or pads otherwise than with zeros, or there is nothing to replace.
    """
    replacements: dict[nn.Module, nn.Module] = {}
    for name, layer in model.named_modules():
        options: dict[str, Any] = {"generator": generator}
        if type(layer) is nn.Linear:
            options["bias"] = layer.bias is not None
            replacements[layer] = ReadStochasticLinear(layer.in_features, layer.out_features, device, reads, **options)
        elif type(layer) is nn.Conv2d:
            replacements[layer] = _convolution(name, layer, device, reads, options)
    if not replacements:
        raise InputError("stochastic reads: the model has no Linear or Conv2d layer")
    if model in replacements:
        return replacements[model]
    replace_modules(model, replacements)
    return model


def _convolution(
    name: str, layer: nn.Conv2d, device: ProbabilityDevice, reads: int, options: Mapping[str, Any]
) -> ReadStochasticConv2d:
    if layer.groups != 1 or layer.padding_mode != "zeros":
        raise InputError(f"{name} (Conv2d): with stochastic reads it can have no groups, and pads with zeros alone")
    if layer.padding == "same":
        padding = [spread * (size - 1) // 2 for size, spread in zip(layer.kernel_size, layer.dilation, strict=True)]
        if any(spread * (size - 1) % 2 for size, spread in zip(layer.kernel_size, layer.dilation, strict=True)):
            raise InputError(f"{name} (Conv2d): with stochastic reads the kernel must be odd for padding = 'same'")
    elif not isinstance(layer.padding, str):
        padding = list(layer.padding)
    else:
        padding = [0, 0]
    return ReadStochasticConv2d(
        layer.in_channels,
        layer.out_channels,
        (layer.kernel_size[0], layer.kernel_size[1]),
        device,
        reads,
        stride=(layer.stride[0], layer.stride[1]),
        padding=(padding[0], padding[1]),
        dilation=(layer.dilation[0], layer.dilation[1]),
        bias=layer.bias is not None,
        **options,
    )
