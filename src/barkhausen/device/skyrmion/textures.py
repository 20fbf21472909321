"""The textures of a disc: categories of the device, and states to start from."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.device.categories.schema import NONE
from barkhausen.micromagnetics import Film, domain_wall, skyrmion, uniform
from barkhausen.micromagnetics.observables.texture import CORE_DOWN, CORE_UP, DOWN, OTHER, UP

CATEGORIES = ("up", "down", "core_down", "core_up", "other")
"""Names of the categories, in the order of the codes of :class:`~barkhausen.micromagnetics.Texture`."""

STATES = (2, 0, 1, 1, NONE)
"""State of each category: 0 down, 1 skyrmion of either polarity, 2 up."""

STATE_NAMES = ("down", "skyrmion", "up")

MIRRORED = (DOWN, UP, CORE_UP, CORE_DOWN, OTHER)
"""Category that each becomes when the magnetisation is reversed. Without an applied field the disc does not tell up
from down, so the statistics of a category are those of its mirror image."""


def start(film: Film, category: int) -> Float[Tensor, "1 3 nx ny"]:
    """Magnetisation of a category that has not yet relaxed.

    Args:
        film: Disc.
        category: Number in :data:`CATEGORIES`; *other* is a wall across the disc.
    """
    if category in (UP, DOWN):
        return uniform(film, (0.0, 0.0, 1.0 if category == UP else -1.0))
    if category == OTHER:
        return domain_wall(film)
    radius = 0.22 * film.grid.length
    return skyrmion(film, radius=radius, width=0.5 * radius, polarity=1 if category == CORE_UP else -1)


def counted(codes: Int[Tensor, " replica"]) -> Int[Tensor, " category"]:
    """Number of replicas in each category."""
    return torch.bincount(codes, minlength=len(CATEGORIES))
