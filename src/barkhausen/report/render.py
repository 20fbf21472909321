"""Pages from templates: one file each, with the formats of their numbers.

A page is self-contained unless :func:`plotly_source` asks for one that loads plotly.js.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jinja2
import tomli_w
from markupsafe import Markup
from plotly.offline import get_plotlyjs, get_plotlyjs_version

from barkhausen.core.units import PREFIXES
from barkhausen.report import plots
from barkhausen.report.figure_files import csv_address, drawn, figure_csv, file_name
from barkhausen.report.plotly_source import CDN, EMBED, choose_source, chosen_source
from barkhausen.results.table import NO_VALUE

FEWEST_FOR_CONTENTS = 3
"""Sections that a page needs to have a list of them."""


@contextmanager
def plotly_source(source: str) -> Iterator[None]:
    """Pages written in this context hold plotly.js (``"embed"``, 5 MB) or load it (``"link"``, small pages)."""
    before = chosen_source()
    choose_source(source)
    try:
        yield
    finally:
        choose_source(before)


def render(template: str | Path, **context: object) -> str:
    """The page of a template, which extends ``page.html.jinja``: one file, plotly included unless it is linked.

    Args:
        template: Name of a template of the package, or path of one outside it.
        context: Values for the template.
    """
    shared = {"dark_colours": plots.DARK, **_plotly()}
    environment = _environment()
    if isinstance(template, Path):
        found = environment.from_string(template.read_text(encoding="utf-8"))
    else:
        found = environment.get_template(template)
    return with_contents(found.render(shared | context))


def _plotly() -> dict[str, Any]:
    """plotly.js for a page: its text, or its address with the digest that a browser checks it against."""
    text = get_plotlyjs()
    if chosen_source() == EMBED:
        return {"plotly_js": Markup(text), "plotly_link": None}
    # The published file is the one that plotly's Python package holds.
    digest = base64.b64encode(hashlib.sha384(text.encode()).digest()).decode()
    address = f"{CDN}/plotly-{get_plotlyjs_version()}.min.js"
    return {"plotly_js": None, "plotly_link": {"host": CDN, "address": address, "integrity": f"sha384-{digest}"}}


def with_contents(page: str) -> str:
    """The page with an address for each section, and a list of them before the first if there are several."""
    head, main, rest = page.partition("<main>")
    body, end, scripts = rest.partition("</main>")
    names: dict[str, str] = {}

    def addressed(match: re.Match[str]) -> str:
        name = file_name(re.sub(r"<[^>]+>|&\w+;", " ", match.group(1))) or "section"
        while name in names:
            name += "-again"
        names[name] = match.group(1)
        return f'<h2 id="{name}">{match.group(1)}</h2>'

    body = re.sub(r"<h2>(.*?)</h2>", addressed, body, flags=re.S)
    if len(names) >= FEWEST_FOR_CONTENTS:
        lines = "\n".join(f'<li><a href="#{name}">{title}</a></li>' for name, title in names.items())
        contents = f'<nav aria-label="Contents">\n<ul>\n{lines}\n</ul>\n</nav>\n'
        body = body.replace("<h2 id=", f"{contents}<h2 id=", 1)
    return head + main + body + end + scripts


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("barkhausen.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(percent=percent, sig=sig, count=count, joule=joule)
    environment.filters.update(drawn=drawn, file_name=file_name, figure_csv=figure_csv, csv_address=csv_address)
    return environment


def toml(values: Mapping[str, Any]) -> str:
    """Values as TOML, which cannot represent None: without what is None."""
    return tomli_w.dumps(_without_none(values))


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value if item is not None] if isinstance(value, list) else value


def percent(value: float | None, decimals: int = 2) -> str:
    """A fraction in per cent."""
    return NO_VALUE if value is None else f"{100 * value:.{decimals}f}\N{NO-BREAK SPACE}%"


def sig(value: float | None, digits: int = 4) -> str:
    """A number with that many significant digits and no exponent."""
    if value is None or not math.isfinite(value):
        return NO_VALUE
    if value == 0:
        return "0"
    decimals = digits - 1 - int(f"{value:.{digits - 1}e}".partition("e")[2])
    return f"{value:,.{max(decimals, 0)}f}".replace(",", "\u202f")


def count(value: float) -> str:
    """A number of things; a mean of such numbers has one decimal."""
    return (f"{value:,.0f}" if value == round(value) else f"{value:,.1f}").replace(",", "\u202f")


def joule(value: float) -> str:
    """An energy with its SI prefix."""
    *larger, smallest = PREFIXES
    prefix = next((prefix for prefix in larger if value >= PREFIXES[prefix]), smallest)
    return f"{sig(value / PREFIXES[prefix])} {prefix}J"
