"""Heat flow from a strip, against closed forms and against finite differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad, trapezoid
from scipy.linalg import solve_banded
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu
from scipy.special import erf

from barkhausen.device.domain_wall.heat import HeatedStrip, Layer

GLASS = Layer(math.inf, 1.38, 1.65e6)
SILICON = Layer(math.inf, 148.0, 1.65e6)


def on_glass(time: float, length: float, width: float) -> float:
    """Mean rise of a rectangle with a uniform flux of 1 W/m² on a half space: integral of the source function."""
    diffusivity = GLASS.conductivity / GLASS.heat_capacity

    def share(side: float, reach: float) -> float:
        u = side / reach
        return float(erf(u) - (1 - math.exp(-u * u)) / (u * math.sqrt(math.pi)))

    def integrand(root: float) -> float:
        reach = math.sqrt(4 * diffusivity) * root
        return 2 / (GLASS.heat_capacity * math.sqrt(math.pi * diffusivity)) * share(length, reach) * share(width, reach)

    return float(quad(integrand, 1e-12, math.sqrt(time), epsabs=0, epsrel=1e-9, limit=500)[0])


@pytest.fixture(scope="module")
def strip() -> HeatedStrip:
    return HeatedStrip(320e-9, 64e-9, 0.0, (GLASS,))


@pytest.mark.parametrize("time", [1e-12, 1e-10, 4.3e-9, 1e-7, 1e-5])
def test_a_rectangle_on_a_half_space_warms_as_the_closed_form(strip: HeatedStrip, time: float) -> None:
    assert strip.step_response(np.array([time]))[0] == pytest.approx(on_glass(time, 320e-9, 64e-9), rel=5e-4)


def test_before_heat_spreads_the_rise_grows_with_the_root_of_the_time() -> None:
    wide = HeatedStrip(1e-3, 1e-3, 0.0, (GLASS,))
    times = np.array([1e-11, 1e-9, 1e-8])
    roots = 2 * np.sqrt(times / (math.pi * GLASS.conductivity * GLASS.heat_capacity))
    np.testing.assert_allclose(wide.step_response(times), roots, rtol=1e-3)


def test_a_square_at_rest_has_the_mean_rise_of_carslaw_and_jaeger() -> None:
    # Uniform flux over a square of side a: mean rise 0.473 q a/lambda (Conduction of Heat in Solids, section 10.5).
    square = HeatedStrip(100e-9, 100e-9, 1e-2, (GLASS,))
    rise = square.step_response(np.array([1e-3]))[0]
    assert rise * GLASS.conductivity / 100e-9 == pytest.approx(0.473, abs=1e-3)


def test_a_thin_oxide_adds_its_resistance() -> None:
    bare = HeatedStrip(320e-9, 64e-9, 0.0, (Layer(math.inf, 148.0, 1.65e6),))
    thin = HeatedStrip(320e-9, 64e-9, 0.0, (Layer(1e-9, 1.38, 1.65e6, resistance=1e-8), SILICON))
    difference = thin.step_response(np.array([1e-6]))[0] - bare.step_response(np.array([1e-6]))[0]
    assert difference == pytest.approx(1e-8 + 1e-9 / 1.38, rel=0.03)


def test_the_ramp_is_the_integral_of_the_step_and_early_heat_stays_in_the_strip(strip: HeatedStrip) -> None:
    for end in (1e-11, 4e-9):
        times = np.linspace(0.0, end, 20001)
        integral = trapezoid(strip.step_response(times), times)
        assert strip.ramp_response(np.array([end]))[0] == pytest.approx(integral, rel=1e-4)
    heavy = HeatedStrip(320e-9, 64e-9, 0.03, (Layer(math.inf, 1.38, 1.65e6, resistance=1e-8),))
    assert heavy.step_response(np.array([1e-12]))[0] == pytest.approx(1e-12 / 0.03, rel=0.01)
    np.testing.assert_array_equal(heavy.step_response(np.array([-1e-9, 0.0])), 0.0)


def test_a_pulse_is_a_step_up_and_a_step_down(strip: HeatedStrip) -> None:
    knots = np.array([1e-9, 1e-9, 3e-9, 3e-9, 8e-9])
    flux = np.array([[0.0, 0.0], [1e9, 2e9], [1e9, 2e9], [0.0, 0.0], [0.0, 0.0]])
    times = np.array([0.5e-9, 2e-9, 3e-9, 7e-9])
    by_hand = 1e9 * (strip.step_response(times - 1e-9) - strip.step_response(times - 3e-9))
    np.testing.assert_allclose(strip.rise(knots, flux, times)[:, 0], by_hand, rtol=1e-9)
    np.testing.assert_allclose(strip.rise(knots, flux, times)[:, 1], 2 * by_hand, rtol=1e-9)
    ramp = strip.rise(np.array([0.0, 2e-9]), np.array([[0.0], [2.0]]), np.array([1e-9]))
    assert ramp[0, 0] == pytest.approx(1e9 * strip.ramp_response(np.array([1e-9]))[0])


def layered_by_differences(layers: tuple[Layer, ...], areal: float, end: float, steps: int) -> float:
    """Rise of a film of infinite extent after a flux of 1 W/m² until ``end``: implicit differences in depth."""
    cells = [np.full(60, layers[0].thickness / 60), np.geomspace(layers[0].thickness / 60, 400e-9, 300)]
    size = np.concatenate(cells)
    first = np.concatenate([np.ones(60, bool), np.zeros(300, bool)])
    conductivity = np.where(first, layers[0].conductivity, layers[1].conductivity)
    capacity = np.concatenate([[areal], size * np.where(first, layers[0].heat_capacity, layers[1].heat_capacity)])
    half = 0.5 * size / conductivity
    conductance = 1 / np.concatenate([[layers[0].resistance + half[0]], half[:-1] + half[1:]])
    dt = end / steps
    bands = np.zeros((3, len(capacity)))
    bands[0, 1:], bands[2, :-1] = -conductance, -conductance
    bands[1] = capacity / dt
    bands[1, :-1] += conductance
    bands[1, 1:] += conductance
    rise = np.zeros(len(capacity))
    for _ in range(steps):
        source = capacity / dt * rise
        source[0] += 1.0
        rise = solve_banded((1, 1), bands, source)
    return float(rise[0])


def test_layers_with_an_interface_and_the_heat_of_the_film_agree_with_differences() -> None:
    layers = (Layer(30e-9, 1.38, 1.65e6, resistance=1e-8), SILICON)
    wide = HeatedStrip(1e-3, 1e-3, 0.03, layers)
    for end in (0.3e-9, 2e-9):
        found = wide.step_response(np.array([end]))[0]
        # First order in time: the error of the differences halves with the step.
        coarse, fine = (layered_by_differences(layers, 0.03, end, steps) for steps in (400, 800))
        assert found == pytest.approx(2 * fine - coarse, rel=2e-3)


def section_by_differences(layers: tuple[Layer, ...], width: float, areal: float, end: float, steps: int) -> float:
    """Mean rise of a long strip on two layers by implicit differences in the section across it, half of it."""
    inside = np.full(24, width / 48)
    across = np.concatenate([inside, np.geomspace(width / 48, 400e-9, 70)])
    depth = np.concatenate([np.full(24, layers[0].thickness / 24), np.geomspace(2e-9, 400e-9, 70)])
    nx, nz = len(across), len(depth)
    upper = np.arange(nz) < 24
    conductivity = np.where(upper, layers[0].conductivity, layers[1].conductivity)
    capacity = np.where(upper, layers[0].heat_capacity, layers[1].heat_capacity)
    number = 1 + np.arange(nx * nz).reshape(nx, nz)
    rows, columns, values = [], [], []

    def joined(one: np.ndarray, other: np.ndarray, conductance: np.ndarray) -> None:
        for a, b in ((one, other), (other, one)):
            rows.extend([a.ravel(), a.ravel()])
            columns.extend([a.ravel(), b.ravel()])
            values.extend([conductance.ravel(), -conductance.ravel()])

    along = depth * conductivity
    joined(number[:-1], number[1:], 2 * along[None, :] / (across[:-1] + across[1:])[:, None])
    half = 0.5 * depth / conductivity
    joined(number[:, :-1], number[:, 1:], across[:, None] / (half[:-1] + half[1:])[None, :])
    # The strip is one body (number 0) on the cells below it.
    joined(np.zeros(24, int), number[:24, 0], inside / (layers[0].resistance + half[0]))
    heat = np.concatenate([[areal * width / 2], (across[:, None] * (depth * capacity)[None, :]).ravel()])
    size, dt = len(heat), end / steps
    flow = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (size, size))
    solver = splu((flow + coo_matrix((heat / dt, (range(size), range(size))), (size, size))).tocsc())
    rise = np.zeros(size)
    for _ in range(steps):
        source = heat / dt * rise
        source[0] += width / 2
        rise = solver.solve(source)
    return float(rise[0])


@pytest.mark.slow
def test_a_long_strip_on_oxide_and_silicon_agrees_with_differences_in_its_section() -> None:
    layers = (Layer(30e-9, 1.38, 1.65e6, resistance=1e-8), SILICON)
    long = HeatedStrip(1e-4, 64e-9, 0.03, layers)
    for end in (1e-9, 4e-9):
        coarse, fine = (section_by_differences(layers, 64e-9, 0.03, end, steps) for steps in (100, 200))
        # The strip of the differences has one temperature below as well, that of the transform one flux: a per cent.
        assert long.step_response(np.array([end]))[0] == pytest.approx(2 * fine - coarse, rel=0.02)
