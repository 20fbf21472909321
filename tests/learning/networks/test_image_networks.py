"""Networks for colour images: sizes, whitening, and layers in another order in memory."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # torch's own convention

from barkhausen.core.errors import InputError
from barkhausen.experiment.network import float_network
from barkhausen.learning import conversion_report, convert
from barkhausen.learning.networks import Shapes
from barkhausen.learning.networks.fitted import fit_to_inputs
from barkhausen.learning.networks.settings import NetworkRecipe
from barkhausen.learning.networks.whitening import PatchWhitening

CIFAR = Shapes("cifar10", 3072, 10, (3, 32, 32))


def network(shapes: Shapes = CIFAR, **values: object) -> torch.nn.Module:
    return float_network(NetworkRecipe(**values), shapes, torch.Generator().manual_seed(0))


def weights(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters() if parameter.dim() > 1)


def test_the_vgg8_of_dnn_neurosim_has_its_12_97_million_weights() -> None:
    model = network(kind="vgg", hidden=[1024], normalisation="none", options={"bias": False})
    kernels = 9 * (3 * 128 + 128 * 128 + 128 * 256 + 256 * 256 + 256 * 512 + 512 * 512)
    assert weights(model) == kernels + 8192 * 1024 + 1024 * 10 == 12_973_440
    assert not [name for name, _ in model.named_parameters() if name.endswith("bias")]
    assert model(torch.zeros(1, 3072)).shape == (1, 10)


@pytest.mark.parametrize("shapes", [CIFAR, Shapes("mnist", 784, 10, (28, 28))])
@pytest.mark.parametrize(
    "values",
    [
        {"kind": "airbench", "channels": [4, 6, 8], "activation": "gelu"},
        {"kind": "airbench", "channels": [4, 6], "normalisation": "shift", "options": {"whitening": False}},
        {"kind": "vgg", "hidden": [7], "activation": "selu", "options": {"layers": [4, "pool", 6, "pool"]}},
        {
            "kind": "vgg",
            "hidden": [7],
            "normalisation": "none",
            "options": {"layers": [4, "pool"], "learn_scales": True},
        },
    ],
)
def test_forward_is_that_of_contiguous_images(shapes: Shapes, values: dict[str, object]) -> None:
    model = network(shapes, **values).eval()
    x = torch.randn(4, shapes.features, generator=torch.Generator().manual_seed(1))
    plain = x.view(4, -1, *shapes.image[-2:])
    for layer in list(model.children())[1:]:
        plain = layer(plain)
    assert model(x).shape == (4, 10)
    assert torch.allclose(model(x), plain, atol=1e-5)


def test_whitened_patches_are_uncorrelated_with_variance_one() -> None:
    model = network(kind="airbench", channels=[4, 6, 8])
    smooth = F.avg_pool2d(torch.randn(200, 3, 34, 34, generator=torch.Generator().manual_seed(1)), 3, 1)
    fit_to_inputs(model, smooth.flatten(1))
    layer = model.whitening
    assert isinstance(layer, PatchWhitening)
    out = layer(smooth)
    first, second = out.transpose(0, 1).flatten(1).double().split(12)
    assert torch.allclose(first, -second, atol=1e-4)
    covariance = torch.cov(first)
    expected = torch.linalg.eigvalsh(torch.cov(F.unfold(smooth, 2).transpose(0, 1).flatten(1).double())).flip(0)
    assert torch.allclose(covariance, torch.diag(expected / (expected + layer.eps)), atol=1e-3)
    assert model.training


def test_whitening_and_gain_stay_digital_and_all_matrices_go_on_devices() -> None:
    model = network(kind="airbench", channels=[4, 6, 8], options={"learn_gain": True, "gain": 0.5})
    converted = convert(model, "racetrack-5", start="fresh", generator=torch.Generator().manual_seed(0))
    report = conversion_report(converted)
    assert report.digital == ()
    assert len(report.on_devices) == 7
    assert converted.gain.gain.requires_grad
    assert not network(kind="airbench", channels=[4]).gain._parameters


def test_refused() -> None:
    with pytest.raises(InputError, match="nsl-kdd has no images"):
        network(Shapes("nsl-kdd", 41, 2, (41,)), kind="vgg")
    with pytest.raises(InputError, match="cannot be halved 6 times"):
        network(kind="vgg", options={"layers": [2, *["pool"] * 6]})
    with pytest.raises(InputError, match="cannot be halved so often"):
        network(kind="airbench", channels=[2] * 5)
