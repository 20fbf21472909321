"""How this machine rounds: the same program gives other last bits on another processor."""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path

import numpy as np
import torch

from barkhausen.micromagnetics import compiled


def rounding() -> str:
    """Hash of the bits of some sums, products and functions, which libraries choose by the processor."""
    generator = torch.Generator().manual_seed(1)
    x, w = torch.rand(100, 784, generator=generator), torch.randn(784, 8, generator=generator)
    y = (x @ w).requires_grad_()
    loss = torch.nn.functional.cross_entropy(torch.tanh(y), torch.arange(100) % 8)
    (slope,) = torch.autograd.grad(loss, y)
    wide = x.double()
    results = [y, loss, x.T @ slope, torch.exp(x), x.mean(0), x.var(0), wide @ wide.T, torch.fft.rfft2(wide).abs()]
    whole = b"".join(result.detach().numpy().tobytes() for result in results)
    return hashlib.sha256(whole + np.linalg.solve(wide[:, :100].numpy(), np.ones(100)).tobytes()).hexdigest()[:16]


def as_kept(machine: Path) -> bool:
    """Whether this machine rounds as one on which kept numbers have been seen to the last bit.

    Args:
        machine: File of what is known of such machines.
    """
    kept = json.loads(machine.read_text(encoding="utf-8"))
    here = {
        "torch": str(torch.__version__),
        "machine": platform.machine(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "kernel": compiled.variant() if compiled.available() else None,
    }
    return all(kept[key] == value for key, value in here.items()) and rounding() in kept["rounding"]
