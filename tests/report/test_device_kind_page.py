"""Pages about devices of other kinds than states: what they draw, quote and say, and the command that writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import xarray as xr
from test_report import plot_specs, words

from barkhausen.core.errors import InputError
from barkhausen.device import NeuronDevice, PulsedDevice, named_pulsed_device, preset
from barkhausen.device.categories.device import CategoricalDevice
from barkhausen.device.file import read_any_device
from barkhausen.device.pulses.exchange import neurosim_parameters
from barkhausen.device.technology import SHIPPED
from barkhausen.report.device.page import write_device_report
from barkhausen.report.device_kind import write_kind_page
from barkhausen.report.render import sig
from made_neurons import neuron

if TYPE_CHECKING:
    from tests.conftest import Command

COMMAND = "devices"


@pytest.fixture(autouse=True)
def without_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without plotly's five megabytes."""
    monkeypatch.setattr("barkhausen.report.render.get_plotlyjs", lambda: "", raising=False)


def page_of(device: Any, path: Path, **how: Any) -> str:
    write_kind_page(device, path, name="a device", **how)
    return path.read_text(encoding="utf-8")


def trains() -> xr.Dataset:
    """Positions of two walls in four pulses, each with two records."""
    positions = np.linspace(50e-9, 90e-9, 16).reshape(4, 2, 2, 1)
    order = ("pulse", "record", "device", "cycle")
    times = 1e-9 * np.arange(8.0).reshape(4, 2)
    return xr.Dataset(
        {
            "wall_position": (order, positions),
            "wall_count": (order, np.ones(positions.shape, int)),
            "time": (order[:2], times),
            "cold_position": (order[:3], positions[..., 0]),
        }
    )


def test_page_of_a_simulated_track_draws_its_curves_steps_and_walls(tmp_path: Path) -> None:
    device = named_pulsed_device("pulses-patched")
    page = page_of(device, tmp_path / "page.html", history=trains())
    text = words(page)
    assert "Identical pulses move the wall position of this device between 50.9 and 429 nm, by 15.5 steps" in text
    assert "Mean over 8 devices of 1 cycle, with the standard deviation between devices" in text
    curves, up, down, walls, energy = plot_specs(page)
    mean = curves["data"][-1]
    assert mean["y"] == pytest.approx(1e9 * device.data["curve"].mean(("device", "cycle")).values, abs=1e-3)
    for spec, row in ((up, 0), (down, 1)):
        line = spec["data"][-1]
        assert line["y"] == pytest.approx(device.step_means[row], abs=1e-4)
        assert len(spec["data"][2]["x"]) == 8 * 16
    assert [trace["name"] for trace in walls["data"]] == ["single walls"] * 2 + ["mean, thermal", "mean, 0 K"]
    assert len(walls["layout"]["shapes"]) == 3
    assert "mean motion in the delay after it, in the direction of the pulse 7.8 nm 6.4 to 9.2 nm" in text
    assert "ν of the curves in the file 0.265 (-0.411 to 1.227) 0.715 (-0.071 to 1.616)" in text
    assert energy["data"][0]["y"] == pytest.approx([1e15 * joule for joule in device.energy()])
    assert "patches: 14 x 12 nm at both edges every 32 nm" in text


def test_page_of_a_textbook_device_says_that_its_devices_are_drawn(tmp_path: Path) -> None:
    device = PulsedDevice.neurosim(2.0, 30, scale_sd=(0.1, 0.1)).in_cells(layout="pair")
    text = words(page_of(device, tmp_path / "page.html"))
    assert "The file keeps no curves: mean of 24 devices drawn from it (seed 0)" in text
    found = neurosim_parameters(device)
    assert f"A of NeuroSim in pulses (paramALTP, paramALTD) {found['paramALTP']:.2f}" in text
    assert "two devices a synapse, pulsed in turn, one up and the other down" in text
    assert "the device gives no energies: pulses are counted as free" in text
    assert "Position in pulses" not in text
    assert " Energy " not in text


def test_page_of_a_device_that_passes_with_a_probability(tmp_path: Path) -> None:
    device = read_any_device(SHIPPED / "notch-current.nc")
    page = page_of(device, tmp_path / "page.html")
    text = words(page)
    assert "An attempt passes with a probability that the current density sets" in text
    assert len(plot_specs(page)) == 1
    at = np.array(device.curve.midpoint)
    middle = f"{device.curve.midpoint:.4g} A/m2"
    joules = " ".join(f"{1e15 * float(device.energy(cause, at)):.2f}" for cause in device.energy_causes)
    assert f"{middle} 0.500 {joules}" in text


def test_page_of_a_memory_of_categories_has_its_transitions(tmp_path: Path) -> None:
    device = preset("skyrmion-3")
    assert isinstance(device, CategoricalDevice)
    write_device_report(device, tmp_path / "page.html")
    text = words((tmp_path / "page.html").read_text(encoding="utf-8"))
    pulse = device.pulses[0]
    before = int(device.counts[0].sum(axis=1).argmax())
    events = device.counts[0, before]
    total = int(events.sum())
    low, high = (100 * end for end in proportion_confint(int(events[0]), total))
    assert f"{pulse}, from {device.categories[before]} {100 * events[0] / total:.1f} ({low:.1f} to {high:.1f})" in text
    assert "Pulse for each wanted state" in text
    assert f"A read of the category takes {sig(1e15 * device.read_energy)} fJ." in text


def proportion_confint(good: int, total: int) -> tuple[float, float]:
    """Wilson's 95 % interval by its formula."""
    z, share = 1.959964, good / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * (share * (1 - share) / total + z * z / (4 * total**2)) ** 0.5
    return max(middle - half, 0.0), min(middle + half, 1.0)


def test_the_command_writes_it_and_other_classes_are_refused(command: Command, tmp_path: Path) -> None:
    code, out, err = command("soft-bounds-20", "--report", tmp_path / "page.html")
    assert code == 0, err
    assert f"report in {tmp_path / 'page.html'}" in out
    assert "soft-bounds-20" in words((tmp_path / "page.html").read_text(encoding="utf-8"))
    with pytest.raises(InputError, match="there is no page about a int"):
        write_kind_page(3, tmp_path / "other.html", name="three")  # type: ignore[arg-type]


def test_page_of_a_neuron_draws_its_law_and_says_how_often_the_reset_failed(tmp_path: Path) -> None:
    page = page_of(neuron(failed=4), tmp_path / "page.html")
    assert "Of 120 integrate-fire-reset cycles 100 fired; the reset failed after 4 of them (4.0%" in words(page)
    (law,) = plot_specs(page)
    assert [line["name"] for line in law["data"]] == ["no pulse (leak)", "1e+11 A/m2", "4e+11 A/m2"]
    assert law["data"][2]["y"] == pytest.approx([18, 16.5, 15, 13.5, 12])
    measured = NeuronDevice.from_probability(
        np.array([0.5, 2.0]), np.array([0.1, 0.9]), source="measured", drive=("voltage", "V", "made up")
    )
    assert "measured between 0.5 and 2 V" in words(page_of(measured, tmp_path / "curve.html"))
