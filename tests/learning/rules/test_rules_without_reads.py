"""Rules that know less than every weight at every step: when they program, what they keep, and what is transferred."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, gaussian_device, preset
from barkhausen.learning import (
    InSitu,
    LastVerified,
    LevelChange,
    PeriodicInSitu,
    Precursor,
    SynapseLayer,
    SynapseLinear,
    multilayer_perceptron,
    program,
    synapse_layers,
    transfer,
)
from barkhausen.learning.rules import RULES
from barkhausen.learning.rules.programming import ProgrammingLearner
from barkhausen.synapse import Faults, Phase

pytestmark = pytest.mark.usefixtures("one_thread")

UNEVEN = preset("racetrack-5")

RULES_WITH_COPIES: dict[str, Callable[..., ProgrammingLearner]] = {
    "level-change": lambda *parts: LevelChange(*parts, hysteresis=0.1),
    "level-change read": lambda *parts: LevelChange(*parts, hysteresis=0.1, read_every=3),
    "last-verified": lambda *parts: LastVerified(*parts, bits=5),
    "periodic": lambda *parts: PeriodicInSitu(*parts, every=3),
}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(
    device: CharacterisedDevice, *, margin: float = 0.3, attempts: int = 1, faults: Faults | None = None
) -> nn.Sequential:
    generator = seeded()
    return multilayer_perceptron(
        [20, 16, 4],
        lambda i, o, b: SynapseLinear(
            i, o, device, margin=margin, max_attempts=attempts, faults=faults or Faults(), bias=b, generator=generator
        ),
    )


def held(layer: SynapseLayer) -> Tensor:
    assert layer.held_state is not None
    return layer.held_state


def verified(layer: SynapseLayer) -> Tensor:
    assert layer.verified_weight is not None
    return layer.verified_weight


def train(model: nn.Module, learner: ProgrammingLearner, steps: int, seed: int = 0) -> None:
    generator = seeded(seed)
    for _ in range(steps):
        x = torch.randn((32, 20), generator=generator)
        F.cross_entropy(model(x), x[:, :4].argmax(dim=1)).backward()
        learner.step()
        learner.zero_grad()


def adam(model: nn.Module, rate: float = 0.05) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=rate)


def nearest(latent_weight: Tensor, levels: Tensor) -> Tensor:
    return (latent_weight[..., None] - levels).abs().argmin(dim=-1)


@pytest.mark.parametrize("device", [gaussian_device(5), gaussian_device(2), gaussian_device(12), UNEVEN])
@pytest.mark.parametrize("hysteresis", [0.0, 0.04])
def test_event_if_and_only_if_the_level_changes_by_the_hysteresis(
    device: CharacterisedDevice, hysteresis: float
) -> None:
    model = network(device)
    learner = LevelChange(adam(model), model, seeded(3), hysteresis=hysteresis)
    events = 0
    for step in range(15):
        before = {
            name: (held(layer).long().clone(), layer.synapses.counters.events(Phase.TRAINING).clone())
            for name, layer in synapse_layers(model)
        }
        weights = {name: layer.synapses.weight.clone() for name, layer in synapse_layers(model)}
        train(model, learner, 1, seed=step)
        for name, layer in synapse_layers(model):
            old, counted = before[name]
            levels, a = layer.synapses.levels, layer.latent_weight.detach()
            middles = (levels[1:] + levels[:-1]) / 2
            end = torch.tensor([torch.inf])
            above, below = torch.cat([middles, end])[old], torch.cat([-end, middles])[old]
            beyond = torch.maximum(a - above, below - a)
            # Thresholds between uneven levels are rounded to 1/4096.
            sure = (beyond - hysteresis).abs() > 2.0**-12
            due = held(layer).long() != old
            assert torch.equal(due[sure], (beyond > hysteresis)[sure])
            clear = due & ((a[..., None] - middles).abs().amin(dim=-1) > 2.0**-12)
            assert torch.equal(held(layer).long()[clear], nearest(a, levels)[clear])
            assert torch.equal(layer.synapses.state[due], held(layer)[due])
            assert torch.equal(layer.synapses.weight[~due], weights[name][~due])
            new = layer.synapses.counters.events(Phase.TRAINING) - counted
            assert torch.equal(new, torch.bincount(held(layer)[due].long(), minlength=len(levels)))
            events += int(due.sum())
    assert events > 20


def test_a_wider_hysteresis_programs_less() -> None:
    def events(hysteresis: float) -> int:
        model = network(gaussian_device(5, 0.05))
        train(model, LevelChange(adam(model), model, seeded(3), hysteresis=hysteresis), 60)
        return sum(int(layer.synapses.counters.events(Phase.TRAINING).sum()) for _, layer in synapse_layers(model))

    assert events(0.0) > 1.3 * events(0.1) > 1.3 * 1.3 * events(0.2) > 0


def test_it_learns_without_a_read() -> None:
    model = network(gaussian_device(5))
    train(model, LevelChange(adam(model, 0.02), model, seeded(3), hysteresis=0.1), 400)
    x = torch.randn((4000, 20), generator=seeded(99))
    accuracy = float((model.eval()(x).argmax(dim=1) == x[:, :4].argmax(dim=1)).float().mean())
    # Chance is 0.25 and an untrained network stays below 0.4.
    assert accuracy > 0.75


@pytest.mark.parametrize("make", RULES_WITH_COPIES.values(), ids=RULES_WITH_COPIES)
def test_the_masks_for_accelerators_are_the_lists_for_cpus(make: Callable[..., ProgrammingLearner]) -> None:
    model = network(UNEVEN)
    learner = make(adam(model), model, seeded(3))
    train(model, learner, 2)
    with torch.no_grad():
        for layer in learner.layers:
            layer.latent_weight.add_(0.5 * torch.randn(layer.latent_weight.shape, generator=seeded(5)))
    (group,) = learner.groups
    index, target = (x.clone() for x in group.due())
    masks = [group.due_in(layer) for layer in learner.layers]
    where, targets = (torch.cat([mask[part].reshape(-1) for mask in masks]) for part in (0, 1))
    assert len(index) > 50
    assert torch.equal(where.nonzero().squeeze(1), index)
    assert torch.equal(targets[index], target)


@pytest.mark.parametrize("make", RULES_WITH_COPIES.values(), ids=RULES_WITH_COPIES)
def test_training_resumes_exactly_from_saved_states(make: Callable[..., ProgrammingLearner]) -> None:
    def fresh() -> tuple[nn.Sequential, ProgrammingLearner, torch.Generator]:
        model, noise = network(UNEVEN, attempts=2, faults=Faults(stuck=0.05)), seeded(3)
        return model, make(adam(model), model, noise), noise

    model, learner, noise = fresh()
    train(model, learner, 20, seed=1)
    saved = copy.deepcopy((model.state_dict(), learner.state_dict(), noise.get_state()))
    train(model, learner, 20, seed=2)
    other, other_learner, other_noise = fresh()
    other.load_state_dict(saved[0])
    other_learner.load_state_dict(saved[1])
    other_noise.set_state(saved[2])
    train(other, other_learner, 20, seed=2)
    assert model.state_dict().keys() == other.state_dict().keys()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


@pytest.mark.parametrize("make", RULES_WITH_COPIES.values(), ids=RULES_WITH_COPIES)
def test_a_copied_and_a_converted_model_train_on(make: Callable[..., ProgrammingLearner]) -> None:
    model = network(UNEVEN)
    learner = make(adam(model), model, seeded(3))
    train(model, learner, 3)
    other, other_learner = copy.deepcopy((model, learner))
    model.double()
    model.float()
    train(model, learner, 5, seed=1)
    train(other, other_learner, 5, seed=1)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_the_held_state_is_what_chips_are_programmed_to() -> None:
    model = network(gaussian_device(5, 0.02))
    train(model, LevelChange(adam(model), model, seeded(3), hysteresis=0.2), 40)
    layers = dict(synapse_layers(model))
    differs = sum(
        int((held(layer).long() != nearest(layer.latent_weight.detach(), layer.synapses.levels)).sum())
        for layer in layers.values()
    )
    assert differs > 30
    restored = network(gaussian_device(5, 0.02))
    restored.load_state_dict(model.state_dict())
    for source in (model, restored):
        (chip,) = transfer(source, 1)
        for name, layer in synapse_layers(chip):
            assert torch.equal(layer.synapses.state, layers[name].held_state)


def test_stuck_devices_are_not_programmed_again_and_again() -> None:
    model = network(gaussian_device(5, 0.02), faults=Faults(stuck=0.3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    learner = LevelChange(optimizer, model, seeded(3))
    train(model, learner, 3)
    events = [int(layer.synapses.counters.events(Phase.TRAINING).sum()) for layer in learner.layers]
    assert events == [0, 0]
    with torch.no_grad():
        for layer in learner.layers:
            layer.latent_weight.neg_()
    train(model, learner, 1)
    events = [int(layer.synapses.counters.events(Phase.TRAINING).sum()) for layer in learner.layers]
    train(model, learner, 3)
    assert events[0] > 100
    assert events == [int(layer.synapses.counters.events(Phase.TRAINING).sum()) for layer in learner.layers]


@pytest.mark.parametrize(("read_every", "restored"), [(0, False), (3, True)])
def test_a_device_that_lost_its_state_is_found_by_a_read_only(read_every: int, restored: bool) -> None:
    model = network(gaussian_device(5, 0.02), margin=0.2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    learner = LevelChange(optimizer, model, seeded(3), hysteresis=0.1, read_every=read_every)
    layer = learner.layers[0]
    lost = held(layer) == 2
    layer.synapses.weight[lost] = 1.0
    train(model, learner, 2)
    assert bool((layer.synapses.weight[lost] == 1.0).all())
    train(model, learner, 1)
    assert bool((layer.synapses.weight[lost].abs() < 0.2).all()) == restored
    assert int(layer.synapses.counters.events(Phase.TRAINING).sum()) == (int(lost.sum()) if restored else 0)


def test_a_copy_of_many_bits_and_a_read_at_every_step_are_the_margin_rule() -> None:
    def trained(make: Callable[..., ProgrammingLearner]) -> dict[str, Tensor]:
        model = network(UNEVEN)
        train(model, make(adam(model), model, seeded(3)), 20)
        return {name: tensor for name, tensor in model.state_dict().items() if "verified" not in name}

    expected = trained(InSitu)
    for make in (lambda *x: LastVerified(*x, bits=16), lambda *x: PeriodicInSitu(*x, every=1)):
        for name, tensor in trained(make).items():
            assert torch.equal(tensor, expected[name]), name


def test_the_copy_of_few_bits_is_that_of_the_verify_reads() -> None:
    model = network(UNEVEN)
    learner = LastVerified(adam(model), model, seeded(3), bits=3)
    train(model, learner, 20)
    low, high = learner.layers[0].synapses.kind.weight_range
    step = (high - low) / 7
    for layer in learner.layers:
        error = (verified(layer) - layer.synapses.weight).abs()
        assert float(error.max()) <= step / 2 + 1e-6
        assert len(verified(layer).unique()) <= 8


def test_periodic_reads_program_at_every_kth_step_only() -> None:
    model = network(gaussian_device(5))
    learner = PeriodicInSitu(adam(model), model, seeded(3), every=4)
    counts = []
    for step in range(8):
        train(model, learner, 1, seed=step)
        counts.append(sum(int(x.synapses.counters.events(Phase.TRAINING).sum()) for x in learner.layers))
        assert all(float(layer.latent_weight.detach().abs().max()) <= 1 for layer in learner.layers)
    assert counts[:3] == [0, 0, 0]
    assert 0 < counts[3] == counts[6] < counts[7]


def test_an_average_is_programmed_where_its_level_has_changed_by_the_hysteresis() -> None:
    model = network(gaussian_device(5, 0.02))
    learner = LevelChange(adam(model), model, seeded(3), hysteresis=0.1)
    averaged = AveragedModel(model)
    for step in range(30):
        train(model, learner, 1, seed=step)
        averaged.update_parameters(model)
    before = {name: held(layer).clone() for name, layer in synapse_layers(averaged)}
    program(averaged, seeded(4))
    changed = 0
    for name, layer in synapse_layers(averaged):
        moved = held(layer) != before[name]
        assert torch.equal(layer.synapses.state, held(layer))
        assert torch.equal(moved, layer.quantiser.left(layer.latent_weight, before[name], 0.1))
        changed += int(moved.sum())
    assert changed > 10


def test_another_rule_drops_the_copies() -> None:
    model = network(gaussian_device(5))
    train(model, LevelChange(adam(model), model, seeded(3)), 2)
    InSitu(adam(model), model, seeded(3))
    assert not any("held" in name for name in model.state_dict())
    LastVerified(adam(model), model, seeded(3))
    Precursor(adam(model), model, generator=seeded(3))
    assert not any("verified" in name for name in model.state_dict())


def test_layers_that_share_their_devices_share_their_held_states() -> None:
    device, generator = gaussian_device(5), seeded()
    one, other = (SynapseLinear(12, 12, device, margin=0.3, generator=generator) for _ in range(2))
    other.synapses, other.latent_weight = one.synapses, one.latent_weight
    model = nn.Sequential(one, nn.Tanh(), other)
    learner = LevelChange(adam(model), model, seeded(3), hysteresis=0.2)
    for seed in range(20):
        model(torch.randn((16, 12), generator=seeded(seed))).square().mean().backward()
        learner.step()
        learner.zero_grad()
    assert int((held(one) != one.quantiser.state(one.latent_weight.detach())).sum()) > 5
    (chip,) = transfer(model, 1)
    for layer in (one, other):
        assert torch.equal(held(layer), held(one))
    assert all(torch.equal(layer.synapses.state, held(one)) for _, layer in synapse_layers(chip))


def test_a_rule_makes_the_copies_that_a_loaded_state_lacks() -> None:
    plain, model = network(gaussian_device(5)), network(gaussian_device(5))
    train(plain, InSitu(adam(plain), plain, seeded(3)), 5)
    learner = LevelChange(adam(model), model, seeded(3))
    model.load_state_dict(plain.state_dict())
    train(model, learner, 1)
    assert all(torch.equal(held(layer), layer.synapses.state) for layer in learner.layers)


def test_a_held_state_that_there_is_not_is_refused() -> None:
    model = network(gaussian_device(5))
    LevelChange(adam(model), model, seeded(3))
    state = model.state_dict()
    state["linear1.held_state"] = torch.full_like(state["linear1.held_state"], 5)
    with pytest.raises(InputError, match="held_state: must be from 0 to 4"):
        model.load_state_dict(state)


def test_options_that_cannot_be_are_refused() -> None:
    model = network(gaussian_device(5))
    for hysteresis, message in ((-0.1, "zero or positive"), (0.25, "less than 0.25")):
        with pytest.raises(InputError, match=message):
            LevelChange(adam(model), model, hysteresis=hysteresis)
    with pytest.raises(InputError, match="read_every = -1"):
        LevelChange(adam(model), model, read_every=-1)
    with pytest.raises(InputError, match="bits = 17"):
        LastVerified(adam(model), model, bits=17)
    with pytest.raises(InputError, match="every = 0"):
        PeriodicInSitu(adam(model), model, every=0)


def test_rules_say_what_they_must_know() -> None:
    def of(mode: str, **options: float) -> tuple[float, int, float, float, int]:
        rule = RULES.named(mode)
        found = rule.monitoring(rule.options(**options), 5)
        return (
            found.reads_per_step,
            found.copy_bits,
            found.copy_reads_per_step,
            found.copy_writes_per_event,
            found.verify_bits,
        )

    assert of("in-situ") == (1.0, 0, 0.0, 0.0, 1)
    assert of("level-change") == (0.0, 3, 1.0, 1.0, 1)
    assert of("level-change", read_every=8) == (0.125, 3, 1.0, 1.0, 1)
    assert of("last-verified", bits=5) == (0.0, 5, 1.0, 1.0, 5)
    assert of("periodic", every=4) == (0.25, 0, 0.0, 0.0, 1)
    assert of("ex-situ") == of("float") == (0.0, 0, 0.0, 0.0, 1)
