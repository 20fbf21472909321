"""The waveforms of one programming event, and what they cost."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from barkhausen.device.domain_wall.event import LEAD, ProgrammingEvent
from barkhausen.device.domain_wall.gates import Piezoelectric
from barkhausen.device.domain_wall.junction import TunnelJunction
from barkhausen.device.domain_wall.protocol import ProgrammingProtocol, Pulse
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.micromagnetics import StrainGate

PROTOCOL = ProgrammingProtocol(
    reset=Pulse(current_density=2e11, width=3e-9),
    program=Pulse(current_density=1e11, width=2e-9),
    gate_voltages=(-1.0, 0.0, 0.5),
    reset_voltage=0.8,
    edge_time=0.3e-9,
    settle=1e-9,
    gate_hold=0.2e-9,
    relaxation=1.5e-9,
)
TRACK, GATE = Racetrack(), Piezoelectric()
EVENT = ProgrammingEvent(PROTOCOL, PROTOCOL.voltages(3))


def values(wave, *times):  # type: ignore[no-untyped-def]
    return wave(torch.tensor(times, dtype=torch.float64)).numpy()


def test_the_instants_follow_each_other() -> None:
    assert EVENT.reset_end == pytest.approx(LEAD + 3.6e-9)
    assert EVENT.program_start == pytest.approx(LEAD + 3.6e-9 + 1e-9 + 0.2e-9)
    assert EVENT.program_end == pytest.approx(EVENT.program_start + 2.6e-9)
    assert EVENT.duration == pytest.approx(EVENT.program_end + 0.2e-9 + 1.5e-9)


def test_the_reset_runs_against_the_programming_current() -> None:
    middle_of_reset, middle_of_program = LEAD + 1.8e-9, EVENT.program_start + 1.3e-9
    settled, read = EVENT.reset_end + 0.5e-9, EVENT.duration
    current = values(EVENT.current_density(), 0.0, middle_of_reset, settled, middle_of_program, read)[:, 0]
    np.testing.assert_allclose(current, [0.0, -2e11, 0.0, 1e11, 0.0])
    backwards = PROTOCOL.model_copy(update={"reset": Pulse(current_density=-2e11, width=3e-9)})
    same = ProgrammingEvent(backwards, EVENT.voltages).current_density()
    assert values(same, middle_of_reset)[0, 0] == -2e11


def test_the_gate_is_up_from_before_the_pulse_until_after_it() -> None:
    gate = EVENT.gate_voltage()
    before, after = EVENT.program_start - 0.1e-9, EVENT.program_end + 0.1e-9
    early, late = EVENT.program_start - 0.3e-9, EVENT.program_end + 0.3e-9
    got = values(gate, LEAD + 1e-9, early, before, after, late)
    np.testing.assert_allclose(got, [[0.8] * 3, [0.0] * 3, [-1.0, 0.0, 0.5], [-1.0, 0.0, 0.5], [0.0] * 3], atol=1e-12)


def test_the_joule_heat_is_that_of_the_waveform() -> None:
    # By hand: plateaus, and a linear edge counts a third of its duration.
    integral = (2e11) ** 2 * (3e-9 + 2 * 0.3e-9 / 3) + (1e11) ** 2 * (2e-9 + 2 * 0.3e-9 / 3)
    by_hand = 2.0e-6 * 512e-9 * 64e-9 * 5e-9 * integral
    assert EVENT.sot_energy(TRACK) == pytest.approx([by_hand] * 3, rel=1e-9, abs=0)
    assert PROTOCOL.sot_energy(TRACK) == pytest.approx(by_hand, rel=1e-9, abs=0)


def test_the_gate_is_charged_for_the_reset_and_for_the_state() -> None:
    capacitance = GATE.capacitance(TRACK)
    by_hand = [capacitance * (0.8**2 + v**2) for v in (-1.0, 0.0, 0.5)]
    assert EVENT.gate_energy(TRACK, GATE, TunnelJunction()) == pytest.approx(by_hand, rel=1e-9, abs=0)


def test_a_step_from_one_voltage_to_the_next_draws_the_difference_only() -> None:
    # Without a pause the gate goes from 0.8 V straight to the state's voltage.
    straight = PROTOCOL.model_copy(update={"settle": 0.0})
    event = ProgrammingEvent(straight, (1.0, 0.5, -1.0))
    capacitance = GATE.capacitance(TRACK)
    by_hand = [capacitance * (0.64 + 1.0 * 0.2), capacitance * 0.64, capacitance * (0.64 + 1.0 * 1.8)]
    assert event.gate_energy(TRACK, GATE, TunnelJunction()) == pytest.approx(by_hand, rel=1e-9, abs=0)


def test_the_drive_gives_each_voltage_a_replica() -> None:
    gate = StrainGate()
    table = EVENT.drive(gate).table(torch.tensor([EVENT.program_start + 1e-9], dtype=torch.float64), 3)
    np.testing.assert_allclose(table[0, 0].numpy(), [1e11] * 3)
    np.testing.assert_allclose(table[0, 5].numpy(), np.array([-1.0, 0.0, 0.5]) * gate.anisotropy_per_volt)
