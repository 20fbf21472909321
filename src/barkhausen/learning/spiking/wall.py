"""Domain-wall neurons with a law of the wall's velocity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.learning.spiking.cell import Cell
from barkhausen.learning.spiking.surrogate import Surrogate

# Those of the published code.
ELECTRON_CHARGE, MAGNETON, GAMMA, MU0 = 1.602e-19, 9.274e-24, 1.7595e11, 4e-7 * math.pi
EXCHANGE, ANISOTROPY, DEMAGNETISING_FACTOR = 1.3e-11, 5e5, 0.9
TAPER_FIELD = (6.000171568956471e4, 1.084982104400131e4, 1.228766907095338e3)
"""Polynomial of the field in A/m that drives a wall to the narrow end, in the slope of the width."""


@dataclass(frozen=True)
class WallLaw:
    """Velocity of a wall on a tapered track: v = (i I / (w d)) μB P / (e Ms (1 + α²)) − μ_f H − μ_s H_s.

    The width w(x) = w1 + x (w2 − w1)/x_th grows, so the wall relaxes to the narrow end, where it starts. The law and
    the defaults are those of the public code liukts/dwmtj-norse-spiking of the group of arXiv:2405.14851; that it made
    the curves of that paper is inferred.

    Attributes:
        narrow, wide: w1 and w2, widths at the start and at the threshold, in m.
        threshold: x_th, place at which the neuron fires, in m.
        thickness: d in m.
        current: I, current in A for an input of 1.
        polarisation: P.
        magnetisation: Ms in A/m.
        damping: α.
        field: H in A/m, against the motion.
        step: Time step in s.
        synapse: Time constant of the input current in s.
    """

    narrow: float = 25e-9
    wide: float = 105e-9
    threshold: float = 200e-9
    thickness: float = 1.5e-9
    current: float = 50e-6
    polarisation: float = 0.7
    magnetisation: float = 8e5
    damping: float = 0.05
    field: float = 0.0
    step: float = 1e-10
    synapse: float = 5e-10

    def __post_init__(self) -> None:
        for name in ("narrow", "wide", "threshold", "thickness", "magnetisation", "damping", "step", "synapse"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be positive, got {getattr(self, name):g}")
        if self.synapse < self.step:
            raise InputError(f"synapse must not be below the step of {self.step:g} s, got {self.synapse:g} s")
        if self.anisotropy <= 0:
            raise InputError(f"magnetisation = {self.magnetisation:g} A/m: the film is no longer perpendicular")

    @property
    def anisotropy(self) -> float:
        """Effective anisotropy in J/m³."""
        return ANISOTROPY - 0.5 * DEMAGNETISING_FACTOR * MU0 * self.magnetisation**2

    @property
    def wall_width(self) -> float:
        """Wall width parameter Δ in m."""
        return math.sqrt(EXCHANGE / self.anisotropy)

    @property
    def slope(self) -> float:
        """Growth of the width along the track."""
        return (self.wide - self.narrow) / self.threshold

    @property
    def leak(self) -> float:
        """Velocity to the narrow end without current, in m/s."""
        second, first, zeroth = TAPER_FIELD
        field = second * self.slope**2 + first * self.slope + zeroth
        mobility = MU0 * GAMMA * self.wall_width
        return mobility / self.damping * self.field + mobility * self.damping * field

    @property
    def drive(self) -> float:
        """Velocity for an input of 1 at the narrow end, before the leak, in m/s."""
        density = self.current / (self.narrow * self.thickness)
        moved = MAGNETON * self.polarisation / (ELECTRON_CHARGE * self.magnetisation * (1 + self.damping**2))
        return density * moved

    def velocity(self, place: Any, inputs: Any) -> Any:
        """Velocity in m/s of a wall at a place in m, for an input current in units of I."""
        return self.drive * inputs / (1.0 + self.slope * place / self.narrow) - self.leak


class WallCell(Cell):
    """Domain-wall neuron: current moves a wall along a track, and the neuron fires where a junction detects it.

    i ← (1 − dt/τ) i + input, x ← max(0, x + v(x, i) dt) with the i of the step before; spike where x > x_th. The state
    is x in units of x_th. Noise multiplies drive and leak together.

    In the published parametrisation the surrogate gradient is a function of x in metres, so it is 1 everywhere, and
    gradients carry the 7 nm that a wall moves in a step. ``normalised`` takes x in units of x_th. Spikes are the same;
    learning is not.

    Args:
        wall: Law of the velocity.
        normalised: Whether the surrogate gradient is one of x / x_th.
        surrogate: Surrogate gradient, of x in m or of x / x_th.
        reset: As of :class:`.Cell`: ``zero`` (a wall is expelled and a new one is at the start), ``none`` (the last
            version of the public code) or ``ignore`` (a wall returns by its leak).
        options: Further arguments of :class:`.Cell`.
    """

    law = 1
    new_current = False

    def __init__(
        self,
        wall: WallLaw | None = None,
        *,
        normalised: bool = False,
        surrogate: Surrogate | None = None,
        **options: Any,
    ) -> None:
        self.wall = wall or WallLaw()
        curve = surrogate or Surrogate()
        super().__init__(
            decay=1.0 - self.wall.step / self.wall.synapse,
            surrogate=curve if normalised else curve.in_units_of(self.wall.threshold),
            floor=0.0,
            **options,
        )
        self.normalised = normalised
        per_step = self.wall.step / self.wall.threshold
        self.drive, self.leak = self.wall.drive * per_step, self.wall.leak * per_step
        self.taper = self.wall.wide / self.wall.narrow - 1.0

    def change(self, value: Tensor, current: Tensor, noise: Tensor | None) -> Tensor:
        """Path of the wall in a step."""
        return self._scaled(self.drive * current / (1.0 + self.taper * value) - self.leak, noise)

    def law_numbers(self) -> tuple[float, ...]:
        """Drive, taper and leak in units of the threshold."""
        return self.drive, self.taper, self.leak, self.floor

    def extra_repr(self) -> str:
        """Drive and leak first."""
        units = "x / x_th" if self.normalised else "m"
        return f"drive={self.wall.drive:.3g} m/s, leak={self.wall.leak:.3g} m/s, gradient in {units}, " + (
            super().extra_repr()
        )
