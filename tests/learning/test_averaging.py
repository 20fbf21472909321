"""Averages of latent weights (SWA, EMA): devices follow them only when they are programmed."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from barkhausen.core.errors import InputError
from barkhausen.data import load_dataset
from barkhausen.device import gaussian_device
from barkhausen.learning import InSitu, convert, program, synapse_layers
from barkhausen.synapse import Phase

pytestmark = pytest.mark.usefixtures("one_thread")

DEVICE = gaussian_device(5, 0.08)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def trained(average: str) -> tuple[nn.Module, AveragedModel, list[torch.Tensor]]:
    """A small network after training on digits, its average, and its first latent weights after every step."""
    digits = load_dataset("digits").standardised()
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(64, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 10), nn.BatchNorm1d(10))
    noise = seeded()
    model = convert(plain, DEVICE, 0.2, start="fresh", generator=noise)
    learner = InSitu(torch.optim.Adam(model.parameters(), lr=0.02), model, noise)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9) if average == "ema" else None)
    history = []
    for step in range(90):
        part = slice(15 * step, 15 * step + 15)
        F.cross_entropy(model(digits.train_inputs[part]), digits.train_labels[part]).backward()
        learner.step()
        learner.zero_grad()
        if step >= 60:
            averaged.update_parameters(model)
            history.append(model[0].latent_weight.detach().clone())
    return model, averaged, history


def accuracy(model: nn.Module) -> float:
    digits = load_dataset("digits").standardised()
    model.eval()
    with torch.no_grad():
        return float((model(digits.test_inputs).argmax(1) == digits.test_labels).double().mean())


@pytest.mark.parametrize("average", ["swa", "ema"])
def test_devices_of_an_average_follow_it_when_they_are_programmed(average: str) -> None:
    model, averaged, history = trained(average)
    layers = [layer for _, layer in synapse_layers(averaged)]
    expected = history[0]
    for number, latent in enumerate(history[1:], 1):
        share = 0.1 if average == "ema" else 1 / (number + 1)
        expected = expected + share * (latent - expected)
    torch.testing.assert_close(layers[0].latent_weight.detach(), expected, rtol=1e-4, atol=1e-5)
    # Until then they are the devices of the last step, some of them for other states.
    assert torch.equal(layers[0].synapses.weight, model[0].synapses.weight)
    target = layers[0].quantiser.state(layers[0].latent_weight.detach())
    due = (layers[0].synapses.weight - layers[0].synapses.levels[target]).abs() > 0.2
    assert 0 < int(due.sum()) < 0.5 * due.numel()
    before = copy.deepcopy(layers[0].synapses.state_dict())
    assert program(averaged, seeded(1)) is averaged
    array = layers[0].synapses
    events = array.counters.outcomes - before["counters.outcomes"]
    assert int(events[Phase.TRAINING].sum()) == int(due.sum())
    assert torch.equal(array.weight[~due], before["weight"][~due])
    assert torch.equal(array.state[due].long(), target[due])
    digits = load_dataset("digits").standardised()
    averaged.train()
    update_bn(digits.train_inputs.split(200), averaged)
    # 0.871 after the last step; averages 0.885 (SWA) and 0.879 (EMA).
    assert accuracy(averaged) > accuracy(model) - 0.02
    assert accuracy(averaged) > 0.8


def test_averages_of_the_devices_themselves_are_refused() -> None:
    model = convert(nn.Linear(4, 3), DEVICE, 0.2, generator=seeded())
    averaged = AveragedModel(model, use_buffers=True)
    with pytest.raises(InputError, match=r"averaged with use_buffers=True"):
        program(averaged)
    with pytest.raises(InputError, match=r"program: the model has no synapse layer"):
        program(nn.Linear(4, 3))
