"""The page of any device: measured, declared, of any technology, with few devices; and the page that compares them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from test_report import plot_specs, words

import browser
import forked
from barkhausen.core.errors import InputError
from barkhausen.device import (
    CharacterisedDevice,
    DeviceParameters,
    ResistiveParameters,
    domain_wall_device,
    fitted,
    gaussian_device,
    preset,
    write_device,
)
from barkhausen.device.resistive.technology import resistive_device
from barkhausen.report.device.comparison import write_comparison_page
from barkhausen.report.device.page import page_path, write_device_report

EXTENSIONS = Path(__file__).parents[1] / "extending"


def barkhausen(*asked: str, where: Path) -> forked.Ended:
    """Run the command with a made-up technology registered from outside, as a user would."""
    paths = os.pathsep.join(filter(None, (str(EXTENSIONS), os.environ.get("PYTHONPATH", ""))))
    environment = os.environ | {
        "BARKHAUSEN_EXTENSIONS": "technology_skyrmions",
        "PYTHONPATH": paths,
        "COLUMNS": "200",
        "OMP_NUM_THREADS": "1",
    }
    return forked.run(*asked, where=where, environment=environment)


def skyrmions(path: Path) -> Path:
    """A table of measurements of that technology."""
    generator = np.random.default_rng(0)
    lines = ["state,device,cycle,skyrmions"]
    for state, mean in enumerate((1.0, 4.0, 8.0)):
        for device in range(6):
            counts = mean + 0.2 * generator.standard_normal() + 0.2 * generator.standard_normal(4)
            lines += [f"s{state},d{device},{cycle},{count}" for cycle, count in enumerate(counts)]
    path.write_text("\n".join(lines) + "\n")
    return path


needs_browser = pytest.mark.skipif(
    browser.find_chromium() is None, reason=f"no browser on PATH: none of {', '.join(browser.NAMES)}"
)


def resistive(devices: int = 9, cycles: int = 5) -> CharacterisedDevice:
    generator = np.random.default_rng(0)
    mean = np.array([5e-6, 20e-6, 45e-6, 80e-6])[:, None, None]
    values = mean * (1 + 0.06 * generator.standard_normal((4, devices, 1)))
    values = values * (1 + 0.04 * generator.standard_normal((4, devices, cycles)))
    values[1, 2, -1] = np.nan
    return resistive_device(
        values,
        ResistiveParameters(),
        source="measured",
        assumed=ResistiveParameters().assumed(),
        attributes={"imported_from": "cells.csv", "state_labels": ["a1", "a3", "a2", "a4"]},
    )


def page_of(device: CharacterisedDevice, path: Path) -> str:
    """The page without plotly's five megabytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("barkhausen.report.render.get_plotlyjs", lambda: "", raising=False)
        write_device_report(device, path)
    return path.read_text(encoding="utf-8")


def test_page_of_a_measured_resistive_memory_is_in_its_units(tmp_path: Path) -> None:
    page = page_of(fitted(resistive()), tmp_path / "page.html")
    text = words(page)
    assert "This measured device, a resistive memory, holds 4 states" in text
    assert "cells.csv, 9 devices × 5 cycles in each state; 1 of these 180 values are missing" in text
    assert "conductance (µS)" in text
    assert "write pulses (fJ)" in text
    assert "Order of the states:" in text
    assert "from state 0 on they are a1, a3, a2, a4." in text
    assert "Not measured: the device file holds no retention times." in text
    assert "The file gives no drive that selects the states." in text
    assert "gaussian, KS gaussian, p mixture, KS" in text
    assert "barkhausen import-device cells.csv --parameters device.toml --out device.nc" in text
    assert "technology = &#34;resistive&#34;" in page
    assert " nm" not in text
    drive, histogram = plot_specs(page)[:2]
    assert drive["layout"]["yaxis"]["title"]["text"] == "conductance (µS)"
    assert histogram["layout"]["xaxis"]["title"]["text"] == "conductance of the device (µS)"
    assert sum(sum(trace["y"]) for trace in histogram["data"] if trace["type"] == "bar") == 179


def test_states_stand_against_their_drive_where_the_file_has_one(tmp_path: Path) -> None:
    page = page_of(preset("racetrack-5"), tmp_path / "page.html")
    assert "States against gate voltage" in words(page)
    drive = plot_specs(page)[0]
    assert drive["data"][1]["x"] == [-1.05, 0.0, 0.36, 0.67, 1.15]
    assert drive["data"][1]["y"] == pytest.approx((1e9 * preset("racetrack-5").moments[0]).round(1).tolist())
    assert "barrier, lowest (kT)" in words(page)
    # Overlaps of all pairs, and the matrix of read errors.
    assert page.count('class="same"') == 2 * 5


def test_voltages_that_nobody_chose_are_no_drive(tmp_path: Path) -> None:
    text = words(page_of(gaussian_device(16), tmp_path / "page.html"))
    assert "This textbook device" in text
    assert "States against their number" in text
    assert "Gate voltage: assumed, not given" in text
    assert "made_again = gaussian_device(16, sigma_device=0.09, sigma_cycle=0.12, seed=0" in text


def test_page_of_three_devices_has_dashes_and_the_reason(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    values = np.array([60e-9, 140e-9, 260e-9])[:, None, None] + 4e-9 * generator.standard_normal((3, 3, 1))
    values = values + 2e-9 * generator.standard_normal((3, 3, 4))
    device = domain_wall_device(values, DeviceParameters(), source="measured")
    page = page_of(device, tmp_path / "page.html")
    text = words(page)
    assert "3 devices in a state: intervals, read errors and information are stated from 8 devices on" in text
    assert "which is 1.58 bits without read errors" in text
    assert "95 % confidence" not in text
    assert 'aria-label="Read errors"' not in page
    part = re.search(r'aria-label="Overlap of neighbours">(.*?)</table>', page, re.S)
    assert part
    assert re.findall(r"<td>([^<]*)</td></tr>", part.group(1)) == ["–"] * 3


def test_a_technology_from_outside_has_its_page_and_figure(tmp_path: Path) -> None:
    skyrmions(tmp_path / "measured.csv")
    asked = ("import-device", "measured.csv", "--technology", "skyrmion-count", "--out", "device.nc", "--report")
    found = barkhausen(*asked, where=tmp_path)
    assert found.returncode == 0, found.stderr
    text = words((tmp_path / "device.html").read_text(encoding="utf-8"))
    assert "a skyrmion disc, holds 3 states" in text
    assert "nucleating pulses (fJ)" in text
    assert "Mean skyrmion number of each state" in text
    found = barkhausen("devices", "device.nc", "--report", "--figure", "figure.pdf", where=tmp_path)
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")
    found = barkhausen("compare", "device.nc", "racetrack-3", where=tmp_path)
    assert found.returncode == 2
    assert "racetrack-3 cannot be compared with device" in " ".join(found.stderr.split())


def test_options_of_pages_and_figures_are_checked(tmp_path: Path) -> None:
    assert page_path("", "mine", tmp_path) == tmp_path / "mine.html"
    assert page_path(str(tmp_path), "mine", Path()) == tmp_path / "mine.html"
    assert page_path("a/b.html", "mine", tmp_path) == Path("a/b.html")
    with pytest.raises(InputError, match=r"must be a file that ends in \.html or a directory that exists"):
        page_path(str(tmp_path / "nowhere"), "mine", tmp_path)
    for asked, line in (
        (("devices", "racetrack-3", "--figure", "f.jpg"), "--figure f.jpg: must end in .pdf, .png or .svg"),
        (("devices", "--report"), "--report needs the name of one device"),
        (("compare", "racetrack-3"), "compare needs at least two devices, got 1"),
    ):
        found = barkhausen(*asked, where=tmp_path)
        assert (found.returncode, line in " ".join(found.stderr.split())) == (2, True), found.stderr


def comparison(root: Path) -> Path:
    devices = [resistive(), resistive(cycles=3)]
    write_comparison_page(devices, ["one", "two"], root / "page.html")
    return root / "page.html"


def test_comparison_says_what_differs(tmp_path: Path) -> None:
    text = words(comparison(tmp_path).read_text(encoding="utf-8"))
    assert "Comparison of one, two" in text
    assert "quantity one two two − one states 4 4 0" in text
    assert "energy, write pulses (fJ) 1000.00 1000.00 0.00" in text
    assert "one: order of the states: states are numbered" in text


@needs_browser
@pytest.mark.parametrize("kind", ["measured", "compared"])
def test_pages_are_drawn_and_can_be_used_by_everyone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "page.html"
    if kind == "measured":
        write_device_report(resistive(), path)
    else:
        comparison(tmp_path)
    (light, dark), console = browser.judge(path)
    assert console == []
    for seen in (light, dark):
        assert browser.grave(seen) == []
        assert seen["loaded"] == []
        assert seen["nowhere"] == []
        assert seen["width"] == seen["needed"]
        assert len(seen["plots"]) == (4 if kind == "measured" else 2)
        assert all(plot["svg"] and plot["drawn"] for plot in seen["plots"])


def test_comparison_on_the_terminal_and_as_a_page(tmp_path: Path) -> None:
    for name, device in (("a", resistive()), ("b", resistive(devices=3))):
        write_device(device, tmp_path / f"{name}.nc")
    found = barkhausen("compare", "a.nc", "b.nc", "--report", where=tmp_path)
    assert found.returncode == 0, found.stderr
    assert "b − a" in found.stdout
    assert "b: 3 devices in a state" in found.stdout
    assert (tmp_path / "comparison.html").stat().st_size > 10_000
