"""Seeding of the replicas' random streams."""

from __future__ import annotations

import numpy as np

_GOLDEN = np.array([0x9E3779B97F4A7C15], dtype=np.uint64)


def _mixed(word: np.ndarray) -> np.ndarray:
    """The output function of splitmix64 (Steele, Lea and Flood, 2014)."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = word ^ (word >> np.uint64(31))
    return mixed


def stream_states(seed: int, replica_indices: np.ndarray) -> np.ndarray:
    """States (replicas, 4) of xoshiro128++, each a function of the seed and the replica's index alone.

    Seed and index are mixed one after the other, so that neighbouring seeds share no streams.
    """
    if seed < 0:
        raise ValueError(f"seed: {seed}, expected a natural number")
    indices = np.asarray(replica_indices)
    if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.integer) or (indices < 0).any():
        raise ValueError("replica_indices: expected one natural number per replica")
    key = np.zeros(1, dtype=np.uint64)
    while True:
        key = _mixed((key ^ np.uint64(seed & 0xFFFFFFFFFFFFFFFF)) + _GOLDEN)
        seed >>= 64
        if not seed:
            break
    start = _mixed((key ^ indices.astype(np.uint64)) + _GOLDEN)
    words = np.stack([_mixed(start + _GOLDEN), _mixed(start + _GOLDEN + _GOLDEN)], axis=1)
    states = np.stack([words & np.uint64(0xFFFFFFFF), words >> np.uint64(32)], axis=2).reshape(-1, 4).astype(np.uint32)
    states[~states.any(axis=1), 0] = 1  # all zero is the one state the generator never leaves
    return states
