"""WAGE: weights, activations, gradients and errors as integers with scales that are powers of two, and pulses."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.learning.layers.base import SynapseLayer
from barkhausen.learning.networks.normalisation import nearest_power_of_two
from barkhausen.learning.rules.monitoring import Monitoring
from barkhausen.learning.rules.pulsed import MOST_PULSES, PulsedOptions, PulsedSGD, learner_of, pulsed_rule
from barkhausen.synapse.pulsed.array import PulsedArray
from barkhausen.synapse.pulsed.kernel import requested

Bits = Annotated[int, Field(ge=2, le=16)]


def power_of_two(x: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """The power of two that is nearest on a scale of powers; 1 for zero."""
    return torch.where(x > 0, nearest_power_of_two(x), torch.ones_like(x))


def on_grid(x: Float[Tensor, "*any"], bits: int) -> Float[Tensor, "*any"]:
    """Numbers rounded to multiples of σ = 2^(1 − bits), from −1 + σ to 1 − σ."""
    step = 2.0 ** (1 - bits)
    return torch.round(x / step).mul_(step).clamp_(-1.0 + step, 1.0 - step)


class IntegerErrors(torch.autograd.Function):
    """Identity whose backward pass makes integers of the errors, scaled by a power of two."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bits: int) -> Tensor:
        """The same values."""
        ctx.bits = bits
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Errors e / Shift(max |e|) on the grid of their bits."""
        (error,) = gradients
        return on_grid(error / power_of_two(error.abs().max()), ctx.bits), None


def _with_integer_errors(layer: nn.Module, inputs: Any, output: Tensor, *, bits: int) -> Tensor:
    made: Tensor = IntegerErrors.apply(output, bits)
    return made


class Wage(PulsedSGD):
    """Integers in training and inference (S. Wu, G. Li, F. Chen, L. Shi, ICLR 2018, arXiv:1802.04680), with pulses.

    With σ(k) = 2^(1 − k) and Shift(x) = 2^round(log₂ x):

    - the scale of each layer is a power of two;
    - errors at the outputs of layers become e / Shift(max|e|), rounded to multiples of σ(k_E), for the layer before and
      for the gradient, whose own scale does not matter;
    - a gradient becomes g / Shift(max|g|), and the step of the optimiser η g / Shift(max|g|) a whole number of quanta
      σ(k_W), rounded at random;
    - each quantum is the number of pulses that a typical device needs for it at w = 0, at least one.

    A device without noise whose range has 2^k_W even steps thus holds integers of k_W bits, which weights and updates
    share, as in DNN+NeuroSim. Others hold what pulses make of them. There is no latent weight. Activations are those of
    the network: ``quantised-relu`` has the grid of σ(k_A) from 0 to 1 with 2^(k_A − 1) levels.

    Args:
        optimizer: Any torch optimiser; the rate of latent weights is η, the largest change of a weight in a step to
            within a factor of √2.
        model: Module with synapse layers whose devices are moved by pulses.
        generator: Random stream of rounding and pulses.
        bits: Bits k_W of weights and of their updates.
        error_bits: Bits k_E of errors.
        most: Largest number of pulses of a device at one step.

    Raises:
        InputError: As :class:`PulsedSGD`, or a number of bits is out of range.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        generator: torch.Generator | None = None,
        *,
        bits: int = 5,
        error_bits: int = 8,
        most: int = MOST_PULSES,
    ) -> None:
        for name, value in (("bits", bits), ("error_bits", error_bits)):
            if isinstance(value, bool) or not isinstance(value, int) or not 2 <= value <= 16:
                raise InputError(f"{name} = {value!r}: must be a whole number from 2 to 16")
        super().__init__(optimizer, model, generator, most=most)
        self.quantum = 2.0 ** (1 - bits)
        for layer in self.layers:
            layer.scale.copy_(power_of_two(layer.scale))
            layer.register_forward_hook(partial(_with_integer_errors, bits=error_bits))

    @torch.no_grad()
    def before_step(self) -> None:
        """Scale the gradients of each layer by a power of two."""
        super().before_step()
        for layer in self.layers:
            gradient = layer.latent_weight.grad
            if gradient is not None:
                gradient.div_(power_of_two(gradient.abs().max()))

    def update_layer(self, layer: SynapseLayer, number: int) -> None:
        """Turn the step of the optimiser into quanta, and these into pulses."""
        array: PulsedArray = layer.synapses
        wanted, held = layer.latent_weight.detach().view(-1), array.weight.view(-1)
        pulses_up, pulses_down = (max(1, round(self.quantum * each)) for each in array.kind.per_unit)
        in_quanta = (1.0 / self.quantum, 1.0 / self.quantum)
        most = max(1, self.most // max(pulses_up, pulses_down))
        index, quanta = requested(wanted, held, in_quanta, most, self.key_of(number), array.lists)
        pulses = quanta * torch.where(quanta > 0, pulses_up, pulses_down).to(quanta.dtype)
        array.pulse_at(index, pulses, key=self.key_of(number, 1), follow=wanted)


class WageOptions(PulsedOptions):
    """The table ``[rule]`` of a recipe."""

    bits: Bits = 5
    """Bits of weights and of their updates."""
    error_bits: Bits = 8
    """Bits of errors, and of inputs in the account of energy."""


WAGE = pulsed_rule(
    "wage",
    "integers by pulses (WAGE)",
    learner_of(Wage, "bits", "error_bits", "most"),
    options=WageOptions,
    latent_weights=False,
    monitoring=lambda options, states: Monitoring(latent_bits=0, operand_bits=options.error_bits),
    defaults={
        "optimizer": {"name": "sgd", "momentum": 0.0},
        "loss": {"kind": "squared-error"},
        "network": {"normalisation": "none", "activation": "quantised-relu", "activation_levels": 128},
    },
    latent_rate=0.0625,
)
