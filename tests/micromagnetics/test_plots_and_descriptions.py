"""Figures and descriptions of films, drives and simulations."""

from __future__ import annotations

from html.parser import HTMLParser

import matplotlib as mpl
import numpy as np
import pytest
import torch
import xarray as xr
from matplotlib import pyplot as plt

from barkhausen.core.display.plot_style import WIDTH
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    Drive,
    MeanMagnetisation,
    Notch,
    StrainGate,
    TrackOutline,
    Waveform,
    domain_wall,
    material,
    simulate,
    track_film,
)

MATERIAL = material("cofeb-tantalum")
NOTCH = Notch(position=64e-9, depth=12e-9, half_length=16e-9)


@pytest.fixture(autouse=True)
def _closed() -> None:
    mpl.use("Agg")
    plt.close("all")


def film(devices: int = 1, notches: tuple[Notch, ...] = (NOTCH,)):
    return track_film(TrackOutline(length=128e-9, width=40e-9, notches=notches), MATERIAL, cell=4e-9, devices=devices)


def test_a_film_shows_the_magnetisation_over_its_cells_in_nanometres() -> None:
    track = film()
    m = domain_wall(track, [40e-9, 90e-9])
    upper, lower = track.plot(m)
    for axes, replica in zip((upper, lower), m, strict=True):
        (image,) = axes.images
        drawn = np.ma.filled(image.get_array(), np.nan)
        filled = track.fill[0].numpy() > 0
        assert np.array_equal(np.isfinite(drawn), filled.T)
        assert drawn[filled.T] == pytest.approx(replica[2].double().numpy().T[filled.T])
        assert image.get_extent() == pytest.approx([0.0, 128.0, 0.0, 40.0])
    assert lower.get_xlabel() == "x (nm)"
    assert upper.get_ylabel() == lower.get_ylabel() == "y (nm)"
    assert upper.figure.get_size_inches()[0] == WIDTH
    assert any(axes.get_ylabel() == "$m_z$" for axes in upper.figure.axes)


def test_the_outline_lies_where_the_edge_of_the_track_is() -> None:
    (axes,) = film().plot()
    outline = np.concatenate([path.vertices for path in axes.collections[0].get_paths()])
    away = outline[(outline[:, 0] > 10) & (outline[:, 0] < 40)]
    assert sorted({round(float(y), 6) for y in away[:, 1]}) == [0.0, 40.0]
    at_notch = outline[np.abs(outline[:, 0] - 64) < 3]
    assert at_notch[:, 1].min() == pytest.approx(12, abs=2.5)
    assert at_notch[:, 1].max() == pytest.approx(28, abs=2.5)


def test_another_component_and_the_anisotropy() -> None:
    track = film(notches=())
    (axes,) = track.plot(domain_wall(track)[0], component="x")
    assert np.abs(axes.images[0].get_array()).max() > 0.5
    varied = type(track)(track.grid, track.material, track.fill, 8e5 * torch.ones(2, *track.grid.shape))
    panels = varied.plot()
    assert len(panels) == 2
    assert float(panels[0].images[0].get_array().max()) == pytest.approx(800.0)
    assert any(axes.get_ylabel() == "anisotropy (kJ/m³)" for axes in panels[0].figure.axes)


def test_a_magnetisation_of_another_film_is_refused() -> None:
    with pytest.raises(InputError, match=r"magnetisation: shape \(3, 5, 5\)|is not \(replica, 3, 32, 10\)"):
        film().plot(torch.zeros(3, 5, 5))
    with pytest.raises(InputError, match="component = 'r'"):
        film().plot(domain_wall(film()), component="r")


def drive() -> Drive:
    return Drive(
        current_density=Waveform.pulse(2e11, 1e-9, start=0.5e-9),
        gate_voltage=Waveform.pulse([-1.0, 0.5, 0.5], 1.2e-9, start=0.4e-9),
        gate=StrainGate(),
    )


def test_a_drive_has_a_panel_for_each_signal_with_its_unit() -> None:
    current, gate = drive().plot()
    assert current.get_ylabel() == "current density\n(GA/m²)"
    assert gate.get_ylabel() == "gate voltage\n(V)"
    assert gate.get_xlabel() == "time (ns)"
    (line,) = current.lines[:1]
    x, y = (np.asarray(numbers) for numbers in line.get_data())
    assert np.interp([0.2, 1.0, 1.7], x, y) == pytest.approx([0.0, 200.0, 0.0])
    rising = x[np.flatnonzero(np.diff(y) > 100)]
    assert rising == pytest.approx([0.5], abs=1e-3)  # a step stays a step


def test_replicas_with_the_same_voltage_are_one_line() -> None:
    _, gate = drive().plot()
    plateaus = [np.interp(1.0, *line.get_data()) for line in gate.lines[:-1]]  # the last one is the axis
    assert plateaus == pytest.approx([-1.0, 0.5])


def test_a_drive_without_signals_has_nothing_to_draw() -> None:
    with pytest.raises(InputError, match="all are zero"):
        Drive().plot()


@pytest.fixture(scope="module")
def result() -> xr.Dataset:
    pulse = Drive(current_density=Waveform.pulse(3e11, 0.2e-9, start=0.1e-9))
    return simulate(film(notches=()), pulse, duration=0.5e-9, replicas=4, temperature=300.0, seed=1)


def test_a_simulation_shows_the_wall_of_each_replica_and_their_mean(result: xr.Dataset) -> None:
    axes = result.barkhausen.plot()
    assert axes.get_xlabel() == "time (ns)"
    assert axes.get_ylabel() == "wall position (nm)"
    *lines, mean = axes.lines
    walls = 1e9 * result["wall_position"].values
    assert len(lines) == 4
    for line, expected in zip(lines, walls.T, strict=True):
        assert np.asarray(line.get_ydata()) == pytest.approx(expected, nan_ok=True)
    assert np.asarray(mean.get_ydata()) == pytest.approx(np.nanmean(walls, axis=1))
    (shade,) = axes.patches
    assert shade.get_extents().transformed(axes.transData.inverted()).intervalx == pytest.approx([0.1, 0.3])


def test_without_walls_the_mean_magnetisation_is_drawn(result: xr.Dataset) -> None:
    axes = result[["m"]].barkhausen.plot()
    assert [line.get_label() for line in axes.lines] == ["$m_x$", "$m_y$", "$m_z$"]
    assert np.asarray(axes.lines[2].get_ydata()) == pytest.approx(result["m"].values[:, :, 2].mean(1))
    with pytest.raises(InputError, match="neither 'wall_position' nor 'm'"):
        result[["wall_tilt"]].barkhausen.plot()
    assert MeanMagnetisation.name == "m"


class Text(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += f"{data} "


def test_films_and_drives_describe_themselves() -> None:
    track = film(devices=2)
    assert repr(track).splitlines()[0] == "<Film>"
    assert "32 × 10 of 4 × 4 × 1 nm" in repr(track)
    page = Text(track._repr_html_())
    assert "saturation_magnetisation" in page.words
    assert page.tags.count("details") == 2
    assert "0 to 200 GA/m²" in repr(drive())
    assert "StrainGate" in Text(drive()._repr_html_()).words
    assert "none" in repr(Drive())


def test_the_origin_of_a_film_is_escaped() -> None:
    track = film()
    named = type(track)(track.grid, track.material, track.fill, origin="<script>alert(1)</script>")
    assert "script" not in Text(named._repr_html_()).tags
