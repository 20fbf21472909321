from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import binom
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from barkhausen.core.errors import InputError
from barkhausen.learning.spiking.encoders import Poisson
from barkhausen.learning.uncertainty import Predictive, measure_uncertainty, member_outputs, metrics
from barkhausen.learning.uncertainty.resampling import resampled_weights, with_intervals

GENERATOR = np.random.default_rng(5)
MEMBERS = GENERATOR.dirichlet(np.full(4, 0.7), size=(6, 300))
LABELS = np.array([GENERATOR.choice(4, p=p) for p in MEMBERS.mean(axis=0)])


def one_hot(*classes: int) -> np.ndarray:
    return np.eye(4)[list(classes)]


def test_entropies_of_members_that_agree_and_of_members_that_differ() -> None:
    sure_and_unsure = np.stack([np.stack([one_hot(0)[0], np.full(4, 0.25)])] * 3)
    found = Predictive(sure_and_unsure)
    assert found.entropy == pytest.approx([0.0, math.log(4)])
    assert found.mutual_information == pytest.approx([0.0, 0.0])
    differing = Predictive(one_hot(0, 1)[:, None])  # two sure members that contradict each other
    assert differing.entropy == pytest.approx([math.log(2)])
    assert differing.expected_entropy == pytest.approx([0.0])
    assert differing.mutual_information == pytest.approx([math.log(2)])


def test_softmax_of_outputs_and_refusal_of_what_is_no_probability() -> None:
    outputs = torch.tensor([[[0.0, math.log(3.0)]]])
    assert Predictive.from_outputs(outputs).mean[0] == pytest.approx([0.25, 0.75])
    with pytest.raises(InputError, match="sum to 1"):
        Predictive(np.full((1, 2, 2), 0.6))
    with pytest.raises(InputError, match="from 0 to 1, got 0 to 2"):
        measure_uncertainty(Predictive(np.full((1, 2, 2), 0.5)), np.array([0, 2]))


def test_scores_are_those_of_scikit_learn() -> None:
    found = measure_uncertainty(Predictive(MEMBERS), LABELS, resamples=0)
    mean = MEMBERS.mean(axis=0)
    assert found["nll"] == pytest.approx(log_loss(LABELS, mean))
    of_classes = sum(brier_score_loss(k == LABELS, mean[:, k]) for k in range(4))
    assert found["brier"] == pytest.approx(of_classes)
    wrong = mean.argmax(axis=1) != LABELS
    assert found["error_auc"] == pytest.approx(roc_auc_score(wrong, found.predictive.entropy))
    assert found["entropy"] == pytest.approx(found["expected_entropy"] + found["mutual_information"])
    alone = [log_loss(LABELS, p) for p in MEMBERS]
    assert found.single["nll"] == pytest.approx(np.mean(alone))


@pytest.mark.slow
def test_calibration_error_is_that_of_netcal() -> None:
    ECE = pytest.importorskip("netcal.metrics").ECE
    mean = MEMBERS.mean(axis=0)
    for bins in (5, 10, 15):
        found = measure_uncertainty(Predictive(MEMBERS), LABELS, bins=bins, resamples=0)
        assert found["ece"] == pytest.approx(ECE(bins).measure(mean, LABELS), abs=1e-12)


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.55, 0.6, 0.9, 1.0])
    correct = np.array([True, False, True, True])
    bins = metrics.Bins.of(confidence, 10)
    assert bins.place.tolist() == [5, 5, 8, 9]  # a bin holds its upper end
    weights = np.ones((1, 4), np.int64)
    found = metrics.calibration_error(confidence, correct, weights, bins)
    assert found[0] == pytest.approx((abs(1.15 - 1) + 0.1 + 0.0) / 4)
    equal = metrics.Bins.of(confidence, 2, equal_counts=True)
    assert np.bincount(equal.place).tolist() == [2, 2]


def test_rejection_is_the_expectation_over_the_order_of_equal_uncertainties() -> None:
    uncertainty = np.array([0.1, 0.5, 0.5, 0.5, 0.9])
    wrong = np.array([False, True, False, False, True])
    areas, kept = [], []
    for order in itertools.permutations((1, 2, 3)):
        ordered = wrong[[0, *order, 4]]
        areas.append(np.mean(ordered.cumsum() / np.arange(1, 6)))
        kept.append(1 - ordered[:3].mean())
    order = metrics.Ordered.by(uncertainty)
    once = np.ones((1, 5), np.int64)
    assert metrics.risk_coverage_area(wrong, once, order)[0] == pytest.approx(np.mean(areas))
    assert metrics.kept_accuracy(~wrong, once, order, np.array([0.6, 1.0]))[0] == pytest.approx([np.mean(kept), 0.6])
    # Weights count a sample as often as it would stand in the list.
    twice = np.array([[2, 1, 0, 1, 1]])
    repeated = metrics.Ordered.by(uncertainty[[0, 0, 1, 3, 4]])
    expected = metrics.risk_coverage_area(wrong[[0, 0, 1, 3, 4]], once, repeated)
    assert metrics.risk_coverage_area(wrong, twice, order) == pytest.approx(expected)
    assert metrics.error_detection(wrong, once, order)[0] == pytest.approx(roc_auc_score(wrong, uncertainty))


def test_intervals_are_those_of_the_binomial_distribution() -> None:
    assert all((w.sum(axis=1) == 50).all() for w in resampled_weights(50, 20, 0))
    right = np.arange(200) < 170
    (value, low, high), *_ = with_intervals(
        lambda weights: metrics.weighted_mean(right.astype(float), weights)[:, None], 200, resamples=4000
    )
    assert value == 0.85
    assert (low, high) == pytest.approx([q / 200 for q in binom(200, 0.85).interval(0.95)], abs=0.006)


def test_figures_without_errors_have_no_error_detection_and_the_summary_holds_no_nan() -> None:
    found = measure_uncertainty(Predictive(np.stack([one_hot(0, 1, 2)] * 2)), np.array([0, 1, 2]), resamples=50)
    summary = found.summary()
    assert summary["figures"]["error_auc"] == [None, None, None]
    assert summary["figures"]["accuracy"] == [1.0, 1.0, 1.0]
    assert summary["entropies"]["correct"][0] == 3
    assert "accuracy" in repr(found)


@pytest.mark.slow
def test_it_draws_itself() -> None:
    assert len(measure_uncertainty(Predictive(MEMBERS), LABELS, resamples=20).plot()) == 3


def test_passes_of_a_spiking_network_differ_and_leave_its_own_stream_alone() -> None:
    network = torch.nn.Sequential(Poisson(20, 100.0, 1e-3, seed=3), _Count())
    inputs = torch.rand(5, 4, generator=torch.Generator().manual_seed(0))
    before = network[0].noise_stream.clone()
    outputs, what = member_outputs(network, inputs, 3, seed=1)
    assert what == "passes"
    assert not torch.equal(outputs[0], outputs[1])
    assert torch.equal(outputs, member_outputs(network, inputs, 3, seed=1)[0])
    assert torch.equal(network[0].noise_stream, before)


class _Count(torch.nn.Module):
    def forward(self, spikes: torch.Tensor) -> torch.Tensor:
        return spikes.sum(dim=0)
