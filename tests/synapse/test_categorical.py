from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.device import CategoricalDevice
from barkhausen.learning import SynapseLinear, convert, programming_energy
from barkhausen.learning.rules.in_situ import InSitu
from barkhausen.synapse import AttemptEnergies, Faults, Phase, SynapseArray, SynapseBank
from categorical_devices import LOWER, NAMES, RAISE, categorical

COUNT, ATTEMPTS = 40_000, 4


def expected(device: CategoricalDevice, category: int, target: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Categories, pulses and missed attempts of one event, from the powers of an absorbing Markov chain."""
    share = np.eye(len(NAMES))[category]
    pulses, misses = np.zeros(2), 0.0
    there = device.category_states == target
    waiting, done = share, np.zeros(len(NAMES))
    for _ in range(ATTEMPTS):
        after = np.zeros(len(NAMES))
        for now, part in enumerate(waiting):
            pulse = device.policy[now, target]
            if pulse < 0:
                after[now] += part
                continue
            pulses[pulse] += part
            after += part * device.probabilities[pulse, now]
        done += np.where(there, after, 0.0)
        waiting = np.where(there, 0.0, after)
        misses += waiting.sum()
    return done + waiting, pulses, misses


def near(found: float, wanted: float, variance: float) -> None:
    assert abs(found - wanted) <= 5 * np.sqrt(max(variance, 1e-12) / COUNT) + 1e-9


@pytest.mark.parametrize("target", [0, 1])
@pytest.mark.parametrize("banked", [False, True])
def test_events_follow_the_markov_chain_of_the_device(target: int, banked: bool) -> None:
    device, generator = categorical(), torch.Generator().manual_seed(1)
    array = SynapseArray((COUNT,), device, margin=0.3, max_attempts=ATTEMPTS, generator=generator)
    assert array.category is not None
    array.category.zero_()  # up, whose pulses lead through other categories
    goal = torch.full((COUNT,), target)
    if banked:
        SynapseBank([array]).program_at(torch.arange(COUNT), goal, generator)
    else:
        array.program(goal, generator=generator)
    categories, pulses, misses = expected(device, 0, target)
    for found, wanted in zip(torch.bincount(array.category.long(), minlength=5) / COUNT, categories, strict=True):
        near(float(found), wanted, wanted * (1 - wanted))
    assert array.counters.pulses is not None
    for found, wanted in zip(array.counters.pulses[Phase.TRAINING] / COUNT, pulses, strict=True):
        near(float(found), wanted, ATTEMPTS**2)
    attempts = array.counters.attempts[Phase.TRAINING, target]
    near(float(attempts.sum() - COUNT + array.counters.failed[Phase.TRAINING, target]) / COUNT, misses, ATTEMPTS**2)
    # A category reads as its own value, and no other weight occurs.
    assert set(array.weight.tolist()) <= set(np.float32(device.category_weights).tolist())
    assert torch.equal(array.weight.round(), array.state.float() - 1)


def test_energy_counts_pulses_and_reads() -> None:
    device, generator = categorical(), torch.Generator().manual_seed(2)
    array = SynapseArray((1000,), device, margin=0.3, max_attempts=3, generator=generator)
    array.program(torch.randint(3, (1000,), generator=generator), generator=generator, phase=Phase.INITIAL)
    array.program(torch.randint(3, (1000,), generator=generator), array.weight < 0.5, generator)
    assert array.counters.pulses is not None
    energies = AttemptEnergies.from_device(device)
    whole, parts = energies.of_counters(array.counters), [energies.of_counters(array.counters, p) for p in Phase]
    lower, higher = array.counters.pulses.sum(0).tolist()
    assert whole.by_cause["gate"] == pytest.approx(2e-15 * lower + 1e-15 * higher)
    # Every pulse is followed by a read; every event begins with one; a device that is there already is only read.
    attempts = int(array.counters.attempts.sum())
    assert whole.by_cause["read"] == pytest.approx(1e-17 * (attempts + int(array.counters.attempts[..., 0].sum())))
    assert parts[0].total + parts[1].total == pytest.approx(whole.total)
    assert lower + higher <= attempts


def test_stuck_devices_keep_their_category_and_other_failures_are_refused() -> None:
    device, generator = categorical(), torch.Generator().manual_seed(3)
    faults = Faults(stuck=1.0, stuck_at=1)
    array = SynapseArray((50,), device, margin=0.3, max_attempts=2, faults=faults, generator=generator)
    array.program(torch.full((50,), 2), generator=generator)
    assert array.weight.unique().tolist() == [0.0]
    assert int(array.counters.failed.sum()) == 50
    with pytest.raises(InputError, match=r"annihilated_walls = 0\.1: must be 0 for a device whose"):
        SynapseArray((2,), device, margin=0.3, faults=Faults(annihilated_walls=0.1))


def test_a_network_learns_on_it_and_its_state_returns() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(200, 6)
    labels = (inputs[:, 0] > 0).long()
    model = convert(torch.nn.Sequential(torch.nn.Linear(6, 2)), categorical(0.95), margin=0.3, max_attempts=3)
    learner = InSitu(torch.optim.Adam(model.parameters(), lr=0.05), model, torch.Generator().manual_seed(1))
    first = torch.nn.functional.cross_entropy(model(inputs), labels)
    for _ in range(30):
        learner.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        learner.step()
    assert float(loss.detach()) < 0.7 * float(first.detach())
    assert programming_energy(model).by_cause["gate"] > 0
    other = copy.deepcopy(model)
    layer, again = model[0], other[0]
    assert isinstance(layer, SynapseLinear) and isinstance(again, SynapseLinear)
    again.synapses.renew(torch.Generator().manual_seed(2))
    other.load_state_dict(model.state_dict())
    assert again.synapses.category is not None and torch.equal(again.synapses.category, layer.synapses.category)
    damaged = model.state_dict() | {"0.synapses.category": torch.full((2, 6), 7, dtype=torch.uint8)}
    with pytest.raises(InputError, match="category: must be from 0 to 4"):
        other.load_state_dict(damaged)
    assert LOWER != RAISE
