"""Decay within training steps against the transition probabilities of waiting walls."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_drift import device, uneven
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, gaussian_device
from barkhausen.synapse import Faults, SynapseArray, SynapseBank
from barkhausen.synapse import decay as decay_module
from barkhausen.synapse.compiled import FIRST_CAPACITY, DecayTables, LeaverScan, serves
from barkhausen.synapse.decay import BankDecay, Decay
from barkhausen.synapse.drift import characterised_rows, transitions

SIZES = (9_000, 11_000)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bank_of(of: CharacterisedDevice, sizes: tuple[int, ...] = SIZES, faults: Faults | None = None) -> SynapseBank:
    arrays = []
    for number, size in enumerate(sizes):
        array = SynapseArray((size,), of, margin=9.0, generator=seeded(number), faults=faults or Faults())
        array.program(torch.arange(size) % of.states, generator=seeded(10 + number))
        arrays.append(array)
    return SynapseBank(arrays, padding=32)


def places(array: SynapseArray) -> Tensor:
    """Place of each wall: left end, the states, right end."""
    low, high = array.kind.weight_range
    state = array.state.long() + 1
    return torch.where(array.weight <= low, 0, torch.where(array.weight >= high, array.states + 1, state))


@pytest.fixture(params=["compiled", "torch"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With and without compiled code."""
    if request.param == "torch":
        monkeypatch.setattr(decay_module, "serves", lambda weight: False)
    elif not serves(torch.zeros(1)):
        pytest.skip("the compiled pass was not built (no C++ compiler at installation?)")
    return str(request.param)


@pytest.mark.parametrize(("seconds", "steps"), [(0.05, 1), (0.4, 1), (0.4, 8)])
@pytest.mark.parametrize("own_noise", [False, True])
def test_walls_move_as_those_that_wait(seconds: float, steps: int, own_noise: bool, way: str) -> None:
    rate = 10.0 ** np.random.default_rng(0).uniform(-2, 1, (5, 7))
    side = np.random.default_rng(1).choice([-1.0, 1.0], (5, 7))
    of = device(rate, side, own_noise=own_noise)
    bank = bank_of(of)
    before = [places(array) for array in bank.arrays]
    step = BankDecay(bank, Decay(seconds / steps))
    generator = seeded(5)
    for _ in range(steps):
        step.step(generator)
    expected = torch.from_numpy(transitions(of, seconds))
    counts = torch.zeros_like(expected)
    for array, start in zip(bank.arrays, before, strict=True):
        row = characterised_rows(array)[array.device_index.long()] % len(expected)
        counts.view(-1).index_add_(0, (row * 7 + start) * 7 + places(array), torch.ones(len(start), dtype=counts.dtype))
        moved = places(array) != start
        assert moved.any()
        inside = (places(array) > 0) & (places(array) < 6)
        off = (array.weight - array.levels[array.state.long()])[moved & inside]
        # As programmed: within the noise of the made-up device, whose levels are 0.5 apart.
        assert float(off.abs().max()) < 0.15
    total = counts.sum(-1, keepdim=True)
    sigma = (total * expected * (1 - expected)).sqrt()
    assert bool(((counts - total * expected).abs() <= 5 * sigma + 3).all())  # + 3: rare moves are not normal


def test_what_an_accelerator_computes_moves_likewise(monkeypatch: pytest.MonkeyPatch) -> None:
    of = uneven()
    bank = bank_of(of)
    before = [places(array) for array in bank.arrays]
    from barkhausen.synapse.drift import move  # noqa: PLC0415

    generator = seeded(5)
    step = BankDecay(bank, Decay(0.2))
    for array in bank.arrays:
        move(array, step.transitions, generator)
    expected = transitions(of, 0.2)
    share = 1 - np.diagonal(expected, axis1=1, axis2=2)[:, 1:-1].mean()
    moved = [float((places(array) != start).double().mean()) for array, start in zip(bank.arrays, before, strict=True)]
    assert moved == pytest.approx([share, share], abs=0.02)


def test_walls_at_an_end_and_stuck_ones_stay(way: str) -> None:
    fast = device(np.full((3, 2), 1e3), np.array([[-1, -1], [1, 1], [1, 1]]))
    bank = bank_of(fast, (600,), Faults(stuck=0.5))
    (array,) = bank.arrays
    assert array.stuck is not None
    array.weight[:50], array.weight[50:100] = array.kind.weight_range
    before = array.weight.clone()
    BankDecay(bank, Decay(1.0)).step(seeded(1))
    low, high = array.kind.weight_range
    kept = array.weight == before
    assert bool(kept[:100].all())
    assert bool(kept[array.stuck].all())
    free = ~array.stuck
    free[:100] = False
    assert bool(((array.weight[free] == low) | (array.weight[free] == high)).all())


def test_devices_that_keep_their_states_cost_no_random_number(way: str) -> None:
    bank = bank_of(device(np.full((3, 2), 1e-12), np.full((3, 2), 1.0)))
    generator = seeded(1)
    before, weight = generator.get_state(), bank.weight.clone()
    BankDecay(bank, Decay(1e-5)).step(generator)
    assert torch.equal(before, generator.get_state())
    assert torch.equal(weight, bank.weight)


def test_same_seed_same_walls_and_other_steps_other_walls(way: str) -> None:
    def leavers(seed: int) -> tuple[Tensor, Tensor]:
        bank = bank_of(uneven())
        step, generator, found = BankDecay(bank, Decay(0.05)), seeded(seed), []
        for _ in range(2):
            before = bank.weight.clone()
            step.step(generator)
            found.append(bank.weight != before)
        return found[0], found[1]

    one, again, other = leavers(1), leavers(1), leavers(2)
    assert torch.equal(one[0], again[0])
    assert torch.equal(one[1], again[1])
    assert not torch.equal(one[0], other[0])
    # A wall that has left once is in another state; independent draws coincide rarely.
    assert int((one[0] & one[1]).sum()) < 0.5 * int(one[0].sum())


@pytest.mark.skipif(not serves(torch.zeros(1)), reason="the compiled pass was not built")
def test_the_numbers_of_the_compiled_pass_are_uniform_and_independent() -> None:
    count = 100_000
    flat = SimpleNamespace(
        state=torch.zeros(count, dtype=torch.uint8),
        device_index=torch.zeros(count, dtype=torch.int16),
        weight=torch.zeros(count),
        stuck=None,
    )

    def signed(fraction: float) -> int:
        limit = min(round(fraction * 2**32), 2**32 - 1)
        return limit - 2**32 if limit >= 2**31 else limit

    def leaves(probability: float, seed: int) -> tuple[Tensor, Tensor]:
        """Mask of the devices that leave, and the places that these go to: 0 and 1, each as often."""
        one = torch.zeros(1, dtype=torch.int64)
        edges = torch.tensor([[[signed(0.5), signed(1.0), signed(1.0)]]], dtype=torch.int32)
        limits = torch.tensor([[signed(probability)]], dtype=torch.int32)
        scan = LeaverScan(DecayTables(one + count, one, limits, one, edges))
        index, row, place = scan.leaving(flat, (-1.0, 1.0), seed)
        assert bool((index[1:] > index[:-1]).all())
        assert not row.any()
        found = torch.zeros(count, dtype=torch.bool)
        found[index] = True
        return found, place.clone()

    draws = []
    for seed in (0, 1, 2, 3 << 32, 12345678901234567):
        for probability in (0.003, 0.2, 0.5, 0.9):
            found, place = leaves(probability, seed)
            assert (
                abs(float(found.double().mean()) - probability) < 5 * (probability * (1 - probability) / count) ** 0.5
            )
            assert abs(float(place.double().mean()) - 0.5) < 5 * 0.5 / len(place) ** 0.5
        draws.append(2.0 * leaves(0.5, seed)[0].double() - 1.0)
        # All leave: the places alone.
        draws.append(2.0 * leaves(1.0, seed)[1][: count - 1].double() - 1.0)
    draws = [draw[: count - 1000] for draw in draws]
    for i, one in enumerate(draws):
        for lag in (1, 2, 64, 784):
            assert abs(float((one[lag:] * one[:-lag]).mean())) < 5 / len(one) ** 0.5
        for other in draws[:i]:
            assert abs(float((one * other).mean())) < 5 / len(one) ** 0.5
    # More than there was room for at first.
    assert int(leaves(0.9, 7)[0].sum()) > FIRST_CAPACITY


def test_decay_refuses_what_cannot_be() -> None:
    with pytest.raises(InputError, match="step_time = 0: must be positive"):
        Decay(0)
    with pytest.raises(InputError, match="temperature = -1: must be positive"):
        Decay(1e-6, -1)
    array = SynapseArray((5,), gaussian_device(5), margin=0.3, generator=seeded())
    with pytest.raises(InputError, match="no 'barrier'"):
        BankDecay(SynapseBank([array]), Decay(1e-6))


def test_a_bank_decays_as_its_copy() -> None:
    bank = bank_of(uneven())
    other = copy.deepcopy(bank)
    for one in (bank, other):
        BankDecay(one, Decay(0.1)).step(seeded(3))
    assert torch.equal(bank.weight, other.weight)
