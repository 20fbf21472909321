"""Read-outs against scikit-learn, and capacities of a register that shifts its inputs."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from barkhausen.core.errors import InputError
from barkhausen.neuron.reservoir import (
    RecursiveLeastSquares,
    capacities,
    horizons,
    nrmse,
    random_bits,
    ridge,
    with_taps,
)
from barkhausen.neuron.reservoir.read_out import recursive_read_out


def samples(count: int = 80, features: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(3, rng.uniform(0.1, 4, features), (count, features))
    return x, x @ rng.normal(size=(features, 2)) + rng.normal(size=(count, 2)) + 5


def test_ridge_agrees_with_scikit_learn() -> None:
    x, y = samples()
    scaler = StandardScaler().fit(x)
    penalties = [1e-6, 1e-2, 3.0]
    for penalty, ours in zip(penalties, ridge(x, y, penalties), strict=True):
        theirs = Ridge(alpha=penalty * len(x)).fit(scaler.transform(x), y)
        np.testing.assert_allclose(ours(x[:9]), theirs.predict(scaler.transform(x[:9])), rtol=1e-8)


def test_ridge_ignores_what_never_changes_and_bears_more_features_than_samples() -> None:
    x, y = samples(10, 30)
    x[:, 4] = 7.0
    (exact,) = ridge(x, y, [0.0])
    np.testing.assert_allclose(exact(x), y, atol=1e-6)
    assert not exact.weights[4].any()
    with pytest.raises(InputError, match="finite"):
        ridge(x, y * np.nan, [0.0])
    with pytest.raises(InputError, match="penalties"):
        ridge(x, y, [-1.0])


def test_recursive_least_squares_reaches_ridge_regression() -> None:
    x, y = samples()
    learner = RecursiveLeastSquares(12, 2, initial=0.5)
    for row, target in zip(x, y, strict=True):
        learner.update(row, target)
    wide = np.concatenate([x, np.ones((len(x), 1))], 1)
    direct = np.linalg.solve(wide.T @ wide + 0.5 * np.eye(13), wide.T @ y)
    np.testing.assert_allclose(learner.weights, direct, rtol=1e-6, atol=1e-8)
    (batch,) = ridge(x, y, [1e-8])
    np.testing.assert_allclose(recursive_read_out(x, y, 1e-8, 1.0)(x), batch(x), rtol=1e-4)
    with pytest.raises(InputError, match="forgetting"):
        RecursiveLeastSquares(3, forgetting=1.5)


def test_taps_put_the_latest_state_first() -> None:
    states = np.arange(12.0).reshape(6, 2)
    found = with_taps(states, 3)
    assert found.shape == (4, 6)
    assert found[0].tolist() == [4, 5, 2, 3, 0, 1]
    with pytest.raises(InputError, match="taps = 7"):
        with_taps(states, 7)


def test_a_shift_register_has_the_memory_of_its_length_and_no_parity() -> None:
    bits, before, length = random_bits(2000, 1), 12, 5
    steps = np.arange(before, 2000)
    register = np.stack([bits[steps - delay] for delay in range(length + 1)], 1) * 1.0
    found = capacities(register, bits, before=before, delays=10)
    assert found.memory_capacity == pytest.approx(length, abs=0.02)
    assert found.memory[length] > 0.99 and found.memory[length + 1 :].max() < 0.02
    assert found.parity_capacity < 0.05
    # With the product of the last two bits as a further node, the parity of delay 1 is linear.
    both = np.concatenate([register, register[:, :1] * register[:, 1:2]], 1)
    assert capacities(both, bits, before=before).parity_capacity == pytest.approx(1.0, abs=0.05)
    with pytest.raises(InputError, match="bits"):
        capacities(register, bits, before=3)


def test_scores_of_known_forecasts() -> None:
    truth = np.zeros((3, 5))
    forecast = np.array([[0, 0, 0, 0, 0], [0.0, 0.3, 0.5, 0, 0], [np.nan, 0, 0, 0, 0]])
    assert horizons(forecast, truth, 1.0).tolist() == [5, 2, 0]
    assert nrmse(np.full((2, 3), 2.0), np.zeros((2, 3)), 4.0) == pytest.approx(0.5)
    assert nrmse(forecast, truth, 1.0) == float("inf")
