"""Data sets by name: how one is loaded, and what is known of it without its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from barkhausen.core.registry import Registry
from barkhausen.data.base import Dataset


@dataclass(frozen=True)
class DatasetEntry:
    """One data set.

    Attributes:
        name: Value of ``dataset.name`` in a recipe.
        label: Name on pages.
        load: Function of the root directory that the user names (or None) and whether the network may be used, that
            returns the data set.
        task: Name of the task.
        image_shape: Shape of an image, so that exporting a network does not need its data; None where it follows from
            the files.
        classes: Number of classes; None where it follows from the files.
        citation: Where the data set was published.
    """

    name: str
    label: str
    load: Callable[[Path | None, bool], Dataset]
    task: str = "classification"
    image_shape: tuple[int, ...] | None = None
    classes: int | None = None
    citation: str = ""


DATASETS: Registry[DatasetEntry] = Registry("data set", "dataset.name")
"""Data sets."""


def load_dataset(name: str, data_dir: str | Path | None = None, *, allow_download: bool = True) -> Dataset:
    """Load a data set from the first place that has it.

    See :meth:`.PublishedFiles.find` for the places. Digits need none, and NSL-KDD is never downloaded.

    Args:
        name: ``mnist``, ``fashion-mnist``, ``nsl-kdd``, ``digits`` or another registered data set.
        data_dir: Root directory of the data sets.
        allow_download: Whether the network may be used.

    Raises:
        DataNotFoundError: The files are in none of the places, and downloading failed or is not allowed.
        InputError: The name is unknown; the directory named by the user does not exist or lacks a file; a file in any
            place is damaged or is not the published one.
    """
    data_dir = None if data_dir is None else Path(data_dir)
    return DATASETS.named(name).load(data_dir, allow_download)
