"""What a saved state says about its synapses, so that it is not loaded into others.

With the tensors of an array its ``state_dict`` has the hash of the device statistics, the tolerance margin and the
number of attempts that the array was made with, and the levels and spreads of the device for the message. A state of an
earlier version has only the latter, or nothing: it is checked as far as it goes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from barkhausen.core.errors import InputError

if TYPE_CHECKING:
    from barkhausen.synapse.array import SynapseArray

HASH, MARGIN, ATTEMPTS, LEVELS, SIGMAS = "device_hash", "margin", "max_attempts", "levels", "sigmas"

SIGMA_PRECISION = 1e-3
"""Relative difference up to which spreads are those of one device."""

MARGIN_PRECISION = 1e-6
"""Relative difference up to which margins are the same."""


def identity_of(array: SynapseArray) -> dict[str, Tensor]:
    """Tensors that identify the synapses of an array, for its ``state_dict``."""
    where, precision, write = array.weight.device, array.weight.dtype, array.made_with
    return {
        HASH: torch.tensor(list(array.kind.statistics_hash), dtype=torch.uint8, device=where),
        MARGIN: torch.tensor(write.margin, dtype=torch.float64, device=where),
        ATTEMPTS: torch.tensor(write.attempts, dtype=torch.int64, device=where),
        LEVELS: array.levels.detach().to(precision, copy=True),
        SIGMAS: array.kind.sigmas.to(where, precision, copy=True),
    }


def check_identity(array: SynapseArray, state_dict: dict[str, Any], prefix: str) -> None:
    """Take the tensors of :func:`identity_of` out of a saved state, and compare them with an array.

    Raises:
        InputError: The state was saved with another device, margin or number of attempts.
    """
    saved = {name: state_dict.pop(f"{prefix}{name}", None) for name in (HASH, MARGIN, ATTEMPTS, LEVELS, SIGMAS)}
    for name, value in saved.items():
        if value is not None and not isinstance(value, Tensor):
            raise InputError(f"{prefix}{name}: must be a tensor, got {type(value).__name__}")
    write = array.made_with
    different = [*_device(array, saved), *_number(saved[MARGIN], MARGIN, write.margin, prefix)]
    different += _number(saved[ATTEMPTS], ATTEMPTS, write.attempts, prefix)
    if different:
        raise InputError(
            f"{prefix.rstrip('.') or 'the array'}: saved with {' and '.join(different)}; convert with the same device, "
            "margin and max_attempts, then load (and use transfer for another margin or number of attempts, or set "
            "latent_weight and scale and call program_all for another device)"
        )


def _device(array: SynapseArray, saved: dict[str, Any]) -> list[str]:
    """The difference between devices in words, if there is one."""
    digest, levels, sigmas = saved[HASH], saved[LEVELS], saved[SIGMAS]
    if digest is not None and bytes(digest.flatten().to(torch.uint8).tolist()) == array.kind.statistics_hash:
        return []
    if levels is not None and levels.shape != array.levels.shape:
        return [f"another device ({levels.numel()} states, not {array.states})"]
    if levels is not None and not _close(levels, array.levels, 0.0):
        return [f"another device (levels {_listed(levels)}, not {_listed(array.levels)})"]
    if sigmas is not None and not _close(sigmas, array.kind.sigmas, SIGMA_PRECISION):
        return [f"another device (spread {_spread(sigmas):.3g}, not {_spread(array.kind.sigmas):.3g})"]
    if digest is not None:
        return ["another device (of the same levels and spreads, but other statistics)"]
    return []


def _number(saved: Tensor | None, name: str, mine: float, prefix: str) -> list[str]:
    if saved is None:
        return []
    if saved.numel() != 1:
        raise InputError(f"{prefix}{name}: must be one number, got {saved.numel()}")
    value, like = float(saved), float(torch.tensor(mine, dtype=saved.dtype))
    return [] if math.isclose(value, like, rel_tol=MARGIN_PRECISION) else [f"{name} = {value:g}, not {mine:g}"]


def _close(saved: Tensor, mine: Tensor, relative: float) -> bool:
    mine = mine.to(saved.device, saved.dtype)
    return saved.shape == mine.shape and torch.allclose(saved, mine, rtol=relative, atol=1e-6, equal_nan=True)


def _listed(levels: Tensor) -> str:
    values = [f"{value:.3g}" for value in levels.tolist()]
    return ", ".join(values if len(values) < 8 else [*values[:3], "…", values[-1]])


def _spread(sigmas: Tensor) -> float:
    """Root mean square over the states of the standard deviation of a programmed weight."""
    return float(sigmas.double().nan_to_num().square().sum(0).mean().sqrt())
