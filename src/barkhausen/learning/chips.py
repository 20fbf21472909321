"""Ex-situ deployment: chips of fresh devices programmed with a trained network, and their evaluation."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.learning.layers.base import synapse_layers
from barkhausen.synapse import Phase, WriteVerify

Metric = Callable[[Tensor, Tensor], Tensor | float]


@torch.no_grad()
def fresh_chip(
    model: nn.Module, generator: torch.Generator, *, margin: float | None = None, max_attempts: int = 1
) -> nn.Module:
    """A copy of the model on a chip of fresh devices, each programmed once to the state of its latent weight.

    Args:
        model: Trained network, which is not changed.
        generator: Generator of the chip's devices and its programming noise.
        margin: Tolerance margin in weight units. Default: each layer's own margin.
        max_attempts: Largest number of programming attempts of a device.

    Returns:
        The chip. The counters of its arrays hold its own initial programming and nothing else.
    """
    chip = copy.deepcopy(model)
    for _, layer in synapse_layers(chip):
        within = layer.synapses.margin if margin is None else margin
        layer.synapses = layer.synapses.like(generator, margin=within, max_attempts=max_attempts)
        layer.program_all(generator, phase=Phase.INITIAL)
    return chip


@dataclass(frozen=True, eq=False)
class Chips:
    """Chips of fresh devices, each programmed when it is accessed, always with the same result.

    A chip takes as much memory as the model. Iteration holds only one at a time.
    """

    model: nn.Module
    count: int
    margin: float | None
    max_attempts: int
    seed: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> nn.Module:
        """Chip with this number."""
        if not -self.count <= number < self.count:
            raise IndexError(f"chip {number}: there are {self.count}")
        where = next(layer.latent_weight.device for _, layer in synapse_layers(self.model))
        mixed = np.random.SeedSequence([self.seed, number % self.count]).generate_state(1, np.uint64)[0]
        generator = torch.Generator(where).manual_seed(int(mixed >> 1))
        return fresh_chip(self.model, generator, margin=self.margin, max_attempts=self.max_attempts)

    def __iter__(self) -> Iterator[nn.Module]:
        return (self[number] for number in range(self.count))


def transfer(
    model: nn.Module, chips: int = 10, *, margin: float | None = None, max_attempts: int = 5, seed: int = 0
) -> Chips:
    """Program chips of fresh devices with the trained states of a model (ex-situ learning).

    Every chip has its own devices, with their own offsets, and is programmed once with write-verify. Biases and
    normalisation are copied.

    Args:
        model: Converted and trained model (with :class:`.Precursor`, or as a float model before its conversion).
        chips: Number of chips.
        margin: Tolerance margin in weight units. Default: each layer's own margin.
        max_attempts: Largest number of programming attempts of a device.
        seed: Seed of all chips; chip n is the same whatever ``chips`` is.

    Returns:
        Sequence of modules; each chip is programmed when it is accessed.

    Raises:
        InputError: The number of chips or attempts is less than 1, or the model has no synapse layer.
    """
    if isinstance(chips, bool) or not isinstance(chips, int) or chips < 1:
        raise InputError(f"chips = {chips!r}: must be a whole number, 1 or more")
    WriteVerify(0.0 if margin is None else margin, max_attempts)
    if seed < 0:
        raise InputError(f"seed = {seed}: must be zero or positive")
    if next(synapse_layers(model), None) is None:
        raise InputError("transfer: the model has no synapse layer; convert it first")
    return Chips(model, chips, margin, max_attempts, seed)


def fraction_correct(output: Float[Tensor, "sample class"], target: Tensor) -> Tensor:
    """Fraction of correctly classified samples, whose largest output is that of their class."""
    return (output.argmax(dim=1) == target).double().mean()


@torch.no_grad()
def evaluate(
    chips: Chips | Iterable[nn.Module] | nn.Module,
    inputs: Float[Tensor, "sample ..."],
    targets: Tensor,
    *,
    metric: Metric = fraction_correct,
    batch: int = 2000,
) -> Float[np.ndarray, " chip"]:
    """Figure of merit of each chip, in evaluation mode.

    Args:
        chips: Chips of :func:`transfer`, any other networks, or a single one. Their modes are not changed.
        inputs, targets: Test samples and their targets, samples first.
        metric: Function from all outputs and targets to a number. Default: fraction correctly classified.
        batch: Number of samples in one forward pass.
    """
    networks: Iterable[nn.Module] = [chips] if isinstance(chips, nn.Module) else chips
    return np.array(
        [float(metric(outputs_of(network, inputs, batch), targets)) for network in networks], dtype=np.float64
    )


@torch.no_grad()
def outputs_of(network: nn.Module, inputs: Float[Tensor, "sample ..."], batch: int = 2000) -> Tensor:
    """Outputs in evaluation mode, ``batch`` samples at a time; every module's own mode is restored."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        return torch.cat([network(part) for part in inputs.split(batch)])
    finally:
        for module, training in modes.items():
            module.training = training
