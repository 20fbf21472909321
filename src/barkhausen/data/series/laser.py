"""Intensity of a far-infrared laser in a chaotic state: data set A of the Santa Fe competition, with its continuation.

U. Hübner, N. B. Abraham, C. O. Weiss, Phys. Rev. A 40, 6354 (1989); A. S. Weigend, N. A. Gershenfeld (eds.), *Time
Series Prediction* (1994).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from barkhausen.core.errors import InputError
from barkhausen.core.files.reading import read_bytes
from barkhausen.data.published import PublishedFile, PublishedFiles
from barkhausen.data.registry import DATASETS, DatasetEntry
from barkhausen.data.series.table import check_values
from barkhausen.data.series.windows import TASK, SeriesDataset, SeriesOptions, windows_of

FILES = PublishedFiles(
    name="santa-fe-laser",
    folder="santafe-laser",
    home="the Santa Fe time series competition, data set A and its continuation, as an array santafe_laser.npy of "
    "10 093 numbers from 0 to 255",
    files=(PublishedFile("santafe_laser.npy", None, "528b4552769efd9374eebb41303331fe"),),
)

SAMPLES: Final = 10_093
SHA256: Final = "689ca4a00ccb988404a177225c6b22b9cb21e1f5b10108b8fdcb583d67ad1b15"


class LaserOptions(SeriesOptions):
    """The table ``[dataset.options]``; a third of the samples trains."""

    look_back: Annotated[int, Field(ge=1)] = 20
    split: Annotated[float, Field(gt=0, lt=1)] = 1 / 3


def load(data_dir: Path | None, allow_download: bool, options: LaserOptions) -> SeriesDataset:
    """Find, read and verify the series; windows of it.

    Raises:
        DataNotFoundError: The file is nowhere to be found.
        InputError: It is damaged or holds other values, or the windows do not fit.
    """
    root, source = FILES.find(data_dir, allow_download=allow_download)
    path, _ = FILES.present(FILES.files[0], root)
    try:
        # Without pickles, an array of objects cannot be loaded, and so runs nothing.
        values = np.load(io.BytesIO(read_bytes(path, binary=True)), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{path}: is no array of numpy ({str(error)[:100]})") from None
    if values.size != SAMPLES or values.dtype.kind not in "iuf":
        raise InputError(f"{path}: must hold {SAMPLES} numbers, has {values.size} of the type {values.dtype}")
    series = values.reshape(-1).astype(np.float64)
    check_values(path, series.tolist(), SHA256)
    return windows_of(FILES.name, source, series, "counts", options)


LASER = DATASETS.register(
    "santa-fe-laser",
    DatasetEntry(
        name="santa-fe-laser",
        label="Santa Fe laser",
        load=load,
        task=TASK,
        classes=1,
        citation="U. Hübner, N. B. Abraham, C. O. Weiss, Phys. Rev. A 40, 6354 (1989)",
        options=LaserOptions,
    ),
)
