"""Modules of this folder as extensions, for one test module at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from barkhausen.core.registry import EXTENSIONS, Registry, load_extensions

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def extensions() -> Iterator[Callable[..., dict[str, str]]]:
    """``extensions(module, [registry, …])``: load a module; what it registers is gone after the tests of the file.

    Returns the environment in which a process finds the module.
    """
    patch = pytest.MonkeyPatch()
    before: list[tuple[Registry[object], dict[str, object]]] = []
    modules: list[str] = []

    def load(module: str, registries: list[Registry[object]]) -> dict[str, str]:
        before.extend((registry, dict(registry)) for registry in registries)
        modules.append(module)
        patch.syspath_prepend(str(HERE))
        patch.setenv(EXTENSIONS, module)
        load_extensions()
        path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH", "")]))
        return {**os.environ, "PYTHONPATH": path}

    yield load
    patch.undo()
    for name in modules:
        sys.modules.pop(name, None)
    for registry, entries in before:
        registry.clear()
        registry.update(entries)
