"""Detection of anomalies by reconstruction error: error, threshold and figures, on plain tensors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class AnomalyFigures:
    """How well samples above a threshold agree with the anomalies among them; all from 0 to 1.

    Attributes:
        accuracy: Share of samples detected correctly, normal or anomalous.
        precision: Share of anomalies among the samples above the threshold; 0 if there are none above.
        recall: Share of anomalies above the threshold.
        f1: Harmonic mean of precision and recall.
        false_alarms: Share of normal samples above the threshold.
        auc: Probability that an anomaly has a larger error than a normal sample, which no threshold changes.
    """

    accuracy: float
    precision: float
    recall: float
    f1: float
    false_alarms: float
    auc: float


def reconstruction_error(
    inputs: Float[Tensor, "sample feature"], outputs: Float[Tensor, "sample feature"]
) -> Float[Tensor, " sample"]:
    """Mean squared difference between each sample and its reconstruction."""
    return (outputs - inputs).square().mean(dim=1)


def separating_threshold(errors: Float[Tensor, " sample"], kinds: Int[Tensor, " sample"]) -> float:
    """The error that best separates normal samples from anomalies when every kind of anomaly counts the same.

    It has the largest mean, over the kinds, of the part of the kind above it, less the part of the normal samples
    above it (Youden's index of each kind, averaged). A threshold for accuracy would be decided by the one or two
    kinds that make up most of the training data, and would miss the rare and the new ones. Half-way between two
    errors that occur; of equally good ones the highest.

    Args:
        errors: Reconstruction errors of samples that the autoencoder did not learn from.
        kinds: 0 for normal, another whole number for each kind of anomaly.

    Raises:
        ValueError: Errors that are not finite, no normal sample or no anomaly.
    """
    normal = _checked(errors, kinds == 0)
    weight = 1.0 / kinds.bincount().double()
    share = weight[kinds] / len(kinds[~normal].unique())
    share[normal] = -weight[0]
    ordered, order = errors.double().sort(descending=True)
    # gain[n] of flagging the n + 1 samples of largest error; only where the next error is another one.
    gain = share[order].cumsum(0)
    if len(ordered) > 1:
        gain[:-1].masked_fill_(ordered[:-1] == ordered[1:], -1.0)
    best = int(gain.argmax())
    if best == len(ordered) - 1:
        return float(torch.nextafter(errors.min(), errors.new_tensor(-torch.inf)))
    middle = float((ordered[best] + ordered[best + 1]) / 2)
    # Rounded to the precision of the errors, the middle of two neighbouring numbers may be the upper one.
    return middle if float(errors.new_tensor(middle)) < float(ordered[best]) else float(ordered[best + 1])


def anomaly_figures(
    errors: Float[Tensor, " sample"], labels: Int[Tensor, " sample"], threshold: float
) -> AnomalyFigures:
    """Compare samples with an error above the threshold to the anomalies.

    Args:
        errors: Reconstruction errors.
        labels: 0 for normal, anything else for an anomaly.
        threshold: Threshold as from :func:`separating_threshold`.

    Raises:
        ValueError: Errors that are not finite, no normal sample or no anomaly.
    """
    normal = _checked(errors, labels == 0)
    flagged = errors.double() > threshold
    hits = int((flagged & ~normal).sum())
    alarms = int((flagged & normal).sum())
    normals, anomalies = int(normal.sum()), int((~normal).sum())
    precision = hits / (hits + alarms) if hits + alarms else 0.0
    recall = hits / anomalies
    return AnomalyFigures(
        accuracy=(hits + normals - alarms) / len(errors),
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if hits else 0.0,
        false_alarms=alarms / normals,
        auc=_auc(errors[normal], errors[~normal]),
    )


def _auc(normal: Float[Tensor, " normal"], anomalous: Float[Tensor, " anomaly"]) -> float:
    """Fraction of pairs in which the anomaly has the larger error; equal errors count half."""
    ordered = normal.sort().values
    below = torch.searchsorted(ordered, anomalous) + torch.searchsorted(ordered, anomalous, right=True)
    return int(below.sum()) / (2 * len(normal) * len(anomalous))


def _checked(errors: Float[Tensor, " sample"], normal: Tensor) -> Tensor:
    if not bool(errors.isfinite().all()):
        raise ValueError("reconstruction errors that are not finite")
    if not bool(normal.any()) or bool(normal.all()):
        raise ValueError("normal samples and anomalies are both needed")
    return normal
