"""Uncertainty of a spiking network with stochastic spin-orbit-torque synapses (Wang et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from barkhausen.experiment.uncertainty import kept_outputs
from barkhausen.learning.uncertainty import Predictive, Uncertainty, measure_uncertainty
from barkhausen.learning.uncertainty.measured import FIGURES
from barkhausen.report.panels import Panel
from barkhausen.report.uncertainty.figures import entropy_panel, rejection_panel, reliability_panel
from barkhausen.reproduce.papers.wang_2023 import figures
from barkhausen.reproduce.systems import FOLDER, SYSTEMS, Conclusion, Measured, Reading, System
from barkhausen.results.cross_validation import FoldMean, fold_mean
from barkhausen.results.statistics import holm

Division = tuple[int, int]
"""Repetition and fold."""

DETERMINISTIC = "deterministic, 100 passes"
ONE_PASS = "deterministic, one pass"
RETRAINED = "deterministic, 100 chips"
STOCHASTIC = "stochastic at learning and inference"
ONE_INPUT = "stochastic, one input a feature"
FLOAT, ENSEMBLE = "float network", "deep ensemble"
NAMES = {
    ("none", 1, None, True): DETERMINISTIC,
    ("none", 100, None, True): RETRAINED,
    ("learning", 100, None, True): "stochastic at learning",
    ("inference", 1, None, True): "stochastic at inference",
    ("both", 100, None, True): STOCHASTIC,
    ("both", 100, "pulses-plain", True): "stochastic, steps of plain walls",
    ("both", 100, "pulses-patched", True): "stochastic, steps of patched walls",
    ("both", 100, None, False): ONE_INPUT,
}
"""Networks by noise, chips, device, and whether features come with both signs."""

CLAIMED = ("ece", "nll", "brier", "aurc")
"""Figures of uncertainty that the claim is tested by; the lower, the better."""

BINS = 10
"""Bins of the calibration error: folds are small."""

DRAWN = (DETERMINISTIC, STOCHASTIC, "stochastic, steps of plain walls", FLOAT, ENSEMBLE)
"""Networks in the figures of curves; the tables have all."""


@dataclass(frozen=True, eq=False)
class Folds:
    """One network on all folds.

    Attributes:
        name: What it is.
        predictive: Probabilities of its members on the test samples of each division.
        labels: Classes of these.
    """

    name: str
    predictive: Mapping[Division, Predictive]
    labels: Mapping[Division, np.ndarray]

    def each(self) -> dict[Division, Uncertainty]:
        """Uncertainty on each fold."""
        return {
            place: measure_uncertainty(self.predictive[place], self.labels[place], bins=BINS, resamples=0)
            for place in sorted(self.predictive)
        }

    def pooled(self) -> Uncertainty:
        """Uncertainty on all samples of the first repetition, each of which is tested once."""
        places = sorted(place for place in self.predictive if place[0] == min(self.predictive)[0])
        together = Predictive(np.concatenate([self.predictive[place].probabilities for place in places], axis=1))
        labels = np.concatenate([self.labels[place] for place in places])
        return measure_uncertainty(together, labels, bins=BINS, what="members")


def networks_of(measured: Sequence[Measured]) -> list[Folds]:
    """Networks from the outputs that their runs have kept; a deep ensemble from float networks of one division."""
    members: dict[str, dict[Division, list[np.ndarray]]] = {}
    labels: dict[str, dict[Division, np.ndarray]] = {}
    for task in sorted(measured, key=lambda task: int(task.shown["seed"])):
        assert task.directory is not None
        outputs, truth = kept_outputs(task.directory)
        has = task.settings
        place = (int(has["dataset.options.shuffle"]), int(has["dataset.options.fold"]))
        probabilities = softmax(outputs.numpy().astype(np.float64), axis=2)
        for name in _names_of(task):
            members.setdefault(name, {}).setdefault(place, []).append(probabilities)
            labels.setdefault(name, {})[place] = truth.numpy()
    found = [
        Folds(name, {place: Predictive(np.concatenate(each)) for place, each in by_fold.items()}, labels[name])
        for name, by_fold in members.items()
    ]
    order = [*NAMES.values(), FLOAT, ENSEMBLE]
    found.sort(key=lambda network: order.index(network.name))
    for network in list(found):
        if network.name == DETERMINISTIC:
            single = {place: Predictive(each.probabilities[:1]) for place, each in network.predictive.items()}
            found.insert(0, Folds(ONE_PASS, single, network.labels))
    return found


def _names_of(task: Measured) -> list[str]:
    """Networks that a task is a part of."""
    has = task.settings
    if task.shown["mode"] == "float":
        return [FLOAT, ENSEMBLE] if int(task.shown["seed"]) == 0 else [ENSEMBLE]
    chips = 100 if int(has["rule.chips"]) > 1 else 1
    both = bool(has.get("dataset.options.both_signs", True))
    return [NAMES[has["rule.noise"], chips, has.get("rule.device"), both]]


def conclude(measured: Sequence[Measured]) -> Conclusion:
    """Table, tests of the claim, and page."""
    networks = networks_of(measured)
    by_fold = {network.name: network.each() for network in networks}
    folds = len({place[1] for network in networks for place in network.predictive})
    ratio = 1 / (folds - 1) if folds > 1 else 1.0
    means = {
        name: {figure: fold_mean([each[figure] for each in found.values()], ratio) for figure in FIGURES}
        for name, found in by_fold.items()
    }
    tested = _tests(by_fold, ratio)
    number = max(len(found) for found in by_fold.values())
    return Conclusion(
        table=[_row(network, by_fold[network.name], means[network.name]) for network in networks],
        readings=_readings(means, tested),
        panels=_panels(networks, means, tested, number),
        spread=f"Means over {number} folds; in brackets 95 % intervals of the corrected resampled t test (Nadeau and "
        "Bengio 2003), which allows for training folds that overlap.",
    )


def _tests(
    by_fold: Mapping[str, Mapping[Division, Uncertainty]], ratio: float
) -> dict[tuple[str, str], dict[str, Any]]:
    """Paired differences of figures, network less baseline, with p values that Holm's method has corrected."""
    baselines = {
        DETERMINISTIC: [STOCHASTIC, "stochastic at learning", "stochastic at inference", RETRAINED,
                        "stochastic, steps of plain walls", "stochastic, steps of patched walls"],
        ONE_PASS: [STOCHASTIC],
        RETRAINED: [STOCHASTIC],
        FLOAT: [ENSEMBLE, STOCHASTIC],
    }  # fmt: skip
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for baseline, others in baselines.items():
        for other in others:
            if baseline not in by_fold or other not in by_fold:
                continue
            common = sorted(by_fold[baseline].keys() & by_fold[other].keys())
            tests = {
                figure: fold_mean(
                    [by_fold[other][place][figure] - by_fold[baseline][place][figure] for place in common], ratio
                )
                for figure in CLAIMED
            }
            corrected = holm([test.p for test in tests.values()])
            found[other, baseline] = {
                figure: (test, p) for (figure, test), p in zip(tests.items(), corrected, strict=True)
            }
    return found


def _row(network: Folds, each: Mapping[Division, Uncertainty], means: Mapping[str, FoldMean]) -> dict[str, Any]:
    first = next(iter(each.values()))
    row: dict[str, Any] = {"network": network.name, "folds": len(each), "members": first.predictive.members}
    for figure in FIGURES:
        found = means[figure]
        row |= {
            figure: _finite(found.mean),
            f"{figure}_low": _finite(found.interval.low),
            f"{figure}_high": _finite(found.interval.high),
        }
    alone = [one.single["accuracy"] for one in each.values()]
    return row | {"single_member_accuracy": float(np.mean(alone))}


def _readings(
    means: Mapping[str, Mapping[str, FoldMean]], tested: Mapping[tuple[str, str], Mapping[str, Any]]
) -> list[Reading]:
    found = [
        Reading(name, "accuracy of the predictive mean", text_of(of_name["accuracy"], 100, 2, " %"))
        for name, of_name in means.items()
    ]
    claim = "a clear advantage in quantifying uncertainty over the deterministic counterpart"
    for baseline in (DETERMINISTIC, ONE_PASS):
        for figure, (test, p) in tested.get((STOCHASTIC, baseline), {}).items():
            quantity = f"{FIGURES[figure]}, less that of: {baseline}"
            text = f"{text_of(test, 1, 4, '', sign=True)}, p = {_p(test.p)}, with Holm's correction {_p(p)}"
            found.append(Reading(STOCHASTIC, quantity, text, "", verdict(test, p)))
    against = [
        Reading(STOCHASTIC, f"the claim, tested by four figures, against: {baseline}", *_claim(tests, claim))
        for baseline in (DETERMINISTIC, ONE_PASS)
        if (tests := tested.get((STOCHASTIC, baseline))) is not None
    ]
    return [*against, *found]


def _claim(tests: Mapping[str, Any], claim: str) -> tuple[str, str, str]:
    """Ours, the paper's words, and the verdict."""
    better = [figure for figure, (test, p) in tests.items() if verdict(test, p) == "better"]
    worse = [figure for figure, (test, p) in tests.items() if verdict(test, p) == "worse"]
    rest = [figure for figure in tests if figure not in (*better, *worse)]
    parts = [f"{what}: {', '.join(names)}" for what, names in
             (("better", better), ("worse", worse), ("no difference found", rest)) if names]  # fmt: skip
    outcome = "holds" if better and not worse else "fails: no figure is better" if not better else "mixed"
    return "; ".join(parts), claim, outcome


def verdict(test: FoldMean, p: float) -> str:
    """What a test of figures that are the better the lower says, at 5 % after Holm's correction."""
    if not np.isfinite(p):
        return "too few folds"
    if p >= 0.05:
        return "no difference found"
    return "better" if test.mean < 0 else "worse"


def text_of(found: FoldMean, factor: float, decimals: int, unit: str, sign: bool = False) -> str:
    """Mean with its interval."""
    if np.isnan(found.mean):
        return "–"
    form = f"{'+' if sign else ''}.{decimals}f"
    low, high = found.interval.low, found.interval.high
    ends = "" if np.isnan(low) else f" ({format(factor * low, form)} to {format(factor * high, form)})"
    return f"{format(factor * found.mean, form)}{ends}{unit}".replace("-", "\N{MINUS SIGN}")


def _panels(
    networks: Sequence[Folds],
    means: Mapping[str, Mapping[str, FoldMean]],
    tested: Mapping[tuple[str, str], Mapping[str, Any]],
    number: int,
) -> list[Panel]:
    head = [figure for figure in FIGURES if figure != "expected_entropy"]
    rows = [[name, *(_cell(figure, of_name[figure]) for figure in head)] for name, of_name in means.items()]
    plots = []
    for figure in ("nll", "ece", "brier"):
        of_figure = {name: of_name[figure] for name, of_name in means.items() if name != ONE_INPUT}
        plots.append((FIGURES[figure], figures.figure_plot(of_figure, FIGURES[figure])))
    table = Panel(
        "Figures of all networks",
        f"Means over {number} folds with 95 % intervals that allow for overlapping training folds; {BINS} bins of "
        "confidence. Stochastic networks have 100 members: chips that learnt anew, or passes. The lower, the better. "
        "The network with one input a feature is in the table alone.",
        plots,
        ["network", *(FIGURES[figure] for figure in head)],
        rows,
    )
    pooled = {network.name: network.pooled().summary() for network in networks if network.name in DRAWN}
    tests = Panel(
        "Tests of the claim",
        "Differences paired over folds, network less baseline; negative is better. Corrected resampled t test (Nadeau "
        "and Bengio 2003), two-sided, with Holm's correction over the four figures of a pair.",
        [],
        ["network less baseline", "figure", "difference", "p", "p with Holm's correction", ""],
        [
            [
                f"{other} less {baseline}",
                FIGURES[figure],
                text_of(test, 1, 4, "", sign=True),
                _p(test.p),
                _p(p),
                verdict(test, p),
            ]
            for (other, baseline), of_pair in tested.items()
            for figure, (test, p) in of_pair.items()
        ],
    )
    return [
        table,
        tests,
        figures.window_panel(),
        *(part(pooled) for part in (reliability_panel, rejection_panel, entropy_panel)),
    ]


def _cell(figure: str, found: FoldMean) -> str:
    """A figure with its interval; accuracies in per cent."""
    return text_of(found, 100, 2, " %") if figure == "accuracy" else text_of(found, 1, 4, "")


def _p(value: float) -> str:
    return "–" if not np.isfinite(value) else f"{value:.2g}"


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


WANG_2023 = SYSTEMS.register(
    "wang-2023",
    System(
        name="wang-2023",
        title="uncertainty of spiking networks that learn by stochastic steps of domain walls (STDP), beside the "
        "deterministic network, a float network and a deep ensemble, on benign and malignant breast tumours",
        status="after",
        sweep=FOLDER / "wang-2023.toml",
        assumptions=(
            "network, coding, window and protocol of the paper are not known to us (only the abstract was read); the "
            "data are scikit-learn's bundled set, which may not be the paper's",
            "window A+ 0.02, A- 0.021 of the range of strengths, 20 ms, nearest pairs; steps with a relative spread of "
            "0.3, or those of our own walls (pulses-plain, pulses-patched), in proportion to the duration of the pulse",
            "features are z-scored by the training folds; rates from 0 to 100 Hz for -2 to 2 standard deviations; "
            "100 ms a sample; every feature comes as two inputs, with either sign, because rates and strengths have "
            "none (one network has one input a feature)",
            "two leaky neurons of 20 ms that inhibit each other; a teacher where the neuron of the class does not lead "
            "by 6 spikes: the sample comes again, the neuron of the class is driven to spike at its end, the other at "
            "its start",
            "probability: softmax of numbers of spikes times one factor; lead, factor, and rate and epochs of the "
            "float networks were chosen on validation samples of the training folds",
            "deterministic: the same network with mean steps; its input spikes are random, so 100 passes are averaged "
            "for it too. 100 deterministic chips differ in their input spikes alone and separate what retraining "
            "brings from what stochastic steps bring",
            "noise at inference: every pass has strengths that were written anew by pulses without verification",
            "better and worse: corrected resampled t test at 5 % after Holm's correction over four figures",
        ),
        quick={
            "search.repeat.dataset.options.fold": [0, 1],
            "search.repeat.dataset.options.shuffle": [0],
            "set.evaluation.uncertainty": 20,
        },
        core_minutes=5,
        results="docs/results.md",
        statement="a clear advantage of the stochastic network in quantifying uncertainty",
        conclude=conclude,
    ),
)
