"""The breast-cancer data of Wisconsin bundled with scikit-learn: features of cell nuclei, benign or malignant.

W. N. Street, W. H. Wolberg, O. L. Mangasarian, Proc. SPIE 1905, 861 (1993); UCI repository. 569 samples with 30
features: mean, standard error and largest value of ten properties. Class 0 is malignant (212 samples), class 1 benign
(357).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field, ValidationInfo, field_validator

from barkhausen.core.config import StrictParameters
from barkhausen.data.base import Dataset
from barkhausen.data.registry import DATASETS, DatasetEntry

FEATURES = 30


class BreastCancerOptions(StrictParameters):
    """The table ``[dataset.options]`` of a recipe: one fold of a cross-validation tests, the others train."""

    folds: Annotated[int, Field(ge=2, le=50)] = 5
    """Number of folds, each with the classes in their proportion."""
    fold: Annotated[int, Field(ge=0)] = 0
    """Fold that tests, from 0."""
    shuffle: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of the division into folds; each is a repetition of the cross-validation."""
    both_signs: bool = False
    """Whether every feature also comes with the opposite sign, 60 inputs in all, for networks whose inputs are
    rates."""

    @field_validator("fold")
    @classmethod
    def _one_of_the_folds(cls, fold: int, info: ValidationInfo) -> int:
        folds = info.data.get("folds", 5)
        if fold >= folds:
            raise ValueError(f"must be below the number of folds, {folds}")
        return fold

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of a sample: the number of its features."""
        return (FEATURES * (2 if self.both_signs else 1),)


def load(data_dir: Path | None, allow_download: bool, options: Any = None) -> Dataset:
    """One division of the samples; they are in no directory and need no download.

    Every feature is scaled to zero mean and unit standard deviation over the training folds.
    """
    # Slow to import, and only this data set needs them.
    from sklearn.datasets import load_breast_cancer  # noqa: PLC0415
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415

    chosen = BreastCancerOptions() if options is None else options
    assert isinstance(chosen, BreastCancerOptions)
    bundled = load_breast_cancer()
    folds = StratifiedKFold(chosen.folds, shuffle=True, random_state=chosen.shuffle)
    train, test = list(folds.split(bundled.data, bundled.target))[chosen.fold]
    mean, deviation = bundled.data[train].mean(axis=0), bundled.data[train].std(axis=0)
    scaled = (bundled.data - mean) / deviation
    if chosen.both_signs:
        scaled = np.concatenate([scaled, -scaled], axis=1)
    inputs, labels = torch.from_numpy(scaled.astype(np.float32)), torch.from_numpy(bundled.target.astype(np.int64))
    return Dataset(
        name="breast-cancer",
        source="bundled with scikit-learn",
        train_inputs=inputs[train],
        train_labels=labels[train],
        test_inputs=inputs[test],
        test_labels=labels[test],
        image_shape=chosen.image_shape,
        classes=2,
        prepared=True,
    )


BREAST_CANCER = DATASETS.register(
    "breast-cancer",
    DatasetEntry(
        name="breast-cancer",
        label="breast cancer",
        load=load,
        classes=2,
        citation="W. N. Street, W. H. Wolberg, O. L. Mangasarian, Proc. SPIE 1905, 861 (1993); UCI repository",
        options=BreastCancerOptions,
    ),
)
