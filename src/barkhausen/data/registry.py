"""Data sets by name: how one is loaded, and what is known of it without its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from barkhausen.core.config import NoOptions, Parameters, validated
from barkhausen.core.registry import Registry
from barkhausen.data.base import Dataset


@dataclass(frozen=True)
class DatasetEntry:
    """One data set.

    Attributes:
        name: Value of ``dataset.name`` in a recipe.
        label: Name on pages.
        load: Function of the root directory that the user names (or None) and whether the network may be used, that
            returns the data set. Of a data set with options, they are a third argument.
        task: Name of the task.
        image_shape: Shape of an image, so that exporting a network does not need its data; None where it follows from
            the files or, as the property ``image_shape`` of its options, from them.
        classes: Number of classes; None where it follows from the files.
        citation: Where the data set was published.
        options: Model of the recipe's table ``[dataset.options]``.
    """

    name: str
    label: str
    load: Callable[..., Dataset]
    task: str = "classification"
    image_shape: tuple[int, ...] | None = None
    classes: int | None = None
    citation: str = ""
    options: type[Parameters] = NoOptions

    def shape_of_image(self, options: Parameters) -> tuple[int, ...] | None:
        """Shape of an image; None where only the files tell it."""
        shape: tuple[int, ...] | None = getattr(options, "image_shape", self.image_shape)
        return shape


DATASETS: Registry[DatasetEntry] = Registry("data set", "dataset.name")
"""Data sets."""


def load_dataset(
    name: str, data_dir: str | Path | None = None, *, allow_download: bool = True, options: Any = None
) -> Dataset:
    """Load a data set from the first place that has it.

    See :meth:`.PublishedFiles.find` for the places. Digits and Mackey-Glass need none; NSL-KDD and series are never
    downloaded.

    Args:
        name: ``mnist``, ``fashion-mnist``, ``cifar10``, ``nsl-kdd``, ``digits`` or another registered data set.
        data_dir: Root directory of the data sets.
        allow_download: Whether the network may be used.
        options: Options of the data set's own, as a dictionary or its model. Default: its defaults.

    Raises:
        DataNotFoundError: The files are in none of the places, and downloading failed or is not allowed.
        InputError: The name is unknown; the directory named by the user does not exist or lacks a file; a file in any
            place is damaged or is not the published one.
    """
    data_dir = None if data_dir is None else Path(data_dir)
    entry = DATASETS.named(name)
    own = options if isinstance(options, entry.options) else validated(entry.options, dict(options or {}), name)
    given = () if entry.options is NoOptions else (own,)
    return entry.load(data_dir, allow_download, *given)
