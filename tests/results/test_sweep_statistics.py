"""Statistics of nested and paired results, against scipy, by hand, and on data whose truth is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from barkhausen.results import statistics
from barkhausen.results.statistics import (
    components,
    hedges_correction,
    holm,
    mean_interval,
    nested,
    paired_test,
    resampled_means,
    seed_means,
    sign_flip_test,
    with_moments,
)

SKEWED = np.exp(1.3 * stats.norm.ppf((np.arange(12) + 0.5) / 12))
VALUES = np.array([98.1, 98.4, 97.7, 98.9, 98.0, 98.3, 99.4, 98.2, 97.9, 98.6])


class TestComponents:
    def test_of_balanced_data_are_those_of_the_textbook(self) -> None:
        samples = np.array([[1.0, 2.0, 3.0], [4.0, 6.0, 8.0], [2.0, 2.0, 5.0]])
        within = np.mean([1.0, 4.0, 3.0])
        between = 3 * np.var([2.0, 6.0, 3.0], ddof=1)
        found = components(samples)
        assert found.chips == pytest.approx(math.sqrt(within))
        assert found.seeds == pytest.approx(math.sqrt((between - within) / 3))
        assert not found.clipped

    def test_are_unbiased_with_unequal_numbers_of_chips(self) -> None:
        # Truth: variances 4 between seeds and 1 between chips. 2000 tables of 6 seeds: the standard error of the mean
        # estimate between seeds is about (4 + 1/3) sqrt(2 / 5) / sqrt(2000) = 0.06, of that between chips 0.01.
        generator = np.random.default_rng(3)
        counts = [1, 2, 3, 3, 5, 8]
        found = []
        for _ in range(2000):
            chips = [2 * generator.standard_normal() + generator.standard_normal(count) for count in counts]
            found.append(components(nested(chips)))
        assert np.mean([part.seeds**2 for part in found]) == pytest.approx(4.0, abs=0.25)
        assert np.mean([part.chips**2 for part in found]) == pytest.approx(1.0, abs=0.04)

    def test_clips_a_negative_variance_and_says_so(self) -> None:
        found = components(np.array([[0.0, 10.0], [0.1, 10.1], [0.0, 10.0]]))
        assert (found.seeds, found.clipped) == (0.0, True)
        assert found.chips == pytest.approx(math.sqrt(50))

    def test_says_nothing_of_what_cannot_be_known(self) -> None:
        single = components(np.array([[1.0], [2.0], [4.0]]))
        assert single.seeds == pytest.approx(np.std([1, 2, 4], ddof=1))
        assert math.isnan(single.chips)
        one_seed = components(np.array([[1.0, 2.0, 4.0]]))
        assert math.isnan(one_seed.seeds)
        assert one_seed.chips == pytest.approx(np.std([1, 2, 4], ddof=1))
        assert math.isnan(components(np.empty((0, 0))).seeds)

    def test_from_moments_are_those_of_the_chips(self) -> None:
        generator = np.random.default_rng(5)
        chips = [generator.normal(seed, 1.0, size) for seed, size in enumerate((2, 7, 4))]
        moments = [with_moments(len(row), row.mean(), row.std(ddof=1)) for row in chips]
        true, found = components(nested(chips)), components(nested(moments))
        assert (found.seeds, found.chips) == pytest.approx((true.seeds, true.chips))


class TestInterval:
    def test_of_few_seeds_is_students_and_says_so(self) -> None:
        found = mean_interval(VALUES[:4, None], 0)
        true = stats.ttest_1samp(VALUES[:4], 0.0).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((true.low, true.high))
        assert found.method == "Student t over 4 seeds"

    def test_of_chips_of_few_seeds_takes_the_mean_of_each_seed(self) -> None:
        samples = nested([[1.0, 3.0], [4.0], [5.0, 6.0, 7.0]])
        true = stats.ttest_1samp([2.0, 4.0, 6.0], 0.0).confidence_interval(0.95)
        found = mean_interval(samples, 0)
        assert (found.low, found.high) == pytest.approx((true.low, true.high))

    def test_is_nothing_for_one_seed(self) -> None:
        found = mean_interval(np.array([[1.0, 2.0, 3.0]]), 0)
        assert math.isnan(found.low)
        assert math.isnan(found.high)
        assert "fewer than two seeds" in found.method

    @pytest.mark.parametrize(("ours", "theirs"), [("percentile", "percentile"), ("bca", "BCa")])
    def test_of_seeds_alone_is_that_of_scipy(self, ours: str, theirs: str) -> None:
        # Ends of 200 000 resamples scatter by sqrt(0.025 * 0.975 / 200000) / density. The density is 0.06 / (standard
        # error of the mean) for a normal mean, and a third of that in the longer tail here: 0.006 to 0.018 standard
        # errors each, so up to 0.025 for the difference of two; three of these are allowed. Skewness moves the ends by
        # 0.24 and 0.9 standard errors, bias by 0.1 and more.
        error = SKEWED.std(ddof=1) / math.sqrt(len(SKEWED))
        found = mean_interval(SKEWED[:, None], 1, method=ours, resamples=200_000)  # type: ignore[arg-type]
        true = stats.bootstrap(
            (SKEWED,), np.mean, n_resamples=200_000, method=theirs, rng=np.random.default_rng(2), vectorized=True
        ).confidence_interval
        assert (found.low, found.high) == pytest.approx((true.low, true.high), abs=0.075 * error)

    def test_of_many_seeds_is_a_bootstrap_that_the_same_seed_repeats(self) -> None:
        samples = np.random.default_rng(0).standard_normal((statistics.FEWEST_FOR_BOOTSTRAP, 3))
        first, second = (mean_interval(samples, np.random.default_rng(7)) for _ in range(2))
        assert first == second
        assert first.method == f"BCa bootstrap of {len(samples)} seeds, then chips"
        assert mean_interval(samples, 8) != first

    def test_two_stages_have_the_variance_of_two_stages(self) -> None:
        # By hand: the variance of a resampled mean, given the data, is [var(means) + mean(var(chips) / m)] / seeds with
        # variances over n (not n - 1). 40 000 resamples give a variance to sqrt(2 / 40000) = 0.7 %; 3 % are allowed.
        samples = nested([[1.0, 2.0, 6.0], [4.0, 9.0], [0.0, 3.0, 5.0, 7.0]])
        drawn = resampled_means(samples, 4, 40_000)
        means = seed_means(samples)
        chips = np.mean([np.nanvar(row) / np.isfinite(row).sum() for row in samples])
        assert drawn.mean() == pytest.approx(means.mean(), abs=0.03)
        assert drawn.var() == pytest.approx((means.var() + chips) / 3, rel=0.03)

    def test_gaps_between_chips_are_no_chips(self) -> None:
        gaps = np.array([[np.nan, 1.0, 2.0], [3.0, np.nan, np.nan], [np.nan] * 3, [4.0, 5.0, 6.0]])
        tight = nested([[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]])
        assert np.array_equal(resampled_means(gaps, 1, 100), resampled_means(tight, 1, 100))

    def test_chunks_do_not_change_what_is_computed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        samples = np.random.default_rng(0).standard_normal((5, 4))
        monkeypatch.setattr(statistics, "CHUNK", 700)
        drawn = resampled_means(samples, 0, 3001)
        assert len(np.unique(drawn)) > 2900
        assert drawn.std() == pytest.approx(resampled_means(samples, 1, 30_000).std(), rel=0.05)

    @pytest.mark.parametrize(("seeds", "chips", "fewest"), [(3, 1, 0.94), (4, 6, 0.94), (20, 4, 0.92)])
    def test_covers_the_truth(self, seeds: int, chips: int, fewest: float) -> None:
        # 1500 tables: a coverage of 95 % is seen as 95 +- 0.56 %. Student's t is exact, so 94 to 97.5 % (of three
        # standard errors either way, and seed means have equal variances here). The bootstrap of 20 seeds is a little
        # too narrow between seeds, by (n - 1)/n, and a little too wide between chips; 92 % is what is claimed for it.
        generator = np.random.default_rng(11)
        covered = 0
        for _ in range(1500):
            samples = generator.standard_normal((seeds, 1)) + generator.standard_normal((seeds, chips))
            interval = mean_interval(samples, generator, resamples=499)
            covered += interval.low <= 0 <= interval.high
        assert fewest - 0.007 < covered / 1500 < 0.975

    def test_a_bootstrap_of_three_seeds_would_not(self) -> None:
        generator = np.random.default_rng(11)
        covered = 0
        for _ in range(300):
            interval = mean_interval(generator.standard_normal((3, 1)), generator, resamples=499, method="percentile")
            covered += interval.low <= 0 <= interval.high
        assert covered / 300 < 0.85

    @pytest.mark.parametrize("method", ["student-t", "percentile", "bca"])
    def test_of_equal_seeds_is_a_point(self, method: statistics.Method) -> None:
        found = mean_interval(np.full((5, 2), 3.0), 0, method=method)
        assert (found.low, found.high) == (3.0, 3.0)


class TestPairs:
    @pytest.mark.parametrize("number", [3, 7, 10])
    def test_are_those_of_scipy(self, number: int) -> None:
        # No two sums of these differences are the same: scipy takes ties that differ in rounding for no ties.
        values = VALUES[:number] + 0.01 * np.sqrt(np.arange(number))
        twin = np.roll(VALUES, 3)[:number] + 0.2
        found = paired_test(values, twin, 0)
        t_test = stats.ttest_rel(values, twin)
        permuted = stats.permutation_test(
            (values, twin), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=np.inf
        )
        assert (found.t, found.p_t) == pytest.approx((t_test.statistic, t_test.pvalue))
        ends = t_test.confidence_interval(0.95)
        assert (found.interval.low, found.interval.high) == pytest.approx((ends.low, ends.high))
        assert found.p_permutation == pytest.approx(permuted.pvalue)
        assert found.exact
        assert found.p_smallest == 2 ** (1 - number)

    def test_exact_test_counts_ties_that_rounding_hides(self) -> None:
        # Accuracies on 10 000 images: 0.1 + 0.2 is 0.3 here, whatever the last bit says.
        differences = np.array([0.1, 0.2, -0.3, 0.7])
        sums = [abs(sum(sign * d for sign, d in zip(signs, (1, 2, 3, 7), strict=True))) for signs in all_signs(4)]
        p, smallest, exact = sign_flip_test(differences, 0)
        assert p == np.mean([total >= 7 for total in sums])
        assert (smallest, exact) == (0.125, True)

    def test_exact_test_of_tied_accuracies_is_that_of_scipy_on_whole_numbers(self) -> None:
        generator = np.random.default_rng(0)
        for _ in range(40):
            wrong, of_twin = generator.integers(5, 25, (2, 7))
            permuted = stats.permutation_test(
                (wrong, of_twin), lambda a, b: np.sum(a - b), permutation_type="samples", n_resamples=np.inf
            )
            p, _, _ = sign_flip_test((1 - wrong / 360) - (1 - of_twin / 360), 0)
            assert p == permuted.pvalue

    def test_three_pairs_cannot_give_less_than_a_quarter(self) -> None:
        found = paired_test(np.array([3.0, 3.1, 2.9]), np.array([1.0, 1.0, 1.0]), 0)
        assert (found.p_permutation, found.p_smallest) == (0.25, 0.25)
        assert found.p_t < 0.001

    def test_pairs_without_a_difference_do_not_help(self) -> None:
        p, smallest, _ = sign_flip_test(np.array([1.0, 2.0, 0.0, 0.0]), 0)
        assert (p, smallest) == (0.5, 0.5)
        assert sign_flip_test(np.zeros(4), 0)[:2] == (1.0, 1.0)
        assert math.isnan(sign_flip_test(np.empty(0), 0)[0])

    def test_many_pairs_are_tested_with_random_signs(self) -> None:
        differences = np.random.default_rng(2).normal(0.35, 1.0, 30)
        p, smallest, exact = sign_flip_test(differences, 0, resamples=20_000)
        assert not exact
        assert smallest == 1 / 20_001
        # The sum of many terms with random signs is nearly normal.
        normal = 2 * stats.norm.sf(abs(differences.sum()) / math.sqrt((differences**2).sum()))
        assert p == pytest.approx(normal, abs=4 * math.sqrt(normal / 20_000) + 0.003)
        assert sign_flip_test(differences, 0, resamples=20_000)[0] == p
        assert sign_flip_test(differences + 50, 0, resamples=999)[0] == 1 / 1000

    def test_twenty_pairs_are_still_exact(self) -> None:
        p, smallest, exact = sign_flip_test(np.ones(20), 0)
        assert (p, smallest, exact) == (2**-19, 2**-19, True)

    def test_p_values_keep_their_level(self) -> None:
        # Without an effect p <= 0.05 in at most 5 % of 2000 tables (three standard errors: 6.5 %); 6 pairs have a
        # smallest p of 1/32, and 3/32 is the next above 0.05, so it is 1/32 of them.
        generator = np.random.default_rng(1)
        tests = [sign_flip_test(generator.standard_normal(6), 0)[0] for _ in range(2000)]
        assert np.mean(np.array(tests) <= 0.05) == pytest.approx(1 / 32, abs=0.012)

    def test_equal_differences_have_no_t(self) -> None:
        found = paired_test(np.array([0.3, 0.4, 0.5]), np.array([0.2, 0.3, 0.4]), 0)
        assert found.difference == pytest.approx(0.1)
        assert math.isnan(found.t)
        assert math.isnan(found.p_t)
        assert math.isnan(found.effect_size)

    def test_one_pair_and_none(self) -> None:
        one = paired_test(np.array([2.0]), np.array([1.0]), 0)
        assert (one.pairs, one.difference, one.p_permutation) == (1, 1.0, 1.0)
        assert math.isnan(one.interval.low)
        assert paired_test(np.empty(0), np.empty(0), 0).pairs == 0
        with pytest.raises(ValueError, match="paired"):
            paired_test(np.ones(3), np.ones(2), 0)

    def test_effect_size_is_unbiased(self) -> None:
        # Truth 0.8; the estimate of 5 pairs has a standard deviation of about 0.6, its mean over 4000 one of 0.01.
        generator = np.random.default_rng(4)
        drawn = generator.normal(0.8, 1.0, (4000, 5))
        raw = drawn.mean(axis=1) / drawn.std(axis=1, ddof=1)
        assert (raw * hedges_correction(4)).mean() == pytest.approx(0.8, abs=0.04)
        assert raw.mean() > 0.9
        found = paired_test(drawn[0], np.zeros(5), 0)
        assert found.effect_size == pytest.approx(raw[0] * hedges_correction(4))


def all_signs(number: int) -> list[tuple[int, ...]]:
    return list(itertools.product((-1, 1), repeat=number))


def test_holm_by_hand() -> None:
    # Sorted: 0.01 * 4, 0.02 * 3, 0.03 * 2 (not below 0.06), 0.9 * 1; NaN is no test.
    assert holm([0.03, 0.01, math.nan, 0.9, 0.02]) == pytest.approx([0.06, 0.04, math.nan, 0.9, 0.06], nan_ok=True)
    assert holm([0.6, 0.7]) == pytest.approx([1.0, 1.0])
    assert len(holm([])) == 0
