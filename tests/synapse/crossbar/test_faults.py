"""Stuck devices and lost walls, on each of the three ways on which devices are programmed."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, DeviceParameters, domain_wall_device, gaussian_device
from barkhausen.learning import InSitu, SynapseLinear, convert, endurance, fresh_chip, synapse_layers, transfer
from barkhausen.synapse import AttemptEnergies, Faults, Phase, SynapseArray, SynapseBank

FIVE = gaussian_device(5)
COUNT = 20_000
Way = Callable[[SynapseArray, Tensor, Tensor, torch.Generator], None]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some(array: SynapseArray, target: Tensor, mark: Tensor, generator: torch.Generator) -> None:
    array.program(target, mark, generator)


def masked(array: SynapseArray, target: Tensor, mark: Tensor, generator: torch.Generator) -> None:
    array._program_masked(target, mark, generator, Phase.TRAINING)


def banked(array: SynapseArray, target: Tensor, mark: Tensor, generator: torch.Generator) -> None:
    kind = array.kind
    how = {"margin": kind.margin, "max_attempts": kind.max_attempts, "count_writes": kind.count_writes}
    other = SynapseArray((77,), kind.device, **how, faults=kind.faults, generator=seeded(50))
    index = mark.nonzero().squeeze(1)
    SynapseBank([other, array], padding=32).program_at(index + 77, target[index], generator)
    assert int(other.counters.attempts.sum()) == 0
    assert other.writes is None or not other.writes.any()


WAYS = pytest.mark.parametrize("way", [some, masked, banked])


def made(device: CharacterisedDevice = FIVE, count: int = COUNT, **how: Any) -> SynapseArray:
    return SynapseArray((count,), device, **{"margin": 0.3, **how}, generator=seeded())


def cycle(array: SynapseArray) -> Tensor:
    return torch.arange(array.weight.numel()) % array.states


@WAYS
def test_stuck_devices_never_change_but_are_paid_for(way: Way) -> None:
    array = made(max_attempts=3, faults=Faults(stuck=0.3), count_writes=True)
    stuck = array.stuck
    assert stuck is not None
    # Five sigma of a share of 20 000.
    assert float(stuck.float().mean()) == pytest.approx(0.3, abs=5 * math.sqrt(0.21 / COUNT))
    weight, state = array.weight.clone(), array.state.clone()
    target = cycle(array)
    mark = torch.rand(COUNT, generator=seeded(1)) < 0.5
    way(array, target, mark, seeded(2))
    assert array.stuck is not None
    stuck, held = array.stuck, array.weight
    assert torch.equal(held[stuck], weight[stuck])
    assert torch.equal(array.state[stuck], state[stuck])
    assert torch.equal(held[~mark], weight[~mark])
    sound = mark & ~stuck
    assert torch.equal(array.state[sound].long(), target[sound])
    # A stuck device outside the margin takes all attempts, one inside it a single one.
    outside = (weight - array.levels[target]).abs() > 0.3
    assert array.writes is not None
    assert torch.equal(array.writes[stuck & mark].long(), torch.where(outside, 3, 1)[stuck & mark])
    assert not array.writes[~mark].any()
    assert int(array.counters.events(Phase.TRAINING).sum()) == int(mark.sum())
    assert int(array.counters.attempts.sum()) == int(array.writes.sum())
    sot = AttemptEnergies.from_device(FIVE).of_counters(array.counters).by_cause["sot"]
    assert sot == pytest.approx(int(array.writes.sum()) * float(FIVE.energy("sot")[0]), rel=1e-9)


def test_where_stuck_devices_rest() -> None:
    array = made(gaussian_device(5, 0.05), faults=Faults(stuck=1.0, stuck_at=3))
    assert array.state.unique().tolist() == [3]
    assert float(array.weight.mean()) == pytest.approx(0.5, abs=0.01)
    # A device rests where a sound one would: at its own offset (0.6 · 0.05).
    assert float(array.weight.std()) == pytest.approx(0.03, rel=0.06)
    anywhere = made(faults=Faults(stuck=1.0))
    share = torch.bincount(anywhere.state.long(), minlength=5) / COUNT
    assert float((share - 0.2).abs().max()) < 5 * math.sqrt(0.16 / COUNT)
    none = made(faults=Faults(stuck=0.0))
    assert none.stuck is None


@WAYS
@pytest.mark.parametrize("attempts", [1, 3])
def test_annihilated_walls_read_as_an_end_of_the_track_and_are_written_anew(way: Way, attempts: int) -> None:
    # Without spread, only a lost wall can miss the margin.
    array = made(gaussian_device(5, 0.0), max_attempts=attempts, faults=Faults(annihilated_walls=0.2))
    target = cycle(array)
    way(array, target, torch.ones(COUNT, dtype=torch.bool), seeded(2))
    low, high = array.kind.weight_range
    lost = (array.weight - array.levels[target]).abs() > 0.3
    # The ends at −5/3 and 5/3 are outside the margin of every level.
    expected = 0.2**attempts
    assert float(lost.float().mean()) == pytest.approx(expected, abs=5 * math.sqrt(expected / COUNT))
    ends = array.weight[lost]
    assert ((ends - low).abs().minimum((ends - high).abs()) < 1e-6).all()
    assert float((ends < 0).float().mean()) == pytest.approx(0.5, abs=2.5 / math.sqrt(len(ends)))
    made_attempts = array.counters.attempts[Phase.TRAINING].sum(0).tolist()
    for n, number in enumerate(made_attempts):
        assert number == pytest.approx(COUNT * 0.2**n, abs=5 * math.sqrt(COUNT * 0.2**n))
    assert int(array.counters.failed.sum()) == int(lost.sum())


@WAYS
def test_every_state_loses_walls_as_often_as_its_characterisation_did(way: Way) -> None:
    rates = np.array([0.0, 0.25, 0.5])
    positions = np.full((3, 10, 40), np.nan)
    outcome = np.ones((3, 10, 40), dtype=np.int8)
    for state, rate in enumerate(rates):
        kept = slice(0, round(40 * (1 - rate)))
        positions[state, :, kept] = 512e-9 * (0.2 + 0.3 * state)
        outcome[state, :, kept] = 0
    device = domain_wall_device(positions, DeviceParameters(), source="measured", outcome=outcome)
    array = made(device, faults=Faults(annihilated_walls="device"))
    target = cycle(array)
    way(array, target, torch.ones(COUNT, dtype=torch.bool), seeded(2))
    lost = (array.weight - array.levels[target]).abs() > 0.3
    for state, rate in enumerate(rates):
        share = float(lost[target == state].float().mean())
        assert share == pytest.approx(rate, abs=5 * math.sqrt(0.25 / (COUNT / 3)) if rate else 0)
    assert made(faults=Faults(annihilated_walls="device")).kind.lost is None


def test_a_track_of_ends_within_the_margin_hides_its_losses() -> None:
    array = made(gaussian_device(2, 0.0), margin=1.0, max_attempts=4, faults=Faults(annihilated_walls=1.0))
    array.program(torch.zeros(COUNT, dtype=torch.int64), generator=seeded(1))
    # The left end at −5/3 is within 1 of −1: half of the attempts seem to succeed.
    assert int(array.counters.failed.sum()) == pytest.approx(COUNT / 16, abs=5 * math.sqrt(COUNT / 16))


def test_the_three_ways_agree_in_their_statistics() -> None:
    faults = Faults(stuck=0.1, annihilated_walls=0.15)
    found = []
    for way in (some, masked, banked):
        array = made(max_attempts=3, faults=faults)
        way(array, cycle(array), torch.ones(COUNT, dtype=torch.bool), seeded(2))
        found.append((array.counters.outcomes[Phase.TRAINING].double(), array.weight.clone()))
    for outcomes, weight in found[1:]:
        error = (outcomes - found[0][0]).abs() / (found[0][0] + 1).sqrt()
        assert float(error.max()) < 7
        assert float(weight.mean()) == pytest.approx(float(found[0][1].mean()), abs=0.04)
        assert float(weight.std()) == pytest.approx(float(found[0][1].std()), rel=0.03)


def test_training_counts_writes_on_either_path_and_leaves_stuck_devices() -> None:
    faults, totals = Faults(stuck=0.2, annihilated_walls=0.1), []
    for accelerator in (False, True):
        model = nn.Sequential(
            *(SynapseLinear(40, 40, FIVE, margin=0.2, max_attempts=3, faults=faults, count_writes=True,
                               generator=seeded(k)) for k in range(2))
        )  # fmt: skip
        learner = InSitu(torch.optim.SGD(model.parameters(), lr=1.0), model, seeded(3))
        before = copy.deepcopy(model)
        for step in range(10):
            model(torch.randn((8, 40), generator=seeded(step))).square().mean().backward()
            if not accelerator:
                learner.step()
            else:
                learner.optimizer.step()
                with torch.no_grad():
                    for _, layer in synapse_layers(model):
                        memory = layer.latent_weight.clamp_(-1, 1)
                        due = layer.quantiser.error(memory, layer.synapses.weight) > 0.2
                        masked(layer.synapses, layer.quantiser.state(memory).view(-1), due.view(-1), learner.generator)
            learner.zero_grad()
        for (_, layer), (_, old) in zip(synapse_layers(model), synapse_layers(before), strict=True):
            array = layer.synapses
            assert torch.equal(array.stuck, old.synapses.stuck)
            assert torch.equal(array.weight[array.stuck], old.synapses.weight[array.stuck])
            assert int(array.writes.sum()) == int(array.counters.attempts.sum())
            # A stuck device outside its margin is tried again in every step: three attempts in each of ten.
            assert int(array.writes[array.stuck].max()) > 20
        totals.append(endurance(model))
    assert totals[0].sum() == totals[1].sum() == 3200
    attempts = [int((total * np.arange(len(total))).sum()) for total in totals]
    assert attempts[0] == pytest.approx(attempts[1], rel=0.05)


def test_endurance_is_a_histogram_of_all_devices() -> None:
    plain = nn.Sequential(nn.Conv1d(2, 4, 3), nn.Flatten(), nn.Linear(4, 7))
    model = convert(plain, FIVE, 0.1, max_attempts=4, count_writes=True, generator=seeded())
    synapses = sum(layer.latent_weight.numel() for _, layer in synapse_layers(model))
    for _ in range(2):
        histogram = endurance(model)
        attempts = sum(int(layer.synapses.counters.attempts.sum()) for _, layer in synapse_layers(model))
        assert histogram.sum() == synapses
        assert (histogram * np.arange(len(histogram))).sum() == attempts
        assert histogram[0] == 0
        learner = InSitu(torch.optim.SGD(model.parameters(), lr=1.0), model, seeded(3))
        model(torch.ones((2, 2, 3))).sum().backward()
        learner.step()
    one = convert(nn.Linear(3, 3), FIVE, 9.0, count_writes=True)
    assert endurance(one).tolist() == [0, 9]
    with pytest.raises(InputError, match="the model does not count writes"):
        endurance(convert(nn.Linear(3, 3), FIVE, 0.3))
    with pytest.raises(InputError, match="no synapse layer"):
        endurance(nn.Linear(3, 3))


def test_chips_have_the_faults_but_stuck_devices_of_their_own() -> None:
    faults = Faults(stuck=0.25, annihilated_walls=0.1)
    model = convert(nn.Linear(50, 40), FIVE, 0.3, faults=faults, count_writes=True, generator=seeded())
    array = model.synapses
    held = array.stuck.clone()
    chips = [fresh_chip(model, seeded(1)), *transfer(model, 2)]
    for chip in chips:
        other = chip.synapses
        assert other.kind.faults == faults
        assert float(other.stuck.float().mean()) == pytest.approx(0.25, abs=5 * math.sqrt(0.19 / 2000))
        assert not torch.equal(other.stuck, held)
        # Independent of those of the model: a quarter of a quarter are stuck in both.
        assert float((other.stuck & held).float().mean()) == pytest.approx(0.0625, abs=5 * math.sqrt(0.06 / 2000))
        assert int(other.writes.sum()) == int(other.counters.attempts.sum())
    assert not torch.equal(chips[1].synapses.stuck, chips[2].synapses.stuck)
    assert torch.equal(array.stuck, held)


def test_renewed_array_has_other_stuck_devices() -> None:
    array = made(faults=Faults(stuck=0.5), count_writes=True)
    array.program(cycle(array), generator=seeded(1))
    assert array.stuck is not None and array.writes is not None
    before = array.stuck.clone()
    array.renew(seeded(2))
    assert not torch.equal(array.stuck, before)
    assert not array.writes.any()
    assert not array.state[~array.stuck].any()


IMPOSSIBLE_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"stuck": -0.1}, "stuck = -0"),
    ({"stuck": float("nan")}, "stuck = nan"),
    ({"stuck_at": -1}, "stuck_at = -1"),
    ({"stuck_at": "left"}, "stuck_at = 'left'"),
    ({"annihilated_walls": 1.5}, "annihilated_walls = 1"),
    ({"annihilated_walls": "file"}, "annihilated_walls = 'file'"),
]


def test_impossible_faults_are_refused() -> None:
    for how, word in IMPOSSIBLE_FAULTS:
        with pytest.raises(InputError, match=word):
            Faults(**how)


def test_annihilated_walls_by_their_old_name() -> None:
    with pytest.warns(DeprecationWarning, match="lost_walls is now annihilated_walls"):
        faults = Faults(lost_walls="device")
    assert faults == Faults(annihilated_walls="device")
    with pytest.warns(DeprecationWarning, match="attribute lost_walls"):
        assert faults.lost_walls == "device"
    assert replace(faults, stuck=0.5) == Faults(0.5, "random", "device")


def test_a_share_must_be_a_number() -> None:
    with pytest.raises(InputError, match=r"^stuck = '0.1': must be a share"):
        Faults(stuck="0.1")  # type: ignore[arg-type]
