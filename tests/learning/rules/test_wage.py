"""Integers by pulses: grids and powers of two by hand, weights that stay integers, unbiased updates, and a run."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.device import PulsedDevice
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from barkhausen.learning import Wage, convert, synapse_layers
from barkhausen.learning.networks.parts import Parts
from barkhausen.learning.rules.wage import IntegerErrors, on_grid, power_of_two
from barkhausen.synapse import Phase

pytestmark = pytest.mark.usefixtures("one_thread")

EXACT = PulsedDevice.linear(2 / 32, cycle_sd=0.0)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(device: PulsedDevice = EXACT) -> nn.Module:
    torch.manual_seed(0)
    return convert(
        nn.Sequential(nn.Linear(8, 16, bias=False), Parts("quantised-relu", "none", 128).between(), nn.Linear(16, 4)),
        device,
        start="fresh",
        generator=seeded(),
    )


def train(model: nn.Module, learner: Wage, steps: int, seed: int = 1) -> None:
    generator = seeded(seed)
    for _ in range(steps):
        x = torch.randn((32, 8), generator=generator).clamp_(-1, 1)
        target = nn.functional.one_hot(x[:, :4].argmax(dim=1), 4).float()
        nn.functional.mse_loss(model(x), target).backward()
        learner.step()
        learner.zero_grad()


def made(device: PulsedDevice = EXACT, **options: int) -> tuple[nn.Module, Wage, torch.Generator]:
    model, noise = network(device), seeded(3)
    return model, Wage(torch.optim.SGD(model.parameters(), lr=0.0625), model, noise, **options), noise


def test_powers_of_two_and_grids_by_hand() -> None:
    x = torch.tensor([0.0, 0.3, 0.35, 0.7, 0.72, 3.0, 1e-4])
    # Borders are at 2^-1.5 = 0.354 and 2^-0.5 = 0.707.
    assert power_of_two(x).tolist() == [1.0, 0.25, 0.25, 0.5, 1.0, 4.0, 2.0**-13]
    assert on_grid(torch.tensor([-2.0, -0.3, 0.1, 0.99]), 3).tolist() == [-0.75, -0.25, 0.0, 0.75]
    x = torch.zeros(4, requires_grad=True)
    (IntegerErrors.apply(x, 4) * torch.tensor([0.3, -0.05, 0.01, 0.0])).sum().backward()
    # Over 0.25, in eighths, at most 7/8.
    assert x.grad is not None
    assert x.grad.tolist() == [0.875, -0.25, 0.0, 0.0]


def test_weights_stay_integers_of_few_bits_and_scales_powers_of_two() -> None:
    model, learner, _ = made()
    train(model, learner, 200)
    for _, layer in synapse_layers(model):
        weight = layer.synapses.weight
        assert torch.equal(weight * 16, (weight * 16).round())
        assert float(torch.log2(layer.scale)) == round(float(torch.log2(layer.scale)))
        assert torch.equal(layer.latent_weight, weight)
        assert int(layer.synapses.counters.pulses[Phase.TRAINING].sum()) > 50
    x = torch.randn((500, 8), generator=seeded(7)).clamp_(-1, 1)
    assert float((model(x).argmax(1) == x[:, :4].argmax(1)).float().mean()) > 0.5


def test_updates_have_the_mean_of_the_scaled_gradient_whatever_its_size() -> None:
    for size in (1e-6, 50.0):
        model = convert(nn.Sequential(nn.Linear(200, 200, bias=False)), EXACT, start="fresh", generator=seeded())
        layer = model[0]
        layer.synapses.weight.zero_()
        learner = Wage(torch.optim.SGD(model.parameters(), lr=0.05), model, seeded(1))
        layer.latent_weight.grad = torch.full_like(layer.latent_weight, -0.4 * size)
        layer.latent_weight.grad[0, 0] = size
        learner.step()
        scale = float(power_of_two(torch.tensor(size)))
        moved = layer.synapses.weight.flatten()[1:]
        # A share of quanta of 1/16.
        share = 0.05 * 0.4 * size / scale * 16
        assert set(moved.tolist()) == {0.0, 0.0625}
        error = (share * (1 - share) / len(moved)) ** 0.5
        assert float((moved > 0).float().mean()) == pytest.approx(share, abs=5 * error)


def test_a_quantum_takes_the_pulses_that_a_finer_device_needs() -> None:
    device = PulsedDevice.linear((2 / 64, 2 / 128), cycle_sd=0.0)
    model, learner, _ = made(device)
    before = [layer.synapses.weight.clone() for _, layer in synapse_layers(model)]
    train(model, learner, 1)
    for (_, layer), old in zip(synapse_layers(model), before, strict=True):
        inside = layer.synapses.weight.abs() < 0.9
        moved = (layer.synapses.weight - old)[inside] * 16
        assert torch.allclose(moved, moved.round(), atol=1e-4)
        assert moved.abs().max() >= 1


def test_it_resumes_exactly() -> None:
    device = PulsedDevice.soft_bounds(2 / 32, scale_sd=(0.1, 0.1))
    model, learner, noise = made(device)
    train(model, learner, 20)
    saved = copy.deepcopy((model.state_dict(), learner.state_dict(), noise.get_state()))
    train(model, learner, 20, seed=2)
    other, again, stream = made(device)
    other.load_state_dict(saved[0])
    again.load_state_dict(saved[1])
    stream.set_state(saved[2])
    train(other, again, 20, seed=2)
    for key, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[key]), key


def test_a_run_on_the_digits_with_its_account(tmp_path: Path) -> None:
    given = recipe_from(
        {
            "mode": "wage",
            "threads": 1,
            "epochs": 5,
            "batch_size": 50,
            "dataset": {"name": "digits", "scaling": "symmetric"},
            "network": {"hidden": [64]},
            "device": {"pulsed": "linear-32", "pulse_energy": 1e-13},
            "transfer": {"chips": 1},
        },
        "test",
    )
    summary = Run(given, tmp_path / "run").execute()
    assert summary["test_accuracy"] > 0.88
    learning = summary["account"]["learning"]
    assert (learning["latent_bits"], learning["activation_bits"], learning["error_bits"]) == (0, 8, 8)
    assert summary["account"]["step"]["latent weights"] == 0
    assert given.loss.kind == "squared-error"
    assert given.network.activation == "quantised-relu"
    with pytest.raises(InputError, match=r"bits = 1: must be a whole number from 2 to 16"):
        made(bits=1)
