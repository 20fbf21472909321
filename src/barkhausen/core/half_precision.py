"""Matrix products and convolutions in bfloat16, where a processor is fast at them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Literal

import torch

Autocast = Literal["none", "bfloat16", "auto"]
"""Precision of products: that of the tensors, bfloat16, or bfloat16 where the processor has instructions for it."""

INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "arm_bf16", "bf16")
"""Names of :func:`torch.cpu.get_capabilities`. Without these instructions products in bfloat16 are several times slower
than in single precision."""


def has_bfloat16(where: torch.device) -> bool:
    """Whether a processor or an accelerator has instructions for products in bfloat16.

    Args:
        where: Device of the tensors.
    """
    if where.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = getattr(torch.cpu, "get_capabilities", None)
    if capabilities is not None:
        found = capabilities()
        return any(bool(found.get(name)) for name in INSTRUCTIONS)
    # Versions of torch before 2.9 know one of them.
    return bool(torch.cpu._is_avx512_bf16_supported())


def lowered(autocast: Autocast, where: torch.device) -> bool:
    """Whether products are in bfloat16.

    Args:
        autocast: Choice of the precision.
        where: Device of the tensors.
    """
    return autocast == "bfloat16" or (autocast == "auto" and has_bfloat16(where))


@contextlib.contextmanager
def lowered_products(autocast: Autocast, where: torch.device) -> Iterator[None]:
    """A block whose matrix products and convolutions have the chosen precision.

    Args:
        autocast: Choice of the precision.
        where: Device of the tensors.
    """
    if lowered(autocast, where):
        with torch.autocast(where.type, torch.bfloat16):
            yield
    else:
        yield


def choice_of_machine(autocast: Autocast, where: torch.device) -> list[str]:
    """A line on the precision of products, if the machine decided it.

    Args:
        autocast: Choice of the precision.
        where: Device of the tensors.
    """
    if autocast != "auto":
        return []
    found = "bfloat16" if lowered(autocast, where) else "single precision"
    return [f"autocast = 'auto': products were in {found} on this machine"]
