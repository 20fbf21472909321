"""InSitu in the place of a torch optimiser: schedules, scalers, hooks, closures, margins, and what a step costs."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import lr_scheduler
from torch.utils._python_dispatch import TorchDispatchMode

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, DeviceParameters, domain_wall_device, gaussian_device
from barkhausen.learning import CosineMargin, InSitu, LinearMargin, SynapseLinear, convert, synapse_layers
from barkhausen.synapse import Faults, Phase

FIVE = gaussian_device(5)
Optimisers = list[tuple[type[torch.optim.Optimizer], dict[str, Any]]]
OPTIMISERS: Optimisers = [
    (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    (torch.optim.Adam, {"lr": 0.01}),
    (torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    (torch.optim.RMSprop, {"lr": 0.01, "momentum": 0.5}),
]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def uneven_device() -> CharacterisedDevice:
    positions = torch.tensor([0.1, 0.2, 0.6, 0.9]).view(4, 1, 1) * 512e-9
    noise = torch.randn((4, 12, 8), generator=seeded(1)) * 8e-9
    return domain_wall_device(
        (positions + noise).clamp(0, 512e-9).double().numpy(), DeviceParameters(), source="measured"
    )


def network(device: CharacterisedDevice = FIVE, **how: Any) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 8), nn.Tanh(), nn.Linear(8, 3))
    return convert(model, device, **{"margin": 0.3, **how}, generator=seeded())


def batch(seed: int, size: int = 16) -> tuple[Tensor, Tensor]:
    x = torch.randn((size, 1, 10), generator=seeded(seed))
    return x, x[:, 0, :3].argmax(dim=1)


def loss_of(model: nn.Module, seed: int, size: int = 16) -> Tensor:
    x, y = batch(seed, size)
    return F.cross_entropy(model(x), y)


def train(model: nn.Module, learner: InSitu, steps: int) -> None:
    for step in range(steps):
        loss_of(model, step).backward()
        learner.step()
        learner.zero_grad()


def same(a: nn.Module, b: nn.Module, exactly: bool = True) -> None:
    for key, tensor in a.state_dict().items():
        torch.testing.assert_close(
            tensor, b.state_dict()[key], rtol=0 if exactly else 1e-4, atol=0 if exactly else 1e-5, msg=key
        )


@pytest.mark.parametrize(("optimizer", "how"), OPTIMISERS, ids=lambda x: getattr(x, "__name__", ""))
def test_memory_moves_as_the_bare_optimiser_moves_it(optimizer: type[torch.optim.Optimizer], how: Any) -> None:
    model = network(margin=100.0)
    bare = copy.deepcopy(model)
    learner = InSitu(optimizer(model.parameters(), **how), model, seeded(3))
    alone = optimizer(bare.parameters(), **how)
    # Devices that are never written: only the clipping tells the two apart.
    for step in range(6):
        for net, opt in ((model, learner), (bare, alone)):
            loss_of(net, step).backward()
            opt.step()
            opt.zero_grad()
        with torch.no_grad():
            for _, layer in synapse_layers(bare):
                layer.latent_weight.clamp_(-1, 1)
    same(model, bare)
    assert learner.param_groups is learner.optimizer.param_groups
    assert learner.state is learner.optimizer.state
    assert len(learner.state) == len(list(model.parameters()))


SCHEDULES: list[Callable[[torch.optim.Optimizer], Any]] = [
    lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=6),
    lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.1, total_steps=10),
    lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=0),
    lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 0.1, total_iters=3), lr_scheduler.ExponentialLR(o, 0.9)], [3]
    ),
]


@pytest.mark.parametrize("make", SCHEDULES, ids=["cosine", "one cycle", "plateau", "sequence"])
def test_learning_rate_schedules_work_on_either_optimiser(make: Callable[[torch.optim.Optimizer], Any]) -> None:
    rates, models = [], []
    for on_learner in (True, False):
        model = network()
        inner = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        learner = InSitu(inner, model, seeded(3))
        with warnings.catch_warnings():
            # Torch warns where a schedule does not see the steps of its optimiser.
            warnings.simplefilter("error")
            schedule = make(learner if on_learner else inner)
            seen = []
            for step in range(8):
                loss_of(model, step).backward()
                learner.step()
                learner.zero_grad()
                schedule.step(1.0) if isinstance(schedule, lr_scheduler.ReduceLROnPlateau) else schedule.step()
                seen.append(inner.param_groups[0]["lr"])
        rates.append(seen)
        models.append(model)
    assert rates[0] == rates[1]
    assert len(set(rates[0])) > 3
    same(*models)


def test_accumulated_gradients_are_those_of_one_big_batch() -> None:
    models = []
    for parts in (1, 4):
        model = network()
        learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9), model, seeded(3))
        for step in range(4):
            x, y = batch(step, 32)
            for some, of_them in zip(x.chunk(parts), y.chunk(parts), strict=True):
                (F.cross_entropy(model(some), of_them) / parts).backward()
            learner.step()
            learner.zero_grad()
        models.append(model)
    same(*models, exactly=False)
    assert int(models[0][3].synapses.counters.events(Phase.TRAINING).sum()) > 0


def test_gradients_can_be_clipped() -> None:
    # A fresh start, whose latent weights are far from the ends at which they are clipped too.
    model = network(start="fresh")
    learner = InSitu(torch.optim.SGD(model.parameters(), lr=1.0), model, seeded(3))
    before = [p.detach().clone() for p in model.parameters()]
    (100 * loss_of(model, 0)).backward()
    assert float(torch.nn.utils.clip_grad_norm_(model.parameters(), 0.01)) > 0.1
    learner.step()
    moved = [(p.detach() - b).norm() for p, b in zip(model.parameters(), before, strict=True)]
    assert float(torch.stack(moved).norm()) == pytest.approx(0.01, rel=1e-4)


def test_batches_of_one_and_steps_without_gradients() -> None:
    model = network()
    learner = InSitu(torch.optim.Adam(model.parameters(), lr=0.05), model, seeded(3))
    learner.step()
    for step in range(3):
        loss_of(model, step, size=1).backward()
        learner.step()
        learner.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    assert learner.steps == 4
    learner.zero_grad(set_to_none=False)
    assert all(torch.isfinite(tensor).all() for tensor in model.state_dict().values())


def test_gradient_scaler_takes_it_and_leaves_out_steps_that_overflow() -> None:
    model, plain = network(), network()
    learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.1), model, seeded(3))
    other = InSitu(torch.optim.SGD(plain.parameters(), lr=0.1), plain, seeded(3))
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for step in range(4):
        scaler.scale(loss_of(model, step)).backward()
        scaler.unscale_(learner)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 100.0)
        scaler.step(learner)
        scaler.update()
        learner.zero_grad()
    train(plain, other, 4)
    same(model, plain)
    before = copy.deepcopy(model.state_dict())
    scaler.scale(loss_of(model, 5) * float("inf")).backward()
    scaler.step(learner)
    scaler.update()
    assert scaler.get_scale() == 512.0
    assert learner.steps == 4
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())


def test_step_hooks_run_around_optimiser_and_devices() -> None:
    model = network()
    learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.5), model, seeded(3))
    events: list[tuple[str, int]] = []

    def count() -> int:
        return sum(int(x.synapses.counters.events(Phase.TRAINING).sum()) for _, x in synapse_layers(model))

    learner.register_step_pre_hook(lambda *_: events.append(("before", count())))
    learner.optimizer.register_step_post_hook(lambda *_: events.append(("moved", count())))
    learner.register_step_post_hook(lambda *_: events.append(("after", count())))
    train(model, learner, 1)
    assert [name for name, _ in events] == ["before", "moved", "after"]
    assert events[0][1] == events[1][1] == 0 < events[2][1]


def test_parameters_can_be_added_later() -> None:
    model = network()
    learner = InSitu(torch.optim.SGD(model[:4].parameters(), lr=0.1), model, seeded(3))
    learner.add_param_group({"params": list(model[5].parameters()), "lr": 0.5})
    assert [group["lr"] for group in learner.param_groups] == [0.1, 0.5]
    before = model[5].latent_weight.detach().clone()
    train(model, learner, 1)
    assert not torch.equal(model[5].latent_weight, before)
    assert "lr: 0.5" in repr(learner)


def test_optimiser_s_state_alone_can_be_loaded() -> None:
    model = network()
    learner = InSitu(torch.optim.Adam(model.parameters(), lr=0.1), model, seeded(3))
    train(model, learner, 3)
    assert learner.state_dict()["in_situ"] == {"steps": 3}
    other = InSitu(torch.optim.Adam(model.parameters(), lr=0.1), model, seeded(3))
    other.load_state_dict(learner.optimizer.state_dict())
    assert other.steps == 0
    assert len(other.state) == len(list(model.parameters()))
    plain = torch.optim.Adam(model.parameters())
    plain.load_state_dict(learner.optimizer.state_dict())


@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
def test_a_copy_of_model_and_learner_goes_on_as_the_original(how: str) -> None:
    model = network()
    learner = InSitu(
        torch.optim.Adam(model.parameters(), lr=0.05), model, seeded(3), margin_schedule=LinearMargin(1, 0, 20)
    )
    schedule = lr_scheduler.ExponentialLR(learner, 0.9)
    train(model, learner, 4)
    schedule.step()
    held = (model, learner)
    twin, other = copy.deepcopy(held) if how == "deepcopy" else pickle.loads(pickle.dumps(held))
    assert other.steps == 4
    assert other.layers[0] is twin[0]
    before = copy.deepcopy(model.state_dict())
    train(twin, other, 4)
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())
    train(model, learner, 4)
    same(model, twin)
    assert not torch.equal(before["3.synapses.weight"], twin[3].synapses.weight)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (LinearMargin(1.0, 0.0, 4), [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]),
        (CosineMargin(2.0, 1.0, 2), [2.0, 1.5, 1.0, 1.0, 1.0, 1.0]),
        (lambda step: 1.0 / (1 + step), [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6]),
        (None, [1.0] * 6),
    ],
    ids=["linear", "cosine", "function", "none"],
)
def test_margins_follow_their_schedule(schedule: Any, factors: list[float]) -> None:
    # 49 synapses: the bank ends inside a block of which the surplus must stay out, even at a margin of zero.
    coarse = SynapseLinear(7, 7, gaussian_device(2), margin=0.6, generator=seeded())
    model = nn.Sequential(coarse, SynapseLinear(7, 3, FIVE, margin=0.2, max_attempts=3, generator=seeded(1)))
    learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.0), model, seeded(3), margin_schedule=schedule)
    for factor in factors:
        before = [copy.deepcopy(layer.synapses.state_dict()) for layer in model]
        model(torch.ones(2, 7)).sum().backward()
        learner.step()
        for layer, held, margin in zip(model, before, (0.6, 0.2), strict=True):
            array = layer.synapses
            assert array.margin == pytest.approx(factor * margin)
            due = layer.quantiser.error(layer.latent_weight.detach(), held["weight"]) > array.margin
            programmed = array.counters.outcomes - held["counters.outcomes"]
            assert int(programmed[Phase.TRAINING].sum()) == int(due.sum())
            assert torch.equal(array.weight[~due], held["weight"][~due])
            if factor == 0:
                assert int(due.sum()) > 0.9 * due.numel()


def test_margin_schedule_goes_on_where_it_was() -> None:
    model = network()
    learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.1), model, margin_schedule=LinearMargin(1, 0, 10))
    train(model, learner, 5)
    model.double()
    model.float()
    # Tensors that move do not make the schedule start from the margin of the moment.
    train(model, learner, 1)
    assert model[0].synapses.margin == pytest.approx(0.15)
    fresh = network()
    other = InSitu(torch.optim.SGD(fresh.parameters(), lr=0.1), fresh, margin_schedule=LinearMargin(1, 0, 10))
    other.load_state_dict(learner.state_dict())
    train(fresh, other, 1)
    assert fresh[0].synapses.margin == pytest.approx(0.12)


@pytest.mark.parametrize("kind", [LinearMargin, CosineMargin])
def test_impossible_schedules_are_refused(kind: Any) -> None:
    for wrong in ((-1.0, 1.0, 5), (1.0, float("nan"), 5), (1.0, 0.5, 0)):
        with pytest.raises(InputError, match="margin schedule"):
            kind(*wrong)
    model = network()
    learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.1), model, margin_schedule=lambda _: -1.0)
    with pytest.raises(InputError, match=r"margin = -0\.3"):
        learner.step()


def test_write_verify_attempts_more_and_misses_less() -> None:
    share = []
    for attempts in (1, 5):
        model = network(margin=0.1, max_attempts=attempts)
        train(model, InSitu(torch.optim.Adam(model.parameters(), lr=0.05), model, seeded(3)), 5)
        counters = [layer.synapses.counters for _, layer in synapse_layers(model)]
        assert all(c.attempts.shape[-1] == attempts for c in counters)
        events = sum(int(c.events(Phase.TRAINING).sum()) for c in counters)
        share.append(sum(int(c.failed[Phase.TRAINING].sum()) for c in counters) / events)
    # sigma 0.15: half of all first attempts are outside 0.1.
    assert share[0] > 0.4
    assert share[1] < 0.25


def test_fresh_devices_in_a_layer_are_noticed() -> None:
    model = network()
    learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.5), model, seeded(3))
    train(model, learner, 1)
    model[3].synapses = model[3].synapses.like(max_attempts=1, generator=seeded(9))
    before = model[3].synapses.weight.clone()
    train(model, learner, 1)
    target = model[3].quantiser.state(model[3].latent_weight.detach())
    assert int(model[3].synapses.counters.events(Phase.TRAINING).sum()) > 0
    assert not torch.equal(model[3].synapses.weight, before)
    settled = (model[3].synapses.weight - model[3].synapses.levels[target]).abs() <= 0.3
    assert float(settled.float().mean()) > 0.85


def test_layers_of_single_and_double_precision_learn_side_by_side() -> None:
    model = network()
    model[5].double()
    learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.1), model, seeded(3))
    assert len(learner.groups) == 2
    hidden = model[:5](batch(0)[0])
    model[5](hidden.double()).square().sum().backward()
    learner.step()
    assert model[5].synapses.weight.dtype == model[5].latent_weight.dtype == torch.float64
    assert model[0].synapses.weight.dtype == torch.float32


class Operations(TorchDispatchMode):
    """Counts what torch is asked to do."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.counts[str(func)] += 1
        return func(*args, **(kwargs or {}))


def operations(device: CharacterisedDevice, accelerator: bool = False, **how: Any) -> Counter[str]:
    """Of the update of the devices, in a step in which many are programmed."""
    model = network(device, **how)
    noise = None if accelerator else seeded(3)
    if accelerator:
        model.to("meta")
    learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.1), model, noise)
    if not accelerator:
        with torch.no_grad():
            for _, layer in synapse_layers(model):
                layer.latent_weight.neg_()
    with Operations() as seen:
        learner.update_devices()
    return seen.counts


@pytest.mark.parametrize("accelerator", [False, True], ids=["cpu", "accelerator"])
def test_a_step_takes_the_same_operations_whatever_the_number_of_states(accelerator: bool) -> None:
    few, many = (operations(gaussian_device(n), accelerator, margin=0.01) for n in (3, 255))
    assert few == many
    even, odd = (operations(gaussian_device(n), accelerator, margin=0.01) for n in (2, 64))
    assert even == odd
    # Most of them views, three layers on the accelerator.
    assert sum(few.values()) < 150


@pytest.mark.parametrize("faults", [Faults(), Faults(stuck=0.2, annihilated_walls=0.1)], ids=["sound", "faulty"])
@pytest.mark.parametrize("make", [lambda: FIVE, uneven_device], ids=["even", "uneven"])
def test_nothing_is_read_back_in_a_step(make: Callable[[], CharacterisedDevice], faults: Faults) -> None:
    how: dict[str, Any] = {"max_attempts": 3, "faults": faults, "count_writes": True}
    for accelerator in (False, True):
        counts = operations(make(), accelerator, **how)
        assert not [name for name in counts if "_local_scalar_dense" in name or "item" in name or "equal" in name]
        if accelerator:
            # On "meta" a read-back would not even be possible; sizes that depend on data are as bad.
            assert not [name for name in counts if "nonzero" in name or "masked_select" in name or "copy_to" in name]


def test_a_margin_schedule_reads_nothing_back_either() -> None:
    model = network(faults=Faults(annihilated_walls=0.1)).to("meta")
    learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.1), model, margin_schedule=LinearMargin(1, 0, 10))
    learner.update_devices()
    with Operations() as seen:
        learner.update_devices()
    assert model[0].synapses.margin == pytest.approx(0.27)
    steady = InSitu(torch.optim.SGD(model.parameters(), lr=0.1), model)
    steady.update_devices()
    with Operations() as without:
        steady.update_devices()
    assert seen.counts == without.counts


def test_frozen_layers_are_left_alone_until_they_are_thawed() -> None:
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 4))
    model = convert(model, gaussian_device(5), 0.1, generator=generator)
    learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.1), model, generator)
    model[0].latent_weight.requires_grad_(False)

    def step() -> list[int]:
        before = [
            int(count.sum()) for count in (model[0].synapses.counters.outcomes, model[2].synapses.counters.outcomes)
        ]
        model(torch.randn((8, 20), generator=generator)).square().mean().backward()
        learner.step()
        learner.zero_grad()
        after = (model[0].synapses.counters.outcomes, model[2].synapses.counters.outcomes)
        return [int(count.sum()) - old for count, old in zip(after, before, strict=True)]

    frozen, learning = step()
    assert frozen == 0
    assert learning > 0
    model[0].latent_weight.requires_grad_(True)
    thawed, learning = step()
    assert thawed > 0
    assert learning > 0
