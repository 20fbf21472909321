"""Weights of a layer as a tensor to compute with, which refuses to be written.

``layer.weight`` is made anew at every access from the weights of the devices, so whatever is written into it would be
lost without a word: new values, a mask, a hook, a parametrisation. All of them are refused in one line. Everything that
only reads it gets ordinary tensors, with the straight-through gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from barkhausen.core.errors import InputError

NAME = "weight"

ADVICE = (
    "initialise or change the float model before convert, or set latent_weight and call program_all; "
    "layer.weight.clone() is an ordinary tensor"
)

IN_PLACE = frozenset(
    f"__i{name}__"
    for name in (
        "add",
        "sub",
        "mul",
        "div",
        "truediv",
        "floordiv",
        "mod",
        "pow",
        "and",
        "or",
        "xor",
        "lshift",
        "rshift",
    )
) | {"__setitem__", "__set__", "__delete__"}
"""Special methods that write; other functions that do end with an underscore."""

GRADIENT: Any = vars(torch._C.TensorBase)["grad"].__get__
"""The function that reads the attribute ``grad``."""

HOOKS = frozenset({"register_hook", "retain_grad", "register_post_accumulate_grad_hook"})


class OwnWeight(Tensor):
    """Weights of a layer on devices: a copy, and its views, that can be read only."""

    @classmethod
    def of(cls, weight: Tensor) -> Tensor:
        """The weights as such a tensor; as a plain one inside transformations and compilers, which know no others."""
        if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
            return weight
        own: Tensor = weight.as_subclass(cls)
        return own

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Compute as with a plain tensor; writes and hooks are refused.

        Raises:
            InputError: The function writes into the weights, or waits for their gradient.
        """
        kwargs = kwargs or {}
        if not all(issubclass(cls, kind) for kind in types):
            return NotImplemented
        _check(func, args, kwargs)
        with torch._C.DisableTorchFunctionSubclass():
            result = func(*args, **kwargs)
            own = [arg for arg in args if isinstance(arg, cls)]
            return _read_only(result, own[0]) if own else result

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Saved as a plain tensor.
        with torch._C.DisableTorchFunctionSubclass():
            return self.as_subclass(Tensor).__reduce_ex__(protocol)


def _check(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    name = getattr(func, "__name__", "")
    written = [kwargs["out"]] if "out" in kwargs else []
    if name in IN_PLACE or (name.endswith("_") and not name.endswith("__")):
        # The functions of torch.nn.init pass their tensor by name.
        written += args[:1] or [kwargs.get("tensor"), kwargs.get("input")]
    if any(_has_own(tensor) for tensor in written):
        refuse_write("set" if name == "__set__" else name)
    if name in HOOKS or func == GRADIENT:
        raise InputError(
            f"layer.weight.{'grad' if name == '__get__' else name}: layer.weight is made anew at every access, and its "
            "gradient goes to latent_weight; use that, or keep layer.weight.clone()"
        )


def _has_own(value: Any) -> bool:
    return any(map(_has_own, value)) if isinstance(value, (list, tuple)) else isinstance(value, OwnWeight)


def _read_only(result: Any, own: Tensor) -> Any:
    """A result that shares the memory of the weights is as read-only as they are."""
    if isinstance(result, np.ndarray):
        result.flags.writeable = False
    elif type(result) in (tuple, list):
        return type(result)(_read_only(part, own) for part in result)
    elif type(result) is Tensor and result.layout == torch.strided:
        shared = result.numel() and result.untyped_storage().data_ptr() == own.untyped_storage().data_ptr()
        return result.as_subclass(OwnWeight) if shared else result
    return result


def refuse_write(how: str) -> NoReturn:
    """Refuse to change the weights of a layer other than by its devices.

    Raises:
        InputError: Always.
    """
    raise InputError(f"layer.weight ({how}): is a copy of what the devices hold, so a change would be lost; {ADVICE}")


class LayerParameters(dict[str, Any]):
    """Parameters of a layer on devices, by name; there is none named ``weight``.

    Torch's own tools (parametrisations, weight and spectral norm, pruning, ``functional_call``) look here for what they
    replace, so this is where they are refused.
    """

    def __contains__(self, name: object) -> bool:
        return super().__contains__(_other(name))

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(_other(name))

    def __delitem__(self, name: str) -> None:
        super().__delitem__(_other(name))

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(_other(name), value)


def _other(name: Any) -> Any:
    if name == NAME or (isinstance(name, str) and name.startswith(f"{NAME}_")):
        refuse_write("parametrised, pruned or replaced")
    return name
