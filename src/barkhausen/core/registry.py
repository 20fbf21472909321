"""Registries: one dictionary for each kind of thing that may be chosen by name."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from pathlib import Path
from typing import TypeVar

from barkhausen.core.errors import InputError, did_you_mean, warn

Entry = TypeVar("Entry")

EXTENSIONS = "BARKHAUSEN_EXTENSIONS"
"""Environment variable with the modules that register entries of the user's own, separated by commas."""


class Registry(dict[str, Entry]):
    """Entries by name, in the order in which they were registered.

    Args:
        what: Kind of the entries in words: ``"learning rule"``.
        key: Key of a recipe or sweep file that chooses one, for messages: ``"mode"``.
    """

    def __init__(self, what: str, key: str) -> None:
        super().__init__()
        self.what, self.key = what, key

    def register(self, name: str, entry: Entry) -> Entry:
        """Add an entry, and return it.

        Raises:
            ValueError: There is another entry of that name.
        """
        if name in self and self[name] is not entry:
            raise ValueError(f"{self.what} {name!r} is registered already")
        self[name] = entry
        return entry

    def find(self, name: object) -> Entry | None:
        """The entry of that name, or None. Extensions are loaded first if the package has no such entry."""
        if not isinstance(name, str):
            return None
        if name not in self:
            # Not before: an extension cannot be imported while the package itself is being imported.
            load_extensions()
        return self.get(name)

    def named(self, name: str) -> Entry:
        """The entry of that name.

        Raises:
            InputError: There is none; the message names the nearest, or all there are.
        """
        entry = self.find(name)
        if entry is None:
            raise InputError(f"{self.key} = {name!r}: no such {self.what}{did_you_mean(name, self)}")
        return entry


def load_extensions() -> list[Path]:
    """Import the modules that ``BARKHAUSEN_EXTENSIONS`` names, once in a process, and return their files.

    Raises:
        InputError: A module cannot be imported, or registers a name that is taken.
    """
    files = []
    for name in filter(None, (part.strip() for part in os.environ.get(EXTENSIONS, "").split(","))):
        if name not in sys.modules:
            try:
                importlib.import_module(name)
            # A module of the user's own may raise anything, and so may a name that is none.
            except Exception as error:
                raise InputError(f"{EXTENSIONS}: {reason_of(name, error)}") from error
        file = sys.modules[name].__file__
        if file is not None:
            files.append(Path(file))
    return files


def warn_of_extensions() -> None:
    """Warn of an extension that cannot be imported.

    Without a warning it would go unnoticed as long as no name is asked for that the package itself has not.
    """
    try:
        load_extensions()
    except InputError as error:
        warn(f"{error}; what it registers is missing")


def reason_of(name: str, error: Exception) -> str:
    """Why a module could not be imported, with the line of it that raised the error."""
    if isinstance(error, ModuleNotFoundError) and error.name == name:
        return str(error)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).stem == name.rpartition(".")[2]
    ]
    place = f" ({frames[-1].filename} line {frames[-1].lineno})" if frames else ""
    return f"module {name!r} cannot be imported: {type(error).__name__}: {error}{place}"
