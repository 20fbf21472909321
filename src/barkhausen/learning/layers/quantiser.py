"""Quantisation of latent weights to the nearest state, at a cost that does not grow with the number of states."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn

CELLS = 8192
"""Number of cells of the look-up table over the range [−1, 1] of latent weights."""

EVEN = 1e-5
"""Precision to which levels must be evenly spaced to be quantised by rounding."""


class Quantiser(nn.Module):
    """Quantiser to the nearest of N ascending levels from −1 to 1.

    Evenly spaced levels are found by rounding, others by one table look-up. For the table, the thresholds halfway
    between neighbours are rounded to the edges of 8192 equal cells on [−1, 1], a shift of at most 1.2e-4, which is a
    thousandth of any realistic spread of devices. In both cases the time does not depend on N and is a fraction of that
    of a binary search (``torch.bucketize``).
    """

    levels: Tensor
    state_of_cell: Tensor
    level_of_cell: Tensor
    edges: Tensor

    def __init__(self, levels: Float[Tensor, " state"]) -> None:
        super().__init__()
        self.register_buffer("levels", levels.clone(), persistent=False)
        count = len(levels)
        even = torch.linspace(-1, 1, count, dtype=torch.float64, device=levels.device)
        self.even = bool((levels.double() - even).abs().max() < EVEN)
        # In units of their spacing the levels range from −reach to reach and lie at whole numbers or, if N is even,
        # halfway between.
        self.reach = (count - 1) / 2
        self.offset = self.reach % 1
        if not self.even:
            thresholds = (levels[1:].double() + levels[:-1].double()) / 2
            # The first cell that belongs to the upper neighbour; the last cell holds the single value 1.0.
            edges = torch.round((thresholds + 1) * (CELLS / 2)).long()
            self.register_buffer("edges", edges.float(), persistent=False)
            cells = torch.arange(CELLS + 1, device=levels.device)
            self.register_buffer("state_of_cell", torch.bucketize(cells, edges, right=True), persistent=False)
            self.register_buffer("level_of_cell", levels[self.state_of_cell], persistent=False)

    def error(
        self,
        latent_weight: Float[Tensor, "*synapse"],
        weight: Float[Tensor, "*synapse"],
        out: Float[Tensor, "*synapse"] | None = None,
    ) -> Float[Tensor, "*synapse"]:
        """Distance |w − L| of each weight from the level nearest to its latent weight, to be compared with the margin.

        Args:
            latent_weight: Latent weights in [−1, 1], clipped by the caller.
            weight: Synaptic weights.
            out: Tensor for the result, which avoids an allocation.
        """
        return self.level(latent_weight, out).sub_(weight).abs_()

    def level(
        self, latent_weight: Float[Tensor, "*synapse"], out: Float[Tensor, "*synapse"] | None = None
    ) -> Float[Tensor, "*synapse"]:
        """Level nearest to each latent weight in [−1, 1]; the result is written to ``out`` if given."""
        if self.even:
            level = self._place(latent_weight, out)
            if self.offset:
                level.add_(self.offset)
            level.mul_(1 / self.reach)
        else:
            cell = self._cell(latent_weight, out).reshape(-1)
            flat = None if out is None else out.view(-1)
            level = torch.index_select(self.level_of_cell, 0, cell, out=flat).view(latent_weight.shape)
        return level

    def state(self, latent_weight: Float[Tensor, "*synapse"]) -> Int[Tensor, "*synapse"]:
        """Index (int64) of the state nearest to each latent weight in [−1, 1]."""
        if self.even:
            return self._place(latent_weight).add_(self.reach + self.offset).to(torch.int64)
        return self.state_of_cell.index_select(0, self._cell(latent_weight).reshape(-1)).view(latent_weight.shape)

    def bounds(self, hysteresis: float = 0.0) -> tuple[Float[Tensor, " state"], Float[Tensor, " state"]]:
        """Latent weights below which, and from which on, each state is left for a neighbour.

        Args:
            hysteresis: Distance beyond the threshold between neighbours, in latent weight units.
        """
        levels = self.levels.double()
        thresholds = (levels[1:] + levels[:-1]) / 2 if self.even else self.edges.double() / (CELLS / 2) - 1.0
        end = torch.full_like(thresholds[:1], torch.inf)
        low, high = torch.cat([-end, thresholds - hysteresis]), torch.cat([thresholds + hysteresis, end])
        return low.to(self.levels.dtype), high.to(self.levels.dtype)

    def left(
        self, latent_weight: Float[Tensor, "*synapse"], held: UInt8[Tensor, "*synapse"], hysteresis: float = 0.0
    ) -> Bool[Tensor, "*synapse"]:
        """Whether the latent weight in [−1, 1] has left the range of the held state by the hysteresis."""
        index = held.to(torch.int64)
        low, high = self.bounds(hysteresis)
        beyond = (latent_weight < low[index]) | (latent_weight >= high[index])
        # Where rounding decides about a threshold, nothing would change.
        return beyond & (self.state(latent_weight) != index)

    def widest_hysteresis(self) -> float:
        """Hysteresis at which an outermost level could no longer be reached, in latent weight units."""
        low, high = self.bounds()
        return float(min(1.0 - high[-2], 1.0 + low[1]))

    def _place(self, latent_weight: Tensor, out: Tensor | None = None) -> Tensor:
        """Position of the nearest level in units of the spacing, without the offset of one half for even N."""
        place = torch.mul(latent_weight, self.reach, out=out)
        return place.floor_() if self.offset else place.round_()

    def _cell(self, latent_weight: Tensor, out: Tensor | None = None) -> Tensor:
        return torch.add(latent_weight, 1.0, out=out).mul_(CELLS / 2).to(torch.int32)
