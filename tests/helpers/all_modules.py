"""Every Python module of the package, imported."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.machinery import EXTENSION_SUFFIXES


def import_all_modules() -> None:
    """Import all but ``__main__``, which runs, and the compiled libraries, which are not modules."""
    import barkhausen  # noqa: PLC0415  # who only starts a server needs no import

    for module in pkgutil.walk_packages(barkhausen.__path__, "barkhausen."):
        spec = module.module_finder.find_spec(module.name, None)  # type: ignore[call-arg]
        compiled = spec is not None and str(spec.origin).endswith(tuple(EXTENSION_SUFFIXES))
        if not compiled and not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
