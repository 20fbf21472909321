"""Anomaly figures and threshold: against hand-made cases, brute force and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from barkhausen.experiment.tasks.anomaly_scores import anomaly_figures, reconstruction_error, separating_threshold

CASES = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 8), min_size=n, max_size=n),
        st.lists(st.integers(0, 3), min_size=n - 2, max_size=n - 2).map(lambda kinds: [0, 2, *kinds]),
    )
)
"""Errors with many equal ones, and kinds of which 0 and 2 occur while 1 and 3 may not."""


def gain(errors: Tensor, kinds: Tensor, threshold: float) -> float:
    """Mean recall of the kinds less the part of false alarms, one kind after the other."""
    above = errors > threshold
    recalls = [above[kinds == kind].double().mean().item() for kind in set(kinds.tolist()) - {0}]
    return float(np.mean(recalls)) - above[kinds == 0].double().mean().item()


def test_the_error_is_the_mean_square_of_each_row() -> None:
    inputs = torch.tensor([[0.0, 1.0, 2.0], [1.0, 1.0, 1.0]])
    outputs = torch.tensor([[0.0, 1.0, 5.0], [2.0, 0.0, 1.0]])
    assert reconstruction_error(inputs, outputs).tolist() == pytest.approx([3.0, 2 / 3])


@given(CASES)
@settings(max_examples=100)
def test_no_threshold_separates_better(case: tuple[list[int], list[int]]) -> None:
    errors, kinds = torch.tensor(case[0], dtype=torch.float32), torch.tensor(case[1])
    best = max(gain(errors, kinds, place) for place in np.arange(-0.5, 8))
    assert gain(errors, kinds, separating_threshold(errors, kinds)) == pytest.approx(best)


def test_the_threshold_is_half_way_between_errors() -> None:
    assert separating_threshold(torch.tensor([1.0, 2.0, 6.0, 8.0]), torch.tensor([0, 0, 1, 1])) == 4.0


def test_a_rare_kind_counts_as_much_as_a_frequent_one() -> None:
    # A fifth of the normal samples lie above 3. 1000 of kind 1 lie far above them; the one of kind 2 does not.
    errors = torch.cat([torch.linspace(0, 3.75, 50), torch.full((1000,), 9.0), torch.tensor([3.0])])
    kinds = torch.cat([torch.zeros(50), torch.ones(1000), torch.tensor([2.0])]).long()
    assert 2.5 < separating_threshold(errors, kinds) < 3.0
    # As one kind, the thousand decide: above all normal samples.
    assert separating_threshold(errors, kinds.clamp(max=1)) > 3.75


def test_errors_that_are_neighbours_are_still_parted() -> None:
    low = torch.tensor(0.1)
    high = torch.nextafter(low, torch.tensor(1.0))
    errors, labels = torch.stack([low, high]), torch.tensor([0, 1])
    assert anomaly_figures(errors, labels, separating_threshold(errors, labels)).accuracy == 1.0


def test_where_nothing_separates_everything_is_flagged_or_nothing() -> None:
    errors, kinds = torch.tensor([2.0, 1.0]), torch.tensor([0, 1])
    figures = anomaly_figures(errors, kinds, separating_threshold(errors, kinds))
    assert (figures.recall, figures.false_alarms) == (1.0, 1.0)


@given(CASES, st.integers(0, 8))
@settings(max_examples=30)
def test_figures_agree_with_scikit_learn(case: tuple[list[int], list[int]], threshold: int) -> None:
    from sklearn import metrics  # noqa: PLC0415

    errors, labels = torch.tensor(case[0], dtype=torch.float32), (torch.tensor(case[1]) != 0).long()
    flagged = errors > threshold
    figures = anomaly_figures(errors, labels, float(threshold))
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, flagged, average="binary", zero_division=0
    )
    assert figures.accuracy == pytest.approx(metrics.accuracy_score(labels, flagged))
    assert (figures.precision, figures.recall, figures.f1) == pytest.approx((precision, recall, f1))
    assert figures.auc == pytest.approx(metrics.roc_auc_score(labels, errors))
    assert figures.false_alarms == pytest.approx(flagged[labels == 0].double().mean().item())


def test_any_kind_is_an_anomaly() -> None:
    errors, kinds = torch.tensor([0.0, 1.0, 2.0, 3.0]), torch.tensor([0, 5, 0, 7])
    assert anomaly_figures(errors, kinds, 1.5) == anomaly_figures(errors, kinds.clamp(max=1), 1.5)


@pytest.mark.parametrize(
    ("errors", "kinds", "complaint"),
    [
        ([0.0, float("nan")], [0, 1], "not finite"),
        ([0.0, float("inf")], [0, 1], "not finite"),
        ([0.0, 1.0], [0, 0], "both needed"),
        ([0.0, 1.0], [1, 2], "both needed"),
    ],
)
def test_what_has_no_answer_is_refused(errors: list[float], kinds: list[int], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        separating_threshold(torch.tensor(errors), torch.tensor(kinds))
    with pytest.raises(ValueError, match=complaint):
        anomaly_figures(torch.tensor(errors), torch.tensor(kinds), 0.5)
