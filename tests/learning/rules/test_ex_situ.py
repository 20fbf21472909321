from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from barkhausen.device import gaussian_device
from barkhausen.learning import Precursor, SynapseLinear, fresh_chip, synapse_layers
from barkhausen.synapse import Phase


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def model_and_precursor() -> tuple[nn.Sequential, Precursor]:
    device, generator = gaussian_device(5, 0.1), seeded()
    model = nn.Sequential(
        SynapseLinear(30, 20, device, margin=0.15, generator=generator),
        nn.ReLU(),
        SynapseLinear(20, 4, device, margin=0.15, generator=generator),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    return model, Precursor(optimizer, model, device, margin=0.15, max_attempts=4, generator=generator)


def test_weights_are_redrawn_at_every_step_for_the_target_states_and_cost_nothing() -> None:
    model, learner = model_and_precursor()
    x = torch.randn((64, 30), generator=seeded(1))
    for _ in range(3):
        F.cross_entropy(model(x), x[:, :4].argmax(dim=1)).backward()
        before = [layer.synapses.weight.clone() for _, layer in synapse_layers(model)]
        learner.step()
        learner.zero_grad()
        for old, (_, layer) in zip(before, synapse_layers(model), strict=True):
            weight, latent_weight = layer.synapses.weight, layer.latent_weight.detach()
            # 4096 tabulated quantiles: a repeat of the very same one is a matter of chance.
            assert float((weight == old).float().mean()) < 0.01
            target = layer.quantiser.state(latent_weight)
            assert torch.equal(layer.synapses.state.long(), target)
            within = (weight - layer.synapses.levels[target]).abs() <= 0.15
            # sigma 0.1, margin 0.15, four attempts: all but the few per cent of devices that are off.
            assert float(within.float().mean()) > 0.95
            assert int(layer.synapses.counters.attempts.sum()) == 0


def test_fresh_chips_hold_the_targets_on_their_own_devices_and_leave_the_precursor_alone() -> None:
    model, _ = model_and_precursor()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    chips = [fresh_chip(model, seeded(seed), max_attempts=4) for seed in (1, 2, 1)]
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    for layers in zip(*(synapse_layers(x) for x in (model, *chips)), strict=True):
        (_, source), (_, first), (_, second), (_, again) = layers
        target = source.quantiser.state(source.latent_weight.detach())
        for chip in (first, second):
            counters = chip.synapses.counters
            assert torch.equal(chip.synapses.state.long(), target)
            assert int(counters.events(Phase.INITIAL).sum()) == target.numel()
            assert int(counters.events(Phase.TRAINING).sum()) == 0
        assert not torch.equal(first.synapses.weight, second.synapses.weight)
        assert not torch.equal(first.synapses.centres, second.synapses.centres)
        assert torch.equal(first.synapses.weight, again.synapses.weight)


def test_more_attempts_bring_more_devices_within_the_margin_and_are_counted() -> None:
    model, _ = model_and_precursor()
    missed, attempts = [], []
    for tries in (1, 2, 8):
        chip = fresh_chip(model, seeded(1), max_attempts=tries)
        layers = [layer for _, layer in synapse_layers(chip)]
        missed.append(sum(int(layer.synapses.counters.failed.sum()) for layer in layers))
        attempts.append(sum(int(layer.synapses.counters.attempts.sum()) for layer in layers))
    assert missed[0] > missed[1] > missed[2]
    assert attempts[0] == 680 < attempts[1] < attempts[2]
