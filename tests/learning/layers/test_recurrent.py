"""LSTM and GRU on devices against torch's own layers: outputs, gradients, learning, chips and crossbars."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

from barkhausen.core.errors import InputError
from barkhausen.device import gaussian_device
from barkhausen.learning import (
    InSitu,
    SynapseGRU,
    SynapseLSTM,
    conversion_report,
    convert,
    deployed,
    evaluate,
    on_crossbar,
    synapse_layers,
    transfer,
)
from barkhausen.learning.layers.crossbar import crossbar_layers
from barkhausen.synapse import Phase
from barkhausen.synapse.crossbar.chip import load_chip

SURE = gaussian_device(5, 0.0)
"""Whose weights are its levels."""

KINDS = {"lstm": nn.LSTM, "gru": nn.GRU}

OPTIONS: list[dict[str, Any]] = [
    {},
    {"num_layers": 2, "bidirectional": True, "batch_first": True},
    {"num_layers": 2, "bias": False, "batch_first": True},
]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def of_levels(layer: nn.Module) -> nn.Module:
    """The layer with weights that five states of one scale represent exactly."""
    with torch.no_grad():
        for parameter in layer.parameters():
            if parameter.dim() == 2:
                states = torch.randint(5, parameter.shape, generator=seeded(parameter.numel()))
                states.view(-1)[:2] = torch.tensor([0, 4])
                parameter.copy_((states - 2) * 0.4)
    return layer


def pair(kind: str, **options: Any) -> tuple[nn.Module, nn.Module, Tensor]:
    """A layer of torch, the same on devices, and inputs."""
    torch.manual_seed(3)
    plain = of_levels(KINDS[kind](3, 4, **options))
    return plain, convert(plain, SURE, 0.3, generator=seeded()), torch.randn(6, 5, 3)


@contextmanager
def step_by_step(layer: nn.Module) -> Iterator[None]:
    """Have every matrix called as a layer, which a hook asks for."""
    hooks = [matrix.register_forward_hook(lambda *_: None) for _, matrix in synapse_layers(layer)]
    yield
    for hook in hooks:
        hook.remove()


def parts(result: Any) -> list[Tensor]:
    return [result] if isinstance(result, Tensor) else [part for each in result for part in parts(each)]


def agree(found: Any, expected: Any, tolerance: float = 2e-6) -> None:
    assert len(parts(found)) == len(parts(expected))
    for one, other in zip(parts(found), parts(expected), strict=True):
        assert one.shape == other.shape
        assert (one - other).abs().max() < tolerance


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", OPTIONS)
def test_a_converted_layer_computes_and_learns_as_torch_s_own(kind: str, options: dict[str, Any]) -> None:
    plain, made, x = pair(kind, **options)
    start = parts(plain(x)[1])
    state = tuple(torch.randn_like(part) for part in start)
    state = state if kind == "lstm" else state[0]
    agree(made(x, state), plain(x, state))
    agree(deployed(made)(x, state), made(x, state), 1e-30)
    with step_by_step(made):
        agree(made(x, state), plain(x, state))
        agree(made(x[0]), plain(x[0]))
    agree(made(x[0]), plain(x[0]))
    assert list(deployed(made).state_dict()) == list(plain.state_dict())

    plain(x)[0].square().sum().backward()
    made(x)[0].square().sum().backward()
    for name, layer in synapse_layers(made):
        expected = getattr(plain, name).grad * layer.scale
        assert (layer.latent_weight.grad - expected).abs().max() < 1e-4 * expected.abs().max()
        layer.latent_weight.grad = None
    with step_by_step(made):
        made(x)[0].square().sum().backward()
    for name, layer in synapse_layers(made):
        expected = getattr(plain, name).grad * layer.scale
        assert (layer.latent_weight.grad - expected).abs().max() < 1e-4 * expected.abs().max()


@pytest.mark.filterwarnings("ignore:LSTM with projections")  # torch's own remark on its speed
@pytest.mark.parametrize("kind", KINDS)
def test_packed_sequences_and_projections(kind: str) -> None:
    plain, made, x = pair(kind)
    sequences = pack_sequence([x[:3, 0], x[:6, 1], x[:2, 2]], enforce_sorted=False)
    (found, state), (expected, last) = made(sequences), plain(sequences)
    agree([pad_packed_sequence(found)[0], state], [pad_packed_sequence(expected)[0], last])
    with step_by_step(made), pytest.raises(InputError, match="packed"):
        made(sequences)
    if kind == "lstm":
        plain, made, x = pair(kind, proj_size=2)
        assert [name for name, _ in synapse_layers(made)] == ["weight_ih_l0", "weight_hh_l0", "weight_hr_l0"]
        agree(made(x), plain(x))
        with step_by_step(made):
            agree(made(x), plain(x))


def test_names_settings_and_what_is_refused() -> None:
    model = nn.ModuleDict({"lstm": nn.LSTM(3, 4), "gru": nn.GRU(3, 4), "out": nn.Linear(4, 1)})
    rules = {"gru": {"margin": 0.1}, "lstm.weight_hh_l0": {"margin": 0.2}}
    made = convert(model, SURE, 0.3, overrides=rules, generator=seeded())
    assert isinstance(made["lstm"], SynapseLSTM)
    assert isinstance(made["gru"], SynapseGRU)
    margins = {name: layer.synapses.margin for name, layer in synapse_layers(made)}
    assert margins == {
        "lstm.weight_ih_l0": 0.3, "lstm.weight_hh_l0": 0.2, "gru.weight_ih_l0": 0.1, "gru.weight_hh_l0": 0.1,
        "out": 0.3,
    }  # fmt: skip
    keys = set(made.state_dict())
    assert {"lstm.weight_ih_l0.latent_weight", "lstm.weight_ih_l0.scale", "lstm.bias_ih_l0", "lstm.bias_hh_l0"} <= keys
    assert conversion_report(made).digital == ()
    kept = convert(model, SURE, 0.3, keep_float=["lstm"], generator=seeded())
    assert type(kept["lstm"]) is nn.LSTM
    with pytest.raises(InputError, match=r"matches none of the layers to convert \(lstm, lstm.weight_ih_l0"):
        convert(model, SURE, 0.3, overrides={"lstm.weight_hh_l1": {}})
    with pytest.raises(InputError, match=r"lstm \(LSTM\): its weights are torch.float16"):
        convert(nn.ModuleDict({"lstm": nn.LSTM(3, 4).half()}), SURE, 0.3)
    with pytest.raises(InputError, match=r"SynapseLSTM: needs 3 inputs a step, got 2"):
        made["lstm"](torch.zeros(4, 5, 2))
    with pytest.raises(InputError, match=r"SynapseGRU: needs a state of the sizes \[\(1, 5, 4\)\]"):
        made["gru"](torch.zeros(4, 5, 3), torch.zeros(1, 2, 4))


class Last(nn.Module):
    """A recurrent layer, and a read-out of its last step."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.layer, self.out = KINDS[kind](2, 6, batch_first=True), nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.layer(x)[0][:, -1])


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_in_situ_is_transferred_and_runs_on_a_crossbar(kind: str) -> None:
    torch.manual_seed(5)
    x = torch.randn(64, 7, 2)
    target = x[:, :, 0].mean(dim=1, keepdim=True)
    model = convert(Last(kind), gaussian_device(5, 0.05), 0.2, start="fresh", generator=seeded())
    learner = InSitu(torch.optim.Adam(model.parameters(), 0.02), model, seeded(1))
    losses = []
    for _ in range(60):
        loss = nn.functional.mse_loss(model(x), target)
        loss.backward()
        learner.step()
        learner.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]
    for name, layer in synapse_layers(model):
        assert int(layer.synapses.counters.events(Phase.TRAINING).sum()) > 0, name
    again = copy.deepcopy(model)
    again.load_state_dict(model.state_dict())
    assert torch.equal(again(x), model(x))
    errors = evaluate(transfer(model, 3), x, target, metric=nn.functional.mse_loss)
    assert len(set(errors.tolist())) == 3

    ideal = (
        "wires.word_line=0", "wires.bit_line=0", "noise.factor=0", "adc.bits=20", "adc.percentile=100", "inputs.bits=20"
    )  # fmt: skip
    placed = on_crossbar(model, load_chip(None, [*ideal, "tile.rows=16", "tile.columns=4"]), x)
    with torch.no_grad():
        assert (placed(x) - model(x)).abs().max() < 5e-3 * model(x).abs().max()
    loads = {name: layer.load(name) for name, layer in crossbar_layers(placed).items()}
    # Every matrix of the recurrent layer is used at all seven steps.
    assert [load.uses for load in loads.values()] == [7, 7, 1]
