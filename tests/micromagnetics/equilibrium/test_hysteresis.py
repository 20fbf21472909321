"""Hysteresis loops of single spins against Stoner and Wohlfarth, and what is refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import Drive, Film, Grid, UniaxialAnisotropy, Zeeman, hysteresis, material, uniform

if TYPE_CHECKING:
    from tests.conftest import Report

FILM = Film(Grid(1, 1, 20e-9, 20e-9, 1e-9), material("cofeb-tantalum"))
TERMS = (Zeeman(), UniaxialAnisotropy())
FIELD = 2 * FILM.material.anisotropy / FILM.material.saturation_magnetisation
"""2 K/Ms in T."""

ANGLES = np.deg2rad([0.0, 5.0, 20.0, 45.0, 70.0, 85.0])


def directions(angles: np.ndarray) -> torch.Tensor:
    """In the plane of x and z, at these angles from the easy axis."""
    return torch.tensor(np.stack((np.sin(angles), 0 * angles, np.cos(angles)), axis=1))


def loop(field: Any, angles: np.ndarray = ANGLES, **changes: Any) -> Any:
    return hysteresis(FILM, torch.as_tensor(field) * FIELD, directions(angles), terms=TERMS, **changes)


def astroid(angles: np.ndarray) -> np.ndarray:
    """Switching field over 2 K/Ms (Stoner and Wohlfarth, Phil. Trans. R. Soc. A 240, 599 (1948))."""
    return (np.abs(np.sin(angles)) ** (2 / 3) + np.abs(np.cos(angles)) ** (2 / 3)) ** -1.5


@pytest.mark.validation
def test_a_spin_switches_on_the_astroid(report: Report) -> None:
    """Steps of 0.02 % of the field around the astroid: the switch is found to half a step, at every angle.

    At 0 degrees nothing turns the spin aside, and only its curvature tells that it is on a maximum.
    """
    steps = np.arange(0.999, 1.0012, 2e-4)
    found = []
    for angle in ANGLES:
        expected = astroid(np.array([angle]))[0]
        ramp = np.linspace(1.0, -0.99 * expected, 20)
        data = loop(np.concatenate((ramp, -expected * steps)), np.array([angle]), torque=1e-7)
        switched = np.flatnonzero(data["switched"].values[:, 0])
        assert len(switched) == 1, f"{math.degrees(angle)} degrees"
        found.append(steps[switched[0] - 20] - 1e-4)
    report("hysteresis, switching field over the astroid, 0 to 85 degrees", found, np.ones(len(ANGLES)), 1e-3)


def branch(field: np.ndarray, angle: float) -> np.ndarray:
    """<m> along the field of a spin that follows its minimum: roots of the torque, by bisection from the last one."""
    theta, along = angle, []
    for h in field:

        def torque(at: float, h: float = h) -> float:
            return 0.5 * math.sin(2 * at) + h * math.sin(at - angle)

        # Downhill to the first zero of the torque.
        step = -1e-3 * math.copysign(1.0, torque(theta))
        while torque(theta) * torque(theta + step) > 0:
            theta += step
        low, high = theta, theta + step
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if torque(low) * torque(middle) > 0 else (low, middle)
        theta = low
        along.append(math.cos(theta - angle))
    return np.array(along)


@pytest.mark.validation
def test_a_loop_is_that_of_stoner_and_wohlfarth(report: Report) -> None:
    field = np.concatenate((np.linspace(1.5, -1.5, 31), np.linspace(-1.5, 1.5, 31)[1:])) + 1e-3
    angles = np.deg2rad([10.0, 45.0, 80.0])
    data = loop(field, angles, torque=1e-6)
    for k, angle in enumerate(angles):
        expected = branch(field, angle)
        error = np.abs(data["m_along"].values[:, k] - expected).max()
        # |m x B| < 1e-6 T, against the field that holds m: half a step from the astroid, 0.1 T or more.
        report(f"hysteresis loop at {math.degrees(angle):.0f} degrees, largest |dm|", error, 0.0, 1e-4)
        zero = np.interp(0.0, -expected[:31], field[:31]), np.interp(0.0, expected[30:], field[30:])
        expected_field = np.mean(np.abs(zero)) * FIELD
        np.testing.assert_allclose(data["coercive_field"].values[k], expected_field, rtol=1e-4)
        assert data["remanence"].values[k] == pytest.approx(math.cos(angle), rel=2e-3)
    assert data["switched"].values.sum(0).tolist() == [2, 2, 2]


def test_the_hard_axis_has_no_hysteresis() -> None:
    data = loop(np.linspace(1.2, -1.2, 24), np.array([math.pi / 2]))
    expected = np.clip(np.linspace(1.2, -1.2, 24), -1, 1)
    np.testing.assert_allclose(data["m_along"].values[:, 0], expected, atol=2e-3)
    assert not data["switched"].values.any()
    assert data["coercive_field"].values[0] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.filterwarnings("ignore:.*is at rest but a maximum")
def test_what_a_symmetry_axis_does_is_a_choice() -> None:
    field = [1.0, -0.9, -1.1, -1.3]
    assert loop(field, ANGLES[:1])["switched"].values[:, 0].tolist() == [False, False, True, False]
    assert not loop(field, ANGLES[:1], on_maximum="ignore")["switched"].values.any()
    with pytest.warns(UserWarning, match="is at rest but a maximum or saddle of the energy"):
        data = loop(field, ANGLES[:1], on_maximum="warn")
    assert not data["switched"].values.any()
    assert np.isnan(data["coercive_field"].values[0])


def test_both_descents_agree_and_a_bias_shifts_the_loop() -> None:
    field = np.concatenate((np.linspace(1.4, -1.4, 29), np.linspace(-1.4, 1.4, 29)[1:])) + 1e-3
    angle = np.deg2rad([10.0])
    relaxed = loop(field, angle)
    np.testing.assert_allclose(loop(field, angle, descent="minimize")["m_along"], relaxed["m_along"], atol=1e-4)
    along = directions(angle)[0] * 0.2 * FIELD
    bias = Drive(field_x=float(along[0]), field_z=float(along[2]))
    shifted = loop(field - 0.2, angle, bias=bias)
    np.testing.assert_allclose(shifted["m_along"], relaxed["m_along"], atol=1e-5)


def test_devices_have_loops_of_their_own() -> None:
    family = Film(FILM.grid, FILM.material, anisotropy=torch.tensor([0.7e6, 0.9e6])[:, None, None])
    field = torch.linspace(2.0, -2.0, 81)
    data = hysteresis(family, field, (0.1, 0.0, 1.0), terms=TERMS, keep=True, initial=uniform(FILM, (0.0, 0.0, 1.0)))
    tilt = math.atan(0.1)
    expected = astroid(np.array([tilt]))[0] * 2 * np.array([0.7e6, 0.9e6]) / FILM.material.saturation_magnetisation
    steps = [-data["applied_field"].values[data["switched"].values[:, k]][0] for k in range(2)]
    np.testing.assert_array_less(expected, steps)
    np.testing.assert_array_less(steps, expected + 0.0501)
    assert data["magnetisation"].dims == ("step", "replica", "component", "x", "y")
    axes = data.barkhausen.plot()
    assert len(axes.lines) == 4


def test_what_is_refused() -> None:
    for arguments, message in (
        ({"field": [[0.1]]}, r"field: must be a sequence of finite numbers in T, got shape \(1, 1\)"),
        ({"field": [math.nan]}, "field: must be a sequence of finite numbers in T, .*"),
        ({"field": [0.1], "direction": (0.0, 0.0, 0.0)}, "direction: needs a direction"),
        ({"field": [0.1], "direction": torch.ones(3, 2)}, r"direction: shape \(3, 2\) is not \(3\) or \(replicas, 3\)"),
        ({"field": [0.1], "descent": "minimise"}, r"descent = 'minimise': must be one of relax, minimize"),
        ({"field": [0.1], "on_maximum": "kick"}, "on_maximum = 'kick': must be one of warn, perturb, ignore.*"),
        ({"field": [0.1], "terms": [UniaxialAnisotropy()]}, "terms: a hysteresis loop needs Zeeman, .*"),
        ({"field": [0.1], "direction": torch.eye(3), "replicas": 2}, "film, direction, .* numbers of replicas: .*"),
    ):
        with pytest.raises(InputError, match=f"^{message}$"):
            hysteresis(FILM, **arguments)  # type: ignore[arg-type]
