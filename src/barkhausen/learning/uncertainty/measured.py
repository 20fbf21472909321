"""Uncertainty of a classifier on labelled samples: figures with intervals, and the curves behind them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.device.statistics.shares import wilson
from barkhausen.learning.uncertainty import metrics
from barkhausen.learning.uncertainty.predictive import Predictive
from barkhausen.learning.uncertainty.resampling import LEVEL, RESAMPLES, with_intervals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 15
"""Bins of confidence of the calibration error."""
ENTROPY_BINS = 20
KEPT = tuple(float(share) for share in np.linspace(1.0, 0.05, 20).round(2))
"""Shares of the samples that are kept in the curve of accuracy against rejection."""

FIGURES: Mapping[str, str] = {
    "accuracy": "accuracy",
    "ece": "expected calibration error",
    "nll": "negative log-likelihood (nats)",
    "brier": "Brier score",
    "entropy": "predictive entropy (nats)",
    "expected_entropy": "mean entropy of members (nats)",
    "mutual_information": "mutual information (nats)",
    "aurc": "area under risk against coverage",
    "error_auc": "AUC of entropy as a sign of errors",
}
"""Labels of the figures, in the order of tables."""

HIGHER_IS_BETTER: Mapping[str, bool | None] = {
    **dict.fromkeys(("accuracy", "error_auc"), True),
    **dict.fromkeys(("ece", "nll", "brier", "aurc"), False),
    **dict.fromkeys(("entropy", "expected_entropy", "mutual_information"), None),
}
"""Direction of improvement; None for neither."""

OF_MEMBERS = ("accuracy", "ece", "nll", "brier", "aurc")
"""Figures that are also given as their mean over single members."""


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """Uncertainty of a classifier.

    Attributes:
        predictive: Probabilities of the members.
        labels: True classes.
        figures: Value, lower and upper end of the interval of each figure of :data:`FIGURES`.
        single: Mean over members of the figures of single members, those of :data:`OF_MEMBERS`.
        bins: Bins of confidence.
        rejection: Accuracy of the samples kept, with its interval, at each share of :data:`KEPT`.
        level: Confidence level of the intervals.
        what: What the members are, in words.
    """

    predictive: Predictive
    labels: Int[np.ndarray, " sample"]
    figures: Mapping[str, tuple[float, float, float]]
    single: Mapping[str, float]
    bins: metrics.Bins
    rejection: Float[np.ndarray, "share 3"]
    level: float
    what: str

    def __getitem__(self, name: str) -> float:
        """Value of a figure."""
        return self.figures[name][0]

    @property
    def correct(self) -> np.ndarray:
        """Whether each sample is classified correctly by the predictive mean."""
        return np.asarray(self.predictive.prediction == self.labels)

    def reliability(self) -> list[dict[str, float]]:
        """Bins of confidence that hold samples: number, mean confidence, accuracy and its 95 % Wilson interval."""
        rows = []
        confidence, correct = self.predictive.confidence, self.correct
        for number, (low, high) in enumerate(zip(self.bins.edges, self.bins.edges[1:], strict=False)):
            inside = self.bins.place == number
            count = int(inside.sum())
            if count:
                right = int(correct[inside].sum())
                ends = wilson(right, count)
                rows.append(
                    {
                        "low": float(low),
                        "high": float(high),
                        "samples": count,
                        "confidence": float(confidence[inside].mean()),
                        "accuracy": right / count,
                        "accuracy_low": ends[0],
                        "accuracy_high": ends[1],
                    }
                )
        return rows

    def entropies(self) -> dict[str, list[Any]]:
        """Histograms of the predictive entropy of correctly and of wrongly classified samples, from 0 to ln classes."""
        edges = np.linspace(0.0, math.log(self.predictive.classes), ENTROPY_BINS + 1)
        # Rounding may leave an entropy above that of equal probabilities.
        entropy = np.minimum(self.predictive.entropy, edges[-1])
        counts = [np.histogram(entropy[which], edges)[0].tolist() for which in (self.correct, ~self.correct)]
        return {"edges": edges.tolist(), "correct": counts[0], "wrong": counts[1]}

    def summary(self) -> dict[str, Any]:
        """Everything but the probabilities of single samples, as ``summary.json`` keeps it."""
        return {
            "members": self.predictive.members,
            "what": self.what,
            "samples": len(self.labels),
            "classes": self.predictive.classes,
            "level": self.level,
            "figures": {name: [_number(value) for value in values] for name, values in self.figures.items()},
            "single": {name: float(value) for name, value in self.single.items()},
            "bins": len(self.bins.edges) - 1,
            "reliability": self.reliability(),
            "rejection": {"kept": list(KEPT), "accuracy": self.rejection.tolist()},
            "entropies": self.entropies(),
        }

    def plot(self, axes: Sequence[Axes] | None = None) -> list[Axes]:
        """Draw reliability, accuracy against rejection, and entropies of correct and wrong samples.

        Args:
            axes: Three axes to draw on. Default: those of a new figure.
        """
        from barkhausen.learning.uncertainty.plots import plot_uncertainty  # noqa: PLC0415  # matplotlib is slow

        return plot_uncertainty(self.summary(), axes)

    def __repr__(self) -> str:
        lines = [f"<Uncertainty of {len(self.labels)} samples, {self.predictive.members} {self.what}>"]
        for name, (value, low, high) in self.figures.items():
            ends = "" if math.isnan(low) else f"  ({low:.4f} to {high:.4f})"
            lines.append(f"  {FIGURES[name]:36}{value:.4f}{ends}")
        return "\n".join(lines)


def measure_uncertainty(
    predictive: Predictive | Tensor,
    labels: Tensor | Int[np.ndarray, " sample"],
    *,
    bins: int = BINS,
    equal_counts: bool = False,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
    what: str = "members",
) -> Uncertainty:
    """Measure calibration, scores, rejection and the parts of the entropy, with bootstrap intervals over samples.

    The intervals say how much figures would change with other samples, not with other trainings.

    Args:
        predictive: Probabilities of the members, or their outputs (logits) by member, sample and class.
        labels: True classes.
        bins: Number of bins of confidence.
        equal_counts: Whether these bins hold equally many samples; otherwise they have equal widths.
        resamples: Number of resamples of the bootstrap; 0 for no intervals.
        level: Confidence level.
        seed: Seed of the bootstrap.
        what: What the members are, in words.

    Raises:
        InputError: Labels and probabilities do not fit each other, or a number is out of range.
    """
    if isinstance(predictive, Tensor):
        predictive = Predictive.from_outputs(predictive)
    true = labels.cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    true = _checked(true, predictive)
    if bins < 1 or resamples < 0 or not 0 < level < 1:
        raise InputError(
            f"bins = {bins}, resamples = {resamples}, level = {level}: must be 1 or more, 0 or more, 0 to 1"
        )
    mean, confidence = predictive.mean, predictive.confidence
    correct = predictive.prediction == true
    of_confidence = metrics.Bins.of(confidence, bins, equal_counts=equal_counts)
    ordered = metrics.Ordered.by(predictive.entropy)
    kept = np.array(KEPT)
    means = np.stack(
        [
            correct.astype(np.float64),
            metrics.log_loss(mean, true),
            metrics.brier(mean, true),
            predictive.entropy,
            predictive.expected_entropy,
            predictive.mutual_information,
        ],
        axis=1,
    )

    def figures_of(weights: metrics.Weights) -> Float[np.ndarray, "resample figure"]:
        accuracy, nll, brier, whole, within, between = (weights @ means / len(true)).T
        ece = metrics.calibration_error(confidence, correct, weights, of_confidence)
        aurc = metrics.risk_coverage_area(~correct, weights, ordered)
        auc = metrics.error_detection(~correct, weights, ordered)
        named = np.stack([accuracy, ece, nll, brier, whole, within, between, aurc, auc], axis=1)
        return np.concatenate([named, metrics.kept_accuracy(correct, weights, ordered, kept)], axis=1)

    biased = [list(FIGURES).index("ece")]
    found = with_intervals(figures_of, len(true), resamples=resamples, level=level, seed=seed, reflected=biased)
    named = {name: (float(row[0]), float(row[1]), float(row[2])) for name, row in zip(FIGURES, found, strict=False)}
    single = _single(predictive, true, bins, equal_counts)
    return Uncertainty(predictive, true, named, single, of_confidence, found[len(FIGURES) :], level, what)


def _single(
    predictive: Predictive, labels: Int[np.ndarray, " sample"], bins: int, equal_counts: bool
) -> dict[str, float]:
    """Means over members of the figures that each has alone."""
    ones = np.ones((1, len(labels)), np.int64)
    rows = []
    for p in predictive.probabilities:
        alone = Predictive(p[None])
        correct, confidence = alone.prediction == labels, alone.confidence
        of_confidence = metrics.Bins.of(confidence, bins, equal_counts=equal_counts)
        rows.append(
            (
                correct.mean(),
                metrics.calibration_error(confidence, correct, ones, of_confidence)[0],
                metrics.log_loss(p, labels).mean(),
                metrics.brier(p, labels).mean(),
                metrics.risk_coverage_area(~correct, ones, metrics.Ordered.by(alone.entropy))[0],
            )
        )
    return dict(zip(OF_MEMBERS, np.mean(rows, axis=0).tolist(), strict=True))


def _checked(labels: np.ndarray, predictive: Predictive) -> Int[np.ndarray, " sample"]:
    samples, classes = predictive.probabilities.shape[1:]
    if labels.shape != (samples,) or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(f"labels must be whole numbers, one for each of {samples} samples; got shape {labels.shape}")
    if labels.min() < 0 or labels.max() >= classes:
        raise InputError(f"labels must be from 0 to {classes - 1}, got {labels.min()} to {labels.max()}")
    return labels.astype(np.int64)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
