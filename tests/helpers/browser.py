"""Headless Chromium as a witness: what a page really draws, says and looks like."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--virtual-time-budget=5000",
)
DARK = "--blink-settings=preferredColorScheme=0"
LIGHT = "--blink-settings=preferredColorScheme=1"

PROBE = """
<script>
setTimeout(async () => {
  // Folded plots are drawn when their part is opened.
  document.querySelectorAll("details.folded").forEach(details => { details.open = true; });
  await new Promise(done => setTimeout(done, 300));
  const plots = [...document.querySelectorAll(".plot")].map(box => ({
    label: box.getAttribute("aria-label"),
    svg: box.querySelectorAll("svg.main-svg").length,
    drawn: [...box.querySelectorAll(".scatterlayer path, .barlayer path")]
      .filter(path => path.getBBox().width + path.getBBox().height > 0).length,
    wider: box.scrollWidth - box.clientWidth,
    axis: getComputedStyle(box.querySelector(".xtick text")).fill,
    log: Boolean(box._fullLayout.yaxis.type === "log"),
  }));
  const inner = [...document.querySelectorAll("a[href^='#']")].map(link => link.getAttribute("href").slice(1));
  const seen = {
    plots,
    background: getComputedStyle(document.body).backgroundColor,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    loaded: performance.getEntriesByType("resource").map(entry => entry.name),
    width: innerWidth,
    needed: document.documentElement.scrollWidth,
    links: inner.length,
    nowhere: inner.filter(name => !document.getElementById(name)),
    buttons: [...document.querySelectorAll(".picture")].filter(button => !button.hidden).length,
  };
  if (window.axe) {
    // Once is enough, and twice takes long.
    document.querySelectorAll("details").forEach(details => { details.open = !seen.dark; });
    // Drawings are hidden from screen readers, and their thousands of paths would take most of the time.
    const looked = {include: [["html"]], exclude: [[".main-svg"]]};
    const found = await axe.run(looked, {iframes: false, resultTypes: ["violations"]});
    seen.violations = found.violations.map(({id, impact, nodes}) => ({
      id, impact, nodes: nodes.slice(0, 3).map(node => [node.html.slice(0, 200), node.failureSummary])
    }));
    seen.rules = found.passes.length;
  }
  const told = JSON.stringify(seen);
  // They have done their work, and are five megabytes that need not be printed.
  document.querySelectorAll("script").forEach(script => script.remove());
  if (parent === window) { document.body.dataset.probe = told; } else { parent.postMessage(told, "*"); }
}, 1000);
</script>
"""

FRAME = """<!doctype html>
<body style="margin: 0"><iframe src="{page}" style="border: 0; width: {width}px; height: 4000px"></iframe>
<script>onmessage = event => {{ document.body.dataset.probe = event.data; }};</script></body>
"""
"""A window cannot be made narrower than 500 pixels; a frame can."""


FRAMES = """<!doctype html>
<meta name="color-scheme" content="light dark">
<body style="margin: 0; display: flex">
<iframe src="{page}" style="border: 0; width: 1200px; height: 900px; color-scheme: light"></iframe>
<iframe src="{page}" style="border: 0; width: 390px; height: 900px; color-scheme: dark"></iframe>
<script>
const told = [];
onmessage = event => {{ told.push(JSON.parse(event.data)); document.body.dataset.probe = JSON.stringify(told); }};
</script></body>
"""
"""Light and wide, dark and narrow: a frame has the colour scheme of what holds it, so that one visit sees both."""


def find_chromium() -> str | None:
    """The browser, if this machine has one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def run_chromium(target: Path, *flags: str) -> tuple[str, list[str]]:
    """Open a page; return what the browser printed, and the lines of the page's console."""
    browser = find_chromium()
    assert browser is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [browser, *QUIET, f"--user-data-dir={profile}", *flags, target.resolve().as_uri()]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True
        )
        try:
            out, err = process.communicate(timeout=600)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
    return out, [line for line in err.splitlines() if "CONSOLE" in line]


def look(page: Path, *flags: str, width: int | None = None, before_probe: str = "") -> tuple[dict[str, Any], list[str]]:
    """What a page shows: its plots, colours and sizes, and the lines of its console.

    Args:
        page: the page; a copy with a few lines of script at its end is opened.
        flags: for the browser.
        width: of a frame to show the page in.
        before_probe: script that uses the page first.
    """
    witness = page.with_name(f"probe-{page.name}")
    text = page.read_text(encoding="utf-8")
    use = f"<script>{before_probe}</script>" if before_probe else ""
    witness.write_text(text.replace("</body>", f"{use}{PROBE}</body>"), encoding="utf-8")
    target = witness
    if width is not None:
        target = page.with_name(f"frame-{page.name}")
        target.write_text(FRAME.format(page=witness.name, width=width), encoding="utf-8")
    dom, console = run_chromium(target, "--dump-dom", *flags)
    told = re.search(r'data-probe="([^"]*)"', dom)
    assert told, f"the page did not answer; console: {console}"
    seen: dict[str, Any] = json.loads(html.unescape(told.group(1)))
    return seen, console


def axe_script() -> str:
    """The axe engine, which judges whether a page can be used by everyone; skips the test where it is not installed."""
    package = pytest.importorskip("axe_core_python", reason="axe-core-python is not installed")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def judge(page: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """What a page shows, light and 1200 pixels wide, then dark and 390 wide, with what axe finds wrong; its console."""
    witness, outer = page.with_name(f"judged-{page.name}"), page.with_name(f"frames-{page.name}")
    text = page.read_text(encoding="utf-8")
    witness.write_text(text.replace("</body>", f"<script>{axe_script()}</script>{PROBE}</body>"), encoding="utf-8")
    outer.write_text(FRAMES.format(page=witness.name), encoding="utf-8")
    dom, console = run_chromium(outer, "--dump-dom", "--window-size=1600,900")
    told = re.search(r'data-probe="([^"]*)"', dom)
    assert told, f"the page did not answer; console: {console}"
    seen: list[dict[str, Any]] = json.loads(html.unescape(told.group(1)))
    assert len(seen) == 2, f"one frame did not answer; console: {console}"
    return sorted(seen, key=lambda frame: frame["dark"]), console


def grave(seen: dict[str, Any]) -> list[Any]:
    """What axe calls serious or critical."""
    return [violation for violation in seen["violations"] if violation["impact"] in ("serious", "critical")]


def without_scripts(page: Path, picture: Path, height: int = 3000) -> None:
    """A picture of what a reader sees whose browser runs no scripts: a frame that forbids them."""
    outer = page.with_name(f"without-{page.name}")
    frame = f'<iframe sandbox src="{page.name}" style="border: 0; width: 1200px; height: {height}px"></iframe>'
    outer.write_text(f'<!doctype html><body style="margin: 0">{frame}</body>', encoding="utf-8")
    run_chromium(outer, LIGHT, f"--screenshot={picture}", f"--window-size=1200,{height}")
