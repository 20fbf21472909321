"""Independent random generators from one seed."""

from __future__ import annotations

import zlib

import numpy as np
import torch


def mixed_seed(seed: int, number: int) -> int:
    """A 63-bit seed for the generator of that number; neighbouring seeds and numbers have nothing in common.

    The finaliser of splitmix64 (Steele, Lea and Flood, OOPSLA 2014).
    """
    value = (seed * 0x9E3779B97F4A7C15 + number * 0xD1B54A32D192ED03 + 0x2545F4914F6CDD1D) % (1 << 64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = ((value ^ (value >> shift)) * factor) % (1 << 64)
    return (value ^ (value >> 31)) >> 1


def numbered_generator(seed: int, number: int, device: torch.device | str = "cpu") -> torch.Generator:
    """The generator of that number under a seed: one for each device, group or film, whatever the company."""
    return torch.Generator(device).manual_seed(mixed_seed(seed, number))


def stream(seed: int, name: str, device: str | torch.device = "cpu") -> torch.Generator:
    """A generator for one purpose ("order", "devices", …) of the run with this seed.

    Streams of different names or seeds are independent (numpy's ``SeedSequence`` mixes both), so that a change in
    how much one of them is used never shifts another.
    """
    mixed = np.random.SeedSequence([seed, zlib.crc32(name.encode())])
    return torch.Generator(device).manual_seed(int(mixed.generate_state(1, np.uint64)[0] >> 1))
