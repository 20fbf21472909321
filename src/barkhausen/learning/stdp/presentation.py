"""Presentation of samples to a layer of spiking neurons: Poisson spikes in, numbers of spikes out, and times of
inputs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.compiled_library import INTEGER, POINTER, CompiledLibrary
from barkhausen.core.errors import InputError
from barkhausen.learning.spiking.cell import Cell
from barkhausen.learning.spiking.encoders import Poisson
from barkhausen.learning.spiking.leaky import LeakyCell

library = CompiledLibrary(
    Path(__file__).parent.parent / "compiled" / "_stdp.so",
    {"barkhausen_stdp_present": ([INTEGER] * 5 + [POINTER] * 3 + [INTEGER] + [POINTER] * 3, None)},
)


class Response(NamedTuple):
    """Response to samples.

    Attributes:
        counts: Numbers of spikes of the neurons.
        first, last: Time steps of the first and the last spike of each input; −1 where there is none.
    """

    counts: Float[Tensor, "chip sample neuron"]
    first: Int[Tensor, "chip sample input"]
    last: Int[Tensor, "chip sample input"]


@dataclass(frozen=True, eq=False)
class Presentation:
    """Encoder, neurons, and how they are connected.

    All neurons of a chip inhibit each other: a spike of one takes a current off the others in the next step. Every
    sample starts with neurons at rest, and every chip sees spikes of its own.

    Attributes:
        encoder: Poisson encoder.
        cell: Neurons; leaky ones run in compiled code.
        drive: Current of an input spike at strength 1.
        inhibition: Current that a spike takes off every other neuron.
    """

    encoder: Poisson
    cell: Cell
    drive: float
    inhibition: float

    def __call__(
        self,
        inputs: Float[Tensor, "sample input"],
        strength: Float[Tensor, "chip neuron input"],
        generator: torch.Generator,
    ) -> Response:
        """Present samples to all chips.

        Args:
            inputs: Inputs from 0 to 1, for rates from 0 to the greatest one.
            strength: Strengths of the synapses of each chip.
            generator: Random stream of the input spikes.
        """
        if self._compiled(strength):
            return self._by_library(inputs, strength, generator)
        return self._by_steps(inputs, strength, generator)

    def _compiled(self, strength: Tensor) -> bool:
        plain = type(self.cell) is LeakyCell and not self.cell.noisy and self.cell.reset in ("zero", "subtract")
        return plain and strength.device.type == "cpu" and strength.dtype == torch.float32 and library() is not None

    def _by_library(self, inputs: Tensor, strength: Tensor, generator: torch.Generator) -> Response:
        handle, cell = library(), self.cell
        assert handle is not None and isinstance(cell, LeakyCell)
        chips, outputs, number = strength.shape
        samples, steps = len(inputs), self.encoder.steps
        cleared, added = cell.reset_numbers()
        numbers = torch.tensor(
            [
                *(cell.gain, cell.leak, cell.decay, cell.threshold, cell.floor),
                *(1.0 - cleared, added, self.inhibition, self.drive),
            ]
        )
        if inputs.dim() != 2:
            raise InputError(f"samples must be rows of inputs, got shape {tuple(inputs.shape)}")
        probability = self.encoder.probability(inputs).float().contiguous()
        strength = strength.contiguous()
        counts = torch.empty(chips, samples, outputs)
        first, last = (torch.empty(chips, samples, number, dtype=torch.int32) for _ in range(2))
        seed = int(torch.randint(2**62, (1,), generator=generator))
        handle.barkhausen_stdp_present(
            chips, samples, steps, number, outputs, numbers.data_ptr(), probability.data_ptr(), strength.data_ptr(),
            seed, counts.data_ptr(), first.data_ptr(), last.data_ptr(),
        )  # fmt: skip
        return Response(counts, first, last)

    def _by_steps(self, inputs: Tensor, strength: Tensor, generator: torch.Generator) -> Response:
        spikes = self.encoder(inputs.expand(len(strength), -1, -1), generator)  # [time, chip, sample, input]
        driven = self.drive * torch.einsum("tcsi,cki->tcsk", spikes, strength)
        state = self.cell.rest(driven[0])
        fired, counts = torch.zeros_like(driven[0]), torch.zeros_like(driven[0])
        with torch.no_grad():
            for step in range(self.encoder.steps):
                others = fired.sum(dim=2, keepdim=True) - fired
                noise = None
                if self.cell.noisy:
                    noise = torch.randn(fired.shape, generator=generator, device=fired.device)
                fired, state = self.cell.step(driven[step] - self.inhibition * others, state, noise)
                counts += fired
        on = spikes > 0
        time = torch.arange(self.encoder.steps, device=spikes.device).view(-1, 1, 1, 1)
        last = torch.where(on, time, -1).amax(dim=0).int()
        first = torch.where(on, time, self.encoder.steps).amin(dim=0).int()
        return Response(counts, torch.where(last < 0, -1, first), last)
