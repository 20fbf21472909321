"""Spiking networks: linear layers between cells, a normalisation at every step, and a read-out over time."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal

import torch
from jaxtyping import Float
from pydantic import Field, SerializeAsAny, ValidationInfo, field_validator
from torch import Tensor, nn

from barkhausen.core.config import Count, Parameters, Positive, StrictParameters, name_in, own_options
from barkhausen.core.errors import InputError
from barkhausen.learning.layers.linear import SynapseLinear
from barkhausen.learning.networks.float_layers import FloatLayers
from barkhausen.learning.networks.registry import CLASSES, NETWORKS, Network, Shapes
from barkhausen.learning.spiking.cell import Cell
from barkhausen.learning.spiking.encoders import ConstantCurrent, Encoder
from barkhausen.learning.spiking.normalisation import StepNorm
from barkhausen.learning.spiking.read_out import Decoding, LeakyReadOut, decoded
from barkhausen.learning.spiking.registry import CELLS, ENCODERS, CellOptions, ConstantOptions, LeakyOptions

if TYPE_CHECKING:
    from barkhausen.learning.networks.settings import NetworkRecipe

AT_ONCE = 4_000_000
"""Largest number of values of all steps of a layer that are in memory at once in evaluation."""

VALUES_OF_A_NEURON = 7
"""Values that a neuron leaves for each step in training: current, potential, spike, noise, normalised, gradients."""


class SpikingOptions(StrictParameters):
    """The table ``[network.options]`` of a recipe."""

    cell: Annotated[str, name_in(CELLS)] = "lif"
    """``lif``, ``if``, ``domain-wall`` or another registered cell."""
    cell_options: SerializeAsAny[Parameters] = Field(default_factory=LeakyOptions, validate_default=True)
    """Keys of the cell's own."""
    encoder: Annotated[str, name_in(ENCODERS)] = "constant-current"
    """``constant-current``, ``poisson``, ``latency`` or another registered encoder."""
    encoder_options: SerializeAsAny[Parameters] = Field(default_factory=ConstantOptions, validate_default=True)
    """Keys of the encoder's own."""
    steps: Count = 100
    """Time steps of a sample."""
    offset: float = 0.0
    """What is taken off the inputs before they are encoded."""
    scale: Positive = 1.0
    """What they are then divided by."""
    read_out: Literal["leaky", "spikes"] = "leaky"
    """``leaky``: potentials of neurons that never fire; ``spikes``: numbers of spikes of a last layer of cells."""
    decoding: Decoding = "max"
    """Score of a class from its potentials: ``max`` over time, ``mean`` over time or ``last``."""
    read_out_gain: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Part of the way to the current that a potential of the read-out goes in a step."""
    read_out_decay: Annotated[float, Field(ge=0, lt=1)] = 0.8
    """Factor of the current of the read-out for one step."""
    truncation: Annotated[int, Field(ge=0)] = 0
    """Steps after which back-propagation through time is cut in the cells; 0 for never."""
    weights: Literal["uniform", "he"] = "uniform"
    """Initial weights of digital hidden layers: uniform within 1/√inputs, as torch draws them, or with He's variance;
    those of the read-out are normal with variance 1/inputs, or He's."""
    bias: bool = True
    """Whether hidden layers have a bias."""

    @field_validator("cell_options", mode="plain")
    @classmethod
    def _options_of_the_cell(cls, given: Any, info: ValidationInfo) -> Parameters:
        entry = CELLS.find(info.data.get("cell"))
        return _own(CellOptions if entry is None else entry.options, given)

    @field_validator("encoder_options", mode="plain")
    @classmethod
    def _options_of_the_encoder(cls, given: Any, info: ValidationInfo) -> Parameters:
        entry = ENCODERS.find(info.data.get("encoder"))
        return _own(ConstantOptions if entry is None else entry.options, given)


class SpikingNetwork(nn.Module):
    """Encoder, blocks of linear layer, cell and normalisation, and a read-out.

    Inputs are rows of numbers and outputs one score for each class, so training, conversion to devices and evaluation
    are those of any network. In evaluation, samples go through in parts, which changes no result but that of noise.

    Args:
        encoder: Encoder of the inputs.
        layers: Linear layers, the read-out last.
        cells: Cells; one after each linear layer, except for a leaky read-out.
        norms: Normalisations after the cells of hidden layers, or none.
        read_out: Leaky read-out; None where spikes of the last cell are counted.
        decoding: Score of a class from its potentials.
        offset, scale: What is taken off the inputs, and what they are then divided by.
    """

    def __init__(
        self,
        encoder: Encoder,
        layers: list[nn.Module],
        cells: list[Cell],
        norms: list[nn.Module],
        read_out: LeakyReadOut | None,
        *,
        decoding: Decoding = "max",
        offset: float = 0.0,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.hidden = len(layers) - 1
        for number in range(self.hidden):
            self.add_module(f"linear{number + 1}", layers[number])
            self.add_module(f"cell{number + 1}", cells[number])
            if norms:
                self.add_module(f"norm{number + 1}", norms[number])
        self.output = layers[-1]
        if read_out is None:
            self.output_cell = cells[-1]
        else:
            self.read_out = read_out
        self.normalised, self.counting = bool(norms), read_out is None
        self.decoding, self.offset, self.scale = decoding, offset, scale

    def forward(self, x: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample class"]:
        """Scores of the classes."""
        if self.training:
            return self._scores(x)
        widest = max(module.out_features for module in self.modules() if isinstance(module, (nn.Linear, SynapseLinear)))
        rows = max(1, AT_ONCE // (self.encoder.steps * widest))
        return torch.cat([self._scores(part) for part in x.split(rows)])

    def potentials(self, x: Float[Tensor, "sample feature"]) -> Float[Tensor, "time sample class"]:
        """Potentials of the read-out, or spikes of the last cells, at all steps."""
        values = self._first(x)
        for number in range(1, self.hidden + 1):
            spikes, _ = getattr(self, f"cell{number}")(values)
            values = getattr(self, f"norm{number}")(spikes) if self.normalised else spikes
            values = through(self.output if number == self.hidden else getattr(self, f"linear{number + 1}"), values)
        out: Tensor = self.output_cell(values)[0] if self.counting else self.read_out(values)
        return out

    def _first(self, x: Tensor) -> Tensor:
        """Currents of the first layer at all steps."""
        x = (x - self.offset) / self.scale
        first: nn.Module = self.get_submodule("linear1" if self.hidden else "output")
        if isinstance(self.encoder, ConstantCurrent) and affine(first):
            return self.encoder.through(first, x)
        return through(first, self.encoder(x))

    def _scores(self, x: Tensor) -> Tensor:
        potentials = self.potentials(x)
        return potentials.sum(dim=0) if self.counting else decoded(potentials, self.decoding)


def affine(layer: nn.Module) -> bool:
    """Whether the output of a layer is a matrix product and a bias, and nobody looks on."""
    hooks = layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks
    low = getattr(layer, "low_precision", None)
    return type(layer) in (nn.Linear, SynapseLinear) and low is None and not hooks


def through(layer: nn.Module, x: Float[Tensor, "time sample input"]) -> Float[Tensor, "time sample output"]:
    """Output of a layer for all steps; other layers than :func:`affine` ones get [sample, time, input]."""
    out: Tensor = layer(x) if affine(layer) else layer(x.transpose(0, 1)).transpose(0, 1)
    return out


def _own(model: type[Parameters], given: Any) -> Parameters:
    # Defaults are those of the default cell; of another cell they are its own.
    if isinstance(given, Parameters) and not isinstance(given, model) and not given.model_fields_set:
        return model()
    return own_options(model, given)


def _build(network: NetworkRecipe, shapes: Shapes, layers: FloatLayers) -> nn.Module:
    options = network.options
    assert isinstance(options, SpikingOptions)
    if network.normalisation == "shift":
        raise InputError("network.normalisation = 'shift': a spiking network has 'batch' (at every step) or 'none'")
    sizes = [shapes.features, *network.hidden, shapes.classes]
    made: list[nn.Module] = []
    last = len(sizes) - 2
    for number, (inputs, outputs) in enumerate(pairwise(sizes)):
        layer = layers.linear(inputs, outputs, options.bias and number != last)
        layers.footprint.values += VALUES_OF_A_NEURON * options.steps * outputs
        if options.weights == "uniform":
            _draw(layer, inputs, layers.generator, last=number == last)
        made.append(layer)
    kind, encoder = CELLS.named(options.cell), ENCODERS.named(options.encoder)
    counting = options.read_out == "spikes"
    seeds = torch.randint(1 << 40, (len(sizes),), generator=layers.generator, device=layers.generator.device).tolist()
    cells = [
        kind.build(options.cell_options, seed, options.truncation) for seed in seeds[: len(sizes) - 1 - (not counting)]
    ]
    return SpikingNetwork(
        encoder.build(options.encoder_options, options.steps, seeds[-1]),
        made,
        cells,
        [StepNorm(size) for size in network.hidden] if network.normalisation == "batch" else [],
        None if counting else LeakyReadOut(options.read_out_gain, options.read_out_decay),
        decoding=options.decoding,
        offset=options.offset,
        scale=options.scale,
    )


def _draw(layer: nn.Linear, inputs: int, generator: torch.Generator, *, last: bool) -> None:
    """Weights as torch draws those of linear layers, and Norse those of its read-out."""
    bound = 1 / math.sqrt(inputs)
    if last:
        nn.init.normal_(layer.weight, std=bound, generator=generator)
        return
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)


SPIKING = NETWORKS.register(
    "spiking",
    Network(name="spiking", label="spiking network", output=CLASSES, build=_build, options=SpikingOptions),
)
