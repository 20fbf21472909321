"""Memory layout of fields."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def along_longer_axis(m: Float[Tensor, "*any nx ny"]) -> Float[Tensor, "*any nx ny"]:
    """Tensor with the same values and the longer of x and y contiguous in memory.

    Operations cell by cell keep the order, and the transforms of the demagnetising field need not copy.
    """
    if m.shape[-2] >= m.shape[-1]:
        return m.transpose(-2, -1).contiguous().transpose(-2, -1)
    return m.contiguous()


def cross(
    a: Float[Tensor, "replica 3 nx ny"], b: Float[Tensor, "replica 3 nx ny"], out: Tensor | None = None
) -> Float[Tensor, "replica 3 nx ny"]:
    """a × b, component by component: several times faster than a cross product along a strided axis."""
    out = torch.empty_like(a) if out is None else out
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        torch.mul(a[:, j], b[:, k], out=out[:, i]).addcmul_(a[:, k], b[:, j], value=-1)
    return out
