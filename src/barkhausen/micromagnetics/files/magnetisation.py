"""Magnetisations as OVF files, which mumax3, OOMMF and ubermag read and write."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.arguments import checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.files.ovf_data import OvfData, OvfMesh, check_mesh
from barkhausen.micromagnetics.files.ovf_reader import load_ovf
from barkhausen.micromagnetics.files.ovf_writer import Representation, save_ovf
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.states.placing import tensor_of_state

UNIT_LENGTH = 1e-2
"""Deviation of a length from 1 that counts as rounding of a text file."""


@checks_arguments("Film")
def write_ovf(
    path: str | Path,
    film: Film,
    m: Float[Tensor, "*layer 3 nx ny"],
    time: float | None = None,
    *,
    representation: Representation = "binary 8",
    version: int = 2,
) -> None:
    """Write one magnetisation as OVF, atomically.

    Args:
        path: File to write.
        film: Film with the grid.
        m: Unit magnetisation ``[3, nx, ny]``, or that of a stack of layers ``[layer, 3, nx, ny]``, from below.
        time: Time in s to store in the file. Default: none.
        representation: ``binary 8``, ``binary 4`` or ``text``.
        version: 1 or 2.

    Raises:
        InputError: A magnetisation that does not fit the film, or a file that cannot be written.
    """
    m = tensor_of_state(m)
    layers = m[None] if m.dim() == 3 else m
    if layers.dim() != 4 or tuple(layers.shape[1:]) != (3, *film.grid.shape):
        raise InputError(f"write_ovf: shape {tuple(m.shape)} is not (3, {film.grid.nx}, {film.grid.ny})")
    values = layers.detach().cpu().to(torch.float64).permute(1, 2, 3, 0).contiguous().numpy()
    mesh = OvfMesh.of_grid(film.grid, len(layers))
    data = OvfData(values, mesh, time, "m", (), ("m_x", "m_y", "m_z"), ("1", "1", "1"), version)
    save_ovf(path, data, representation=representation)


@checks_arguments("Film")
def read_ovf(
    path: str | Path,
    film: Film | None = None,
    *,
    normalise: bool = False,
    layer: int | Literal["all"] | None = None,
    segment: int = 0,
) -> Float[Tensor, "layer 3 nx ny"]:
    """Read a magnetisation from OVF 1.0 or 2.0, written by us, mumax3, OOMMF or ubermag; float64.

    :func:`load_ovf` reads files of other quantities, with time, units and description.

    Args:
        path: File.
        film: Film that it must fit: numbers and sizes of the cells are compared. Default: no comparison.
        normalise: Whether vectors of any length, such as Ms m in A/m, are divided by their lengths. Otherwise they must
            be of length 1 (or 0 in empty cells) within 1 %.
        layer: Number of the layer from below, or ``all``: each layer is a row. Default: the only one.
        segment: Number of the segment.

    Returns:
        Magnetisation ``[1, 3, nx, ny]``, or ``[layer, 3, nx, ny]`` for ``all``.

    Raises:
        InputError: The file is not OVF, is of another mesh, holds several layers, not three components, or vectors that
            are not of unit length.
    """
    path = Path(path)
    data = load_ovf(path, segment=segment)
    if data.components != 3:
        raise InputError(
            f"{path}: holds {data.components} component{'s' * (data.components > 1)}, not the 3 of a magnetisation; "
            "load_ovf reads it"
        )
    layers = data.mesh.nodes[2]
    if layer is None and layers != 1:
        raise InputError(f"{path}: holds {layers} layers; layer = 0 to {layers - 1} chooses one, layer = 'all' all")
    if not (layer is None or layer == "all" or isinstance(layer, int)):
        raise InputError(f"layer = {layer!r}: must be 0 to {layers - 1}, or 'all'")
    if isinstance(layer, int) and not 0 <= layer < layers:
        raise InputError(f"layer = {layer}: {path} has the layers 0 to {layers - 1}")
    if film is not None:
        check_mesh(data, film, str(path))
    m = torch.from_numpy(data.values).permute(3, 0, 1, 2).contiguous()
    m = m[layer : layer + 1] if isinstance(layer, int) else m
    return unit_vectors(m, film, normalise=normalise, origin=str(path))


def unit_vectors(m: Tensor, film: Film | None, *, normalise: bool, origin: str) -> Tensor:
    """Vectors of length 1 or 0.

    Args:
        m: Vectors, ``[layer, 3, nx, ny]``.
        film: Film whose Ms a message names.
        normalise: Whether vectors of other lengths are divided by them.
        origin: Name of the file in messages.

    Raises:
        InputError: Vectors of another length, and ``normalise`` is not set.
    """
    norm = torch.linalg.vector_norm(m, dim=1, keepdim=True)
    present = (m != 0).any(1, keepdim=True)
    if not bool(present.any()):
        return m
    if normalise:
        # Scaled first: the square of a length may underflow.
        scaled = m / m.abs().amax(1, keepdim=True).clamp_min(1e-300)
        length = torch.linalg.vector_norm(scaled, dim=1, keepdim=True)
        return torch.where(present, scaled / torch.where(length > 0, length, 1.0), 0.0)
    lengths = norm[present]
    shortest, longest = float(lengths.min()), float(lengths.max())
    if abs(shortest - 1) <= UNIT_LENGTH and abs(longest - 1) <= UNIT_LENGTH:
        return m
    if shortest > 1e3 and longest - shortest <= 1e-2 * longest:
        known = "" if film is None else f" (the film's Ms is {film.material.saturation_magnetisation:g})"
        raise InputError(
            f"{origin}: holds a magnetisation of {longest:.6g} A/m{known}, not unit vectors; "
            "normalise=True divides by it"
        )
    raise InputError(
        f"{origin}: holds vectors of lengths {shortest:.6g} to {longest:.6g}, not unit vectors; "
        "normalise=True makes them so"
    )
