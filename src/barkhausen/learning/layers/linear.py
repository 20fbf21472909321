"""Linear layers whose weights are held by devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.device import CharacterisedDevice, PulsedDevice
from barkhausen.learning.layers.base import LayerOptions, SynapseLayer
from barkhausen.learning.layers.low_precision import low_linear
from barkhausen.learning.layers.recording import recorded
from barkhausen.learning.layers.straight_through import device_linear
from barkhausen.synapse.write_verify import WriteVerify

if TYPE_CHECKING:
    from typing_extensions import Unpack


class SynapseLinear(SynapseLayer):
    """A linear layer whose weights are held by devices: ``scale · (x wᵀ) + bias``.

    Args:
        inputs: Number of inputs.
        outputs: Number of outputs.
        device: Statistics of the devices.
        write: Write-verify settings.
        options: Further keyword arguments of :class:`.SynapseLayer`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        device: CharacterisedDevice | PulsedDevice,
        write: WriteVerify | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__((outputs, inputs), device, write, **options)
        # Attributes of nn.Linear, which code around a converted layer may use.
        self.in_features, self.out_features = inputs, outputs

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Compute with the synaptic weights."""
        record: Tensor | None = recorded(self, x)
        if record is not None:
            return record
        tensors = (x, self.latent_weight, self.synapses.weight, self.scale)
        low = self.low_precision
        out = low_linear(*tensors, low) if low is not None and low.of_gradient else device_linear(*tensors)
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
