"""Kinds of runs: the rows of a report, and which of them belong side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from barkhausen.core.config import flat
from barkhausen.experiment.summary import mean_counts
from barkhausen.results.finished import FinishedRun, relative_error
from barkhausen.results.table import kind_of, result_table

TOLD_BY_RECIPE = ("batch_size", "network.", "optimizer.", "transfer.")
"""Keys of the recipe that nothing else in a summary tells."""


@dataclass(frozen=True)
class Kind:
    """Runs that differ in nothing but their seed, with their row of the results table."""

    label: str
    row: dict[str, Any]
    runs: list[FinishedRun]

    @property
    def summary(self) -> dict[str, Any]:
        """Of the first seed."""
        return self.runs[0].summary

    @property
    def copy(self) -> tuple[float, float] | None:
        """Mean accuracy of the trained levels on chips that never learned, and its spread between chips."""
        copies = [run.summary["fresh_chip_copy"] for run in self.runs if run.summary.get("fresh_chip_copy")]
        return (fmean(copy["mean"] for copy in copies), fmean(copy["std"] for copy in copies)) if copies else None

    @property
    def precursor(self) -> float | None:
        """Accuracy of the precursor before its levels were programmed to chips (mean over seeds)."""
        values = [run.summary.get("precursor_accuracy") for run in self.runs]
        return fmean(value for value in values if value is not None) if None not in values else None

    @property
    def relative_error(self) -> float:
        """Device error relative to the weights, after training (mean over seeds)."""
        return fmean(relative_error(run.histograms) for run in self.runs if run.histograms is not None)

    @property
    def by_state(self) -> dict[str, Any]:
        """Events, attempts and failures of each state (mean over seeds)."""
        return mean_counts([run.summary["programming"]["by_state"] for run in self.runs])

    def picojoule(self, cause: str) -> float:
        """Energy of one cause in pJ per inference."""
        return float(self.row[f"{cause.lower()}_share"] * self.row["picojoule_per_inference"])

    def per_attempt(self, cause: str) -> float:
        """Energy of one cause in J per programming attempt."""
        joule = fmean(run.summary["energy"][f"{cause.lower()}_joule"] for run in self.runs)
        return joule / fmean(run.summary["programming"]["attempts"] for run in self.runs)


@dataclass(frozen=True)
class Pair:
    """In-situ and ex-situ kinds on the same devices, data and number of states."""

    label: str
    in_situ: list[Kind]
    ex_situ: list[Kind]

    @property
    def copied(self) -> list[tuple[Kind, float, float]]:
        """The in-situ kinds that were copied to fresh chips, with accuracy and spread there."""
        return [(kind, *kind.copy) for kind in self.in_situ if kind.copy is not None]


def kinds_of(runs: Sequence[FinishedRun]) -> list[Kind]:
    """The rows of the results table, each with its runs and a label that no other has."""
    groups: dict[tuple[Any, ...], list[FinishedRun]] = {}
    for run in runs:
        groups.setdefault(kind_of(run.summary), []).append(run)
    rows = result_table([run.summary for run in runs])
    labels = _labels([(_title(group[0].summary), _differences(group[0])) for group in groups.values()])
    return [Kind(*kind) for kind in zip(labels, rows, groups.values(), strict=True)]


def pairs_of(kinds: Sequence[Kind]) -> list[Pair]:
    """Kinds on the same devices and data together, whatever was chosen for learning and programming."""
    groups: dict[tuple[Any, ...], list[Kind]] = {}
    fields = {}
    for kind in kinds:
        if kind.row["mode"] != "float":
            common = _differences(kind.runs[0])
            chosen = ("margin", "max_attempts", *TOLD_BY_RECIPE)
            common = {key: value for key, value in common.items() if not key.startswith(chosen)}
            key = (kind.row["states"], *common.values())
            groups.setdefault(key, []).append(kind)
            fields[key] = common
    labels = _labels([(f"{key[0]} states", fields[key]) for key in groups])
    return [
        Pair(label, *([kind for kind in group if kind.row["mode"] == mode] for mode in ("in-situ", "ex-situ")))
        for label, group in zip(labels, groups.values(), strict=True)
    ]


def _title(summary: dict[str, Any]) -> str:
    return "float" if summary["mode"] == "float" else f"{summary['mode']}, {summary['states']} states"


def _differences(run: FinishedRun) -> dict[str, Any]:
    """What may tell apart kinds of the same mode and number of states."""
    dataset = run.summary["dataset"]
    device = {key: value for key, value in run.summary["device"].items() if key not in {"file", "source"}}
    return {
        "": dataset["name"],
        "samples": dataset["train_samples"],
        "validation samples": dataset["validation_samples"],
        "epochs": run.summary["epochs"],
        "device": run.device_name,
        **device,
        **{key: str(value) for key, value in flat(run.summary["recipe"]).items() if key.startswith(TOLD_BY_RECIPE)},
    }


def _labels(named: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
    """Short names; where several are the same, what differs between them is added."""
    labels: list[str] = []
    for name, fields in named:
        twins = [other for other_name, other in named if other_name == name]
        telling = [key for key, value in fields.items() if any(other.get(key) != value for other in twins)]
        label = ", ".join([name, *(f"{key.replace('_', ' ')} {fields[key]}".strip() for key in telling)])
        while label in labels:
            label += "*"
        labels.append(label)
    return labels
