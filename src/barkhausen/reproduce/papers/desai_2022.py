"""A convolutional network trained with split precision, sample by sample (Desai et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any, Literal

from barkhausen.experiment.score import held_out
from barkhausen.reproduce.comparisons import published_beside, spread_text
from barkhausen.reproduce.systems import FOLDER, SYSTEMS, Reading, Summaries, System
from barkhausen.results.published import FIGURES
from barkhausen.results.table import by_kind

NEAR = 0.005
"""Difference of accuracies that counts as the same."""

FACTOR = 1.5
"""Ratio of energies up to which they count as the same."""

EPOCHS_OF_ENERGY = {"mnist": 28, "fashion-mnist": 24, "cifar10": 50}
"""Epochs over which the published energy is summed."""

ASSUMPTIONS = (
    "that the public code of the first author is the paper's is inferred",
    "samples are shuffled over the whole epoch (theirs: in a buffer of 1024), and the test set is used after each "
    "epoch (theirs: after 50 000 of 60 000 samples)",
    "every tenth step of the whole training carries (theirs: of each epoch; the same for 60 000 samples)",
    "the number of epochs is declared in the recipe and smaller than the published one; energies of other numbers of "
    "epochs are compared as means of an epoch, an extrapolation, because the energy falls while training goes on",
    "no cycle-to-cycle and no device spread, as in the published main runs; a single seed, as theirs",
)


SMALL = [[8, 8], [8, 8], [8, 8], [16]]
"""Channels of the network of a quick look."""

BATCHED = (
    *ASSUMPTIONS[:1],
    "each of the ten samples of a batch makes an update of its own, clipped and rounded by itself, at the weights "
    "before the batch (theirs: after the sample before); the fine devices take the sum, clipped to their range once, "
    "and carry once a batch, which is once in ten samples as published",
    "samples are shuffled over the whole epoch (theirs: in a buffer of 1024)",
    *ASSUMPTIONS[3:],
)
"""Assumptions where samples go in batches."""


def label_of(summary: Mapping[str, Any]) -> str:
    """Number of epochs."""
    return f"split precision, {summary['epochs']} epochs"


def readings(summaries: Summaries) -> list[Reading]:
    """Accuracy and energy of an epoch beside those of the authors' result files."""
    found = []
    for runs in by_kind(summaries):
        label, figure = label_of(runs[0]), published_beside("accuracy", runs[0])
        values = [held_out(run) for run in runs]
        text = spread_text([100 * value for value in values], ".2f", " %")
        if figure is None:
            found.append(Reading(label, "accuracy", text))
            continue
        near = abs(fmean(values) - figure.value) <= NEAR
        beside = f"{100 * figure.value:.2f} % ({figure.version})"
        found.append(Reading(label, "accuracy", text, beside, "within 0.5 points" if near else "not within 0.5 points"))
        found += _energies(runs, label)
    return found


def _energies(runs: list[Mapping[str, Any]], label: str) -> list[Reading]:
    name = runs[0]["dataset"]["name"]
    wanted = ("desai-2022", "training energy", name)
    figure = next(each for each in FIGURES if (each.system, each.quantity, each.dataset) == wanted)
    theirs = figure.value / EPOCHS_OF_ENERGY[name]
    ours = fmean([run["energy"]["programming_joule"] / run["epochs"] for run in runs])
    ratio = ours / theirs
    within = 1 / FACTOR <= ratio <= FACTOR
    epochs, published = runs[0]["epochs"], EPOCHS_OF_ENERGY[name]
    fewer = f"{epochs} of {published}: an extrapolation, declared" if epochs < published else "as many or more"
    verdict = f"{ratio:.2f} times theirs, {'within' if within else 'not within'} a factor of {FACTOR:g}"
    return [
        Reading(label, "epochs of the energy", str(epochs), str(published), fewer),
        Reading(
            label,
            f"energy of updates in a mean epoch of {runs[0]['epochs']}",
            f"{1e6 * ours:.3g} µJ",
            f"{1e6 * theirs:.3g} µJ (mean of {EPOCHS_OF_ENERGY[name]} epochs)",
            verdict,
        ),
        *_whole_training(runs, label, figure.value, published),
    ]


def _whole_training(runs: Summaries, label: str, theirs: float, epochs: int) -> list[Reading]:
    """Bounds of the energy of as many epochs as were published.

    The energy of an epoch falls while training goes on. Epochs that were not trained are therefore between nothing and
    the energy of the last that was.
    """
    bounds = []
    for run in runs:
        totals = [line["programming_joule"] for line in run.get("metrics", [])]
        if not 1 < len(totals) < epochs:
            return []
        last = totals[-1] - totals[-2]
        bounds.append((totals[-1], totals[-1] + (epochs - len(totals)) * last))
    low, high = (fmean(values) / theirs for values in zip(*bounds, strict=True))
    if low > FACTOR or high < 1 / FACTOR:
        verdict = f"not within a factor of {FACTOR:g}"
    elif low >= 1 / FACTOR and high <= FACTOR:
        verdict = f"within a factor of {FACTOR:g}"
    else:
        verdict = f"a factor of {FACTOR:g} is neither shown nor excluded"
    return [
        Reading(
            label,
            f"energy of updates in {epochs} epochs, from nothing to the last epoch's for each that was not trained",
            f"{1e6 * low * theirs:.3g} to {1e6 * high * theirs:.3g} µJ",
            f"{1e6 * theirs:.3g} µJ",
            f"{low:.2f} to {high:.2f} times theirs: {verdict}",
        )
    ]


def _system(
    dataset: str,
    label: str,
    steps: str = "sample by sample",
    *,
    status: Literal["reproduction of", "after"] = "reproduction of",
    assumptions: tuple[str, ...] = ASSUMPTIONS,
    quick: Mapping[str, Any] | None = None,
    core_minutes: float | None = None,
) -> System:
    name = f"desai-2022-{dataset}"
    return SYSTEMS.register(
        name,
        System(
            name=name,
            title=f"a convolutional network trained with split precision, {steps}, on {label}",
            status=status,
            published_as="desai-2022",
            sweep=FOLDER / f"{name}.toml",
            assumptions=assumptions,
            # Four poolings need images of 16 x 16.
            quick={"set.dataset.name": "digits", "set.network.options.padding": 4, "set.epochs": 2} | dict(quick or {}),
            labels=label_of,
            readings=readings,
            core_minutes=core_minutes,
            results="" if core_minutes is None else "docs/results.md",
        ),
    )


DESAI_2022 = (
    _system("mnist", "MNIST", core_minutes=40),
    _system("fashion", "Fashion-MNIST", core_minutes=80),
    _system(
        "cifar10",
        "CIFAR-10",
        "in batches with updates of single samples",
        status="after",
        assumptions=BATCHED,
        quick={"set.epochs": 1, "set.network.options.blocks": SMALL},
    ),
)
