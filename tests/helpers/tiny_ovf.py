"""A writer of OVF that shares nothing with the package: values as nested lists, x fastest."""

from __future__ import annotations

import struct
from collections.abc import Sequence

CHECK = {4: ("f", 1234567.0), 8: ("d", 123456789012345.0)}


def ovf(
    rows: Sequence[Sequence[float]],
    nodes: tuple[int, int, int],
    *,
    version: int = 2,
    data: str = "Text",
    step: tuple[float, float, float] = (2e-9, 3e-9, 1.5e-9),
    unit: str = "m",
    extra: Sequence[str] = (),
    leave_out: Sequence[str] = (),
    order: str = "",
) -> bytes:
    """Bytes of one file.

    Args:
        rows: Components of each cell, x fastest, then y, then z.
        nodes: Numbers of cells.
        version: 1 or 2.
        data: ``Text``, ``Binary 4`` or ``Binary 8``.
        step: Edges of a cell in ``unit``.
        unit: Unit of the mesh.
        extra: Further lines of the header.
        leave_out: Fields that are left out.
        order: ``<`` or ``>`` against the format's own order of bytes.
    """
    first = "# OOMMF OVF 2.0" if version == 2 else "# OOMMF: rectangular mesh v1.0"
    fields = {"Title": "m", "meshtype": "rectangular", "meshunit": unit}
    for axis, n, s in zip("xyz", nodes, step, strict=True):
        fields |= {f"{axis}base": f"{s / 2:.17g}", f"{axis}nodes": str(n), f"{axis}stepsize": f"{s:.17g}"}
        fields |= {f"{axis}min": "0", f"{axis}max": f"{n * s:.17g}"}
    if version == 2:
        dim = len(rows[0])
        fields |= {"valuedim": str(dim), "valuelabels": " ".join("abcdefgh"[:dim]), "valueunits": " ".join("1" * dim)}
    else:
        fields |= {"valueunit": "1", "valuemultiplier": "1", "ValueRangeMinMag": "0", "ValueRangeMaxMag": "1"}
    lines = [first, "# Segment count: 1", "# Begin: Segment", "# Begin: Header"]
    lines += [f"# {name}: {value}" for name, value in fields.items() if name not in leave_out]
    lines += [*(f"# {line}" for line in extra), "# End: Header", f"# Begin: Data {data}", ""]
    content = "\n".join(lines).encode()
    if data.lower().startswith("binary"):
        letter, check = CHECK[int(data[-1])]
        order = order or ("<" if version == 2 else ">")
        content += struct.pack(order + letter, check)
        content += b"".join(struct.pack(order + letter * len(row), *row) for row in rows) + b"\n"
    else:
        content += "".join(" ".join(f"{value:.17g}" for value in row) + "\n" for row in rows).encode()
    return content + f"# End: Data {data}\n# End: Segment\n".encode()
