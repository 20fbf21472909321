"""The command ``barkhausen recipes``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.core.files.recipes import SUFFIX, shipped_recipes

PACKAGE = Path(__file__).parents[1]


class Shipped(NamedTuple):
    """A file of the package that users copy and change."""

    path: Path
    command: str

    @property
    def about(self) -> str:
        """First sentence of the comment at the head of the file."""
        comment = re.match(r"(?:# ?.*\n)*", self.path.read_text(encoding="utf-8"))
        assert comment is not None
        text = " ".join(line.lstrip("# ") for line in comment[0].partition("\n#\n")[0].splitlines())
        return re.split(r"[.:] (?=\D)|\.$", text, maxsplit=1)[0]


def shipped_files() -> dict[str, Shipped]:
    """All of them by name: recipes, the default chip, and the parameters of the shipped devices."""
    return dict(_shipped())


def _shipped() -> Iterator[tuple[str, Shipped]]:
    for name, path in shipped_recipes().items():
        yield name, Shipped(path, f"{_command(path) or 'train'} {name}")
    for path in sorted((PACKAGE / "synapse" / "crossbar" / "chips").glob(f"*{SUFFIX}")):
        yield f"{path.stem}-chip", Shipped(path, "infer RUN --crossbar FILE")
    for path in sorted((PACKAGE / "device" / "shipped").glob(f"*{SUFFIX}")):
        yield path.stem, Shipped(path, f"{_command(path) or 'characterize'} FILE")


def _command(path: Path) -> str | None:
    """The command that the comment of a file calls with its name."""
    named = re.search(rf"barkhausen ([\w-]+) {re.escape(path.stem)}\b", path.read_text(encoding="utf-8"))
    return None if named is None else named[1]


def _complete(incomplete: str) -> list[str]:
    return [name for name in shipped_files() if name.startswith(incomplete)]


def recipes(
    name: Annotated[
        str | None, typer.Argument(help="Recipe to print or copy. Default: all.", autocompletion=_complete)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Copy to this file, which must not exist yet, or into this directory.")
    ] = None,
) -> None:
    """List, print or copy the recipes, sweep files, chips and device parameters that come with the package."""
    files = shipped_files()
    if name is not None and name not in files:
        raise InputError(f"{name}: no recipe of the package{did_you_mean(name, files)}")
    if out is not None:
        for chosen in files if name is None else [name]:
            into = name is None or out.is_dir()
            typer.echo(f"copied to {_copied(files[chosen].path, out / f'{chosen}{SUFFIX}' if into else out)}")
    elif name is not None:
        typer.echo(files[name].path.read_text(encoding="utf-8"), nl=False)
    else:
        _list(files)


def _copied(path: Path, target: Path) -> Path:
    from barkhausen.core.files import atomic_write

    if target.exists():
        raise InputError(f"{target}: exists already; choose another --out")
    atomic_write(target, path.read_bytes())
    return target


def _list(files: dict[str, Shipped]) -> None:
    from rich.table import Table

    from barkhausen.cli.terminal.console import wide_console

    table = Table("name", "command", "what it is")
    for name, file in files.items():
        table.add_row(name, f"barkhausen {file.command}", file.about)
    wide_console().print(table)
    typer.echo("barkhausen recipes NAME --out FILE copies one, to be changed")
