"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Root of the data sets (torchvision's layout: MNIST/raw, FashionMNIST/raw)."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Delete what the directory holds and start again.")]
