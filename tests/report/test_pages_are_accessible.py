"""Every kind of page in a browser: all is drawn, light and dark, wide and narrow; anyone can use it, and take files.

One visit to a page shows it twice, light and 1200 pixels wide, then dark and 390 pixels wide.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import browser
from barkhausen.report.chip.page import write_chip_report
from barkhausen.report.device.page import write_characterisation_report
from barkhausen.report.runs.page import write_report
from barkhausen.report.sweep.page import write_sweep_report
from made_up_characterisation import everything_there_is
from made_up_chip import summary_of_chip
from made_up_runs import write_run
from made_up_sweep_pages import write_sweep

pytestmark = pytest.mark.skipif(
    browser.find_chromium() is None, reason=f"no browser on PATH: none of {', '.join(browser.NAMES)}"
)

LIGHT_PAGE, DARK_PAGE = (255, 255, 255), (20, 24, 29)
LIGHT_INK, DARK_INK = (36, 41, 47), (230, 237, 243)


def runs_page(root: Path) -> Path:
    write_report([write_run(root, mode) for mode in ("in-situ", "ex-situ", "float")], root / "page.html")
    return root / "page.html"


def characterisation_page(root: Path) -> Path:
    write_characterisation_report(everything_there_is(), root / "page.html")
    return root / "page.html"


def design_page(root: Path) -> Path:
    # A search takes seconds, so the page of one is written from what its own tests have found.
    from test_design_report import found_in, write_design_report  # noqa: PLC0415

    write_design_report(*found_in(root), root / "page.html")
    return root / "page.html"


def chip_page(root: Path) -> Path:
    write_chip_report(summary_of_chip(), root / "page.html")
    return root / "page.html"


def sweep_page(root: Path, kind: str) -> Path:
    over: dict[str, dict[str, list[Any]]] = {
        "train": {"device.margin": [0.2, 0.8], "device.preset": ["racetrack-5", "notched-5"], "seed": [0, 1]},
        "infer": {"chip.adc.bits": [4, 6, 8], "seed": [0, 1]},
        "characterize": {"notch.depth": [0.1, 0.5, 1.0]},
    }
    write_sweep(root, kind, over[kind], failed=[1], planned=[3] if kind == "train" else [], chips=3)
    write_sweep_report(root)
    return root / "report.html"


PAGES: dict[str, tuple[Callable[[Path], Path], int]] = {
    "runs": (runs_page, 15),
    "characterisation": (characterisation_page, 5),
    "design": (design_page, 10),
    "chip": (chip_page, 4),
    "sweep of trainings": (partial(sweep_page, kind="train"), 4),
    "sweep of inferences": (partial(sweep_page, kind="infer"), 4),
    "sweep of characterisations": (partial(sweep_page, kind="characterize"), 5),
}
"""What writes each kind of page, and how many plots are on it."""


@pytest.mark.parametrize("kind", PAGES)
def test_page_is_drawn_and_can_be_used_by_everyone(tmp_path: Path, kind: str) -> None:
    write, plots = PAGES[kind]
    (light, dark), console = browser.judge(write(tmp_path))
    assert console == []
    assert (light["dark"], dark["dark"]) == (False, True)
    for seen, width, page, ink in ((light, 1200, LIGHT_PAGE, LIGHT_INK), (dark, 390, DARK_PAGE, DARK_INK)):
        assert browser.grave(seen) == []
        assert seen["rules"] > 25
        assert seen["loaded"] == []
        assert seen["nowhere"] == []
        assert seen["links"] >= 3
        assert (seen["width"], seen["needed"]) == (width, width)
        assert seen["background"] == f"rgb{page}"
        assert {plot["axis"] for plot in seen["plots"]} == {f"rgb{ink}"}
        assert len(seen["plots"]) == plots
        assert all(plot["svg"] and plot["drawn"] and plot["wider"] <= 0 for plot in seen["plots"]), seen["plots"]
        pictures = {"characterisation": 2}.get(kind, 0)
        assert seen["buttons"] == 2 * (plots + pictures)


def test_what_is_wrong_with_a_page_is_found(tmp_path: Path) -> None:
    write_sweep(tmp_path, "train", {"device.margin": [0.2]})
    write_sweep_report(tmp_path)
    page = tmp_path / "report.html"
    spoilt = page.read_text().replace(' lang="en"', "").replace('href="#accuracy"', 'href="#elsewhere"')
    page.write_text(spoilt.replace("--soft: #57606a", "--soft: #b0b6bd"))
    (light, dark), _ = browser.judge(page)
    assert {violation["id"] for violation in browser.grave(light)} == {"html-has-lang", "color-contrast"}
    assert {violation["id"] for violation in browser.grave(dark)} == {"html-has-lang"}
    assert light["nowhere"] == ["elsewhere"]


CLICK = """
<script>
addEventListener("load", async () => {
  const files = [], blobs = new Map(), make = URL.createObjectURL.bind(URL);
  URL.createObjectURL = blob => { const address = make(blob); blobs.set(address, blob); return address; };
  HTMLAnchorElement.prototype.click = function () {
    const blob = blobs.get(this.href);
    files.push(blob ? blob.text().then(text => [this.download, blob.type, blob.size, text.slice(0, 3e4)])
      : Promise.resolve([this.download, "", 0, this.href.slice(0, 300)]));
  };
  const wanted = [...document.querySelectorAll(".picture")].filter((_, number) => %s);
  for (const button of wanted) {
    const before = files.length;
    button.click();
    for (let step = 0; step < 100 && files.length === before; step++) {
      await new Promise(done => setTimeout(done, 50));
    }
  }
  const told = JSON.stringify(await Promise.all(files));
  document.querySelectorAll("script, img").forEach(element => element.remove());
  document.body.dataset.files = told;
});
</script>
"""


def pictures_of(page: Path, wanted: str) -> dict[str, tuple[str, int, str]]:
    """Kind, size and beginning of the files, by name, that a click on some of the buttons gives."""
    witness = page.with_name(f"clicked-{page.name}")
    witness.write_text(
        page.read_text(encoding="utf-8").replace("</body>", f"{CLICK % wanted}</body>"), encoding="utf-8"
    )
    dom, console = browser.run_chromium(witness, "--dump-dom", browser.DARK, "--virtual-time-budget=60000")
    told = re.search(r'data-files="([^"]*)"', dom)
    assert told, f"the page did not answer; console: {console}"
    assert console == []
    return {name: (kind, size, text) for name, kind, size, text in json.loads(html.unescape(told.group(1)))}


def test_every_figure_is_handed_out_as_a_picture(tmp_path: Path) -> None:
    files = pictures_of(chip_page(tmp_path), "true")
    names = ["figure-1-shares-of-the-causes-on-the-chip", "figure-1-shares-of-the-causes-in-float32-logic"]
    names += ["figure-2-energy-of-each-cause-on-the-chip", "figure-3-area-by-part"]
    assert sorted(files) == sorted(f"{name}.{kind}" for name in names for kind in ("svg", "png"))
    for name, (kind, size, text) in files.items():
        assert size > 5000
        if name.endswith("svg"):
            assert kind.startswith("image/svg")
            # The page is dark, the picture is not.
            assert "rgb(255, 255, 255)" in text
            assert "rgb(20, 24, 29)" not in text
        else:
            assert kind == "image/png"
            assert "PNG" in text[:8]


def test_maps_and_the_event_are_handed_out_as_pictures(tmp_path: Path) -> None:
    files = pictures_of(characterisation_page(tmp_path), "number < 4")
    assert sorted(files) == [
        f"figure-{name}.{kind}" for name in ("1-walls-at-rest", "2-programming-event") for kind in ("png", "svg")
    ]
    assert "State 0, gate" in files["figure-1-walls-at-rest.svg"][2]
    assert "data:image/png;base64" in files["figure-2-programming-event.svg"][2]
    assert all(size > 5000 for _, size, _ in files.values())
    assert all("PNG" in text[:8] for name, (_, _, text) in files.items() if name.endswith("png"))


def test_data_are_in_the_page_as_csv(tmp_path: Path) -> None:
    page = sweep_page(tmp_path, "train").read_text(encoding="utf-8")
    links = dict(re.findall(r'<a download="([^"]+)" href="data:text/csv;charset=utf-8,([^"]*)"', page))
    tables = {name: list(csv.reader(io.StringIO(unquote(html.unescape(text))))) for name, text in links.items()}
    assert len(tables) == 1 + PAGES["sweep of trainings"][1]
    assert len(tables["table-of-tasks.csv"]) == 1 + 8
    header, *rows = tables["figure-1-accuracy-against-device-margin.csv"]
    assert header[:3] == ["series", "device.margin", "accuracy (%)"]
    assert header[-1] == "n"
    found = {(row[0], float(row[1])): (float(row[2]), row[-1]) for row in rows}
    # Accuracy as the tables were made: 96 % + 3 % of the margin + 0.1 % a seed + 0.4 % of every other task.
    assert found["preset racetrack-5", 0.2] == (pytest.approx(96.6), "1")
    assert found["preset notched-5", 0.8] == (pytest.approx(98.65), "2")
    assert len(rows) == 4


def test_a_reader_without_scripts_sees_the_data(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow reads the screenshot")
    page = sweep_page(tmp_path, "infer")
    for name, text in (("page", page.read_text()), ("closed", page.read_text().replace('class="data" open', ""))):
        (tmp_path / f"{name}.html").write_text(text)
        browser.without_scripts(tmp_path / f"{name}.html", tmp_path / f"{name}.png")
    ink = []
    for name in ("page", "closed"):
        with image.open(tmp_path / f"{name}.png") as picture:
            ink.append(sum(number for number, colour in picture.convert("L").getcolors() if colour < 128))
    # The tables under the figures are open where nothing closes them.
    assert ink[0] > 1.1 * ink[1] > 0
