"""Descriptions of objects: parsed as HTML, with hostile names in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest

from barkhausen.core.display.html import MOST_ROWS, Description, Section, flat_json, quantity

HOSTILE = '</style></td><script>alert("x")</script><img src=http://elsewhere/x onerror=alert(1)>'
VOID = {"img", "br", "hr", "input", "link", "meta"}


@dataclass
class Parsed(HTMLParser):
    """Elements and text of a piece of HTML, with a check that every element is closed."""

    tags: list[str] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(html: str) -> Parsed:
    page = Parsed()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


def test_every_value_is_escaped_and_nothing_is_loaded() -> None:
    sections = [
        Section(HOSTILE, (HOSTILE,), [(HOSTILE,)], opened=True),
        Section("pairs", pairs={HOSTILE: HOSTILE}),
        Section("lines", lines=[HOSTILE]),
    ]
    page = parsed(Description(HOSTILE, {HOSTILE: HOSTILE}, sections, name=HOSTILE).html())
    assert {"script", "img", "link", "iframe"}.isdisjoint(page.tags)
    assert not [name for name in page.attributes if name.startswith("on") or name in ("src", "href")]
    assert page.text.count(HOSTILE) == 10
    assert page.tags.count("style") == 1


def test_sections_fold_and_empty_ones_are_left_out() -> None:
    html = Description(
        "Thing", {"a": 1}, [Section("full", lines=["x"]), Section("empty"), Section("open", lines=["y"], opened=True)]
    ).html()
    assert parsed(html).tags.count("details") == 2
    assert html.count("<details open>") == 1
    assert "empty" not in html


def test_long_tables_are_cut_and_say_so() -> None:
    html = Section("states", ("state",), [(n,) for n in range(500)]).html()
    assert html.count("<td>") == MOST_ROWS
    assert "of 500" in html


def test_colours_are_those_of_the_page() -> None:
    html = Description("Thing", {}).html()
    assert "color:inherit" in html
    assert "#fff" not in html


def test_text_has_a_line_for_each_fact() -> None:
    text = Description("Thing", {"a": 1, "longer": "x\ny"}, name="mine").text()
    assert text.splitlines() == ["<Thing: mine>", "  a       1", "  longer  x y"]


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (84.09e-9, "m", "84.1 nm"),
        (0.0, "J", "0 J"),
        (2.5e-20, "J", "0.0250 aJ"),
        (999.9e-9, "m", "1.00 µm"),
        (-1.3e-3, "S", "-1.30 mS"),
        (float("nan"), "m", "–"),
        (None, "m", "–"),
        (0.5, "1", "0.5"),
    ],
)
def test_quantities_have_a_prefix_and_three_digits(value: float | None, unit: str, expected: str) -> None:
    assert quantity(value, unit) == expected


def test_parameters_are_named_with_dots() -> None:
    assert flat_json('{"track": {"length": 1e-7, "empty": {}}, "n": [1]}') == {
        "track.length": 1e-7,
        "track.empty": {},
        "n": [1],
    }
    assert flat_json("no JSON") == {}
    assert flat_json("[1]") == {}
