"""The command line of ``barkhausen``; ``barkhausen --help`` lists its commands.

Exit codes: 0 success; 2 wrong input (one line, no traceback); 130 interrupted (the same command resumes); 1 any other
error, such as a full disk.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer

from barkhausen.cli.commands import Commands
from barkhausen.cli.terminal.failures import failure_in_words
from barkhausen.core.display.streams import print_anything
from barkhausen.core.errors import BarkhausenError, InputWarning, one_line
from barkhausen.core.registry import warn_of_extensions
from barkhausen.core.renamed import RenamedWarning
from barkhausen.version import __version__

FAILURE, WRONG_INPUT, INTERRUPTED = 1, 2, 130

app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """From micromagnetics to picojoules: deep networks on stochastic magnetic devices."""
    if "--help" not in sys.argv:
        warn_of_extensions()


def main() -> None:
    """Entry point of the command ``barkhausen``."""
    with warnings.catch_warnings():
        # Python hides deprecation warnings from users, but the author of a recipe can fix these.
        warnings.simplefilter("once", RenamedWarning)
        warnings.simplefilter("once", InputWarning)
        warnings.showwarning = _shown(warnings.showwarning)
        _run()


def _run() -> None:
    print_anything()
    try:
        code = app(standalone_mode=False)
    except BarkhausenError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        # A usage error; its class comes from a package that depends on the version of typer.
        if not hasattr(error, "format_message"):
            line = failure_in_words(error)
            if line is None:
                raise
            _fail(line, code=FAILURE)
        # Typer checks values with pydantic, whose words for any error these are.
        _fail(one_line(error.format_message().replace(": Value error, ", ": ")))
    # Typer itself turns Ctrl-C into this code.
    if code == INTERRUPTED:
        typer.echo("interrupted; the same command resumes from what is complete", err=True)
    sys.exit(code if isinstance(code, int) else 0)


def _shown(otherwise: Callable[..., None]) -> Callable[..., None]:
    """A display of warnings that shows changed names and doubtful input as one line each, others as before."""

    def show(message: Warning | str, category: type[Warning], *place: Any) -> None:
        if issubclass(category, (RenamedWarning, InputWarning)):
            typer.echo(f"barkhausen: {message}", err=True)
        else:
            otherwise(message, category, *place)

    return show


def _fail(line: str, code: int = WRONG_INPUT) -> NoReturn:
    # Without a command, typer prints only the help.
    if line:
        typer.echo(f"barkhausen: {line}", err=True)
    sys.exit(code)
