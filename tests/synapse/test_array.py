from __future__ import annotations

import copy
import math

import pytest
import torch

from barkhausen.device import CharacterisedDevice, gaussian_device
from barkhausen.synapse import Phase, SynapseArray


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def programmed(
    device: CharacterisedDevice, count: int, *, margin: float = 0.3, max_attempts: int = 1, seed: int = 0
) -> tuple[SynapseArray, torch.Tensor]:
    generator = seeded(seed)
    array = SynapseArray((count,), device, margin=margin, max_attempts=max_attempts, generator=generator)
    target = torch.arange(count) % device.states
    array.program(target, generator=generator)
    return array, target


def test_programmed_weights_have_the_declared_mean_and_spread() -> None:
    count = 200_000
    array, target = programmed(gaussian_device(5, 0.15), count)
    for state, level in enumerate((-1, -0.5, 0, 0.5, 1)):
        weights = array.weight[target == state]
        # 4096 distinct devices carry the offsets (sigma 0.09), 40 000 draws the noise (sigma 0.12).
        error_of_mean = math.hypot(0.09 / math.sqrt(4096), 0.12 / math.sqrt(len(weights)))
        assert abs(float(weights.mean()) - level) < 4.5 * error_of_mean
        # The sigma of 4096 normal offsets is itself known to 1/sqrt(2 * 4096) = 1.1 %; five of those.
        assert float(weights.std()) == pytest.approx(0.15, rel=0.055 * (0.09 / 0.15) ** 2 + 0.02)
    assert torch.equal(array.state.long(), target)


def test_offset_belongs_to_the_device_and_noise_to_the_cycle() -> None:
    device = gaussian_device(3, sigma_device=0.2, sigma_cycle=0.1)
    array, target = programmed(device, 4000)
    generator = seeded(5)
    cycles = []
    for _ in range(40):
        array.program(target, generator=generator)
        cycles.append(array.weight.clone())
    table = torch.stack(cycles)
    between = table.mean(dim=0) - array.levels[target]
    within = table.std(dim=0)
    # Mean over 40 cycles leaves 0.1/sqrt(40) of noise on each offset; 4000 devices know sigma to 1.1 %.
    assert float(between.std()) == pytest.approx(math.hypot(0.2, 0.1 / math.sqrt(40)), rel=0.05)
    assert float(within.pow(2).mean().sqrt()) == pytest.approx(0.1, rel=0.02)


def test_write_verify_leaves_only_devices_that_cannot_reach_the_margin() -> None:
    # Without offsets every draw is within 2 sigma with p = 0.9545: failures after n attempts are (1 - p)^n.
    device = gaussian_device(2, sigma_device=0.0, sigma_cycle=0.1)
    count, attempts = 100_000, 3
    array, target = programmed(device, count, margin=0.2, max_attempts=attempts)
    miss = math.erfc(2 / math.sqrt(2))
    counted = array.counters.attempts[Phase.TRAINING].sum(dim=0).tolist()
    for n, made in enumerate(counted):
        expected = count * miss**n
        assert made == pytest.approx(expected, abs=5 * math.sqrt(expected))
    failed = int(array.counters.failed.sum())
    expected = count * miss**attempts
    assert failed == pytest.approx(expected, abs=5 * math.sqrt(expected))
    outside = (array.weight - array.levels[target]).abs() > 0.2
    assert int(outside.sum()) == failed


def test_write_verify_cures_cycle_noise_but_not_a_device_that_is_off() -> None:
    device = gaussian_device(2, sigma_device=0.3, sigma_cycle=0.01)
    array, _ = programmed(device, 50_000, margin=0.15, max_attempts=6)
    # Offsets beyond half a sigma keep a device outside whatever the attempts: p = erfc(0.5 / sqrt 2) = 0.617.
    assert int(array.counters.failed.sum()) / 50_000 == pytest.approx(math.erfc(0.5 / math.sqrt(2)), abs=0.03)


def test_only_marked_devices_change() -> None:
    device = gaussian_device(5)
    array, target = programmed(device, 1000)
    before, state = array.weight.clone(), array.state.clone()
    mark = torch.zeros(1000, dtype=torch.bool)
    mark[::7] = True
    array.program((target + 1) % 5, mark, seeded(9))
    assert torch.equal(array.weight[~mark], before[~mark])
    assert torch.equal(array.state[~mark], state[~mark])
    assert torch.equal(array.state[mark].long(), ((target + 1) % 5)[mark])
    assert not torch.isclose(array.weight[mark], before[mark]).any()
    assert int(array.counters.events(Phase.TRAINING).sum()) == 1000 + int(mark.sum())


def test_accelerator_path_programs_the_same_devices_with_the_same_statistics() -> None:
    # The path without a read-back runs on any torch device; "meta" would not compute, so it is called by name.
    device = gaussian_device(3, sigma_device=0.0, sigma_cycle=0.1)
    array, target = programmed(device, 30_000, margin=0.15, max_attempts=4)
    mark = torch.rand(30_000, generator=seeded(1)) < 0.5
    before, counted = array.weight.clone(), array.counters.attempts.clone()
    device_index = array.device_index.view(-1)
    weight, misses = array.kind.write_verify(array._centre(device_index, target), target, seeded(2))
    array.counters.count(Phase.TRAINING, target, misses, happened=mark)
    added = array.counters.attempts - counted
    assert int(added[..., 0].sum()) == int(mark.sum())
    miss = math.erfc(1.5 / math.sqrt(2))
    expected = int(mark.sum()) * miss
    assert int(added[..., 1].sum()) == pytest.approx(expected, abs=5 * math.sqrt(expected))
    assert torch.equal(array.weight, before)
    assert float((weight - array.levels[target]).std()) < 0.1


def test_weights_end_where_the_track_ends() -> None:
    device = gaussian_device(2, 2.0)
    array, _ = programmed(device, 10_000)
    low, high = device.weight_range
    assert float(array.weight.min()) == pytest.approx(low)
    assert float(array.weight.max()) == pytest.approx(high)


def test_same_generator_same_chip_and_another_seed_another_chip() -> None:
    device = gaussian_device(5)
    first, _ = programmed(device, 5000, seed=3)
    again, _ = programmed(device, 5000, seed=3)
    other, _ = programmed(device, 5000, seed=4)
    assert torch.equal(first.weight, again.weight)
    assert torch.equal(first.device_index, again.device_index)
    assert not torch.equal(first.weight, other.weight)


def test_renewed_array_is_another_chip_that_was_never_programmed() -> None:
    device = gaussian_device(5)
    array, _ = programmed(device, 5000)
    centres, address = array.centres.clone(), array.centres.data_ptr()
    array.renew(seeded(8))
    assert not torch.equal(array.centres, centres)
    assert array.centres.data_ptr() == address
    assert int(array.state.max()) == 0


def test_array_survives_copy_and_state_dict() -> None:
    device = gaussian_device(5)
    array, target = programmed(device, 3000)
    twin = copy.deepcopy(array)
    fresh = SynapseArray((3000,), device, margin=0.3, generator=seeded(77))
    fresh.load_state_dict(array.state_dict())
    for other in (twin, fresh):
        other.program(target, generator=seeded(6))
    array.program(target, generator=seeded(6))
    assert torch.equal(twin.weight, array.weight)
    assert torch.equal(fresh.weight, array.weight)
    assert torch.equal(fresh.counters.attempts, array.counters.attempts)
