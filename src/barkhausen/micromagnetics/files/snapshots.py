"""Snapshots that an ensemble saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.files.magnetisation import write_ovf
from barkhausen.micromagnetics.files.vtk import write_vti
from barkhausen.micromagnetics.film import Film


@dataclass(frozen=True)
class Snapshots:
    """Choice of the snapshots that an ensemble saves.

    Files are named ``m_replica00003_0120.ovf``: replica, and number of the record (0 is the start).

    Args:
        directory: Directory, created if missing.
        every: Number of records between two snapshots.
        replicas: Numbers of the replicas to save. Default: all.
        format: ``ovf`` (OVF 2.0, exact), or ``vti`` for ParaView.

    Raises:
        InputError: ``every`` is no whole number, or below 1, or another format.
    """

    directory: Path
    every: int = 1
    replicas: Sequence[int] | None = None
    format: Literal["ovf", "vti"] = "ovf"

    def __post_init__(self) -> None:
        object.__setattr__(self, "directory", Path(self.directory))
        if not (isinstance(self.every, Integral) and self.every >= 1):
            raise InputError(f"snapshots.every = {self.every}: must be a whole number, 1 or more")
        if self.format not in ("ovf", "vti"):
            raise InputError(f"snapshots.format = {self.format!r}: must be ovf or vti")

    def check_replicas(self, replicas: int) -> None:
        """Raise :class:`InputError` if a replica is to be saved that the ensemble does not have."""
        if self.replicas is not None and not all(isinstance(number, Integral) for number in self.replicas):
            raise InputError(f"snapshots.replicas = {self.replicas!r}: must be numbers of replicas")
        missing = sorted(set(self.replicas or ()) - set(range(replicas)))
        if missing:
            raise InputError(f"snapshots.replicas: there is no replica {missing[0]}, they are 0 to {replicas - 1}")

    def save(self, film: Film, m: Float[Tensor, "replica 3 nx ny"], replicas: Tensor, record: int, time: float) -> None:
        """Save the snapshots of this batch that are due at this record."""
        if record % self.every:
            return
        for row, replica in enumerate(replicas.tolist()):
            if self.replicas is None or replica in self.replicas:
                path = self.directory / f"m_replica{replica:05d}_{record:04d}.{self.format}"
                if self.format == "ovf":
                    write_ovf(path, film, m[row], time)
                else:
                    write_vti(path, film, m[row], time, device=row if film.devices > 1 else 0)
