"""Keys of tasks: digests of everything that determines the results.

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
LAYERS = ("core", "micromagnetics", "device", "synapse", "neuron", "learning", "data")
"""Layers whose files all influence results. Of the experiment layer, only modules that the jobs import do."""

SOURCES = {".py", ".cpp", ".hpp", ".toml"}

LOGS = "experiment/logs/"
"""Package of the experiment layer that logs results and does not influence them."""

EXPERIMENT = "barkhausen.experiment."


def canonical(values: Any) -> str:
    """Canonical JSON of values."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def key_of(kind: str, values: Mapping[str, Any], device: str | None, code: str, needs: str | None = None) -> str:
    """Key of a task.

    Args:
        kind: Name of the job.
        values: All values, set or default, without paths.
        device: SHA-256 of the device file; None without one.
        code: :func:`code_version`.
        needs: Key of the task that must be finished first; None without one.
    """
    text = canonical({"kind": kind, "values": values, "device": device, "code": code, "needs": needs})
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:LENGTH]


def deciding_sources() -> Iterator[Path]:
    """Source files that influence results, in a fixed order: those of the package, then those of extensions."""
    extensions = load_extensions()
    for layer in LAYERS:
        for path in sorted((ROOT / layer).rglob("*")):
            # The device file of a task enters its key by its own digest.
            if path.suffix in SOURCES and "shipped" not in path.parts:
                yield path
    found: set[Path] = set()
    for job in JOBS.values():
        for path in job.sources:
            if path.is_relative_to(ROOT):
                _imported(path.relative_to(ROOT).with_suffix("").as_posix(), found)
    yield from sorted(found)
    # Anything that extensions register may influence results.
    outside = {path for job in JOBS.values() for path in job.sources if not path.is_relative_to(ROOT)}
    yield from sorted(outside.union(extensions), key=lambda path: path.name)


def _imported(name: str, seen: set[Path]) -> set[Path]:
    """A module and all modules of the experiment layer that it imports."""
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
                # A package is imported before its modules, and registers its entries then.
                _imported(place.rpartition("/")[0], seen)
    return seen


@functools.cache
def code_version() -> str:
    """Version of the package with a digest of the source files that influence results."""
    digest = hashlib.sha256()
    for path in deciding_sources():
        content = path.read_bytes()
        name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return f"{__version__}+{digest.hexdigest()[:16]}"
