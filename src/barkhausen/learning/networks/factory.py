"""Networks of the user's own, made by a function that a recipe names.

The function is called with the sizes that the data set decides (:class:`.Shapes`) and with the keys of
``[network.options]`` as keyword arguments. It returns a module that takes rows [sample, feature].
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from pydantic import ConfigDict
from torch import nn

from barkhausen.core.config import Parameters
from barkhausen.core.errors import InputError
from barkhausen.core.user_code import PLACE, UserFunction
from barkhausen.learning.networks.float_layers import FloatLayers
from barkhausen.learning.networks.registry import ANY, NETWORKS, Network, SavedSizes, Shapes

if TYPE_CHECKING:
    from barkhausen.learning.networks.settings import NetworkRecipe

KEY = "network.factory"


class FactoryOptions(Parameters):
    """Keyword arguments of the function, whatever they are."""

    model_config = ConfigDict(extra="allow", frozen=True)


def check_place(place: str) -> str:
    """The name of a function, as a recipe gives it.

    Raises:
        ValueError: It is no ``module:function``.
    """
    if not PLACE.fullmatch(place):
        raise ValueError(f"{place!r}: must be 'module:function'")
    return place


def _build(network: NetworkRecipe, shapes: Shapes, layers: FloatLayers) -> nn.Module:
    assert network.factory is not None
    made = UserFunction(network.factory, KEY).load()
    where = layers.generator.device
    # The function draws from torch's own generator, which is left as it was.
    seed = int(torch.randint(2**62, (), generator=layers.generator, device=where))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = called(network.factory, lambda: made(shapes, **network.options.model_dump()))
    if not isinstance(model, nn.Module):
        raise InputError(f"{KEY} = {network.factory!r}: must return a torch.nn.Module, returned {type(model).__name__}")
    return model


def called(place: str, call: Callable[[], Any], when: str = "") -> Any:
    """What code of the user's own returns; an error in it becomes one line with its place.

    Args:
        place: ``module:function``.
        call: Function that runs the code.
        when: Circumstances, for the message.

    Raises:
        InputError: It raised an error.
    """
    try:
        return call()
    except InputError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        package = Path(__file__).parents[2]
        own = [f for f in frames if not Path(f.filename).is_relative_to(package) and "site-packages" not in f.filename]
        where = f" ({own[-1].filename} line {own[-1].lineno})" if own else ""
        lines = str(error).strip().splitlines() or [""]
        raise InputError(f"{KEY} = {place!r}{when}: {type(error).__name__}: {lines[0]}{where}") from error


FACTORY = NETWORKS.register(
    "factory",
    Network(
        name="factory",
        label="network of a function of one's own",
        output=ANY,
        build=_build,
        saved_shapes=SavedSizes.from_dataset,
        options=FactoryOptions,
    ),
)
