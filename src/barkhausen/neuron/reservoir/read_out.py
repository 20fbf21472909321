"""Linear read-outs: ridge regression for many penalties at once, and recursive least squares.

The penalty is relative: λ n |w|² for n samples and features scaled to unit variance, so that λ = 1 halves the weight of
a feature that is correlated with no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from barkhausen.core.errors import InputError


@dataclass(frozen=True)
class LinearReadOut:
    """Weights on features and a constant.

    Attributes:
        weights: Weights.
        constant: Constants.
    """

    weights: Float[np.ndarray, "feature output"]
    constant: Float[np.ndarray, " output"]

    def __call__(self, features: Float[np.ndarray, "sample feature"]) -> Float[np.ndarray, "sample output"]:
        """Outputs."""
        return np.asarray(features @ self.weights + self.constant)

    @property
    def digest(self) -> str:
        """Digest of all numbers."""
        return hashlib.sha256(self.weights.tobytes() + self.constant.tobytes()).hexdigest()[:16]


def with_taps(
    states: Float[np.ndarray, "*sequence time node"], taps: int
) -> Float[np.ndarray, "*sequence row feature"]:
    """Features: the states of the last so many steps, the latest first; the first row is that of step ``taps − 1``."""
    rows = states.shape[-2] - taps + 1
    if taps < 1 or rows < 1:
        raise InputError(f"taps = {taps}: must be 1 to the {states.shape[-2]} steps of the states")
    return np.concatenate([states[..., taps - 1 - back : taps - 1 - back + rows, :] for back in range(taps)], axis=-1)


def ridge(
    features: Float[np.ndarray, "sample feature"],
    targets: Float[np.ndarray, "sample output"],
    penalties: Sequence[float],
) -> list[LinearReadOut]:
    """Ridge regression with a constant, for each penalty λ.

    Features are centred and scaled to unit variance (those that never change get no weight); one singular value
    decomposition serves all penalties.

    Raises:
        InputError: Samples differ in number, a number is not finite, or a penalty is negative.
    """
    if features.ndim != 2 or targets.ndim != 2 or len(features) != len(targets) or not len(features):
        raise InputError(f"ridge: features {features.shape} and targets {targets.shape} must have the same samples")
    if not (np.isfinite(features).all() and np.isfinite(targets).all()):
        raise InputError("ridge: features and targets must be finite")
    if any(not penalty >= 0 for penalty in penalties):
        raise InputError(f"ridge: penalties {list(penalties)}: must be zero or positive")
    middle = targets.mean(0)
    mean, scale, used = _scaling(features)
    left, values, right = np.linalg.svd((features - mean) / scale * used, full_matrices=False)
    projected = left.T @ (targets - middle)
    found = []
    for penalty in penalties:
        # A penalty of zero gives the shortest of the least-squares solutions.
        small = values <= 1e-12 * values.max(initial=0.0)
        factors = np.where(small, 0.0, values / np.where(small, 1.0, values**2 + penalty * len(features)))
        weights = (right.T @ (factors[:, None] * projected)) * (used / scale)[:, None]
        found.append(LinearReadOut(weights, middle - mean @ weights))
    return found


class RecursiveLeastSquares:
    """Weights that follow the samples one by one.

    After n samples without forgetting they are those of ridge regression with the penalty ``initial`` on weights and
    constant alike (S. Haykin, *Adaptive Filter Theory*, 4th edition, ch. 9).

    Args:
        features, outputs: Numbers of features and outputs.
        initial: Penalty.
        forgetting: Weight of a sample relative to the next.
    """

    def __init__(self, features: int, outputs: int = 1, *, initial: float = 1e-3, forgetting: float = 1.0) -> None:
        if not initial > 0:
            raise InputError(f"initial = {initial:g}: must be positive")
        if not 0 < forgetting <= 1:
            raise InputError(f"forgetting = {forgetting:g}: must be above 0 and at most 1")
        self.forgetting = forgetting
        self.weights = np.zeros((features + 1, outputs))
        self._inverse = np.eye(features + 1) / initial

    def update(self, features: Float[np.ndarray, " feature"], target: Float[np.ndarray, " output"]) -> float:
        """Take one sample in; root of the squared error of the forecast made before."""
        x = np.append(features, 1.0)
        error = np.asarray(target, np.float64) - x @ self.weights
        ahead = self._inverse @ x
        gain = ahead / (self.forgetting + x @ ahead)
        self.weights = self.weights + np.outer(gain, error)
        self._inverse = (self._inverse - np.outer(gain, ahead)) / self.forgetting
        # Rounding would make it lose its symmetry.
        self._inverse = (self._inverse + self._inverse.T) / 2
        return float(np.sqrt((error**2).sum()))

    @property
    def read_out(self) -> LinearReadOut:
        """The weights so far."""
        return LinearReadOut(self.weights[:-1].copy(), self.weights[-1].copy())


def recursive_read_out(
    features: Float[np.ndarray, "sample feature"],
    targets: Float[np.ndarray, "sample output"],
    penalty: float,
    forgetting: float,
) -> LinearReadOut:
    """Recursive least squares over all samples once, on features scaled as by :func:`ridge`."""
    mean, scale, _ = _scaling(features)
    learner = RecursiveLeastSquares(
        features.shape[1], targets.shape[1], initial=max(penalty, 1e-12) * len(features), forgetting=forgetting
    )
    for x, y in zip((features - mean) / scale, targets, strict=True):
        learner.update(x, y)
    found = learner.read_out
    weights = found.weights / scale[:, None]
    return LinearReadOut(weights, found.constant - mean @ weights)


def _scaling(
    features: Float[np.ndarray, "sample feature"],
) -> tuple[Float[np.ndarray, " feature"], Float[np.ndarray, " feature"], Bool[np.ndarray, " feature"]]:
    """Mean and standard deviation of each feature, 1 for those that never change, and which ones change."""
    mean, spread = features.mean(0), features.std(0)
    used = spread > 1e-12 * max(float(spread.max()), 1e-300)
    return mean, np.where(used, spread, 1.0), used
