from __future__ import annotations

import pytest
import torch

from barkhausen.device import gaussian_device
from barkhausen.synapse import AttemptEnergies, Phase, ProgrammingCounters


def test_bill_is_counts_times_prices_by_cause() -> None:
    device = gaussian_device(3)
    ledger = AttemptEnergies.from_device(device)
    counters = ProgrammingCounters(3, 2)
    # Two initial events at first attempt to state 0; one event to state 2 that misses twice.
    counters.count(Phase.INITIAL, torch.tensor([0, 0]), torch.tensor([0, 0]))
    counters.count(Phase.TRAINING, torch.tensor([2]), torch.tensor([2]))
    breakdown = ledger.of_counters(counters)
    # 512 x 64 x 5 nm of 2.0e-6 ohm m at 1e11 A/m2 for 1 ns is 3.2768 fJ; reset and programming are two of them.
    assert breakdown.sot == pytest.approx(4 * 6.5536e-15, rel=1e-9, abs=0)
    capacitance = 8.8541878128e-12 * 1000 * 512e-9 * 64e-9 / 100e-9
    assert breakdown.gate == pytest.approx(4 * capacitance * 0.25, rel=1e-9, abs=0)
    parallel = 512e-9 * 64e-9 / 10e-12
    antiparallel = parallel / 2.5
    read = [0.01 * 1e-9 * (antiparallel + (parallel - antiparallel) * x) for x in (0.2, 0.5, 0.8)]
    assert breakdown.read == pytest.approx(2 * read[0] + 2 * read[2], rel=1e-9, abs=0)
    assert breakdown.total == pytest.approx(breakdown.sot + breakdown.gate + breakdown.read, rel=1e-9, abs=0)


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
