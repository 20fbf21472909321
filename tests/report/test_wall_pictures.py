"""Pictures of walls: the colours, the edges, and the place of the wall that the maps hold."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest

from barkhausen.report.device import wall_pictures as pictures
from barkhausen.report.device.png import indexed_png
from made_up_characterisation import COLUMNS, ROWS, made_up


def test_pictures_hold_what_the_maps_say() -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow reads the picture")
    history = made_up(2, 1, 1, noise=0.0).history
    maps = pictures.maps_of(history)
    picture = image.open(io.BytesIO(base64.b64decode(pictures.still(maps[-1, 0]).partition(",")[2]))).convert("RGBA")
    pixels = np.asarray(picture)
    assert pixels.shape == (ROWS, COLUMNS, 4)
    assert tuple(pixels[ROWS // 2, 0]) == (*pictures.UP, 255)
    assert tuple(pixels[ROWS // 2, -1]) == (*pictures.DOWN, 255)
    assert ((pixels[..., 3] == 0) == (maps[-1, 0].T[::-1] == -128)).all()
    motion = pictures.moving(maps[:, 0])
    sheet = np.asarray(image.open(io.BytesIO(base64.b64decode(motion.address.partition(",")[2]))).convert("RGBA"))
    last = len(maps) - 1
    row, column = divmod(last, motion.columns)
    frame = sheet[ROWS * row : ROWS * (row + 1), COLUMNS * column : COLUMNS * (column + 1)]
    assert np.abs(frame.astype(int) - pixels).max() < 12


def test_outline_runs_along_the_borders_of_the_cells() -> None:
    cells = np.array([[True, True, False], [True, False, False]])
    assert set(re.findall(r"M[^M]+", pictures.outline_path(cells))) == {
        "M0 0h2", "M1 1h1", "M0 2h1", "M0 0v2", "M1 1v1", "M2 0v1",
    }  # fmt: skip


def test_a_picture_of_one_colour_is_a_png() -> None:
    png = indexed_png(np.zeros((2, 3), dtype=np.uint8), np.zeros((1, 4), dtype=np.uint8))
    assert png.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x03\x00\x00\x00\x02\x08\x03")


def test_frames_are_thinned_out_but_begin_and_end() -> None:
    assert pictures.frames_to_show(3, 5, 2304) == [0, 1, 2]
    chosen = pictures.frames_to_show(1000, 9, 2304)
    assert (chosen[0], chosen[-1]) == (0, 999)
    assert len(chosen) * 9 * 2304 <= pictures.CELLS_IN_MOTION
    assert len(pictures.frames_to_show(1000, 16, 10**6)) == pictures.LEAST_FRAMES


def test_wall_in_the_pictures_is_where_the_history_says() -> None:
    history = made_up(3, 1, 1).history
    view = pictures.TrackView.of(history)
    for state in range(3):
        found = pictures.wall_of(pictures.maps_of(history)[:, state], view)
        np.testing.assert_allclose(found, history["wall_position"][:, state, 0, 0], atol=0.5e-9)
