"""Pulsed arrays against independent samples of the device, compiled code against torch, and writing."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.device import DeviceSample, PulsedDevice
from barkhausen.synapse import Faults, Phase, PulsedArray
from barkhausen.synapse.pulsed import kernel

pytestmark = pytest.mark.usefixtures("one_thread")

SOFT = PulsedDevice.soft_bounds(2 / 40, cycle_sd=0.4)
SPREAD = PulsedDevice.exponential(
    2.0, 2 / 40, cycle_sd=0.3, scale_sd=(0.2, 0.3), scale_correlation=0.5, bound_sd=(0.05, 0.1)
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def everywhere(array: PulsedArray, pulses: int) -> tuple[torch.Tensor, torch.Tensor]:
    count = array.weight.numel()
    return torch.arange(count), torch.full((count,), pulses, dtype=torch.int32)


@pytest.mark.parametrize("device", [SOFT, SPREAD], ids=["soft bounds", "with spreads"])
def test_trains_have_the_mean_and_the_spread_of_the_device(device: PulsedDevice) -> None:
    count, array = 20_000, PulsedArray((100, 200), device, margin=0.0, generator=seeded())
    sample = DeviceSample.draw(device, count, np.random.default_rng(1))
    signs = [1] * 12 + [-1] * 5
    expected = sample.train(signs, 1, np.random.default_rng(2), start=-5.0)[:, 0, -1]
    noise = seeded(3)
    array.pulse_at(*everywhere(array, 12), noise)
    array.pulse_at(*everywhere(array, -5), noise)
    found = array.weight.numpy()
    error = expected.std() / np.sqrt(count)
    assert abs(found.mean() - expected.mean()) < 5 * error
    assert found.std() == pytest.approx(expected.std(), rel=0.04)
    assert array.counters.pulses[Phase.TRAINING].tolist() == [12 * count, 5 * count]


@pytest.mark.skipif(kernel.library() is None, reason="the compiled code was not built")
@pytest.mark.parametrize("device", [SOFT, SPREAD], ids=["soft bounds", "with spreads"])
def test_compiled_code_and_torch_agree(monkeypatch: pytest.MonkeyPatch, device: PulsedDevice) -> None:
    array = PulsedArray((3000,), device, margin=0.0, generator=seeded())
    array.weight.uniform_(-0.9, 0.9, generator=seeded(1))
    wanted = array.weight + 0.2 * torch.randn(3000, generator=seeded(2))
    marks = [array.weight.clone() for _ in range(2)]
    found = []
    for mark, compiled in zip(marks, (True, False), strict=True):
        if not compiled:
            monkeypatch.setattr(kernel, "library", lambda: None)
        weight, lists = array.weight.clone(), kernel.Lists()
        asked, counts = wanted.clone(), torch.zeros(2, dtype=torch.int64)
        index, pulses = (x.clone() for x in kernel.requested(asked, weight, (20.0, 30.0), 5, (7, 2**31 + 5), lists))
        kernel.pulse(weight, index, pulses, array.steps_of(0), (3, 4), counts, asked)
        assert torch.equal(asked, weight)
        assert counts.tolist() == [int(pulses.clamp(min=0).sum()), int((-pulses).clamp(min=0).sum())]
        due = [[x.clone() for x in kernel.moved(wanted, mark, 0.1, 4, lists, blind=blind)] for blind in (False, True)]
        found.append((index, pulses, weight, *due[0], *due[1], mark))
    for first, second in zip(*found, strict=True):
        assert torch.allclose(first.double(), second.double(), atol=1e-5)
    assert found[0][1].abs().max() == 5
    assert found[0][1].unique().tolist() == [-5, -4, -3, -2, -1, 1, 2, 3, 4, 5]


def test_pulses_are_rounded_at_random_to_the_exact_mean() -> None:
    held = torch.zeros(200_000)
    for part in (0.03, 0.5, 2.3):
        _, pulses = kernel.requested(held - part / 20, held, (40.0, 20.0), 31, (1, 2), kernel.Lists())
        whole, chance = int(part), part - int(part)
        error = (chance * (1 - chance) / len(held)) ** 0.5
        assert float(pulses.double().sum()) / len(held) == pytest.approx(-part, abs=5 * error)
        assert set(pulses.tolist()) <= {-whole, -whole - 1}


@pytest.mark.parametrize("layout", ["single", "pair"])
def test_writing_comes_nearer_with_every_round_and_counts_pulses_and_reads(layout: str) -> None:
    target = torch.rand((50, 60), generator=seeded(5)) * 1.6 - 0.8
    missed = []
    for rounds in (1, 2, 6):
        array = PulsedArray((50, 60), SOFT, margin=0.04, max_attempts=rounds, generator=seeded(), layout=layout)  # type: ignore[arg-type]
        array.write(target, seeded(6), phase=Phase.INITIAL)
        missed.append(float(((array.weight - target).abs() > 0.04).float().mean()))
        assert (int(array.counters.reads[Phase.INITIAL]) > 0) == (rounds > 1)
        assert int(array.counters.pulses[Phase.TRAINING].sum()) == 0
    assert missed[0] > missed[1] > missed[2]
    assert missed[2] < 0.05


def test_the_number_of_pulses_of_a_typical_device() -> None:
    kind = PulsedArray((1,), PulsedDevice.exponential(3.0, 2 / 50, cycle_sd=0.0), margin=0.0).kind
    for start, end in ((-1.0, 0.4), (0.6, -0.7)):
        pulses = float(kind.pulses_to(torch.tensor([start]), torch.tensor([end])))
        weight, sign = start, 1 if end > start else -1
        for _ in range(round(abs(pulses))):
            weight += float(kind.device.step(weight, sign))
        assert weight == pytest.approx(end, abs=0.03)
        assert pulses * sign > 10


def test_the_weight_of_a_pair_is_half_the_difference_of_its_devices() -> None:
    array = PulsedArray((500,), SOFT, margin=0.0, generator=seeded(), layout="pair")
    assert torch.equal(array.weight, torch.zeros(500))
    array.pulse_at(*everywhere(array, 8), seeded(1))
    assert array.cells is not None
    assert torch.allclose(array.weight, 0.5 * (array.cells[0] - array.cells[1]))
    # Half of the pulses lead each device away from the middle.
    assert float(array.cells[0].mean()) == pytest.approx(-float(array.cells[1].mean()), abs=0.02)
    assert array.counters.pulses[Phase.TRAINING].tolist() == [4 * 500, 4 * 500]


def test_energy_is_pulses_and_reads_times_those_of_the_device() -> None:
    device = PulsedDevice.linear(2 / 20, energies={"write": (2e-15, 3e-15)})
    array = PulsedArray((10,), device, margin=0.0, generator=seeded())
    array.pulse_at(*everywhere(array, 3), seeded(1))
    array.pulse_at(*everywhere(array, -2), seeded(1), phase=Phase.INITIAL)
    assert array.energy(Phase.TRAINING).by_cause["write"] == pytest.approx(30 * 2e-15)
    assert array.energy().total == pytest.approx(30 * 2e-15 + 20 * 3e-15)


def test_a_copy_and_a_loaded_state_go_on_alike() -> None:
    array = PulsedArray((300,), SPREAD, margin=0.0, generator=seeded())
    array.pulse_at(*everywhere(array, 6), seeded(1))
    other = PulsedArray((300,), SPREAD, margin=0.0, generator=seeded(9))
    other.load_state_dict(array.state_dict())
    for each in (array, copy.deepcopy(array), other):
        each.pulse_at(*everywhere(each, -2), seeded(2))
        assert torch.equal(each.weight, array.weight)
    with pytest.raises(InputError, match="saved with another device or layout"):
        PulsedArray((300,), SOFT, margin=0.0).load_state_dict(array.state_dict())


def test_what_it_cannot_have_is_refused() -> None:
    with pytest.raises(InputError, match="has no faults"):
        PulsedArray((2,), SOFT, margin=0.0, faults=Faults(stuck=0.1))
    with pytest.raises(InputError, match=r"layout = 'triple': input should be 'single', 'pair'"):
        PulsedArray((2,), SOFT, margin=0.0, layout="triple")  # type: ignore[arg-type]
