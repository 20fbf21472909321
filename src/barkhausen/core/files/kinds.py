"""Kinds of files: TOML files told apart by their tables, so that one given to the wrong command is recognised, and
device files told by their ending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from barkhausen.core.errors import InputError
from barkhausen.core.files.recipes import shipped_recipes

DEVICE_FILES = (".nc", ".h5")
"""Endings of device files."""


def names_device_file(name: str | Path) -> bool:
    """Whether a name is that of a device file, rather than of a preset or another file."""
    return Path(name).suffix in DEVICE_FILES


@dataclass(frozen=True)
class FileKind:
    """One kind of TOML file.

    Attributes:
        label: Name in sentences, with its article.
        needs: Keys that every file of the kind has.
        marks: Keys of which a file of the kind has one, where it has none of ``needs``.
        command: Command that takes such a file.
    """

    label: str
    needs: frozenset[str]
    marks: frozenset[str]
    command: str


RECIPE = FileKind(
    "a recipe, which describes one run",
    frozenset(),
    frozenset({"mode", "epochs", "batch_size", "dataset", "network", "optimizer", "transfer", "faults", "states"}),
    "barkhausen train FILE --out DIR",
)
SWEEP = FileKind(
    "a sweep file, which varies a recipe",
    frozenset({"recipe", "search"}),
    frozenset(),
    "barkhausen sweep FILE --out DIR",
)
PARAMETERS = FileKind(
    "a parameter file of a device",
    frozenset(),
    frozenset({"track", "material", "protocol", "characterisation", "shape", "gate"}),
    "barkhausen characterize FILE --out device.nc",
)
SEARCH = FileKind(
    "a search file, which designs a device",
    frozenset({"device", "search"}),
    frozenset(),
    "barkhausen design FILE --out DIR",
)
CHIP = FileKind(
    "a chip file",
    frozenset(),
    frozenset({"tile", "wires", "adc", "sense", "inputs", "constants", "gradient_memory", "digital"}),
    "barkhausen infer RUN --crossbar FILE",
)

KINDS = (SWEEP, SEARCH, RECIPE, PARAMETERS, CHIP)
"""Kinds in the order in which a file is compared with them."""

VARIED = ' (a sweep file names it, recipe = "NAME", and says under [search.over] which of its keys vary)'


def refuse_other_kind(values: Mapping[str, Any], wanted: FileKind, path: Path) -> None:
    """Refuse a file that is clearly of another kind than the command takes.

    Args:
        values: Content of the file.
        wanted: Kind that the command takes.
        path: File, for the message.

    Raises:
        InputError: The file is of another kind; the message names that kind and its command.
    """
    found = kind_of(values)
    # A file with keys of both kinds is one with a wrong key, which its own check names.
    mixed = (wanted.needs | wanted.marks) & values.keys() and found is not SWEEP
    if found is None or found is wanted or mixed:
        return
    shipped = shipped_recipes().get(path.stem)
    name = path.stem if shipped == path else path.name
    command = found.command.replace("FILE", name)
    hint = VARIED.replace("NAME", name) if (found, wanted) == (RECIPE, SWEEP) else ""
    raise InputError(f"{path}: is {found.label}, not {wanted.label}: {command}{hint}")


def kind_of(values: Mapping[str, Any]) -> FileKind | None:
    """Kind of a file by its keys, or None.

    Args:
        values: Content of the file.
    """
    keys = values.keys()
    for kind in KINDS:
        if kind.needs <= keys if kind.needs else kind.marks & keys:
            return kind
    return None
