from __future__ import annotations

import pytest
import torch
from torch import Tensor

from barkhausen.device import gaussian_device
from barkhausen.synapse import ProgrammedWeights, SynapseArray


def kolmogorov(a: Tensor, b: Tensor) -> float:
    """Largest distance of two empirical distribution functions."""
    both = torch.cat([a, b]).sort().values
    first, second = (torch.searchsorted(x.sort().values, both, right=True) / len(x) for x in (a, b))
    return float((first - second).abs().max())


@pytest.mark.parametrize(("margin", "attempts"), [(0.3, 1), (0.1, 5)])
def test_written_weights_are_those_of_fresh_programmed_devices(margin: float, attempts: int) -> None:
    device, generator = gaussian_device(3, 0.2), torch.Generator().manual_seed(0)
    written = ProgrammedWeights(device, margin=margin, max_attempts=attempts, generator=generator)
    count = 100_000
    for state in range(3):
        # Eight arrays of fresh devices, so that no single population of 4096 offsets decides.
        programmed = []
        for _ in range(8):
            array = SynapseArray((count // 8,), device, margin=margin, max_attempts=attempts, generator=generator)
            array.program(torch.full((count // 8,), state), generator=generator)
            programmed.append(array.weight)
        drawn = written.draw(torch.full((count,), state), generator)
        # 1.63 sqrt(2/n) = 0.0073 is the 1 % point for independent samples; the shared offsets add about as much.
        assert kolmogorov(torch.cat(programmed), drawn) < 0.016


def test_draws_are_independent_between_synapses_and_steps() -> None:
    device, generator = gaussian_device(2, 0.2), torch.Generator().manual_seed(0)
    written = ProgrammedWeights(device, margin=1.0, max_attempts=1, generator=generator)
    state = torch.zeros(400_000, dtype=torch.int64)
    first, second = (written.draw(state, generator) + 1 for _ in range(2))
    scale = float(first.var())
    # Four picks share one 64-bit word: correlation at lags 1 to 4 must vanish like any other (5 / sqrt n).
    for lag in (1, 2, 3, 4, 5):
        assert abs(float((first[:-lag] * first[lag:]).mean()) / scale) < 5 / 400_000**0.5
    assert abs(float((first * second).mean()) / scale) < 5 / 400_000**0.5
