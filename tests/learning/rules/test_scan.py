"""The compiled scan against torch's own operations, bit for bit."""

from __future__ import annotations

import pytest
import torch

from barkhausen.device import gaussian_device
from barkhausen.learning import InSitu, SynapseLinear
from barkhausen.learning.compiled import FIRST_CAPACITY, Scan
from barkhausen.learning.layers.quantiser import Quantiser

pytestmark = pytest.mark.skipif(
    not Scan.serves(torch.zeros(1)), reason="the compiled scan was not built (no C++ compiler at installation?)"
)

LEVELS = {
    "few uneven": torch.tensor([-1.0, -0.52, 0.03, 0.61, 1.0]),
    "many uneven": torch.linspace(-1, 1, 40).sign() * torch.linspace(-1, 1, 40).abs().sqrt(),
    "odd": torch.linspace(-1, 1, 5),
    "even": torch.linspace(-1, 1, 4),
    "two": torch.tensor([-1.0, 1.0]),
}


@pytest.mark.parametrize("levels", LEVELS.values(), ids=LEVELS)
@pytest.mark.parametrize("synapses", [1, 64, 8191])
@pytest.mark.parametrize("margin", [0.0, 0.05, 0.3])
def test_finds_what_torch_finds(levels: torch.Tensor, synapses: int, margin: float) -> None:
    generator = torch.Generator().manual_seed(synapses)
    quantiser = Quantiser(levels)
    latent_weight = torch.rand(synapses, generator=generator) * 2.4 - 1.2
    weight = latent_weight.clamp(-1, 1) + 0.1 * torch.randn(synapses, generator=generator)
    special = torch.tensor([1.0, -1.0, 0.0, 0.5, -0.5, 1.5])[: min(synapses, 6)]
    latent_weight[: len(special)] = special
    clipped = latent_weight.clamp(-1, 1)
    expected = (quantiser.error(clipped, weight) > margin).nonzero().squeeze(1)
    # More than it has room for at first: it must list all of them.
    assert margin > 0 or synapses < 8191 or len(expected) > FIRST_CAPACITY
    index, target = Scan(quantiser).outside(latent_weight, weight, margin)
    assert torch.equal(latent_weight, clipped)
    assert torch.equal(index, expected)
    assert torch.equal(target, quantiser.state(clipped[expected]))


@pytest.mark.parametrize("levels", LEVELS.values(), ids=LEVELS)
@pytest.mark.parametrize("synapses", [1, 64, 8191])
@pytest.mark.parametrize("hysteresis", [0.0, 0.01])
def test_finds_the_levels_left_that_torch_finds(levels: torch.Tensor, synapses: int, hysteresis: float) -> None:
    generator = torch.Generator().manual_seed(synapses)
    quantiser = Quantiser(levels)
    latent_weight = torch.rand(synapses, generator=generator) * 2.4 - 1.2
    clipped = latent_weight.clamp(-1, 1)
    moved = (clipped + 0.3 * torch.randn(synapses, generator=generator)).clamp(-1, 1)
    held = quantiser.state(moved).to(torch.uint8)
    expected = quantiser.left(clipped, held, hysteresis).nonzero().squeeze(1)
    assert synapses < 8191 or len(levels) < 40 or len(expected) > FIRST_CAPACITY
    index = Scan(quantiser).left(latent_weight, held, hysteresis)
    assert torch.equal(latent_weight, clipped)
    assert torch.equal(index[quantiser.state(clipped)[index] != held[index]], expected)
    latent_weight[0] = torch.nan
    with pytest.raises(IndexError, match="not a number"):
        Scan(quantiser).left(latent_weight, held, hysteresis)


def test_a_memory_that_is_not_a_number_is_told() -> None:
    latent_weight = torch.zeros(100)
    latent_weight[70] = torch.nan
    with pytest.raises(IndexError, match="not a number"):
        Scan(Quantiser(LEVELS["odd"])).outside(latent_weight, torch.zeros(100), 0.3)


def test_training_is_the_same_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def train() -> tuple[torch.Tensor, torch.Tensor]:
        generator = torch.Generator().manual_seed(0)
        layer = SynapseLinear(300, 40, gaussian_device(5), margin=0.3, generator=generator)
        learner = InSitu(torch.optim.Adam(layer.parameters(), lr=0.02), layer, generator)
        for _ in range(10):
            layer(torch.randn((8, 300), generator=generator)).square().mean().backward()
            learner.step()
            learner.zero_grad()
        return layer.synapses.weight.clone(), layer.latent_weight.detach().clone()

    compiled = train()
    monkeypatch.setattr(Scan, "serves", staticmethod(lambda latent_weight: False))
    plain = train()
    assert torch.equal(compiled[0], plain[0])
    assert torch.equal(compiled[1], plain[1])
