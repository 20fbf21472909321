"""The table ``[network]`` of a recipe."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from barkhausen.core.config import Count, NoOptions, Parameters, Positive, StrictParameters, name_in, own_options
from barkhausen.learning.networks.factory import FACTORY, check_place
from barkhausen.learning.networks.parts import Activation, Normalisation, Parts
from barkhausen.learning.networks.registry import NETWORKS

TOPOLOGY = ("hidden", "channels", "kernel", "activation", "activation_levels", "activation_gain")
"""Keys that a network of one's own has no use for."""


class NetworkRecipe(StrictParameters):
    """Topology; input and output sizes follow from the data."""

    kind: Annotated[str, name_in(NETWORKS)] = "mlp"
    """``mlp``: multilayer perceptron; ``cnn``: convolutional blocks before one; ``autoencoder``: an encoder and its
    mirror image; ``lstm`` and ``gru``: recurrent layers and a read-out; ``spiking``: linear layers between spiking
    cells; or another registered network."""
    hidden: list[Count] = Field(default=[256, 128, 64])
    """Sizes of the hidden linear layers, none of them for a single layer; of an autoencoder those of the encoder, the
    code last; of a recurrent network its hidden states, a layer each."""
    channels: Annotated[list[Count], Field(min_length=1)] = Field(default=[16, 32, 64])
    """Output channels of convolutional blocks: convolution, normalisation, activation, 2 x 2 max-pooling."""
    kernel: Count = 3
    """Rows and columns of convolution kernels."""
    activation: Activation = "relu"
    activation_levels: Annotated[int, Field(ge=2)] = 16
    """Levels of the quantised activations (hard tanh, or from 0 to 1)."""
    activation_gain: Annotated[Positive, Field(le=1e3)] = 1.0
    """Gain of the sigmoid: 1 / (1 + exp(-gain x))."""
    normalisation: Normalisation = "batch"
    """Normalisation after every layer: ``batch``, ``shift`` (by powers of two), ``none``."""
    keep_float: list[str] = Field(default=[])
    """Layers that stay digital: names as in ``metrics.jsonl``, patterns, ``first`` or ``last``."""
    start: Literal["fresh", "weights"] = "fresh"
    """Initial latent weights: ``fresh``, or the ``weights`` that the network was built with (a trained one)."""
    factory: Annotated[str, AfterValidator(check_place)] | None = None
    """Function that makes the network, ``module:function``, instead of a kind; needs ``--allow-code module``."""
    factory_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Digest of its source files; another source is refused. Default: that of the source at the start."""
    options: SerializeAsAny[Parameters] = Field(default_factory=NoOptions, validate_default=True)
    """Keys of the network's own, where it has any."""

    @model_validator(mode="before")
    @classmethod
    def _factory_is_a_kind(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        if values.get("factory") is None:
            if values.get("kind") == FACTORY.name:
                raise ValueError(f"kind = '{FACTORY.name}' needs factory = 'module:function'")
            if values.get("factory_sha256") is not None:
                raise ValueError("factory_sha256 belongs to factory = 'module:function'")
            return values
        if values.get("kind", FACTORY.name) != FACTORY.name:
            raise ValueError(f"kind = {values['kind']!r}: with factory = {values['factory']!r}, leave it out")
        idle = [key for key in TOPOLOGY if key in values]
        if idle:
            raise ValueError(
                f"{idle[0]} has no effect on the network of factory = {values['factory']!r}; leave it out, or give the "
                "function its own keys in [network.options]"
            )
        return {**values, "kind": FACTORY.name}

    @field_validator("options", mode="plain")
    @classmethod
    def _options_of_the_kind(cls, given: Any, info: ValidationInfo) -> Parameters:
        entry = NETWORKS.find(info.data.get("kind"))
        return NoOptions() if entry is None else own_options(entry.options, given)

    @field_validator("hidden")
    @classmethod
    def _enough_layers_for_the_kind(cls, given: list[int], info: ValidationInfo) -> list[int]:
        entry = NETWORKS.find(info.data.get("kind"))
        if entry is not None and len(given) < entry.least_hidden:
            context = {"label": entry.label, "least": entry.least_hidden}
            raise PydanticCustomError("too_few_layers", "the {label} needs {least} or more", context)
        return given

    @model_serializer(mode="wrap")
    def _without_empty_options(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        left_out = {key for key in ("factory", "factory_sha256") if values.get(key) is None}
        left_out |= {"options"} if not values.get("options") else set()
        left_out |= {"activation_gain"} if self.activation_gain == 1.0 else set()
        left_out |= {"start"} if self.start == "fresh" else set()
        left_out |= set(TOPOLOGY) if self.factory is not None else set()
        return {key: value for key, value in values.items() if key not in left_out}

    @property
    def parts(self) -> Parts:
        """Normalisation and activation."""
        return Parts(self.activation, self.normalisation, self.activation_levels, self.activation_gain)
