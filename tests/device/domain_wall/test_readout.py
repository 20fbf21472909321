"""Conductance of a wall's position, noise of a read, and what a read does to the wall."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from barkhausen.device import Racetrack, TunnelJunction
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters
from barkhausen.micromagnetics import (
    Drive,
    Notch,
    SpinOrbitTorque,
    System,
    TrackOutline,
    WallPosition,
    domain_wall,
    material,
    minimize,
    simulate,
    standard_terms,
    track_film,
)

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = pytest.mark.usefixtures("one_thread")

TRACK = Racetrack()
JUNCTION = TunnelJunction()
# 512 nm x 64 nm over 10 ohm um2.
PARALLEL = 512e-9 * 64e-9 / 10e-12
COBALT_IRON = material("cofeb-tantalum")


def test_conductance_is_that_of_two_junctions_side_by_side() -> None:
    x = np.array([0.0, 128e-9, 512e-9])
    expected = PARALLEL * (np.array([0.0, 0.25, 1.0]) + np.array([1.0, 0.75, 0.0]) / 2.5)
    assert JUNCTION.conductance(x, TRACK) == pytest.approx(expected, rel=1e-12)
    assert JUNCTION.read_current(x, TRACK) == pytest.approx(0.1 * expected, rel=1e-12)
    assert float(JUNCTION.conductance(128e-9, TRACK)) == pytest.approx(expected[1], rel=1e-12)
    assert np.isnan(JUNCTION.conductance(np.array([np.nan]), TRACK)).all()


@pytest.mark.parametrize(("voltage", "temperature"), [(1e-6, 300.0), (2.0, 10.0)])
def test_noise_is_johnson_s_without_and_shot_noise_with_much_voltage(voltage: float, temperature: float) -> None:
    junction = TunnelJunction(read_voltage=voltage, read_time=5e-9)
    conductance = float(junction.conductance(200e-9, TRACK))
    johnson, shot = 4 * 1.380649e-23 * temperature * conductance, 2 * 1.602176634e-19 * voltage * conductance
    found = float(junction.current_noise(200e-9, TRACK, temperature)) ** 2 * 2 * 5e-9
    # coth y = 1/y + y/3 and 1 + 2 exp(−2 y): y is 2e-5 here, and a thousand there.
    assert found == pytest.approx(max(johnson, shot), rel=1e-6, abs=0)
    cold = float(junction.current_noise(200e-9, TRACK, 0.0)) ** 2 * 2 * 5e-9
    assert cold == pytest.approx(shot, rel=1e-12, abs=0)


def test_position_noise_by_hand() -> None:
    # In the middle G = 0.7 x 3.2768 mS, I = 0.22938 mA; e V/2 kB T = 1.93409 at 300 K, coth = 1.04269;
    # 2 e I coth = 7.6639e-23 A2/Hz, over 2 ns the root is 1.9575e-7 A; V dG/dx = 0.1 V x 1.96608 mS/512 nm = 384 A/m.
    assert float(JUNCTION.current_noise(256e-9, TRACK, 300.0)) == pytest.approx(1.9575e-7, rel=1e-4, abs=0)
    assert float(JUNCTION.position_noise(256e-9, TRACK, 300.0)) == pytest.approx(5.0977e-10, rel=1e-4, abs=0)
    longer = TunnelJunction(read_time=4e-9).position_noise(256e-9, TRACK, 300.0)
    assert float(longer) == pytest.approx(0.5 * 5.0977e-10, rel=1e-4, abs=0)


def test_noise_of_a_simulated_current_is_found_again() -> None:
    """White noise of the stated density, averaged over the read: its spread is the stated one.

    Samples 1 ps apart of a one-sided density S have the variance S/(2 · 1 ps).
    """
    junction = TunnelJunction(read_time=0.2e-9)
    density = float(junction.current_noise(256e-9, TRACK, 300.0)) ** 2 * 2 * 0.2e-9
    samples = np.random.default_rng(1).normal(0, math.sqrt(density / 2e-12), size=(4000, 200))
    spread = samples.mean(1).std(ddof=1)
    expected = float(junction.current_noise(256e-9, TRACK, 300.0))
    assert spread == pytest.approx(expected, rel=4 / math.sqrt(2 * 4000), abs=0)


def test_misreads_of_neighbours() -> None:
    near = JUNCTION.read_error_probability(255e-9, 257e-9, TRACK, 300.0)
    spread = float(JUNCTION.position_noise(256e-9, TRACK, 300.0))
    # Half the distance over one standard deviation; over 2 nm the noise changes by 0.1 %.
    assert near == pytest.approx(0.5 * math.erfc(1e-9 / spread / math.sqrt(2)), rel=1e-2)
    assert JUNCTION.read_error_probability(257e-9, 255e-9, TRACK, 300.0) == near
    assert JUNCTION.read_error_probability(256e-9, 256e-9, TRACK, 300.0) == 0.5
    assert JUNCTION.read_error_probability(100e-9, 200e-9, TRACK, 300.0) < 1e-100


def test_spin_transfer_field_by_hand() -> None:
    # TMR 1.5: P = sqrt(1.5/3.5) = 0.654654, P/(1 + P2) = 0.458258; V/RA = 1e10 A/m2; hbar/2e = 3.291060e-16 V s;
    # Ms t = 1e-3 A.
    assert JUNCTION.polarisation == pytest.approx(0.654654, rel=1e-5)
    p = JUNCTION.polarisation
    assert 2 * p * p / (1 - p * p) == pytest.approx(1.5, rel=1e-12)
    assert JUNCTION.spin_transfer_field(TRACK, COBALT_IRON) == pytest.approx(1.508155e-3, rel=1e-5)
    thicker = Racetrack(thickness=2e-9)
    assert JUNCTION.spin_transfer_field(thicker, COBALT_IRON) == pytest.approx(0.5 * 1.508155e-3, rel=1e-5)
    stronger = TunnelJunction(read_voltage=0.3).spin_transfer_field(TRACK, COBALT_IRON)
    assert stronger == pytest.approx(3 * 1.508155e-3, rel=1e-5)


def test_read_disturb_is_neel_brown_over_the_lowered_barrier() -> None:
    heat = 1.380649e-23 * 300.0
    field = JUNCTION.spin_transfer_field(TRACK, COBALT_IRON)
    held = JUNCTION.read_disturb(
        TRACK, COBALT_IRON, pinning_field=4 * field, barrier=16 * heat, attempt_frequency=2e9, temperature=300.0
    )
    assert held.margin == pytest.approx(4.0)
    # (3/4)^(3/2) = 0.649519: 10.3923 kB T are left, for 2 tries.
    assert held.probability == pytest.approx(-math.expm1(-2 * math.exp(-10.3923)), rel=1e-4)
    without = -math.expm1(-2 * math.exp(-16.0))
    assert held.probability > 100 * without
    cold = JUNCTION.read_disturb(
        TRACK, COBALT_IRON, pinning_field=4 * field, barrier=16 * heat, attempt_frequency=2e9, temperature=0.0
    )
    assert cold.probability == 0.0


@pytest.mark.parametrize(("pinning_field", "attempts"), [(0.5e-3, 1e9), (0.0, math.nan)])
def test_read_that_outweighs_the_pinning_moves_the_wall(pinning_field: float, attempts: float) -> None:
    lost = JUNCTION.read_disturb(
        TRACK, COBALT_IRON, pinning_field=pinning_field, barrier=1e-20, attempt_frequency=attempts, temperature=300.0
    )
    assert lost.probability == 1.0
    assert lost.margin < 1


@pytest.mark.validation
def test_torque_along_the_domains_moves_a_wall_less_than_the_field_it_is_taken_for(report: Report) -> None:
    """In micromagnetics, switched on at once: by sqrt(k/K)/2 of the way.

    In linear response without damping a field b overshoots to 2 b c/k, c = 2 Ms Delta W t, and a torque b turns the
    angle's rest by b c/K, about which the wall swings with b c/sqrt(k K) along q/Delta. The compact model gives k and K
    to some 5 %, damping takes off up to pi alpha sqrt(K/k)/4 = 8 % of the overshoot.
    """
    constants = material("cofeb-tantalum", dmi=0.3e-3, damping=0.02)
    notch = Notch(position=100e-9, depth=6e-9, half_length=32e-9)
    film = track_film(TrackOutline(length=200e-9, width=64e-9, notches=(notch,)), constants, cell=4e-9)
    rest = minimize(System(film), domain_wall(film, 100e-9))
    field = 2e-3
    per_current = SpinOrbitTorque.field_per_current(film)
    plain = tuple(t for t in standard_terms(constants) if not isinstance(t, SpinOrbitTorque))
    torque = (*plain, SpinOrbitTorque(polarisation=(0.0, 0.0, 1.0)))
    runs = ((Drive(field_z=field), plain), (Drive(current_density=field / per_current), torque))
    moved = []
    for drive, terms in runs:
        run = simulate(
            film, drive, duration=0.6e-9, every=0.02e-9, initial=rest, terms=terms, observe=(WallPosition(),)
        )
        q = run["wall_position"].values[:, 0]
        moved.append(float(np.abs(q - q[0]).max()))
    table = CompactModel(film, CompactParameters(demag_factor=0.925)).energy()
    curvature = float(torch.diff(table.energy[0, 0], n=2)[98:101].mean()) / 1e-18
    k = float(table.wall_width) ** 2 * curvature
    angular = 1e-9 * float(table.track_width) * (table.dmi - 2 * float(table.neel))
    report("sudden torque along z over a field: way of the wall", moved[1] / moved[0], math.sqrt(k / angular) / 2, 0.06)
    assert moved[1] < 0.5 * moved[0]
