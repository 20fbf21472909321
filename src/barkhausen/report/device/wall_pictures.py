"""Pictures of the wall on its track, still and moving, from the maps of m_z that a characterisation keeps.

Cells without material are transparent; the outline of the track is a path of its own, in the colour of the ink, so
that notches and rough edges stay visible on a light page and on a dark one.
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
"""Shades of m_z. Thermal noise is most of what a moving picture weighs, and nobody sees it finer than this."""

CELLS_IN_MOTION = 1_600_000
"""Cells of all frames of all moving pictures of a page, about; beyond it frames are left out."""

LEAST_FRAMES = 24
WIDEST_SHEET = 2048
"""Pixels across a sheet of frames; every browser can decode more."""


@dataclass(frozen=True)
class MovingPicture:
    """The frames of one event on a single picture, row by row.

    Attributes:
        address: the picture, as an address that holds it whole.
        columns: frames in a row.
    """

    address: str
    columns: int


@dataclass(frozen=True)
class TrackView:
    """How the track lies in its pictures.

    Attributes:
        columns, rows: cells.
        left, length, width: the left edge of the first cell and the extent of all of them, in m.
        outline: SVG path around the material; one unit a cell, the top row first.
    """

    columns: int
    rows: int
    left: float
    length: float
    width: float
    outline: str

    @classmethod
    def of(cls, history: xr.Dataset) -> TrackView:
        """The view that all maps of a characterisation share: they show the same device."""
        x, y = history["x"].values, history["y"].values
        dx = float(x[1] - x[0]) if len(x) > 1 else float(2 * x[0])
        dy = float(y[1] - y[0]) if len(y) > 1 else dx
        cells = _picture_rows(maps_of(history)[-1, 0]) != EMPTY
        return cls(len(x), len(y), float(x[0]) - dx / 2, len(x) * dx, len(y) * dy, outline_path(cells))


def maps_of(history: xr.Dataset) -> Int8[np.ndarray, "time state x y"]:
    """All maps, with their axes in the order that this module expects."""
    maps: Int8[np.ndarray, "time state x y"] = history["perpendicular"].transpose("time", "state", "x", "y").values
    return maps


def still(cells: Int8[np.ndarray, "x y"]) -> str:
    """One map as a picture, as an address that holds it whole."""
    return data_address(indexed_png(_colours(_picture_rows(cells), STILL_SHADES), palette(STILL_SHADES)))


def moving(maps: Int8[np.ndarray, "time x y"]) -> MovingPicture:
    """Maps one after the other on one sheet."""
    frames, width = len(maps), maps.shape[1]
    columns = max(1, min(frames, WIDEST_SHEET // width))
    colours = [_colours(_picture_rows(cells), MOVING_SHADES) for cells in maps]
    blank = np.zeros_like(colours[0])
    colours += [blank] * (-frames % columns)
    rows = [np.hstack(colours[start : start + columns]) for start in range(0, len(colours), columns)]
    return MovingPicture(data_address(indexed_png(np.vstack(rows), palette(MOVING_SHADES))), columns)


def frames_to_show(times: int, pictures: int, cells: int) -> list[int]:
    """Numbers of the frames that fit on the page, evenly chosen, the first and the last among them.

    Args:
        times: how many there are.
        pictures: how many moving pictures.
        cells: of one frame.
    """
    room = max(LEAST_FRAMES, CELLS_IN_MOTION // (pictures * cells))
    chosen = np.round(np.linspace(0, times - 1, min(times, room))).astype(int)
    return [int(number) for number in chosen]


def palette(shades: int) -> UInt8[np.ndarray, "colour 4"]:
    """No colour at all first, then the shades from m_z = −1 to 1."""
    place = np.linspace(-1.0, 1.0, shades)
    colours = np.zeros((1 + shades, 4))
    for channel in range(3):
        colours[1:, channel] = np.interp(place, (-1, 0, 1), (DOWN[channel], WALL[channel], UP[channel]))
    colours[1:, 3] = 255
    return np.round(colours).astype(np.uint8)


def wall_of(maps: Int8[np.ndarray, "time x y"], view: TrackView) -> Float[np.ndarray, " time"]:
    """Where the wall is in each map, in m: the zero of m_z averaged over the width; NaN without just one wall."""
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
        # Where a stretch begins and ends: the steps of the row of borders between two zeros.
        for line, row in enumerate(borders):
            steps = np.flatnonzero(np.diff(np.concatenate(([0], row.astype(np.int8), [0]))))
            for start, stop in zip(steps[::2] - 1, steps[1::2] - 1, strict=True):
                place = f"{start} {line}" if direction == "h" else f"{line} {start}"
                parts.append(f"M{place}{direction}{stop - start}")
    return "".join(parts)


def _picture_rows(cells: Int8[np.ndarray, "x y"]) -> Int8[np.ndarray, "row column"]:
    """A picture begins with its top row, where y is greatest."""
    return cells.T[::-1]


def _colours(values: Int8[np.ndarray, "row column"], shades: int) -> UInt8[np.ndarray, "row column"]:
    share = np.clip((values.astype(np.float64) / FULL + 1) / 2, 0.0, 1.0)
    return np.where(values == EMPTY, 0, 1 + np.round(share * (shades - 1))).astype(np.uint8)
