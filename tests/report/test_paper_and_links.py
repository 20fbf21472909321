"""Pages on paper, and pages that load plotly.js: drawn, checked by digest, and readable without it."""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

import browser
from barkhausen.cli.terminal.options import Plotly, _choose_plotly
from barkhausen.core.errors import InputError
from barkhausen.report.plotly_source import CDN, chosen_source
from barkhausen.report.render import plotly_source
from barkhausen.report.runs.page import write_report
from made_up_runs import write_run

needs_browser = pytest.mark.skipif(
    browser.find_chromium() is None, reason=f"no browser on PATH: none of {', '.join(browser.NAMES)}"
)

WITNESS = """
<script>
setTimeout(() => {
  %s
  const seen = {
    plots: document.querySelectorAll(".plot .main-svg").length,
    open: document.querySelectorAll("details[open]").length,
    closed: document.querySelectorAll("details:not([open])").length,
    notice: document.getElementById("no-plots")?.textContent ?? "",
    pictures: [...document.querySelectorAll(".picture")].filter(button => !button.hidden).length,
    widest: Math.max(...[...document.querySelectorAll(".plot .main-svg")].map(svg => svg.width.baseVal.value), 0),
    boxes: document.querySelectorAll(".plot .main-svg[viewBox]").length,
    ink: [...document.querySelectorAll(".plot .xtick text")]
      .filter(text => !text.closest("details:not([open])")).map(text => getComputedStyle(text).fill),
  };
  document.querySelectorAll("script").forEach(script => script.remove());
  document.body.dataset.seen = JSON.stringify(seen);
}, 1500);
</script>
"""


def seen_on(page: Path, first: str, *flags: str) -> dict[str, Any]:
    witness = page.with_name(f"seen-{page.name}")
    text = page.read_text(encoding="utf-8").replace("</body>", f"{WITNESS % first}</body>")
    witness.write_text(text, encoding="utf-8")
    dom, console = browser.run_chromium(witness, "--dump-dom", *flags)
    told = re.search(r'data-seen="([^"]*)"', dom)
    assert told, f"the page did not answer; console: {console}"
    seen: dict[str, Any] = json.loads(html.unescape(told.group(1)))
    return seen


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    with plotly_source("link"):
        write_report([write_run(tmp_path, mode) for mode in ("in-situ", "float")], tmp_path / "linked.html")
    return tmp_path / "linked.html"


def test_a_linked_page_is_small_and_names_the_digest_of_the_installed_plotly(linked: Path) -> None:
    page = linked.read_text(encoding="utf-8")
    assert len(page) < 300_000
    tag = re.search(r'<script src="(\S+)" integrity="sha384-(\S+)" crossorigin="anonymous"></script>', page)
    assert tag is not None
    version = re.search(r"plotly\.js v(\S+)", get_plotlyjs())
    assert version is not None
    assert tag.group(1) == f"{CDN}/plotly-{version.group(1)}.min.js"
    assert base64.b64decode(html.unescape(tag.group(2))) == hashlib.sha384(get_plotlyjs().encode()).digest()
    assert f"default-src 'none'; script-src 'unsafe-inline' {CDN};" in html.unescape(page)
    assert chosen_source() == "embed"


def test_the_option_of_the_command_line_decides() -> None:
    try:
        assert _choose_plotly(Plotly.LINK) is Plotly.LINK
        assert chosen_source() == "link"
    finally:
        _choose_plotly(Plotly.EMBED)
    with pytest.raises(InputError, match="embed or link"), plotly_source("cloud"):
        pass


class _Files(http.server.SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Serves the files of a folder as the host of plotly.js does: to pages of any origin."""
    folder = tmp_path / "host"
    folder.mkdir()
    handler = functools.partial(_Files, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@needs_browser
@pytest.mark.parametrize("change", ["", "\n// one line more"])
def test_a_linked_page_draws_with_the_file_it_was_written_for_and_with_no_other(
    linked: Path, server: str, tmp_path: Path, change: str
) -> None:
    page = linked.read_text(encoding="utf-8").replace(CDN, server)
    linked.write_text(page, encoding="utf-8")
    name = re.search(r"plotly-\S+?\.min\.js", page)
    assert name is not None
    (tmp_path / "host" / name.group()).write_text(get_plotlyjs() + change, encoding="utf-8", newline="")
    seen = seen_on(linked, "")
    if change:
        assert seen["plots"] == seen["pictures"] == 0
        assert "Plots are not shown: this page loads plotly.js from" in seen["notice"]
        # The tables stand in for the plots.
        assert seen["open"] > seen["closed"]
    else:
        assert (seen["plots"] > 0, seen["notice"]) == (True, "")
        assert seen["pictures"] > 0
        assert seen["open"] == 0


@needs_browser
def test_paper_shows_everything_in_light_colours(tmp_path: Path) -> None:
    write_report([write_run(tmp_path, mode) for mode in ("in-situ", "float")], tmp_path / "page.html")
    printing = seen_on(tmp_path / "page.html", "dispatchEvent(new Event('beforeprint'));", browser.DARK)
    assert printing["closed"] == 0
    assert printing["boxes"] == printing["plots"] > 0
    assert printing["widest"] <= 680
    assert set(printing["ink"]) == {"rgb(36, 41, 47)"}
    back = "dispatchEvent(new Event('beforeprint')); dispatchEvent(new Event('afterprint'));"
    after = seen_on(tmp_path / "page.html", back, browser.DARK)
    assert (after["open"], after["boxes"]) == (0, 0)
    assert set(after["ink"]) == {"rgb(230, 237, 243)"}
