"""OVF 1.0 and 2.0 as the specification has them, from a writer of the test's own."""

from __future__ import annotations

import math
import struct
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    Film,
    Grid,
    OvfData,
    OvfMesh,
    from_discretisedfield,
    load_ovf,
    material,
    random_state,
    read_ovf,
    save_ovf,
    to_discretisedfield,
    write_ovf,
)
from tiny_ovf import ovf

GRID = Grid(4, 3, 2e-9, 3e-9, 1.5e-9)
FILM = Film(GRID, material("cofeb-tantalum"))
M = random_state(FILM, 1, torch.Generator().manual_seed(0))


def rows_of(m: torch.Tensor) -> list[list[float]]:
    """Rows of a file: x fastest, then y, then layers; from ``[layer, component, nx, ny]``."""
    return [m[k, :, i, j].tolist() for k in range(len(m)) for j in range(m.shape[3]) for i in range(m.shape[2])]


def put(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "m.ovf"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("data", "error"), [("Text", 0.0), ("Binary 8", 0.0), ("Binary 4", 1e-7)])
def test_both_versions_in_all_representations(version: int, data: str, error: float, tmp_path: Path) -> None:
    path = put(tmp_path, ovf(rows_of(M), (4, 3, 1), version=version, data=data))
    m = read_ovf(path, FILM)
    assert m.dtype == torch.float64
    torch.testing.assert_close(m, M, rtol=0, atol=error)
    found = load_ovf(path)
    assert (found.version, found.components, found.mesh.nodes) == (version, 3, (4, 3, 1))
    assert found.mesh.step == pytest.approx((2e-9, 3e-9, 1.5e-9))
    assert found.time is None


def test_binary_of_the_other_order_of_bytes_is_told_by_its_check_value(tmp_path: Path) -> None:
    for version, order in ((1, "<"), (2, ">")):
        path = put(tmp_path, ovf(rows_of(M), (4, 3, 1), version=version, data="Binary 8", order=order))
        assert torch.equal(read_ovf(path), M)


@pytest.mark.parametrize("data", ["Text", "Binary 4", "Binary 8"])
def test_lines_that_end_with_crlf(data: str, tmp_path: Path) -> None:
    content = ovf(rows_of(M), (4, 3, 1), data=data)
    mark = content.index(b"# Begin: Data")
    start = content.index(b"\n", mark) + 1
    stop = content.rindex(b"\n# End: Data") if data != "Text" else len(content)
    body = content[start:stop]
    body = body.replace(b"\n", b"\r\n") if data == "Text" else body
    path = put(tmp_path, content[:start].replace(b"\n", b"\r\n") + body + content[stop:].replace(b"\n", b"\r\n"))
    torch.testing.assert_close(read_ovf(path), M, rtol=0, atol=1e-7)


def test_case_and_spaces_of_the_header_do_not_matter(tmp_path: Path) -> None:
    content = ovf(rows_of(M), (4, 3, 1), extra=["## a comment", "", "Desc: two", "desc: lines"]).decode()
    for change in (str.upper, str.lower):
        assert torch.equal(read_ovf(put(tmp_path, change(content).encode())), M)
    spaced = content.replace("# xnodes: ", "#   x Nodes :\t").replace("# Begin: Data Text", "#  Begin :  Data  TEXT ")
    spaced = spaced.replace("# End: Header", "#End:Header ## the end").replace(
        "# Segment count: 1", "#\n\n# Segment Count: 1"
    )
    path = put(tmp_path, spaced.encode())
    assert torch.equal(read_ovf(path), M)
    assert load_ovf(path).description == ("two", "lines")


def test_text_with_commas_comments_and_values_on_one_line(tmp_path: Path) -> None:
    content = ovf(rows_of(M), (4, 3, 1)).decode()
    head, data = content.split("# Begin: Data Text\n")
    values, tail = data.split("# End: Data Text")
    for body in (
        values.replace("\n", " ") + "\n",
        "# note\n" + values.replace(" ", ", "),
        values.replace("\n", " ## n\n"),
    ):
        assert torch.equal(
            read_ovf(put(tmp_path, f"{head}# Begin: Data Text\n{body}# End: Data Text{tail}".encode())), M
        )


def test_units_of_the_mesh_and_values_with_a_multiplier(tmp_path: Path) -> None:
    path = put(tmp_path, ovf(rows_of(M), (4, 3, 1), step=(2, 3, 1.5), unit="nm"))
    assert torch.equal(read_ovf(path, FILM), M)
    scaled = ovf([[0.5 * v for v in row] for row in rows_of(M)], (4, 3, 1), version=1)
    path = put(tmp_path, scaled.replace(b"valuemultiplier: 1", b"valuemultiplier: 2"))
    torch.testing.assert_close(read_ovf(path), M)
    path = put(tmp_path, ovf(rows_of(M), (4, 3, 1), leave_out=["xstepsize", "xbase", "ystepsize", "ybase"]))
    assert load_ovf(path).mesh.step == pytest.approx((2e-9, 3e-9, 1.5e-9))
    assert load_ovf(path).mesh.base == pytest.approx((1e-9, 1.5e-9, 0.75e-9))


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("Desc: Total simulation time:  1e-09  s", 1e-9),
        ("desc: Stage 3, iteration 12, Total simulation time: 2.5E-9 seconds", 2.5e-9),
        ("Desc: Total simulation time: 3 ns", 3e-9),
        ("Desc: Total simulation time: soon", None),
    ],
)
def test_the_time_is_read(line: str, time: float | None, tmp_path: Path) -> None:
    found = load_ovf(put(tmp_path, ovf(rows_of(M), (4, 3, 1), extra=[line]))).time
    assert found == (None if time is None else pytest.approx(time))


@pytest.mark.parametrize("components", [1, 2, 3, 6])
def test_any_number_of_components(components: int, tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=(components, 4, 3, 2))
    rows = [list(values[:, i, j, k]) for k in range(2) for j in range(3) for i in range(4)]
    for data in ("Text", "Binary 8"):
        path = put(tmp_path, ovf(rows, (4, 3, 2), data=data))
        found = load_ovf(path)
        np.testing.assert_array_equal(found.values, values)
        assert found.labels == tuple("abcdef"[:components])
        if components != 3:
            noun = "component" if components == 1 else "components"
            with pytest.raises(InputError, match=rf"holds {components} {noun}, not the 3 of a magnetisation; load_ovf"):
                read_ovf(path)


def test_what_was_read_is_shown_without_its_values(tmp_path: Path) -> None:
    write_ovf(tmp_path / "m.ovf", FILM, M[0], 1e-9)
    shown = repr(load_ovf(tmp_path / "m.ovf"))
    nx, ny = FILM.grid.shape
    assert shown.startswith("OvfData(3 components (")
    assert f", {nx} x {ny} x 1 cells of " in shown
    assert ", t = 1e-09 s, " in shown
    assert len(shown) < 200


def test_layers(tmp_path: Path) -> None:
    layers = random_state(FILM, 3, torch.Generator().manual_seed(2))
    for version in (1, 2):
        path = put(tmp_path, ovf(rows_of(layers), (4, 3, 3), version=version, data="Binary 8"))
        with pytest.raises(InputError, match=r"m\.ovf: holds 3 layers; layer = 0 to 2 chooses one, layer = 'all' all$"):
            read_ovf(path)
        assert torch.equal(read_ovf(path, FILM, layer="all"), layers)
        assert torch.equal(read_ovf(path, FILM, layer=1), layers[1:2])
    with pytest.raises(InputError, match=r"^layer = 3: .* has the layers 0 to 2$"):
        read_ovf(path, layer=3)


def test_segments(tmp_path: Path) -> None:
    second = random_state(FILM, 1, torch.Generator().manual_seed(5))
    for data in ("Text", "Binary 8"):
        one, two = (ovf(rows_of(m), (4, 3, 1), data=data) for m in (M, second))
        path = put(tmp_path, one + two[two.index(b"# Begin: Segment") :])
        assert torch.equal(read_ovf(path), M)
        assert torch.equal(read_ovf(path, segment=1), second)
        with pytest.raises(InputError, match=r"cannot be read as OVF \(there is no segment 2\)$"):
            read_ovf(path, segment=2)


def test_another_mesh_is_refused(tmp_path: Path) -> None:
    turned = put(tmp_path, ovf(rows_of(M), (3, 4, 1)))
    with pytest.raises(InputError, match=r"m\.ovf: is of another mesh; 3 x 4 cells are not the film's 4 x 3$"):
        read_ovf(turned, FILM)
    for step in ((2e-9, 2e-9, 1.5e-9), (2e-9, 3e-9, 3e-9)):
        path = put(tmp_path, ovf(rows_of(M), (4, 3, 1), step=step))
        sizes = " x ".join(f"{size:g}" for size in step)
        with pytest.raises(
            InputError, match=rf"another mesh; cells of {sizes} m are not the film's 2e-09 x 3e-09 x 1\.5"
        ):
            read_ovf(path, FILM)
        assert torch.equal(read_ovf(path), M)


def test_vectors_of_other_lengths_are_refused_or_normalised(tmp_path: Path) -> None:
    path = put(tmp_path, ovf(rows_of(8e5 * M), (4, 3, 1)))
    named = r"holds a magnetisation of 800000 A/m \(the film's Ms is 1e\+06\), not unit vectors; normalise"
    with pytest.raises(InputError, match=named):
        read_ovf(path, FILM)
    torch.testing.assert_close(read_ovf(path, FILM, normalise=True), M)
    uneven = M.clone()
    uneven[0, :, 1, 1] *= 0.3
    uneven[0, :, 2, 2] = 0.0
    path = put(tmp_path, ovf(rows_of(uneven), (4, 3, 1)))
    with pytest.raises(InputError, match=r"holds vectors of lengths 0\.3 to 1, not unit vectors; normalise=True makes"):
        read_ovf(path)
    made = read_ovf(path, normalise=True)
    assert not made[0, :, 2, 2].any()
    torch.testing.assert_close(made[0, :, 1, 1], M[0, :, 1, 1])
    tiny = put(tmp_path, ovf(rows_of(1e-200 * M), (4, 3, 1)))
    torch.testing.assert_close(read_ovf(tiny, normalise=True), M)
    assert not read_ovf(put(tmp_path, ovf(rows_of(0 * M), (4, 3, 1))), normalise=True).any()


def parse(content: bytes) -> dict[str, Any]:
    """A reading of a written file with nothing of the package in it."""
    lines, place = [], 0
    while not (lines and lines[-1].startswith("# Begin: Data")):
        end = content.index(b"\n", place)
        lines.append(content[place:end].decode())
        place = end + 1
    fields = dict(line[2:].split(": ", 1) for line in lines if ": " in line)
    count = math.prod(int(fields[f"{axis}nodes"]) for axis in "xyz") * int(fields.get("valuedim", 3))
    kind = fields["Begin"]
    if kind == "Data Text":
        stop = content.index(b"# End: Data Text")
        values = [float(word) for word in content[place:stop].split()]
    else:
        letter = {"4": "f", "8": "d"}[kind[-1]]
        order = "<" if "2.0" in lines[0] else ">"
        size = struct.calcsize(letter)
        values = list(struct.unpack_from(f"{order}{count + 1}{letter}", content, place))
        assert values.pop(0) == (1234567.0 if size == 4 else 123456789012345.0)
        assert content[place + size * (count + 1) :] == f"\n# End: {kind}\n# End: Segment\n".encode()
    return {"fields": fields, "first": lines[0], "values": np.array(values), "lines": lines}


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("representation", ["text", "binary 4", "binary 8"])
def test_what_we_write_is_what_the_specification_asks_for(version: int, representation: Any, tmp_path: Path) -> None:
    path = tmp_path / "m.ovf"
    write_ovf(path, FILM, M[0], 1.25e-9, version=version, representation=representation)
    found = parse(path.read_bytes())
    exact = np.array(rows_of(M)).ravel()
    np.testing.assert_allclose(found["values"], exact, rtol=0, atol=1e-7 if representation == "binary 4" else 0)
    fields = found["fields"]
    assert found["first"] == ("# OOMMF OVF 2.0" if version == 2 else "# OOMMF: rectangular mesh v1.0")
    assert fields["meshtype"] == "rectangular"
    assert [float(fields[f"{a}{b}"]) for b in ("min", "max", "base", "stepsize") for a in "xyz"] == pytest.approx(
        [0, 0, 0, 8e-9, 9e-9, 1.5e-9, 1e-9, 1.5e-9, 0.75e-9, 2e-9, 3e-9, 1.5e-9]
    )
    assert fields["Desc"] == "Total simulation time: 1.25e-09 s"
    if version == 2:
        assert (fields["valuedim"], fields["valuelabels"], fields["valueunits"]) == ("3", "m_x m_y m_z", "1 1 1")
    else:
        assert float(fields["ValueRangeMaxMag"]) == pytest.approx(1)
    assert load_ovf(path).time == 1.25e-9
    torch.testing.assert_close(read_ovf(path, FILM), M, rtol=0, atol=1e-7 if representation == "binary 4" else 0)


def test_other_values_are_written_and_read_back(tmp_path: Path) -> None:
    values = np.random.default_rng(3).normal(size=(6, 4, 3, 2))
    data = OvfData(
        values, OvfMesh((4, 3, 2), (2e-9, 3e-9, 1e-9), (5e-9, 0.0, 1e-9)), 1e-12, "two vectors",
        ("by hand", "of two lines"), ("m x", "b", "c", "d", "e", "f"), ("A/m",) * 6,
    )  # fmt: skip
    save_ovf(tmp_path / "m.ovf", data)
    found = load_ovf(tmp_path / "m.ovf")
    np.testing.assert_array_equal(found.values, values)
    assert found.mesh == data.mesh
    assert (found.time, found.title, found.labels, found.units) == (1e-12, "two vectors", data.labels, data.units)
    assert found.description[:2] == data.description
    layers = random_state(FILM, 2, torch.Generator().manual_seed(7))
    write_ovf(tmp_path / "m.ovf", FILM, layers)
    assert torch.equal(read_ovf(tmp_path / "m.ovf", FILM, layer="all"), layers)


HEAD = ovf(rows_of(M), (4, 3, 1))
FAULTS: list[tuple[bytes, str]] = [
    (b"", "it does not begin with '# OOMMF'"),
    (b"no field", "it does not begin with '# OOMMF'"),
    (b"# OOMMF OVF 3.0\n", "'# OOMMF OVF 3.0' is neither version 1.0 nor 2.0"),
    (HEAD[: HEAD.index(b"# End: Header")], "it ends within the header"),
    (HEAD.replace(b"# xnodes: 4\n", b""), "the header has no xnodes"),
    (HEAD.replace(b"# valuedim: 3\n", b""), "the header has no valuedim"),
    (HEAD.replace(b"xnodes: 4", b"xnodes: 4.5"), "xnodes = 4.5: must be a whole number, 1 or more"),
    (HEAD.replace(b"xnodes: 4", b"xnodes: -4"), "xnodes = -4: must be a whole number, 1 or more"),
    (HEAD.replace(b"xnodes: 4", b"xnodes: __import__('os')"), "xnodes = \"__import__('os')\" is no number"),
    (HEAD.replace(b"xnodes: 4", b"xnodes: 1e18"), "xnodes = 1e18: no file has as many"),
    (HEAD.replace(b"xnodes: 4", b"xnodes: 1e11"), "it has fewer than 900000000000 values"),
    (HEAD.replace(b"xnodes: 4", b"xnodes: 5"), "it has 36 values, not the 45 of its mesh"),
    (HEAD.replace(b"xnodes: 4", b"xnodes: 3"), "it has 36 values, not the 27 of its mesh"),
    (HEAD.replace(b"valuedim: 3", b"valuedim: 1e6"), "valuedim = 1000000: the most is 1000"),
    (HEAD.replace(b"xstepsize: 2", b"xstepsize: nan2"), "xstepsize = 'nan2.0000000000000001e-09' is no number"),
    (HEAD.replace(b"rectangular", b"irregular"), "its mesh is irregular; only rectangular ones are read"),
    (HEAD.replace(b"meshunit: m", b"meshunit: parsec"), "meshunit = 'parsec' is none of m, unspecified, *"),
    (HEAD.replace(b"Data Text", b"Data Gzip"), "data 'gzip' are none of Text, Binary 4 and Binary 8"),
    (HEAD[: HEAD.index(b"# End: Data")], "the data have no end"),
    (HEAD.replace(b"\n# End: Data Text", b" 0x1\n# End: Data Text"), "it has 37 values, not the 36 of its mesh"),
    (ovf([[math.nan, 0, 1]] * 12, (4, 3, 1)), "not all values are finite"),
    (ovf([[math.inf, 0, 1]] * 12, (4, 3, 1), data="Binary 8"), "not all values are finite"),
    (ovf(rows_of(M), (4, 3, 1), data="Binary 8")[:-200], "it ends within the data: [0-9]* of 36 values"),
    (
        ovf(rows_of(M), (4, 3, 1), data="Binary 8").replace(b"xnodes: 4", b"xnodes: 3"),
        "a line of the header does not begin with '#': *",
    ),
    (
        ovf(rows_of(M), (4, 3, 1), data="Binary 8").replace(struct.pack("<d", 123456789012345.0), b"12345678"),
        "the check value before the binary data is not 123456789012345",
    ),
]  # fmt: skip


def test_files_with_faults_are_reported_in_a_line(tmp_path: Path) -> None:
    for content, message in FAULTS:
        with pytest.raises(InputError) as caught:
            read_ovf(put(tmp_path, content))
        text = str(caught.value)
        assert fnmatchcase(text, f"{tmp_path}/m.ovf: cannot be read as OVF ({message})"), text
    with pytest.raises(InputError, match=rf"^{tmp_path}/none\.ovf: no such file$"):
        read_ovf(tmp_path / "none.ovf")


def test_memory_is_bounded_before_it_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = ovf([[0, 0, 1]] * 4000, (40, 100, 1), data="Binary 4")
    path = put(tmp_path, many)
    read_ovf(path)
    monkeypatch.setenv("BARKHAUSEN_MEMORY", "250 kB")
    with pytest.raises(InputError, match=r"m\.ovf: 12000 values: would take about 288 kB of memory, more than the 250"):
        read_ovf(path)


def test_impossible_writes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.ovf"
    cases: list[tuple[dict[str, Any], str]] = [
        ({"representation": "binary"}, "representation = 'binary': must be binary 8, binary 4, text"),
        ({"version": 3}, "version = 3: must be 1 or 2"),
        ({"time": math.nan}, "time = nan: must be a finite time in s"),
        ({"m": M[0, :2]}, r"write_ovf: shape \(2, 4, 3\) is not \(3, 4, 3\)"),
        ({"m": math.nan * M[0]}, "ovf: not all values are finite"),
    ]
    for changes, message in cases:
        with pytest.raises(InputError, match=f"^{message}"):
            write_ovf(path, FILM, **({"m": M[0]} | changes))
    assert not list(tmp_path.iterdir())


def test_the_bridge_names_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "discretisedfield", None)
    with pytest.raises(InputError, match=r"^to_discretisedfield needs the library: pip install 'barkhausen\[ovf\]'$"):
        to_discretisedfield(FILM, M[0])
    with pytest.raises(InputError, match=r"^from_discretisedfield: is no field of discretisedfield$"):
        from_discretisedfield(3)


def test_discretisedfield_reads_and_writes_the_same(tmp_path: Path) -> None:
    library = pytest.importorskip("discretisedfield")
    field = to_discretisedfield(FILM, M[0])
    assert torch.equal(from_discretisedfield(field, FILM), M)
    for representation, theirs in (("binary 8", "bin8"), ("binary 4", "bin4"), ("text", "txt")):
        write_ovf(tmp_path / "m.ovf", FILM, M[0], 1e-9, representation=representation)  # type: ignore[arg-type]
        read = library.Field.from_file(str(tmp_path / "m.ovf"))
        assert tuple(read.mesh.n) == (4, 3, 1)
        np.testing.assert_allclose(read.mesh.cell, (2e-9, 3e-9, 1.5e-9), rtol=1e-12)
        np.testing.assert_allclose(read.mesh.region.pmin, (0, 0, 0), atol=1e-20)
        np.testing.assert_allclose(read.array[:, :, 0], M[0].permute(1, 2, 0), rtol=0, atol=1e-7)
        field.to_file(str(tmp_path / "theirs.ovf"), representation=theirs)
        torch.testing.assert_close(read_ovf(tmp_path / "theirs.ovf", FILM), M, rtol=0, atol=1e-7)
