"""What all layers whose weights are domain-wall devices have in common."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.device import CharacterisedDevice
from barkhausen.learning.layers.quantiser import Quantiser
from barkhausen.learning.layers.straight_through import device_linear
from barkhausen.synapse import Phase, SynapseArray
from barkhausen.synapse.faults import FAULT_FREE, Faults

FRESH_SCALE = 1.5
FRESH_SPREAD = 0.5
"""Memory uniform on [−0.5, 0.5] and a scale of 1.5/sqrt(fan-in): with five states about the variance of He's
initialisation."""


class SynapseLayer(nn.Module):
    """A layer that computes with device weights and learns in a digital latent weight.

    The parameter ``latent_weight``, in [−1, 1] and of the shape of the weights, is the high-precision latent weight a;
    ``synapses.weight`` is the analogue device weight w. The layer computes with ``scale · w`` where the float layer
    computes with its weights, and hands the gradient with respect to w to the latent weight (straight-through).

    Args:
        shape: of the weights, outputs first.
        device: statistics of the synapses.
        margin: tolerance margin in weight units.
        max_attempts: of write-verify at each programming event.
        bias: the layer has a digital bias.
        scale: fixed factor between device weights and network weights.
        spread: the initial latent weight is uniform on [−spread, spread].
        latent_weight: the initial latent weight itself, instead.
        faults: of the devices.
        count_writes: keep how often every single device was written.
        generator: draws latent weight, devices and programming noise.
    """

    latent_weight: nn.Parameter
    scale: Tensor

    def __init__(
        self,
        shape: tuple[int, ...],
        device: CharacterisedDevice,
        *,
        margin: float,
        max_attempts: int,
        bias: bool,
        scale: float | None,
        spread: float,
        latent_weight: Float[Tensor, "outputs inputs *kernel"] | None,
        faults: Faults,
        count_writes: bool,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        self.synapses = SynapseArray(
            shape,
            device,
            margin=margin,
            max_attempts=max_attempts,
            generator=generator,
            faults=faults,
            count_writes=count_writes,
        )
        self.quantiser = Quantiser(self.synapses.levels)
        where = self.synapses.weight.device
        if latent_weight is None:
            latent_weight = torch.rand(shape, generator=generator, device=where).mul_(2 * spread).sub_(spread)
        self.latent_weight = nn.Parameter(latent_weight.detach().to(where).clone(memory_format=torch.contiguous_format))
        scale = FRESH_SCALE / math.sqrt(math.prod(shape[1:])) if scale is None else scale
        # A buffer, so that it is saved with what it belongs to.
        self.register_buffer("scale", torch.tensor(scale, device=where))
        self.bias = nn.Parameter(torch.zeros(shape[0], device=where)) if bias else None
        self.program_all(generator, phase=Phase.INITIAL)

    @torch.no_grad()
    def program_all(self, generator: torch.Generator | None, *, phase: Phase) -> None:
        """Program every device to the state nearest to its latent weight."""
        self.synapses.program(self.quantiser.state(self.latent_weight), generator=generator, phase=phase)

    @property
    def weight(self) -> Float[Tensor, "outputs inputs *kernel"]:
        """What the float layer would have as weights: ``scale · w``, a copy without gradient."""
        return self.synapses.weight * self.scale

    def as_float(self) -> nn.Module:
        """A layer of torch that computes the same with fixed weights: the deployed layer."""
        raise NotImplementedError

    def _with_own_weights(self, layer: nn.Linear | nn.Conv1d | nn.Conv2d) -> nn.Module:
        layer.weight.data = self.weight.detach().clone()
        if self.bias is not None and layer.bias is not None:
            layer.bias.data = self.bias.detach().clone()
        return layer.train(self.training)

    def _devices(self) -> str:
        array = self.synapses
        return f"states={array.states}, margin={array.margin:g}, scale={float(self.scale):.4g}"


class SynapseLinear(SynapseLayer):
    """A linear layer of domain-wall devices: ``scale · (x wᵀ) + bias``.

    At construction every device is programmed to the state nearest to its latent weight: these are the initial
        programming
    events.

    Args:
        inputs, outputs: size of the layer.
        device: statistics of the synapses.
        margin: tolerance margin in weight units.
        max_attempts: of write-verify at each programming event.
        bias: add a digital bias (not needed before a normalisation).
        scale: fixed factor between device weights and network weights; 1.5 / sqrt(inputs) by default.
        spread: the initial latent weight is uniform on [−spread, spread].
        latent_weight: the initial latent weight [out, in] itself, instead.
        faults: of the devices.
        count_writes: keep how often every single device was written: ``synapses.writes``.
        generator: draws latent weight, devices and programming noise.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        device: CharacterisedDevice,
        *,
        margin: float,
        max_attempts: int = 1,
        bias: bool = True,
        scale: float | None = None,
        spread: float = FRESH_SPREAD,
        latent_weight: Float[Tensor, "outputs inputs"] | None = None,
        faults: Faults = FAULT_FREE,
        count_writes: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(
            (outputs, inputs),
            device,
            margin=margin,
            max_attempts=max_attempts,
            bias=bias,
            scale=scale,
            spread=spread,
            latent_weight=latent_weight,
            faults=faults,
            count_writes=count_writes,
            generator=generator,
        )
        # As nn.Linear has them: the code around a converted layer may ask.
        self.in_features, self.out_features = inputs, outputs

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Compute with what the devices hold."""
        out = device_linear(x, self.latent_weight, self.synapses.weight, self.scale)
        return out if self.bias is None else out + self.bias.to(out.dtype)

    def as_float(self) -> nn.Linear:
        """The deployed layer."""
        plain = nn.Linear(self.in_features, self.out_features, bias=self.bias is not None, device="meta")
        plain.to_empty(device=self.latent_weight.device)
        self._with_own_weights(plain)
        return plain

    def extra_repr(self) -> str:
        """Size, states and margin, as ``print(model)`` shows them."""
        return f"{self.in_features}, {self.out_features}, {self._devices()}"


def synapse_layers(model: nn.Module) -> Iterator[tuple[str, SynapseLayer]]:
    """Name and layer of every domain-wall layer in a model, in order."""
    for name, module in model.named_modules():
        if isinstance(module, SynapseLayer):
            yield name, module


def replace_modules(model: nn.Module, replacements: Mapping[nn.Module, nn.Module]) -> None:
    """Put other modules in the places of some, in every place where one stands."""
    for parent in list(model.modules()):
        # named_children would leave out the second place of a module that stands in two.
        for name, child in list(parent._modules.items()):
            if child is not None and child in replacements:
                setattr(parent, name, replacements[child])
