"""Networks on crossbar tiles against the same networks without wires, converters and noise."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.device import gaussian_device
from barkhausen.learning import convert
from barkhausen.learning.layers.crossbar import crossbar_layers, on_crossbar
from barkhausen.synapse.crossbar.chip import load_chip

IDEAL = (
    "wires.word_line=0",
    "wires.bit_line=0",
    "noise.factor=0",
    "adc.bits=20",
    "adc.percentile=100",
    "inputs.bits=20",
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network() -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 6, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(96, 5)]
    return convert(nn.Sequential(*layers), gaussian_device(5), 0.3, generator=seeded()).eval()


def images(samples: int = 64) -> torch.Tensor:
    return torch.randn((samples, 2, 8, 8), generator=seeded(1))


@pytest.mark.parametrize("scheme", ["reference-column", "differential-pair"])
@pytest.mark.parametrize("mode", ["analogue", "bit-serial"])
def test_an_ideal_chip_computes_what_the_network_computes(scheme: str, mode: str) -> None:
    model, x = network(), images()
    # Tiles smaller than the layers, so that partial sums are added.
    chip = load_chip(None, [*IDEAL, f"tile.scheme={scheme}", f"inputs.mode={mode}", "tile.rows=16", "tile.columns=4"])
    placed = on_crossbar(model, chip, x)
    with torch.no_grad():
        expected = model(x)
        assert (placed(x) - expected).abs().max() < 2e-3 * expected.abs().max()
    assert len(crossbar_layers(placed)) == 2


@pytest.mark.parametrize("mode", ["analogue", "bit-serial"])
def test_two_reads_cancel_what_the_devices_of_a_column_have_in_common(mode: str) -> None:
    """Σ L x + Σ e (x − c): a level L counts in full, an error e of a device only where the input differs from c."""
    torch.manual_seed(0)
    model = convert(nn.Sequential(nn.Linear(40, 7)), gaussian_device(5), 9.0, generator=seeded()).eval()
    x = torch.rand((64, 40), generator=seeded(1)) - 0.2
    settings = [*IDEAL, "tile.scheme=two-reads", f"inputs.mode={mode}", "tile.rows=16", "tile.columns=3"]
    placed = on_crossbar(model, load_chip(None, settings), x)
    (layer,) = crossbar_layers(placed).values()
    level = layer.layer.quantiser.levels[layer.layer.target_state()]
    error = layer.layer.synapses.weight - level
    assert float(error.square().mean().sqrt()) > 0.1
    groups = [x[:, part] for part in layer.parts]
    centred = torch.cat([group - group.mean(1, keepdim=True) for group in groups], dim=1)
    with torch.no_grad():
        expected = (x @ level.T + centred @ error.T) * layer.layer.scale + layer.layer.bias
        assert [len(part) for part in layer.parts] == [14, 13, 13]
        # Of bit-serial inputs each digit has its own common input, of 8 bits, and the digits' errors add up.
        assert (placed(x) - expected).abs().max() < 1e-2 * expected.abs().max()
        plain = (x @ (level + error).T) * layer.layer.scale + layer.layer.bias
        assert (plain - expected).abs().max() > 5e-2 * expected.abs().max()


def test_two_reads_have_the_error_of_both_conversions_and_both_noises() -> None:
    torch.manual_seed(0)
    model = convert(nn.Sequential(nn.Linear(100, 50)), gaussian_device(5, sigma=0.0), 9.0, generator=seeded()).eval()
    x = torch.randn((400, 100), generator=seeded(1))

    def error(scheme: str, *settings: str) -> float:
        chip = load_chip(None, [*IDEAL, f"tile.scheme={scheme}", *settings])
        placed = on_crossbar(model, chip, x, seeded(2))
        (layer,) = crossbar_layers(placed).values()
        with torch.no_grad():
            found = (placed(x) - model(x)) / layer.layer.scale / layer.input_limit
        step = 2 * layer.sum_limit / 2**8
        return float(found.square().mean()) / step**2

    # Rounding to steps is uniform: a twelfth of a step squared for each conversion.
    assert error("reference-column", "adc.bits=8") == pytest.approx(1 / 12, rel=0.05)
    assert error("two-reads", "adc.bits=8") == pytest.approx(2 / 12, rel=0.05)
    quiet = error("two-reads")
    assert error("two-reads", "noise.factor=100") > 100 * quiet


def test_wires_converters_and_noise_are_felt() -> None:
    model, x = network(), images()
    expected = model(x).detach()

    def error(*settings: str) -> float:
        placed = on_crossbar(model, load_chip(None, [*IDEAL, *settings]), x, seeded(2))
        with torch.no_grad():
            return float((placed(x) - expected).square().mean().sqrt() / expected.std())

    ideal = error()
    assert error("adc.bits=4") > 5 * ideal
    assert error("inputs.bits=4") > 5 * ideal
    assert error("noise.factor=1") > 5 * ideal
    assert error("wires.word_line=1", "wires.bit_line=1") > error("wires.word_line=0.1", "wires.bit_line=0.1") > ideal


def test_load_is_that_of_the_layer() -> None:
    placed = on_crossbar(network(), load_chip(None, IDEAL), images())
    first, second = (layer.load(name) for name, layer in crossbar_layers(placed).items())
    assert (first.outputs, first.inputs, first.uses) == (6, 18, 16)
    assert (second.outputs, second.inputs, second.uses) == (5, 96, 1)
    assert 0 < first.mean_square_voltage < 0.1**2


def test_networks_without_devices_are_refused() -> None:
    with pytest.raises(InputError, match="no synapse layer"):
        on_crossbar(nn.Linear(3, 2), load_chip(), torch.rand(4, 3))


def test_a_single_layer_is_put_on_tiles_too() -> None:
    layer = convert(nn.Linear(20, 5), gaussian_device(5), 0.3, generator=seeded()).eval()
    x = torch.randn((64, 20), generator=seeded(1))
    placed = on_crossbar(layer, load_chip(None, IDEAL), x)
    with torch.no_grad():
        torch.testing.assert_close(placed(x), layer(x), rtol=1e-3, atol=1e-3)
