"""A bare optimiser on a converted model is warned of once; learning rules and own loops that program are not."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.device import gaussian_device
from barkhausen.learning import BareOptimizerWarning, InSitu, Precursor, convert, synapse_layers
from barkhausen.synapse import Phase

pytestmark = pytest.mark.usefixtures("one_thread")

FIVE = gaussian_device(5)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(margin: float = 0.3) -> nn.Module:
    torch.manual_seed(0)
    return convert(nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)), FIVE, margin, generator=seeded())


X = torch.randn((16, 6), generator=seeded(1))
Y = X[:, :3].argmax(dim=1)


def steps(model: nn.Module, optimizer: torch.optim.Optimizer, count: int, after: Callable[[], Any] = int) -> list[str]:
    """Train, and return the warnings that were given."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for _ in range(count):
            F.cross_entropy(model(X), Y).backward()
            optimizer.step()
            after()
            optimizer.zero_grad()
    assert all(issubclass(warning.category, BareOptimizerWarning) for warning in seen)
    assert all(warning.filename == __file__ for warning in seen)
    return [str(warning.message) for warning in seen]


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("copied", [lambda m: m, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_bare_optimiser_is_warned_of_once(copied: Callable[[nn.Module], nn.Module], fused: bool) -> None:
    model = copied(network())
    found = steps(model, torch.optim.Adam(model.parameters(), fused=fused), 12)
    assert len(found) == 1
    assert "Adam has moved the latent weights" in found[0]
    assert "InSitu(Adam(…), model, generator)" in found[0]
    assert "\n" not in found[0]
    # Another optimiser is another mistake.
    assert len(steps(model, torch.optim.SGD(model.parameters(), lr=0.1), 12)) == 1


def test_the_step_of_the_optimiser_within_a_rule_is_warned_of() -> None:
    model = network()
    inner = torch.optim.Adam(model.parameters(), lr=0.01)
    InSitu(inner, model, seeded(1))
    assert len(steps(model, inner, 30)) == 1


RULES: list[Callable[[nn.Module], torch.optim.Optimizer]] = [
    lambda m: InSitu(torch.optim.Adam(m.parameters(), lr=0.01), m, seeded(1)),
    # Never outside the margin: nothing is ever programmed.
    lambda m: InSitu(torch.optim.Adam(m.parameters(), lr=0.0), m, seeded(1)),
    lambda m: Precursor(torch.optim.SGD(m.parameters(), lr=0.01), m, generator=seeded(1)),
    lambda m: copy.deepcopy(InSitu(torch.optim.Adam(m.parameters()), m, seeded(1))),
]


@pytest.mark.parametrize("margin", [0.1, 100.0])
@pytest.mark.parametrize("rule", RULES, ids=["in-situ", "in-situ at rest", "ex-situ", "copy"])
def test_learning_rules_are_not_warned_of(rule: Callable[[nn.Module], torch.optim.Optimizer], margin: float) -> None:
    model = network(margin)
    optimizer = rule(model)
    assert steps(model, optimizer, 30) == []


def test_an_own_loop_that_programs_the_devices_is_not_warned_of() -> None:
    model = network()

    def program() -> None:
        for _, layer in synapse_layers(model):
            layer.program_all(seeded(2), phase=Phase.TRAINING)

    assert steps(model, torch.optim.SGD(model.parameters(), lr=0.1), 30, program) == []


def test_an_optimiser_of_other_parameters_is_not_warned_of() -> None:
    model = network()
    for _, layer in synapse_layers(model):
        layer.latent_weight.requires_grad_(False)
    assert steps(model, torch.optim.SGD(model.parameters(), lr=0.1), 12) == []
    plain = nn.Linear(6, 3)
    assert steps(plain, torch.optim.SGD(plain.parameters(), lr=0.1), 12) == []


class TwoLooks(torch.optim.SGD):
    """Evaluates its closure twice a step, as sharpness-aware minimisation does."""

    def step(self, closure: Any = None) -> Any:
        with torch.enable_grad():
            closure()
        super().step()
        with torch.enable_grad():
            loss = closure()
        super().step()
        return loss


def test_lbfgs_is_refused_by_every_rule() -> None:
    model = network()
    inner = torch.optim.LBFGS(model.parameters())
    line = "LBFGS evaluates the loss several times in one step, but devices are programmed only after the step"
    with pytest.raises(InputError, match=line):
        InSitu(inner, model)
    with pytest.raises(InputError, match=line):
        Precursor(inner, model, generator=seeded())


def test_a_second_evaluation_in_one_step_is_refused() -> None:
    model = network()
    learner = InSitu(TwoLooks(model.parameters(), lr=0.1), model, seeded(1))
    with pytest.raises(InputError, match="TwoLooks evaluates the loss several times in one step"):
        learner.step(lambda: F.cross_entropy(model(X), Y))


def test_a_closure_that_is_evaluated_once_learns_as_without() -> None:
    models = [network(), network()]
    learners = [InSitu(torch.optim.Adam(m.parameters(), lr=0.05), m, seeded(1)) for m in models]

    def closure() -> torch.Tensor:
        learners[0].zero_grad()
        loss = F.cross_entropy(models[0](X), Y)
        loss.backward()
        return loss

    for _ in range(5):
        learners[0].step(closure)  # type: ignore[arg-type]
        learners[1].zero_grad()
        F.cross_entropy(models[1](X), Y).backward()
        learners[1].step()
    for key, value in models[0].state_dict().items():
        assert torch.equal(value, models[1].state_dict()[key]), key
