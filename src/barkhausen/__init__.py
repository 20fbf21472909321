"""Barkhausen: from micromagnetics to picojoules.

Deep networks on stochastic magnetic domain-wall synapses: device statistics, programmable synapse arrays,
in-situ and ex-situ learning, and what the programming costs. The floors, each importing only from those below:
:mod:`~barkhausen.micromagnetics`, :mod:`~barkhausen.device`, :mod:`~barkhausen.synapse`, :mod:`~barkhausen.learning`,
:mod:`~barkhausen.experiment`.

What a training script of one's own needs is here too: :func:`convert`, :class:`InSitu`, :func:`transfer`,
:func:`evaluate`.
"""

import importlib
from typing import TYPE_CHECKING

from barkhausen.core import moved
from barkhausen.version import __version__

if TYPE_CHECKING:
    from barkhausen.learning import InSitu, convert, evaluate, programming_energy, transfer

moved.install()

__all__ = ["InSitu", "__version__", "convert", "evaluate", "programming_energy", "transfer"]


def __getattr__(name: str) -> object:
    # On first use: torch takes a second to load, and `barkhausen --version` has no need of it.
    if name in __all__:
        return getattr(importlib.import_module("barkhausen.learning"), name)
    raise AttributeError(f"module 'barkhausen' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
