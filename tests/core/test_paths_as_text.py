"""Every public function that reads, writes or loads takes a path as text or as ``Path``."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import barkhausen
from barkhausen.core.errors import InputError
from barkhausen.device import gaussian_device, read_device, write_device
from barkhausen.micromagnetics import Film, Grid, material, read_ovf, write_ovf

OTHER_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "barkhausen.data.idx.read_idx": (3, "0" * 32),
    "barkhausen.data.nsl_kdd.read_connections": ("0" * 32,),
}
"""Arguments after the path, of readers that need more."""


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Public functions of the package by full name, but for the command line."""
    for module in pkgutil.walk_packages(barkhausen.__path__, "barkhausen."):
        # Compiled libraries are no modules of Python.
        if module.name.startswith("barkhausen.cli") or module.name.rpartition(".")[2].startswith("_"):
            continue
        found = importlib.import_module(module.name)
        for name, function in vars(found).items():
            named = name.startswith(("read_", "write_", "load_"))
            if named and inspect.isfunction(function) and function.__module__ == module.name:
                yield f"{module.name}.{name}", function


FUNCTIONS = dict(functions())
PATHS = {
    name: [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if "Path" in str(parameter.annotation)
    ]
    for name, function in FUNCTIONS.items()
}


def single(name: str) -> bool:
    """Whether the function reads one path, which is its first argument and must exist."""
    first = next(iter(inspect.signature(FUNCTIONS[name]).parameters.values()))
    reads = name.rpartition(".")[2].startswith(("read", "load"))
    return reads and set(str(first.annotation).split(" | ")) >= {"str", "Path"}


@pytest.mark.parametrize("name", [name for name, parameters in PATHS.items() if parameters])
def test_a_path_may_be_text(name: str) -> None:
    for parameter in PATHS[name]:
        annotation = str(parameter.annotation)
        if annotation.startswith(("tuple", "Mapping")):  # a path with its checksum, or names of paths
            continue
        assert "str" in annotation.replace("[", " ").replace("]", " ").split(), f"{parameter}: give it str | Path"


@pytest.mark.parametrize("name", list(filter(single, FUNCTIONS)))
def test_a_missing_file_is_the_same_line_either_way(name: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    lines = []
    for path in (missing, str(missing)):
        with pytest.raises(InputError) as error:
            FUNCTIONS[name](path, *OTHER_ARGUMENTS.get(name, ()))
        lines.append(str(error.value))
    assert lines[0] == lines[1]
    assert "missing" in lines[0]


def test_the_functions_that_users_call_are_among_them() -> None:
    found = {name.rpartition(".")[2] for name in FUNCTIONS}
    assert {"read_device", "write_device", "read_ovf", "write_ovf", "load_recipe", "load_sweep", "load_chip"} < found
    assert {"load_table", "load_chips", "load_run", "load_trained", "load_dataset", "write_report"} < found


def test_a_device_file_named_by_text_is_written_and_read(tmp_path: Path) -> None:
    device = str(tmp_path / "device.nc")
    write_device(gaussian_device(3), device)
    assert read_device(device).states == 3


def test_a_magnetisation_file_named_by_text_is_written_and_read(tmp_path: Path) -> None:
    pytest.importorskip("discretisedfield")
    state = str(tmp_path / "state.ovf")
    film = Film(Grid(4, 3, 2e-9, 2e-9, 1e-9), material("cofeb-tungsten"))
    m = torch.zeros(3, 4, 3)
    m[2] = 1.0
    write_ovf(state, film, m)
    assert torch.equal(read_ovf(state)[0], m)
