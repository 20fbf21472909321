"""Distribution of the weights of freshly programmed devices, which a precursor network is trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from barkhausen.device import CharacterisedDevice
from barkhausen.synapse.array import SynapseArray
from barkhausen.synapse.write_verify import WriteSettings, WriteVerify

if TYPE_CHECKING:
    from typing_extensions import Unpack

QUANTILES = 4096
SAMPLES_PER_QUANTILE = 16


class ProgrammedWeights(nn.Module):
    """Weights of fresh devices after write-verify, by target state, tabulated at 4096 mid-quantiles.

    The distribution depends on device offsets, noise, margin, attempts, faults and the ends of the range. It is sampled
    once with :class:`SynapseArray` itself; drawing a weight then takes one look-up.

    Args:
        device: Statistics of the devices.
        write: Write-verify settings.
        generator: Generator of the sample.
        settings: ``margin``, ``max_attempts`` and ``faults``, instead of ``write``.
    """

    table: Tensor

    def __init__(
        self,
        device: CharacterisedDevice,
        write: WriteVerify | None = None,
        *,
        generator: torch.Generator,
        **settings: Unpack[WriteSettings],
    ) -> None:
        super().__init__()
        count = QUANTILES * SAMPLES_PER_QUANTILE
        array = SynapseArray((count,), device, WriteVerify.given(write, **settings), generator=generator)
        rows = []
        for state in range(device.states):
            array.renew(generator)
            array.program(torch.full((count,), state, device=generator.device), generator=generator)
            ordered = array.weight.sort().values.view(QUANTILES, SAMPLES_PER_QUANTILE)
            rows.append(ordered.mean(dim=1))
        self.register_buffer("table", torch.stack(rows))

    def draw(
        self, state: Int[Tensor, "*synapse"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "*synapse"]:
        """Draw the weight of a fresh device programmed to each of the given states."""
        pick = _twelve_bits(state.numel(), generator, state.device).view(state.shape)
        index = state.to(torch.int32).mul(QUANTILES).add_(pick)
        return self.table.view(-1).index_select(0, index.view(-1)).view(state.shape)


def _twelve_bits(count: int, generator: torch.Generator | None, device: torch.device) -> Int[Tensor, " count"]:
    """Uniform integers below 4096, four from each 64-bit draw (most of the time is spent in the generator)."""
    words = torch.empty((count + 3) // 4, dtype=torch.int64, device=device)
    words.random_(generator=generator)
    return words.view(torch.int16)[:count].to(torch.int32).bitwise_and_(QUANTILES - 1)
