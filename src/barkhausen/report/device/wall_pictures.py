"""Still and moving pictures of the wall on its track, from the maps of m_z of a characterisation.

Cells without material are transparent. The outline of the track is a separate path in the text colour, so that notches
and rough edges are visible on light and dark pages; this one follows the borders of the cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Int8, UInt8

from barkhausen.report.device.png import data_address, indexed_png

EMPTY, FULL = -128, 127
"""Values of a map: no material, and m_z = 1."""

DOWN, WALL, UP = (11, 92, 150), (250, 246, 236), (206, 84, 12)
"""Colours of m_z = −1, 0 and 1."""

STILL_SHADES, MOVING_SHADES = 255, 33
"""Numbers of shades of m_z. Thermal noise dominates the size of moving pictures, and finer shades are not visible."""

CELLS_IN_MOTION = 1_600_000
"""Approximate number of cells of all frames of all moving pictures of a page; beyond it, frames are left out."""

LEAST_FRAMES = 24
WIDEST_SHEET = 2048
"""Width in pixels of a sheet of frames; every browser can decode larger ones."""


@dataclass(frozen=True)
class MovingPicture:
    """Frames of one event on a single picture, row by row.

    Attributes:
        address: Picture as a data URL.
        columns: Number of frames in a row.
    """

    address: str
    columns: int


@dataclass(frozen=True)
class TrackView:
    """Geometry of the track in its pictures.

    Attributes:
        columns, rows: Numbers of cells.
        left, length, width: Left edge of the first cell and extent of all cells in m.
        outline: SVG path around the material, with one unit for each cell and the top row first.
    """

    columns: int
    rows: int
    left: float
    length: float
    width: float
    outline: str

    @classmethod
    def of(cls, history: xr.Dataset) -> TrackView:
        """The common view of all maps of a characterisation, which show the same device."""
        x, y = history["x"].values, history["y"].values
        dx = float(x[1] - x[0]) if len(x) > 1 else float(2 * x[0])
        dy = float(y[1] - y[0]) if len(y) > 1 else dx
        cells = _picture_rows(maps_of(history)[-1, 0]) != EMPTY
        return cls(len(x), len(y), float(x[0]) - dx / 2, len(x) * dx, len(y) * dy, outline_path(cells))


def maps_of(history: xr.Dataset) -> Int8[np.ndarray, "time state x y"]:
    """All maps, with their axes in the order of this module."""
    maps: Int8[np.ndarray, "time state x y"] = history["perpendicular"].transpose("time", "state", "x", "y").values
    return maps


def still(cells: Int8[np.ndarray, "x y"]) -> str:
    """One map as a data URL."""
    return data_address(indexed_png(_colours(_picture_rows(cells), STILL_SHADES), palette(STILL_SHADES)))


def moving(maps: Int8[np.ndarray, "time x y"]) -> MovingPicture:
    """Successive maps on one sheet."""
    frames, width = len(maps), maps.shape[1]
    columns = max(1, min(frames, WIDEST_SHEET // width))
    colours = [_colours(_picture_rows(cells), MOVING_SHADES) for cells in maps]
    blank = np.zeros_like(colours[0])
    colours += [blank] * (-frames % columns)
    rows = [np.hstack(colours[start : start + columns]) for start in range(0, len(colours), columns)]
    return MovingPicture(data_address(indexed_png(np.vstack(rows), palette(MOVING_SHADES))), columns)


def frames_to_show(times: int, pictures: int, cells: int) -> list[int]:
    """Numbers of the frames that fit on the page, evenly spaced and including the first and the last.

    Args:
        times: Number of frames.
        pictures: Number of moving pictures.
        cells: Number of cells of one frame.
    """
    room = max(LEAST_FRAMES, CELLS_IN_MOTION // (pictures * cells))
    chosen = np.round(np.linspace(0, times - 1, min(times, room))).astype(int)
    return [int(number) for number in chosen]


def palette(shades: int) -> UInt8[np.ndarray, "colour 4"]:
    """Palette: first transparent, then the shades from m_z = −1 to 1."""
    place = np.linspace(-1.0, 1.0, shades)
    colours = np.zeros((1 + shades, 4))
    for channel in range(3):
        colours[1:, channel] = np.interp(place, (-1, 0, 1), (DOWN[channel], WALL[channel], UP[channel]))
    colours[1:, 3] = 255
    return np.round(colours).astype(np.uint8)


def wall_of(maps: Int8[np.ndarray, "time x y"], view: TrackView) -> Float[np.ndarray, " time"]:
    """Wall position in m in each map: the zero of m_z averaged over the width. NaN unless there is exactly one wall."""
    present = maps != EMPTY
    count = present.sum(axis=2)
    profile = np.where(present, maps, 0).sum(axis=2) / np.maximum(count, 1)
    up, full = profile > 0, count > 0
    crossing = (up[:, 1:] != up[:, :-1]) & full[:, 1:] & full[:, :-1]
    first = crossing.argmax(axis=1)
    row = np.arange(len(maps))
    before, after = profile[row, first], profile[row, first + 1]
    single = crossing.sum(axis=1) == 1
    share = np.divide(before, before - after, out=np.zeros(len(maps)), where=single)
    cell = view.length / view.columns
    return np.where(single, view.left + (first + 0.5 + share) * cell, np.nan)


def outline_path(cells: Bool[np.ndarray, "row column"]) -> str:
    """SVG path along the borders of the cells that are set, each straight stretch drawn once."""
    framed = np.pad(cells, 1)
    parts = []
    for direction, borders in (("h", framed[1:] != framed[:-1]), ("v", (framed[:, 1:] != framed[:, :-1]).T)):
        # Starts and ends of the stretches: the steps in a row of borders padded with zeros.
        for line, row in enumerate(borders):
            steps = np.flatnonzero(np.diff(np.concatenate(([0], row.astype(np.int8), [0]))))
            for start, stop in zip(steps[::2] - 1, steps[1::2] - 1, strict=True):
                place = f"{start} {line}" if direction == "h" else f"{line} {start}"
                parts.append(f"M{place}{direction}{stop - start}")
    return "".join(parts)


def _picture_rows(cells: Int8[np.ndarray, "x y"]) -> Int8[np.ndarray, "row column"]:
    """Cells as rows of a picture, the top row (largest y) first."""
    return cells.T[::-1]


def _colours(values: Int8[np.ndarray, "row column"], shades: int) -> UInt8[np.ndarray, "row column"]:
    share = np.clip((values.astype(np.float64) / FULL + 1) / 2, 0.0, 1.0)
    return np.where(values == EMPTY, 0, 1 + np.round(share * (shades - 1))).astype(np.uint8)
