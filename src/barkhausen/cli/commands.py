"""Table of the commands, and the group that imports the module of a command when it is first needed.

A new command is a module of this package with a function, and a line of :data:`COMMANDS`. Modules of commands import
torch, numpy, xarray and what needs them inside the function: ``barkhausen --help`` imports every one of these modules.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, MutableMapping
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from barkhausen.cli.terminal.optional_values import Command

COMMANDS = {
    "train": "barkhausen.cli.train:train",
    "reproduce": "barkhausen.cli.reproduce:reproduce",
    "report": "barkhausen.cli.report:report",
    "devices": "barkhausen.cli.device.devices:devices",
    "compare": "barkhausen.cli.device.compare:compare",
    "characterize": "barkhausen.cli.device.characterize:characterize",
    "characterize-pulses": "barkhausen.cli.device.characterize_pulses:characterize_pulses",
    "design": "barkhausen.cli.device.design:design",
    "export": "barkhausen.cli.export:export",
    "infer": "barkhausen.cli.infer:infer",
    "uncertainty": "barkhausen.cli.uncertainty:uncertainty",
    "energy": "barkhausen.cli.energy:energy",
    "cmos": "barkhausen.cli.cmos:cmos",
    "retention": "barkhausen.cli.retention:retention",
    "sweep": "barkhausen.cli.sweep:sweep",
    "recipes": "barkhausen.cli.recipes:recipes",
    "table": "barkhausen.cli.table:table",
    "import-device": "barkhausen.cli.device.import_device:import_device",
    "import-pulses": "barkhausen.cli.device.import_pulses:import_pulses",
    "import-neuron": "barkhausen.cli.device.import_neuron:import_neuron",
    "export-device": "barkhausen.cli.device.export_device:export_device",
    "import-mumax3": "barkhausen.cli.device.mumax3:import_mumax3",
    "export-mumax3": "barkhausen.cli.device.mumax3:export_mumax3",
    "backends": "barkhausen.cli.backends:backends",
    "version": "barkhausen.cli.version:version",
}
"""Module and function of each command, in the order in which ``barkhausen --help`` lists them."""


class LoadedWhenNeeded(MutableMapping[str, Any]):
    """Commands of click by name, each made from its function when it is looked up.

    Args:
        places: ``module:function`` of each command.
    """

    def __init__(self, places: dict[str, str]) -> None:
        self.places = dict(places)
        self.loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self.loaded:
            self.loaded[name] = _command(name, self.places[name])
        return self.loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self.places.setdefault(name, "")
        self.loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self.places[name]
        self.loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


def _command(name: str, place: str) -> Any:
    module, _, function = place.partition(":")
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command(name, cls=Command)(getattr(importlib.import_module(module), function))
    return get_command(single)


class Commands(TyperGroup):
    """The group of :data:`COMMANDS`: only the module of the command that is called is imported."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LoadedWhenNeeded(COMMANDS)

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the commands; none is imported."""
        return list(self.commands)
