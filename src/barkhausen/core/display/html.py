"""Descriptions of objects for people: text for a terminal, collapsible sections for a notebook.

A class builds one :class:`Description` and shows it as ``__repr__`` and ``_repr_html_``. The HTML loads nothing,
escapes every value and takes the colours of the page that it stands on, light or dark.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

MOST_ROWS = 60
"""Largest number of rows shown of one table, and of lines of one list."""

MOST_LETTERS = 400
"""Largest number of letters shown of one value."""

DASH = "–"
PREFIXES = (("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0), ("m", 1e-3), ("µ", 1e-6), ("n", 1e-9), ("p", 1e-12),
            ("f", 1e-15), ("a", 1e-18))  # fmt: skip

STYLE = """<style>
.barkhausen-repr{font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.45;
max-width:50rem;color:inherit;background:transparent}
.barkhausen-repr header{border-bottom:1px solid rgba(128,128,128,.45);padding:0 0 .3em;margin:0 0 .3em}
.barkhausen-repr header b{font-weight:600}
.barkhausen-repr header span{opacity:.75;margin-left:.5em}
.barkhausen-repr dl{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1em;margin:.3em 0 .3em .9em}
.barkhausen-repr dt{opacity:.75;margin:0;font-weight:400}
.barkhausen-repr dd{margin:0;overflow-wrap:anywhere}
.barkhausen-repr summary{cursor:pointer;padding:.15em 0;color:inherit}
.barkhausen-repr summary span{opacity:.75;margin-left:.4em}
.barkhausen-repr table{border-collapse:collapse;margin:.2em 0 .5em 1em;color:inherit;background:transparent}
.barkhausen-repr th,.barkhausen-repr td{padding:.1em .7em;text-align:right;border:0;background:transparent;
font-variant-numeric:tabular-nums;color:inherit;white-space:nowrap}
.barkhausen-repr th{font-weight:600;border-bottom:1px solid rgba(128,128,128,.45)}
.barkhausen-repr th:first-child,.barkhausen-repr td:first-child{text-align:left}
.barkhausen-repr ul{margin:.2em 0 .5em 1em;padding-left:1.2em;overflow-wrap:anywhere}
.barkhausen-repr .scroll{overflow-x:auto}
</style>"""


@dataclass(frozen=True)
class Section:
    """Part of a description that can be folded.

    Args:
        title: Title.
        header: Names of the columns of a table. Default: no table.
        rows: Rows of the table.
        pairs: Names with their values.
        lines: Lines of a list.
        opened: Whether the section is shown unfolded.
    """

    title: str
    header: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    pairs: Mapping[str, object] = field(default_factory=dict)
    lines: Sequence[str] = ()
    opened: bool = False

    @property
    def size(self) -> int:
        """Number of rows, pairs or lines."""
        return len(self.rows) + len(self.pairs) + len(self.lines)

    def html(self) -> str:
        """The section as HTML."""
        parts = []
        if self.rows:
            head = "".join(f'<th scope="col">{_escaped(name)}</th>' for name in self.header)
            body = "".join(
                "<tr>" + "".join(f"<td>{_escaped(cell)}</td>" for cell in row) + "</tr>"
                for row in self.rows[:MOST_ROWS]
            )
            parts.append(
                f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
            )
        if self.pairs:
            parts.append(_list_of_pairs(self.pairs))
        if self.lines:
            parts.append("<ul>" + "".join(f"<li>{_escaped(line)}</li>" for line in self.lines[:MOST_ROWS]) + "</ul>")
        if max(len(self.rows), len(self.lines)) > MOST_ROWS:
            parts.append(f"<p>the first {MOST_ROWS} of {max(len(self.rows), len(self.lines))}</p>")
        unfolded = " open" if self.opened else ""
        summary = f"<summary>{_escaped(self.title)}<span>({self.size})</span></summary>"
        return f"<details{unfolded}>{summary}{''.join(parts)}</details>"


@dataclass(frozen=True)
class Description:
    """What an object is, for people.

    Args:
        kind: Kind of the object, such as the name of its class.
        facts: Most important values by name.
        sections: Details.
        name: Name or label of the object.
    """

    kind: str
    facts: Mapping[str, object]
    sections: Sequence[Section] = ()
    name: str = ""

    def text(self) -> str:
        """A head line and one line for each fact."""
        head = f"<{self.kind}: {self.name}>" if self.name else f"<{self.kind}>"
        width = max((len(name) for name in self.facts), default=0)
        return "\n".join([head, *(f"  {name:<{width}}  {_plain(value)}" for name, value in self.facts.items())])

    def html(self) -> str:
        """The whole description as HTML that stands for itself."""
        head = f"<header><b>{_escaped(self.kind)}</b><span>{_escaped(self.name)}</span></header>"
        sections = "".join(section.html() for section in self.sections if section.size)
        return f'<div class="barkhausen-repr">{STYLE}{head}{_list_of_pairs(self.facts)}{sections}</div>'


def quantity(value: float | None, unit: str, digits: int = 3) -> str:
    """A value with its unit and a prefix: ``12.3 nm``; a dash where there is no number."""
    if value is None or not math.isfinite(value):
        return DASH
    if unit in ("", "1"):
        return f"{value:.{digits}g}"
    if value == 0:
        return f"0 {unit}"
    scale = next(((p, s) for p, s in PREFIXES if abs(value) >= 0.9995 * s), PREFIXES[-1])
    return f"{_digits(value / scale[1], digits)} {scale[0]}{unit}"


def flat_json(text: str) -> dict[str, object]:
    """The leaves of a JSON object by key with dots; empty where the text is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return dict(_leaves(value, "")) if isinstance(value, dict) else {}


def _leaves(value: Any, prefix: str) -> Iterable[tuple[str, object]]:
    for key, item in value.items():
        if isinstance(item, dict) and item:
            yield from _leaves(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item


def _digits(value: float, digits: int) -> str:
    """That many significant digits, without an exponent."""
    if value == 0:
        return "0"
    decimals = digits - 1 - int(f"{value:.{digits - 1}e}".partition("e")[2])
    return f"{value:.{max(decimals, 0)}f}"


def _plain(value: object) -> str:
    """A value on one line, of bounded length."""
    text = f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= MOST_LETTERS else text[:MOST_LETTERS] + "…"


def _escaped(value: object) -> str:
    return escape(_plain(value), quote=True)


def _list_of_pairs(pairs: Mapping[str, object]) -> str:
    body = "".join(f"<dt>{_escaped(name)}</dt><dd>{_escaped(value)}</dd>" for name, value in pairs.items())
    return f"<dl>{body}</dl>" if body else ""
