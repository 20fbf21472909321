"""Minimal writer of PNG pictures with a palette, so that pages need no imaging library."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from jaxtyping import UInt8

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BIT_DEPTH, INDEXED = 8, 3


def indexed_png(pixels: UInt8[np.ndarray, "row column"], palette: UInt8[np.ndarray, "colour 4"]) -> bytes:
    """PNG picture whose pixels are indices into a palette.

    Args:
        pixels: Palette indices, the top row first.
        palette: Red, green, blue and opacity of each colour; at most 256 colours.
    """
    height, width = pixels.shape
    # Each row begins with the number of its filter; palette indices compress best without a filter (0).
    rows = np.zeros((height, 1 + width), dtype=np.uint8)
    rows[:, 1:] = pixels
    return SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, BIT_DEPTH, INDEXED, 0, 0, 0)),
            _chunk(b"PLTE", palette[:, :3].tobytes()),
            _chunk(b"tRNS", palette[:, 3].tobytes()),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            _chunk(b"IEND", b""),
        )
    )


def data_address(png: bytes) -> str:
    """The picture as a data URL."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
