"""Devices that lose their states while a network learns on them, under rules that notice it and one that does not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.device import gaussian_device, preset
from barkhausen.learning import (
    InSitu,
    LastVerified,
    LevelChange,
    PeriodicInSitu,
    SynapseLinear,
    multilayer_perceptron,
    synapse_layers,
)
from barkhausen.learning.rules.programming import ProgrammingLearner
from barkhausen.synapse import Decay, Phase

pytestmark = pytest.mark.usefixtures("one_thread")

VOLATILE, KEPT = preset("racetrack-5"), preset("nonvolatile-5")

STEP = Decay(11.3e-6)
"""A training step of the default chip, within which a third of the walls of state 0 escape."""

LEARNERS: dict[str, Callable[..., ProgrammingLearner]] = {
    "in-situ": InSitu,
    "level-change": partial(LevelChange, hysteresis=0.1),
    "level-change read": partial(LevelChange, hysteresis=0.1, read_every=3),
    "last-verified": LastVerified,
    "periodic": partial(PeriodicInSitu, every=3),
}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(device: object = VOLATILE) -> nn.Sequential:
    generator = seeded()
    return multilayer_perceptron(
        [20, 64, 4],
        lambda i, o, b: SynapseLinear(i, o, device, margin=0.4, bias=b, spread=1.0, generator=generator),  # type: ignore[arg-type]
    )


def train(model: nn.Module, learner: ProgrammingLearner, steps: int, seed: int = 0) -> None:
    generator = seeded(seed)
    for _ in range(steps):
        x = torch.randn((32, 20), generator=generator)
        F.cross_entropy(model(x), x[:, :4].argmax(dim=1)).backward()
        learner.step()
        learner.zero_grad()


def still(model: nn.Module) -> torch.optim.Optimizer:
    """An optimiser that moves no latent weight."""
    return torch.optim.SGD(model.parameters(), lr=0.0)


def misplaced(model: nn.Module) -> int:
    """Devices outside the margin of what the network wants."""
    return sum(
        int(((layer.synapses.weight - layer.synapses.levels[layer.target_state()]).abs() > 0.4).sum())
        for _, layer in synapse_layers(model)
    )


def events(model: nn.Module) -> int:
    return sum(int(layer.synapses.counters.events(Phase.TRAINING).sum()) for _, layer in synapse_layers(model))


@pytest.mark.parametrize("name", ["in-situ", "level-change read", "periodic"])
def test_what_is_lost_is_programmed_again_and_counted_where_devices_are_read(name: str) -> None:
    model = network()
    learner = LEARNERS[name](still(model), model, seeded(3), decay=STEP)
    train(model, learner, 3)
    early, first = misplaced(model), events(model)
    train(model, learner, 27)
    # As many are lost between two reads late as early, and each is an event.
    assert misplaced(model) < 2 * early
    assert events(model) - first > 150


@pytest.mark.parametrize("name", ["level-change", "last-verified"])
def test_what_is_lost_stays_lost_where_no_device_is_read(name: str) -> None:
    model = network()
    # Until all devices have once been verified within the margin.
    train(model, LEARNERS[name](still(model), model, seeded(3)), 20)
    first, before = events(model), misplaced(model)
    train(model, LEARNERS[name](still(model), model, seeded(4), decay=STEP), 30)
    assert misplaced(model) > before + 150
    assert events(model) == first


def test_devices_that_keep_their_states_train_as_without_decay() -> None:
    found = []
    for decay in (None, STEP):
        model, noise = network(KEPT), seeded(3)
        train(model, InSitu(torch.optim.Adam(model.parameters(), lr=0.02), model, noise, decay=decay), 10)
        found.append(model.state_dict())
    for key, tensor in found[0].items():
        assert torch.equal(tensor, found[1][key]), key


def test_frozen_layers_decay_too() -> None:
    model = network()
    for parameter in model[0].parameters():
        parameter.requires_grad_(False)
    learner = InSitu(still(model), model, seeded(3), decay=STEP)
    layers = dict(synapse_layers(model))
    before = {name: layer.synapses.weight.clone() for name, layer in layers.items()}
    train(model, learner, 1)
    for name, layer in layers.items():
        assert int((layer.synapses.weight != before[name]).sum()) > 5
    assert int(layers["linear1"].synapses.counters.events(Phase.TRAINING).sum()) == 0


def test_a_warmer_step_loses_more() -> None:
    lost = []
    for temperature in (250.0, None, 350.0):
        model = network()
        train(model, LevelChange(still(model), model, seeded(3), decay=Decay(1e-6, temperature)), 3)
        lost.append(sum(int((x.synapses.state != x.held_state).sum()) for _, x in synapse_layers(model)))
    assert lost[0] < lost[1] < lost[2]


@pytest.mark.parametrize("name", LEARNERS)
def test_training_resumes_exactly_with_decay(name: str) -> None:
    def fresh() -> tuple[nn.Sequential, ProgrammingLearner, torch.Generator]:
        model, noise = network(), seeded(3)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
        return model, LEARNERS[name](optimizer, model, noise, decay=STEP), noise

    model, learner, noise = fresh()
    train(model, learner, 8, seed=1)
    saved = copy.deepcopy((model.state_dict(), learner.state_dict(), noise.get_state()))
    copied, copied_learner = copy.deepcopy((model, learner))
    train(model, learner, 8, seed=2)
    other, other_learner, other_noise = fresh()
    other.load_state_dict(saved[0])
    other_learner.load_state_dict(saved[1])
    other_noise.set_state(saved[2])
    train(other, other_learner, 8, seed=2)
    train(copied, copied_learner, 8, seed=2)
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[key]), key
        assert torch.equal(tensor, copied.state_dict()[key]), key


def test_a_device_without_barriers_is_refused() -> None:
    model = network(gaussian_device(5))
    with pytest.raises(InputError, match="no 'barrier'"):
        InSitu(still(model), model, decay=STEP)
