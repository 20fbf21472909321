"""Training with a chip in the forward pass: gradients, solutions of the wires, and what is exact when."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.device import preset
from barkhausen.learning import InSitu, convert, deployed, synapse_layers
from barkhausen.learning.layers.crossbar import CrossbarLayer, crossbar_layers, on_crossbar, refresh
from barkhausen.synapse.crossbar.chip import load_chip

QUIET = ("noise.factor=0", "adc.bits=24", "adc.range=full-scale", "inputs.bits=24")
NO_WIRES = ("wires.word_line=0", "wires.bit_line=0")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network() -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Linear(30, 12), nn.ReLU(), nn.Linear(12, 4)]
    return convert(nn.Sequential(*layers), preset("racetrack-5"), 0.3, generator=seeded())


def samples() -> torch.Tensor:
    return torch.randn((40, 30), generator=seeded(1))


def gradients(model: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    model(x).square().mean().backward()
    return [layer.latent_weight.grad for _, layer in synapse_layers(model) if layer.latent_weight.grad is not None]


def test_on_an_ideal_chip_the_gradient_is_that_of_the_devices() -> None:
    model, x = network(), samples()
    placed = on_crossbar(model, load_chip(None, [*QUIET, *NO_WIRES]), x).train()
    for mine, expected in zip(gradients(placed, x), gradients(model, x), strict=True):
        assert (mine - expected).abs().max() < 1e-3 * expected.abs().max()


def test_the_gradient_is_of_what_the_chip_computes() -> None:
    """With wires, the loss goes down along the gradient as finite differences of the tiles' matrix say."""
    x = samples()
    placed = on_crossbar(network(), load_chip(None, [*QUIET, "wires.word_line=20", "wires.bit_line=20"]), x).train()
    (layer, second) = crossbar_layers(placed).values()
    # No input at the very end of its range, where the slope is another to either side.
    second.input_limit *= 2
    (gradient, _) = gradients(placed, x)
    step = 1e-3 * gradient / gradient.norm()

    def loss() -> float:
        with torch.no_grad():
            return float(placed(x).double().square().mean())

    middle = layer.deviation
    layer.deviation = middle + step
    up = loss()
    layer.deviation = middle - step
    down = loss()
    assert (up - down) / 2e-3 == pytest.approx(float(gradient.norm()), rel=0.02)


def trained(steps: int) -> tuple[nn.Module, CrossbarLayer]:
    x = samples()
    placed = on_crossbar(network(), load_chip(None, [*QUIET, "wires.word_line=20", "wires.bit_line=20"]), x).train()
    learner = InSitu(torch.optim.SGD(placed.parameters(), lr=3.0), placed, seeded(3))
    for _ in range(steps):
        placed(x).square().mean().backward()
        learner.step()
        learner.zero_grad()
    return placed, next(iter(crossbar_layers(placed).values()))


def test_devices_are_followed_at_once_and_wires_at_each_refresh() -> None:
    placed, layer = trained(3)
    written = layer.layer.synapses.weight.flatten(1)
    assert not torch.equal(written, layer.matrix)
    followed = layer._matrix_in_training()
    assert torch.allclose(followed, written + layer.deviation, atol=1e-6)
    exact = layer.tiles
    exact.program(written.double())
    solved = exact.effective_weight().to(written)
    # The old deviation is nearer to the truth than none at all.
    assert 0 < float((followed - solved).detach().norm()) < 0.5 * float((written - solved).norm())
    refresh(placed)
    assert torch.allclose(layer._matrix_in_training(), solved, atol=1e-6)


def test_evaluation_is_exact_after_devices_were_written() -> None:
    placed, layer = trained(3)
    written = layer.layer.synapses.weight.flatten(1).double()
    placed.eval()
    assert torch.equal(layer.matrix, written.float())
    layer.tiles.program(written)
    assert torch.equal(layer.effective, layer.tiles.effective_weight().float())


def test_noise_and_converters_stay_on_in_training() -> None:
    x = samples()
    placed = on_crossbar(network(), load_chip(None, ["noise.factor=5"]), x, seeded(4)).train()
    assert not torch.equal(placed(x), placed(x))
    placed = on_crossbar(network(), load_chip(None, [*QUIET, "adc.bits=3"]), x).train()
    (first, _) = crossbar_layers(placed).values()
    assert len(first(x).detach().unique()) <= 8 * 12


def test_a_junction_of_higher_resistance_loses_less_and_is_noisier() -> None:
    model, x = network().eval(), samples()
    expected = model(x).detach()

    def error(*settings: str) -> float:
        placed = on_crossbar(model, load_chip(None, [*QUIET, *settings]), x, seeded(5))
        with torch.no_grad():
            return float((placed(x) - expected).norm() / expected.norm())

    low, high = "junction.resistance_area='device'", "junction.resistance_area=1e-9"
    assert error(high) < 0.1 * error(low)
    quiet = NO_WIRES
    assert error(high, *quiet, "noise.factor=1") > 3 * error(low, *quiet, "noise.factor=1")


def test_a_network_on_a_chip_is_in_evaluation_mode_all_through() -> None:
    placed = on_crossbar(network().train(), load_chip(None, QUIET), samples())
    assert not any(module.training for module in placed.modules())


def test_evaluation_follows_devices_whatever_changes_them() -> None:
    x = samples()
    placed = on_crossbar(network(), load_chip(None, QUIET), x)
    with torch.no_grad():
        before = placed(x)
        for _, layer in synapse_layers(placed):
            layer.synapses.weight.neg_()
        first = next(iter(crossbar_layers(placed).values()))
        now = placed(x)
        assert not torch.allclose(before, now, atol=1e-3)
        assert torch.equal(first.matrix, first.layer.synapses.weight.flatten(1))
        # Calibrated ranges go with the state.
        other = on_crossbar(network(), load_chip(None, QUIET), 3 * x)
        other.load_state_dict(placed.state_dict())
        assert torch.allclose(other(x), now, atol=1e-5)


def test_devices_that_differ_do_so_for_good() -> None:
    x = samples()

    def placed(seed: int, *settings: str) -> nn.Module:
        chip = load_chip(None, [*QUIET, "noise.spread=0.2", *settings])
        return on_crossbar(network(), chip, x, seeded(seed))

    with torch.no_grad():
        one = placed(6)
        assert torch.equal(one(x), one(x))
        assert not torch.allclose(one(x), placed(7)(x), atol=1e-3)
        # One read with many voltages, or a read for each digit: the same devices.
        serial = placed(6, "inputs.mode=bit-serial")
        assert torch.allclose(one(x), serial(x), atol=2e-3 * float(one(x).abs().max()))


def test_negative_inputs_are_refused_where_rows_take_none() -> None:
    with pytest.raises(InputError, match=r"inputs\.signed = false: negative inputs come to a layer of 30"):
        on_crossbar(network(), load_chip(None, ["inputs.signed=false"]), samples())


def test_many_planes_are_computed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    x = samples()
    chip = load_chip(None, [*QUIET, "inputs.bits=8", "inputs.mode=bit-serial"])
    with torch.no_grad():
        whole = on_crossbar(network(), chip, x)(x)
        monkeypatch.setattr("barkhausen.learning.layers.crossbar.AT_ONCE", 7 * 30 * 3)
        assert torch.allclose(on_crossbar(network(), chip, x)(x), whole, atol=1e-5)


def test_a_network_on_a_chip_is_not_deployed() -> None:
    with pytest.raises(InputError, match="is on a crossbar"):
        deployed(on_crossbar(network(), load_chip(None, QUIET), samples()))
