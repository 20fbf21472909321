"""The table ``[network]`` of a recipe."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
)

from barkhausen.core.config import Count, NoOptions, Parameters, StrictParameters, name_in, own_options
from barkhausen.learning.networks.parts import Activation, Normalisation, Parts
from barkhausen.learning.networks.registry import NETWORKS


class NetworkRecipe(StrictParameters):
    """Topology; input and output sizes follow from the data."""

    kind: Annotated[str, name_in(NETWORKS)] = "mlp"
    """``mlp``: multilayer perceptron; ``cnn``: convolutional blocks before one; ``autoencoder``: an encoder and its
    mirror image; or another registered network."""
    hidden: Annotated[list[Count], Field(min_length=1)] = Field(default=[256, 128, 64])
    """Sizes of the hidden linear layers; of an autoencoder those of the encoder, the code last."""
    channels: Annotated[list[Count], Field(min_length=1)] = Field(default=[16, 32, 64])
    """Output channels of convolutional blocks: convolution, normalisation, activation, 2 x 2 max-pooling."""
    kernel: Count = 3
    """Rows and columns of convolution kernels."""
    activation: Activation = "relu"
    activation_levels: Annotated[int, Field(ge=2)] = 16
    """Levels of the quantised activation (hard tanh)."""
    normalisation: Normalisation = "batch"
    """Normalisation after every layer: ``batch``, ``shift`` (by powers of two), ``none``."""
    keep_float: list[str] = Field(default=[])
    """Layers that stay digital: names as in ``metrics.jsonl``, patterns, ``first`` or ``last``."""
    options: SerializeAsAny[Parameters] = Field(default_factory=NoOptions, validate_default=True)
    """Keys of the network's own, where it has any."""

    @field_validator("options", mode="plain")
    @classmethod
    def _options_of_the_kind(cls, given: Any, info: ValidationInfo) -> Parameters:
        entry = NETWORKS.find(info.data.get("kind"))
        return NoOptions() if entry is None else own_options(entry.options, given)

    @model_serializer(mode="wrap")
    def _without_empty_options(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        return {key: value for key, value in values.items() if key != "options" or value}

    @property
    def parts(self) -> Parts:
        """Normalisation and activation."""
        return Parts(self.activation, self.normalisation, self.activation_levels)
