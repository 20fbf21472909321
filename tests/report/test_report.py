"""The report: complete, honest about what it shows, harmless, and really drawn by a browser."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import browser
from barkhausen.core.errors import InputError
from barkhausen.report.render import count, joule, percent, sig
from barkhausen.report.runs.page import write_report
from barkhausen.results.finished import load_run
from made_up_runs import write_run

Colour = tuple[int, int, int]
HOSTILE = "</script><script>alert('x')</script><img src=http://evil.example/x onerror=alert(1)>\"'&"


def page_of(runs: list[Path], root: Path) -> str:
    """The page without plotly's five megabytes, for tests that only read it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("barkhausen.report.render.get_plotlyjs", lambda: "")
        write_report(runs, root / "report.html")
    return (root / "report.html").read_text(encoding="utf-8")


def words(page: str) -> str:
    """What a reader sees, without scripts, style and markup, on one line."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    text = re.sub(r"<[^>]+>", " ", text)
    return " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").split())


def plot_specs(page: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', page, re.S)]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page on seven kinds with three seeds each."""
    root = tmp_path_factory.mktemp("everything")
    runs = []
    for seed, (mode, states) in itertools.product(range(3), itertools.product(("in-situ", "ex-situ"), (5, 3, 2))):
        accuracy = 0.98 + 0.001 * seed - 0.002 * (5 - states)
        runs.append(
            write_run(root, mode, states, seed, accuracy=accuracy, transferred={5: 0.7, 3: 0.95, 2: 0.975}[states])
        )
    runs += [write_run(root, "float", None, seed, accuracy=0.985) for seed in range(3)]
    write_report(runs, root / "report.html")
    return root / "report.html"


class Loads(HTMLParser):
    """Collects everything that would make a browser fetch something, headings, and what describes the plots."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[tuple[str, str]] = []
        self.headings: list[int] = []
        self.tags: list[str] = []
        self.unscoped = 0
        self.unlabelled = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        for key in ("src", "href", "srcset", "data", "poster", "action", "background"):
            if key in values and tag != "a":
                self.fetched.append((tag, values[key] or ""))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.unscoped += tag == "th" and values.get("scope") not in {"row", "col"}
        if "plot" in (values.get("class") or "").split():
            self.unlabelled += values.get("role") != "group" or not values.get("aria-label")


def test_page_loads_nothing_and_is_well_formed(everything: Path) -> None:
    page = everything.read_text(encoding="utf-8")
    seen = Loads()
    seen.feed(page)
    assert seen.fetched == []
    assert not {"link", "img", "iframe", "object", "embed"} & set(seen.tags)
    style = "".join(re.findall(r"<style>(.*?)</style>", page, re.S))
    assert "url(" not in style
    assert "@import" not in style
    assert page.count("plotly.js v") == 1
    assert "default-src 'none'" in page
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert seen.headings[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(seen.headings))
    assert (seen.unscoped, seen.unlabelled) == (0, 0)
    figures = page.count("<figure")
    assert figures == page.count("</figcaption>") == len(re.findall(r"<summary>Data of figure \d+</summary>", page))
    assert str(everything.parent) not in page


def test_page_says_what_was_found(everything: Path) -> None:
    page = everything.read_text(encoding="utf-8")
    text = words(page)
    sections = [
        "Accuracy against energy",
        "Results",
        "Accuracy",
        "Learning curves",
        "Why an in-situ network is specific to its chip",
    ]
    sections += ["Device weights", "Programming events", "Programming energy", "Assumptions and metadata"]
    assert re.findall(r"<h2 id=\S+>(.*?)</h2>", page) == sections
    assert "18 neural networks were trained" in text
    assert "mnist (a cupboard), 1 000 training samples and 200 test samples" in text
    assert "Epochs: 3; seeds: 0, 1 and 2." in text
    # Mode, states, device, accuracy, n, chips, transferred, published, events, attempts, pJ, published pJ, time.
    assert "in-situ 5 gaussian 98.10 ± 0.10 % 3 – 70.00 ± 0.40 % 96.67 % 1.100 1.100 0.01100 13 12.0" in text
    assert "ex-situ 2 gaussian 97.50 ± 0.10 % 3 0.20 % – 96.63 % 0.8000 0.8000 0.008000 – 12.0" in text
    assert "float – – 98.50 ± 0.00 % 3 – – 97.10 % – – – – 12.0" in text
    assert "energy per inference is not known" in text
    assert "IEEE Access 10, 84946 (2022)" in text
    assert "The largest cause throughout is “SOT pulses”, with 60.0 % of the energy." in text
    assert "The published 13 pJ is 1 182 times our figure per sample and epoch for in-situ, 5 states." in text
    assert "in-situ, 5 states 3 300 6.000 fJ 1.000 fJ 3.000 fJ 10.00 fJ 33.00 pJ 3 000 0.01100" in text
    assert "3 300 events, of which the initial programming is 72.7 %" in text
    assert "All in-situ and ex-situ runs margin is ours read after each attempt float topology is ours" in text
    assert "torch 2.9.9" in text
    assert len(re.findall(r"(?:in-situ|ex-situ|float)-\w+-seed\d", text)) == 21
    # Trade-off, accuracy, three panels of accuracies and losses each, transfer, two histograms a kind, events, causes.
    assert len(plot_specs(page)) == 1 + 1 + 2 * 3 + 1 + 2 * 6 + 3 + 1


@pytest.mark.parametrize(
    ("transferred", "heading", "sentence"),
    [
        (0.9, "Why an in-situ network is specific to its chip", "A drop of 8.00 points: a collapse, with 5.0 times"),
        (0.95, "What an in-situ network loses on unseen chips", "A moderate drop of 3.00 points, with 2.5 times"),
        (0.977, "Transfer to unseen chips costs little here", "The drop of 0.30 points is small"),
        (0.985, "Transfer to unseen chips costs little here", "Nothing is lost on unseen chips (0.50 points"),
    ],
)
def test_drop_is_called_what_it_is(tmp_path: Path, transferred: float, heading: str, sentence: str) -> None:
    text = words(page_of([write_run(tmp_path, transferred=transferred)], tmp_path))
    assert heading in text
    assert sentence in text
    assert ("does not exceed the spread" in text) == (transferred == 0.977)


def test_transfers_are_compared_with_ex_situ_chips(tmp_path: Path) -> None:
    def text(accuracy: float) -> str:
        root = tmp_path / str(accuracy)
        return words(page_of([write_run(root), write_run(root, "ex-situ", accuracy=accuracy)], root))

    assert "Ex-situ chips reach 97.00 ± 0.20 %: 7.00 points more than after transfer." in text(0.97)
    assert "Ex-situ chips reach 90.20 ± 0.20 %: the same as after transfer, within the spread" in text(0.902)
    assert "5.00 points less than after transfer. Their precursor itself has learned 85.10 %." in text(0.85)


@pytest.mark.parametrize(
    "modes", [modes for size in (1, 2, 3) for modes in itertools.combinations(("in-situ", "ex-situ", "float"), size)]
)
def test_every_choice_of_modes_has_its_page(tmp_path: Path, modes: tuple[str, ...]) -> None:
    page = page_of([write_run(tmp_path, mode) for mode in modes], tmp_path)
    assert ("network loses" in page or "network is specific" in page) == ("in-situ" in modes)
    assert (">Programming energy</h2>" in page) == (modes != ("float",))
    assert ("stacked by layer" in page) == ("in-situ" in modes)
    assert all(spec["data"] for spec in plot_specs(page))


def test_events_of_an_epoch_are_its_own(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path))
    assert run.events_by_epoch() == {"first": [2000, 100, 200, 150], "second": [400, 100, 200, 150]}


def test_other_data_are_not_set_beside_the_published_figures(tmp_path: Path) -> None:
    note = "these are digits, NOT MNIST"

    def digits(summary: dict[str, Any]) -> None:
        summary["dataset"]["name"] = "digits"
        summary["notes"] = [note]

    page = page_of([write_run(tmp_path, change=digits), write_run(tmp_path, "float", change=digits)], tmp_path)
    assert page.count(f"<b>Note:</b> {note}") == 1
    assert "No figures are published for these data sets" in page
    assert all(trace["name"] != "published" for spec in plot_specs(page) for trace in spec["data"] if "name" in trace)
    assert "published accuracy" not in page
    assert "13 pJ" not in words(page)


def test_another_network_is_not_set_beside_the_published_figures(tmp_path: Path) -> None:
    def convolutional(summary: dict[str, Any]) -> None:
        summary["recipe"]["network"] = {"kind": "cnn"}

    runs = [write_run(tmp_path), write_run(tmp_path, name="cnn", change=convolutional)]
    page = page_of(runs, tmp_path)
    assert words(page).count("96.67 %") == words(page_of(runs[:1], tmp_path)).count("96.67 %") == 3
    assert [len(spec["data"][-1]["x"]) for spec in plot_specs(page)[:2]] == [1, 1]
    assert "No figures are published for these data sets" in page_of(runs[1:], tmp_path)


def test_accuracy_against_energy_comes_first_and_curves_have_a_panel_for_each_mode(everything: Path) -> None:
    page = everything.read_text(encoding="utf-8")
    trade_off, _, *curves = plot_specs(page)
    names = [trace["name"] for trace in trade_off["data"]]
    assert names == [
        "float",
        *(f"{mode}, {n} states" for mode in ("in-situ", "ex-situ") for n in (5, 3, 2)),
        "published",
    ]
    # The float baseline is a line over the whole width; the published point is of the in-situ runs alone.
    assert trade_off["data"][0]["y"] == pytest.approx([98.5, 98.5])
    assert [round(10**end, 6) for end in trade_off["layout"]["xaxis"]["range"]] == pytest.approx(
        trade_off["data"][0]["x"], rel=1e-3
    )
    assert (trade_off["data"][-1]["x"], trade_off["data"][-1]["y"]) == ([13.0], [96.67])
    modes = [{trace["legendgroup"].partition(",")[0] for trace in spec["data"]} for spec in curves[:6]]
    assert modes == [{"in-situ"}, {"ex-situ"}, {"float"}] * 2
    limits = [spec["layout"]["yaxis"]["range"] for spec in curves[:6]]
    assert limits[:3] == [limits[0]] * 3
    assert limits[3:] == [limits[3]] * 3
    assert page.count('<details class="folded">') == 6


def test_validation_accuracy_is_never_passed_off_as_test_accuracy(tmp_path: Path) -> None:
    def validate(summary: dict[str, Any]) -> None:
        summary["test_accuracy"], summary["validation_accuracy"] = None, summary["test_accuracy"]
        summary["dataset"] |= {"test_samples": 0, "validation_samples": 100}

    text = words(page_of([write_run(tmp_path, change=validate), write_run(tmp_path, "float")], tmp_path))
    assert "the accuracies of in-situ, 5 states are measured on validation samples" in text
    assert "98.00 % (validation)" in text


def test_kinds_with_one_name_are_told_apart(tmp_path: Path) -> None:
    def margin(value: float) -> Callable[[dict[str, Any]], object]:
        return lambda summary: summary["device"].update(margin=value)

    runs = [write_run(tmp_path, name=f"run{value}", change=margin(value)) for value in (0.3, 0.5)]
    text = words(page_of(runs, tmp_path))
    assert "in-situ, 5 states, margin 0.3 : 98.00 %" in text
    assert "in-situ, 5 states, margin 0.5 : 98.00 %" in text

    def rate(summary: dict[str, Any]) -> None:
        summary["recipe"]["optimizer"]["latent_rate"] = 0.05

    text = words(page_of([runs[0], write_run(tmp_path, name="faster", change=rate)], tmp_path))
    assert "in-situ, 5 states, optimizer.latent rate 0.05 : 98.00 %" in text


def test_a_run_named_twice_counts_once_and_a_copy_is_noticed(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    assert "1 neural network was trained" in words(page_of([run, tmp_path / "." / run.name], tmp_path))
    text = words(page_of([run, write_run(tmp_path, name="again")], tmp_path))
    assert "several runs of in-situ, 5 states have the same seed (in-situ-5-seed0, again)" in text


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    def poison(summary: dict[str, Any]) -> None:
        summary["notes"] = summary["assumed"] = [HOSTILE]
        summary["software"]["torch"] = HOSTILE
        summary["dataset"] |= {"name": HOSTILE, "source": HOSTILE}
        layers = summary["programming"]["by_layer"]
        layers[HOSTILE] = layers.pop("first")
        summary["device"] |= {"source": HOSTILE, "file": HOSTILE}

    run = write_run(tmp_path, change=poison)
    data = json.loads((run / "histograms.json").read_text())
    data["meaning"] = [HOSTILE, HOSTILE]
    (run / "histograms.json").write_text(json.dumps(data))
    page = page_of([run], tmp_path)
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;img src=http://evil.example/x" in page
    names = [trace.get("name", "") for spec in plot_specs(page) for trace in spec["data"]]
    assert any("&lt;img" in name for name in names)
    assert not any("<" in name for name in names)


def test_divergence_and_many_states_are_shown(tmp_path: Path) -> None:
    run = write_run(tmp_path, states=32)
    text = (run / "metrics.jsonl").read_text().replace("0.5", "NaN")
    (run / "metrics.jsonl").write_text(text)
    page = page_of([run], tmp_path)
    specs = plot_specs(page)
    assert None in specs[3]["data"][0]["y"]
    assert "all 32 states" in json.dumps(specs)


def spoil(file: str, text: str | None) -> Callable[[Path], object]:
    return lambda run: (run / file).unlink() if text is None else (run / file).write_text(text)


def respell(key: str, value: object) -> Callable[[Path], object]:
    def change(run: Path) -> None:
        summary = json.loads((run / "summary.json").read_text())
        *tables, last = key.split(".")
        table = summary
        for name in tables:
            table = table[name]
        table[last] = value
        (run / "summary.json").write_text(json.dumps(summary))

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (spoil("summary.json", None), r"in-situ-5-seed0: is not a finished run \(no summary.json\)"),
        (spoil("summary.json", "{"), r"summary.json: is damaged"),
        (spoil("summary.json", "[]"), r"summary.json: is not of one run"),
        (spoil("summary.json", '{"schema": 1}'), r"summary.json: mode"),
        (respell("schema", 99), r"summary.json: has schema 99, this version reads"),
        (respell("energy", {}), r"summary.json: energy.programming_joule: must be given"),
        (respell("energy.programming_joule", 0), r"summary.json: is damaged"),
        (respell("test_accuracy", None), r"summary.json: test_accuracy, validation_accuracy: one of them must"),
        (respell("device.max_attempts", "five"), r"summary.json: device.max_attempts = 'five'"),
        (respell("fresh_chip_copy.max_attempts", [5]), r"summary.json: unseen_chips.max_attempts = "),
        (respell("test_accuracy", 98), r"summary.json: test_accuracy = 98"),
        (respell("states", 3), r"histograms.json: is damaged \(not two histograms of 3 states\)"),
        (respell("epochs", 4), r"metrics.jsonl: is damaged \(3 epochs, 4 in summary.json\)"),
        (spoil("metrics.jsonl", None), r"metrics.jsonl: no such file"),
        (spoil("metrics.jsonl", '{"epoch": 1,'), r"metrics.jsonl: is damaged"),
        (spoil("metrics.jsonl", '{"epoch": 1}\n'), r"metrics.jsonl line 1: "),
        (spoil("metrics.jsonl", '{"epoch": 1, "train_loss": 1, "test_accuracy": 1}\n'), r"metrics.jsonl: is damaged"),
        (spoil("histograms.json", None), r"histograms.json: no such file"),
        (spoil("histograms.json", "{}"), r"histograms.json: range"),
        (spoil("histograms.json", "{"), r"histograms.json: is damaged"),
    ],
)
def test_damage_is_one_line_that_names_the_run(tmp_path: Path, damage: Callable[[Path], object], message: str) -> None:
    run = write_run(tmp_path)
    damage(run)
    out = tmp_path / "report.html"
    out.write_text("the old page")
    with pytest.raises(InputError, match=message) as caught:
        write_report([run], out)
    assert "\n" not in str(caught.value)
    assert run.name in str(caught.value)
    assert out.read_text() == "the old page"


def test_a_device_without_a_number_of_attempts_had_one(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    respell("device", {"source": "gaussian", "file": None})(run)
    write_report([run], tmp_path / "report.html")
    assert "up to 5 attempts there and 1 while learning" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_no_runs_and_no_place_to_write(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no runs"):
        write_report([], tmp_path / "report.html")
    with pytest.raises(InputError, match="not a finished run"):
        write_report([tmp_path / "nowhere"], tmp_path / "report.html")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_report([write_run(tmp_path)], tmp_path / "file" / "report.html")


def test_numbers_are_written_as_a_reader_expects() -> None:
    assert [percent(0.98125), percent(1.0, 1), percent(None)] == ["98.12\u00a0%", "100.0\u00a0%", "–"]
    assert [sig(0.00123456), sig(1234567.0), sig(9.9999, 2), sig(0), sig(math.inf), sig(None)] == [
        "0.001235", "1\u202f234\u202f567", "10", "0", "–", "–",
    ]  # fmt: skip
    assert [count(1234567), count(1234.5)] == ["1\u202f234\u202f567", "1\u202f234.5"]
    assert [joule(2.5e-9), joule(6.55e-15), joule(0.0)] == ["2.500 nJ", "6.550 fJ", "0 fJ"]


needs_browser = pytest.mark.skipif(
    browser.find_chromium() is None, reason=f"no browser on PATH: none of {', '.join(browser.NAMES)}"
)


@needs_browser
def test_logarithmic_counts_are_drawn_on_a_narrow_page(tmp_path: Path) -> None:
    write_report([write_run(tmp_path, mode) for mode in ("in-situ", "ex-situ", "float")], tmp_path / "report.html")
    tick = "document.getElementById('logarithmic').click();"
    seen, console = browser.look(tmp_path / "report.html", width=400, before_probe=tick)
    assert console == []
    assert (seen["width"], seen["needed"]) == (400, 400)
    assert all(plot["svg"] and plot["wider"] <= 0 for plot in seen["plots"])
    assert sum(plot["log"] for plot in seen["plots"]) == 4
