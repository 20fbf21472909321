from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import binom, chisquare
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.synapse.compiled import reads as compiled
from barkhausen.synapse.read_stochastic import read_columns

ROWS = 20_000
P = torch.tensor([[0.02, 0.3, 0.5, 0.9], [1.0, 0.0, 0.75, 0.1]])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def exact(p: Tensor, x: Tensor, reads: int) -> np.ndarray:
    """Distribution of the number of all reads that pass in a column."""
    found = np.ones(1)
    for probability in (p * x).tolist():
        found = np.convolve(found, binom.pmf(np.arange(reads + 1), reads, probability))
    return found


@pytest.mark.parametrize("reads", [1, 8, 9, 64, 150])
@pytest.mark.parametrize("by", [True, False], ids=["compiled", "torch"])
def test_sums_have_the_exact_distribution(reads: int, by: bool) -> None:
    if by and not compiled.serves(P):
        pytest.skip("the compiled code was not built")
    # By torch every device is drawn on its own, which takes longer; a part of its inputs is between 0 and 1.
    x = torch.tensor([1.0, 1.0, 0.0, 0.5])
    sums = read_columns(x.expand(ROWS, -1), P, reads, seeded(reads), use_compiled=by)
    for column, p in zip(sums.T, P, strict=True):
        seen = np.bincount(np.rint(column.numpy() * reads).astype(int), minlength=4 * reads + 1)
        expected = ROWS * exact(p, x, reads)
        # Neighbouring counts together, until each class is expected often enough.
        bounds = [0]
        for end in range(1, len(expected) + 1):
            if expected[bounds[-1] : end].sum() >= 20 and expected[end:].sum() >= 20:
                bounds.append(end)
        parts = [np.add.reduceat(values, bounds) for values in (seen, expected)]
        assert chisquare(*parts).pvalue > 1e-4


def test_what_is_certain_is_certain() -> None:
    p = torch.tensor([[1.0, 0.0, 1.0]])
    for reads in (1, 20, 128):
        assert float(read_columns(torch.tensor([[1.0, 1.0, 0.0]]), p, reads, seeded())) == 1.0


def test_the_same_seed_gives_the_same_sums_in_any_division() -> None:
    if not compiled.serves(P):
        pytest.skip("the compiled code was not built")
    x = (torch.rand(50, 4, generator=seeded(1)) < 0.6).float()
    whole = compiled.read_sums(x, P, 77, seed=5)
    parts = [compiled.read_sums(x[start : start + 13], P, 77, seed=5, first_row=start) for start in range(0, 50, 13)]
    assert torch.equal(whole, torch.cat(parts))
    assert torch.equal(read_columns(x, P, 9, seeded(3)), read_columns(x, P, 9, seeded(3)))
    assert not torch.equal(whole, compiled.read_sums(x, P, 77, seed=6))


@pytest.mark.parametrize("reads", [0, 1 << 21])
def test_impossible_numbers_of_reads_are_refused(reads: int) -> None:
    with pytest.raises(InputError, match=f"reads = {reads}: must be from 1 to"):
        read_columns(torch.ones(1, 4), P, reads)
