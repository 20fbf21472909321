"""A memory of three states, up, skyrmion and down, written by voltage pulses (Rajib et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np
import xarray as xr

from barkhausen.device import CategoricalDevice, preset, shipped_file
from barkhausen.device.skyrmion.barriers import ATTEMPT, lowest, retention_time
from barkhausen.device.skyrmion.labelled import read_error
from barkhausen.device.skyrmion.textures import CATEGORIES
from barkhausen.device.skyrmion.transitions import COUNTED
from barkhausen.experiment.characterisation.states import history_beside
from barkhausen.micromagnetics.observables.texture import CORE_UP, DOWN, UP
from barkhausen.report.system.page import Panel
from barkhausen.reproduce.papers.rajib_2023 import figures
from barkhausen.reproduce.papers.rajib_2023.memory import (
    FEMTO,
    FROM,
    Transition,
    parameters_of,
    transitions,
    variant_counts,
    with_retries,
    worst,
)
from barkhausen.reproduce.systems import FOLDER, SYSTEMS, Conclusion, Measured, Reading, System
from barkhausen.results.published import figures_of
from barkhausen.results.statistics import mean_interval

DEVICE = "skyrmion-3"
ATTEMPTS = 5
SWITCHING, WRITE = "switching probability at 300 K", "energy of a write"


def conclude(measured: Sequence[Measured]) -> Conclusion:
    """Table, comparisons and page."""
    device = preset(DEVICE)
    assert isinstance(device, CategoricalDevice)
    history = history_beside(shipped_file(DEVICE)) or xr.Dataset()
    found = list(transitions(device.counts, parameters_of(device)))
    kinds: dict[str, list[Measured]] = {}
    for task in measured:
        kinds.setdefault(str(task.shown["mode"]), []).append(task)
    return Conclusion(
        table=[_row(mode, tasks) for mode, tasks in kinds.items()],
        readings=[*_device_readings(device, found, history), *_network_readings(kinds)],
        panels=[*_panels(device, found, history), _network_panel(kinds)],
        spread="95 % intervals: Wilson's of shares of thermal replicas; Student's t of means over trainings.",
    )


def _percent(item: Transition) -> str:
    low, high = item.interval
    return f"{100 * item.share:.2f} % ({100 * low:.2f} to {100 * high:.2f}; {item.good} of {item.events})"


def _device_readings(device: CategoricalDevice, found: list[Transition], history: xr.Dataset) -> list[Reading]:
    parameters = parameters_of(device)
    published = {(item.quantity, item.version): item.value for item in figures_of("rajib-2023")}
    wanted = published[SWITCHING, "arXiv"]
    least, hold = worst(found), worst(found, holds=True)
    dearest = max((item for item in found if not item.holds), key=lambda item: item.energy)
    retried = [
        (item, with_retries(device, CATEGORIES[item.category], item.state, ATTEMPTS))
        for item in found
        if not item.holds
    ]
    hardest, (share, joule, made) = min(retried, key=lambda pair: pair[1][0])
    verdict = "reached" if least.share >= wanted else "not reached"
    if least.interval[0] < wanted <= least.interval[1]:
        verdict += ", within the interval"
    fields = parameters.field / 1e9
    readings = [
        Reading("blind pulses", f"least likely transition: {least.label}", _percent(least), f"{wanted:.0%}", verdict),
        Reading("blind pulses", f"least stable of the holds: {hold.label}", _percent(hold), "", ""),
        Reading(
            "blind pulses",
            f"energy of the dearest transition: {dearest.label}",
            f"{FEMTO * dearest.energy:.2f} fJ in {dearest.pulses} pulses",
            ", ".join(f"{FEMTO * published[WRITE, version]:.0f} fJ ({version})" for version in ("arXiv", "journal")),
            "reached" if dearest.energy <= published[WRITE, "arXiv"] else "not reached",
        ),
        Reading(
            "write-verify",
            f"at most {ATTEMPTS} sequences, each followed by a read; least likely: {hardest.label}",
            f"{100 * share:.4f} %, {FEMTO * joule:.2f} fJ and {made:.3f} sequences on average",
            "",
            "computed from the measured probabilities",
        ),
        Reading(
            "oxide",
            "largest field in the oxide",
            f"{fields:.2f} V/nm",
            "",
            "within the 1 to 2 V/nm in which MgO junctions break down (range not verified against a source)"
            if fields >= 1
            else "below 1 V/nm",
        ),
    ]
    if "path_energy" in history:
        each = lowest(history)
        for state in ("up", "skyrmion"):
            time = retention_time(each[state])
            readings.append(
                Reading("retention", f"lowest barrier found out of {state}", f"{each[state]:.1f} kB T: {time:.2g} s",
                        "", f"attempt frequency {ATTEMPT:g} Hz assumed")
            )  # fmt: skip
    errors = read_error(device)[: len(FROM)]
    readings.append(
        Reading("read", f"largest error of one read of {1e9 * parameters.junction.read_time:g} ns",
                f"{np.nanmax(errors):.2g}", "", "normal tails of m_z and of the noise of the current")
    )  # fmt: skip
    return readings


def _each(tasks: Sequence[Measured], column: str) -> list[float]:
    return [float(task.row[column]) for task in tasks if task.row.get(column) is not None]


def _text(values: Sequence[float], form: str = ".2f", unit: str = " %") -> str:
    found = mean_interval(np.array(values, np.float64)[:, None], 0)
    ends = "" if not np.isfinite(found.low) else f" ({found.low:{form}} to {found.high:{form}})"
    return f"{fmean(values):{form}}{ends}{unit}"


def _network_readings(kinds: Mapping[str, Sequence[Measured]]) -> list[Reading]:
    readings = []
    for mode, tasks in kinds.items():
        accuracy = [100 * value for value in _each(tasks, "accuracy")]
        readings.append(Reading(f"network, {mode}", "accuracy on MNIST", _text(accuracy), "", ""))
    return readings


def _row(mode: str, tasks: Sequence[Measured]) -> dict[str, Any]:
    columns = ("accuracy", "unseen_chips", "picojoule_per_inference", "gate_picojoule", "read_picojoule",
               "events_per_sample", "attempts_per_sample")  # fmt: skip
    means = {name: _each(tasks, name) for name in columns}
    return {
        "mode": mode,
        "seeds": len(tasks),
        "measured_on": tasks[0].row["measured_on"],
        **{name: fmean(values) if values else None for name, values in means.items()},
    }


def _network_panel(kinds: Mapping[str, Sequence[Measured]]) -> Panel:
    rows = []
    for mode, tasks in kinds.items():
        row = _row(mode, tasks)

        def shown(name: str, form: str, factor: float = 1.0, row: Mapping[str, Any] = row) -> str:
            return "–" if row[name] is None else f"{factor * row[name]:{form}}"

        attempts = "–"
        if row["events_per_sample"]:
            attempts = f"{row['attempts_per_sample'] / row['events_per_sample']:.4f}"
        rows.append([
            mode, shown("accuracy", ".2f", 100), shown("unseen_chips", ".2f", 100),
            *(shown(name, ".4f") for name in ("picojoule_per_inference", "gate_picojoule", "read_picojoule")), attempts,
        ])  # fmt: skip
    return Panel(
        "Ternary networks on it",
        "MNIST, a convolutional network whose weights are −1, 0 and 1 times a scale of each layer. Energies are pJ of "
        "programming per training sample and epoch, initial programming included; reads are those before and after "
        "each "
        "sequence of pulses.",
        [],
        [
            "rule",
            "accuracy (%)",
            "unseen chips (%)",
            "programming (pJ)",
            "gate pulses (pJ)",
            "reads (pJ)",
            "attempts per event",
        ],
        rows,
    )


def _panels(device: CategoricalDevice, found: list[Transition], history: xr.Dataset) -> list[Panel]:
    parameters = parameters_of(device)
    panels: list[Panel] = []
    if "stay" in history:
        panels.append(_stability(history, parameters.characterisation.hold))
    if "uniform_mz" in history:
        panels.append(_shapes(history))
    panels.append(_confusion(device, found))
    panels.append(_success(found))
    if "nucleate_map" in history:
        panels.append(_windows(history))
    panels.append(_energy(device, found))
    variants = variant_counts(history)
    if variants:
        panels.append(_robustness(device, found, variants))
    if "path_energy" in history:
        panels.append(_retention(history))
    return panels


def _stability(history: xr.Dataset, hold: float) -> Panel:
    stay = history["stay"].transpose("texture", "anisotropy", "dmi").values
    rows = [
        [f"{1e-6 * ku:.2f}", *(f"{a:.2f} / {b:.2f}" for a, b in zip(stay[0, k], stay[1, k], strict=True))]
        for k, ku in enumerate(history["anisotropy"].values)
    ]
    return Panel(
        "Where three states are stable",
        f"Share of thermal replicas at 300 K and 0 V that stay what they are for {1e9 * hold:g} ns: the smaller of "
        f"up and "
        "skyrmion. Down is the mirror image of up. Ku and D are averages at 300 K. Table: up / skyrmion.",
        [("map", figures.stability_map(history))],
        ["Ku (MJ/m³) \\ D (mJ/m²)", *(f"{1e3 * value:.2f}" for value in history["dmi"].values)],
        rows,
    )


def _shapes(history: xr.Dataset) -> Panel:
    rows = []
    for name in ("uniform", "skyrmion"):
        last = history[f"{name}_mz"].values[:, -1]
        rows.append(
            [name, f"{len(last)}", f"{last.mean():+.3f}", f"{1e9 * float(history[f'{name}_time'].values[-1]):.2f} ns"]
        )
    return Panel(
        "Pulses and trajectories",
        "Voltage, and mean m_z of single thermal replicas. Up becomes a skyrmion whose core keeps the old direction, "
        "and its "
        "collapse leaves the disc down; a skyrmion with its core up goes down, becomes a skyrmion of the other "
        "polarity, and "
        "ends up.",
        [("from up: nucleate, collapse", figures.traces(history, "uniform")),
         ("from a skyrmion: collapse, nucleate, collapse", figures.traces(history, "skyrmion"))],
        ["ensemble", "replicas shown", "mean m_z at the end", "duration"],
        rows,
    )  # fmt: skip


def _confusion(device: CategoricalDevice, found: list[Transition]) -> Panel:
    columns = [FROM.get(number, "other") for number in range(len(CATEGORIES))]
    counts = device.counts
    rows, table = [], []
    for item in found:
        sequence = int(device.policy[item.category, item.state])
        place = list(COUNTED).index("hold") if sequence < 0 else sequence
        if counts[place, item.category].any():
            rows.append(item.label)
            table.append(counts[place, item.category].tolist())
    return Panel(
        "What the pulses make of each texture",
        "Thermal replicas by the texture that they end in, classified by topological charge and mean m_z after the "
        "last "
        "rest. A category and its mirror image share their events: a vertical mirror plane turns one into the other "
        "and "
        "leaves the disc as it is.",
        [("confusion", figures.confusion(rows, columns, table))],
        ["transition", *columns],
        [[label, *map(str, row)] for label, row in zip(rows, table, strict=True)],
    )


def _success(found: list[Transition]) -> Panel:
    shown = [item for item in found if item.events]
    wanted = next(item.value for item in figures_of("rajib-2023") if item.quantity == SWITCHING)
    return Panel(
        "Success of blind pulses",
        "Share of replicas in the wanted state after all pulses of the transition, without a read between.",
        [("success", figures.success(shown, wanted))],
        ["transition", "success", "pulses", "energy (fJ)"],
        [[item.label, _percent(item), str(item.pulses), f"{FEMTO * item.energy:.3f}"] for item in shown],
    )


def _windows(history: xr.Dataset) -> Panel:
    rows = []
    for name, category in (("nucleate", CORE_UP), ("collapse", DOWN)):
        table = history[f"{name}_map"].transpose(f"{name}_voltage", f"{name}_width", "category").values
        share = table[..., category] / np.maximum(table.sum(-1), 1)
        for v, volts in enumerate(history[f"{name}_voltage"].values):
            cells = "; ".join(
                f"{1e9 * width:.2f} ns {part:.2f}"
                for width, part in zip(history[f"{name}_width"].values, share[v], strict=True)
            )
            rows.append([name, f"{volts:+.2f} V", cells])
    return Panel(
        "Which pulses work",
        "Share of replicas that a pulse brings where it should: nucleate from up to a skyrmion with its core up, "
        "collapse "
        "from there to down.",
        [("nucleate", figures.pulse_map(history, "nucleate", CORE_UP)),
         ("collapse", figures.pulse_map(history, "collapse", DOWN))],
        ["pulse", "voltage", "share by width"],
        rows,
    )  # fmt: skip


def _energy(device: CategoricalDevice, found: list[Transition]) -> Panel:
    parameters = parameters_of(device)
    shown = [item for item in found if not item.holds]
    published = {f"{FEMTO * item.value:.0f} fJ ({item.version})": FEMTO * item.value
                 for item in figures_of("rajib-2023") if item.quantity == WRITE}  # fmt: skip
    usual, writing = parameters.oxide.usual_resistance_area, parameters.writing
    farad = parameters.oxide.capacitance(parameters.disc.area)
    leaks = [
        FEMTO * sum(parameters.leakage(pulse, ohms) for pulse in (writing.nucleate, writing.collapse))
        for ohms in (parameters.junction.resistance_area, usual)
    ]
    return Panel(
        "Energy",
        f"C V² of all pulses of a transition, C = {1e15 * farad:.3f} fF; nothing "
        f"is recovered. A read costs {FEMTO * device.read_energy:.3f} fJ. Leakage is left out: nucleate and collapse "
        f"together "
        f"would cost {leaks[0]:.2g} fJ more through the RA of the junction "
        f"({1e12 * parameters.junction.resistance_area:.3g} ohm um²), and {leaks[1]:.3g} fJ more through the "
        f"{1e12 * usual:.3g} ohm um² that CoFeB/MgO of {1e9 * parameters.oxide.thickness:g} nm usually has.",
        [("energy", figures.energy(shown, published))],
        ["transition", "pulses", "energy (fJ)"],
        [[item.label, str(item.pulses), f"{FEMTO * item.energy:.3f}"] for item in shown],
    )


def _robustness(device: CategoricalDevice, nominal: list[Transition], variants: Mapping[str, np.ndarray]) -> Panel:
    parameters = parameters_of(device)
    points = {"nominal": [item for item in nominal if not item.holds and item.events]}
    for name, counts in variants.items():
        points[name] = [item for item in transitions(counts, parameters) if not item.holds and item.events]
    rows = []
    for name, found in points.items():
        chosen = [item for item in found if item.category in (UP, CORE_UP)]
        rows.append([name, *(_percent(item) for item in chosen)])
    head = [item.label for item in points["nominal"] if item.category in (UP, CORE_UP)]
    return Panel(
        "Other discs, the same pulses",
        "Grains of 10 nm with a spread of Ku, other diameters, and cells of half the size. Every disc gets the "
        "pulses of "
        "the nominal one; with a spread there are 32 discs.",
        [("robustness", figures.robustness(points))],
        ["variant", *head],
        rows,
    )


def _retention(history: xr.Dataset) -> Panel:
    rows = []
    for number, name in enumerate(history["way"].values):
        values = (float(history[f"barrier_{way}"].values[number]) for way in ("forward", "backward"))
        start, end = (str(history[f"way_{end}"].values[number]) for end in ("start", "end"))
        converged = bool(history["path_converged"].values[number])
        rows.append(
            [str(name), f"{start} to {end}", *(f"{value:.1f}" for value in values), "yes" if converged else "no"]
        )
    return Panel(
        "Barriers",
        "Paths of least energy on a film of the averages at 300 K, so energies are free energies. A path that has not "
        "converged gives an upper bound of its barrier. The skyrmion's core is up.",
        [("paths", figures.paths(history))],
        ["way", "from, to", "barrier (kB T)", "back (kB T)", "converged"],
        rows,
    )


RAJIB_2023 = SYSTEMS.register(
    "rajib-2023",
    System(
        name="rajib-2023",
        title="a memory of three states, up, skyrmion and down, written by voltage pulses alone, and ternary "
        "networks on it",
        status="after",
        sweep=FOLDER / "rajib-2023.toml",
        assumptions=(
            "disc, constants, damping, VCMA coefficient, oxide and pulses are ours: the paper's are not known; they "
            "were "
            "chosen for three stable states and reliable transitions at 300 K",
            "transitions are made of two pulses: one lowers Ku and turns up or down into a skyrmion whose core keeps "
            "the old "
            "direction, one raises Ku and collapses a skyrmion; the controller knows the polarity of a skyrmion from "
            "a read",
            "skyrmions of either polarity are the state 0, which a comparator tells from up and down",
            "each pulse costs C V²; the oxide does not leak",
            "all discs are alike in the networks; failures are independent from pulse to pulse",
            "network, epochs and rates are ours; nothing was chosen on the test set",
        ),
        core_minutes=15,
        results="docs/results.md",
        quick={"set.epochs": 1, "search.repeat.seed": [0], "set.transfer.chips": 2},
        stand_in="digits",
        conclude=conclude,
    ),
)
