"""A skyrmion under a gate as a reservoir, beside echo-state networks and LSTMs (Misba et al. 2023).

The constants of the device and the accounting of the paper are not known; the comparison of energies is therefore one
of two accountings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from barkhausen.experiment.reservoir.methods import METHODS
from barkhausen.experiment.work.reservoir import FILE
from barkhausen.neuron.reservoir.scores import THRESHOLD
from barkhausen.report.system.page import Panel
from barkhausen.reproduce.papers.misba_2023_reservoir import figures
from barkhausen.reproduce.systems import FOLDER, SYSTEMS, Conclusion, Measured, Reading, System
from barkhausen.results.published import figures_of

AUTONOMOUS, DIRECT = "autonomous", "direct"
RATIO = "energy of an LSTM over ours"
MAGNETIC = ("skyrmion", "dots", "macrospin")
RECURRENT = ("seq2seq", "lstm")
NANOJOULE = 1e-6
"""One femtojoule in nJ."""


@dataclass(frozen=True)
class Kind:
    """Tasks that differ in their seed alone.

    Attributes:
        label: Method with what is particular to it.
        method: Name of the method.
        dataset: Name of the series.
        mode: ``autonomous`` or ``direct``.
        runs: Tasks.
    """

    label: str
    method: str
    dataset: str
    mode: str
    runs: tuple[Measured, ...]

    def mean(self, column: str) -> float | None:
        """Mean over seeds; None where it was not measured."""
        values = [float(run.row[column]) for run in self.runs if run.row.get(column) is not None]
        return fmean(values) if values else None

    def text(self, column: str, form: str, factor: float = 1.0) -> str:
        """The mean as text; with more than one seed, the smallest and the largest in brackets."""
        values = [factor * float(run.row[column]) for run in self.runs if run.row.get(column) is not None]
        if not values:
            return "–"
        ends = f" ({min(values):{form}} to {max(values):{form}})" if len(values) > 1 else ""
        return f"{fmean(values):{form}}{ends}"

    def arrays(self) -> Mapping[str, np.ndarray]:
        """Arrays of the first run; empty where its file is gone."""
        place = self.runs[0].directory
        if place is None or not (place / FILE).is_file():
            return {}
        with np.load(place / FILE, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}


def label_of(settings: Mapping[str, Any]) -> str:
    """Method, and temperature, cells, units and steps read where they say which it is."""
    method = str(settings.get("method", "skyrmion"))
    parts = [METHODS[method].label]
    if method in MAGNETIC:
        parts.append(f"{settings.get('options.temperature', 0.0):g} K")
        if "options.copies" in settings:
            parts.append(f"mean of {settings['options.copies']}")
        if "options.cell" in settings:
            parts.append(f"{1e9 * settings['options.cell']:g} nm cells")
        parts += ["states alone"] if not settings.get("read_out.inputs", True) else []
    if "options.units" in settings:
        parts.append(f"{settings['options.units']} units")
    if method == "echo-state":
        taps = settings.get("read_out.taps", [1])
        parts += [f"{taps[0]} steps read"] if list(taps) != [1] else []
    return ", ".join(parts)


def kinds_of(measured: Sequence[Measured]) -> list[Kind]:
    """Tasks by what they have in common but the seed, in order."""
    found: dict[tuple[str, str, str, str], list[Measured]] = {}
    for task in measured:
        mode = str(task.settings.get("series.mode", AUTONOMOUS))
        place = (label_of(task.settings), str(task.shown["mode"]), str(task.shown["dataset"]), mode)
        found.setdefault(place, []).append(task)
    return [Kind(*place, tuple(runs)) for place, runs in found.items()]


def conclude(measured: Sequence[Measured]) -> Conclusion:
    """Table, comparisons and page."""
    kinds = kinds_of(measured)
    return Conclusion(
        table=[_row(kind) for kind in kinds],
        readings=[*_scores(kinds), *_ratios(kinds)],
        panels=_panels(kinds),
        spread="Means over seeds, with the smallest and the largest in brackets where there is more than one.",
    )


COLUMNS = (
    "nrmse", "first_nrmse", "early_nrmse", "rmse", "horizon", "first_horizon", "shortest_horizon", "longest_horizon",
    "forecasts", "validation_nrmse", "one_step_nrmse", "taps", "penalty", "weights", "memory_capacity",
    "parity_capacity", "intact", "forecast_femtojoule",
)  # fmt: skip


def _row(kind: Kind) -> dict[str, Any]:
    return {
        "dataset": kind.dataset,
        "method": kind.label,
        "mode": kind.mode,
        "seeds": len(kind.runs),
        **{name: kind.mean(name) for name in COLUMNS},
    }


def _scores(kinds: Sequence[Kind]) -> list[Reading]:
    found = []
    for kind in kinds:
        steps = kind.runs[0].settings.get("series.steps")
        if kind.mode == AUTONOMOUS:
            what = f"{kind.dataset}: NRMSE of {steps or 500} autonomous steps; horizon in steps"
            text = f"{kind.text('nrmse', '.3g')}; {kind.text('horizon', '.0f')}"
        else:
            what = f"{kind.dataset}: NRMSE and RMSE of {steps} values ahead"
            text = f"{kind.text('nrmse', '.3f')}; {kind.text('rmse', '.3f')} {kind.runs[0].row.get('unit') or ''}"
        found.append(Reading(kind.label, what, text))
    return found


def _ratios(kinds: Sequence[Kind]) -> list[Reading]:
    """Energy of the recurrent networks over that of each magnetic reservoir, beside the published ratio."""
    wanted = next(item.value for item in figures_of("misba-2023") if item.quantity == RATIO)
    found = []
    for kind in kinds:
        ours = kind.mean("forecast_femtojoule")
        if kind.method != "skyrmion" or not ours:
            continue
        for other in kinds:
            theirs = other.mean("forecast_femtojoule")
            if other.method not in RECURRENT or (other.dataset, other.mode) != (kind.dataset, kind.mode) or not theirs:
                continue
            ratio = theirs / ours
            decides = other.method == "seq2seq"
            found.append(
                Reading(
                    kind.label,
                    f"{kind.dataset}: energy of the {other.label} over ours, a ratio of accountings",
                    f"{ratio:.2g}",
                    f"at least {wanted:g}" if decides else "",
                    ("reached" if ratio >= wanted else "not reached") if decides else "",
                )
            )
    return found


# ---- page -----------------------------------------------------------------------------------------------------------


def _panels(kinds: Sequence[Kind]) -> list[Panel]:
    panels = []
    for dataset, mode in dict.fromkeys((kind.dataset, kind.mode) for kind in kinds):
        chosen = [kind for kind in kinds if (kind.dataset, kind.mode) == (dataset, mode)]
        panels += _forecasts(dataset, chosen) if mode == AUTONOMOUS else _days_ahead(dataset, chosen)
    driven = [kind for kind in kinds if kind.mean("memory_capacity") is not None]
    if driven:
        panels.append(_capacities(driven))
    shown = next((kind for kind in kinds if kind.method in MAGNETIC and "states" in kind.arrays()), None)
    if shown is not None:
        panels.append(_nodes(shown))
    panels.append(_energy([kind for kind in kinds if kind.mean("forecast_femtojoule")]))
    return panels


HEAD = ["method", "NRMSE", "on validation", "by one step", "steps read", "numbers learnt", "replicas intact (%)"]


def _cells(kind: Kind) -> list[str]:
    return [
        kind.label,
        kind.text("nrmse", ".4g"),
        kind.text("validation_nrmse", ".4g"),
        kind.text("one_step_nrmse", ".3g"),
        kind.text("taps", ".0f"),
        kind.text("weights", ".0f"),
        kind.text("intact", ".1f", 100),
    ]


def _forecasts(dataset: str, kinds: Sequence[Kind]) -> list[Panel]:
    head = [*HEAD, "NRMSE of 84 steps", "median horizon", "shortest to longest", "forecasts"]
    rows = [
        [
            *_cells(kind),
            kind.text("early_nrmse", ".4g"),
            kind.text("horizon", ".0f"),
            f"{kind.text('shortest_horizon', '.0f')} to {kind.text('longest_horizon', '.0f')}",
            kind.text("forecasts", ".0f"),
        ]
        for kind in kinds
    ]
    arrays = {kind.label: kind.arrays() for kind in kinds if kind.method != "persistence"}
    arrays = {label: found for label, found in arrays.items() if found}
    plots = []
    if arrays:
        plots = [
            ("the first forecast", figures.forecasts(arrays)),
            ("error against steps", figures.error_by_step(arrays)),
        ]
    text = (
        f"{dataset}: each output is the next input. The NRMSE is over all forecasts, relative to the standard "
        f"deviation of the training values; the horizon is the number of steps before the error first exceeds "
        f"{THRESHOLD:g} of it. Errors grow exponentially, so a mean square over many steps is that of the "
        "forecasts that were lost."
    )
    return [Panel(f"Autonomous forecast: {dataset}", text, plots, head, rows)]


def _days_ahead(dataset: str, kinds: Sequence[Kind]) -> list[Panel]:
    unit = kinds[0].runs[0].row.get("unit") or ""
    head = [*HEAD, f"RMSE ({unit})", "forecasts"]
    rows = [[*_cells(kind), kind.text("rmse", ".4f"), kind.text("forecasts", ".0f")] for kind in kinds]
    arrays = {kind.label: found for kind in kinds if (found := kind.arrays())}
    plots = []
    if arrays:
        plots = [
            ("one forecast after another", figures.days(arrays, unit)),
            ("error against values ahead", figures.error_by_step(arrays, "values ahead")),
        ]
    text = (
        f"{dataset}: from every value of the test part, all values ahead by one step of the method. Below 1 the NRMSE "
        "is better than the mean of the training values."
    )
    return [Panel(f"Direct forecast: {dataset}", text, plots, head, rows)]


def _capacities(kinds: Sequence[Kind]) -> Panel:
    first: dict[str, Kind] = {}
    for kind in kinds:
        first.setdefault(kind.label, kind)
    arrays = {label: kind.arrays() for label, kind in first.items()}
    arrays = {label: found for label, found in arrays.items() if "memory" in found}
    return Panel(
        "Capacities",
        "Random bits, reconstructed from the states of one step alone by linear read-outs: squared correlation with "
        "the bit d steps ago, and with the parity of the last d + 1 bits, on bits that the read-outs were not trained "
        "on.",
        [("capacity against delay", figures.capacity(arrays))] if arrays else [],
        ["element", "short-term memory, d ≥ 1", "parity check, d ≥ 1"],
        [
            [label, kind.text("memory_capacity", ".2f"), kind.text("parity_capacity", ".2f")]
            for label, kind in first.items()
        ],
    )


def _nodes(kind: Kind) -> Panel:
    found = kind.arrays()
    states = found["states"]
    spread = states.std(0)
    return Panel(
        "Inputs and nodes",
        f"{kind.label}, {kind.dataset}: the input held in each step, and m_z at all nodes one after the other in time. "
        "Table: standard deviation over steps of the first, middle and last node of a step.",
        [("input and nodes", figures.nodes(found["inputs"], states))],
        ["node", "standard deviation of m_z"],
        [[str(place + 1), f"{spread[place]:.4f}"] for place in (0, len(spread) // 2, len(spread) - 1)],
    )


def _energy(kinds: Sequence[Kind]) -> Panel:
    rows = []
    for kind in kinds:
        for number, line in enumerate(str(kind.runs[0].row.get("factors") or "").splitlines()):
            what = f"{kind.label}, {kind.dataset}: {NANOJOULE * (kind.mean('forecast_femtojoule') or 0):.4g} nJ"
            rows.append([what if number == 0 else "", line])
    return Panel(
        "Energy of a forecast, factor by factor",
        "Of one value of an autonomous forecast, or of one direct forecast of all values ahead. All methods keep their "
        "state between forecasts, so that a new value costs one step. Digital logic, memories and converters have the "
        "constants of the default chip on both sides. Training, leakage, network and clocks are not counted. What the "
        "paper counted is not known: the ratio is one of accountings, not of measurements.",
        [("energy by cause", figures.energy({f"{kind.label}, {kind.dataset}": kind.runs[0].row for kind in kinds}))],
        ["method and series: total", "factors"],
        rows,
    )


MISBA_2023_RESERVOIR = SYSTEMS.register(
    "misba-2023-reservoir",
    System(
        name="misba-2023-reservoir",
        title="a skyrmion under a gate as a reservoir that forecasts Mackey-Glass and the load of a household, beside "
        "echo-state networks, LSTMs and naive forecasts",
        status="after",
        sweep=FOLDER / "misba-2023-reservoir.toml",
        published_as="misba-2023",
        assumptions=(
            "disc of 100 nm x 1 nm; Ms 580 kA/m, A 15 pJ/m, Ku 0.8 MJ/m3, D 3.2 mJ/m2, damping 0.05, a first choice; "
            "VCMA 100 fJ/(V m) over 1 nm of oxide; at 300 K these are averages at 300 K",
            "an input u is held as V0 + V1 u, V0 = -1.2 V, at which the skyrmion on cells of 4 nm is stable and "
            "breathes widely; m_z is read at nodes of equal distance, without noise of the reads",
            "the read-out sees the states and the inputs of the last steps, which a digital memory keeps: at a hold of "
            "1 ns the disc itself forgets within two steps (see the capacities); another row has the states "
            "alone",
            "at 300 K, m_z is averaged over several replicas, that is discs side by side",
            "a linear autoregression on the same last inputs is the method to beat: it has the memory without the disc",
            "LSTMs: 32 hidden units, Adam, weights of the least validation error; echo-state networks: options of the "
            "least validation error on Mackey-Glass",
            "household: the first 2600 hours of the series; the mean of an hour in kW is the input, scaled to -1 to 1 "
            "over the training values",
            "C V2 of each step is spent where nothing is recovered; one DAC line, one conversion a node, float32 "
            "read-out",
        ),
        quick={
            "search.kind": "grid",
            "search.list": [],
            "search.over.method": ["skyrmion", "macrospin", "echo-state", "autoregression", "lstm", "persistence"],
            "search.repeat.seed": [0],
            "set.series.lead": 120,
            "set.series.training": 320,
            "set.series.validation": 100,
            "set.series.validation_steps": 30,
            "set.series.test": 150,
            "set.series.steps": 30,
            "set.series.origins": 4,
            "set.read_out.taps": [16],
            "set.read_out.washout": 10,
            "set.capacity.bits": 100,
            "set.one_step": 0,
        },
        conclude=conclude,
    ),
)
