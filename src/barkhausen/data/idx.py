"""IDX, the format of the MNIST files, and data sets of four such files.

Two zero bytes, one byte for the type of the elements (0x08: unsigned byte), one for the number of dimensions;
the length of each dimension as a big-endian 32-bit integer; the elements, last dimension fastest. Y. LeCun,
C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits", section "File formats".
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.files.reading import read_bytes, unpacked
from barkhausen.data.base import Dataset
from barkhausen.data.published import PublishedFile, PublishedFiles, check_sum

UNSIGNED_BYTE = 0x08
"""The IDX code of the only element type the published data sets use."""

MOST_BYTES = 256_000_000
"""Largest unpacked file that is read; the largest published one has 47 MB."""


def parse_idx(content: bytes, dimensions: int, origin: str) -> UInt8[np.ndarray, "*shape"]:
    """Turn the content of an IDX file of unsigned bytes into a read-only array.

    Args:
        content: The whole file, unpacked.
        dimensions: Number of dimensions that the array must have: 3 for images, 1 for labels.
        origin: Name of the file in error messages.

    Raises:
        InputError: Another type of file, element or number of dimensions; an empty dimension; more or fewer
            elements than the header declares.
    """
    if len(content) < 4:
        raise InputError(f"{origin}: has {len(content)} bytes, too few for an IDX file")
    expected = bytes((0, 0, UNSIGNED_BYTE, dimensions))
    if content[:4] != expected:
        raise InputError(f"{origin}: begins with the magic number 0x{content[:4].hex()}, not 0x{expected.hex()}")
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise InputError(f"{origin}: ends inside its header, after {len(content)} of {header} bytes")
    shape = tuple(int(length) for length in np.frombuffer(content, dtype=">u4", count=dimensions, offset=4))
    declared = " by ".join(str(length) for length in shape)
    if 0 in shape:
        raise InputError(f"{origin}: declares {declared} = 0 elements")
    # Python's integers, because four such lengths overflow a machine word in a damaged header.
    elements = math.prod(shape)
    if len(content) - header != elements:
        raise InputError(
            f"{origin}: declares {declared} = {elements} elements, but {len(content) - header} follow its header"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def read_idx(path: str | Path, dimensions: int, checksum: str | None) -> UInt8[np.ndarray, "*shape"]:
    """Read an IDX file of unsigned bytes, gzip-compressed if its name ends in ``.gz``.

    Args:
        path: The file.
        dimensions: Number of dimensions that the array must have.
        checksum: Of the file as it lies on the disk: an MD5 in hexadecimal, or ``sha256:`` and a SHA-256.

    Raises:
        InputError: The file cannot be read, is damaged, or has another checksum.
            Damage is looked for first, because it tells the user more than a checksum.
    """
    path = Path(path)
    stored = read_bytes(path, binary=True)
    content = unpacked(stored, str(path), MOST_BYTES) if path.suffix == ".gz" else stored
    array = parse_idx(content, dimensions, str(path))
    check_sum(path, stored, checksum)
    return array


def idx_files(
    train_images: tuple[str, ...],
    train_labels: tuple[str, ...],
    test_images: tuple[str, ...],
    test_labels: tuple[str, ...],
) -> tuple[PublishedFile, ...]:
    """The four files of MNIST's layout, from the MD5s of their packed and unpacked forms, then their SHA-256s."""
    return (
        PublishedFile("train-images-idx3-ubyte", *train_images),
        PublishedFile("train-labels-idx1-ubyte", *train_labels),
        PublishedFile("t10k-images-idx3-ubyte", *test_images),
        PublishedFile("t10k-labels-idx1-ubyte", *test_labels),
    )


def load_idx(published: PublishedFiles, classes: int, data_dir: str | Path | None, allow_download: bool) -> Dataset:
    """Find, read and verify a data set of four IDX files.

    Args:
        published: The files: training images and labels, test images and labels.
        classes: Number of classes.
        data_dir: Root directory that the user names.
        allow_download: Whether the network may be used.

    Raises:
        DataNotFoundError: The files are nowhere to be found.
        InputError: One is damaged, is not the published one, or does not fit the others.
    """
    data_dir = None if data_dir is None else Path(data_dir)
    root, source = published.find(data_dir, allow_download=allow_download)
    (train_images, train_labels, test_images, test_labels) = (published.present(file, root) for file in published.files)
    train_inputs, train_shape = _images(*train_images)
    test_inputs, test_shape = _images(*test_images)
    if train_shape != test_shape:
        raise InputError(f"{test_images[0]}: images of {test_shape} pixels, but those for training have {train_shape}")
    return Dataset(
        name=published.name,
        source=source,
        train_inputs=train_inputs,
        train_labels=_labels(*train_labels, len(train_inputs), classes),
        test_inputs=test_inputs,
        test_labels=_labels(*test_labels, len(test_inputs), classes),
        image_shape=train_shape,
        classes=classes,
    )


def _images(path: Path, checksum: str | None) -> tuple[Float[Tensor, "sample feature"], tuple[int, ...]]:
    """Pixels in [0, 1], and rows and columns of an image."""
    pixels = read_idx(path, 3, checksum)
    return torch.from_numpy(pixels.astype(np.float32)).div_(255).flatten(1), pixels.shape[1:]


def _labels(path: Path, checksum: str | None, images: int, classes: int) -> Int[Tensor, " sample"]:
    labels = read_idx(path, 1, checksum)
    if len(labels) != images:
        raise InputError(f"{path}: {len(labels)} labels for {images} images")
    if labels.max() >= classes:
        raise InputError(f"{path}: label {labels.max()}, but the classes are 0 to {classes - 1}")
    return torch.from_numpy(labels.astype(np.int64))
