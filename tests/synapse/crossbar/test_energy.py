from __future__ import annotations

import pytest
import torch

from barkhausen.device import gaussian_device
from barkhausen.synapse import AttemptEnergies, EnergyBreakdown, Phase, ProgrammingCounters


def test_energy_is_counts_times_energies_of_an_attempt_by_cause() -> None:
    energies = AttemptEnergies.from_device(gaussian_device(3))
    counters = ProgrammingCounters(3, 2)
    # Two initial events at first attempt to state 0; one event to state 2 that misses twice.
    counters.count(Phase.INITIAL, torch.tensor([0, 0]), torch.tensor([0, 0]))
    counters.count(Phase.TRAINING, torch.tensor([2]), torch.tensor([2]))
    breakdown = energies.of_counters(counters)
    # 512 x 64 x 5 nm of 2.0e-6 ohm m at 1e11 A/m2 for 1 ns is 3.2768 fJ; reset and programming are two of them.
    assert breakdown.by_cause["sot"] == pytest.approx(4 * 6.5536e-15, rel=1e-9, abs=0)
    capacitance = 8.8541878128e-12 * 1000 * 512e-9 * 64e-9 / 100e-9
    assert breakdown.by_cause["gate"] == pytest.approx(4 * capacitance * 0.25, rel=1e-9, abs=0)
    parallel = 512e-9 * 64e-9 / 10e-12
    antiparallel = parallel / 2.5
    read = [0.01 * 1e-9 * (antiparallel + (parallel - antiparallel) * x) for x in (0.2, 0.5, 0.8)]
    assert breakdown.by_cause["read"] == pytest.approx(2 * read[0] + 2 * read[2], rel=1e-9, abs=0)
    assert breakdown.total == pytest.approx(sum(breakdown.by_cause.values()), rel=1e-9, abs=0)
    assert [breakdown.label(cause) for cause in breakdown.by_cause] == ["SOT pulses", "gate", "verify read"]


def test_breakdowns_of_different_causes_add_up() -> None:
    first = EnergyBreakdown({"write": 3.0, "read": 1.0}, {"write": "write pulse"})
    second = EnergyBreakdown({"read": 0.5, "refresh": 2.0}, {"refresh": "refresh pulse"})
    both = first + second
    assert both == EnergyBreakdown(
        {"write": 3.0, "read": 1.5, "refresh": 2.0}, {"write": "write pulse", "refresh": "refresh pulse"}
    )
    assert (both - second).by_cause == {"write": 3.0, "read": 1.0, "refresh": 0.0}
    assert (2 * both.total, (both * 2).total, (both / 2).total) == (13.0, 13.0, 3.25)
    assert EnergyBreakdown() + first == first
    assert EnergyBreakdown().total == 0.0


def test_the_causes_of_version_0_1_0_are_attributes_still() -> None:
    breakdown = EnergyBreakdown({"sot": 1.0, "read": 2.0})
    for cause, value in {"sot": 1.0, "gate": 0.0, "read": 2.0}.items():
        with pytest.deprecated_call(match=f"EnergyBreakdown.{cause}"):
            assert getattr(breakdown, cause) == value


def test_counters_tell_attempts_events_and_failures_apart() -> None:
    counters = ProgrammingCounters(2, 3)
    counters.count(Phase.TRAINING, torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1, 3, 2]))
    assert counters.attempts[Phase.TRAINING].tolist() == [[3, 2, 1], [1, 1, 1]]
    assert counters.failed[Phase.TRAINING].tolist() == [1, 0]
    assert counters.events(Phase.TRAINING).tolist() == [3, 1]
    assert counters.events(Phase.INITIAL).tolist() == [0, 0]
    counters.count(Phase.TRAINING, torch.tensor([0, 1]), torch.tensor([0, 0]), happened=torch.tensor([False, True]))
    assert counters.events(Phase.TRAINING).tolist() == [3, 2]


def test_counters_do_not_overflow_where_32_bits_would() -> None:
    counters = ProgrammingCounters(2, 1)
    counters.outcomes[Phase.TRAINING, 0, 0] = 2**40
    counters.count(Phase.TRAINING, torch.tensor([0]), torch.tensor([0]))
    assert int(counters.attempts.sum()) == 2**40 + 1
