"""Pages and figures of a device that several commands write."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import typer

from barkhausen.core.errors import InputError
from barkhausen.device.characterised import CharacterisedDevice

FIGURES = (".pdf", ".png", ".svg")
"""Endings of figures."""


def write_page(device: Any, report: str, file: Path) -> None:
    """Write the page about a device.

    Args:
        device: Device of any kind that has a page.
        report: File or directory of the page; empty: the directory of the device file.
        file: Device file, after which the page is named.

    Raises:
        InputError: The page cannot be written.
    """
    from barkhausen.experiment.characterisation.states import history_beside
    from barkhausen.report.device.page import page_path, write_device_report
    from barkhausen.report.device_kind import write_kind_page

    path = page_path(report, file.stem, file.parent)
    if isinstance(device, CharacterisedDevice):
        write_device_report(device, path, history=history_beside(file))
    else:
        write_kind_page(device, path, name=file.stem, history=history_beside(file))
    typer.echo(f"report in {path}")


def write_figure(device: Any, path: Path) -> None:
    """Write the figure of a device for a paper.

    Args:
        device: Device.
        path: File that ends in .pdf, .png or .svg.

    Raises:
        InputError: The ending is another, or the file cannot be written.
    """
    save_figure(device.plot(), path)


def save_figure(axes: Any, path: Path) -> None:
    """Write a drawn figure to a file that ends in .pdf, .png or .svg.

    Raises:
        InputError: The ending is another, or the file cannot be written.
    """
    if path.suffix.lower() not in FIGURES:
        raise InputError(f"--figure {path}: must end in {', '.join(FIGURES[:-1])} or {FIGURES[-1]}")
    from barkhausen.core.files import atomic_write

    content = io.BytesIO()
    figure: Any = axes.figure
    figure.savefig(content, format=path.suffix[1:].lower())
    atomic_write(path, content.getvalue())
    typer.echo(f"figure in {path}")
