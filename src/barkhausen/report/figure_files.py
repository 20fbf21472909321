"""Files that a reader takes from a figure: what they are called, and the data as CSV.

The address of a CSV file is its content, so that a page still loads nothing and hands its data out without scripts.
"""

from __future__ import annotations

import base64
import csv
import html
import io
import math
import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any
from urllib.parse import quote

import numpy as np

from barkhausen.core.files.csv_cells import guarded

LONGEST_NAME = 60
KEPT = ",;:.-_+*/()[]=@!$&'±σµ"
"""What may stand in an address as it is."""


def file_name(label: str) -> str:
    """A label as the name of a file, without an ending: small letters, digits and hyphens."""
    name = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
    return name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME].rpartition("-")[0] or name[:LONGEST_NAME]


def csv_address(text: str) -> str:
    """The address of a CSV file of that content."""
    return "data:text/csv;charset=utf-8," + quote(text, safe=KEPT)


def csv_text(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A CSV file with a header; empty cells where a value is missing. Text is guarded against formulas."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([guarded(name) for name in names])
    writer.writerows([[_written(value) for value in row] for row in rows])
    return stream.getvalue()


def figure_csv(spec: dict[str, Any]) -> str:
    """What a plot draws, one row a mark: series, coordinates, and errors and counts where the plot has them.

    Args:
        spec: Of a plot; ``customdata`` of a trace, one number a mark, is the column ``n``. A text under ``csv`` is
            taken instead.
    """
    if "csv" in spec:
        return str(spec["csv"])
    traces = [trace for trace in spec["data"] if trace.get("name") and trace.get("mode") != "text"]
    columns: dict[str, list[list[object]]] = {}
    for trace in traces:
        parts = {"x": _values(trace.get("x")), "y": _values(trace.get("y"))}
        for axis in ("x", "y"):
            bars = trace.get(f"error_{axis}") or {}
            if "array" in bars:
                parts[f"{axis} above"] = _values(bars["array"])
                parts[f"{axis} below"] = _values(bars.get("arrayminus", bars["array"]))
        counts = _values(trace.get("customdata"))
        if counts and not isinstance(counts[0], (list, tuple)):
            parts["n"] = counts
        for name in parts:
            columns.setdefault(name, [])
        columns.setdefault("series", []).append([])
    named = [name for name in ("x", "x below", "x above", "y", "y below", "y above", "n") if name in columns]
    rows: list[list[object]] = []
    for trace in traces:
        values = [_of(trace, name) for name in named]
        series = html.unescape(str(trace["name"]))
        rows += [[series, *row] for row in zip_longest(*values) if not all(_missing(cell) for cell in row)]
    titles = {axis: _title(spec, traces, axis) for axis in ("x", "y")}
    header = [_heading(name, titles) for name in named]
    return csv_text(["series", *header], rows)


def drawn(spec: dict[str, Any]) -> dict[str, Any]:
    """What plotly is given of a plot."""
    return {"data": spec["data"], "layout": spec["layout"]}


def _of(trace: dict[str, Any], name: str) -> list[Any]:
    axis, _, side = name.partition(" ")
    if axis == "n":
        counts = _values(trace.get("customdata"))
        return counts if counts and not isinstance(counts[0], (list, tuple)) else []
    if not side:
        return _values(trace.get(axis))
    bars = trace.get(f"error_{axis}") or {}
    return _values(bars.get("arrayminus", bars.get("array")) if side == "below" else bars.get("array"))


def _heading(name: str, titles: dict[str, str]) -> str:
    axis, _, side = name.partition(" ")
    return f"bar {side} {titles[axis]}" if side else titles.get(axis, axis)


def _title(spec: dict[str, Any], traces: Sequence[dict[str, Any]], axis: str) -> str:
    title = spec["layout"].get(f"{axis}axis", {}).get("title", {}).get("text")
    if title:
        return html.unescape(str(title))
    words = any(isinstance(value, str) for trace in traces for value in _values(trace.get(axis)))
    return "label" if words else axis


def _values(given: Any) -> list[Any]:
    """A list, whether plotly wrote it as one or as the bytes of an array."""
    if given is None:
        return []
    if isinstance(given, dict):
        values: list[Any] = np.frombuffer(base64.b64decode(given["bdata"]), np.dtype(given["dtype"])).tolist()
        return values
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _written(value: object) -> object:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.7g}"
    return guarded(html.unescape(value)) if isinstance(value, str) else value
