"""Verdict on a search for a front in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from barkhausen.experiment.design.verdict import Verdict


def best_finalist(result: Mapping[str, Any]) -> dict[str, Any] | None:
    """The finalist of least energy among those that keep the limits in micromagnetics, else in the compact model.

    Args:
        result: Content of ``design.json``.
    """
    finalists: list[dict[str, Any]] = result["finalists"]
    for key in ("confirmed_keeps_limits", "keeps_limits"):
        kept = [f for f in finalists if f[key]]
        if kept:
            return min(kept, key=lambda f: float(_merits(f, key)["energy"]))
    return finalists[0] if finalists else None


def verdict(result: Mapping[str, Any]) -> Verdict:
    """The verdict on a search.

    Args:
        result: Content of ``design.json``.
    """
    best = best_finalist(result)
    if best is None:
        return Verdict("No design could be evaluated again.", "", [])
    confirmed = bool(best["confirmed_keeps_limits"])
    key = "confirmed_keeps_limits" if confirmed else "keeps_limits"
    by = "micromagnetics" if confirmed else "the compact model"
    kept = [_merits(f, key) for f in result["finalists"] if f[key]]
    ends = sorted(kept, key=lambda merits: float(merits["retention"]))
    if len(ends) > 1 and result["recipe"]["search"]["mode"] == "pareto":
        summary = (
            f"The front of {len(ends)} designs that keep all limits by {by} reaches from {_in_words(ends[0])} to "
            f"{_in_words(ends[-1])}."
        )
    else:
        summary = (
            f"{'The cheapest design that keeps all limits' if kept else 'The best design, which breaks a limit,'} "
            f"needs, by {by}, {_in_words(_merits(best, key))}."
        )
    warnings = []
    if not kept:
        warnings.append(("Limits", "no design keeps all limits; the ranges or the limits must change."))
    if not confirmed:
        tried = [f for f in result["finalists"] if f["confirmed"]]
        text = (
            f"of {len(tried)} design{'s' if len(tried) > 1 else ''} simulated micromagnetically none keeps all limits."
            if tried
            else ("no design was simulated micromagnetically. The compact model cannot predict lost or bent walls.")
        )
        warnings.append(("Not confirmed", text))
    simulated = [f for f in result["finalists"] if f["confirmed"]]
    number = len([f for f in simulated if f["confirmed_keeps_limits"]])
    confirmations = (
        f", and {number} of the {len(simulated)} simulated micromagnetically."
        if simulated
        else "; none was simulated micromagnetically."
    )
    limit = (
        f"{result['feasible']} of {result['evaluated']} designs of the search keep all limits in the compact model"
        f"{confirmations}"
    )
    return Verdict(summary, limit, warnings)


def _in_words(merits: Mapping[str, float]) -> str:
    """Energy, retention and distinguishability of a design."""
    return (
        f"{1e15 * merits['energy']:.3g} fJ an event with a retention of {merits['retention']:.2g} s (barrier "
        f"{merits['barrier']:.1f} kB T, 10 % worst device, worst state), an overlap of at most {merits['overlap']:.3f} "
        f"and {merits['bits']:.2f} bits"
    )


def _merits(finalist: Mapping[str, Any], key: str) -> dict[str, Any]:
    confirmed = key == "confirmed_keeps_limits"
    found: dict[str, Any] = finalist["confirmed"]["merits"] if confirmed else finalist["merits"]
    return found
