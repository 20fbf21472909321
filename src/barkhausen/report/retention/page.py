"""The page about networks that are left alone: accuracy after waiting, retention of the device, and refresh.

All numbers on the page are those of ``barkhausen retention``; the text around them is in ``retention.html.jinja``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write, read_json
from barkhausen.report.render import render
from barkhausen.report.retention.figures import (
    accuracy_plot,
    power_of,
    refresh_plot,
    retention_plot,
    worst_retention,
)
from barkhausen.report.retention.groups import Group, Summary, duration, estimate, groups_of
from barkhausen.results.statistics import nested

PAGE = "retention.html"

NEEDED = (
    *("mode", "states", "seed", "dataset", "device", "network", "synapses", "fresh", "conditions", "barriers"),
    *("retention", "refresh", "policies", "settings", "assumed"),
)

STANDARD = ((300.0, 315_576_000.0, "ten years at 300 K"), (358.0, 86_400.0, "a day at 358 K"))
"""Temperature in K, time in s and name of the conditions that the key figures show."""


def write_retention_report(summaries: Sequence[Summary], out: str | Path) -> None:
    """Write one page about networks that are left alone.

    Args:
        summaries: Summaries of :meth:`.Retention.summary`, one a network; those that differ in their seed alone are
            taken together.
        out: File of the page.

    Raises:
        InputError: There is no summary, one lacks a required value, or ``out`` cannot be written.
    """
    if not summaries:
        raise InputError("a page about retention needs at least one network")
    for summary in summaries:
        missing = [key for key in NEEDED if key not in summary]
        if missing:
            raise InputError(
                f"the summary of a network left alone lacks {', '.join(missing)}; it is of another version"
            )
    groups = groups_of(summaries)
    policies: Mapping[str, str] = groups[0].first["policies"]
    devices = list({(g.first["device"], g.first["states"]): g for g in groups}.values())
    power = refresh_plot(groups, policies)
    assumed = dict.fromkeys(line for summary in summaries for line in summary["assumed"])
    refreshes = [row for group in groups for row in refresh_rows(group, policies)]
    page = render(
        "retention/retention.html.jinja",
        groups=groups,
        standard=STANDARD,
        policies=policies,
        devices=devices,
        seeds=max(len(group.runs) for group in groups),
        accuracies=[(_capital(group.label), accuracy_plot(group)) for group in groups],
        retentions=[(f"Retention of {group.first['device']}", retention_plot(group.first)) for group in devices],
        power=None if power is None else ("Power of refreshing a synapse", power),
        refreshes=refreshes,
        part_names=list(dict.fromkeys(name for row in refreshes for name in row["parts"])),
        worst_retention=worst_retention,
        duration=duration,
        assumed=list(assumed),
        watt=watt,
        signed=signed,
        measured_on=sorted({str(summary.get("measured_on", "test")) for summary in summaries}),
    )
    atomic_write(Path(out), page)


def read_summaries(files: Sequence[str | Path]) -> list[Summary]:
    """Summaries of networks left alone from their files.

    Raises:
        InputError: A file is missing or damaged.
    """
    found: list[Summary] = []
    for file in files:
        content = read_json(file)
        if not isinstance(content, dict):
            raise InputError(f"{file}: is no summary of a network left alone")
        found.append(content)
    return found


def refresh_rows(group: Group, policies: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows of the table of refreshes of a group: one for each temperature and policy, means over seeds."""
    rows: list[dict[str, Any]] = []
    for place, first in enumerate(group.first["refresh"]):
        runs = [run["refresh"][place] for run in group.runs]
        needed = any(run["needed"] for run in runs)
        periods = [run["period"] for run in runs if run["period"] is not None]
        holds = all(run["period"] is not None for run in runs if run["needed"])
        common = {
            "group": group.label,
            "temperature": float(first["temperature"]),
            "retention": worst_retention(group, first["temperature"]),
            "needed": needed,
            "holds": holds,
            "period": min(periods) if periods else None,
            "longest": float(group.first["settings"]["times"][-1]),
            "loss": estimate(nested([[100 * value for value in run["losses"]] for run in runs])),
            "reprogrammed": fmean(run["reprogrammed"] for run in runs),
        }
        if not (needed and holds):
            rows.append({**common, "policy": None, "power": 0.0 if not needed else None, "parts": {}})
            continue
        for policy in policies:
            rows.append(
                {
                    **common,
                    "policy": policy,
                    "power": power_of(group, first, policy),
                    "each": (power_of(group, first, policy) or 0.0) / float(group.first["synapses"]),
                    "parts": _parts(runs, policy),
                }
            )
    return rows


def _parts(runs: Sequence[Summary], policy: str) -> dict[str, float]:
    """Power in W by label of its cause, mean over seeds."""
    labels: dict[str, str] = {}
    for run in runs:
        labels |= run["labels"]
    return {
        label: fmean(
            run["energy_joule"][policy].get(cause, 0.0) / run["period"] if run["period"] is not None else 0.0
            for run in runs
        )
        for cause, label in labels.items()
    }


def signed(value: float) -> str:
    """A number with two decimals; what rounds to zero has no sign."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def watt(value: float | None) -> str:
    """A power with its SI prefix."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    for scale, prefix in ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f"), (1e-18, "a")):
        if value >= 0.9995 * scale:
            return f"{value / scale:.3g}\N{NO-BREAK SPACE}{prefix}W"
    return f"{value:.2e}\N{NO-BREAK SPACE}W"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
