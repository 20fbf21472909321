"""Modules of version 0.1.0 under their old names: scripts that import from them keep working, with a warning."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from barkhausen.core.renamed import deprecated

MODULES: dict[str, tuple[str, ...]] = {
    "errors": ("core.errors",),
    "progress": ("core.progress",),
    "validation": ("core.config",),
    "device.characterise": ("device.domain_wall.characterise",),
    "device.ensemble": ("device.domain_wall.ensemble",),
    "device.mumax3_tables": ("device.importers.mumax3",),
    "device.parameters": ("device.domain_wall.parameters",),
    "device.retention": ("device.domain_wall.retention",),
    "experiment.characterise": ("experiment.characterisation.states",),
    "experiment.chip_inference": ("experiment.chip.inference",),
    "experiment.dataset": ("data.base",),
    "experiment.datasets": ("data",),
    "experiment.mlflow_log": ("experiment.logs.mlflow",),
    "experiment.report": ("report.runs.page",),
    "experiment.reproduce": ("reproduce.run",),
    "experiment.run_log": ("experiment.logs.base",),
    "experiment.sweep": ("sweep", "results"),
    "experiment.sweep.conditions": ("results.conditions",),
    "experiment.sweep.engine": ("sweep.engine",),
    "experiment.sweep.read": ("results.read",),
    "experiment.sweep.statistics": ("results.statistics",),
    "experiment.sweep.summarise": ("results.summarise",),
    "learning.transfer": ("learning.chips",),
    "micromagnetics.anisotropy_map": ("micromagnetics.geometry.anisotropy_map",),
    "micromagnetics.constants": ("core.units",),
    "micromagnetics.integrators.relax": (
        "micromagnetics.equilibrium.relax",
        "micromagnetics.equilibrium.minimize",
        "micromagnetics.equilibrium.rest",
    ),
    "micromagnetics.initial": ("micromagnetics.states",),
    "micromagnetics.mumax3_script": ("micromagnetics.mumax3.script",),
}
"""Old modules that the documentation named, with those that took their place; names below ``barkhausen``."""

PACKAGE = "barkhausen."


class _Moved(Loader):
    """Makes a module whose names are those of the new ones."""

    def __init__(self, homes: tuple[str, ...]) -> None:
        self.homes = homes

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty module that looks names up in the new ones."""
        module = ModuleType(spec.name, f"Moved to {', '.join(self.homes)}.")
        parent, _, own = spec.name.rpartition(".")
        # A function of the package may have the name of the old module, which Python puts in its place on import.
        hidden = getattr(sys.modules[parent], own, None)

        def find(name: str) -> object:
            if callable(hidden):
                setattr(sys.modules[parent], own, hidden)
            for home in self.homes:
                try:
                    return getattr(importlib.import_module(home), name)
                except AttributeError:
                    continue
            raise AttributeError(f"module {spec.name!r} has no attribute {name!r}")

        module.__getattr__ = find  # type: ignore[method-assign]
        # For the modules that it held, if it was a package.
        module.__path__ = []
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to run."""


class _Finder(MetaPathFinder):
    """Finds the old modules; asked after all finders of Python's own."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module under its old name, or None."""
        homes = MODULES.get(fullname.removeprefix(PACKAGE)) if fullname.startswith(PACKAGE) else None
        if homes is None:
            return None
        full = tuple(PACKAGE + home for home in homes)
        deprecated(fullname, " and ".join(full))
        return ModuleSpec(fullname, _Moved(full), is_package=True)


def install() -> None:
    """Make the old names importable."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
