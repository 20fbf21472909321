"""Gradients of a batch that are converted on a crossbar, and small ones that are dropped."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.device import gaussian_device
from barkhausen.experiment.recipe import recipe_from
from barkhausen.learning import SynapseLinear
from barkhausen.learning.precision import Precision
from barkhausen.learning.precision.layer_rms import LayerRMS
from barkhausen.learning.precision.lowered import learn_at, lower_precision
from barkhausen.learning.precision.sums import GradientSums

BITS = {"latent_bits": 8, "activation_bits": 4, "error_bits": 4}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sums(**precision: Any) -> GradientSums:
    return GradientSums([], Precision(**BITS, **precision), seeded())


def test_sums_are_rounded_to_the_levels_of_the_converter() -> None:
    gradient = torch.tensor([[0.7, -0.7, 0.09], [0.11, 0.0, -0.36]])
    sums(gradient_bits=4).converted(gradient)
    # Seven levels of 0.1 on each side of zero.
    torch.testing.assert_close(gradient, torch.tensor([[0.7, -0.7, 0.1], [0.1, 0.0, -0.4]]))
    zero = torch.zeros(3)
    sums(gradient_bits=4).converted(zero)
    assert not zero.any()


def test_noise_is_relative_to_the_largest_sum() -> None:
    gradient = 0.25 * torch.ones(20_000)
    gradient[0] = 1.0
    sums(gradient_bits=14, gradient_noise=0.01).converted(gradient)
    error = gradient[1:] - 0.25
    assert float(error.mean()) == pytest.approx(0, abs=4e-4)
    assert float(error.std()) == pytest.approx(0.01, rel=0.03)


def test_small_gradients_are_dropped() -> None:
    gradient = torch.tensor([1.0, -3.0, 0.5, 0.0, -0.2, 2.0])
    kept = gradient.clone()
    sums(update_share=0.5).largest(kept)
    assert kept.tolist() == [1.0, -3.0, 0.0, 0.0, 0.0, 2.0]
    kept = gradient.clone()
    # The root mean square is 1.54.
    sums(update_threshold=1.0).largest(kept)
    assert kept.tolist() == [0.0, -3.0, 0.0, 0.0, 0.0, 2.0]


def test_dropped_gradients_leave_their_latent_weights_alone_and_are_counted_so() -> None:
    shares = []
    for precision in (Precision(**BITS), Precision(**BITS, update_share=0.1)):
        layer = SynapseLinear(40, 30, gaussian_device(5), margin=0.3, generator=seeded())
        lower_precision(layer, precision)
        optimizer = LayerRMS([layer.latent_weight], lr=0.05)
        learn_at(layer, optimizer, precision, seeded(1))
        before = layer.latent_weight.detach().clone()
        layer(torch.randn(20, 40, generator=seeded(2))).square().sum().backward()
        optimizer.step()
        assert layer.low_precision is not None
        shares.append(float(layer.low_precision.updates[0] / layer.low_precision.updates[1]))
        assert float((layer.latent_weight != before).double().mean()) == pytest.approx(shares[-1])
    assert shares[0] > 0.9
    assert 0 < shares[1] <= 0.1


@pytest.mark.parametrize(
    ("precision", "words"),
    [
        ({"gradient_bits": 8}, "gradient_bits = 8: products on a crossbar need activation_bits and error_bits"),
        ({"gradient_noise": 0.1}, "gradient_noise is that of analogue sums"),
        ({"update_share": 0.1}, "they need latent_bits"),
        ({**BITS, "update_share": 0.0}, "update_share"),
    ],
)
def test_what_would_have_no_effect_is_refused(precision: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        recipe_from({"mode": "level-change", "precision": precision}, "test")
    assert "\n" not in str(error.value)


def test_the_usual_is_not_written() -> None:
    given = {**BITS, "gradient_bits": 8, "update_threshold": 0.5}
    assert recipe_from({"mode": "level-change", "precision": given}, "test").model_dump()["precision"] == given
