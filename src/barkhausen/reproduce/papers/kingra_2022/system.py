"""Binary and ternary networks on OxRAM, one device a weight and two reads (Kingra et al. 2022)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from barkhausen.report.system.page import Panel
from barkhausen.reproduce.papers.kingra_2022 import figures
from barkhausen.reproduce.systems import FOLDER, SYSTEMS, Conclusion, Measured, Reading, System
from barkhausen.results.published import Figure, figures_of
from barkhausen.results.statistics import mean_interval

TWO_READS = "two-reads"
LINEAR, LOGARITHMIC = "oxram-3-even", "oxram-3"
NAMES = {"binary": "BNN", "ternary": "TNN"}
POINTS = 100.0
ESTIMATES = ("network", "leakage", "clock")


@dataclass(frozen=True)
class Kind:
    """Tasks that differ in their seed alone.

    Attributes:
        network: Sizes of its layers.
        values: ``binary``, ``ternary`` or ``float``.
        device, scheme, spread: What it was mapped to; empty and 0 for a network that was not mapped.
        middle: Level of the middle of ternary weights that it was trained with.
        runs: Its tasks by seed.
    """

    network: str
    values: str
    device: str
    scheme: str
    spread: float
    middle: float
    runs: Mapping[int, Measured]

    @property
    def label(self) -> str:
        """Kind of network, device and scheme."""
        if self.values == "float":
            return f"float, {self.network}"
        trained = f" trained with middle level {self.middle:g}" if self.middle else ""
        return f"{NAMES[self.values]}{trained}, {self.network}, {self.device}, {self.scheme}, spread {self.spread:g}"

    @property
    def main(self) -> bool:
        """Whether it is one of the networks that stand beside the paper's."""
        return self.scheme == TWO_READS and self.device != LOGARITHMIC

    def each(self, column: str) -> list[float]:
        """A column of results of each seed."""
        return [float(run.row[column]) for run in self.runs.values()]

    def mean(self, column: str) -> float:
        """Its mean over seeds."""
        return fmean(self.each(column))

    def against(self, other: Kind) -> list[float]:
        """Accuracy less that of another kind, in points, seed by seed."""
        common = [seed for seed in self.runs if seed in other.runs]
        return [POINTS * (self.runs[seed].row["accuracy"] - other.runs[seed].row["accuracy"]) for seed in common]


def kinds_of(measured: Sequence[Measured]) -> list[Kind]:
    """Tasks by what they have in common but the seed, in order."""
    found: dict[tuple[str, str, str, str, float, float], dict[int, Measured]] = {}
    for task in measured:
        has = task.settings
        floating = task.shown["mode"] == "float"
        hidden = "-".join(map(str, [784, *has["network.hidden"], 10]))
        place = (
            (hidden, "float", "", "", 0.0, 0.0)
            if floating
            else (
                hidden,
                has["rule.values"],
                has["mapping.device"],
                has["chip.tile.scheme"],
                float(has["mapping.spread"]),
                float(has.get("rule.middle", 0.0)),
            )
        )
        found.setdefault(place, {})[int(task.shown["seed"])] = task
    return [
        Kind(network, values, device, scheme, spread, middle, dict(sorted(runs.items())))
        for (network, values, device, scheme, spread, middle), runs in found.items()
    ]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the mean over seeds; NaN for one seed."""
    found = mean_interval(np.array(values, np.float64)[:, None], 0)
    return found.low, found.high


def text_of(values: Sequence[float], form: str = "+.2f", unit: str = " points") -> str:
    """Mean with its interval."""
    low, high = interval(values)
    ends = "" if math.isnan(low) else f" ({format(low, form)} to {format(high, form)})"
    return f"{format(fmean(values), form)}{ends}{unit}".replace("-", "\N{MINUS SIGN}")


def compared(values: Sequence[float], low: float, high: float) -> str:
    """Where an interval lies beside a published range."""
    ends = interval(values)
    mine = (fmean(values),) * 2 if math.isnan(ends[0]) else ends
    if mine[0] <= high and mine[1] >= low:
        return "agrees within the interval"
    return "above the published" if mine[0] > high else "below the published"


def conclude(measured: Sequence[Measured]) -> Conclusion:
    """Table, comparisons and page."""
    kinds = kinds_of(measured)
    floats = {kind.network: kind for kind in kinds if kind.values == "float"}
    mapped = [kind for kind in kinds if kind.values != "float"]
    rows = [_row(kind, floats.get(kind.network)) for kind in kinds]
    chips = max((len(run.chips) for kind in mapped for run in kind.runs.values()), default=0)
    seeds = max((len(kind.runs) for kind in kinds), default=0)
    return Conclusion(
        table=rows,
        readings=_readings(mapped),
        panels=_panels(mapped, floats),
        spread=f"Means over {seeds} trainings of {chips} chips each; in brackets 95 % intervals over trainings "
        "(Student's t).",
    )


def _row(kind: Kind, floating: Kind | None) -> dict[str, Any]:
    """Row of the table: accuracies are fractions, changes points."""
    first = next(iter(kind.runs.values())).row
    row: dict[str, Any] = {
        "network": kind.network,
        "weights": kind.values,
        "middle_level": kind.middle if kind.values == "ternary" else None,
        "device": kind.device or None,
        "scheme": kind.scheme or None,
        "spread": kind.spread if kind.device else None,
        "seeds": len(kind.runs),
        "chips": first["chips"],
        "measured_on": first["measured_on"],
        "software_accuracy": kind.mean("software_accuracy"),
        **_ends("accuracy", kind.each("accuracy")),
        "chip_std": kind.mean("chip_std") if kind.device else None,
    }
    nothing = dict.fromkeys(("change_points", "change_points_low", "change_points_high"))
    row |= _ends("change_points", kind.each("change_points")) if kind.device else nothing
    against = [] if floating is None or not kind.device else kind.against(floating)
    row |= _ends("against_float_points", against)
    for name in (
        "memory_saved", "whole_memory_saved", "system_picojoule", "float32_nanojoule", "latency_nanoseconds",
        "area_square_millimetre", "programming_nanojoule",
    ):  # fmt: skip
        row[name] = kind.mean(name) if kind.device else None
    return row


def _ends(name: str, values: Sequence[float]) -> dict[str, float | None]:
    low, high = interval(values) if values else (math.nan, math.nan)
    return {
        name: fmean(values) if values else None,
        f"{name}_low": None if math.isnan(low) else low,
        f"{name}_high": None if math.isnan(high) else high,
    }


def _readings(mapped: Sequence[Kind]) -> list[Reading]:
    found = []
    figure: dict[str, Figure] = {item.quantity: item for item in figures_of("kingra-2022")}
    gain = POINTS * figure["accuracy of the binary network on chips less that in software"].value
    small, large = (
        -POINTS * figure[f"{which} loss of the ternary network on chips against software"].value
        for which in ("smallest", "largest")
    )
    published = {
        "binary": (gain, gain, f"{gain:+.1f} points"),
        "ternary": (large, small, f"{small:.0f} to {large:.0f} points".replace("-", "\N{MINUS SIGN}")),
    }
    for kind in mapped:
        if not (kind.main and kind.spread):
            continue
        low, high, words = published[kind.values]
        changes = kind.each("change_points")
        name = f"{NAMES[kind.values]}, {kind.network}, spread {kind.spread:g}"
        verdict = compared(changes, low, high)
        found.append(Reading(name, "on chips against software", text_of(changes), words, verdict))
    for values, name in NAMES.items():
        quantity = f"memory saved by the {values} network"
        of_kind = [kind for kind in mapped if kind.values == values]
        if of_kind:
            saved, whole = (of_kind[0].mean(column) for column in ("memory_saved", "whole_memory_saved"))
            beside = figure[quantity].value
            verdict = "reached" if saved >= beside else "not reached"
            ours = f"{saved:.0f} times ({whole:.1f} with biases in float32)"
            found.append(Reading(name, "float32 memory over ours", ours, f"{beside:.0f} times", verdict))
    return found


def _panels(mapped: Sequence[Kind], floats: Mapping[str, Kind]) -> list[Panel]:
    main = [kind for kind in mapped if kind.main]
    panels = []
    if len({kind.spread for kind in main}) > 1:
        panels.append(_against_spread(main, floats))
    compared_schemes = [kind for kind in mapped if kind.spread == 1.0 and kind.device != LOGARITHMIC]
    networks = {kind.network for kind in compared_schemes if kind.scheme != TWO_READS}
    compared_schemes = [kind for kind in compared_schemes if kind.network in networks]
    if compared_schemes:
        panels.append(_schemes(compared_schemes))
    middle = [kind for kind in mapped if kind.device == LOGARITHMIC]
    if middle:
        panels.append(_middle([*middle, *_beside_middle(mapped, middle)]))
    return panels


def _against_spread(main: Sequence[Kind], floats: Mapping[str, Kind]) -> Panel:
    networks = list(dict.fromkeys(kind.network for kind in main))
    plots = []
    for network in networks:
        curves = {
            NAMES[values]: [
                figures.Point(kind.spread, POINTS * kind.mean("accuracy"), [POINTS * x for x in kind.each("accuracy")],
                              POINTS * kind.mean("software_accuracy"))
                for kind in sorted(main, key=lambda kind: kind.spread)
                if (kind.network, kind.values) == (network, values)
            ]
            for values in NAMES
        }  # fmt: skip
        floating = floats.get(network)
        level = None if floating is None else POINTS * floating.mean("accuracy")
        plots.append((f"Accuracy of {network} against the spread of the devices", figures.spread_plot(curves, level)))
    rows = [
        [
            f"{NAMES[kind.values]}, {kind.network}",
            f"{kind.spread:g}",
            text_of([POINTS * x for x in kind.each("accuracy")], ".2f", " %"),
            f"{POINTS * kind.mean('software_accuracy'):.2f} %",
            text_of(kind.each("change_points")),
            text_of(kind.against(floats[kind.network])) if kind.network in floats else "–",
            f"{POINTS * kind.mean('chip_std'):.2f} %",
        ]
        for kind in sorted(main, key=lambda kind: (kind.network, kind.values, kind.spread))
    ]
    return Panel(
        "Accuracy against the spread of the devices",
        "Accuracy on chips with one device a weight and two reads, against the factor on all standard deviations of "
        "ln R (0.05, 0.15 and 0.3 of the low, middle and high resistance). Bars: 95 % intervals over trainings. Dotted "
        "lines: the same networks in software; grey: the float network. The axis does not start at zero.",
        plots,
        ["network", "spread", "on chips", "in software", "against software", "against float", "between chips"],
        rows,
    )


def _schemes(kinds: Sequence[Kind]) -> Panel:
    order = sorted(kinds, key=lambda kind: (kind.values, kind.scheme))
    bars = {f"{NAMES[kind.values]}, {kind.scheme}": _by_cause(kind) for kind in order}
    rows = [
        [
            f"{NAMES[kind.values]}, {kind.scheme}",
            text_of([POINTS * x for x in kind.each("accuracy")], ".2f", " %"),
            text_of(kind.each("change_points")),
            f"{kind.mean('system_picojoule') / 1e3:.3f}",
            f"{kind.mean('latency_nanoseconds'):.1f}",
            f"{kind.mean('area_square_millimetre'):.4f}",
            f"{kind.mean('programming_nanojoule') / 1e3:.2f}",
        ]
        for kind in order
    ]
    return Panel(
        "Two reads against a pair and a reference column",
        f"Energy of one inference of {kinds[0].network} by cause, for devices with the declared spread. Network, "
        "leakage and clocks are estimates. The reference column is taken to be exact; those of real chips have errors "
        "too.",
        [("Energy of one inference by cause", figures.energy_plot(bars))],
        ["network, scheme", "accuracy", "against software", "energy (nJ)", "latency (ns)", "area (mm²)",
         "programming a chip (µJ)"],
        rows,
    )  # fmt: skip


def _by_cause(kind: Kind) -> dict[str, float]:
    """Mean energy of one inference in pJ by cause; estimates together."""
    names = [name for name in next(iter(kind.runs.values())).row if name.endswith("_picojoule")]
    energies: dict[str, float] = {}
    for name in names:
        cause = name.removesuffix("_picojoule")
        if cause != "system":
            label = "network and clocks" if cause in ESTIMATES else cause.replace("_", " ")
            energies[label] = energies.get(label, 0.0) + kind.mean(name)
    return energies


def _beside_middle(mapped: Sequence[Kind], middle: Sequence[Kind]) -> list[Kind]:
    networks, spreads = {kind.network for kind in middle}, {kind.spread for kind in middle}
    return [
        kind
        for kind in mapped
        if kind.main and kind.values == "ternary" and kind.network in networks and kind.spread in spreads
    ]


def _middle(kinds: Sequence[Kind]) -> Panel:
    rows = [
        [
            f"{kind.device}, {kind.scheme.replace('-', ' ')}",
            f"{kind.middle:.2f}".replace("-", "\N{MINUS SIGN}"),
            f"{POINTS * kind.mean('software_accuracy'):.2f} %",
            text_of([POINTS * x for x in kind.each("accuracy")], ".2f", " %"),
            text_of(kind.each("change_points")),
        ]
        for kind in kinds
    ]
    return Panel(
        "What the middle resistance decides",
        f"Ternary networks ({kinds[0].network}, spread {kinds[0].spread:g}) on devices whose middle resistance is the "
        "geometric mean of the outer two (oxram-3: 50 kohm, a weight of −0.67) or gives the middle conductance "
        "(oxram-3-even: 19.4 kohm, a weight of 0). Two reads of one device cannot move the middle level; the two "
        "middle devices of a pair cancel; or the network is trained with the level that the device has.",
        [],
        ["device, scheme", "trained with level", "in software", "on chips", "against software"],
        rows,
    )


KINGRA_2022 = SYSTEMS.register(
    "kingra-2022",
    System(
        name="kingra-2022",
        title="binary and ternary networks on Fashion-MNIST, mapped to HfOx OxRAM with one device a weight and two "
        "reads, beside pairs, reference columns and float",
        status="after",
        sweep=FOLDER / "kingra-2022.toml",
        assumptions=(
            "resistances are lognormal with medians 10, 19.4 or 50, and 250 kohm; sigma of ln R 0.05, 0.15 and 0.3, of "
            "which 0.6 is between devices and 0.8 between programmings; every device is programmed once, without "
            "verification",
            "the second read drives all rows with the mean of the inputs: it measures the mean conductance of each "
            "column times the sum of the inputs. What that differs from the reference of weight 0 is known from the "
            "weights that were programmed, and is added digitally",
            "what the paper reads a second time, its converters, and whether its neurons are analogue between layers "
            "are not known to us; ours convert each read by 8 bits and compute the sigmoid digitally",
            "sigmoid neurons with a gain, no normalisation, biases in float32; one scale for each layer, the mean |w|; "
            "gain, rate and number of epochs chosen on 5000 validation samples of the training set",
            "ternary threshold 0.7 mean |w|; a straight-through estimator without clipping",
            "inputs are standardised pixels with a sign, as voltages of both signs",
            "ideal wires and reads without noise; the infer task has both for one chip",
            "the abstract's changes are against ideal quantised networks (arXiv) or software (journal)",
        ),
        core_minutes=11,
        results="docs/results.md",
        quick={"set.epochs": 1, "set.mapping.chips": 5, "search.repeat.seed": [0]},
        conclude=conclude,
    ),
)
