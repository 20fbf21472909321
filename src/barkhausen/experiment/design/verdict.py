"""Verdict on a finished design search in sentences: quality of the best design, its limit, and doubts about it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from barkhausen.device.statistics.states import coinciding, is_monotonic

FAMILY_WORDS = {
    "rough": "rough edges alone",
    "equal-notches": "notches of one depth",
    "graded-notches": "notches of different depths",
    "gradient": "equal notches in an anisotropy gradient",
}


@dataclass(frozen=True)
class Verdict:
    """What a design search found, in sentences without markup.

    Attributes:
        summary: Quality of the best design.
        limit: What limits the overlap of its states.
        warnings: Doubts about the design: a title and a sentence each.
    """

    summary: str
    limit: str
    warnings: Sequence[tuple[str, str]]

    @property
    def lines(self) -> list[str]:
        """All sentences, one line each, for a terminal."""
        return [self.summary, self.limit, *(f"{title}: {text}" for title, text in self.warnings)]


def verdict(result: Mapping[str, Any]) -> Verdict:
    """The verdict on a search.

    Args:
        result: Content of ``design.json``.
    """
    score, states = final(result)
    by = "micromagnetic simulation" if result["best"]["confirmed"] else "the compact model"
    summary = (
        f"The best design has {FAMILY_WORDS[result['best']['family']]}: by {by} neighbouring states overlap by "
        f"{score['overlap']:.3f} on average and {_percent(score['misplaced'])} of the walls rest nearer to another "
        f"state than to their own; the smallest gap between states is {_percent(score['smallest_gap'])} of the track, "
        f"{_percent(score['failures'])} of the events fail, and an event needs {1e15 * score['energy']:.3g} fJ "
        "(current pulses and gate)."
    )
    warnings = []
    if not result["best"]["confirmed"]:
        tried = any(finalist["confirmed"] for entry in result["families"] for finalist in entry["finalists"])
        warnings.append(
            (
                "Not confirmed",
                f"{'none of the designs that were' if tried else 'no design was'} simulated micromagnetically"
                f"{' held its states' if tried else ''}. The compact model describes one straight wall. It cannot "
                "predict annihilated or bent walls.",
            )
        )
    return Verdict(summary, _limit_in_words(limit(result["around"])), [*warnings, *_about_states(states)])


def best_finalist(result: Mapping[str, Any]) -> dict[str, Any]:
    """Entry of the best design in ``design.json``."""
    entry = next(entry for entry in result["families"] if entry["family"] == result["best"]["family"])
    finalist: dict[str, Any] = entry["finalists"][result["best"]["rank"]]
    return finalist


def final(result: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Score and states of the best design: of micromagnetics if it confirmed the design, else of the compact model."""
    best = best_finalist(result)
    found = best["confirmed"] if result["best"]["confirmed"] else best["compact"]
    return found["score"], found["states"]


def _about_states(states: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    lost = [k for k, mean in enumerate(states["mean"]) if mean is None]
    if lost:
        found.append(("Lost states", f"no event left a wall in {_numbered(lost)}."))
    pairs = coinciding(states["mean"], states["spread"])
    if pairs:
        named = ", ".join(
            f"{k} and {k + 1} ({1e9 * states['mean'][k]:.1f} and {1e9 * states['mean'][k + 1]:.1f} nm)" for k in pairs
        )
        left = len(states["mean"]) - len(pairs) - len(lost)
        found.append(
            (
                "Coinciding states",
                f"states {named} are no farther apart than their standard deviation, so one read cannot tell them "
                f"apart; the device has in effect {left} {'state' if left == 1 else 'states'}.",
            )
        )
    if not is_monotonic(states["voltage"]):
        found.append(
            (
                "Order of the voltages",
                "the mean positions of the states do not follow the order of their gate voltages: "
                f"{', '.join(f'{voltage:+.3g} V' for voltage in states['voltage'])} from state 0 on.",
            )
        )
    return found


def limit(around: Mapping[str, Any]) -> dict[str, Any]:
    """Overlap of the design, the overlaps without thermal motion and without rough edges, and the limiting one of the
    two.

    Args:
        around: Table ``around`` of ``design.json``.

    Returns:
        Overlaps ``own``, ``cold`` and ``smooth``; ``chance``, two standard deviations of one evaluation; and ``cause``:
        ``temperature``, ``roughness``, or empty if neither exceeds chance.
    """
    overlaps = [score["overlap"] for score in around["own"]]
    own, chance = float(np.mean(overlaps)), 2 * float(np.std(overlaps, ddof=1))
    without = {
        quantity: next(
            (
                float(scenario["score"]["overlap"])
                for scenario in around["scenarios"]
                if scenario["quantity"] == quantity and scenario["value"] == 0 and scenario["score"] is not None
            ),
            math.nan,
        )
        for quantity in ("temperature", "roughness")
    }
    gains = {quantity: own - overlap for quantity, overlap in without.items() if overlap < own - chance}
    return {
        "own": own,
        "chance": chance,
        "cold": without["temperature"],
        "smooth": without["roughness"],
        "cause": max(gains, key=lambda quantity: gains[quantity]) if gains else "",
    }


def _limit_in_words(found: Mapping[str, Any]) -> str:
    own, cold, smooth = (_fixed(found[name]) for name in ("own", "cold", "smooth"))
    if found["cause"] == "temperature":
        line = f"Thermal motion limits this design: without it neighbours would overlap by {cold} instead of {own}"
        return f"{line}; smooth edges would make it {smooth}." if math.isfinite(found["smooth"]) else f"{line}."
    if found["cause"] == "roughness":
        return (
            f"Rough edges limit this design: with smooth ones neighbours would overlap by {smooth} instead of {own}; "
            f"without thermal motion by {cold}."
        )
    return (
        "Neither thermal motion nor rough edges limit this design: without thermal motion neighbours would overlap by "
        f"{cold} and with smooth edges by {smooth}, compared with {own} for the design (± {_fixed(found['chance'])} by "
        "chance)."
    )


def _numbered(states: Sequence[int]) -> str:
    return f"state{'s' if len(states) > 1 else ''} {', '.join(map(str, states))}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _fixed(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"
