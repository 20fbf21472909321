"""Figures of characterised devices: what is drawn, where, and in which units."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.patches import StepPatch

from barkhausen.core.display.plot_style import WIDTH
from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, StateCoordinate, gaussian_device, preset


@pytest.fixture(autouse=True)
def _closed() -> None:
    mpl.use("Agg")
    plt.close("all")


def conductances(states: int = 3, devices: int = 6, cycles: int = 4) -> CharacterisedDevice:
    random = np.random.default_rng(1)
    values = 1e-5 * (1 + np.arange(states)[:, None, None]) + 2e-7 * random.standard_normal((states, devices, cycles))
    values[0, 0, 0] = np.nan  # a reading that is missing
    return CharacterisedDevice.from_states(
        values,
        technology="resistive",
        coordinate=StateCoordinate("conductance", "S", "conductance of the device"),
        state_range=(0.0, 1e-4),
        source="measured",
    )


def filled(axes: plt.Axes) -> list[StepPatch]:
    return [patch for patch in axes.patches if isinstance(patch, StepPatch) and patch.get_fill()]


def test_each_state_has_bars_of_area_one_where_its_values_are() -> None:
    device = conductances()
    axes = device.plot()
    bars = filled(axes)
    assert [patch.get_label() for patch in bars] == ["state 0", "state 1", "state 2"]
    for patch, values in zip(bars, device.state_values, strict=True):
        heights, edges, _ = patch.get_data()
        assert float((heights * np.diff(edges)).sum()) == pytest.approx(1.0)
        centre = float((heights * np.diff(edges) * (edges[1:] + edges[:-1]) / 2).sum())
        assert centre == pytest.approx(1e6 * np.nanmean(values), rel=0.02)


def test_axes_name_the_coordinate_and_its_unit() -> None:
    axes = conductances().plot()
    assert axes.get_xlabel() == "conductance (µS)"
    assert axes.get_ylabel() == "probability density (1/µS)"
    assert preset("racetrack-5").plot().get_xlabel() == "wall position (nm)"


def test_the_upper_axis_gives_the_weight() -> None:
    device = conductances()
    axes = device.plot()
    (above,) = axes.child_axes
    assert above.get_xlabel() == "weight"
    place = 1e6 * device.moments[0]
    axes.set_xlim(place[0], place[-1])
    axes.figure.canvas.draw()
    assert above.get_xlim() == pytest.approx((-1.0, 1.0))


def test_a_curve_is_the_distribution_that_synapses_are_drawn_from() -> None:
    device = gaussian_device(3, sigma_device=0.05, sigma_cycle=0.05)
    axes = device.plot()
    mean, between_devices, between_cycles = (1e9 * moment for moment in device.moments)
    sigma = np.hypot(between_devices, between_cycles)
    assert len(axes.lines) == 3
    for line, centre, width in zip(axes.lines, mean, sigma, strict=True):
        x, y = (np.asarray(numbers, float) for numbers in line.get_data())
        drawn = np.isfinite(y)
        exact = np.exp(-0.5 * ((x - centre) / width) ** 2) / (width * np.sqrt(2 * np.pi))
        assert np.abs(y - exact)[drawn].max() < 0.04 * exact.max()


def test_values_that_are_resampled_have_no_curve() -> None:
    assert len(conductances().plot().lines) == 0


def test_states_against_the_gate_voltage_with_their_spread() -> None:
    device = preset("racetrack-3")
    axes = device.plot(kind="drive")
    assert axes.get_xlabel() == "gate voltage (V)"
    assert axes.get_ylabel() == "wall position (nm)"
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in dots] == pytest.approx(device.data["gate_voltage"].values.tolist())
    assert [line.get_ydata()[0] for line in dots] == pytest.approx((1e9 * device.moments[0]).tolist())


def test_a_device_that_names_nothing_that_selects_its_states_says_so() -> None:
    with pytest.raises(InputError, match="no quantity that differs between the states"):
        conductances().plot(kind="drive")


def test_a_figure_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"kind = 'distributions': .*did you mean 'distribution'"):
        conductances().plot(kind="distributions")


def test_the_figure_is_one_column_wide_with_vector_fonts_and_leaves_the_settings_alone(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    axes = conductances().plot()
    assert axes.figure.get_size_inches()[0] == WIDTH == 3.4
    assert axes.xaxis.label.get_size() == 8
    axes.figure.savefig(tmp_path / "device.pdf")
    assert dict(mpl.rcParams) == before
    content = (tmp_path / "device.pdf").read_bytes()
    assert b"/Type3" not in content
    assert b"/CIDFontType2" in content  # TrueType


def test_axes_of_the_user_are_drawn_on() -> None:
    figure, axes = plt.subplots(1, 2)
    assert conductances().plot(axes[1]) is axes[1]
    assert not axes[0].patches
    assert len(plt.get_fignums()) == 1
    plt.close(figure)


@pytest.mark.parametrize("states", [2, 16])
def test_states_of_one_value_each_can_be_drawn(states: int) -> None:
    values = np.repeat(np.arange(1.0, states + 1)[:, None, None] * 1e-6, 3, axis=1)
    device = CharacterisedDevice.from_states(
        values,
        technology="resistive",
        coordinate=StateCoordinate("conductance", "S", "conductance of the device"),
        state_range=(0.0, 1e-4),
        source="measured",
    )
    assert len(filled(device.plot())) == states


def test_a_device_describes_itself_with_every_text_of_its_file_escaped() -> None:
    device = preset("racetrack-5")
    assert repr(device).splitlines()[:3] == [
        "<CharacterisedDevice>",
        "  technology    domain-wall racetrack",
        "  states        5, by wall position",
    ]
    data = device.data.assign_attrs(note="<script>alert(1)</script>")
    data["state_mean"].attrs["long_name"] = "<img src=http://elsewhere>"
    html = CharacterisedDevice(data)._repr_html_()
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("&lt;script&gt;") == 1
    assert "84.09 nm" in html
    assert "track.length" in html
