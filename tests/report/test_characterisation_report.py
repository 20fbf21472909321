"""The page of a characterised device: complete, honest, harmless, and the numbers are the device's."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from test_report import HOSTILE, Loads, plot_specs, words

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, load_parameters
from barkhausen.device.domain_wall.characterise import Characterisation
from barkhausen.device.statistics.summary import describe_statistics
from barkhausen.report.device.numbers import DeviceNumbers
from barkhausen.report.device.page import lasting, overlap_text, volt, write_characterisation_report
from barkhausen.report.device.wave_pictures import ruler
from made_up_characterisation import COMMAND, LENGTH, events_on, everything_there_is, made_up, optional_variables

MEGABYTE = 1e6


def page_of(characterisation: Characterisation, root: Path) -> str:
    """The page without plotly's five megabytes, for tests that only read it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("barkhausen.report.render.get_plotlyjs", lambda: "")
        write_characterisation_report(characterisation, root / "page.html")
    return (root / "page.html").read_text(encoding="utf-8")


def with_attributes(characterisation: Characterisation, **attributes: str) -> Characterisation:
    data = characterisation.device.data.assign_attrs(attributes)
    return Characterisation(CharacterisedDevice(data), characterisation.history)


def area_under(x: Sequence[float], y: Sequence[float]) -> float:
    return sum((b - a) * (c + d) / 2 for (a, b), (c, d) in zip(pairwise(x), pairwise(y), strict=True))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of five states, all of its optional parts on it; about a hundred frames."""
    path = tmp_path_factory.mktemp("everything") / "page.html"
    write_characterisation_report(everything_there_is(), path)
    return path


def test_page_loads_nothing_and_is_well_formed(everything: Path) -> None:
    page = everything.read_text(encoding="utf-8")
    seen = Loads()
    seen.feed(page)
    assert {tag for tag, _ in seen.fetched} == {"img", "use"}
    assert all(address.startswith(("data:image/png;base64,", "#")) for _, address in seen.fetched)
    links = re.findall(r'href="([^#][^"]*)"', re.sub(r"<script.*?</script>", "", page, flags=re.S))
    # Two files of the pictures (one of them once more for readers without scripts), and one a plot.
    assert len(links) == 3 + 5
    assert all(link.startswith("data:text/csv;") for link in links)
    style = "".join(re.findall(r"<style>(.*?)</style>", page, re.S))
    assert "url(" not in style
    assert "@import" not in style
    assert page.count("plotly.js v") == 1
    assert "default-src 'none'" in page
    assert seen.headings[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(seen.headings))
    assert (seen.unscoped, seen.unlabelled) == (0, 0)
    assert re.findall(r"<b>Figure (\d)\.</b>", page) == ["1", "2", "3", "4", "5", "6", "7"]
    assert page.count('alt="Map of the magnetisation of state') == 5


def test_five_states_and_their_films_stay_below_six_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    characterisation = made_up(noise=0.25)
    assert 85 <= characterisation.history.sizes["time"] <= 110
    write_characterisation_report(characterisation, path)
    assert path.stat().st_size < 6 * MEGABYTE


def test_page_says_what_was_found(everything: Path) -> None:
    page = everything.read_text(encoding="utf-8")
    text = words(page)
    sections = [
        "States",
        "Walls at rest",
        "A programming event",
        "Wall position in time",
        "States against gate voltage",
    ]
    sections += ["Distribution of the states", "Overlap of the states", "Device to device, cycle to cycle", "Energy"]
    sections += ["Retention", "Read-out"]
    assert re.findall(r"<h2 id=\S+>(.*?)</h2>", page) == [*sections, "Reproducing the device"]
    assert (
        "This simulated device, a domain-wall racetrack of 512 × 64 nm, holds 5 states , and a read gives 2.19 bits"
        in text
    )
    assert "the worst, 3 and 4, overlap by 0.100 ; 3 of 320 programming events failed (0.94 %)" in text
    assert "16 devices × 4 cycles in each state at 300 K, seed 7" in text
    assert "events failed: 2 with no wall, 1 with several walls. Worst is state 4 with 3 of 64." in text
    assert "5 % of the resets annihilated the wall or left it nearer to the second state" in text
    assert "distinguish them: 2 and 3 (0.07), 3 and 4 (0.10)." in text
    assert "10.0 years 10.0 years – 10.0 years 57.9 57.9 2.4e-19" in text
    assert COMMAND in text
    assert 'backend="compiled"' in html.unescape(page)
    assert "junction.read_time = 1e-09 (default)" in text
    assert "time step 50 fs" in text
    assert len(plot_specs(page)) == 5
    assert all(spec["data"] for spec in plot_specs(page))


def test_table_holds_the_numbers_of_the_device(tmp_path: Path) -> None:
    characterisation = made_up(variables=optional_variables())
    data = characterisation.device.data
    text = words(page_of(characterisation, tmp_path))
    row = re.search(r" 0 −0.5 ([\d.]+) ([\d.]+) % ([\d.]+) \(3.00 to 9.00\) ([\d.]+) ", text)
    assert row
    mean, share, device, cycle = (float(value) for value in row.groups())
    assert mean == pytest.approx(1e9 * float(data["state_mean"][0]), abs=0.051)
    assert share == pytest.approx(100 * float(data["state_mean"][0]) / LENGTH, abs=0.051)
    assert device == pytest.approx(1e9 * float(data["sigma_device"][0]), abs=0.0051)
    assert cycle == pytest.approx(1e9 * float(data["sigma_cycle"][0]), abs=0.0051)
    energy = [float(characterisation.device.energy(cause)[0]) for cause in ("sot", "gate", "read")]
    prices = [
        f"{1e15 * energy[0]:.2f}",
        f"{1e15 * energy[1]:.3f}",
        f"{1e15 * energy[2]:.1f}",
        f"{1e15 * sum(energy):.1f}",
    ]
    assert f"0 of 64 0.062 0.75 {' '.join(prices)}" in text


def test_statistics_are_those_of_the_file(everything: Path) -> None:
    text = words(everything.read_text(encoding="utf-8"))
    assert "a read gives 2.19 bits (2.05 to 2.28) of at most 2.32 bits" in text
    assert "0.010 (0.005 to 0.505) 2.5 (1.0 to 6.2)" in text
    assert "4 – 2.5 (1.0 to 6.2)" in text
    assert re.search(r"\d+ % 0.37 0.0042", text)
    assert "mixture −23.90 0.10 0.08 empirical −24.10 0.30 0.15 chosen" in text


def test_statistics_that_the_file_does_not_hold_follow_from_its_positions(tmp_path: Path) -> None:
    characterisation = made_up()
    expected = describe_statistics(characterisation.device.state_values)
    text = words(page_of(characterisation, tmp_path))
    assert f"a read gives {float(expected['mutual_information']):.2f} bits" in text
    low, high = 1e9 * expected["sigma_cycle_interval"].values[0]
    assert f"({low:.2f} to {high:.2f})" in text
    assert "95 % confidence intervals" in text


def test_what_nobody_knows_is_left_out(tmp_path: Path) -> None:
    page = page_of(made_up(2, 1, 1), tmp_path)
    text = words(page)
    assert "which is 1.00 bits without read errors" in text
    assert "none of 2 programming events failed" in text
    assert page.count('class="notice"') == 2
    assert "The spread of a state cannot be estimated from a single event." in text
    assert "Overlap" not in page
    assert "Retention times" not in text
    assert "95 %" not in text
    assert "KS" not in text
    assert "Compared distributions" not in page
    assert "barkhausen characterize device.toml --out device.nc or in Python" in text


@pytest.mark.parametrize("distribution", ["mixture", "empirical"])
def test_a_chosen_distribution_is_drawn(tmp_path: Path, distribution: str) -> None:
    plain = made_up()
    moments = plain.device.moments
    spread = np.hypot(moments[1], moments[2])
    variables = {
        "mixture_weight": (("state", "component"), np.tile([0.25, 0.75], (5, 1))),
        "mixture_mean": (("state", "component"), moments[0][:, None] + np.array([-9e-9, 3e-9])),
        "mixture_sigma": (("state", "component"), np.stack([spread / 3, spread], axis=1)),
        "mixture_level": ("state", np.zeros(5)),
        "mixture_offset_sigma": ("state", np.zeros(5)),
        "bandwidth_device": ("state", np.full(5, 1e-9)),
        "bandwidth_cycle": ("state", np.full(5, 1e-9)),
    }
    device = plain.device.extended(xr.Dataset(variables, attrs={"distribution": distribution}))
    page = page_of(Characterisation(device, plain.history), tmp_path)
    traces = plot_specs(page)[2]["data"]
    curves = [trace for trace in traces if trace.get("mode") == "lines" and trace["line"]["dash"] == "solid"]
    normals = [trace for trace in traces if trace.get("mode") == "lines" and trace["line"]["dash"] == "dot"]
    assert len(normals) == 5
    assert len(curves) == 5
    for curve in curves:
        assert area_under(curve["x"], curve["y"]) == pytest.approx(64 * traces[0]["width"], rel=0.01)
    assert f"the distribution “{distribution}” from which training draws" in words(page)


@pytest.mark.parametrize(("states", "devices", "cycles"), [(2, 1, 1), (2, 16, 1), (3, 1, 8), (9, 4, 2), (40, 2, 2)])
def test_every_size_has_its_page(tmp_path: Path, states: int, devices: int, cycles: int) -> None:
    characterisation = made_up(
        states, devices, cycles, variables=optional_variables(states, devices), spread=min(1.0, 5 / states)
    )
    page = page_of(characterisation, tmp_path)
    text = words(page)
    assert all(spec["data"] for spec in plot_specs(page))
    assert ("Device to device, cycle to cycle" in text) == (devices * cycles > 1)
    assert ("The spread between devices cannot be estimated" in text) == (devices == 1 and cycles > 1)
    assert ("counted as device-to-device" in text) == (cycles == 1 and devices > 1)
    assert len(events_on(page)["states"]) == min(states, 16)
    assert ("16 of 40 states" in text) == (states == 40)
    # Overlaps of all pairs and, from eight devices on, the matrix of read errors.
    assert page.count('class="same"') == (states * (2 if devices >= 8 else 1) if states <= 24 else 0)
    assert ("stated from 8 devices on" in text) == (devices < 8)
    assert not re.search(r"\bnan\b", text)
    assert len(page) < 1.5 * MEGABYTE


def test_a_state_that_lost_most_of_its_walls_is_shown(tmp_path: Path) -> None:
    characterisation = made_up(3, 8, 2, failures=15)
    characterisation.history["perpendicular"][-1, 2] = 127
    page = page_of(characterisation, tmp_path)
    text = words(page)
    assert "15 of 48 programming events failed: 8 with no wall, 7 with several walls" in text
    assert "gate +0.5 V: no single wall" in text
    assert events_on(page)["states"][2]["wall"][-1] is None
    lines = plot_specs(page)[0]["data"]
    assert len(lines) == 3
    assert "15 of 16" in text


def test_a_gaussian_distribution_is_drawn_as_a_curve(tmp_path: Path) -> None:
    gaussian = with_attributes(made_up(), distribution="gaussian")
    curves = [trace for trace in plot_specs(page_of(gaussian, tmp_path))[2]["data"] if trace.get("mode") == "lines"]
    assert len(curves) == 5
    state = DeviceNumbers.of(gaussian.device).states[0]
    place, density = curves[0]["x"], curves[0]["y"]
    bins = plot_specs(page_of(gaussian, tmp_path))[2]["data"][0]["width"]
    assert area_under(place, density) == pytest.approx(64 * bins, rel=1e-3)
    assert place[np.argmax(density)] == pytest.approx(1e9 * state.mean.value, abs=0.1)


def test_parameters_on_the_page_make_the_device_again(tmp_path: Path) -> None:
    characterisation = made_up()
    page = page_of(characterisation, tmp_path)
    found = re.search(r'<pre[^>]*aria-label="Parameters in TOML">(.*?)</pre>', page, re.S)
    assert found
    (tmp_path / "device.toml").write_text(html.unescape(found.group(1)), encoding="utf-8")
    again = load_parameters(tmp_path / "device.toml")
    assert json.loads(again.model_dump_json()) == json.loads(characterisation.device.data.attrs["parameters"])


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    poisoned = with_attributes(
        made_up(2, 2, 2, attributes={"command": HOSTILE, HOSTILE: HOSTILE, "backend": HOSTILE}),
        assumed=json.dumps([HOSTILE]),
        code_version=HOSTILE,
    )
    page = page_of(poisoned, tmp_path)
    assert "<script>alert" not in page
    assert "<img src=http" not in page
    assert "&lt;img src=http://evil.example/x" in page


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda c: Characterisation(c.device, c.history.drop_vars("perpendicular")), "lacks perpendicular"),
        (
            lambda c: Characterisation(c.device, c.history.isel(state=[0])),
            "history is of 1 states, but the device has 2",
        ),
        (lambda c: with_attributes(c, parameters="{"), "does not hold the parameters"),
        (lambda c: with_attributes(c, parameters='{"trak": {}}'), "unknown key 'trak'"),
    ],
)
def test_damage_is_one_line(
    tmp_path: Path, damage: Callable[[Characterisation], Characterisation], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        write_characterisation_report(damage(made_up(2, 2, 2)), tmp_path / "page.html")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "page.html").exists()


def test_numbers_are_written_as_a_reader_expects() -> None:
    assert [volt(0.25), volt(-0.5), volt(0.0)] == ["+0.25", "−0.5", "0"]
    assert [lasting(t) for t in (3e-10, 2.5, 3.15576e8, 1e20, np.inf, np.nan)] == [
        "0.300 ns", "2.50 s", "10.0 years", "3.2 × 10¹² years", "∞", "–",
    ]  # fmt: skip
    assert [overlap_text(v) for v in (1e-16, 1e-5, 0.25, np.nan)] == ["0", "< 0.001", "0.250", "–"]
    assert [mark.text for mark in ruler(-0.2, 8.9)] == ["0", "2", "4", "6", "8"]
    assert [mark.place for mark in ruler(0.0, 512.0)] == pytest.approx([100 * k / 5.12 for k in range(6)], abs=1e-2)
