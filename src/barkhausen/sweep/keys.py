"""The key of a task: a digest of everything that decides its numbers.

Two tasks with the same key are the same computation, in any sweep and on any machine.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from barkhausen.core.registry import load_extensions
from barkhausen.experiment.jobs import JOBS
from barkhausen.version import __version__

LENGTH = 24
"""Hexadecimal digits of a key: 96 bits."""

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("core", "micromagnetics", "device", "synapse", "learning", "data")
"""Layers that decide numbers, wholly. Of the experiment layer only what the jobs import does."""

SOURCES = {".py", ".cpp", ".hpp", ".toml"}

LOGS = "experiment/logs/"
"""Package of the experiment layer that decides no number: it logs those that it is given."""

EXPERIMENT = "barkhausen.experiment."


def canonical(values: Any) -> str:
    """Canonical JSON of values."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def key_of(kind: str, values: Mapping[str, Any], device: str | None, code: str, needs: str | None = None) -> str:
    """The key of a task.

    Args:
        kind: Name of its job.
        values: Everything that was set or left at its default, without paths.
        device: SHA-256 of the device file that it uses, if it uses one.
        code: :func:`code_version`.
        needs: Key of the task that has to be finished before.
    """
    text = canonical({"kind": kind, "values": values, "device": device, "code": code, "needs": needs})
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:LENGTH]


def deciding_sources() -> Iterator[Path]:
    """The source files that decide numbers, in a fixed order: those of the package, then those of extensions."""
    extensions = load_extensions()
    for layer in LAYERS:
        for path in sorted((ROOT / layer).rglob("*")):
            # Shipped devices are named by the digest of the file that a task uses.
            if path.suffix in SOURCES and "shipped" not in path.parts:
                yield path
    found: set[Path] = set()
    for job in JOBS.values():
        for path in job.sources:
            if path.is_relative_to(ROOT):
                _imported(path.relative_to(ROOT).with_suffix("").as_posix(), found)
    yield from sorted(found)
    # Entries from outside the package: whatever they register may decide numbers.
    outside = {path for job in JOBS.values() for path in job.sources if not path.is_relative_to(ROOT)}
    yield from sorted(outside.union(extensions), key=lambda path: path.name)


def _imported(name: str, seen: set[Path]) -> set[Path]:
    """A module, and all of the experiment layer that it imports."""
    path = ROOT / name / "__init__.py" if (ROOT / name).is_dir() else ROOT / f"{name}.py"
    if path in seen or f"{name}/".startswith(LOGS) or not path.is_file():
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
                place = module.removeprefix("barkhausen.").replace(".", "/")
                _imported(place, seen)
                # A package registers its entries when it is imported, and it is imported before its modules.
                _imported(place.rpartition("/")[0], seen)
    return seen


@functools.cache
def code_version() -> str:
    """Version of the package, and a digest of its sources that decide numbers."""
    digest = hashlib.sha256()
    for path in deciding_sources():
        content = path.read_bytes()
        name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return f"{__version__}+{digest.hexdigest()[:16]}"
