"""Converted models under torch's own tools: function transformations, graphs, compilation, copies, lower precision."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.func import functional_call, grad, jacrev, jvp, stack_module_state, vmap

from barkhausen.core.errors import InputError
from barkhausen.device import gaussian_device
from barkhausen.learning import InSitu, SynapseLinear, convert, deployed, synapse_layers
from barkhausen.synapse import SynapseArray

pytestmark = pytest.mark.usefixtures("one_thread")

FIVE = gaussian_device(5)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def converted(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    plain = nn.Sequential(nn.Conv2d(1, 3, 3, groups=1), nn.Tanh(), nn.Flatten(), nn.Linear(3 * 16, 4))
    model = convert(plain, FIVE, 0.3, generator=seeded(seed))
    assert isinstance(model, nn.Sequential)
    return model


X = torch.randn((5, 1, 6, 6), generator=seeded(1))
Y = torch.tensor([0, 1, 2, 3, 0])


def parts(model: nn.Module) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    return {k: v.detach() for k, v in model.named_parameters()}, dict(model.named_buffers())


def loss(model: nn.Module, parameters: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(functional_call(model, parameters, (x,)), y)


def gradients(model: nn.Module, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def test_functional_gradient_is_that_of_backward() -> None:
    model = converted()
    parameters, _ = parts(model)
    assert torch.equal(functional_call(model, parameters, (X,)), model(X))
    found = grad(lambda p: loss(model, p, X, Y))(parameters)
    expected = gradients(model, X, Y)
    assert set(found) == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-7)


def test_gradients_of_single_samples_are_those_of_each_alone() -> None:
    model = converted()
    parameters, _ = parts(model)
    each = vmap(grad(lambda p, x, y: loss(model, p, x[None], y[None])), in_dims=(None, 0, 0))(parameters, X, Y)
    for sample in range(len(X)):
        for name, value in gradients(model, X[sample : sample + 1], Y[sample : sample + 1]).items():
            torch.testing.assert_close(each[name][sample], value, rtol=1e-4, atol=1e-6)


def test_jacobian_has_a_row_of_gradients_for_each_output() -> None:
    model = converted()
    parameters, _ = parts(model)
    found = jacrev(lambda p: functional_call(model, p, (X[:1],))[0])(parameters)
    for output in range(4):
        model.zero_grad()
        model(X[:1])[0, output].backward()
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(found[name][output], parameter.grad, rtol=1e-4, atol=1e-6)


def test_forward_mode_agrees_with_the_jacobian() -> None:
    model = converted()
    tangent = torch.randn(X.shape, generator=seeded(2))
    _, found = jvp(model, (X,), (tangent,))
    full = jacrev(model)(X)
    torch.testing.assert_close(found, (full * tangent).sum((2, 3, 4, 5)), rtol=1e-4, atol=1e-5)


def test_an_ensemble_of_chips_is_computed_at_once() -> None:
    chips = [converted(seed) for seed in range(3)]
    parameters, buffers = stack_module_state(chips)  # type: ignore[arg-type]
    base = copy.deepcopy(chips[0])
    found = vmap(lambda p, b: functional_call(base, (p, b), (X,)))(parameters, buffers)
    for number, chip in enumerate(chips):
        torch.testing.assert_close(found[number], chip(X), rtol=1e-5, atol=1e-6)


def test_weights_that_other_code_multiplies_by_learn_like_the_layer() -> None:
    layer = convert(nn.Linear(6, 4), FIVE, 0.3, generator=seeded())
    assert isinstance(layer, SynapseLinear)
    x = torch.randn((3, 6), generator=seeded(1))
    direct = F.linear(x, layer.weight, layer.bias)
    torch.testing.assert_close(direct, layer(x))
    expected = torch.autograd.grad(layer(x).square().sum(), layer.latent_weight)[0]
    torch.testing.assert_close(torch.autograd.grad(direct.square().sum(), layer.latent_weight)[0], expected)


def train(model: nn.Module, learner: InSitu, called: Callable[[Tensor], Tensor], steps: int = 4) -> None:
    for _ in range(steps):
        F.cross_entropy(called(X), Y).backward()
        learner.step()
        learner.zero_grad()


@pytest.mark.parametrize("how", ["compile", "symbolic_trace"])
def test_a_graph_of_the_model_follows_its_devices(how: str) -> None:
    models = [converted(), converted()]
    # The graph is made before the learner moves the tensors of the devices together.
    graph: Any = torch.compile(models[0], backend="eager") if how == "compile" else fx.symbolic_trace(models[0])
    graph(X)
    learners = [InSitu(torch.optim.Adam(m.parameters(), lr=0.05), m, seeded(7)) for m in models]
    train(models[0], learners[0], graph)
    train(models[1], learners[1], models[1])
    for (key, value), other in zip(models[0].state_dict().items(), models[1].state_dict().values(), strict=True):
        assert torch.equal(value, other), key
    assert torch.equal(graph(X), models[1](X))


def test_layers_are_single_nodes_of_a_graph_and_stay_synapse_layers() -> None:
    graph = fx.symbolic_trace(converted())
    assert [node.target for node in graph.graph.nodes if node.op == "call_module"] == ["0", "1", "2", "3"]
    assert [name for name, _ in synapse_layers(graph)] == ["0", "3"]


REFUSED: list[tuple[Callable[[nn.Module], Any], str]] = [
    (torch.jit.script, r"torch\.jit\.script: TorchScript cannot hold synapse layers; record deployed\(model\)"),
    (lambda m: torch.jit.trace(m, X), r"torch\.jit\.trace: TorchScript cannot hold synapse layers"),
    (lambda m: fx.symbolic_trace(m[3]), r"torch\.fx: .*put it into nn\.Sequential"),
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("how", "line"), REFUSED, ids=["script", "trace", "bare layer"])
def test_what_cannot_record_a_layer_refuses_in_one_line(how: Callable[[nn.Module], Any], line: str) -> None:
    with pytest.raises(InputError, match=line) as caught:
        how(converted())
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_deployed_model_can_be_scripted_and_traced() -> None:
    model = converted().eval()
    plain = deployed(model)
    for recorded in (torch.jit.script(plain), torch.jit.trace(plain, X)):
        torch.testing.assert_close(recorded(X), model(X))


def pickled(model: nn.Module) -> nn.Module:
    back = pickle.loads(pickle.dumps(model))
    assert isinstance(back, nn.Module)
    return back


def saved_whole(model: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    back = torch.load(file, weights_only=False)
    assert isinstance(back, nn.Module)
    return back


@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickled, saved_whole])
def test_a_copy_learns_like_the_original_and_on_its_own(duplicate: Callable[[nn.Module], nn.Module]) -> None:
    model = converted()
    train(model, InSitu(torch.optim.SGD(model.parameters(), lr=0.5), model, seeded(3)), model)
    twin = duplicate(model)
    before = copy.deepcopy(model.state_dict())
    train(twin, InSitu(torch.optim.SGD(twin.parameters(), lr=0.5), twin, seeded(4)), twin)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    train(model, InSitu(torch.optim.SGD(model.parameters(), lr=0.5), model, seeded(4)), model)
    for key, value in model.state_dict().items():
        assert torch.equal(value, twin.state_dict()[key]), key


LOWER: list[Callable[[nn.Module], Any]] = [
    lambda m: m.half(),
    lambda m: m.bfloat16(),
    lambda m: m.to(torch.float16),
    lambda m: m.to("cpu", torch.bfloat16),
]


@pytest.mark.parametrize("lower", LOWER, ids=["half", "bfloat16", "to", "to device"])
def test_lower_precision_is_refused_and_leaves_the_devices_alone(lower: Callable[[nn.Module], Any]) -> None:
    model = nn.Sequential(nn.BatchNorm2d(1), *converted())
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(InputError, match=r"^b?float16: .*need float32 or float64; .*torch\.autocast") as caught:
        lower(model)
    assert "\n" not in str(caught.value)
    model.float()
    for key, value in model.state_dict().items():
        assert value.dtype == before[key].dtype
        assert torch.equal(value, before[key])
    assert model(X).shape == (5, 4)
    assert model.double()(X.double()).dtype == torch.float64


def test_whole_numbers_of_devices_cannot_become_fractions() -> None:
    with pytest.raises(InputError, match=r"model\.type\(torch\.float64\): .* use model\.to\(torch\.float64\)"):
        converted().type(torch.float64)


def test_devices_cannot_be_made_in_lower_precision() -> None:
    torch.set_default_dtype(torch.float16)
    try:
        with pytest.raises(InputError, match=r"get_default_dtype\(\) = torch\.float16"):
            SynapseArray((3, 2), FIVE, margin=0.3)
    finally:
        torch.set_default_dtype(torch.float32)


def test_autocast_lowers_the_products_and_not_the_devices() -> None:
    model = converted()
    learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.1), model, seeded(3))
    with torch.autocast("cpu", torch.bfloat16):
        out = model(X)
    assert out.dtype == torch.bfloat16
    F.cross_entropy(out.float(), Y).backward()
    learner.step()
    for _, layer in synapse_layers(model):
        assert layer.latent_weight.dtype == layer.synapses.weight.dtype == torch.float32
    plain = deployed(model)
    assert plain.to(torch.bfloat16)(X.to(torch.bfloat16)).dtype == torch.bfloat16
