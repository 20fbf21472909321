"""``layer.weight`` is for reading: it carries the straight-through gradient; whatever would change it is refused."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.func import functional_call, grad, hessian
from torch.nn.utils import clip_grad_norm_, parametrizations, parametrize, prune, vector_to_parameters
from torch.optim.swa_utils import AveragedModel

from barkhausen.core.errors import InputError
from barkhausen.device import gaussian_device
from barkhausen.experiment.export import export_safetensors
from barkhausen.learning import InSitu, SynapseConv2d, SynapseLinear, convert, deployed, program
from barkhausen.learning.layers.own_weight import OwnWeight
from barkhausen.synapse import Phase

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]

FIVE = gaussian_device(5)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def layer_of(inputs: int = 6, outputs: int = 4, seed: int = 0) -> SynapseLinear:
    return SynapseLinear(inputs, outputs, FIVE, margin=0.3, generator=seeded(seed))


X = torch.randn((3, 6), generator=seeded(1))

# --- what is refused ----------------------------------------------------------------------------------------


class Doubled(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


def set_item(weight: Any) -> None:
    weight[0, 0] = 1.0


def times(weight: Any) -> None:
    weight *= 2


def set_data(weight: Any) -> None:
    weight.data = torch.zeros(4, 6)


def freeze(weight: Any) -> None:
    weight.requires_grad = False


WRITES: dict[str, Callable[[Any], Any]] = {
    "mul_": lambda w: w.mul_(2.0),
    "zero_": lambda w: w.zero_(),
    "copy_": lambda w: w.copy_(torch.zeros(4, 6)),
    "data": lambda w: w.data.mul_(0.5),
    "data[...]": lambda w: set_item(w.data),
    "data = ": set_data,
    "detach": lambda w: w.detach().add_(1.0),
    "view": lambda w: w.view(-1).fill_(0.0),
    "row": lambda w: w[0].fill_(0.0),
    "transposed": lambda w: w.t().zero_(),
    "unbind": lambda w: w.unbind(0)[1].zero_(),
    "[...] = ": set_item,
    "*= ": times,
    "out": lambda w: torch.add(X[0], 1.0, out=w),
    "foreach": lambda w: torch._foreach_mul_([w], 2.0),
    "vector": lambda w: vector_to_parameters(torch.zeros(24), [w]),
    "requires_grad_": lambda w: w.requires_grad_(False),
    "requires_grad = ": freeze,
    "clamp_": lambda w: torch.clamp_(w, -0.1, 0.1),
    **{
        name: lambda w, name=name: getattr(nn.init, name)(w)  # type: ignore[misc]
        for name in (
            "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "orthogonal_", "normal_",
            "uniform_", "zeros_", "ones_", "trunc_normal_", "eye_",
        )
    },
    "constant_": lambda w: nn.init.constant_(w, 0.1),
    "sparse_": lambda w: nn.init.sparse_(w, 0.5),
}  # fmt: skip


def unchanged_after(layer: Any, change: Callable[[], Any], line: str) -> None:
    before, expected = copy.deepcopy(layer.state_dict()), layer(X).detach()
    with pytest.raises(InputError, match=line) as caught:
        change()
    assert "\n" not in str(caught.value)
    assert all(torch.equal(value, before[key]) for key, value in layer.state_dict().items())
    assert torch.equal(layer(X), expected)


@pytest.mark.parametrize("how", WRITES)
def test_writing_is_refused(how: str) -> None:
    layer = layer_of()
    line = r"^layer\.weight \(\w+\): is a copy of what the devices hold.*before convert, or set latent_weight and call"
    unchanged_after(layer, lambda: WRITES[how](layer.weight), line)
    with torch.no_grad():
        unchanged_after(layer, lambda: WRITES[how](layer.weight), line)


def assign(layer: Any) -> None:
    layer.weight = nn.Parameter(torch.zeros(4, 6))


def assign_tensor(layer: Any) -> None:
    layer.weight = torch.zeros(4, 6)


def delete(layer: Any) -> None:
    del layer.weight


CHANGES: dict[str, Callable[[Any], Any]] = {
    "parameter": assign,
    "tensor": assign_tensor,
    "del": delete,
    "register_parameter": lambda m: m.register_parameter("weight", nn.Parameter(torch.zeros(4, 6))),
    "parametrisation": lambda m: parametrize.register_parametrization(m, "weight", Doubled()),
    "spectral norm": parametrizations.spectral_norm,
    "weight norm": parametrizations.weight_norm,
    "orthogonal": parametrizations.orthogonal,
    "old spectral norm": nn.utils.spectral_norm,
    "old weight norm": nn.utils.weight_norm,
    "pruning": lambda m: prune.l1_unstructured(m, "weight", 0.5),
    "structured pruning": lambda m: prune.ln_structured(m, "weight", 0.5, n=2, dim=0),
    "functional call": lambda m: functional_call(m, {"weight": torch.zeros(4, 6)}, (X,)),
}


@pytest.mark.parametrize("how", CHANGES)
def test_replacing_it_is_refused(how: str) -> None:
    layer = layer_of()
    unchanged_after(layer, lambda: CHANGES[how](layer), r"^layer\.weight \(.*set latent_weight and call program_all")
    # And nothing of torch's tools is left behind.
    assert not layer._forward_pre_hooks
    assert [name for name, _ in layer.named_parameters()] == ["latent_weight", "bias"]
    assert layer.weight.shape == (4, 6)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["copy", "pickle"])
def test_copies_refuse_it_too(copied: Callable[[Any], Any]) -> None:
    layer = copied(layer_of())
    with pytest.raises(InputError, match="set latent_weight"):
        parametrizations.weight_norm(layer)
    with pytest.raises(InputError, match="set latent_weight"):
        layer.weight.mul_(2)


WAITS: list[Callable[[Tensor], Any]] = [lambda w: w.grad, lambda w: w.register_hook(print), lambda w: w.retain_grad()]


@pytest.mark.parametrize("waiting", WAITS, ids=["grad", "hook", "retain_grad"])
def test_waiting_for_its_gradient_is_refused(waiting: Callable[[Tensor], Any]) -> None:
    layer = layer_of()
    layer(X).sum().backward()
    with pytest.raises(InputError, match=r"^layer\.weight\.\w+: .* its gradient goes to latent_weight; use that"):
        waiting(layer.weight)
    kept = layer.weight.clone()
    kept.retain_grad()
    F.linear(X, kept).square().sum().backward()
    assert kept.grad is not None


@pytest.mark.parametrize("strict", [True, False])
def test_weights_of_a_float_model_and_of_an_export_are_not_loaded_in_part(strict: bool, tmp_path: Path) -> None:
    from safetensors.torch import load_file  # noqa: PLC0415

    model = convert(nn.Sequential(nn.Linear(6, 4)), "racetrack-5", 0.3, generator=seeded())
    export_safetensors(model, tmp_path / "export.safetensors")
    states = [deployed(model).state_dict(), load_file(tmp_path / "export.safetensors")]
    for state in states:
        unchanged_after(
            model,
            lambda state=state: model.load_state_dict(state, strict=strict),  # type: ignore[misc]
            r"^0\.weight: is of a float layer or an export, .*before convert",
        )


def test_graphs_do_not_hold_the_weights_of_the_moment_of_recording() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer_of()

        def forward(self, x: Tensor) -> Tensor:
            return F.linear(x, self.layer.weight)

    with pytest.raises(InputError, match=r"^torch\.fx: layer\.weight would be recorded as it is now"):
        fx.symbolic_trace(Tied())
    with pytest.raises(InputError, match=r"^torch\.jit\.trace: "):
        torch.jit.trace(Tied(), X)


# --- what works ---------------------------------------------------------------------------------------------


def test_latent_weights_are_set_as_the_line_says() -> None:
    layer = layer_of()
    wanted = 0.2 * torch.randn((4, 6), generator=seeded(3))
    with torch.no_grad():
        layer.latent_weight.copy_((wanted / layer.scale).clamp(-1, 1))
    layer.program_all(seeded(4), phase=Phase.INITIAL)
    array, latent = layer.synapses, layer.latent_weight.detach()
    nearest = (latent[..., None] - array.levels).abs().argmin(-1)
    assert torch.equal(array.state.long(), nearest)
    torch.testing.assert_close(layer.weight, array.weight * layer.scale)


USES: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda w: F.linear(X, w),
    "matmul": lambda w: X @ w.t(),
    "einsum": lambda w: torch.einsum("bi,oi->bo", X, w),
    "decay": lambda w: w.square().sum() + w.abs().mean(),
    "norm": lambda w: torch.linalg.matrix_norm(w, 2),
    "rows": lambda w: torch.cat([w[0], w[1:, ::2].flatten()]),
    "convolution": lambda w: F.conv1d(X[:, None], w[:, None, :3]),
    "stack": lambda w: torch.stack([w, 2 * w]),
    "detached part": lambda w: w * w.detach(),
    "in place on a result": lambda w: (2 * w).mul_(3.0).add_(w),
    "chunks": lambda w: sum(part.sum() for part in w.chunk(2)) * torch.ones(1),  # type: ignore[return-value]
    "autocast": lambda w: torch.mm(w, w.t()),
    "attention": lambda w: F.scaled_dot_product_attention(w[None], w[None], w[None]),
}


@pytest.mark.parametrize("how", USES)
def test_it_carries_the_straight_through_gradient(how: str) -> None:
    layer = layer_of()
    held = (layer.latent_weight + (layer.synapses.weight - layer.latent_weight).detach()) * layer.scale
    outs = [USES[how](weight) for weight in (layer.weight, held)]
    torch.testing.assert_close(*outs)
    got, expected = (torch.autograd.grad(out.square().sum(), layer.latent_weight)[0] for out in outs)
    torch.testing.assert_close(got, expected)
    assert float(got.abs().sum()) > 0
    # Results are ordinary tensors.
    assert type(outs[0]) is Tensor


def test_it_carries_it_through_transformations_and_compilers() -> None:
    layer = layer_of().double()
    x = X.double()

    def loss(latent: Tensor) -> Tensor:
        class Reader(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = layer

            def forward(self, x: Tensor) -> Tensor:
                return F.linear(x, self.inner.weight).pow(3).sum()

        return functional_call(Reader(), {"inner.latent_weight": latent}, (x,))

    def reference(latent: Tensor) -> Tensor:
        weight = (latent + (layer.synapses.weight - latent).detach()) * layer.scale
        return F.linear(x, weight).pow(3).sum()

    latent = layer.latent_weight.detach()
    for derivative in (grad, hessian):
        torch.testing.assert_close(derivative(loss)(latent), derivative(reference)(latent))

    def direct(x: Tensor) -> Tensor:
        return F.linear(x, layer.weight).square().sum()

    (expected,) = torch.autograd.grad(direct(x), layer.latent_weight)
    compiled: Any = torch.compile(direct, backend="eager")
    torch.testing.assert_close(torch.autograd.grad(compiled(x), layer.latent_weight)[0], expected)


def test_reading_gives_what_it_gave() -> None:
    layer = layer_of()
    weight = layer.weight
    assert isinstance(weight, OwnWeight)
    expected = (layer.synapses.weight * layer.scale).numpy()
    read = weight.detach().numpy()
    assert np.array_equal(read, expected)
    with pytest.raises(ValueError, match="read-only"):
        read[0, 0] = 1.0
    assert np.array_equal(np.array(weight.tolist(), np.float32), expected)
    assert float(weight.detach().abs().max()) == float(np.abs(expected).max())
    own = weight.detach().clone()
    own[0, 0] = 7.0
    plain = nn.Linear(6, 4)
    with torch.no_grad():
        plain.weight.copy_(layer.weight)
    assert torch.equal(plain.weight, weight)
    file = io.BytesIO()
    torch.save({"weight": layer.weight.detach()}, file)
    file.seek(0)
    assert type(torch.load(file, weights_only=True)["weight"]) is Tensor
    assert repr(layer.weight).startswith("OwnWeight([[")


def test_kernels_are_read_as_weights_are() -> None:
    layer = SynapseConv2d(2, 3, 3, FIVE, margin=0.3, generator=seeded())
    images = torch.randn((2, 2, 5, 5), generator=seeded(1))
    torch.testing.assert_close(F.conv2d(images, layer.weight, layer.bias), layer(images))
    with pytest.raises(InputError, match="set latent_weight"):
        nn.init.dirac_(layer.weight)


# --- tying, clipping, averaging -----------------------------------------------------------------------------


def trained(model: nn.Module, steps: int = 6) -> InSitu:
    noise = seeded(5)
    learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.5), model, noise)
    for _ in range(steps):
        F.mse_loss(model(X), X).backward()
        clip_grad_norm_(model.parameters(), 1.0)
        learner.step()
        learner.zero_grad()
    return learner


class Encoder(nn.Module):
    """An encoder and a decoder with the same weights: tied layers, or one layer used twice."""

    def __init__(self, tied: bool) -> None:
        super().__init__()
        self.first = SynapseLinear(6, 6, FIVE, margin=0.3, bias=False, generator=seeded())
        self.second = self.first
        if tied:
            self.second = SynapseLinear(6, 6, FIVE, margin=0.3, bias=False, generator=seeded(1))
            self.second.latent_weight = self.first.latent_weight
            self.second.synapses = self.first.synapses

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.second(torch.tanh(self.first(x)))
        return out


def test_two_layers_with_the_same_devices_learn_as_one_layer_used_twice() -> None:
    tied, once = Encoder(True), Encoder(False)
    learner = trained(tied)
    trained(once)
    assert torch.equal(tied.second.latent_weight, once.first.latent_weight)
    for key, value in once.first.state_dict().items():
        assert torch.equal(tied.first.state_dict()[key], value), key
    assert torch.equal(tied.second.synapses.weight, tied.first.synapses.weight)
    assert int(once.first.synapses.counters.events(Phase.TRAINING).sum()) > 0
    # The tensors of the devices stay together from step to step.
    assert all(group.intact() for group in learner.groups)
    again = Encoder(True)
    again.load_state_dict(tied.state_dict())
    assert torch.equal(again(X), tied(X))


def test_two_layers_with_the_same_latent_weights_have_devices_in_the_same_states() -> None:
    model = Encoder(False)
    model.second = SynapseLinear(6, 6, FIVE, margin=0.1, bias=False, generator=seeded(1))
    model.second.latent_weight = model.first.latent_weight
    trained(model)
    first, second = model.first, model.second
    assert first.latent_weight is second.latent_weight
    assert float(first.latent_weight.detach().abs().max()) <= 1.0
    for layer in (first, second):
        error = layer.quantiser.error(layer.latent_weight, layer.synapses.weight)
        assert float((error > layer.synapses.margin).float().mean()) < 0.4


def test_devices_shared_by_two_latent_weights_are_refused() -> None:
    model = Encoder(False)
    model.second = SynapseLinear(6, 6, FIVE, margin=0.3, bias=False, generator=seeded(1))
    model.second.synapses = model.first.synapses
    with pytest.raises(InputError, match=r"^first and second share their devices: let them share latent_weight too"):
        InSitu(torch.optim.SGD(model.parameters(), lr=0.5), model)


class TiedByHand(nn.Module):
    """An autoencoder whose decoder multiplies by the weights of its encoder."""

    def __init__(self, by_hand: bool) -> None:
        super().__init__()
        self.encoder, self.by_hand = layer_of(), by_hand

    def forward(self, x: Tensor) -> Tensor:
        if self.by_hand:
            return F.linear(torch.tanh(self.encoder(x)), self.encoder.weight.t())
        latent = self.encoder.latent_weight
        weight = (latent + (self.encoder.synapses.weight - latent).detach()) * self.encoder.scale
        return F.linear(torch.tanh(F.linear(x, weight, self.encoder.bias)), weight.t())


def test_a_decoder_that_multiplies_by_the_weights_of_the_encoder_learns() -> None:
    states = []
    for by_hand in (True, False):
        model = TiedByHand(by_hand)
        trained(model)
        states.append(model.state_dict())
    for key, value in states[1].items():
        torch.testing.assert_close(states[0][key], value, rtol=1e-5, atol=1e-6)


def test_an_average_of_latent_weights_is_programmed() -> None:
    model = nn.Sequential(layer_of(6, 6))
    averaged = AveragedModel(model)
    averaged.update_parameters(model)
    trained(model)
    averaged.update_parameters(model)
    program(averaged, seeded(6))
    layer = averaged.module[0]
    assert isinstance(layer, SynapseLinear)
    torch.testing.assert_close(averaged(X), F.linear(X, layer.weight, layer.bias))
    with pytest.raises(InputError, match="set latent_weight"):
        layer.weight.zero_()


LATENT: dict[str, Callable[[nn.Module], Any]] = {
    "parametrisation": lambda m: parametrize.register_parametrization(m, "latent_weight", Doubled()),
    "spectral norm": lambda m: parametrizations.spectral_norm(m, "latent_weight"),
    "pruning": lambda m: prune.l1_unstructured(m, "latent_weight", 0.5),
}


@pytest.mark.parametrize("how", LATENT)
@pytest.mark.parametrize("after", [False, True], ids=["before the learner", "after the learner"])
def test_learning_rules_refuse_latent_weights_that_are_computed(how: str, after: bool) -> None:
    model = nn.Sequential(layer_of(6, 6))
    line = r": latent_weight is parametrised or pruned, so a learning rule cannot clip it; remove that"
    if after:
        learner = trained(model, 1)
        LATENT[how](model[0])
        with pytest.raises(InputError, match=line):
            learner.step()
        return
    LATENT[how](model[0])
    with pytest.raises(InputError, match=f"^0{line}"):
        InSitu(torch.optim.SGD(model.parameters(), lr=0.1), model)
