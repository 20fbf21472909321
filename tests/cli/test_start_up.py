"""The command line answers at once: help, version and completion import nothing that computes."""

from __future__ import annotations

import ast
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

import barkhausen.cli
from barkhausen.cli.commands import COMMANDS

CPU_SECONDS = 0.5
HEAVY = (
    "torch",
    "numpy",
    "scipy",
    "xarray",
    "pandas",
    "h5netcdf",
    "pydantic",
    "dask",
    "plotly",
    "sklearn",
    "matplotlib",
)


def cpu_seconds(*arguments: str, **environment: str) -> tuple[float, str]:
    """CPU time of the first of three starts that is short enough, or else of the quickest, and the output."""
    taken, output = [math.inf], ""
    while len(taken) <= 3 and min(taken) >= CPU_SECONDS:
        with subprocess.Popen(
            [sys.executable, "-m", "barkhausen", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        ) as process:
            assert process.stdout is not None
            output = process.stdout.read()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, arguments
        taken.append(used.ru_utime + used.ru_stime)
    return min(taken), output


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="the system does not tell the time of one child")
@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["train", "--help"], ["import-device", "--help"]])
def test_help_and_version_take_under_half_a_second_of_cpu(arguments: list[str]) -> None:
    seconds, output = cpu_seconds(*arguments)
    assert output
    assert seconds < CPU_SECONDS


def test_no_command_imports_what_computes_before_it_is_called() -> None:
    code = f"""
import sys
from barkhausen.cli.commands import COMMANDS, LoadedWhenNeeded
for name, command in LoadedWhenNeeded(COMMANDS).items():
    assert command.name == name
    for heavy in {HEAVY}:
        assert heavy not in sys.modules, f"{{name}} imports {{heavy}}; import it inside the function"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_command_has_a_help_text_and_an_entry() -> None:
    folder = Path(barkhausen.cli.__file__).parent
    for place in COMMANDS.values():
        module, _, function = place.partition(":")
        below = module.removeprefix("barkhausen.cli.").replace(".", "/")
        tree = ast.parse((folder / f"{below}.py").read_text(encoding="utf-8"))
        found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
        assert found, place
        assert ast.get_docstring(found[0]), place
    modules = {place.partition(":")[0].rpartition(".")[2] for place in COMMANDS.values()}
    others = {"__init__", "app", "commands"}
    held = {path.stem for place in (folder, folder / "device") for path in place.glob("*.py")}
    assert held == modules | others


def test_only_the_module_of_the_command_is_imported() -> None:
    code = """
import sys
from barkhausen.cli.app import app
sys.argv = ["barkhausen", "version"]
app(standalone_mode=False)
loaded = {name for name in sys.modules if name.startswith("barkhausen.cli.")}
assert "barkhausen.cli.version" in loaded
assert not loaded & {"barkhausen.cli.train", "barkhausen.cli.device.devices"}, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True)
