"""Weights that a run starts from: those of another run, or of a checkpoint.

Latent weights, scales, biases and normalisation are taken over. The devices are those of the new run, programmed once
to the states nearest to the latent weights, so its counts and energies are its own. Its device, data, rule and seed may
differ from those of the other run; the sizes of the layers may not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.core.renamed import STATE_KEYS
from barkhausen.experiment.checkpoint import load_checkpoint
from barkhausen.learning import SynapseLayer, synapse_layers
from barkhausen.learning.layers.weight_fit import start_of
from barkhausen.synapse import Phase, PulsedArray

CHECKPOINT = "checkpoint.safetensors"

State = dict[str, Tensor]


def checkpoint_of(source: Path) -> Path:
    """The checkpoint of a run's directory, or the file itself.

    Raises:
        InputError: There is none.
    """
    path = source / CHECKPOINT if source.is_dir() else source
    if not path.is_file():
        what = "is no run with a finished epoch (it holds no checkpoint)" if source.is_dir() else "no such file or run"
        raise InputError(f"init_from = {str(source)!r}: {what}")
    return path


def initial_state(source: Path) -> State:
    """State of the network of a run or checkpoint, under the names of this version.

    Args:
        source: Directory of a run, finished or not, or a checkpoint file.

    Raises:
        InputError: There is no checkpoint, or it is damaged.
    """
    path = checkpoint_of(source)
    try:
        state: Any = load_checkpoint(path).get("model")
    except InputError as error:
        raise InputError(f"init_from = {str(source)!r}: {str(error).partition('; use --overwrite')[0]}") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"{path}: holds no network")
    return {".".join(STATE_KEYS.get(part, part) for part in key.split(".")): value for key, value in state.items()}


@torch.no_grad()
def start_from(model: nn.Module, state: Mapping[str, Tensor], generator: torch.Generator | None, origin: str) -> None:
    """Set the weights of an untrained network to those of a state, and program its devices once, in place.

    A layer on devices takes latent weight and scale, or the weights of a float layer with the scale at which its states
    represent them best. A float layer takes weights, or those of devices.

    Args:
        model: Untrained network.
        state: State from :func:`initial_state`.
        generator: Random stream of the programming noise.
        origin: Name of the state for messages.

    Raises:
        InputError: The layers are others, or their sizes are.
    """
    layers = dict(synapse_layers(model))
    _check_layers(model, state, origin)
    for name, layer in layers.items():
        latent, scale = _latent_of(name, layer, state, origin)
        layer.latent_weight.copy_(latent)
        layer.scale.fill_(scale)
        layer.synapses.counters.reset()
        if layer.synapses.writes is not None:
            layer.synapses.writes.zero_()
        if isinstance(layer.synapses, PulsedArray):
            layer.synapses.reset()
            layer.program_all(generator, phase=Phase.INITIAL)
            continue
        layer.synapses.program(_target_of(name, layer, state), generator=generator, phase=Phase.INITIAL)
    for key, mine in model.state_dict(keep_vars=True).items():
        if not _on_devices(key, layers):
            mine.copy_(_fitting(key, _digital(key, state, origin), mine, origin))


def _latent_of(name: str, layer: SynapseLayer, state: Mapping[str, Tensor], origin: str) -> tuple[Tensor, float]:
    shape = layer.latent_weight
    if f"{name}.latent_weight" in state:
        latent = _fitting(name, state[f"{name}.latent_weight"], shape, origin)
        return latent, float(_digital(f"{name}.scale", state, origin))
    # The matrix of a recurrent layer of torch is a parameter of its own name.
    key = name if name in state else f"{name}.weight"
    weight = _fitting(name, _digital(key, state, origin), shape, origin)
    found, scale = start_of(weight, layer.synapses.kind.device, "weights", name)
    return (torch.zeros_like(weight) if found is None else found), float(layer.scale) if scale is None else scale


def _target_of(name: str, layer: SynapseLayer, state: Mapping[str, Tensor]) -> Tensor:
    """State to program each device to: that which the other network holds, or the one nearest to the latent weight."""
    held, levels = (state.get(f"{name}.{key}") for key in ("held_state", "synapses.levels"))
    if held is None or levels is None or len(levels) != layer.synapses.states:
        return layer.target_state()
    return held.to(layer.latent_weight.device, torch.int64)


def _digital(key: str, state: Mapping[str, Tensor], origin: str) -> Tensor:
    """Value of a digital parameter; of a layer on devices, the weights that they hold."""
    if key in state:
        return state[key]
    name = key.removesuffix(".weight")
    if f"{name}.synapses.weight" in state and f"{name}.scale" in state:
        return state[f"{name}.synapses.weight"] * state[f"{name}.scale"]
    raise InputError(f"{origin}: has no {key}, which this network has; the networks must have the same layers")


def _fitting(name: str, value: Tensor, like: Tensor, origin: str) -> Tensor:
    if value.shape != like.shape:
        raise InputError(f"{origin}: {name} has the sizes {tuple(value.shape)} there and {tuple(like.shape)} here")
    return value.to(like.device, like.dtype)


def _check_layers(model: nn.Module, state: Mapping[str, Tensor], origin: str) -> None:
    """Refuse a state with layers that the model lacks."""
    names = {name for name, _ in model.named_modules()} | {name for name, _ in model.named_parameters()}
    for key in state:
        owner = key.split(".synapses.")[0] if ".synapses." in key else key.rpartition(".")[0]
        if owner not in names:
            raise InputError(f"{origin}: has a layer {owner!r}, which this network lacks")


def _on_devices(key: str, layers: Mapping[str, Any]) -> bool:
    return any(
        key.startswith(f"{name}.synapses.") or key in (f"{name}.latent_weight", f"{name}.scale") for name in layers
    )
