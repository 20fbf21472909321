"""Base class of synapse layers, whose weights are held by devices."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.core.renamed import STATE_KEYS, deprecated
from barkhausen.device import CharacterisedDevice, PulsedDevice
from barkhausen.learning.layers.bare_optimizer import watch_layer
from barkhausen.learning.layers.low_precision import LowPrecision
from barkhausen.learning.layers.own_weight import NAME, LayerParameters, OwnWeight, refuse_write
from barkhausen.learning.layers.quantiser import Quantiser
from barkhausen.learning.layers.recording import refuse, refuse_constant
from barkhausen.learning.layers.straight_through import straight_through
from barkhausen.learning.margin import default_margin
from barkhausen.learning.margin import spread as width_of_states
from barkhausen.synapse import Phase
from barkhausen.synapse.arrays import array_of
from barkhausen.synapse.pulsed.array import PulsedArray
from barkhausen.synapse.write_verify import WriteSettings, WriteVerify

if TYPE_CHECKING:
    from typing_extensions import Unpack

FRESH_SCALE = 1.5
FRESH_SPREAD = 0.5
"""Half the width of the uniform distribution of fresh latent weights. With a scale of 1.5/sqrt(fan-in) and five states
the variance is a seventh of that of He's initialisation, which a normalisation makes up for."""


FRESH_REACH = 1.5
"""The same in units of the threshold nearest to 0, where weights have no spread and all devices would start alike: a
third of three evenly spaced states then start at −1 or 1. A network of equal weights has no gradient to learn from."""

COPIES = ("held_state", "verified_weight")
"""Buffers of a layer that are digital copies of its devices' states, kept by the learning rules that need them."""


class LayerOptions(WriteSettings, total=False):
    """Keyword arguments that all layers share; see :class:`SynapseLayer`."""

    bias: bool
    scale: float | None
    spread: float | None
    latent_weight: Tensor | None
    generator: torch.Generator | None


class SynapseLayer(nn.Module):
    """A layer that computes with synaptic weights and learns in a digital latent weight.

    The parameter ``latent_weight``, in [−1, 1] and of the shape of the weights, is the high-precision latent weight a;
    ``synapses.weight`` is the analogue synaptic weight w. The layer computes with ``scale · w`` where the float layer
    computes with its weights, and hands the gradient with respect to w to the latent weight (straight-through).

    At construction every device is programmed to the state nearest to its latent weight: the initial programming.

    Args:
        shape: Shape of the weights, outputs first.
        device: Statistics of the devices.
        write: Write-verify settings.
        bias: Whether the layer has a digital bias (not needed before a normalisation).
        scale: Fixed factor between synaptic weights and network weights. Default: 1.5 / sqrt(fan-in).
        spread: Half the width of the uniform distribution of the initial latent weights. Default: 0.5, and more where
            devices without any spread would all start in one state.
        latent_weight: Initial latent weights. Default: drawn.
        generator: Generator of latent weights, devices and programming noise.
        settings: ``margin``, ``max_attempts``, ``faults`` and ``count_writes``, instead of ``write``. Default of the
            margin: :func:`.default_margin` of the device, for learning in situ.
    """

    latent_weight: nn.Parameter
    scale: Tensor
    held_state: Tensor | None
    """State that each device was last programmed to (uint8), whatever became of it since. None unless the learning rule
    keeps it."""
    verified_weight: Tensor | None
    """Weight of each device at its last verify read, as digital copy. None unless the learning rule keeps it."""
    hysteresis: float = 0.0
    """Distance in latent weight units that a latent weight is beyond a threshold before its device is programmed, where
    the learning rule has a hysteresis."""

    def __init__(
        self,
        shape: tuple[int, ...],
        device: CharacterisedDevice | PulsedDevice,
        write: WriteVerify | None = None,
        *,
        bias: bool = True,
        scale: float | None = None,
        spread: float | None = None,
        latent_weight: Float[Tensor, "outputs inputs *kernel"] | None = None,
        generator: torch.Generator | None = None,
        **settings: Unpack[WriteSettings],
    ) -> None:
        super().__init__()
        self._parameters = LayerParameters()
        latent_weight = _renamed(settings, latent_weight)
        if write is None and "margin" not in settings:
            settings["margin"] = default_margin(device)
        # Of the class that the device makes; rules refuse those that they cannot program.
        self.synapses: Any = array_of(shape, device, WriteVerify.given(write, **settings), generator)
        self.quantiser = Quantiser(self.synapses.levels)
        where = self.synapses.weight.device
        if latent_weight is None:
            spread = self._fresh_spread(device) if spread is None else spread
            latent_weight = torch.rand(shape, generator=generator, device=where).mul_(2 * spread).sub_(spread)
        self.latent_weight = nn.Parameter(latent_weight.detach().to(where).clone(memory_format=torch.contiguous_format))
        scale = FRESH_SCALE / math.sqrt(math.prod(shape[1:])) if scale is None else scale
        # A buffer, so that it is saved with the layer.
        self.register_buffer("scale", torch.tensor(scale, device=where))
        self.bias = nn.Parameter(torch.zeros(shape[0], device=where)) if bias else None
        self.low_precision: LowPrecision | None = None
        for name in COPIES:
            self.register_buffer(name, None)
        self.program_all(generator, phase=Phase.INITIAL)
        watch_layer(self)

    def _fresh_spread(self, device: CharacterisedDevice | PulsedDevice) -> float:
        """Half the width of the distribution of fresh latent weights."""
        levels = self.synapses.levels
        nearest = float(((levels[1:] + levels[:-1]) / 2).abs().min())
        if nearest < FRESH_SPREAD or isinstance(self.synapses, PulsedArray) or width_of_states(device) > 0:
            return FRESH_SPREAD
        return min(1.0, FRESH_REACH * nearest)

    @torch.no_grad()
    def program_all(self, generator: torch.Generator | None, *, phase: Phase) -> None:
        """Program every device to its target state, or, where pulses move it, to its latent weight."""
        if isinstance(self.synapses, PulsedArray):
            self.synapses.write(self.latent_weight, generator, phase=phase)
            return
        self.synapses.program(self.target_state(), generator=generator, phase=phase)

    @torch.no_grad()
    def target_state(self) -> Int[Tensor, "outputs inputs *kernel"]:
        """State (int64) that the network wants each device to be in.

        It is the state nearest to the latent weight, or, where the learning rule keeps it, the state that the device
        was last programmed to: with a hysteresis that is what the network has learnt to compute with.
        """
        if self.held_state is not None:
            return self.held_state.to(torch.int64)
        return self.quantiser.state(self.latent_weight.clamp(-1.0, 1.0))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for old, new in STATE_KEYS.items():
            if f"{prefix}{old}" in state_dict:
                deprecated(f"the key {old} in a saved state", new)
                state_dict[f"{prefix}{new}"] = state_dict.pop(f"{prefix}{old}")
        if f"{prefix}{NAME}" in state_dict:
            raise InputError(
                f"{prefix}{NAME}: is of a float layer or an export, and this one computes with its devices; load it "
                "before convert, or set latent_weight and scale and call program_all"
            )
        self._take_copies(state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def _take_copies(self, state_dict: Mapping[str, Any], prefix: str) -> None:
        """Have the digital copies that a saved state has, and no others; a learning rule makes those it misses."""
        for name in COPIES:
            saved = state_dict.get(f"{prefix}{name}")
            if not isinstance(saved, Tensor):
                setattr(self, name, None)
                continue
            if saved.dtype == torch.uint8 and saved.numel() and int(saved.max()) >= self.synapses.states:
                raise InputError(f"{prefix}{name}: must be from 0 to {self.synapses.states - 1}")
            if getattr(self, name) is None:
                weight = self.synapses.weight
                kind = torch.uint8 if name == "held_state" else weight.dtype
                setattr(self, name, torch.zeros(weight.shape, dtype=kind, device=weight.device))

    @property
    def memory(self) -> nn.Parameter:
        """Deprecated: :attr:`latent_weight`."""
        deprecated("the attribute memory of a layer", "latent_weight")
        return self.latent_weight

    @property
    def weight(self) -> Float[Tensor, "outputs inputs *kernel"]:
        """Weights of the equivalent float layer, ``scale · w``: a copy, whose gradient goes to the latent weight.

        Code that multiplies by the weights of a layer itself thus computes, and learns, like the layer. The copy is
        read-only: what is written into it, or assigned to it, is refused, since the devices would not follow.
        """
        refuse_constant()
        return OwnWeight.of(straight_through(self.latent_weight, self.synapses.weight) * self.scale)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == NAME:
            refuse_write("assigned")
        super().__setattr__(name, value)

    def __prepare_scriptable__(self) -> NoReturn:
        """Refuse ``torch.jit.script``, which calls this method first."""
        refuse("script")

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Copies and unpickled layers are not made by the constructor.
        super().__setstate__(state)
        self._parameters = LayerParameters(self._parameters)
        for name in COPIES:
            # Pickled by an earlier version.
            self._buffers.setdefault(name, None)
        watch_layer(self)

    def as_float(self) -> nn.Module:
        """The deployed layer: a layer of torch that computes the same with fixed weights."""
        raise NotImplementedError

    def _with_own_weights(self, layer: nn.Linear | nn.Conv1d | nn.Conv2d) -> nn.Module:
        layer.weight.data = self.weight.detach().clone()
        if self.bias is not None and layer.bias is not None:
            layer.bias.data = self.bias.detach().clone()
        return layer.train(self.training)

    def _devices(self) -> str:
        array = self.synapses
        if isinstance(array, PulsedArray):
            return f"moved by pulses, scale={float(self.scale):.4g}"
        return f"states={array.states}, margin={array.margin:g}, scale={float(self.scale):.4g}"


def synapse_layers(model: nn.Module) -> Iterator[tuple[str, SynapseLayer]]:
    """Name and layer of every synapse layer of a model, in order."""
    for name, module in model.named_modules():
        if isinstance(module, SynapseLayer):
            yield name, module


def replace_modules(model: nn.Module, replacements: Mapping[nn.Module, nn.Module]) -> None:
    """Replace modules by others, in every place where they occur."""
    for parent in list(model.modules()):
        # named_children would leave out the second occurrence of a module.
        for name, child in list(parent._modules.items()):
            if child is not None and child in replacements:
                setattr(parent, name, replacements[child])


def _renamed(settings: Any, latent_weight: Tensor | None) -> Tensor | None:
    """The latent weights, also if they are given by their name of version 0.1.0."""
    if "memory" not in settings:
        return latent_weight
    deprecated("memory", "latent_weight", stacklevel=5)
    given: Tensor | None = settings.pop("memory")
    return given if latent_weight is None else latent_weight
