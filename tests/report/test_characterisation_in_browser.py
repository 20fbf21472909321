"""The page of a characterised device in a browser: all of it is drawn, and the event really plays."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

import browser
from barkhausen.report.device.page import write_characterisation_report
from made_up_characterisation import FIRST, HOME, LAST, events_on, everything_there_is


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of five states, all of its optional parts on it."""
    path = tmp_path_factory.mktemp("everything") / "page.html"
    write_characterisation_report(everything_there_is(), path)
    return path


needs_browser = pytest.mark.skipif(
    browser.find_chromium() is None, reason=f"no browser on PATH: none of {', '.join(browser.NAMES)}"
)

ASK = """
<script>
const wait = time => new Promise(done => setTimeout(done, time));
(async () => {
  const told = await (async () => { %s })();
  document.querySelectorAll("script, img").forEach(element => element.remove());
  document.body.dataset.answer = JSON.stringify(told);
})();
</script>
"""

PLAYER = """
const copy = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const orange = () => {
  copy.canvas.width = canvas.width;
  copy.drawImage(canvas, 0, 0);
  const row = copy.getImageData(0, canvas.height / 2, canvas.width, 1).data;
  return [...Array(canvas.width).keys()].filter(x => row[4 * x] > 150 && row[4 * x + 2] < 200).length;
};
"""
"""How many cells of the middle row are up: where the wall is, as the reader sees it."""


def ask(page: Path, script: str, *flags: str) -> tuple[Any, list[str]]:
    """What a script in the page returns, and the lines of its console."""
    witness = page.with_name(f"asked-{page.name}")
    witness.write_text(page.read_text(encoding="utf-8").replace("</body>", f"{ASK % script}</body>"), encoding="utf-8")
    dom, console = browser.run_chromium(witness, "--dump-dom", *flags)
    told = re.search(r'data-answer="([^"]*)"', dom)
    assert told, f"the page did not answer; console: {console}"
    return json.loads(html.unescape(told.group(1))), console


@needs_browser
def test_the_event_plays_and_pauses(everything: Path) -> None:
    script = (
        PLAYER
        + """
      await wait(200);
      const say = () => [Number(instant.value), play.textContent, document.querySelector(".cursor").style.left];
      const told = [say()];
      await wait(300); told.push(say());
      play.click(); await wait(600); told.push(say());
      play.click(); const held = say(); await wait(400); told.push(held, say());
      instant.value = instant.max - 2; play.click(); await wait(600); told.push(say());
      return told;
    """
    )
    told, console = ask(everything, script)
    assert console == []
    before, still, playing, held, after, ended = told
    assert before == still == [0, "Play", "0%"]
    assert playing[0] > 3
    assert playing[1] == "Pause"
    assert held == after
    assert held[1] == "Play"
    assert held[2] != "0%"
    assert ended[0] == len(events_on(everything.read_text(encoding="utf-8"))["times"]) - 1
    assert ended[1:] == ["Play", "100%"]


@needs_browser
def test_slider_and_choice_of_state_show_the_wall_where_it_is(everything: Path) -> None:
    script = (
        PLAYER
        + """
      await wait(200);
      const told = [];
      for (const state of [0, 2, 4]) {
        which.value = state; which.dispatchEvent(new Event("change"));
        for (const frame of [0, 30, Number(instant.max)]) {
          instant.value = frame; instant.dispatchEvent(new Event("input"));
          const said = ["wall-now", "current-now", "voltage-now", "now"].map(id => document.getElementById(id).value);
          told.push([state, frame, orange(), ...said]);
        }
      }
      return told;
    """
    )
    told, console = ask(everything, script)
    assert console == []
    events = events_on(everything.read_text(encoding="utf-8"))
    for state, frame, up, wall, current, voltage, now in told:
        place = events["states"][state]["wall"][frame]
        assert 4 * up == pytest.approx(place, abs=8)
        assert wall == f"{place:.0f} nm"
        assert current == "0"
        assert voltage == "0"
        assert now == f"{events['times'][frame]:.2f} ns"
    rests = [1e-9 * events["states"][state]["wall"][-1] for state in (0, 2, 4)]
    assert rests == pytest.approx([FIRST, (FIRST + LAST) / 2, LAST], abs=25e-9)
    assert 1e-9 * events["states"][0]["wall"][30] == pytest.approx(HOME, abs=5e-9)


@needs_browser
def test_inputs_are_told_beside_the_picture(everything: Path) -> None:
    script = """
      which.value = 3; which.dispatchEvent(new Event("change"));
      const told = [];
      for (const time of [0.5, 4.0]) {
        instant.value = events.times.findIndex(t => t >= time); instant.dispatchEvent(new Event("input"));
        told.push(["current-now", "voltage-now"].map(id => document.getElementById(id).value));
      }
      return told;
    """
    told, _ = ask(everything, script)
    assert told == [["−1.00 × 10¹¹ A/m²", "0.400 V"], ["1.00 × 10¹¹ A/m²", "0.250 V"]]


@needs_browser
def test_reduced_motion_is_told_in_few_stills(everything: Path) -> None:
    script = """
      await wait(200); play.click();
      const told = new Set([instant.value]);
      for (let step = 0; step < 4; step++) { await wait(1000); told.add(instant.value); }
      return [reducedMotion.matches, [...told].map(Number)];
    """
    (reduced, frames), console = ask(everything, script, "--force-prefers-reduced-motion")
    assert console == []
    assert reduced
    assert 3 <= len(frames) <= 5
    assert set(frames) <= set(events_on(everything.read_text(encoding="utf-8"))["instants"])
