"""Mutations of bytes, text, nested values, tables and NetCDF data sets: what damage and mistakes make of files."""

from __future__ import annotations

import copy
import datetime
import random
import string
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr

VALUES: tuple[Any, ...] = (
    0, 1, -1, 2, 3, 7, 255, 256, 65536, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**10, 10**30, -(10**18), 0.0, -0.0, 0.1,
    0.5, 1.0, -1.5, 1e-30, 1e-9, 1e9, 1e30, 1e308, -1e308, 5e-324, float("nan"), float("inf"), -float("inf"), True,
    False, "", " ", "a", "mnist", "digits", "auto", "a\0b", "\x7f", "\u202e", "ß€", "../..", "/dev/zero", "/dev/null",
    "/", ".", "x" * 300, "x" * 5000, "1e400", "nan", "None", "0x10", [], [0], [1, 2], [0.1, "a"], [[]], [[1.0], [2.0]],
    [float("nan")], [1000000000], [10**9] * 3, {}, {"a": 1}, {"low": 0, "high": 1}, {"low": 1, "high": 0},
    datetime.date(1979, 5, 27), datetime.datetime(1979, 5, 27, 7, 32), datetime.time(7, 32), ["a", "a"], [True, 1],
    "gaussian", "in-situ", "ex-situ", "float", "cuda", "mlp", "cnn", "autoencoder", "random", "device", "first",
)  # fmt: skip
"""Values that somebody might write, by mistake or to see what happens."""

INTEGERS = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    2**40,
    2**63,
    2**64 - 1,
)


def of_bytes(chance: random.Random, content: bytes, other: bytes = b"") -> bytes:
    """A few damages: flipped bits, changed numbers, parts that are missing, repeated, moved or of another file."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6, 16))):
        _damage(chance, data, other)
    return bytes(data)


def _damage(chance: random.Random, data: bytearray, other: bytes) -> None:
    place = chance.randrange(len(data) + 1)
    length = min(chance.choice((1, 2, 4, 8, 64, 512, 4096)), max(len(data) - place, 0))
    kind = chance.randrange(10)
    if kind <= 2 and place < len(data):
        data[place] ^= 1 << chance.randrange(8)
    elif kind == 3 and place < len(data):
        data[place] = chance.choice((0, 255, 0x2D, chance.randrange(256)))
    elif kind == 4:
        size, code = chance.choice(((1, "B"), (2, "H"), (4, "I"), (8, "Q")))
        number = chance.choice(INTEGERS) % (1 << 8 * size)
        data[place : place + size] = struct.pack(chance.choice("<>") + code, number)
    elif kind == 5:
        del data[place : place + length]
    elif kind == 6:
        data[place:place] = data[place : place + length] * chance.choice((1, 1, 2, 50))
    elif kind == 7:
        data[place : place + length] = chance.choice((b"\0", b"\xff", b" ", b"9")) * length
    elif kind == 8 and other:
        start = chance.randrange(len(other))
        data[place : place + length] = other[start : start + max(length, 1)]
    elif kind == 9 and chance.random() < 0.5:
        del data[place:]
    else:
        data[place:place] = chance.randbytes(chance.choice((1, 4, 100)))


def of_text(chance: random.Random, text: str) -> str:
    """Lines and words that are missing, repeated, exchanged or replaced."""
    lines = text.splitlines()
    for _ in range(chance.choice((1, 1, 2, 4))):
        if not lines:
            break
        place = chance.randrange(len(lines))
        match chance.randrange(7):
            case 0:
                del lines[place]
            case 1:
                lines.insert(place, lines[place])
            case 2:
                other = chance.randrange(len(lines))
                lines[place], lines[other] = lines[other], lines[place]
            case 3 | 4:
                words = lines[place].split(" ")
                words[chance.randrange(len(words))] = str(chance.choice(VALUES))[:200]
                lines[place] = " ".join(words)
            case 5:
                at = chance.randrange(len(lines[place]) + 1)
                sign = chance.choice([*string.punctuation, "\t", "\0", "é", "−", "\u2028", "\r", "\n", "9" * 30])
                lines[place] = lines[place][:at] + sign + lines[place][at:]
            case 6:
                lines[place] = lines[place][: chance.randrange(len(lines[place]) + 1)]
    return "\n".join(lines) + chance.choice(("\n", "\n", "", "\n\n\0"))


def of_tree(chance: random.Random, tree: Any, keys: Sequence[str] = ()) -> Any:
    """Nested dictionaries and lists with some values replaced, removed, added or moved.

    Args:
        chance: Source of randomness.
        tree: Values, left unchanged.
        keys: Dotted keys that may be added.
    """
    tree = copy.deepcopy(tree)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        if keys and isinstance(tree, dict) and chance.random() < 0.4:
            _put(tree, chance.choice(keys).split("."), copy.deepcopy(_value(chance)))
        else:
            _change(chance, tree)
    return tree


def _value(chance: random.Random) -> Any:
    return chance.choice(VALUES) if chance.random() < 0.8 else chance.choice((1, -1)) * 10 ** chance.uniform(-15, 15)


def _put(tree: dict[str, Any], parts: Sequence[str], value: Any) -> None:
    *tables, last = parts
    for table in tables:
        inner = tree.setdefault(table, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree[last] = value


def _change(chance: random.Random, tree: Any) -> None:
    places: list[tuple[Any, Any]] = []
    _collect(tree, places)
    if not places:
        return
    holder, key = chance.choice(places)
    old = holder[key]
    match chance.randrange(8):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[f"{key}{chance.choice(('', 's', '_', ' ', '.x'))}x"] = holder.pop(key)
        case 2 if isinstance(holder, list):
            holder.insert(key, copy.deepcopy(old))
        case 3 if isinstance(old, int | float) and not isinstance(old, bool):
            holder[key] = old * chance.choice((-1, 0, 2, 10, 1000, 1e9, 1e-9, 0.999)) + chance.choice((0, 0, 1))
        case 4:
            holder[key] = [old]
        case 5:
            holder[key] = str(old)
        case _:
            holder[key] = copy.deepcopy(_value(chance))


def _collect(tree: Any, places: list[tuple[Any, Any]]) -> None:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        places.append((tree, key))
        _collect(value, places)


CELLS = ("", " ", "nan", "NaN", "n/a", "-", "inf", "1e400", "-1", "0", "1,5", "1.5e-7", "abc", '"', "'", "=1+1", "7\0",
         "é", "12e9", "1_000", "٣", "0x1F", "1.2.3", "#REF!", "x" * 5000, "9" * 400)  # fmt: skip


def of_table(chance: random.Random, rows: list[list[str]], separator: str) -> bytes:
    """Rows of cells, some of them spoilt, as text in some encoding with some separator."""
    rows = [list(row) for row in rows]
    for _ in range(chance.choice((1, 1, 2, 4, 10))):
        place = chance.randrange(len(rows)) if rows and chance.random() < 0.8 else 0
        if not rows or not rows[place]:
            break
        column = chance.randrange(len(rows[place]))
        match chance.randrange(8):
            case 0 | 1 | 2 | 3:
                rows[place][column] = chance.choice(CELLS)
            case 4:
                del rows[place][column]
            case 5:
                rows[place].insert(column, chance.choice(CELLS))
            case 6:
                rows.insert(place, list(rows[place]))
            case 7:
                del rows[place]
    if chance.random() < 0.1:
        column = chance.randrange(8)
        rows = [row[:column] + row[column + 1 :] for row in rows]
    separator = chance.choice((separator, separator, separator, ";", "\t", ",", "|", " "))
    text = chance.choice(("\n", "\n", "\r\n", "\r")).join(separator.join(row) for row in rows)
    if chance.random() < 0.1:
        text = text.replace(".", ",")
    encoding = chance.choice(
        ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252", "utf-32")
    )
    content = text.encode(encoding, "replace")
    return of_bytes(chance, content) if chance.random() < 0.2 else content


def of_dataset(chance: random.Random, data: xr.Dataset) -> xr.Dataset:
    """A NetCDF data set with variables, dimensions, values or attributes changed."""
    data = data.copy(deep=True)
    for _ in range(chance.choice((1, 1, 2, 3))):
        names = list(data.variables)
        if not names:
            break
        name = chance.choice(names)
        holder = chance.choice((data, data, data[name]))
        match chance.randrange(9):
            case 0:
                data = data.drop_vars(name)
            case 1:
                data = data.rename({name: f"{name}x"})
            case 2 | 3:
                _spoil(chance, data, name)
            case 4 if data.dims:
                dimension = chance.choice(list(data.dims))
                data = data.isel({dimension: slice(chance.choice((0, 1, 2)))})
            case 5 if data.dims:
                dimension = str(chance.choice(list(data.dims)))
                data = data.rename({dimension: f"{dimension}x"})
            case 6 if holder.attrs:
                del holder.attrs[chance.choice(list(holder.attrs))]
            case 7 if holder.attrs:
                key = chance.choice(list(holder.attrs))
                value = _attribute(chance, holder.attrs[key])
                if value is not None:
                    holder.attrs[key] = value
            case 8:
                data[name] = (
                    data[name].astype(chance.choice(("f4", "f8", "i4", "i8", "U8", "?")), casting="unsafe")
                    if data[name].dtype.kind in "fiu"
                    else data[name]
                )
    return data


def _attribute(chance: random.Random, value: Any) -> Any:
    if isinstance(value, str) and chance.random() < 0.6:
        return of_text(chance, value)
    new = _value(chance)
    return new if isinstance(new, str | int | float) and not (isinstance(new, int) and abs(new) >= 2**63) else None


def _spoil(chance: random.Random, data: xr.Dataset, name: Any) -> None:
    values = data[name].values.copy()
    if values.dtype.kind not in "fiu" or not values.size:
        return
    number = chance.choice((0, -1, 1e-30, 1e30, 1, np.nan, np.inf, 2.5, 127))
    where = ... if chance.random() < 0.3 else np.unravel_index(chance.randrange(values.size), values.shape)
    with np.errstate(all="ignore"):
        values[where] = number if values.dtype.kind == "f" else int(np.nan_to_num(number, posinf=99)) % 128
    data[name] = (data[name].dims, values, data[name].attrs)


Mutation = Callable[[random.Random, bytes], bytes]
