"""Bridge to fields of discretisedfield (ubermag), where it is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.files.magnetisation import unit_vectors
from barkhausen.micromagnetics.files.ovf_data import OvfData, OvfMesh, check_mesh
from barkhausen.micromagnetics.film import Film


def to_discretisedfield(film: Film, m: Float[Tensor, "3 nx ny"]) -> Any:
    """The magnetisation as a ``discretisedfield.Field`` with the lower left corner at the origin.

    Raises:
        InputError: The library is not installed, or the magnetisation does not fit the film.
    """
    try:
        import discretisedfield  # noqa: PLC0415 (an extra)
    except ImportError:
        raise InputError("to_discretisedfield needs the library: pip install 'barkhausen[ovf]'") from None
    if tuple(m.shape) != (3, *film.grid.shape):
        raise InputError(f"to_discretisedfield: shape {tuple(m.shape)} is not (3, {film.grid.nx}, {film.grid.ny})")
    grid = film.grid
    mesh = discretisedfield.Mesh(
        p1=(0.0, 0.0, 0.0), p2=(grid.length, grid.width, grid.dz), n=(grid.nx, grid.ny, 1)
    )  # fmt: skip
    values = m.detach().cpu().to(torch.float64).permute(1, 2, 0)[:, :, None].numpy()
    return discretisedfield.Field(mesh, nvdim=3, value=values)


def from_discretisedfield(
    field: Any, film: Film | None = None, *, normalise: bool = False
) -> Float[Tensor, "1 3 nx ny"]:
    """Magnetisation of a ``discretisedfield.Field`` of one layer; float64. Arguments as for :func:`read_ovf`.

    Raises:
        InputError: It is no such field, of another mesh, or does not hold unit vectors.
    """
    try:
        values = np.asarray(field.array, dtype=np.float64)
        nodes = tuple(int(n) for n in field.mesh.n)
        step = tuple(float(size) for size in field.mesh.cell)
        base = tuple(float(low) + size / 2 for low, size in zip(field.mesh.region.pmin, step, strict=True))
    except (AttributeError, TypeError, ValueError):
        raise InputError("from_discretisedfield: is no field of discretisedfield") from None
    if len(nodes) != 3 or values.shape != (nodes[0], nodes[1], 1, 3):
        raise InputError(f"from_discretisedfield: values of shape {values.shape} are not one layer of vectors")
    mesh = OvfMesh((nodes[0], nodes[1], 1), (step[0], step[1], step[2]), (base[0], base[1], base[2]))
    data = OvfData(np.ascontiguousarray(values.transpose(3, 0, 1, 2)), mesh)
    if film is not None:
        check_mesh(data, film, "field")
    return unit_vectors(torch.from_numpy(data.values).permute(3, 0, 1, 2), film, normalise=normalise, origin="field")
