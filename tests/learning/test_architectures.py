"""Recurrent, attention, BERT- and GPT-2-like networks and any root module: converted, trained, saved; or refused."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.device import gaussian_device
from barkhausen.learning import (
    DigitalWeightsWarning,
    InSitu,
    SynapseLinear,
    conversion_report,
    convert,
    deployed,
    synapse_layers,
    transfer,
)
from barkhausen.synapse import Faults, Phase

pytestmark = pytest.mark.usefixtures("one_thread")

FIVE = gaussian_device(5, 0.05)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Recurrent(nn.Module):
    """An LSTM of linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.hidden, self.out = nn.Linear(8, 32), nn.Linear(8, 32, bias=False), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(len(x), 8)
        for step in x.unbind(1):
            i, f, g, o = (self.inputs(step) + self.hidden(h)).chunk(4, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        return self.out(h)[:, None].expand(-1, x.shape[1], -1)


class Attention(nn.Module):
    """Two heads with projections of their own; causal on request."""

    def __init__(self, causal: bool) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(8, 8) for _ in range(4))
        self.causal = causal

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (f(x).unflatten(-1, (2, 4)).transpose(1, 2) for f in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """BERT's block (normalised afterwards, bidirectional) or GPT-2's (before, causal)."""

    def __init__(self, gpt: bool) -> None:
        super().__init__()
        self.gpt, self.attention = gpt, Attention(gpt)
        self.up, self.down = nn.Linear(8, 16), nn.Linear(16, 8)
        self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)

    def forward(self, x: Tensor) -> Tensor:
        if self.gpt:
            x = x + self.attention(self.norm1(x))
            return x + self.down(F.gelu(self.up(self.norm2(x))))
        x = self.norm1(x + self.attention(x))
        return self.norm2(x + self.down(F.gelu(self.up(x))))


class Projected(nn.Module):
    """Attention by torch's function, which takes the weights of layers, as CLIP pools."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(8, 8) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(0, 1)
        out, _ = F.multi_head_attention_forward(
            x, x, x, 8, 2, None, torch.cat([self.q.bias, self.k.bias, self.v.bias]), None, None, False, 0.0,
            self.out.weight, self.out.bias, use_separate_proj_weight=True, q_proj_weight=self.q.weight,
            k_proj_weight=self.k.weight, v_proj_weight=self.v.weight, need_weights=False,
        )  # fmt: skip
        return out.transpose(0, 1)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "LSTM": Recurrent,
    "BERT": lambda: nn.Sequential(Block(False), Block(False), nn.Linear(8, 5)),
    "GPT-2": lambda: nn.Sequential(Block(True), Block(True), nn.LayerNorm(8), nn.Linear(8, 5, bias=False)),
    "projections": lambda: nn.Sequential(Projected(), nn.Linear(8, 5)),
}


def data() -> tuple[Tensor, Tensor]:
    x = torch.randn((24, 4, 8), generator=seeded(1))
    return x, x.mean(1)[:, :5].argmax(1)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_computes_with_its_devices_and_all_of_them_learn(name: str) -> None:
    torch.manual_seed(0)
    model = convert(NETWORKS[name](), FIVE, 0.1, start="fresh", generator=seeded())
    x, y = data()
    torch.testing.assert_close(deployed(model)(x), model.eval()(x), rtol=1e-4, atol=1e-5)
    assert conversion_report(model).digital == ()
    learner = InSitu(torch.optim.Adam(model.parameters(), lr=0.02), model, seeded(2))
    before = {name: layer.latent_weight.detach().clone() for name, layer in synapse_layers(model)}
    losses = []
    for _ in range(60):
        loss = F.cross_entropy(model.train()(x)[:, -1], y)
        loss.backward()
        learner.step()
        learner.zero_grad()
        losses.append(float(loss.detach()))
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])
    for key, layer in synapse_layers(model):
        assert not torch.equal(layer.latent_weight, before[key]), key
        assert int(layer.synapses.counters.events(Phase.TRAINING).sum()) > 0, key


def test_torch_s_own_recurrent_and_attention_layers_are_refused_or_listed() -> None:
    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.lstm, self.out = nn.Embedding(9, 8), nn.RNN(8, 8, batch_first=True), nn.Linear(8, 5)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            h, _ = self.lstm(self.table(x))
            return self.out(self.attention(h, h, h, need_weights=False)[0])

    with pytest.raises(InputError, match=r"cannot be converted: lstm \(RNN\), attention \(MultiheadAttention\)"):
        convert(Tagger(), FIVE, 0.3)
    # An attention layer is digital as a whole or not at all.
    with pytest.raises(InputError, match=r"attention \(MultiheadAttention\)"):
        convert(Tagger(), FIVE, 0.3, keep_float=["lstm", "attention.out_proj"])
    model = convert(Tagger(), FIVE, 0.3, keep_float=["lstm", "attention"], generator=seeded())
    assert [name for name, _ in synapse_layers(model)] == ["out"]
    assert {matrix.name for matrix in conversion_report(model).digital} == {
        "table.weight", "lstm.weight_ih_l0", "lstm.weight_hh_l0", "attention.in_proj_weight",
        "attention.out_proj.weight",
    }  # fmt: skip
    assert model(torch.tensor([[1, 2, 3]])).shape == (1, 3, 5)


def test_tied_word_embeddings_are_refused_or_stay_digital_together() -> None:
    class Language(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.places = nn.Embedding(9, 8), nn.Parameter(torch.zeros(1, 4, 8))
            self.block, self.head = Block(True), nn.Linear(8, 9, bias=False)
            self.head.weight = self.words.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.block(self.words(x) + self.places))

    with pytest.raises(InputError, match="words and head share one weight"):
        convert(Language(), FIVE, 0.3)
    with pytest.warns(DigitalWeightsWarning, match=r"places \(Language, 1 x 4 x 8\)"):
        model = convert(Language(), FIVE, 0.3, keep_float=["head"], generator=seeded())
    assert model.head.weight is model.words.weight
    assert len(list(synapse_layers(model))) == 6


class Root(nn.Module):
    """A module whose forward is that of one layer."""

    def __init__(self) -> None:
        super().__init__()
        self.only = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.only(x)


ROOTS: dict[str, Callable[[], nn.Module]] = {
    "Linear": lambda: nn.Linear(6, 3),
    "Conv1d": lambda: nn.Conv1d(6, 3, 1),
    "Conv2d": lambda: nn.Conv2d(6, 4, 3, padding=1, groups=2),
    "Sequential": lambda: nn.Sequential(nn.Linear(6, 3)),
    "ModuleList": lambda: nn.ModuleList([nn.Linear(6, 4), nn.Linear(4, 3)]),
    "ModuleDict": lambda: nn.ModuleDict({"a": nn.Linear(6, 3)}),
    "own": Root,
}


def forward(model: nn.Module, x: Tensor) -> Tensor:
    if isinstance(model, nn.ModuleList | nn.ModuleDict):
        for layer in model.values() if isinstance(model, nn.ModuleDict) else model:
            x = layer(x)
        return x
    return model(x)


def step(model: nn.Module, learner: InSitu, seed: int) -> None:
    flat = any(type(m).__name__.endswith("Linear") for m in model.modules())
    wide = any(type(m).__name__.endswith("Conv2d") for m in model.modules())
    shape = (5, 6) if flat else (5, 6, 4, 4) if wide else (5, 6, 4)
    forward(model, torch.randn(shape, generator=seeded(seed))).square().mean().backward()
    learner.step()
    learner.zero_grad()


@pytest.mark.parametrize("name", ROOTS)
def test_any_root_is_converted_saved_and_resumed_to_the_bit(name: str) -> None:
    torch.manual_seed(0)
    plain = ROOTS[name]()

    def start() -> tuple[nn.Module, InSitu, torch.Generator]:
        noise = seeded(3)
        model = convert(copy.deepcopy(plain), FIVE, 0.02, generator=noise)
        return model, InSitu(torch.optim.Adam(model.parameters(), lr=0.05), model, noise), noise

    whole, learner, _ = start()
    for number in range(10):
        step(whole, learner, number)
    model, learner, noise = start()
    for number in range(5):
        step(model, learner, number)
    saved = copy.deepcopy((model.state_dict(), learner.state_dict(), noise.get_state()))
    other, learner, noise = start()
    other.load_state_dict(saved[0])
    learner.load_state_dict(saved[1])
    noise.set_state(saved[2])
    for number in range(5, 10):
        step(other, learner, number)
    for key, value in whole.state_dict().items():
        assert torch.equal(value, other.state_dict()[key]), key
    assert type(deployed(whole)) is type(plain)
    assert deployed(whole).state_dict().keys() == plain.state_dict().keys()
    assert len(list(synapse_layers(transfer(whole, chips=1)[0]))) == len(list(synapse_layers(whole)))
    events = sum(int(layer.synapses.counters.events(Phase.TRAINING).sum()) for _, layer in synapse_layers(whole))
    assert events > 0


@pytest.mark.parametrize("states", [2, 3, 5, 16])
@pytest.mark.parametrize("stuck_at", ["random", 1])
def test_states_and_stuck_devices_go_together(states: int, stuck_at: int | str) -> None:
    faults = Faults(stuck=0.25, stuck_at=stuck_at)  # type: ignore[arg-type]
    layer = convert(nn.Linear(60, 50), gaussian_device(states, 0.0), 0.01, faults=faults, generator=seeded())
    assert isinstance(layer, SynapseLinear)
    array = layer.synapses
    assert array.stuck is not None
    # Three thousand devices: within five standard deviations.
    assert abs(float(array.stuck.float().mean()) - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 3000)
    held = array.weight.clone()
    target = layer.quantiser.state(layer.latent_weight.detach())
    assert torch.equal(array.state[~array.stuck].long(), target[~array.stuck])
    if stuck_at == 1:
        assert set(array.state[array.stuck].tolist()) == {1}
    with torch.no_grad():
        layer.latent_weight.neg_()
    layer.program_all(seeded(1), phase=Phase.TRAINING)
    target = layer.quantiser.state(layer.latent_weight.detach())
    assert torch.equal(array.weight[array.stuck], held[array.stuck])
    torch.testing.assert_close(array.weight[~array.stuck], array.levels[target[~array.stuck]])
    # Those stuck in another state than their target have failed, and are counted.
    failed = int((array.stuck & (array.state.long() != target)).sum())
    assert int(array.counters.failed[Phase.TRAINING].sum()) == failed
