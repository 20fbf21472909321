"""Seeds for many generators from one."""

from __future__ import annotations

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
