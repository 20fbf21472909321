"""Textbook devices: steps by a law, with declared spreads and a range of conductances."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from barkhausen.core.errors import InputError
from barkhausen.device.coordinate import StateCoordinate
from barkhausen.device.pulses import laws

if TYPE_CHECKING:
    from typing_extensions import Self

UP, DOWN = 1, -1
"""Signs of a pulse."""

GRID = 129
"""Number of points of the grid of a device that is given by a law."""

CONDUCTANCE = StateCoordinate("conductance", "S", "conductance of the device")
CONDUCTANCES = (1e-6, 1e-5)
"""Smallest and greatest conductance in S of a textbook device; our assumption."""

WANTED = {"step": "positive", "cycle_sd": "zero or positive"}


def pair(value: float | tuple[float, float]) -> tuple[float, float]:
    """A value for pulses up and pulses down, from one for both or from two."""
    up, down = (value, value) if isinstance(value, int | float) else value
    return float(up), float(down)


def textbook(
    size: Callable[[np.ndarray, int], np.ndarray], law: Mapping[str, Any], how: Mapping[str, Any]
) -> dict[str, Any]:
    """Arguments of :meth:`.PulsedDevice.from_steps` for a device that is given by a law.

    Args:
        size: Function from a grid that rises towards the bound of the pulse, and the row of its sign, to the mean size
            of the step.
        law: Name of the law and its parameters; a pair is of pulses up and down.
        how: Arguments that replace defaults.

    Raises:
        InputError: A parameter is not plausible.
    """
    for name, values in law.items():
        for value in values if isinstance(values, tuple) else ():
            if not np.isfinite(value) or (name == "step" and value <= 0) or (name == "cycle_sd" and value < 0):
                raise InputError(f"{name} = {value}: must be {WANTED.get(name, 'finite')}")
    grid = np.linspace(-1, 1, GRID)
    sizes = np.stack([np.maximum(size(grid, 0), 0.0), np.maximum(size(grid, 1), 0.0)[::-1]])
    lines = [f"{name} = {_words(value)} (textbook law)" for name, value in law.items()]
    if "state_range" not in how and "coordinate" not in how:
        lines.append("conductances of {:g} S to {:g} S (default)".format(*CONDUCTANCES))
    return {
        "mean": sizes * np.array([[UP], [DOWN]]),
        "sd": sizes * np.array(law["cycle_sd"])[:, None],
        "technology": "resistive",
        "source": "gaussian",
        "law": law,
        **how,
        "assumed": [*lines, *how.get("assumed", ())],
    }


def _words(value: Any) -> str:
    if not isinstance(value, tuple):
        return str(value)
    return f"{value[0]:g}" if value[0] == value[1] else f"{value[0]:g} up, {value[1]:g} down"


class TextbookDevices:
    """Constructors of devices whose steps follow a law."""

    @classmethod
    def from_steps(cls, **how: Any) -> Self:
        """Make a device from tables of its steps in weight units."""
        raise NotImplementedError

    @classmethod
    def linear(
        cls,
        step: float | tuple[float, float] = 2 / 32,
        *,
        slope: float | tuple[float, float] = 0.0,
        cycle_sd: float | tuple[float, float] = 0.3,
        **how: Any,
    ) -> Self:
        """Device whose step falls linearly with the weight, as aihwkit's ``LinearStepDevice``.

        Args:
            step: Size of the step at w = 0 in weight units, for both signs or up and down.
            slope: Relative loss of step from w = 0 to the bound that the pulse leads to, at most 1. With 0 every step
                has the same size.
            cycle_sd: Cycle-to-cycle standard deviation relative to the mean step.
            how: Further arguments of :meth:`from_steps`; technology and source have defaults.

        Raises:
            InputError: A step is not positive, or a slope lies outside −1 to 1.
        """
        steps, slopes = pair(step), pair(slope)
        for value in slopes:
            if not -1 <= value <= 1:
                raise InputError(f"slope = {value}: must lie between -1 and 1")
        law = {"name": "affine", "step": steps, "slope": slopes, "cycle_sd": pair(cycle_sd)}
        return cls.from_steps(**textbook(lambda u, k: laws.affine(u, steps[k], slopes[k]), law, how))

    @classmethod
    def soft_bounds(
        cls,
        step: float | tuple[float, float] = 2 / 32,
        *,
        cycle_sd: float | tuple[float, float] = 0.3,
        **how: Any,
    ) -> Self:
        """Device whose step vanishes at the bound: Δw = s (1 − w) up and −s (1 + w) down, as aihwkit's
        ``SoftBoundsDevice``.

        Args:
            step: Size of the step at w = 0 in weight units, for both signs or up and down.
            cycle_sd: Cycle-to-cycle standard deviation relative to the mean step.
            how: Further arguments of :meth:`from_steps`; technology and source have defaults.

        Raises:
            InputError: A step is not positive.
        """
        return cls.linear(step, slope=1.0, cycle_sd=cycle_sd, **how)

    @classmethod
    def exponential(
        cls,
        nu: float | tuple[float, float],
        step: float | tuple[float, float] = 2 / 32,
        *,
        cycle_sd: float | tuple[float, float] = 0.3,
        **how: Any,
    ) -> Self:
        """Device with ΔG = dG exp(−ν (G − Gmin)/(Gmax − Gmin)) up, mirrored down.

        Args:
            nu: Nonlinearity ν, for both signs or up and down; 0 for a constant step.
            step: Size of the first step, at the bound that the pulse leads away from, in weight units.
            cycle_sd: Cycle-to-cycle standard deviation relative to the mean step.
            how: Further arguments of :meth:`from_steps`; technology and source have defaults.

        Raises:
            InputError: A step is not positive, or a value is not finite.
        """
        steps, nus = pair(step), pair(nu)
        law = {"name": "exponential", "step": steps, "nu": nus, "cycle_sd": pair(cycle_sd)}
        return cls.from_steps(**textbook(lambda u, k: laws.exponential(u, steps[k], nus[k]), law, how))

    @classmethod
    def neurosim(
        cls,
        nonlinearity: float | tuple[float, float],
        pulses: int | tuple[int, int] = 32,
        *,
        cycle_sd: float | tuple[float, float] = 0.3,
        **how: Any,
    ) -> Self:
        """Device with the curves of NeuroSim, (1 − exp(−ν p/P)) / (1 − exp(−ν)) of the range after p pulses.

        Args:
            nonlinearity: ν = P/A, for both signs or up and down; 0 for a straight curve.
            pulses: Number of pulses P from one bound to the other.
            cycle_sd: Cycle-to-cycle standard deviation relative to the mean step.
            how: Further arguments of :meth:`from_steps`; technology and source have defaults.

        Raises:
            InputError: A number of pulses is not positive, or a value is not finite.
        """
        nus, counts = pair(nonlinearity), pair(pulses)
        for count in counts:
            if not count >= 1:
                raise InputError(f"pulses = {count:g}: must be at least 1")
        forms = [laws.of_nonlinearity(nu, int(count)) for nu, count in zip(nus, counts, strict=True)]
        law = {"name": "neurosim", "nonlinearity": nus, "pulses": counts, "cycle_sd": pair(cycle_sd)}
        return cls.from_steps(**textbook(lambda u, k: laws.affine(u, *forms[k]), law, how))
