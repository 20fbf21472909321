"""Snapshots of the magnetisation as OVF 2.0, which mumax3, OOMMF and ubermag read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_path
from barkhausen.micromagnetics.film import Film


@dataclass(frozen=True)
class Snapshots:
    """Choice of the snapshots that an ensemble saves.

    Files are named ``m_replica00003_0120.ovf``: replica, and number of the record (0 is the start).

    Args:
        directory: Directory, created if missing.
        every: Number of records between two snapshots.
        replicas: Numbers of the replicas to save. Default: all.

    Raises:
        InputError: ``every`` is no whole number, or below 1.
    """

    directory: Path
    every: int = 1
    replicas: Sequence[int] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "directory", Path(self.directory))
        if not (isinstance(self.every, Integral) and self.every >= 1):
            raise InputError(f"snapshots.every = {self.every}: must be a whole number, 1 or more")

    def check_replicas(self, replicas: int) -> None:
        """Raise :class:`InputError` if a replica is to be saved that the ensemble does not have."""
        missing = sorted(set(self.replicas or ()) - set(range(replicas)))
        if missing:
            raise InputError(f"snapshots.replicas: there is no replica {missing[0]}, they are 0 to {replicas - 1}")

    def save(self, film: Film, m: Float[Tensor, "replica 3 nx ny"], replicas: Tensor, record: int, time: float) -> None:
        """Save the snapshots of this batch that are due at this record."""
        if record % self.every:
            return
        for row, replica in enumerate(replicas.tolist()):
            if self.replicas is None or replica in self.replicas:
                write_ovf(self.directory / f"m_replica{replica:05d}_{record:04d}.ovf", film, m[row], time)


def write_ovf(path: str | Path, film: Film, m: Float[Tensor, "3 nx ny"], time: float | None = None) -> None:
    """Write one magnetisation as OVF 2.0 (binary, 8 bytes), atomically.

    Args:
        path: Path with the ending ``.ovf``.
        film: Film with the grid.
        m: Unit magnetisation.
        time: Time in s to store in the file. Default: none.

    Raises:
        InputError: The library for it is not installed, or the file cannot be written.
    """
    path = Path(path)
    try:
        import discretisedfield  # noqa: PLC0415 (an extra)
    except ImportError:
        raise InputError("OVF files need discretisedfield: pip install 'barkhausen[ovf]'") from None
    grid = film.grid
    mesh = discretisedfield.Mesh(
        p1=(0.0, 0.0, 0.0), p2=(grid.length, grid.width, grid.dz), n=(grid.nx, grid.ny, 1)
    )  # fmt: skip
    values = m.detach().cpu().to(torch.float64).permute(1, 2, 0)[:, :, None].numpy()
    field = discretisedfield.Field(mesh, nvdim=3, value=values)
    with atomic_path(path) as temporary:
        # The library chooses the format by the name's ending.
        beside = temporary.with_suffix(".ovf")
        try:
            field.to_file(str(beside), representation="bin8")
            beside.replace(temporary)
        finally:
            beside.unlink(missing_ok=True)


def read_ovf(path: str | Path) -> Float[Tensor, "1 3 nx ny"]:
    """Read the magnetisation of one layer from OVF, written by us, mumax3 or ubermag; float64, not normalised.

    Raises:
        InputError: The library is not installed, or the file is not OVF or holds several layers.
    """
    path = Path(path)
    try:
        import discretisedfield  # noqa: PLC0415 (an extra)
    except ImportError:
        raise InputError("OVF files need discretisedfield: pip install 'barkhausen[ovf]'") from None
    try:
        values = torch.as_tensor(discretisedfield.Field.from_file(str(path)).array, dtype=torch.float64)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as error:  # the library raises whatever a malformed file leads it to
        raise InputError(f"{path}: cannot be read as OVF ({error})") from None
    if values.dim() != 4 or values.shape[2] != 1 or values.shape[3] != 3:
        raise InputError(f"{path}: holds {tuple(values.shape)} values, not one layer of vectors")
    return values[:, :, 0].permute(2, 0, 1)[None]
