"""Domain-wall synapses with and without pinning patches at their edges (Yadav et al. 2023).

Two systems: an LSTM that forecasts the airline series, and a fully connected network on MNIST. Both learn by pulses, on
two device files that differ in the patches alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, Final

from barkhausen.experiment.score import held_out, score_of
from barkhausen.reproduce.comparisons import spread_text
from barkhausen.reproduce.paired import effect
from barkhausen.reproduce.systems import FOLDER, SYSTEMS, Reading, Summaries, System
from barkhausen.results.table import by_kind

WITH: Final = "pulses-patched"
WITHOUT: Final = "pulses-plain"
"""Shipped devices with and without patches at the edges."""

STATEMENT: Final = "improved performance with defects"
"""What the abstract says of both tasks, in words alone."""

DEVICES: Final = {WITH: "edge patches", WITHOUT: "smooth edges"}


def device_of(summary: Mapping[str, Any]) -> str:
    """Name of the device of a run; empty for the float baseline."""
    return str(summary["recipe"]["device"].get("pulsed") or "") if summary["states"] is not None else ""


def size_of(summary: Mapping[str, Any]) -> str:
    """Hidden layers of a run."""
    return f"hidden {'-'.join(map(str, summary['recipe']['network']['hidden']))}"


def label_of(summary: Mapping[str, Any]) -> str:
    """Hidden layers, and the device or the float baseline."""
    device = device_of(summary)
    return f"{size_of(summary)}, {DEVICES.get(device, device) or 'float'}"


def readings(summaries: Summaries) -> list[Reading]:
    """Score of every kind of run, and the effect of the patches for each network and for all together."""
    found = []
    for runs in by_kind(summaries):
        score = score_of(runs[0])
        values = [score.scale * held_out(run) for run in runs]
        form = ".3g" if score.decimals is None else f".{score.decimals}f"
        found.append(Reading(label_of(runs[0]), score.label, spread_text(values, form, f" {score.unit}")))
        if "persistence_rmse" in runs[0]["figures"] and not device_of(runs[0]):
            naive = fmean(run["figures"]["persistence_rmse"] for run in runs)
            text = f"{naive:.3g} {score.unit}"
            found.append(Reading("no network", "RMSE of forecasting the last known value", text))
    sizes = list(dict.fromkeys(map(size_of, summaries)))
    groups = [(size, [run for run in summaries if size_of(run) == size]) for size in sizes]
    if len(groups) > 1:
        groups.append(("all networks, mean of each seed", list(summaries)))
    return found + _effects(groups)


def _effects(groups: Sequence[tuple[str, Summaries]]) -> list[Reading]:
    """The effect of the patches in each group of runs."""
    tested = [
        effect(runs, label, lambda run: device_of(run) == WITH, lambda run: device_of(run) == WITHOUT)
        for label, runs in groups
    ]
    return [each.reading("edge patches", STATEMENT) for each in tested if each is not None]


COMMON: Final = (
    "geometry, material, patches, pulse and delay are those of our own track, not the paper's",
    "one device holds a weight; at each step a device gets a number of pulses whose mean is the update of plain SGD "
    "over the mean step at the middle of its range, and nothing else is kept (pulsed SGD)",
    "biases, gates, activations and the loss are digital",
)

LSTM = SYSTEMS.register(
    "yadav-2023-lstm",
    System(
        name="yadav-2023-lstm",
        title="an LSTM that learns by pulses to forecast the airline series, on domain-wall synapses with and without "
        "patches at their edges, beside the float baseline",
        status="after",
        sweep=FOLDER / "yadav-2023-lstm.toml",
        assumptions=(
            *COMMON,
            "epochs and rates were chosen on the last windows of the training part, for each device on its own",
            "12 months are looked back on, the first two thirds of the series train; one LSTM layer and a linear "
            "read-out of its last state",
        ),
        core_minutes=2,
        results="docs/results.md",
        quick={"search.repeat.network.hidden": [[4]], "search.repeat.seed": [0, 1]},
        labels=label_of,
        readings=readings,
        statement=STATEMENT,
    ),
)

FCNN = SYSTEMS.register(
    "yadav-2023-fcnn",
    System(
        name="yadav-2023-fcnn",
        title="a fully connected network that learns MNIST by pulses, on domain-wall synapses with and without patches "
        "at their edges, beside the float baseline",
        status="after",
        sweep=FOLDER / "yadav-2023-fcnn.toml",
        assumptions=(
            *COMMON,
            "one hidden layer of 100 ReLU units, no normalisation, batch of 100, three epochs",
            "rates were chosen on 10 000 validation images, for each device on its own, one seed",
        ),
        core_minutes=1,
        results="docs/results.md",
        quick={"set.epochs": 1, "search.repeat.seed": [0]},
        stand_in="digits",
        labels=label_of,
        readings=readings,
        statement=STATEMENT,
    ),
)
