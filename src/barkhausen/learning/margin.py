"""Default tolerance margin of a device, in units of the spacing and the spread of its own states.

``benchmarks/networks/default_margin.py`` chose the numbers on validation data; ``docs/learning.md`` shows them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from barkhausen.core.errors import warn
from barkhausen.device import CharacterisedDevice, PulsedDevice

SEVERAL = 1.5
"""Margin in units of the spacing from which it spans several levels."""

LEAST_SPREAD = 1 / 15
"""Smallest spread that counts, in units of the spacing: a file with one value for each state has none at all."""


@dataclass(frozen=True)
class DefaultMargin:
    """Rule for the default margin of a device.

    Args:
        spacings: Margin in units of the mean spacing of the levels. Beyond one spacing accuracy falls.
        most: Upper bound in units of the spread. A wider margin saves little programming, but accepts outliers.
        least: Lower bound in units of the spread. With a margin below it devices are programmed at almost every step.
    """

    spacings: float
    most: float
    least: float = 2 / 3

    def of(self, device: CharacterisedDevice | PulsedDevice) -> float:
        """Default margin of a device in weight units, to three significant digits."""
        step, width = spacing(device), max(spread(device), LEAST_SPREAD * spacing(device))
        return float(f"{min(max(self.spacings * step, self.least * width), self.most * width):.3g}")

    def described(self, margin: float, device: CharacterisedDevice | PulsedDevice) -> str:
        """A margin in units of the device, and whether it is the default, in words."""
        step, width = spacing(device), spread(device)
        in_spreads = f" and {margin / width:.2g} times their spread" if width > 0 else ""
        whose = " (the default of the device)" if math.isclose(margin, self.of(device), rel_tol=1e-9) else ""
        return f"{margin / step:.2g} times the mean spacing of the {round(device.states)} levels{in_spreads}{whose}"


IN_SITU, EX_SITU = DefaultMargin(spacings=0.8, most=3.0), DefaultMargin(spacings=0.8, most=1.2)


def spacing(device: CharacterisedDevice | PulsedDevice) -> float:
    """Mean distance of neighbouring levels in weight units; the levels reach from −1 to 1.

    Of a device moved by pulses it is the mean step at w = 0.
    """
    if isinstance(device, PulsedDevice):
        return 2.0 / device.states
    return 2.0 / (device.states - 1)


def spread(device: CharacterisedDevice | PulsedDevice) -> float:
    """Root mean square over the states of the standard deviation of a programmed weight, in weight units.

    Of a device moved by pulses it is the cycle-to-cycle standard deviation of a step at w = 0.
    """
    if isinstance(device, PulsedDevice):
        return math.sqrt(sum(float(device.step_sd(0.0, sign)) ** 2 for sign in (1, -1)) / 2)
    mean, between, within = device.moments
    variance = np.nan_to_num(between) ** 2 + np.nan_to_num(within) ** 2
    return float(2.0 / (mean[-1] - mean[0]) * math.sqrt(variance.mean()))


def default_margin(device: CharacterisedDevice | PulsedDevice, mode: str = "in-situ") -> float:
    """Default tolerance margin of a device in weight units.

    Args:
        device: Characterised device.
        mode: Learning rule that the margin is for.

    Raises:
        InputError: There is no such rule.
    """
    from barkhausen.learning.rules import RULES  # noqa: PLC0415  # the rules import the layers, which import this

    return RULES.named(mode).margin.of(device)


def warn_of_wide(margin: float, device: CharacterisedDevice | PulsedDevice) -> None:
    """Warn of a margin that spans several levels of a device, or that no programmed weight is within."""
    step = spacing(device)
    if margin == 0:
        warn(
            "margin = 0: no weight is exactly on its level, so every device is programmed at nearly every step; the "
            f"default is {IN_SITU.of(device):g}"
        )
    if margin > SEVERAL * step * (1 + 1e-9):
        levels = 1 + 2 * math.floor(margin / step * (1 + 1e-9))
        states = round(device.states)
        warn(
            f"margin = {margin:g} spans {min(levels, states)} of the {states} levels of the device (mean "
            f"spacing {step:.3g}): a device is left alone although its target is another state; the default is "
            f"{IN_SITU.of(device):g}"
        )
