"""Fresh weights: devices without any spread do not all start alike, and the others start as before."""

from __future__ import annotations

import pytest
import torch

from barkhausen.device import preset
from barkhausen.learning import SynapseLinear


@pytest.mark.parametrize(("device", "reach"), [("skyrmion-3", 0.75), ("nonvolatile-3", 0.5), ("nonvolatile-5", 0.5)])
def test_fresh_weights_differ(device: str, reach: float) -> None:
    layer = SynapseLinear(50, 40, preset(device), margin=0.2, generator=torch.Generator().manual_seed(0))
    assert 0.99 * reach < float(layer.latent_weight.detach().abs().max()) <= reach
    assert float(layer.synapses.weight.std()) > 0.01


def test_a_spread_that_is_given_counts() -> None:
    layer = SynapseLinear(
        50, 40, preset("skyrmion-3"), margin=0.2, spread=0.4, generator=torch.Generator().manual_seed(0)
    )
    assert float(layer.latent_weight.detach().abs().max()) <= 0.4
    # But for the few that failed to nucleate.
    assert float((layer.synapses.weight != 0).float().mean()) < 0.05
