"""Conversion of any torch model to synapse layers."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, PulsedDevice
from barkhausen.learning.conversion_report import KNOWN, NOT_RECOGNISED, conversion_report, listed
from barkhausen.learning.layers.base import SynapseLayer, replace_modules, synapse_layers
from barkhausen.learning.layers.convolution import SynapseConv1d, SynapseConv2d
from barkhausen.learning.layers.linear import SynapseLinear
from barkhausen.learning.layers.recurrent import SynapseGRU, SynapseLSTM, SynapseRecurrent
from barkhausen.learning.layers.weight_fit import Start, start_of
from barkhausen.learning.settings import LayerSettings
from barkhausen.synapse.write_verify import AttemptSettings, WriteVerify

if TYPE_CHECKING:
    from typing_extensions import Unpack

RECURRENT: dict[type[nn.Module], type[SynapseRecurrent]] = {nn.LSTM: SynapseLSTM, nn.GRU: SynapseGRU}
"""Recurrent layers that :func:`convert` replaces, each of their matrices by a synapse layer."""

CONVERTED: dict[type[nn.Module], type[SynapseLayer] | type[SynapseRecurrent]] = {
    nn.Linear: SynapseLinear,
    nn.Conv1d: SynapseConv1d,
    nn.Conv2d: SynapseConv2d,
    **RECURRENT,
}
"""Layer classes that :func:`convert` replaces.

Subclasses are left alone because they may use their weights differently.
"""

UNSUPPORTED = KNOWN
"""Classes with weight matrices that `convert` does not support; of those it replaces, only subclasses."""


SUPPORTED = "Linear, Conv1d, Conv2d, LSTM and GRU"


class DigitalWeightsWarning(UserWarning):
    """A converted model has weight matrices in modules that the conversion does not know."""


def convert(
    model: nn.Module,
    device: CharacterisedDevice | PulsedDevice | str,
    margin: float | WriteVerify | None = None,
    *,
    keep_float: Sequence[str] = (),
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    start: Start = "weights",
    generator: torch.Generator | None = None,
    inplace: bool = False,
    **settings: Unpack[AttemptSettings],
) -> nn.Module:
    """Convert a model: its linear, convolution and recurrent layers then compute with devices.

    ``nn.Linear``, ``nn.Conv1d`` and ``nn.Conv2d`` (grouped, strided and dilated ones too) become
    :class:`.SynapseLinear`, :class:`.SynapseConv1d` and :class:`.SynapseConv2d` under the same names. ``nn.LSTM`` and
    ``nn.GRU`` become :class:`.SynapseLSTM` and :class:`.SynapseGRU`, whose input and recurrent matrices are
    :class:`.SynapseLinear` layers named as torch names the weights (``lstm.weight_ih_l0``). Biases,
    normalisation, embeddings and modules without weights stay digital. So do matrices in modules of other classes, with
    a :class:`DigitalWeightsWarning`; :func:`.conversion_report` lists all matrices. In the ``state_dict``, the key
    ``x.weight`` of a replaced layer becomes ``x.latent_weight``, ``x.scale`` and ``x.synapses.*``, and the key
    ``x.weight_ih_l0`` becomes ``x.weight_ih_l0.latent_weight`` and so on; all other keys stay the same.

    Make the optimiser after the conversion, from the parameters of the converted model, and wrap it in
    :class:`.InSitu`.

    Args:
        model: Any module; torch's own layers may be anywhere inside.
        device: Characterised device or device moved by pulses, name of a shipped or textbook device (``"racetrack-5"``,
            ``"soft-bounds-64"``), or path of a device file (``"mine.nc"``).
        margin: Tolerance margin in weight units, or all write-verify settings as a
            :class:`~barkhausen.synapse.WriteVerify`. Default: :func:`.default_margin` of each device, for learning in
            situ.
        keep_float: Layers that stay float: names as in ``model.named_modules()``, patterns with ``*`` and ``?``, and
            ``"first"`` and ``"last"`` for the first and the last layer that would be replaced. All layers inside a
            named module stay float too. A name of a parameter acknowledges that it is digital.
        overrides: Values of ``device``, ``start``, ``margin``, ``max_attempts``, ``faults`` or ``count_writes``, or a
            whole ``write``, for the layers (or matrices of a recurrent layer) that match a name or pattern. If several
            match, the last one counts.
        start: Initial latent weights. ``"weights"``: the weights of the model, with the scale for each layer at which
            its states approximate them best, so that a trained model stays trained. ``"fresh"``: uniform on [−0.5,
            0.5], with a scale of 1.5/sqrt(fan-in).
        generator: Random stream of devices, latent weights and programming noise. Devices are drawn on its torch
            device.
        inplace: Whether layers of ``model`` itself are replaced instead of those of a copy.
        settings: ``max_attempts`` (largest number of attempts of a programming event; default: 1), ``faults`` (default:
            none) and ``count_writes`` (whether every device counts its writes, 4 bytes each; default: false).

    Returns:
        Converted model, in the mode (training or evaluation) of the original. If ``model`` itself is a supported layer,
        the synapse layer that replaces it.

    Raises:
        InputError: A layer is neither supported nor kept float (each is named), a pattern matches nothing, a setting is
            unknown, layers share weights, or there is nothing to convert.
    """
    if generator is not None and not isinstance(generator, torch.Generator):
        raise InputError(f"generator = {generator!r}: must be a torch.Generator, such as one with manual_seed(0)")
    write = margin if isinstance(margin, WriteVerify) else None
    given: dict[str, Any] = {**settings} if write is not None or margin is None else {"margin": margin, **settings}
    with _said_where("convert"):
        common = LayerSettings.of(device, write, start, **given)
    rules = {}
    if not isinstance(overrides, (Mapping, type(None))) or not all(
        isinstance(pattern, str) for pattern in overrides or ()
    ):
        raise InputError(f"overrides = {overrides!r}: must be a dictionary from names or patterns to settings")
    for pattern, values in (overrides or {}).items():
        with _said_where(f"overrides[{pattern!r}]"):
            rules[pattern] = common.overridden(values)
    kept = _kept(model, keep_float)
    chosen = _chosen(model, keep_float, kept)
    _refuse_shared_weights(model, chosen)
    names = [name for layer in chosen for name in (layer, *_matrices(model.get_submodule(layer), layer))]
    unmatched = [rule for rule in rules if not any(fnmatchcase(name, rule) for name in names)]
    if unmatched:
        raise InputError(f"overrides: {unmatched[0]!r} matches none of the layers to convert ({_some(names)})")
    target = model if inplace else copy.deepcopy(model)
    if "" in chosen:
        return _swap(target, common, rules, "", generator)
    # A layer may occur in several places: it is converted once.
    layers = [target.get_submodule(name) for name in chosen]
    swapped = {layer: _swap(layer, common, rules, name, generator) for name, layer in zip(chosen, layers, strict=True)}
    replace_modules(target, swapped)
    _warn_of_digital(target, kept)
    return target


@contextmanager
def _said_where(where: str) -> Iterator[None]:
    """Prefix input errors with the place of the input."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _kept(model: nn.Module, keep_float: Sequence[str]) -> set[str]:
    """Names of modules that stay float, with all inside them, and of parameters that are known to be digital."""
    if isinstance(keep_float, str):
        raise InputError(f"keep_float = {keep_float!r}: must be a list of names or patterns")
    modules = [name for name, _ in model.named_modules()]
    # The weights of a layer that is replaced cannot stay float on their own.
    parameters = [
        f"{name}.{key}".lstrip(".")
        for name, module in model.named_modules()
        if not isinstance(module, KNOWN)
        for key, _ in module.named_parameters(recurse=False)
    ]
    kept: set[str] = set()
    for pattern in keep_float:
        if pattern in ("first", "last") and pattern not in modules:
            continue
        found = [name for name in modules if fnmatchcase(name, pattern)]
        own = [name for name in parameters if fnmatchcase(name, pattern)]
        if not found and not own:
            raise InputError(f"keep_float: {pattern!r} matches no module of the model ({_some(modules[1:])})")
        kept |= {name for name in modules for top in found if name == top or name.startswith(f"{top}.")} | set(own)
    return kept


def layers_to_convert(model: nn.Module, keep_float: Sequence[str] = ()) -> list[str]:
    """Names of the layers that :func:`convert` would put on devices, in order.

    Args:
        model: Any module.
        keep_float: Layers that stay float, as of :func:`convert`.

    Raises:
        InputError: As :func:`convert`.
    """
    return _chosen(model, keep_float, _kept(model, keep_float))


def _chosen(model: nn.Module, keep_float: Sequence[str], kept: set[str]) -> list[str]:
    """Names of the layers to convert; layers that cannot be converted are refused."""
    modules = dict(model.named_modules())
    rest = {name: module for name, module in modules.items() if name not in kept}
    chosen = [name for name, module in rest.items() if type(module) in CONVERTED]
    ends = {place: chosen[at] for place, at in (("first", 0), ("last", -1)) if place in keep_float and chosen}
    chosen = [name for name in chosen if name not in ends.values()]
    for name, module in rest.items():
        if issubclass(type(module), tuple(CONVERTED)):
            _check_whole(name, module)
    wrong = {
        name: type(module).__name__
        for name, module in rest.items()
        if isinstance(module, UNSUPPORTED) and type(module) not in CONVERTED and not isinstance(module, SynapseLayer)
    }
    inside = [name for name in wrong if any(name.startswith(f"{top}.") for top in wrong)]
    if wrong:
        named = ", ".join(f"{name or 'the model'} ({kind})" for name, kind in wrong.items() if name not in inside)
        raise InputError(
            f"cannot be converted: {named}. Supported are {SUPPORTED}; leave other layers digital with "
            f"keep_float = {[name for name in wrong if name not in inside][:3]}"
        )
    for name in chosen:
        _check(name, rest[name])
    if not chosen:
        already = next(synapse_layers(model), None)
        has = "only synapse layers already" if already else f"no {SUPPORTED.replace(' and', ' or')} layer"
        unknown = () if already else tuple(m for m in conversion_report(model).digital if m.reason == NOT_RECOGNISED)
        raise InputError(
            f"nothing to convert: the model has {has}{' besides those kept float' if kept or ends else ''}"
            f"{f', and matrices that are not recognised: {listed(unknown)}' if unknown else ''}"
        )
    return chosen


def _check_whole(name: str, layer: nn.Module) -> None:
    label = f"{name or 'the model'} ({type(layer).__name__})"
    if any(is_lazy(p) for p in layer.parameters()):
        raise InputError(f"{label}: has no size yet; pass it one batch before the conversion")
    hooks = layer._forward_pre_hooks or layer._forward_hooks or layer._backward_hooks or layer._backward_pre_hooks
    if parametrize.is_parametrized(layer) or hooks:
        raise InputError(
            f"{label}: has hooks or a parametrisation (weight or spectral norm), which would be lost; remove them, or "
            "leave it digital with keep_float"
        )


def _check(name: str, layer: nn.Module) -> None:
    label = f"{name or 'the model'} ({type(layer).__name__})"
    weights = [getattr(layer, own) for own in _matrices(layer, "")] or [layer.weight]
    weight = weights[0]
    assert isinstance(weight, torch.Tensor)
    if weight.is_meta:
        raise InputError(f"{label}: has no numbers (it is on the meta device); build it on a CPU or an accelerator")
    if weight.dtype not in (torch.float32, torch.float64):
        raise InputError(
            f"{label}: its weights are {weight.dtype}; a latent weight needs float32 or float64 (for lower precision "
            "in the products, use autocast)"
        )


def _refuse_shared_weights(model: nn.Module, chosen: Sequence[str]) -> None:
    """Refuse a weight shared by two layers, which cannot become two sets of devices."""
    swapped = {id(model.get_submodule(name)) for name in chosen}
    owner: dict[int, tuple[int, str]] = {}
    for name, module in model.named_modules(remove_duplicate=True):
        for key, parameter in module.named_parameters(recurse=False):
            first = owner.setdefault(id(parameter), (id(module), name))
            if first[0] != id(module) and (first[0] in swapped or id(module) in swapped):
                raise InputError(
                    f"{first[1]} and {name or 'the model'} share one {key}: keep both float, or give each its own"
                )


def _matrices(layer: nn.Module, name: str) -> list[str]:
    """Names of the matrices of a recurrent layer, behind its own; none for any other layer."""
    if type(layer) not in RECURRENT:
        return []
    own = [key for key, parameter in layer.named_parameters(recurse=False) if parameter.dim() == 2]
    return [f"{name}.{key}".lstrip(".") for key in own]


def _swap(
    layer: nn.Module,
    common: LayerSettings,
    rules: Mapping[str, LayerSettings],
    name: str,
    generator: torch.Generator | None,
) -> nn.Module:
    """The layer with devices that replaces one of torch."""

    def settings_of(*names: str) -> LayerSettings:
        settings = common
        for pattern, rule in rules.items():
            if any(fnmatchcase(each, pattern) for each in names):
                settings = rule
        return settings

    if isinstance(layer, (nn.LSTM, nn.GRU)):
        matrices: dict[str, SynapseLinear] = {}
        for whole in _matrices(layer, name):
            key = whole.rpartition(".")[2]
            weight = getattr(layer, key)
            given = _given(weight, settings_of(name, whole), whole, generator)
            made = SynapseLinear(weight.shape[1], weight.shape[0], settings_of(name, whole).device, bias=False, **given)
            _like(made, weight, layer.training)
            matrices[key] = made
        return RECURRENT[type(layer)](layer, matrices).train(layer.training)
    assert isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d))
    swapped = _swapped(layer, settings_of(name), name, generator)
    if isinstance(layer.bias, nn.Parameter):
        # The same parameter object, so that other references to it stay valid.
        swapped.bias = layer.bias
    return _like(swapped, layer.weight, layer.training)


def _swapped(
    layer: nn.Linear | nn.Conv1d | nn.Conv2d, settings: LayerSettings, name: str, generator: torch.Generator | None
) -> SynapseLayer:
    given = {**_given(layer.weight, settings, name, generator), "bias": layer.bias is not None}
    if isinstance(layer, nn.Linear):
        return SynapseLinear(layer.in_features, layer.out_features, settings.device, **given)
    kind = CONVERTED[type(layer)]
    assert issubclass(kind, (SynapseConv1d, SynapseConv2d))
    return kind(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        settings.device,
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        groups=layer.groups,
        padding_mode=layer.padding_mode,
        **given,
    )


def _given(
    weight: torch.Tensor, settings: LayerSettings, name: str, generator: torch.Generator | None
) -> dict[str, Any]:
    """Keyword arguments that all layers with devices share."""
    latent_weight, scale = start_of(weight.detach(), settings.device, settings.start, name)
    return {"write": settings.write, "latent_weight": latent_weight, "scale": scale, "generator": generator}


def _like(made: SynapseLayer, weight: torch.Tensor, training: bool) -> SynapseLayer:
    made.latent_weight.requires_grad_(weight.requires_grad)
    return made.to(device=weight.device, dtype=weight.dtype).train(training)


def _warn_of_digital(model: nn.Module, kept: set[str]) -> None:
    found = [
        matrix
        for matrix in conversion_report(model).digital
        if matrix.reason == NOT_RECOGNISED and matrix.layer not in kept and matrix.name not in kept
    ]
    if found:
        warnings.warn(
            f"convert: left digital: {listed(tuple(found))}; only {SUPPORTED} are replaced. Build the "
            "layer with these, or name it in keep_float; conversion_report(model) lists all matrices",
            DigitalWeightsWarning,
            stacklevel=3,
        )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return f"{shown}, … {len(names)} in all" if len(names) > 8 else shown
