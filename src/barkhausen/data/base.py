"""One data set in memory: samples, labels, and the splits made of them."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError

# Part of the definition of the split: another value is another split.
_VALIDATION_SEED: Final = 20_240_602

_ROWS_AT_A_TIME: Final = 4096


def _none() -> Int[Tensor, " none"]:
    return torch.empty(0, dtype=torch.int64)


@dataclass(frozen=True, eq=False)  # Two tensors have no single truth value to compare by.
class Dataset:
    """Samples, one row of inputs each, with their labels: images as rows of pixels, or rows of a table.

    Attributes:
        name: Name as given to :func:`load_dataset`.
        source: Where it came from, in words that are the same on every machine.
        train_inputs: Pixels or features, float32; in [0, 1] as loaded, pixels black to white.
        train_labels: Class of each training sample, int64, below ``classes``; 1 for anomalies and 0 for others. For
            regression, float32 rows of numbers.
        test_inputs: Like ``train_inputs``.
        test_labels: Like ``train_labels``.
        image_shape: Rows and columns of the image that a row of pixels is, or its channels, rows and columns; for a
            table its number of features alone.
        classes: Number of classes, or of numbers of a row of labels.
        task: Name of the task, such as ``classification``.
        kinds: Names of the kinds of samples where there are anomalies to detect, the normal kind first.
        train_kinds: Kind of each training sample as its place in ``kinds``, int64; empty where there are no kinds.
        test_kinds: Like ``train_kinds``.
        prepared: Whether each feature was scaled in its own way, so that standardising leaves it alone.
        target_unit: Unit of the numbers that are to be predicted, if there are any.
        target_offset, target_scale: What leads from numbers in ``train_labels`` and ``test_labels`` back to that unit:
            offset + scale × number.
    """

    name: str
    source: str
    train_inputs: Float[Tensor, "train_sample feature"]
    train_labels: Int[Tensor, " train_sample"] | Float[Tensor, "train_sample number"]
    test_inputs: Float[Tensor, "test_sample feature"]
    test_labels: Int[Tensor, " test_sample"] | Float[Tensor, "test_sample number"]
    image_shape: tuple[int, ...]
    classes: int
    task: str = "classification"
    kinds: tuple[str, ...] = ()
    train_kinds: Int[Tensor, " train_kind"] = field(default_factory=_none)
    test_kinds: Int[Tensor, " test_kind"] = field(default_factory=_none)
    prepared: bool = False
    target_unit: str = ""
    target_offset: float = 0.0
    target_scale: float = 1.0

    def standardised(self) -> Dataset:
        """Return the data set with zero mean and unit standard deviation over all training pixels.

        Two scalars, taken from the training part alone, shift and scale both parts. The standard deviation is
        the population's (division by the number of pixels). Prepared features stay as they are.

        Raises:
            InputError: All training pixels are equal.
        """
        if self.prepared:
            return self
        mean, deviation = _moments(self.train_inputs)
        if not deviation > 0:
            raise InputError(f"{self.name}: all training pixels are equal, so they cannot be standardised")
        return dataclasses.replace(
            self,
            train_inputs=self.train_inputs.sub(mean).div_(deviation),
            test_inputs=self.test_inputs.sub(mean).div_(deviation),
        )

    def symmetric(self) -> Dataset:
        """Return the data set with pixels from −1 (black) to 1 (white); prepared features stay as they are."""
        if self.prepared:
            return self
        return dataclasses.replace(
            self,
            train_inputs=self.train_inputs.mul(2.0).sub_(1.0),
            test_inputs=self.test_inputs.mul(2.0).sub_(1.0),
        )

    def pooled(self, size: int) -> Dataset:
        """Return the data set with every square of ``size`` × ``size`` pixels replaced by its largest pixel.

        Rows and columns left over at the right and at the bottom are cut off.

        Args:
            size: Edge of a square in pixels.

        Raises:
            InputError: The samples are no images, or are smaller than a square.
        """
        if len(self.image_shape) < 2 or min(self.image_shape[-2:]) < size:
            raise InputError(f"pool = {size}: the samples of {self.name} have the shape {self.image_shape}")
        *channels, rows, columns = self.image_shape
        shape = (*channels, rows // size, columns // size)

        def smaller(inputs: Tensor) -> Tensor:
            images = inputs.view(len(inputs), -1, rows, columns)
            return torch.nn.functional.max_pool2d(images, size).flatten(1).contiguous()

        return dataclasses.replace(
            self, train_inputs=smaller(self.train_inputs), test_inputs=smaller(self.test_inputs), image_shape=shape
        )

    def binary(self, threshold: float) -> Dataset:
        """Return the data set with inputs that are 1 above the threshold and 0 elsewhere; they are not standardised.

        Args:
            threshold: Threshold in units of the loaded inputs, which lie in [0, 1].

        Raises:
            InputError: All training inputs come out the same.
        """
        train, test = ((inputs > threshold).to(inputs.dtype) for inputs in (self.train_inputs, self.test_inputs))
        if bool((train == train[0, 0]).all()):
            raise InputError(f"threshold = {threshold:g}: all training inputs of {self.name} become {train[0, 0]:g}")
        return dataclasses.replace(self, train_inputs=train, test_inputs=test, prepared=True)

    def with_stopping(self, samples: int) -> tuple[Dataset, Dataset]:
        """Return the data set without the training samples on which early stopping is decided, and these as its test.

        Args:
            samples: Number to set aside, as for :meth:`with_validation`.

        Raises:
            InputError: ``samples`` is out of range.
        """
        held = self.with_validation(samples)
        rest = dataclasses.replace(
            held, test_inputs=self.test_inputs, test_labels=self.test_labels, test_kinds=self.test_kinds
        )
        return rest, held

    def with_validation(self, samples: int) -> Dataset:
        """Return a data set that tests on samples held out from training, and leaves the true test set alone.

        The training samples are put in an order that is fixed for their number; all but the last ``samples``
        train, those test. So a larger validation part contains every smaller one.

        Args:
            samples: Number to hold out, from 1 to one less than the training samples.

        Raises:
            InputError: ``samples`` is outside that range.
        """
        available = len(self.train_labels)
        if not 1 <= samples < available:
            raise InputError(
                f"validation samples = {samples}: must be from 1 to {available - 1}, "
                f"because {self.name} has {available} training samples"
            )
        generator = np.random.Generator(np.random.PCG64(_VALIDATION_SEED))
        order = torch.from_numpy(generator.permutation(available)).to(self.train_labels.device)
        training, validation = order[:-samples], order[-samples:]
        return dataclasses.replace(
            self,
            train_inputs=self.train_inputs[training],
            train_labels=self.train_labels[training],
            test_inputs=self.train_inputs[validation],
            test_labels=self.train_labels[validation],
            train_kinds=self.train_kinds[training] if self.kinds else self.train_kinds,
            test_kinds=self.train_kinds[validation] if self.kinds else self.test_kinds,
        )


def _moments(values: Float[Tensor, "sample feature"]) -> tuple[float, float]:
    """Mean and population standard deviation of all elements.

    Summed in double precision by numpy, whose order of summation, unlike torch's, does not depend on the
    number of threads.
    """
    total = squares = 0.0
    for rows in values.split(_ROWS_AT_A_TIME):
        wide = rows.numpy(force=True).astype(np.float64)
        total += float(wide.sum())
        squares += float(np.square(wide).sum())
    mean = total / values.numel()
    return mean, math.sqrt(max(squares / values.numel() - mean * mean, 0.0))
