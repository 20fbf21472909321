"""Heat flow from a rectangular strip into layers on a half space: the linear response of the strip's temperature.

The strip carries a uniform heat flux into the surface below it; the rest of the surface is insulated. A flux that
varies as cos(k·r) over the surface and as exp(s t) in time raises the surface by Z(k, s) times itself, with

    Z = 1/(lambda eta),  eta = sqrt(k² + s C/lambda)                       of the half space,
    Z' = (Z + tanh(eta d)/(lambda eta)) / (1 + Z lambda eta tanh(eta d))   with a layer of thickness d on it.

The mean rise of the strip is the sum of Z over k with the squared form factor of the strip, sinc² kx L/2 sinc² ky w/2
(Carslaw and Jaeger, Conduction of Heat in Solids, 2nd ed. (1959), chapters 10 and 15; the recursion over layers:
Feldman, High Temp. High Press. 31, 293 (1999); both together: Cahill, Rev. Sci. Instrum. 75, 5119 (2004)). The strip
itself is thin and has one temperature; its heat capacity takes its share of the power. Times follow from the transform
by Talbot's contour (Abate and Valkó, Int. J. Numer. Meth. Eng. 60, 979 (2004)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Complex, Float
from scipy.interpolate import CubicSpline
from scipy.special import sici

WAVE_NUMBERS_PER_DECADE = 40
"""Bins of the spatial transform per decade; with them a temperature is known to 3e-4."""

SPAN = (1e-4, 1e5)
"""Smallest and largest k side/2 of the bins."""

CONTOUR_NODES = 16
"""Nodes of Talbot's contour; twice as many change a temperature by less than 1e-5."""

RESPONSE_TIMES = (1e-13, 1e-4)
"""First and last time in s of the tabulated response; before them it is that of the heat capacity alone, after them
constant."""

RESPONSES_PER_DECADE = 8
"""Times per decade of the tabulated response, between which a cubic spline is exact to 5e-5."""


@dataclass(frozen=True)
class Layer:
    """Homogeneous layer below the strip.

    Args:
        thickness: Thickness in m; infinite for the half space.
        conductivity: Thermal conductivity lambda in W/(m K).
        heat_capacity: Heat capacity C per volume in J/(m³ K).
        resistance: Thermal resistance in m² K/W of the interface above the layer.
    """

    thickness: float
    conductivity: float
    heat_capacity: float
    resistance: float = 0.0


@dataclass(frozen=True)
class HeatedStrip:
    """Strip on layers over a half space.

    Args:
        length, width: Lengths of the sides in m.
        areal_heat_capacity: Heat capacity of the strip per area in J/(m² K).
        layers: Layers from the strip downwards, the last one the half space.
    """

    length: float
    width: float
    areal_heat_capacity: float
    layers: tuple[Layer, ...]

    def transform(self, s: Complex[np.ndarray, " node"]) -> Complex[np.ndarray, " node"]:
        """Laplace transform of the rise in K after 1 J/m² at time 0, at complex rates in 1/s."""
        k, weight = self._spectrum
        below: np.ndarray | float = math.inf
        for layer in reversed(self.layers):
            rate = s * (layer.heat_capacity / layer.conductivity)
            admittance = layer.conductivity * np.sqrt(k * k + rate[:, None])
            if math.isinf(layer.thickness):
                below = 1 / admittance
            else:
                # A layer has no overflow: tanh of large arguments is 1.
                tangent = np.tanh(admittance * (layer.thickness / layer.conductivity))
                below = (below + tangent / admittance) / (1 + below * admittance * tangent)
            below = below + layer.resistance
        mean = np.asarray(below) @ weight
        return np.asarray(mean / (1 + self.areal_heat_capacity * s * mean))

    @cached_property
    def _spectrum(self) -> tuple[Float[np.ndarray, " wave"], Float[np.ndarray, " wave"]]:
        """Wave numbers in 1/m and their weights, which add up to 1: the squared form factor of the strip."""
        kx, along = _bins(self.length)
        ky, across = _bins(self.width)
        both = np.hypot(kx[:, None], ky[None, :]).ravel()
        weights = (along[:, None] * across[None, :]).ravel()
        # Z depends on |k| alone: the weight of each (kx, ky) goes to the two nearest of a list of |k|, by ln k.
        decades = math.log10(both.max() / both.min())
        grid = np.geomspace(both.min(), both.max(), math.ceil(decades * WAVE_NUMBERS_PER_DECADE) + 1)
        place = np.log(both / grid[0]) / math.log(grid[1] / grid[0])
        low = np.clip(np.floor(place).astype(int), 0, len(grid) - 2)
        share = np.clip(place - low, 0, 1)
        summed = np.bincount(low, weights * (1 - share), len(grid))
        return grid, summed + np.bincount(low + 1, weights * share, len(grid))

    def _inverted(self, times: Float[np.ndarray, " time"], power: int) -> Float[np.ndarray, " time"]:
        """Inverse at positive times of the transform over s to a power: 1 for a step of the flux, 2 for a ramp."""
        angle = np.arange(1, CONTOUR_NODES) * math.pi / CONTOUR_NODES
        cotangent = 1 / np.tan(angle)
        slanted = 0.4 * math.pi * np.arange(1, CONTOUR_NODES) * (cotangent + 1j)
        contour = np.concatenate([[0.4 * CONTOUR_NODES], slanted])
        turn = 1 + 1j * angle * (1 + cotangent**2) - 1j * cotangent
        factor = np.concatenate([[0.5 * np.exp(contour[0])], turn * np.exp(slanted)])
        s = contour[None, :] / times[:, None]
        values = self.transform(s.ravel()).reshape(s.shape) / s**power
        return np.asarray(0.4 / times * (factor * values).real.sum(axis=1))

    @cached_property
    def _tables(self) -> tuple[CubicSpline, CubicSpline]:
        """Logarithms of the responses to a step and to a ramp against the logarithm of the time."""
        first, last = RESPONSE_TIMES
        times = np.geomspace(first, last, round(RESPONSES_PER_DECADE * math.log10(last / first)) + 1)
        step, ramp = (CubicSpline(np.log(times), np.log(self._inverted(times, power))) for power in (1, 2))
        return step, ramp

    def step_response(self, times: Float[np.ndarray, " *any"]) -> Float[np.ndarray, " *any"]:
        """Rise in K at these times in s for a flux of 1 W/m² that is switched on at time 0; 0 before."""
        return self._response(times, 1)

    def ramp_response(self, times: Float[np.ndarray, " *any"]) -> Float[np.ndarray, " *any"]:
        """Rise in K at these times in s for a flux that grows from time 0 by 1 W/m² in a second; 0 before."""
        return self._response(times, 2)

    def _response(self, times: Float[np.ndarray, " *any"], power: int) -> Float[np.ndarray, " *any"]:
        times, (first, last) = np.asarray(times, dtype=np.float64), RESPONSE_TIMES
        clipped = np.clip(times, first, last)
        values = np.exp(self._tables[power - 1](np.log(clipped)))
        early = np.clip(times / first, 0.0, 1.0) ** power
        late = np.maximum(times - last, 0.0) * (0.0 if power == 1 else float(np.exp(self._tables[0](math.log(last)))))
        return np.asarray(np.where(times > 0, values * early + late, 0.0))

    def rise(
        self,
        knots: Float[np.ndarray, " knot"],
        flux: Float[np.ndarray, "knot column"],
        times: Float[np.ndarray, " time"],
    ) -> Float[np.ndarray, "time column"]:
        """Rise in K at these times for fluxes that are linear in time between knots, and zero before the first.

        Args:
            knots: Times in s, not decreasing; a step is two equal knots.
            flux: Power per area of the strip in W/m² at the knots; constant after the last.
            times: Times in s.
        """
        gaps, jumps = np.diff(knots), np.diff(flux, axis=0)
        steps = np.concatenate([flux[:1], np.where((gaps == 0)[:, None], jumps, 0.0)])
        slopes = np.divide(jumps, gaps[:, None], out=np.zeros_like(jumps), where=(gaps > 0)[:, None])
        none = np.zeros_like(flux[:1])
        changes = np.diff(np.concatenate([none, slopes, none]), axis=0)
        # A pair of equal knots: the slope before it ends at the first, that after it begins at the second.
        delays = times[:, None] - knots[None, :]
        return np.asarray(self.step_response(delays) @ steps + self.ramp_response(delays) @ changes)


def _bins(side: float) -> tuple[Float[np.ndarray, " bin"], Float[np.ndarray, " bin"]]:
    """Wave numbers of one direction in 1/m, and the part of the squared form factor that each stands for.

    The parts are exact integrals of sinc² k side/2 over bins of equal ratio, so that its oscillation need not be
    resolved; they add up to 1.
    """
    decades = math.log10(SPAN[1] / SPAN[0])
    edges = np.geomspace(*SPAN, round(decades * WAVE_NUMBERS_PER_DECADE) + 1)
    # With x = k side/2, this is 2/pi times the integral of sin² x/x² from 0.
    below = 2 / math.pi * (sici(2 * edges)[0] - np.sin(edges) ** 2 / edges)
    parts = np.diff(np.concatenate([[0.0], below, [1.0]]))
    centres = np.concatenate([[0.5 * edges[0]], np.sqrt(edges[1:] * edges[:-1]), [2 * edges[-1]]])
    return 2 / side * centres, parts
