"""Text of a table in whatever encoding it was saved."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import NamedTuple

from barkhausen.core.errors import InputError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", ""),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
"""Byte-order marks, the longer before those they begin with, with the codec and what to tell the user."""

FORMATS = (
    (b"\xd0\xcf\x11\xe0", "an Excel file of before 2007 (.xls)"),
    (b"%PDF", "a PDF file"),
    (b"\x89HDF", "an HDF5 or NetCDF file"),
    (b"\x89PNG", "a picture"),
    (b"{\\rtf", "an RTF file"),
)
"""First bytes of files that are no tables, and what they are."""


class Text(NamedTuple):
    """Decoded text, and the name of its encoding where that is not the usual UTF-8."""

    text: str
    encoding: str


def decoded(content: bytes, path: Path) -> Text:
    """Text of a file: UTF-8, UTF-16 or UTF-32 by their marks, else Windows-1252 (of which Latin-1 is a part).

    Raises:
        InputError: The file holds no text; the message says what it is.
    """
    for start, what in FORMATS:
        if content.startswith(start):
            raise InputError(f"{path}: is {what}; save the table as CSV or .xlsx")
    codec, name = next(((codec, name) for mark, codec, name in MARKS if content.startswith(mark)), ("utf-8", ""))
    if codec == "utf-8" and (unmarked := _utf16_without_mark(content)):
        codec, name = unmarked, "UTF-16"
    try:
        text = content.decode(codec)
    except UnicodeDecodeError:
        if codec != "utf-8":
            raise InputError(f"{path}: begins as {name or 'UTF-8'} text but cannot be read as such") from None
        text, name = _western(content), "Windows-1252 (Latin-1)"
    if "\0" in text:
        raise InputError(f"{path}: holds NUL characters, so it is no text table; save the table as CSV or .xlsx")
    return Text(text, name)


def _utf16_without_mark(content: bytes) -> str | None:
    """Codec of UTF-16 text that lacks its mark: every second byte of ASCII text is zero."""
    head = content[:200]
    if len(head) < 8 or len(content) % 2:
        return None
    for start, codec in ((1, "utf-16-le"), (0, "utf-16-be")):
        if not any(head[start::2]) and all(head[1 - start :: 2]):
            return codec
    return None


def _western(content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1")
