from __future__ import annotations

import copy

import pytest
import torch

from barkhausen.device import gaussian_device
from barkhausen.synapse import Phase, SynapseArray, SynapseBank


def arrays(shapes: tuple[tuple[int, ...], ...], max_attempts: int = 3) -> list[SynapseArray]:
    device, generator = gaussian_device(5), torch.Generator().manual_seed(0)
    made = [SynapseArray(s, device, margin=0.2, max_attempts=max_attempts, generator=generator) for s in shapes]
    for array in made:
        target = torch.randint(5, array.weight.shape, generator=generator)
        array.program(target, generator=generator, phase=Phase.INITIAL)
    return made


def test_bank_moves_tensors_without_changing_them() -> None:
    parts = arrays(((7, 11), (5, 7), (3,)))
    before = [copy.deepcopy(array.state_dict()) for array in parts]
    bank = SynapseBank(parts, padding=64)
    assert len(bank.weight) % 64 == 0
    for array, held in zip(parts, before, strict=True):
        for name, tensor in array.state_dict().items():
            assert torch.equal(tensor, held[name]), name
    assert bank.intact()


def test_bank_programs_as_the_arrays_would() -> None:
    # One array: bank and array draw the same numbers in the same order, so they must agree to the bit.
    alone, banked = arrays(((40, 30),))[0], arrays(((40, 30),))[0]
    bank = SynapseBank([banked])
    where = torch.rand((40, 30), generator=torch.Generator().manual_seed(1)) < 0.3
    target = torch.randint(5, (40, 30), generator=torch.Generator().manual_seed(2))
    alone.program(target, where, torch.Generator().manual_seed(3))
    index = where.view(-1).nonzero().squeeze(1)
    bank.program_at(index, target.view(-1)[index], torch.Generator().manual_seed(3))
    for name, tensor in alone.state_dict().items():
        assert torch.equal(tensor, banked.state_dict()[name]), name


def test_events_are_booked_to_the_right_array_and_use_its_devices() -> None:
    # Without cycle noise a weight is exactly the centre of the device that was programmed.
    device, generator = gaussian_device(3, sigma_device=0.1, sigma_cycle=0.0), torch.Generator().manual_seed(0)
    parts = [SynapseArray((n,), device, margin=9.0, generator=generator) for n in (10, 5000, 20)]
    bank = SynapseBank(parts, padding=32)
    index = torch.tensor([3, 9, 10, 11, 5009, 5010, 5029])
    target = torch.tensor([0, 1, 2, 0, 1, 2, 2])
    bank.program_at(index, target, generator)
    assert [int(a.counters.attempts[Phase.TRAINING].sum()) for a in parts] == [2, 3, 2]
    assert int(parts[2].counters.events(Phase.TRAINING)[2]) == 2
    for array, place, state in ((0, 3, 0), (0, 9, 1), (1, 0, 2), (1, 1, 0), (1, 4999, 1), (2, 0, 2), (2, 19, 2)):
        part = parts[array]
        centre = part.centres[part.device_index[place].long(), state]
        assert float(part.weight[place]) == float(centre)
        assert int(part.state[place]) == state


def test_bank_notices_when_an_array_moved_away() -> None:
    parts = arrays(((4, 4), (4, 4)))
    bank = SynapseBank(parts)
    parts[1].weight = parts[1].weight.clone()
    assert not bank.intact()


def test_arrays_of_different_kinds_do_not_mix() -> None:
    device = gaussian_device(5)
    parts = [SynapseArray((4,), device, margin=margin) for margin in (0.2, 0.3)]
    with pytest.raises(ValueError, match="one kind"):
        SynapseBank(parts)
