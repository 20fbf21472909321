"""Figures of merit of probabilities as functions of the weights of samples, so that one bootstrap serves them all.

The weights of a resample are how often it holds each sample; the figures themselves have all weights 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

Weights = Int[np.ndarray, "resample sample"]
PerResample = Float[np.ndarray, " resample"]
PerSample = Float[np.ndarray, " sample"]

SMALLEST = 1e-12
"""Probability that stands in for a smaller one in logarithms."""


def log_loss(probabilities: Float[np.ndarray, "sample class"], labels: Int[np.ndarray, " sample"]) -> PerSample:
    """Negative log-likelihood −ln p of the true class of each sample, in nats."""
    of_class = probabilities[np.arange(len(labels)), labels]
    return np.asarray(-np.log(np.maximum(of_class, SMALLEST)))


def brier(probabilities: Float[np.ndarray, "sample class"], labels: Int[np.ndarray, " sample"]) -> PerSample:
    """Brier score of each sample: squared distance of its probabilities from the true class, from 0 to 2.

    G. W. Brier, Mon. Weather Rev. 78, 1 (1950). With two classes it is twice the mean square error of one of them.
    """
    target = np.eye(probabilities.shape[1])[labels]
    return np.asarray(np.square(probabilities - target).sum(axis=1))


def weighted_mean(values: PerSample, weights: Weights) -> PerResample:
    """Mean over the samples of each resample."""
    return np.asarray(weights @ values / weights.sum(axis=1))


@dataclass(frozen=True, eq=False)
class Bins:
    """Bins of confidence, and the bin of each sample.

    Attributes:
        edges: Ends of the bins, rising from 0 to 1; a bin holds its upper end.
        place: Bin of each sample.
    """

    edges: Float[np.ndarray, " edge"]
    place: Int[np.ndarray, " sample"]

    @classmethod
    def of(cls, confidence: PerSample, number: int, *, equal_counts: bool = False) -> Bins:
        """Bins of equal width, or with equally many samples.

        Args:
            confidence: Probability of the predicted class.
            number: Number of bins; equal confidences share one, so that bins of equal counts may be fewer.
            equal_counts: Whether bins hold equally many samples.
        """
        edges = np.linspace(0.0, 1.0, number + 1)
        if equal_counts:
            inner = np.unique(np.quantile(confidence, edges[1:-1]))
            edges = np.concatenate([[0.0], inner[(inner > 0) & (inner < 1)], [1.0]])
        place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, len(edges) - 2)
        return cls(edges, place)

    @property
    def membership(self) -> Float[np.ndarray, "sample bin"]:
        """1 where a sample is in a bin, 0 elsewhere."""
        return np.asarray(np.eye(len(self.edges) - 1)[self.place])


def calibration_error(
    confidence: PerSample, correct: Bool[np.ndarray, " sample"], weights: Weights, bins: Bins
) -> PerResample:
    """Expected calibration error: |accuracy − confidence| of each bin, averaged over samples.

    M. P. Naeini, G. F. Cooper, M. Hauskrecht, AAAI (2015). It is biased upwards where bins hold few samples: a
    perfectly calibrated network has a positive one.
    """
    gaps = weights @ ((confidence - correct)[:, None] * bins.membership)
    return np.asarray(np.abs(gaps).sum(axis=1) / weights.sum(axis=1))


@dataclass(frozen=True, eq=False)
class Ordered:
    """Samples in the order of rising uncertainty; equal uncertainties are one group, in no order within it.

    Attributes:
        order: Samples, the surest first.
        starts: Place in the order where each group begins.
    """

    order: Int[np.ndarray, " sample"]
    starts: Int[np.ndarray, " group"]

    @classmethod
    def by(cls, uncertainty: PerSample) -> Ordered:
        """The order of these uncertainties."""
        order = np.argsort(uncertainty, kind="stable")
        new = np.diff(uncertainty[order], prepend=-np.inf) > 0
        return cls(order, np.flatnonzero(new))

    def sums(
        self, weights: Weights, values: Float[np.ndarray, " sample"] | None = None
    ) -> Int[np.ndarray, "resample group"]:
        """Sums over each group, of the weights alone or times values."""
        taken = weights[:, self.order]
        if values is not None:
            taken = taken * values[self.order]
        return np.asarray(np.add.reduceat(taken, self.starts, axis=1))


def risk_coverage_area(wrong: Bool[np.ndarray, " sample"], weights: Weights, ordered: Ordered) -> PerResample:
    """Error rate of the samples kept, averaged over all numbers that could be kept, the surest first.

    Y. Geifman, G. Uziel, R. El-Yaniv, ICLR (2019). Samples of equal uncertainty are kept in random order, over which it
    is the expectation, exactly: within a group of n samples after W others with E errors the error rate at W + i is
    (E + i e)/(W + i), whose sum over i is n e + (E − e W)(H(W + n) − H(W)) with harmonic numbers H.
    """
    number, errors = ordered.sums(weights), ordered.sums(weights, wrong.astype(np.int64))
    whole, failed = number.cumsum(axis=1), errors.cumsum(axis=1)
    before, failed_before = whole - number, failed - errors
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, whole[:, -1].max() + 1))])
    rate = errors / np.maximum(number, 1)
    area = number * rate + (failed_before - rate * before) * (harmonic[whole] - harmonic[before])
    return np.asarray(area.sum(axis=1) / whole[:, -1])


def kept_accuracy(
    correct: Bool[np.ndarray, " sample"], weights: Weights, ordered: Ordered, kept: Float[np.ndarray, " share"]
) -> Float[np.ndarray, "resample share"]:
    """Accuracy of the surest share of the samples, at least one; equal uncertainties are kept in random order.

    Args:
        correct: Whether each sample is classified correctly.
        weights: Weights of the samples.
        ordered: Their order.
        kept: Shares from 0 to 1.
    """
    number, right = ordered.sums(weights), ordered.sums(weights, correct.astype(np.int64))
    ends = np.concatenate([np.zeros((len(weights), 1)), number.cumsum(axis=1)], axis=1)
    sums = np.concatenate([np.zeros((len(weights), 1)), right.cumsum(axis=1)], axis=1)
    taken = np.maximum(np.rint(np.outer(ends[:, -1], kept)), 1.0)
    # Between the ends of a group the expected number of correct samples grows in proportion.
    found = np.stack([np.interp(at, x, y) for at, x, y in zip(taken, ends, sums, strict=True)])
    return np.asarray(found / taken)


def error_detection(wrong: Bool[np.ndarray, " sample"], weights: Weights, ordered: Ordered) -> PerResample:
    """Probability that a wrong sample is less sure than a correct one (area under the ROC curve); NaN without both.

    Equal uncertainties count half.
    """
    errors = ordered.sums(weights, wrong.astype(np.int64)).astype(np.float64)
    right = ordered.sums(weights) - errors
    below = right.cumsum(axis=1) - right / 2
    pairs = errors.sum(axis=1) * right.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(pairs > 0, (errors * below).sum(axis=1) / pairs, np.nan))
