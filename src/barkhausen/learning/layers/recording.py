"""Recording of a synapse layer by torch's own tools: as one opaque step of a graph, or refused."""

from __future__ import annotations

from typing import Any, NoReturn

import torch
from torch import nn
from torch.fx import Proxy, _symbolic_trace

from barkhausen.core.errors import InputError

INSTEAD = "record deployed(model), which has torch's own layers with the weights of the devices"


def recorded(layer: nn.Module, x: Any, *more: Any) -> Any:
    """The node of a graph that :mod:`torch.fx` is recording, which calls the layer as a whole; None otherwise.

    A layer recorded in its parts would keep the weights of the moment of recording.

    Raises:
        InputError: ``torch.jit.trace`` is recording, or the layer has no name in the graph.
    """
    if torch.compiler.is_compiling():
        return None
    if isinstance(x, Proxy):
        path = x.tracer.path_of_module(layer)  # type: ignore[attr-defined]  # of a tracer of modules
        if not path:
            raise InputError(
                "torch.fx: a synapse layer can only be recorded as a part of a model; put it into nn.Sequential"
            )
        return x.tracer.create_proxy("call_module", path, (x, *more), {})
    if torch._C._is_tracing():
        refuse("trace")
    return None


def refuse_constant() -> None:
    """Refuse to give the weights of a layer to a graph, which would hold those of the moment of recording.

    Raises:
        InputError: ``torch.fx`` or ``torch.jit.trace`` is recording.
    """
    if torch.compiler.is_compiling():
        return
    if torch._C._is_tracing():
        refuse("trace")
    # The function that reads this flag logs a warning.
    if _symbolic_trace._is_fx_tracing_flag:
        raise InputError(f"torch.fx: layer.weight would be recorded as it is now; call the layer itself, or {INSTEAD}")


def refuse(what: str) -> NoReturn:
    """Refuse a conversion to TorchScript.

    Raises:
        InputError: Always.
    """
    raise InputError(f"torch.jit.{what}: TorchScript cannot hold synapse layers; {INSTEAD}")
