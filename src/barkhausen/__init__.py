"""Barkhausen: from micromagnetics to picojoules.

Deep networks on stochastic magnetic domain-wall synapses: device statistics, programmable synapse arrays,
in-situ and ex-situ learning, and what the programming costs. The floors, each importing only from those below:
:mod:`~barkhausen.device`, :mod:`~barkhausen.synapse`, :mod:`~barkhausen.learning`, :mod:`~barkhausen.experiment`.
"""

from barkhausen.version import __version__

__all__ = ["__version__"]
