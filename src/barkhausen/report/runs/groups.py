"""Kinds of runs: the rows of a report, and which of them belong side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from barkhausen.core.config import flat
from barkhausen.experiment.energy import LearningAccount
from barkhausen.experiment.score import Score
from barkhausen.experiment.summary import mean_counts
from barkhausen.experiment.work.rows import joules, unseen_chips
from barkhausen.learning.rules import RULES
from barkhausen.learning.rules.registry import PULSES
from barkhausen.results.finished import FinishedRun, relative_error
from barkhausen.results.published import FIGURES, Figure
from barkhausen.results.readings import READINGS, readings_of
from barkhausen.results.table import causes_of, kind_of, result_table

ONLY_IN_RECIPE = ("batch_size", "decay.", "network.", "optimizer.", "rule.", "transfer.")
"""Keys of the recipe that stand nowhere else in a summary."""

DIGEST, DIGITS = "_sha256", 8
"""Ending of the keys that hold the digest of a file, and how many of its digits tell files apart on a page."""


@dataclass(frozen=True)
class Kind:
    """Runs that differ only in their seed, with their row of the results table."""

    label: str
    row: dict[str, Any]
    runs: list[FinishedRun]

    @property
    def summary(self) -> dict[str, Any]:
        """Of the first seed."""
        return self.runs[0].summary

    @property
    def on_devices(self) -> bool:
        """Whether the networks have synaptic devices."""
        return self.row["states"] is not None

    @property
    def baseline(self) -> bool:
        """Whether the networks have ordinary weights, the baseline beside which others stand."""
        rule = RULES.find(self.row["mode"])
        return rule is not None and rule.baseline

    @property
    def rule_label(self) -> str:
        """Name of the learning rule on pages."""
        rule = RULES.find(self.row["mode"])
        return str(self.row["mode"]) if rule is None else rule.label

    @property
    def about_rule(self) -> str:
        """Sentences about the learning rule; none where the page describes its family."""
        rule = RULES.find(self.row["mode"])
        return "" if rule is None else rule.about

    @property
    def learns_on_devices(self) -> bool:
        """Whether devices are programmed while the network trains."""
        return any(epoch.events_by_layer for run in self.runs for epoch in run.epochs)

    @property
    def score(self) -> Score:
        """What the runs are judged by."""
        return self.runs[0].score

    @property
    def mean(self) -> float:
        """Score on held-out samples (mean over seeds)."""
        return float(self.row[self.score.name])

    @property
    def std(self) -> float:
        """Its standard deviation between seeds."""
        return float(self.row[f"{self.score.name}_std"])

    @property
    def published(self) -> float | None:
        """The published score."""
        found: float | None = self.row[f"published_{self.score.name}"]
        return found

    @property
    def pulsed(self) -> bool:
        """Whether pulses move the devices, which then have no states."""
        rule = RULES.find(self.row["mode"])
        return rule is not None and rule.devices == PULSES

    @property
    def transfer(self) -> tuple[float, float] | None:
        """Mean score of the trained levels on unseen chips, and its spread between chips."""
        found = [chips for chips in (unseen_chips(run.summary) for run in self.runs) if chips]
        return (fmean(chips["mean"] for chips in found), fmean(chips["std"] for chips in found)) if found else None

    @property
    def precursor(self) -> float | None:
        """Score of the precursor before its levels were programmed to chips (mean over seeds)."""
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

    @property
    def causes(self) -> list[str]:
        """Causes of programming energy."""
        return [cause for cause in causes_of(self.row) if self.row[f"{cause}_share"] is not None]

    def picojoule(self, cause: str) -> float:
        """Programming energy of one cause in pJ per trained sample and epoch."""
        return float((self.row[f"{cause}_share"] or 0.0) * self.row["picojoule_per_inference"])

    def per_attempt(self, cause: str) -> float:
        """Energy of one cause in J per programming attempt."""
        joule = fmean(joules(run.summary).get(cause, 0.0) for run in self.runs)
        return joule / fmean(run.summary["programming"]["attempts"] for run in self.runs)

    @property
    def price(self) -> float:
        """Energy of all causes in J per programming attempt."""
        return sum(self.per_attempt(cause) for cause in self.causes)

    @property
    def largest_cause(self) -> tuple[float, str]:
        """Share and name of the cause that takes the most energy."""
        return max((float(self.row[f"{cause}_share"]), cause) for cause in self.causes)

    @property
    def accounts(self) -> list[LearningAccount] | None:
        """The whole energy of each run; None where a run has no account, such as one of an earlier version."""
        found = [run.summary.get("account") for run in self.runs]
        return None if None in found else [LearningAccount.from_summary(account) for account in found if account]

    @property
    def readings(self) -> dict[str, float | None]:
        """Programming energy in J in three readings (mean over seeds)."""
        found = [readings_of(run.summary) for run in self.runs]
        means: dict[str, float | None] = {}
        for name in READINGS:
            known = [value for each in found if (value := each[name]) is not None]
            means[name] = fmean(known) if len(known) == len(found) else None
        return means

    @property
    def transfer_attempts(self) -> int:
        """Most write-verify attempts of a device when the levels were transferred to unseen chips."""
        return int((unseen_chips(self.summary) or {}).get("max_attempts") or 0)


@dataclass(frozen=True)
class Pair:
    """Kinds on the same devices, data and number of states: those that learn on devices, and those that do not."""

    label: str
    in_situ: list[Kind]
    ex_situ: list[Kind]

    @property
    def transferred(self) -> list[tuple[Kind, float, float]]:
        """The kinds that learn on devices and were transferred to unseen chips, with score and spread there."""
        return [(kind, *kind.transfer) for kind in self.in_situ if kind.transfer is not None]


def kinds_of(
    runs: Sequence[FinishedRun],
    label: Callable[[dict[str, Any]], str] | None = None,
    figures: Sequence[Figure] = FIGURES,
) -> list[Kind]:
    """The rows of the results table, each with its runs and a label that no other has.

    Args:
        runs: Runs of any kinds.
        label: Function from a summary to the name of its kind. Default: mode, number of states, and what differs.
        figures: Published figures that may stand beside. Default: all.
    """
    groups: dict[tuple[Any, ...], list[FinishedRun]] = {}
    for run in runs:
        groups.setdefault(kind_of(run.summary), []).append(run)
    rows = result_table([run.summary for run in runs], figures=figures)
    title = label or _title
    labels = _labels([(title(group[0].summary), _differences(group[0])) for group in groups.values()])
    return [Kind(*kind) for kind in zip(labels, rows, groups.values(), strict=True)]


def pairs_of(kinds: Sequence[Kind]) -> list[Pair]:
    """Kinds on the same devices and data together, whatever was chosen for learning and programming."""
    groups: dict[tuple[Any, ...], list[Kind]] = {}
    fields = {}
    for kind in kinds:
        if kind.on_devices:
            common = _differences(kind.runs[0])
            chosen = ("margin", "max_attempts", *ONLY_IN_RECIPE)
            common = {key: value for key, value in common.items() if not key.startswith(chosen)}
            key = (kind.row["states"], *common.values())
            groups.setdefault(key, []).append(kind)
            fields[key] = common
    labels = _labels([(f"{key[0]} states", fields[key]) for key in groups])
    return [
        Pair(label, *([kind for kind in group if kind.learns_on_devices is here] for here in (True, False)))
        for label, group in zip(labels, groups.values(), strict=True)
    ]


def _title(summary: dict[str, Any]) -> str:
    states = summary["states"]
    return str(summary["mode"]) if states is None else f"{summary['mode']}, {states} states"


def _differences(run: FinishedRun) -> dict[str, Any]:
    """What may tell apart kinds of the same mode and number of states."""
    dataset = run.summary["dataset"]
    # Said by the name of the device, and by the margin.
    said = {"file", "source", "preset", "margin_in_words"}
    device = {key: value for key, value in run.summary["device"].items() if key not in said}
    return {
        "": dataset["name"],
        "samples": dataset["train_samples"],
        "validation samples": dataset["validation_samples"],
        # Those of the recipe: runs that stop early have fewer, each seed its own number.
        "epochs": run.summary["recipe"].get("epochs", run.summary["epochs"]),
        "device": run.device_name,
        **device,
        **{key: str(value) for key, value in flat(run.summary["recipe"]).items() if key.startswith(ONLY_IN_RECIPE)},
    }


def _labels(named: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
    """Short names; where several are the same, what differs between them is added.

    Digests of files are added, shortened, only where the names of the files and all else are equal.
    """
    short, whole = [], []
    for name, fields in named:
        namesakes = [other for other_name, other in named if other_name == name]
        telling = [key for key, value in fields.items() if any(other.get(key) != value for other in namesakes)]
        words = {key: str(fields[key]) for key in telling}
        digests = {key: value[:DIGITS] for key, value in words.items() if key.endswith(DIGEST)}
        short.append(_label(name, {key: value for key, value in words.items() if key not in digests}))
        whole.append(_label(name, words | digests))
    labels: list[str] = []
    for brief, full in zip(short, whole, strict=True):
        label = brief if short.count(brief) == 1 else full
        while label in labels:
            label += "*"
        labels.append(label)
    return labels


def _label(name: str, words: Mapping[str, str]) -> str:
    return ", ".join([name, *(f"{key.replace('_', ' ')} {value}".strip() for key, value in words.items())])
