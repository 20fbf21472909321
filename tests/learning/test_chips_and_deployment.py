"""Chips of fresh devices and the deployed network: each as often as asked for, and the model left as it was."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.device import gaussian_device
from barkhausen.learning import (
    InSitu,
    ShiftBatchNorm,
    SynapseLayer,
    convert,
    deployed,
    evaluate,
    synapse_layers,
    transfer,
)
from barkhausen.synapse import Phase

FIVE = gaussian_device(5)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def float_model() -> nn.Sequential:
    torch.manual_seed(0)
    shared = nn.Conv2d(4, 4, 3, padding="same", padding_mode="circular", bias=False)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 4, stride=2, padding=1, groups=1),
        nn.BatchNorm2d(4),
        shared,
        nn.ReLU(),
        shared,
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.Linear(4 * 16, 6),
    )
    model(torch.randn((16, 1, 8, 8)))
    return model


def model_and_data() -> tuple[nn.Module, Tensor, Tensor]:
    model = convert(float_model(), FIVE, 0.3, generator=seeded())
    x = torch.randn((50, 1, 8, 8), generator=seeded(1))
    return model, x, torch.randint(6, (50,), generator=seeded(2))


def states(model: nn.Module) -> dict[str, Tensor]:
    return copy.deepcopy(model.state_dict())


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return set(a) == set(b) and all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("learnt", [False, True], ids=["converted", "after InSitu"])
def test_chips_are_the_same_however_many_there_are(learnt: bool) -> None:
    model, x, _ = model_and_data()
    if learnt:
        learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.1), model, seeded(3))
        model(x).square().sum().backward()
        learner.step()
    before = states(model)
    few, many = transfer(model, 2, seed=4), transfer(model, 7, seed=4)
    assert (len(few), len(many)) == (2, 7)
    chips = [states(chip) for chip in few]
    assert all(equal(chip, states(many[number])) for number, chip in enumerate(chips))
    assert equal(chips[1], states(few[-1]))
    assert not equal(chips[0], chips[1])
    assert not equal(chips[0], states(transfer(model, 2, seed=5)[0]))
    # Seeds and numbers do not add up to the same: chip 1 of seed 4 is not chip 0 of seed 5.
    assert not equal(chips[1], states(transfer(model, 2, seed=5)[0]))
    assert equal(states(model), before)
    assert len({float(chip["0.synapses.weight"].sum()) for chip in map(states, many)}) == 7
    for number in (2, -3):
        with pytest.raises(IndexError):
            few[number]
    for chip in few:
        assert torch.equal(chip[0].latent_weight, model[0].latent_weight)
        assert torch.equal(chip[7].bias, model[7].bias)
        assert chip[2] is chip[4]
        for _, layer in synapse_layers(chip):
            counters = layer.synapses.counters
            assert int(counters.events(Phase.INITIAL).sum()) == layer.latent_weight.numel()
            assert int(counters.events(Phase.TRAINING).sum()) == 0
            assert counters.max_attempts == 5


def test_margin_and_attempts_of_the_chips() -> None:
    model = convert(nn.Linear(60, 60), FIVE, 0.3, generator=seeded())

    def outside(**how: Any) -> float:
        array = transfer(model, 1, **how)[0].synapses
        return float(((array.weight - array.levels[array.state.long()]).abs() > 0.1).float().mean())

    # sigma 0.15: half of all weights miss 0.1 at first.
    assert outside(max_attempts=1) == pytest.approx(0.5, abs=0.06)
    assert outside(margin=0.1, max_attempts=10) < 0.2
    assert transfer(model, 1)[0].synapses.margin == 0.3


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"chips": 0}, "chips = 0"),
        ({"chips": 1.5}, "chips = 1.5"),
        ({"max_attempts": 0}, "max_attempts = 0"),
        ({"margin": -0.1}, r"margin = -0\.1"),
        ({"margin": float("nan")}, "margin = nan"),
        ({"seed": -1}, "seed = -1"),
    ],
    ids=str,
)
def test_impossible_transfers_are_refused(how: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        transfer(convert(nn.Linear(3, 3), FIVE, 0.3), **how)


def test_a_model_without_devices_cannot_be_transferred() -> None:
    with pytest.raises(InputError, match="no synapse layer"):
        transfer(nn.Linear(3, 3))


def test_evaluation_is_of_each_chip_and_in_evaluation_mode() -> None:
    model, x, y = model_and_data()
    model.train()
    model[1].eval()
    before, modes = states(model), [module.training for module in model.modules()]
    chips = transfer(model, 3)
    shares = evaluate(chips, x, y)
    assert shares.shape == (3,)
    assert shares.dtype == np.float64
    for chip, share in zip(chips, shares, strict=True):
        with torch.no_grad():
            right = (chip.eval()(x).argmax(1) == y).float().mean()
        assert share == pytest.approx(float(right), rel=1e-6)
    # Batches, and running statistics, do not matter to it.
    assert np.array_equal(evaluate(chips, x, y, batch=7), shares)
    assert evaluate(model, x, y).shape == (1,)
    assert np.array_equal(evaluate([model, chips[1]], x, y)[1:], shares[1:2])
    assert [module.training for module in model.modules()] == modes
    assert equal(states(model), before)


def test_evaluation_by_any_metric() -> None:
    model, x, y = model_and_data()
    seen = []

    def metric(output: Tensor, target: Tensor) -> float:
        seen.append((output.shape, output.requires_grad))
        return float(output.sum() + target.sum())

    found = evaluate(transfer(model, 2), x, y, metric=metric, batch=20)
    assert seen == [((50, 6), False)] * 2
    assert found[0] != found[1]
    assert evaluate(model, x, y, metric=lambda o, t: (o[:, 0] - t).square().mean()).shape == (1,)


def test_modes_are_restored_even_where_the_metric_fails() -> None:
    model, x, y = model_and_data()
    model.train()

    def metric(output: Tensor, target: Tensor) -> float:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        evaluate(model, x, y, metric=metric)
    assert model.training
    with pytest.raises(RuntimeError):
        evaluate(model, x[:, :, :2, :2], y)
    assert all(module.training for module in model.modules())


def test_chips_of_a_model_in_double_precision() -> None:
    model = convert(nn.Linear(4, 3).double(), FIVE, 0.3, generator=seeded())
    chip = transfer(model, 1)[0]
    assert chip.synapses.weight.dtype == torch.float64
    assert chip(torch.ones((2, 4), dtype=torch.float64)).dtype == torch.float64


@pytest.mark.parametrize("learnt", [False, True], ids=["converted", "after InSitu"])
def test_the_deployed_network_computes_the_same_and_knows_no_devices(learnt: bool) -> None:
    model, x, _ = model_and_data()
    if learnt:
        learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.1), model, seeded(3))
        model(x).square().sum().backward()
        learner.step()
    before, modes = states(model), [module.training for module in model.modules()]
    plain = deployed(model)
    assert not any(isinstance(module, SynapseLayer) for module in plain.modules())
    assert not any(module.training for module in plain.modules())
    assert list(plain.state_dict()) == list(float_model().state_dict())
    assert plain[2] is plain[4]
    assert type(plain[0]) is nn.Conv2d
    assert torch.equal(plain[0].weight, model[0].weight)
    assert equal(states(model), before)
    assert [module.training for module in model.modules()] == modes
    with torch.no_grad():
        torch.testing.assert_close(plain(x), model.eval()(x), rtol=1e-5, atol=1e-5)
    # It goes into the float model, and a change of it is none of the model.
    float_model().load_state_dict(plain.state_dict())
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.add_(1.0)
    assert equal(states(model), before)


def test_a_deployed_network_is_an_ordinary_one(tmp_path: Any) -> None:
    model, x, _ = model_and_data()
    plain = deployed(model)
    torch.testing.assert_close(torch.export.export(plain, (x,)).module()(x), plain(x))
    torch.save(plain.state_dict(), tmp_path / "plain")
    # A view of a bank would take the whole bank along.
    assert (tmp_path / "plain").stat().st_size < 20_000
    plain.train()(x).sum().backward()
    assert plain[0].weight.grad is not None


def test_bare_layers_double_precision_and_shift_normalisation() -> None:
    layer = convert(nn.Conv1d(4, 6, 3, padding=1, groups=2).double(), FIVE, 0.3, generator=seeded())
    plain = deployed(layer)
    assert type(plain) is nn.Conv1d
    assert plain.weight.dtype == torch.float64
    x = torch.randn((2, 4, 9), generator=seeded(1), dtype=torch.float64)
    torch.testing.assert_close(plain(x), layer(x))
    model = convert(nn.Sequential(nn.Linear(3, 4), ShiftBatchNorm(4)), FIVE, 0.3, generator=seeded())
    assert isinstance(deployed(model)[1], ShiftBatchNorm)
    nothing = nn.Sequential(nn.Linear(3, 3))
    assert deployed(nothing) is not nothing
