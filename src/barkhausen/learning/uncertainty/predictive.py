"""Class probabilities of several members, their mean, and the parts of its entropy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy.special import softmax, xlogy
from torch import Tensor

from barkhausen.core.errors import InputError

SUM_TOLERANCE = 1e-3
"""Largest deviation of the sum of the probabilities of a sample from 1."""

PerSample = Float[np.ndarray, " sample"]


@dataclass(frozen=True, eq=False)
class Predictive:
    """Class probabilities by member: a stochastic pass, a chip, or a network of an ensemble.

    Attributes:
        probabilities: Probabilities, double precision, one row of classes for each member and sample.

    Raises:
        InputError: They are not probabilities.
    """

    probabilities: Float[np.ndarray, "member sample class"]

    def __post_init__(self) -> None:
        p = self.probabilities
        if p.ndim != 3 or 0 in p.shape:
            raise InputError(f"probabilities must be an array of members, samples and classes, got shape {p.shape}")
        if not np.isfinite(p).all() or p.min() < 0 or np.abs(p.sum(axis=2) - 1).max() > SUM_TOLERANCE:
            raise InputError("probabilities must be from 0 to 1 and sum to 1 over the classes of each sample")

    @classmethod
    def from_outputs(cls, outputs: Tensor | Float[np.ndarray, "member sample class"]) -> Predictive:
        """Probabilities as the softmax of the outputs of each member."""
        raw = outputs.detach().cpu().numpy() if isinstance(outputs, Tensor) else np.asarray(outputs)
        if raw.ndim != 3 or not np.isfinite(raw).all():
            raise InputError(f"outputs must be finite, by member, sample and class; got shape {raw.shape}")
        return cls(softmax(raw.astype(np.float64), axis=2))

    @property
    def members(self) -> int:
        """Number of members."""
        return len(self.probabilities)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.probabilities.shape[2])

    @cached_property
    def mean(self) -> Float[np.ndarray, "sample class"]:
        """Predictive mean: probabilities averaged over members."""
        return np.asarray(self.probabilities.mean(axis=0))

    @property
    def prediction(self) -> Int[np.ndarray, " sample"]:
        """Class of largest mean probability; the first of equal ones."""
        return np.asarray(self.mean.argmax(axis=1))

    @property
    def confidence(self) -> PerSample:
        """Mean probability of the predicted class."""
        return np.asarray(self.mean.max(axis=1))

    @cached_property
    def entropy(self) -> PerSample:
        """Entropy in nats of the predictive mean: the whole uncertainty."""
        return entropy_of(self.mean)

    @cached_property
    def expected_entropy(self) -> PerSample:
        """Mean over members of their entropies in nats: what every single member is unsure of (aleatoric part)."""
        return np.asarray(entropy_of(self.probabilities).mean(axis=0))

    @property
    def mutual_information(self) -> PerSample:
        """Entropy of the mean less the mean entropy, in nats: how much members disagree (epistemic part).

        Jensen's inequality makes it non-negative; rounding errors below zero are removed.
        """
        return np.asarray(np.maximum(self.entropy - self.expected_entropy, 0.0))


def entropy_of(probabilities: Float[np.ndarray, "*rows class"]) -> Float[np.ndarray, "*rows"]:
    """Entropy −Σ p ln p in nats over the classes."""
    return np.asarray(-xlogy(probabilities, probabilities).sum(axis=-1))
