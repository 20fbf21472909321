"""Independent random streams from one seed."""

from __future__ import annotations

import zlib

import numpy as np
import torch


def stream(seed: int, name: str, device: str | torch.device = "cpu") -> torch.Generator:
    """A generator for one purpose ("order", "devices", …) of the run with this seed.

    Streams of different names or seeds are independent (numpy's ``SeedSequence`` mixes both), so that a change in
    how much one of them is used never shifts another.
    """
    mixed = np.random.SeedSequence([seed, zlib.crc32(name.encode())])
    return torch.Generator(device).manual_seed(int(mixed.generate_state(1, np.uint64)[0] >> 1))
