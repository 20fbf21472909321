"""Schemes by which positive conductances represent weights of both signs, and how a tile is read in each.

``reference-column``: one device for each weight, G = G_ref + G_unit w. Each tile has one column of midpoint devices
(w = 0, G_ref) whose current is subtracted from that of every output. It is placed in the middle of the columns in use,
where its word-line voltages are about the mean of theirs.

``differential-pair``: two devices for each weight in neighbouring columns, G(w) and G(−w), whose currents are
subtracted. With G(−w) instead of a midpoint device the signal is twice that of one device at the same read voltage. The
sum of both is always 2 G_ref, so the load of a word line, and with it most of the voltage lost along the wires, does
not depend on the stored weights.

``two-reads``: one device for each weight and no reference device; every product takes two reads of the same devices,
one after the other, through the same converter (:mod:`.two_reads`). After Kingra et al., arXiv:2206.00250 ("a single
device per synapse with two sets of READ operations"); what the second read drives is our choice.

Outside the package a scheme can be registered under another name. What it gives is what follows here: how many outputs
a tile holds, how many devices a weight takes, how often a product reads them, and which columns are subtracted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Int
from torch import Tensor

from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.core.registry import Registry

Columns = Int[Tensor, " outputs"]


class ReadScheme(ABC):
    """A scheme for signed weights."""

    name: ClassVar[str]
    """Value of ``tile.scheme``."""
    smallest: ClassVar[str] = "an output and its reference take 2 columns"
    """What the smallest tile has to hold, for messages."""
    devices_per_weight: ClassVar[int] = 1
    """Devices that hold one weight, not counting a shared reference."""
    references: ClassVar[int] = 0
    """Columns of a tile that hold no weights."""
    reads: ClassVar[int] = 1
    """Reads and conversions of one product."""

    @property
    def label(self) -> str:
        """Name in sentences, and of the argument ``scheme`` of :class:`.Tiling`."""
        return self.name.replace("-", " ")

    @property
    def least_columns(self) -> int:
        """Physical columns of the smallest tile."""
        return self.references + self.devices_per_weight

    @property
    def subtracts(self) -> bool:
        """Whether the current of another column is subtracted before the conversion."""
        return self.reads == 1

    def outputs(self, columns: int) -> int:
        """Largest number of outputs of a tile with that many physical columns."""
        return (columns - self.references) // self.devices_per_weight

    @abstractmethod
    def columns(self, place: Columns, size: Columns) -> tuple[Columns, Columns]:
        """Column of each output, and the column whose current is subtracted (its own where none is).

        Args:
            place: Place of the output among those of its tile.
            size: Outputs of its tile.
        """


class ReferenceColumn(ReadScheme):
    """A column of midpoint devices in each tile."""

    name = "reference-column"
    references = 1

    def columns(self, place: Columns, size: Columns) -> tuple[Columns, Columns]:
        """The reference is in the middle."""
        reference = size // 2
        return place + (place >= reference).long(), reference


class DifferentialPair(ReadScheme):
    """Two devices for each weight."""

    name = "differential-pair"
    smallest = "a pair, the two devices of a weight, takes 2 columns"
    devices_per_weight = 2

    def columns(self, place: Columns, size: Columns) -> tuple[Columns, Columns]:
        """Neighbouring columns."""
        return 2 * place, 2 * place + 1


class TwoReads(ReadScheme):
    """The same devices read twice."""

    name = "two-reads"
    smallest = "an output takes 1 column"
    reads = 2

    def columns(self, place: Columns, size: Columns) -> tuple[Columns, Columns]:
        """All columns hold weights."""
        return place, place


SCHEMES: Registry[ReadScheme] = Registry("read scheme", "tile.scheme")
"""Schemes by name."""
for _scheme in (ReferenceColumn(), DifferentialPair(), TwoReads()):
    SCHEMES.register(_scheme.name, _scheme)


def scheme_of(label: object) -> ReadScheme:
    """The scheme of a name, or of a label (a name with spaces).

    Raises:
        InputError: There is none.
    """
    found = SCHEMES.find(label.replace(" ", "-")) if isinstance(label, str) else None
    if found is None:
        labels = [scheme.label for scheme in SCHEMES.values()]
        raise InputError(f"scheme = {label!r}: unknown{did_you_mean(str(label), labels)}")
    return found


def place_on_tiles(count: int, tiles: int) -> tuple[Columns, Columns, Columns]:
    """Tile of each of ``count`` lines distributed evenly in order, its position there, and the number of lines of that
    tile."""
    tile = torch.arange(count) * tiles // count
    size = torch.bincount(tile, minlength=tiles)
    first = size.cumsum(0) - size
    return tile, torch.arange(count) - first[tile], size[tile]
