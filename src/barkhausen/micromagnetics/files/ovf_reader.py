"""Reader of OVF 1.0 and 2.0 (OOMMF User's Guide, appendix on the OVF format).

Text is ASCII; field names ignore case and spaces; lines end with LF or CRLF. Binary values are big-endian in 1.0 and
little-endian in 2.0, which a known value before them confirms. Nothing that is read is executed, and no array is made
before its size has been compared with that of the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError, shortened
from barkhausen.core.files.reading import read_bytes
from barkhausen.core.limits import check_memory
from barkhausen.micromagnetics.files.ovf_data import OvfData, OvfMesh

CHECK_VALUES = {4: 1234567.0, 8: 123456789012345.0}
"""Value before binary data, by the bytes of a number."""

METRES = {
    "m": 1.0, "": 1.0, "unspecified": 1.0, "1": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "µm": 1e-6, "micron": 1e-6,
    "nm": 1e-9, "angstrom": 1e-10, "å": 1e-10, "pm": 1e-12,
}  # fmt: skip
"""Units of length that meshes are given in, in m."""

SECONDS = {"": 1.0, "s": 1.0, "sec": 1.0, "seconds": 1.0, "ns": 1e-9, "ps": 1e-12, "fs": 1e-15}

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
TIME = re.compile(rf"total\s+simulation\s+time\s*:\s*({NUMBER})\s*([a-z]*)", re.IGNORECASE)

LONGEST_HEADER = 1 << 20
"""Bytes of a header beyond which a file is no OVF."""

MOST_COMPONENTS = 1000

MOST_CELLS = 1e12
"""Cells along an axis beyond which a number is a mistake."""


class MalformedError(Exception):
    """Fault of a file, for the message about it."""


@dataclass
class _Header:
    """Fields of a segment by their names in lower case without spaces; repeated ones are the lines of a text."""

    version: int
    fields: dict[str, str] = field(default_factory=dict)
    description: list[str] = field(default_factory=list)

    def number(self, name: str, default: float | None = None) -> float:
        text = self.fields.get(name)
        if text is None:
            if default is None:
                raise MalformedError(f"the header has no {name}")
            return default
        if re.fullmatch(NUMBER, text) is None:
            raise MalformedError(f"{name} = {shortened(text)!r} is no number")
        return float(text)

    def count(self, name: str, default: int | None = None) -> int:
        value = self.number(name, None if default is None else float(default))
        if value > MOST_CELLS:
            raise MalformedError(f"{name} = {self.fields[name]}: no file has as many")
        if not (value == int(value) and value >= 1):
            raise MalformedError(f"{name} = {self.fields[name]}: must be a whole number, 1 or more")
        return int(value)

    def names(self, name: str) -> tuple[str, ...]:
        """Words of a list, of which those with spaces stand in braces or quotation marks."""
        words = re.findall(r'\{([^}]*)\}|"([^"]*)"|(\S+)', self.fields.get(name, ""))
        return tuple("".join(word) for word in words)


@checks_arguments()
def load_ovf(path: str | Path, *, segment: int = 0) -> OvfData:
    """Read everything in one segment of an OVF file: any number of components and layers, in text or binary.

    Args:
        path: File of OVF 1.0 or 2.0 with a rectangular mesh.
        segment: Number of the segment, for files with several.

    Raises:
        InputError: The file is missing or too large, is not OVF, or has no such segment.
    """
    path = Path(path)
    content = read_bytes(path, binary=True)
    try:
        return _Reader(content).segment(segment)
    except MalformedError as fault:
        raise InputError(f"{path}: cannot be read as OVF ({fault})") from None
    except InputError as fault:
        raise InputError(f"{path}: {fault}") from None


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = 0
        first = self._line()
        if first is None or not first.startswith("#"):
            raise MalformedError("it does not begin with '# OOMMF'")
        words = first.strip("# ").lower().replace(":", " ").split()
        if words[:1] != ["oommf"]:
            raise MalformedError("it does not begin with '# OOMMF'")
        if words[1:3] == ["ovf", "2.0"]:
            self.version = 2
        elif words[-1] in {"v1.0", "v1", "1.0"}:
            self.version = 1
        else:
            raise MalformedError(f"'{shortened(first)}' is neither version 1.0 nor 2.0")

    def segment(self, number: int) -> OvfData:
        """Segment of that number; those before it are passed over."""
        if number < 0:
            raise InputError(f"segment = {number}: must be 0 or more")
        for k in range(number + 1):
            header = self._header(k)
            kind = self._begin_of_data()
            mesh, components = _mesh(header), _components(header)
            values = self._values(kind, mesh, components)
        return _data(header, mesh, values)

    def _line(self) -> str | None:
        """Next line without its end; None at the end of the file."""
        if self.place >= len(self.content):
            return None
        end = self.content.find(b"\n", self.place, self.place + LONGEST_HEADER)
        if end < 0:
            if len(self.content) - self.place > LONGEST_HEADER:
                raise MalformedError("a line of the header has no end")
            end = len(self.content)
        line = self.content[self.place : end]
        self.place = end + 1
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def _entry(self) -> tuple[str, str] | None:
        """Next field of the header: its name in lower case without spaces, and its value; None at the end."""
        while (line := self._line()) is not None:
            if not line.strip():
                continue
            if not line.startswith("#"):
                raise MalformedError(f"a line of the header does not begin with '#': {shortened(line.strip())!r}")
            text = line[1:].split("##", 1)[0].strip()
            if text.startswith("#") or not text:
                continue
            name, _, value = text.partition(":")
            return re.sub(r"\s", "", name).lower(), value.strip()
        return None

    def _header(self, number: int) -> _Header:
        header, inside, start = _Header(self.version), False, self.place
        while (entry := self._entry()) is not None:
            name, value = entry
            if self.place - start > LONGEST_HEADER:
                raise MalformedError("the header has no end")
            mark = re.sub(r"\s", "", value).lower()
            if (name, mark) == ("begin", "header"):
                inside = True
            elif (name, mark) == ("end", "header"):
                return header
            elif name == "begin" and mark.startswith("data"):
                raise MalformedError("data without a header")
            elif inside and name == "desc":
                header.description.append(value)
            elif inside and name not in {"begin", "end"}:
                header.fields[name] = value
        raise MalformedError(f"there is no segment {number}" if number else "it ends within the header")

    def _begin_of_data(self) -> str:
        entry = self._entry()
        if entry is None:
            raise MalformedError("it ends before the data")
        name, value = entry
        words = value.lower().split()
        if name != "begin" or words[:1] != ["data"]:
            raise MalformedError("no data follow the header")
        return " ".join(words[1:])

    def _values(self, kind: str, mesh: OvfMesh, components: int) -> npt.NDArray[np.float64]:
        """Values ``[component, nx, ny, nz]``; x runs fastest in the file."""
        nx, ny, nz = mesh.nodes
        count = nx * ny * nz * components
        if kind in {"binary 4", "binary 8"}:
            flat = self._binary(int(kind[-1]), count)
        elif kind in {"text", "csv"}:
            flat = self._text(count)
        else:
            raise MalformedError(f"data '{shortened(kind)}' are none of Text, Binary 4 and Binary 8")
        if not np.isfinite(flat).all():
            raise MalformedError("not all values are finite")
        end = self._entry()
        if end is None or end[0] != "end" or not end[1].lower().startswith("data"):
            raise MalformedError("the data do not end where the mesh does")
        return np.ascontiguousarray(flat.reshape(nz, ny, nx, components).transpose(3, 2, 1, 0))

    def _binary(self, size: int, count: int) -> npt.NDArray[np.float64]:
        start, stop = self.place + size, self.place + size * (count + 1)
        if stop > len(self.content):
            there = max(0, len(self.content) - start) // size
            raise MalformedError(f"it ends within the data: {there} of {count} values")
        check_memory(24.0 * count, f"{count} values")
        orders = (">", "<") if self.version == 1 else ("<", ">")
        for order in orders:
            number = np.dtype(f"{order}f{size}")
            if np.frombuffer(self.content, number, 1, self.place)[0] == CHECK_VALUES[size]:
                values = np.frombuffer(self.content, number, count, start).astype(np.float64)
                self.place = stop
                return values
        raise MalformedError(f"the check value before the binary data is not {CHECK_VALUES[size]:.0f}")

    def _text(self, count: int) -> npt.NDArray[np.float64]:
        end = re.compile(rb"^[ \t]*#+[ \t]*end[ \t]*:", re.IGNORECASE | re.MULTILINE).search(self.content, self.place)
        if end is None:
            raise MalformedError("the data have no end")
        body = self.content[self.place : end.start()]
        # A value takes two bytes at least.
        if 2 * count > len(body) + 1:
            raise MalformedError(f"it has fewer than {count} values")
        check_memory(40.0 * len(body), f"{len(body)} bytes of text")
        body = re.sub(rb"#[^\n]*", b"", body).replace(b",", b" ")
        words = body.split()
        if len(words) != count:
            raise MalformedError(f"it has {len(words)} values, not the {count} of its mesh")
        try:
            values = np.array([float(word) for word in words], dtype=np.float64)
        except ValueError as error:
            raise MalformedError(shortened(str(error))) from None
        self.place = end.start()
        return values


def _mesh(header: _Header) -> OvfMesh:
    kind = header.fields.get("meshtype", "rectangular").lower()
    if kind != "rectangular":
        raise MalformedError(f"its mesh is {shortened(kind)}; only rectangular ones are read")
    unit = header.fields.get("meshunit", "").strip().lower()
    if unit not in METRES:
        raise MalformedError(f"meshunit = {shortened(unit)!r} is none of {', '.join(u for u in METRES if u)}")
    nodes = tuple(header.count(f"{axis}nodes") for axis in "xyz")
    step, base = [], []
    for axis, number in zip("xyz", nodes, strict=True):
        low, high = header.number(f"{axis}min", 0.0), header.number(f"{axis}max", 0.0)
        size = header.number(f"{axis}stepsize", (high - low) / number)
        # A single layer may be given without thickness, of which the bounds know better.
        size = (high - low) / number if size == 0 else size
        step.append(abs(size) * METRES[unit])
        base.append(header.number(f"{axis}base", low + size / 2) * METRES[unit])
    try:
        return OvfMesh((nodes[0], nodes[1], nodes[2]), (step[0], step[1], step[2]), (base[0], base[1], base[2]))
    except InputError as fault:
        raise MalformedError(str(fault)) from None


def _components(header: _Header) -> int:
    if header.version == 1:
        return 3
    components = header.count("valuedim")
    if components > MOST_COMPONENTS:
        raise MalformedError(f"valuedim = {components}: the most is {MOST_COMPONENTS}")
    return components


def _data(header: _Header, mesh: OvfMesh, values: npt.NDArray[np.float64]) -> OvfData:
    units = header.names("valueunits")
    if header.version == 1:
        values = values * header.number("valuemultiplier", 1.0)
        if not np.isfinite(values).all():
            raise MalformedError("not all values are finite")
        units = (header.fields.get("valueunit", ""),) * 3
    time = None
    for line in (*header.description, header.fields.get("title", "")):
        match = TIME.search(line)
        if match is not None and match.group(2).lower() in SECONDS:
            time = float(match.group(1)) * SECONDS[match.group(2).lower()]
    return OvfData(
        values, mesh, time, header.fields.get("title", ""), tuple(header.description), header.names("valuelabels"),
        units, header.version,
    )  # fmt: skip
