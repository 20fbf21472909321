"""Magnetisations for ParaView: image data in VTK's XML format (VTK User's Guide, file formats)."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers, checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_path
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.states.placing import tensor_of_state

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ .-]{0,99}")


@checks_arguments("Film")
def write_vti(
    path: str | Path,
    film: Film,
    m: Float[Tensor, "*layer 3 nx ny"],
    time: float | None = None,
    *,
    device: int = 0,
    scalars: Mapping[str, Tensor] | None = None,
) -> None:
    """Write one magnetisation as VTK image data (``.vti``), atomically: a vector ``m`` and the filled fraction a cell.

    Args:
        path: File to write; ParaView knows it by the ending ``.vti``.
        film: Film with the grid.
        m: Unit magnetisation ``[3, nx, ny]``, or that of a stack of layers ``[layer, 3, nx, ny]``, from below.
        time: Time in s, which ParaView shows. Default: none.
        device: Device whose filled fractions are written.
        scalars: Further values by name, ``[nx, ny]`` or ``[layer, nx, ny]``, such as an energy density.

    Raises:
        InputError: Values that do not fit the film or are not finite, or a file that cannot be written.
    """
    m = tensor_of_state(m)
    layers = m[None] if m.dim() == 3 else m
    if layers.dim() != 4 or tuple(layers.shape[1:]) != (3, *film.grid.shape):
        raise InputError(f"write_vti: shape {tuple(m.shape)} is not (3, {film.grid.nx}, {film.grid.ny})")
    if time is not None and not math.isfinite(time):
        raise InputError(f"time = {time}: must be a finite time in s")
    if not 0 <= device < film.devices:
        raise InputError(f"device = {device}: must be 0 to {film.devices - 1}")
    grid, number = film.grid, len(layers)
    # Cells run fastest along x, then along y, then from layer to layer.
    arrays = {"m": layers.permute(0, 3, 2, 1)}
    given = {} if film.fill is None else {"fill": film.fill[device if len(film.fill) > 1 else 0]}
    if scalars is not None and not isinstance(scalars, Mapping):
        raise InputError(f"scalars: {type(scalars).__name__} is no dictionary of values by name")
    for name, value in (given | dict(scalars or {})).items():
        if NAME.fullmatch(str(name)) is None or name == "m":
            raise InputError(f"write_vti: {name!r} is no name for values; must be letters, digits and _ . -")
        shown = as_tensor_of_numbers(f"scalars.{name}", value, None)
        stack = shown[None].expand(number, -1, -1) if shown.dim() == 2 else shown
        if tuple(stack.shape) != (number, *grid.shape):
            raise InputError(f"write_vti: {name} of shape {tuple(shown.shape)} does not fit {number} x {grid.shape}")
        arrays[name] = stack.permute(0, 2, 1)
    extent = f"0 {grid.nx} 0 {grid.ny} 0 {number}"
    lines = [
        '<?xml version="1.0"?>',
        '<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" header_type="UInt64">',
        f'<ImageData WholeExtent="{extent}" Origin="0 0 0" Spacing="{grid.dx!r} {grid.dy!r} {grid.dz!r}">',
    ]
    if time is not None:
        lines += [
            "<FieldData>",
            '<DataArray type="Float64" Name="TimeValue" NumberOfTuples="1" format="ascii">' + repr(float(time)),
            "</DataArray>",
            "</FieldData>",
        ]
    others = [name for name in arrays if name != "m"]
    scalar = f' Scalars="{others[0]}"' if others else ""
    lines += [f'<Piece Extent="{extent}">', f'<CellData Vectors="m"{scalar}>']
    for name, tensor in arrays.items():
        values = tensor.detach().cpu().to(torch.float64).contiguous().numpy()
        if not np.isfinite(values).all():
            raise InputError(f"write_vti: not all values of {name} are finite")
        components = 3 if name == "m" else 1
        lines.append(f'<DataArray type="Float64" Name="{name}" NumberOfComponents="{components}" format="binary">')
        lines += [_base64(values), "</DataArray>"]
    lines += ["</CellData>", "</Piece>", "</ImageData>", "</VTKFile>", ""]
    with atomic_path(Path(path)) as temporary:
        temporary.write_text("\n".join(lines), encoding="ascii")


def _base64(values: npt.NDArray[np.float64]) -> str:
    """Length in bytes as 64 bits, then the values, encoded as one."""
    content = values.astype("<f8").tobytes()
    return base64.b64encode(len(content).to_bytes(8, "little") + content).decode("ascii")
