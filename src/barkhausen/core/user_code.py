"""Code of the user's own that a recipe names: which modules may be imported, and what their source is.

A recipe, a sweep file, a checkpoint or the directory of a run may come from anybody. None of them can have code
executed: a module is imported only where the user names it beside them (``--allow-code MODULE``, or
:func:`code_allowed`).
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.core.registry import reason_of

PLACE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

_allowed: ContextVar[frozenset[str]] = ContextVar("allowed modules", default=frozenset())
_imported: dict[str, str] = {}
"""Digest of the source of each module when it was imported."""


@contextmanager
def code_allowed(modules: Iterable[str]) -> Iterator[None]:
    """Allow recipes to name functions of these modules, within the block.

    Args:
        modules: Names of modules, such as ``["my_networks"]``.
    """
    if isinstance(modules, str):
        raise InputError(f"code_allowed({modules!r}): must be a list of names of modules")
    token = _allowed.set(_allowed.get() | frozenset(modules))
    try:
        yield
    finally:
        _allowed.reset(token)


def allowed_code() -> tuple[str, ...]:
    """Names of the modules that are allowed at present."""
    return tuple(sorted(_allowed.get()))


@dataclass(frozen=True)
class UserFunction:
    """A function of the user's own.

    Args:
        place: ``"module:function"``.
        key: Key that names it, for messages.
    """

    place: str
    key: str

    @property
    def module(self) -> str:
        """Name of the module."""
        return self.place.partition(":")[0]

    def files(self) -> dict[str, Path]:
        """Source files of the module and of all that it imports from beside itself, by their relative paths.

        Raises:
            InputError: The module is not allowed, or there is no such module.
        """
        if self.module not in _allowed.get():
            raise InputError(
                f"{self.key} = {self.place!r}: runs the code of a module, which a file alone must not ask for; if you "
                f"trust it, add --allow-code {self.module}"
            )
        here = str(Path.cwd())
        if here not in sys.path:
            # Last, so that a file in the working directory hides no installed package.
            sys.path.append(here)
        importlib.invalidate_caches()
        try:
            spec = importlib.util.find_spec(self.module)
        except ModuleNotFoundError:
            spec = None
        except Exception as error:
            raise InputError(f"{self.key}: {reason_of(self.module, error)}") from error
        if spec is None:
            raise InputError(
                f"{self.key} = {self.place!r}: no module {self.module!r} in the working directory or on PYTHONPATH"
            )
        if spec.origin is None or not Path(spec.origin).is_file() or not spec.origin.endswith(".py"):
            raise InputError(f"{self.key} = {self.place!r}: the module has no Python source file")
        return _sources(self.module, Path(spec.origin))

    def digest(self) -> str:
        """SHA-256 of the source files, names and contents.

        Raises:
            InputError: As :meth:`files`.
        """
        whole = hashlib.sha256()
        for name, path in sorted(self.files().items()):
            content = path.read_bytes()
            whole.update(f"{name} {len(content)}\n".encode())
            whole.update(content)
        return whole.hexdigest()

    def load(self) -> Callable[..., Any]:
        """Import the module and return the function.

        Raises:
            InputError: As :meth:`files`; or the module cannot be imported, has no such function, or has changed since
                it was imported.
        """
        digest = self.digest()
        try:
            module = importlib.import_module(self.module)
        # A module of the user's own may raise anything.
        except Exception as error:
            raise InputError(f"{self.key}: {reason_of(self.module, error)}") from error
        if _imported.setdefault(self.module, digest) != digest:
            raise InputError(
                f"{self.key}: the source of {self.module!r} has changed since it was imported; use a new process"
            )
        name = self.place.partition(":")[2]
        function = getattr(module, name, None)
        if not callable(function):
            known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
            raise InputError(f"{self.key}: {self.module!r} has no function {name!r}{did_you_mean(name, known)}")
        return function  # type: ignore[no-any-return]


def _sources(module: str, origin: Path) -> dict[str, Path]:
    # The folder that holds the module, or the top package that it is in.
    parts = module.split(".")
    root = origin.parents[len(parts) - (0 if origin.name == "__init__.py" else 1)]
    top = parts[0] if "site-packages" in root.parts else None
    found: dict[str, Path] = {}

    def visit(name: str) -> None:
        if top is not None and name.partition(".")[0] != top:
            return
        base = root.joinpath(*name.split("."))
        for path in (base / "__init__.py", base.with_suffix(".py")):
            relative = path.relative_to(root).as_posix()
            if relative in found or not path.is_file():
                continue
            found[relative] = path
            for imported in _imports(path, name if path.name == "__init__.py" else name.rpartition(".")[0]):
                visit(imported)
        if "." in name:
            visit(name.rpartition(".")[0])

    visit(module)
    return found


def _imports(path: Path, package: str) -> Iterator[str]:
    """Names of modules that a source file may import."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            start = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            name = ".".join(filter(None, [start, node.module]))
            if name:
                yield name
            yield from (f"{name}.{each.name}".lstrip(".") for each in node.names if each.name != "*")
