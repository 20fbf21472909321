"""Laws of the mean step: the change of weight by one pulse as a function of the weight.

A weight w lies between the two bounds of its device, −1 and 1. Each function gives the size of the step up at w; the
step down is mirrored, −s(−w).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Array = Float[np.ndarray, "*any"]


def affine(weight: Array, step: float, slope: float) -> Array:
    """Step that falls linearly with the weight: s (1 − slope w), as aihwkit's ``LinearStepDevice``.

    With ``slope`` = 1 it vanishes at the bound: the soft bounds of Fusi and Abbott (2007). With 0 it is constant. The
    laws of NeuroSim are affine too; see :func:`of_nonlinearity`.
    """
    return np.asarray(step * (1.0 - slope * weight))


def exponential(weight: Array, step: float, nu: float) -> Array:
    """Step that falls exponentially with the weight: s exp(−ν g), with g = (w + 1)/2 between 0 and 1.

    This is ΔG exp(−ν (G − Gmin)/(Gmax − Gmin)) of Querlioz et al., IEEE Trans. Nanotechnol. 12, 288 (2013).
    """
    return np.asarray(step * np.exp(-nu * (weight + 1.0) / 2.0))


def of_nonlinearity(nu: float, pulses: int) -> tuple[float, float]:
    """Step at w = 0 and slope of the affine law whose curve is (1 − exp(−ν p)) / (1 − exp(−ν)).

    ``p`` is the number of the pulse divided by ``pulses``, the number that leads from one bound to the other. This is
    the curve of NeuroSim (Chen, Peng, Yu, IEEE TCAD 37, 3067 (2018)), whose A is 1/ν in units of ``pulses``. A negative
    ν bends the curve the other way.
    """
    if abs(nu) < 1e-9:
        return 2.0 / pulses, 0.0
    share = -np.expm1(-nu / pulses)
    reach = -1.0 / np.expm1(-nu)  # the asymptote, in units of the range
    # In units of the range a pulse at g adds (reach − g) share; the weight is 2 g − 1.
    step = 2.0 * share * (reach - 0.5)
    return float(step), float(share / step)
