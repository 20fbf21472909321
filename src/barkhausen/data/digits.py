"""The 8 × 8 digits bundled with scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Int

from barkhausen.data.base import Dataset
from barkhausen.data.registry import DATASETS, DatasetEntry

DIGITS_TEST_SAMPLES: Final = 360
"""A fifth of scikit-learn's 1797 digits."""

# Part of the definition of the split: another value is another split.
_DIGITS_SEED: Final = 20_240_601


def load(data_dir: Path | None = None, allow_download: bool = True) -> Dataset:
    """The digits, a fixed fifth of each class for testing; they are in no directory and need no download."""
    # Takes as long to import as torch, and only this one data set needs it.
    from sklearn.datasets import load_digits  # noqa: PLC0415

    bundled = load_digits()
    inputs = torch.from_numpy((bundled.data / 16).astype(np.float32))
    labels = torch.from_numpy(bundled.target.astype(np.int64))
    test = np.zeros(len(labels), dtype=np.bool_)
    test[_stratified(bundled.target, DIGITS_TEST_SAMPLES)] = True
    for_test = torch.from_numpy(test)
    return Dataset(
        name="digits",
        source="bundled with scikit-learn",
        train_inputs=inputs[~for_test],
        train_labels=labels[~for_test],
        test_inputs=inputs[for_test],
        test_labels=labels[for_test],
        image_shape=tuple(bundled.images.shape[1:]),
        classes=len(bundled.target_names),
    )


def _stratified(labels: Int[np.ndarray, " sample"], samples: int) -> Int[np.ndarray, " chosen"]:
    """Indices of a fixed choice in which each class has its share of ``samples``, to within one."""
    generator = np.random.Generator(np.random.PCG64(_DIGITS_SEED))
    shuffled = generator.permutation(len(labels))
    # Class after class, shuffled within each; even steps through that take of each class what it is due.
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    steps = np.arange(samples) * len(labels) // samples
    return by_class[steps]


DIGITS = DATASETS.register(
    "digits",
    DatasetEntry(
        name="digits",
        label="digits",
        load=load,
        image_shape=(8, 8),
        classes=10,
        citation="E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI repository (1998), test part",
    ),
)
