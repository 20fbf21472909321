"""The address of a task: a digest of everything that decides its numbers.

Two tasks with the same address are one computation, whatever sweep they are of and wherever they ran.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from barkhausen.version import __version__

LENGTH = 24
"""Hexadecimal digits of an address: 96 bits."""

ROOT = Path(__file__).parents[1]
LAYERS = ("core", "micromagnetics", "device", "synapse", "learning", "data")
"""Layers that decide numbers, wholly."""

SOURCES = {".py", ".cpp", ".hpp", ".toml"}

WORK = "sweep/work"
"""Module of what tasks do: it decides numbers, with all of the experiment layer that it imports."""

LOGS = "experiment/logs/"
"""But for this package, which logs numbers that it is given."""

EXPERIMENT = "barkhausen.experiment."


def canonical(values: Any) -> str:
    """JSON of which there is only one for the same values."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def address_of(kind: str, values: dict[str, Any], device: str | None, code: str) -> str:
    """The address of a task.

    Args:
        kind: of the task.
        values: everything that was set or left at its default, without paths.
        device: SHA-256 of the device file that it uses, if it uses one.
        code: :func:`code_version`.
    """
    text = canonical({"kind": kind, "values": values, "device": device, "code": code})
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:LENGTH]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def deciding_sources() -> Iterator[Path]:
    """The source files that decide numbers, in a fixed order."""
    for layer in LAYERS:
        for path in sorted((ROOT / layer).rglob("*")):
            # Shipped devices are named by the digest of the file that a task uses.
            if path.suffix in SOURCES and "shipped" not in path.parts:
                yield path
    yield from sorted(_imported(WORK, set()))


def _imported(name: str, seen: set[Path]) -> set[Path]:
    """A module, and all of the experiment layer that it imports."""
    path = ROOT / f"{name}.py"
    if path in seen or name.startswith(LOGS) or not path.is_file():
        return seen
    seen.add(path)
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [f"{node.module}.{each.name}" for each in node.names] + [node.module]
        elif isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        else:
            continue
        for module in names:
            if module.startswith(EXPERIMENT):
                _imported(module.removeprefix("barkhausen.").replace(".", "/"), seen)
    return seen


@functools.cache
def code_version() -> str:
    """Version of the package, and a digest of its sources that decide numbers."""
    digest = hashlib.sha256()
    for path in deciding_sources():
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return f"{__version__}+{digest.hexdigest()[:16]}"
