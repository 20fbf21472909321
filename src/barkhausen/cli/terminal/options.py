"""Options that several commands share."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Root of the data sets (torchvision's layout: MNIST/raw, FashionMNIST/raw)."),
]
ResultsFile = Annotated[Path | None, typer.Option("--out", help="Write all results to this JSON file.")]
PageFile = Annotated[Path | None, typer.Option("--report", help="Write a page about it.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Delete what the directory holds and start again.")]
AllowCode = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-code",
        metavar="MODULE",
        help="Module of your own that network.factory may name; its code is executed. May be repeated.",
    ),
]
DeviceReport = Annotated[
    str | None,
    typer.Option(
        "--report",
        metavar="[PATH]",
        help="Write a page about the device: file (.html) or directory. Without a value: beside the device file.",
    ),
]


class Plotly(str, Enum):
    """Where pages have plotly.js from."""

    EMBED = "embed"
    LINK = "link"


def _choose_plotly(plotly: Plotly) -> Plotly:
    from barkhausen.report.plotly_source import choose_source

    choose_source(plotly.value)
    return plotly


PlotlyChoice = Annotated[
    Plotly,
    typer.Option(
        "--plotly",
        callback=_choose_plotly,
        help="embed: plotly.js is in the page (5 MB), which works offline. link: a small page loads it from "
        "cdn.plot.ly.",
    ),
]
"""Where pages have plotly.js from; takes effect when the command line is read."""
