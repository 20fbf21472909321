"""Leak and drive of skyrmions in coupled layers: Thiele's equation, its limit of a straight wall, straight paths."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.device.antiferromagnet.figures import figures, with_estimates
from barkhausen.device.antiferromagnet.law import cycles_of
from barkhausen.device.antiferromagnet.nanotrack import nanotrack
from barkhausen.device.antiferromagnet.parameters import (
    AntiferromagnetParameters,
    Conductor,
    Detector,
    Magnet,
    NeuronEnsemble,
    PulseTrain,
    Reset,
    Track,
    default_material,
)
from barkhausen.device.antiferromagnet.thiele import (
    ShapeIntegrals,
    drive_velocity,
    large_skyrmion_velocity,
    leak_velocity,
    torque_field,
)
from barkhausen.device.antiferromagnet.trains import Train, run
from barkhausen.micromagnetics import domain_wall, skyrmion

if TYPE_CHECKING:
    from tests.conftest import Report

SHORT = AntiferromagnetParameters(
    track=Track(length=120e-9, width=48e-9),
    detector=Detector(position=90e-9),
    train=PulseTrain(inputs=(1.0,), width=0.05e-9, pause=0.05e-9, periods=1),
    reset=Reset(tolerance=10e-9),
    characterisation=NeuronEnsemble(replicas=0, cell=3e-9, every=0.025e-9),
)


def unit(parameters: AntiferromagnetParameters) -> float:
    """gamma/(alpha Ms)."""
    material = parameters.material
    return GYROMAGNETIC_RATIO / (material.damping * material.saturation_magnetisation)


def test_a_straight_wall_is_the_limit_of_the_integrals() -> None:
    """A wall of width Δ has S = 2 Δ w, 𝒟 = 2 w/Δ and, as a Néel wall, P = π w; w is the width of the track."""
    delta, slope = 6e-9, 1e12
    k = default_material().exchange_stiffness / delta**2
    parameters = AntiferromagnetParameters(
        material=default_material().model_copy(update={"anisotropy": k}),
        track=Track(length=120e-9, width=48e-9, anisotropy_gradient=slope),
        detector=Detector(position=90e-9),
        characterisation=NeuronEnsemble(cell=1e-9),
    )
    stack = nanotrack(parameters)
    wall = domain_wall(stack.layer(0), width=delta)
    integrals = ShapeIntegrals().of(stack, stack.join([wall, -wall]))
    # The layers have one and the same sign.
    assert integrals[0].tolist() == pytest.approx(integrals[1].tolist())
    width = stack.grid.width
    assert integrals[0, 0] == pytest.approx(2 * delta * width, rel=2e-3)
    # A difference over a cell misses (dx/Delta)²/12.
    assert integrals[0, 1] == pytest.approx(2 * width / delta, rel=5e-3)
    assert leak_velocity(parameters, integrals)[0] == pytest.approx(-(delta**2) * unit(parameters) * slope, rel=5e-3)
    # A large skyrmion is twice as fast: its sides do not drag. At the left end Ku is k, and Δ² = A/Ku.
    assert large_skyrmion_velocity(parameters, 0.0) == pytest.approx(-2 * delta**2 * unit(parameters) * slope)
    speed = abs(float(drive_velocity(parameters, integrals, 1e11)[0]))
    field, alpha = torque_field(parameters, 1e11), parameters.material.damping
    assert speed == pytest.approx(math.pi / 2 * GYROMAGNETIC_RATIO * delta * field / alpha, rel=1e-2)


def test_the_estimate_for_a_large_skyrmion_in_an_antiferromagnet() -> None:
    """Totals of both sublattices: 2 · (A/K) gamma (K/2)/(200 nm)/(alpha Ms) = 150 m/s for K + 50 % over 200 nm."""
    material = default_material().model_copy(
        update={"saturation_magnetisation": 188e3, "exchange_stiffness": 3.295e-12, "anisotropy": 58e3, "dmi": 0.5e-3}
    )
    parameters = AntiferromagnetParameters(
        magnet=Magnet(kind="sublattices"),
        material=material,
        conductor=Conductor(strips=1),
        track=Track(anisotropy_gradient=58e3 / 2 / 200e-9),
    )
    total = 2 * (6.59e-12 / 0.116e6) * GYROMAGNETIC_RATIO * 0.5 * 0.116e6 / 200e-9 / (0.1 * 376e3)
    assert large_skyrmion_velocity(parameters, 0.0) == pytest.approx(-total)
    assert total == pytest.approx(150, rel=0.05)


def check(parameters: AntiferromagnetParameters, train: Train, report: Report | None = None) -> dict[str, float]:
    """Figures of trajectories at 0 K."""
    still = with_estimates(parameters, run(parameters, train))
    found = figures(parameters, still, [], cycles_of(parameters, [still]))
    if report is not None:
        report("leak in m/s, simulated and Thiele", found["leak_velocity"], found["leak_thiele"])
    return found


def test_a_skyrmion_leaks_as_thiele_says_and_goes_straight() -> None:
    """20 %: cells of 3 nm, and a texture that takes 0.2 ns to relax; the slow test is sharper."""
    found = check(SHORT, Train((0.0, 1.0), (72e-9, 40e-9), 1, 0.0, 0))
    assert found["leak_velocity"] == pytest.approx(found["leak_thiele"], rel=0.2)
    assert found["leak_velocity"] < -20
    assert found["sideways"] < 0.01 * found["distance"] + 1e-12


@pytest.mark.slow
def test_leak_and_drive_on_cells_of_2_nm(report: Report) -> None:
    """5 %: what the texture deforms at 100 m/s, and the edges. One layer alone would leave the track at 70°."""
    parameters = AntiferromagnetParameters(characterisation=NeuronEnsemble(replicas=0))
    found = check(parameters, Train((0.0, 0.8, 1.0, 1.2), (112e-9, 30e-9, 30e-9, 30e-9), 4, 0.0, 0), report)
    assert found["leak_velocity"] == pytest.approx(found["leak_thiele"], rel=0.05)
    assert found["driven_velocity"] == pytest.approx(found["driven_thiele"], rel=0.05)
    assert found["sideways"] < 1e-3 * found["distance"]
    # The estimate for a large skyrmion does not hold for a skyrmion of two wall widths.
    assert found["leak_velocity"] / found["leak_large"] < 0.6


def test_a_large_skyrmion_has_twice_the_ratio_of_a_wall() -> None:
    """S/𝒟 = 2 Δ² for R = 12 Δ; what is left is of the order of (Δ/R)²."""
    parameters = AntiferromagnetParameters(
        track=Track(length=200e-9, width=200e-9), characterisation=NeuronEnsemble(cell=1e-9)
    )
    stack = nanotrack(parameters)
    delta = 5e-9
    m = skyrmion(stack.layer(0), radius=60e-9, width=delta)
    integrals = ShapeIntegrals().of(stack, stack.join([m, -m]))[0]
    assert integrals[0] / integrals[1] == pytest.approx(2 * delta**2, rel=0.02)


def test_layers_share_the_current() -> None:
    one = AntiferromagnetParameters(conductor=Conductor(strips=1))
    both = AntiferromagnetParameters()
    assert torque_field(one, 1e11) == pytest.approx(torque_field(both, 1e11) / 2)
    assert [layer.current for layer in nanotrack(one).layers] == [1.0, 0.0]
    assert [layer.current for layer in nanotrack(both).layers] == [1.0, 1.0]
