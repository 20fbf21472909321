"""Writer of OVF 1.0 and 2.0."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.core.files import atomic_path
from barkhausen.micromagnetics.files.ovf_data import OvfData
from barkhausen.micromagnetics.files.ovf_reader import CHECK_VALUES

Representation = Literal["binary 8", "binary 4", "text"]


def save_ovf(path: str | Path, data: OvfData, *, representation: Representation = "binary 8") -> None:
    """Write values on a mesh as OVF of ``data.version``, atomically.

    Args:
        path: File to write.
        data: Values, mesh and description. A time is written as ``Desc: Total simulation time``, as mumax3 does.
        representation: ``binary 8`` (exact), ``binary 4`` or ``text`` (17 digits, exact).

    Raises:
        InputError: Another representation or version, not three components in version 1, values that are not finite,
            or a file that cannot be written.
    """
    if representation not in get_args(Representation):
        known = get_args(Representation)
        raise InputError(f"representation = {representation!r}: must be {', '.join(known)}"
                         f"{did_you_mean(str(representation), known)}")  # fmt: skip
    if not isinstance(data, OvfData):
        raise InputError(f"data: {type(data).__name__} is not an OvfData")
    if data.version not in (1, 2):
        raise InputError(f"version = {data.version}: must be 1 or 2")
    if data.version == 1 and data.components != 3:
        raise InputError(f"version = 1: holds three components, not {data.components}")
    if not np.isfinite(data.values).all():
        raise InputError("ovf: not all values are finite")
    kind = "Text" if representation == "text" else representation.capitalize()
    head = "".join(f"# {line}\n" for line in [*_header(data), f"Begin: Data {kind}"])
    tail = "".join(f"# {line}\n" for line in (f"End: Data {kind}", "End: Segment"))
    rows = data.values.transpose(3, 2, 1, 0).reshape(-1, data.components)
    with atomic_path(Path(path)) as temporary, temporary.open("wb") as file:
        file.write(head.encode("utf-8"))
        if representation == "text":
            np.savetxt(file, rows, fmt="%.17g", newline="\n")
        else:
            size = int(representation[-1])
            number = np.dtype(f"{'>' if data.version == 1 else '<'}f{size}")
            file.write(np.array(CHECK_VALUES[size], dtype=number).tobytes())
            file.write(rows.astype(number).tobytes())
            file.write(b"\n")
        file.write(tail.encode("utf-8"))


def _header(data: OvfData) -> list[str]:
    lines = ["OOMMF OVF 2.0" if data.version == 2 else "OOMMF: rectangular mesh v1.0"]
    lines += ["Segment count: 1", "Begin: Segment", "Begin: Header", f"Title: {_one_line(data.title)}"]
    lines += [f"Desc: {_one_line(line)}" for line in data.description if "total simulation time" not in line.lower()]
    if data.time is not None:
        if not math.isfinite(data.time):
            raise InputError(f"time = {data.time}: must be a finite time in s")
        lines.append(f"Desc: Total simulation time: {data.time!r} s")
    lines += ["meshtype: rectangular", "meshunit: m"]
    mesh = data.mesh
    for end, half in (("min", -0.5), ("max", 0.5)):
        for axis, base, step, nodes in zip("xyz", mesh.base, mesh.step, mesh.nodes, strict=True):
            # The middle of the first or of the last cell, and half a cell more.
            first = base + step * (0 if end == "min" else nodes - 1)
            lines.append(f"{axis}{end}: {_number(first + half * step, step)}")
    for name, numbers in (("base", mesh.base), ("nodes", mesh.nodes), ("stepsize", mesh.step)):
        lines += [f"{axis}{name}: {number!r}" for axis, number in zip("xyz", numbers, strict=True)]
    if data.version == 2:
        labels = data.labels or tuple(f"v_{k}" for k in range(data.components))
        units = data.units or ("1",) * data.components
        if len(labels) != data.components or len(units) not in (1, data.components):
            raise InputError(f"ovf: {len(labels)} labels and {len(units)} units for {data.components} components")
        lines.append(f"valuedim: {data.components}")
        lines.append(f"valuelabels: {' '.join(map(_word, labels))}")
        lines.append(f"valueunits: {' '.join(map(_word, units))}")
    else:
        norm = np.linalg.norm(data.values, axis=0)
        present = norm[norm > 0]
        lines += [f"valueunit: {_one_line(data.units[0]) if data.units else '1'}", "valuemultiplier: 1"]
        lines += [f"ValueRangeMinMag: {float(present.min()) if present.size else 0.0!r}"]
        lines += [f"ValueRangeMaxMag: {float(norm.max())!r}"]
    return [*lines, "End: Header"]


def _number(value: float, step: float) -> str:
    """A coordinate without the rounding error of a difference: 0 and not 1e-25."""
    return "0" if abs(value) < 1e-9 * step else f"{value:.15g}"


def _word(text: str) -> str:
    text = _one_line(text).replace("{", "(").replace("}", ")")
    return f"{{{text}}}" if not text or " " in text else text


def _one_line(text: str) -> str:
    return " ".join(text.replace("##", "#").split())
