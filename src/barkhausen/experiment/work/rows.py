"""The row of a result: what a training, an inference and a characterisation put into tables.

Totals (events, attempts, joules) are kept beside what is derived from them, so that means over seeds are means of
totals and shares are shares of totals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from barkhausen.core.units import NANO, PICO
from barkhausen.experiment.score import ACCURACY, held_out, measured_on, score_of, score_on
from barkhausen.experiment.summary import energy_of, upgraded

if TYPE_CHECKING:
    from barkhausen.experiment.chip.inference import ChipInference
    from barkhausen.experiment.chip.mapping import MappedNetwork

UNCERTAINTY_COLUMNS = {
    "accuracy": "accuracy_of_mean",
    "ece": "ece",
    "nll": "nll",
    "brier": "brier",
    "entropy": "predictive_entropy",
    "expected_entropy": "expected_entropy",
    "mutual_information": "mutual_information",
    "aurc": "aurc",
    "error_auc": "error_auc",
}
"""Column of each figure of uncertainty."""

Row = dict[str, Any]
Summary = Mapping[str, Any]


def device_name(summary: Summary) -> str:
    """Name of the device of a run: that of its file, that of the preset, or where the device comes from."""
    device = summary["device"]
    file = device.get("file")
    return Path(file).name if file else str(device.get("pulsed", device.get("preset", device.get("source"))))


def unseen_chips(summary: Summary) -> Mapping[str, Any] | None:
    """Accuracy of the trained levels on chips that did not take part in training; None where it was not measured."""
    found: Mapping[str, Any] | None = upgraded(summary).get("unseen_chips")
    return found


def joules(summary: Summary) -> dict[str, float]:
    """Programming energy in J by cause."""
    return dict(energy_of(summary).by_cause)


def totals(summary: Summary) -> dict[str, float]:
    """What is counted over a whole run: events, attempts, and energies in J; empty for a network without devices.

    Devices whose updates are no events, as those of split precision, have energies alone.
    """
    counts, energy = summary["programming"], summary["energy"]
    counted = ("initial_events", "training_events", "attempts") if summary["states"] is not None else ()
    if not counted and not any(joules(summary).values()):
        return {}
    return {
        **{name: counts[name] for name in counted},
        **{name: energy[name] for name in ("programming_joule", "per_inference_joule")},
        **{f"{cause}_joule": joule for cause, joule in joules(summary).items()},
    }


def per_sample(sums: Mapping[str, float], inferences: int) -> Row:
    """Totals over samples × epochs of a training: events, attempts, and energies in pJ by cause."""
    if not sums:
        return {}
    causes = [
        name for name in sums if name.endswith("_joule") and not name.startswith(("programming", "per_inference"))
    ]
    events = {}
    if "attempts" in sums:
        events = {
            "events_per_sample": (sums["initial_events"] + sums["training_events"]) / inferences,
            "training_events_per_sample": sums["training_events"] / inferences,
            "attempts_per_sample": sums["attempts"] / inferences,
        }
    return {
        **events,
        "picojoule_per_inference": PICO * sums["per_inference_joule"],
        **{cause.replace("_joule", "_picojoule"): PICO * sums[cause] / inferences for cause in causes},
    }


def mean_totals(runs: Sequence[Summary]) -> dict[str, float]:
    """Means of the totals of several runs."""
    every = [totals(run) for run in runs]
    return {name: float(sum(sums[name] for sums in every)) / len(every) for name in every[0]}


def inferences_of(summary: Summary) -> int:
    """Training samples × epochs."""
    return int(summary["dataset"]["train_samples"] * summary["epochs"])


def training_row(summary: Summary) -> Row:
    """Results of a run; accuracies are fractions, energies pJ per trained sample and epoch."""
    score = score_of(summary)
    # Of a precursor the figures are its own, and the score is that of the chips made from it.
    others = {} if "precursor_accuracy" in summary else dict(summary.get("figures", {}))
    return {
        "states": summary["states"],
        **({} if score == ACCURACY else others),
        score.name: held_out(summary),
        **({f"start_{score.name}": summary["start_score"]} if summary.get("start_score") is not None else {}),
        "measured_on": measured_on(summary),
        score.train_column: score_on(summary, "train"),
        score.chip_column: summary["chips"]["std"],
        "chips": summary["chips"]["count"],
        score.unseen_column: (unseen_chips(summary) or {}).get("mean"),
        **per_sample(totals(summary), inferences_of(summary)),
        **whole_energies(summary),
        **neuron_figures(summary),
        **uncertainty_figures(summary),
    }


def neuron_figures(summary: Summary) -> Row:
    """Spikes of an inference, and energies in pJ of the neurons by cause; empty for a network without spiking cells."""
    neurons = summary.get("neurons")
    if not neurons:
        return {}
    row: Row = {"spikes_per_inference": neurons["spikes_per_inference"]}
    if neurons["per_inference_joule"] is not None:
        row["neuron_picojoule_per_inference"] = PICO * neurons["per_inference_joule"]
        row |= {f"neuron_{cause}_picojoule_per_inference": PICO * joule for cause, joule in neurons["by_cause"].items()}
    return row


def uncertainty_figures(summary: Summary) -> Row:
    """Figures of the uncertainty of a run; empty where it was not measured."""
    measured = summary.get("uncertainty")
    if not measured:
        return {}
    values = {UNCERTAINTY_COLUMNS[name]: found[0] for name, found in measured["figures"].items()}
    return {"members": measured["members"], **values}


def whole_energies(summary: Summary) -> Row:
    """Energies in nJ of a trained sample and of an inference on the chip; empty for a run without an account."""
    account = summary.get("account")
    if not account:
        return {}
    return {
        "nanojoule_per_trained_sample": NANO * account["per_trained_sample_joule"],
        "nanojoule_per_chip_inference": NANO * account["per_inference_joule"],
    }


def single_chips(summary: Summary) -> tuple[float, ...]:
    """Accuracy on each chip that a run measured, where single chips are known."""
    measured = unseen_chips(summary) or summary["chips"]
    return tuple(float(value) for value in measured.get("values", ()))


def inference_row(found: ChipInference) -> Row:
    """Results on a chip: accuracies, pJ of one inference by cause and of one trained sample, and latency."""
    costs = found.costs
    row: Row = {"ideal_accuracy": found.ideal, "accuracy": found.accuracy, "system_picojoule": PICO * costs.total}
    if found.tuned is not None:
        row["tuned_accuracy"] = found.tuned.accuracy
    if found.training is not None:
        row["training_picojoule"] = PICO * found.training.total / found.batch
    row |= {f"{cause.lower().replace(' ', '_')}_picojoule": PICO * joule for cause, joule in costs.energy.items()}
    return row | {"latency_nanoseconds": NANO * costs.latency}


def mapping_row(found: MappedNetwork) -> Row:
    """Results on many chips, and in software alone for a network that was not mapped."""
    mapped = found.costs is not None
    accuracy = float(np.mean(found.chips)) if mapped else found.software
    row: Row = {
        "accuracy": accuracy,
        "measured_on": "validation" if found.validating else "test",
        "software_accuracy": found.software,
        "chips": len(found.chips),
    }
    if found.costs is None:
        return row
    costs = found.costs
    row |= {
        "change_points": 100 * (accuracy - found.software),
        "chip_std": float(np.std(found.chips, ddof=1)) if len(found.chips) > 1 else 0.0,
        "memory_saved": found.memory_saved,
        "whole_memory_saved": found.whole_memory_saved,
        "programming_nanojoule": NANO * found.programming.total,
        "system_picojoule": PICO * costs.total,
        "float32_nanojoule": NANO * costs.baseline_total,
        "latency_nanoseconds": NANO * costs.latency,
        "area_square_millimetre": 1e6 * costs.area_total,
    }
    causes = {cause: joule for cause, joule in costs.energy.items() if cause != "programming"}
    return row | {f"{cause.lower().replace(' ', '_')}_picojoule": PICO * joule for cause, joule in causes.items()}


def number(value: float) -> float | None:
    """A number as JSON can hold it; None for what is not finite."""
    return float(value) if np.isfinite(value) else None
