"""The page about a search for a front.

All numbers on it are those of ``design.json`` and ``points.csv``; the text around them is in ``front.html.jinja``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomli_w

from barkhausen.core.files import atomic_write
from barkhausen.device.domain_wall.design.front import Found, Limits
from barkhausen.experiment.design.front.verdict import best_finalist, verdict
from barkhausen.report.design.front import figures
from barkhausen.report.device.words import lasting
from barkhausen.report.render import render, sig


def write_front_report(result: dict[str, Any], points: Sequence[Found], path: str | Path) -> None:
    """Write one page about a search for a front.

    Args:
        result: Content of ``design.json``.
        points: All evaluated points.
        path: File of the page.

    Raises:
        InputError: ``path`` cannot be written.
    """
    search, finalists = result["recipe"]["search"], result["finalists"]
    limits = Limits(**search["limits"])
    confirmed = [f for f in finalists if (f["confirmed"] or {}).get("merits")]
    best = best_finalist(result)
    page = render(
        "design/front/front.html.jinja",
        result=result,
        search=search,
        device=result["recipe"]["device"],
        finalists=finalists,
        confirmed=confirmed,
        verdict=verdict(result),
        limits=[line for line in stated(limits) if line],
        compact_limits=[line for line in stated(Limits(**search.get("compact_limits", search["limits"]))) if line],
        best=best,
        front=figures.front_plot(points, finalists, limits),
        progress=figures.progress_plot(result["by_generation"]),
        scans=[(f"Design {k}: {f['name']}", figures.scan_plot(f)) for k, f in _numbered(finalists)],
        barriers=[(f"Design {k}: {f['name']}", figures.barrier_plot(f)) for k, f in _numbered(finalists)],
        toml=tomli_w.dumps(best["parameters"]) if best else "",
        lasting=lasting,
        fj=lambda value: sig(1e15 * value, 3),
        shown=shown,
    )
    atomic_write(Path(path), page)


def _numbered(finalists: Sequence[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """Confirmed finalists with their numbers."""
    return [(k, f) for k, f in enumerate(finalists) if (f["confirmed"] or {}).get("merits")]


def stated(limits: Limits) -> list[str]:
    """The limits of a search in words."""
    return [
        f"overlap of neighbours at most {limits.overlap:g}" if limits.overlap < 1 else "",
        f"at most {100 * limits.misplaced:g} % of the walls of a state in another place"
        if limits.misplaced < 1
        else "",
        f"at most {100 * limits.lost:g} % failed events and incomplete resets" if limits.lost < 1 else "",
        "" if limits.retention is None else f"retention of at least {lasting(limits.retention)}",
        "" if limits.energy is None else f"at most {1e15 * limits.energy:g} fJ an event",
        "" if limits.current_density is None else f"at most {limits.current_density:g} A/m²",
        "" if limits.temperature_rise is None else f"a rise of at most {limits.temperature_rise:g} K",
        "" if limits.bits is None else f"at least {limits.bits:g} bits",
    ]


def shown(value: float, unit: str) -> str:
    """A value of a variable with a suitable unit."""
    scale, name = {"s": (1e9, "ns"), "m": (1e9, "nm"), "A/m2": (1e-11, "× 10¹¹ A/m²"), "J/m3": (1e-6, "MJ/m³")}.get(
        unit, (1.0, unit)
    )
    return f"{sig(scale * value, 4)}\N{NO-BREAK SPACE}{name}".rstrip("\N{NO-BREAK SPACE}")
