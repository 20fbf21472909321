"""Barkhausen: from micromagnetics to picojoules.

Deep networks on stochastic magnetic domain-wall synapses: device statistics, programmable synapse arrays,
in-situ and ex-situ learning, and programming energy. The layers, from the lowest up; each imports only from those
before it: :mod:`~barkhausen.core`, :mod:`~barkhausen.micromagnetics`, :mod:`~barkhausen.device`,
:mod:`~barkhausen.synapse`, :mod:`~barkhausen.learning`, :mod:`~barkhausen.data`, :mod:`~barkhausen.experiment`,
:mod:`~barkhausen.results`, :mod:`~barkhausen.sweep`, :mod:`~barkhausen.report`, :mod:`~barkhausen.reproduce`,
:mod:`~barkhausen.cli`.

The functions that a training script needs can be imported from here: :func:`convert`, :class:`InSitu`,
:func:`transfer`, :func:`evaluate`, :func:`programming_energy`.
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
