"""Files for ParaView, parsed by XML and base64 alone."""

from __future__ import annotations

import base64
import math
import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import Film, Grid, disc, material, random_state, shape_film, uniform, write_vti

GRID = Grid(5, 3, 2e-9, 3e-9, 1.5e-9)
FILM = Film(GRID, material("cofeb-tantalum"))


def parsed(path: Path) -> tuple[ElementTree.Element, dict[str, np.ndarray]]:
    root = ElementTree.parse(path).getroot()
    assert root.attrib == {
        "type": "ImageData", "version": "1.0", "byte_order": "LittleEndian", "header_type": "UInt64"
    }  # fmt: skip
    arrays = {}
    for array in root.findall("ImageData/Piece/CellData/DataArray"):
        content = base64.b64decode((array.text or "").strip())
        (size,) = struct.unpack("<Q", content[:8])
        assert size == len(content) - 8
        values = np.frombuffer(content[8:], "<f8")
        arrays[array.attrib["Name"]] = values.reshape(-1, int(array.attrib["NumberOfComponents"]))
    return root, arrays


def test_image_data_hold_the_magnetisation(tmp_path: Path) -> None:
    m = random_state(FILM, 2, torch.Generator().manual_seed(0))
    write_vti(tmp_path / "m.vti", FILM, m[0], 1.5e-9, scalars={"mz": m[0, 2]})
    root, arrays = parsed(tmp_path / "m.vti")
    image = root.find("ImageData")
    assert image is not None
    assert image.attrib == {"WholeExtent": "0 5 0 3 0 1", "Origin": "0 0 0", "Spacing": "2e-09 3e-09 1.5e-09"}
    time = root.find("ImageData/FieldData/DataArray")
    assert time is not None
    assert time.attrib["Name"] == "TimeValue"
    assert float(time.text or "") == 1.5e-9
    for i in range(5):
        for j in range(3):
            assert arrays["m"][j * 5 + i].tolist() == m[0, :, i, j].tolist()
            assert arrays["mz"][j * 5 + i, 0] == m[0, 2, i, j]
    write_vti(tmp_path / "m.vti", FILM, m)  # two layers
    _, arrays = parsed(tmp_path / "m.vti")
    assert arrays["m"][15 + 5 + 2].tolist() == m[1, :, 2, 1].tolist()


def test_filled_fractions_are_those_of_the_device(tmp_path: Path) -> None:
    film = shape_film(disc(20e-9), FILM.material, devices=2, sizes=[0.8, 1.0], subcell=4e-9)
    assert film.fill is not None
    write_vti(tmp_path / "m.vti", film, uniform(film, (0, 0, 1))[0], device=1)
    _, arrays = parsed(tmp_path / "m.vti")
    assert arrays["fill"][:, 0].tolist() == film.fill[1].T.flatten().tolist()


def test_impossible_files_are_refused(tmp_path: Path) -> None:
    m = uniform(FILM, (0, 0, 1))[0]
    cases: list[tuple[dict[str, Any], str]] = [
        ({"m": m[:2]}, r"write_vti: shape \(2, 5, 3\) is not \(3, 5, 3\)"),
        ({"m": math.nan * m}, "write_vti: not all values of m are finite"),
        ({"time": math.inf}, "time = inf: must be a finite time in s"),
        ({"device": 1}, "device = 1: must be 0 to 0"),
        ({"scalars": {'a"b': m[0]}}, "write_vti: 'a\"b' is no name for values; must be letters, digits and _ . -"),
        ({"scalars": {"e": m[0, 1:]}}, r"write_vti: e of shape \(4, 3\) does not fit 1 x \(5, 3\)"),
    ]
    for changes, message in cases:
        with pytest.raises(InputError, match=f"^{message}$"):
            write_vti(tmp_path / "m.vti", FILM, **({"m": m} | changes))
    assert not list(tmp_path.iterdir())
