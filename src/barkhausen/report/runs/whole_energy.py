"""The whole energy of a trained sample and of an inference, by cause, for each kind of run: figures and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape

import plotly.graph_objects as go

from barkhausen.core.units import NANO
from barkhausen.experiment.energy import LearningAccount
from barkhausen.report.energy_causes import in_order, look_of, small_ones_together
from barkhausen.report.plots import Spec, finished_spec, totals_behind_bars
from barkhausen.report.render import joule
from barkhausen.report.runs.groups import Kind
from barkhausen.synapse import EnergyBreakdown
from barkhausen.synapse.crossbar.overheads import ESTIMATES, NOT_COUNTED

SMALL = 0.01
"""Share of every bar below which causes are combined."""

WITHIN = 20.0
"""Ratio to the largest bar of the chip beyond which a bar of float32 logic is left out, which would flatten it."""

LOGIC = "float32 logic"
PROGRAMMING = "programming: "


@dataclass(frozen=True)
class Bar:
    """One energy by cause: a kind of run, or float32 logic.

    Attributes:
        label: Name.
        energy: Energy.
        int8: Whole energy in J of the same in int8 logic; None where it is not known.
        logic: Whole energy in J of the same in float32 logic.
    """

    label: str
    energy: EnergyBreakdown
    int8: float | None
    logic: float


class WholeEnergy:
    """Energy by cause of a trained sample or of an inference: one bar for each kind of run, float32 logic beside.

    Args:
        what: ``"trained sample"`` or ``"inference"``.
        kinds: Kinds of runs; those without an account are left out.
        of: Function from an account to the energies on the chip, in float32 and in int8 logic.
    """

    not_counted = NOT_COUNTED
    small = SMALL

    def __init__(
        self,
        what: str,
        kinds: Sequence[Kind],
        of: Callable[[LearningAccount], tuple[EnergyBreakdown, EnergyBreakdown, EnergyBreakdown | None]],
    ) -> None:
        self.what = what
        self.bars: list[Bar] = []
        logics: dict[str, tuple[list[str], EnergyBreakdown]] = {}
        for kind in kinds:
            if kind.accounts is None:
                continue
            found = [of(account) for account in kind.accounts]
            energy, logic = _mean([each[0] for each in found]), _mean([each[1] for each in found])
            int8 = [each[2] for each in found if each[2] is not None]
            whole = _mean(int8).total if len(int8) == len(found) else None
            self.bars.append(Bar(kind.label, energy, whole, logic.total))
            # Kinds with the same network have the same float32 logic, but for the last digits of their means.
            logics.setdefault(f"{logic.total:.6g}", ([], logic))[0].append(kind.label)
        self.logics = [
            Bar(LOGIC if len(logics) == 1 else f"{LOGIC} ({'; '.join(labels)})", logic, None, logic.total)
            for labels, logic in logics.values()
        ]

    @property
    def columns(self) -> list[Bar]:
        """All bars, float32 logic last."""
        return [*self.bars, *self.logics]

    @property
    def causes(self) -> list[str]:
        """Causes of all bars, in order."""
        return in_order(name for bar in self.columns for name in bar.energy.by_cause)

    def label(self, cause: str) -> str:
        """Name of a cause; those of the device say that they are of programming."""
        labels = {name: label for bar in self.columns for name, label in bar.energy.labels.items()}
        name = PROGRAMMING + labels[cause] if cause in labels else cause
        return f"{name} (estimate)" if cause in ESTIMATES else name

    @cached_property
    def drawn(self) -> list[Bar]:
        """Bars of the figure."""
        largest = max(bar.energy.total for bar in self.bars)
        return [*self.bars, *(bar for bar in self.logics if bar.energy.total <= WITHIN * largest)]

    @property
    def figure(self) -> Spec:
        """Stacked bars by cause."""
        bars: list[Mapping[str, float]] = [bar.energy.by_cause for bar in self.drawn]
        names = [escape(bar.label) for bar in self.drawn]
        fig = go.Figure()
        rows = small_ones_together(bars, SMALL)
        for number, (cause, values) in enumerate(rows.items()):
            fig.add_bar(
                x=[NANO * value for value in values],
                y=names,
                orientation="h",
                name=escape(self.label(cause)),
                marker=look_of(cause, number),
                hovertemplate="%{x:.4g} nJ",
            )
        totals = [NANO * bar.energy.total for bar in self.drawn]
        totals_behind_bars(fig, totals, names, [f" {joule(total / NANO)}" for total in totals])
        fig.update_xaxes(title_text=f"nJ per {self.what}", range=[0, 1.08 * max(totals)], nticks=7)
        fig.update_yaxes(categoryorder="array", categoryarray=names, range=[len(names) - 0.4, -0.6], showgrid=False)
        fig.update_layout(barmode="stack", bargap=0.35, showlegend=True)
        spec = finished_spec(fig, 170 + 36 * len(names) + 12 * len(rows))
        # The total is written behind its bar, and so partly in the margin.
        spec["layout"]["margin"]["r"] = 72
        return spec


def whole_energies(kinds: Sequence[Kind]) -> list[WholeEnergy]:
    """The energy of a trained sample and that of an inference; empty where no run has an account."""
    found = [
        WholeEnergy("trained sample", kinds, _of_a_sample),
        WholeEnergy("inference", kinds, lambda each: (each.inference, each.float32_inference, each.int8_inference)),
    ]
    return [each for each in found if each.bars]


def _of_a_sample(account: LearningAccount) -> tuple[EnergyBreakdown, EnergyBreakdown, EnergyBreakdown | None]:
    int8 = account.int8_step
    return account.sample, account.float32_step / account.batch, None if int8 is None else int8 / account.batch


def _mean(energies: Sequence[EnergyBreakdown]) -> EnergyBreakdown:
    total = EnergyBreakdown()
    for energy in energies:
        total += energy
    return total / len(energies)
