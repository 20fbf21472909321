"""CIFAR-10: photographs of ten classes in three colours.

The binary version: a record of 3073 bytes for each image, its label and then its red, green and blue pixels, rows
first (A. Krizhevsky, *Learning multiple layers of features from tiny images*, 2009). It is read from the original
archive, which is never unpacked onto the disk, or from its six files, which may be packed with xz. The Python version,
a pickle, is not read.

Copies with the records in another order are in use. So the records are checked as a set, each by its SHA-256, and are
put in the order of these digests: every copy gives the same data set, and the same split for validation.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from barkhausen.core.errors import InputError
from barkhausen.core.files.reading import check_file, read_bytes, unpacked_xz
from barkhausen.data.base import Dataset
from barkhausen.data.published import PublishedFile, PublishedFiles, check_sum
from barkhausen.data.registry import DATASETS, DatasetEntry

CLASSES = 10
IMAGE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32

TRAIN_FILES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_FILE = "test_batch.bin"

FILES = PublishedFiles(
    name="cifar10",
    folder="cifar-10-batches-bin",
    address="https://www.cs.toronto.edu/~kriz/",
    files=tuple(PublishedFile(name, packing="xz") for name in (*TRAIN_FILES, TEST_FILE)),
    archive=PublishedFile("cifar-10-binary.tar.gz", packed_md5="c32a1d4ab5d03f1284b67883e8d87530"),
)
"""The original archive with its published MD5, and the files in it."""


@dataclass(frozen=True)
class Records:
    """What is known of one part of a published set of records.

    Attributes:
        count: Number of records.
        digest: SHA-256 of the sorted SHA-256 digests of all records.
    """

    count: int
    digest: str


TRAIN = Records(50_000, "55a61f79a40ece2ceda9fb5f9f7078f6ea2fc4952489cef56682bcf92cfcc260")
TEST = Records(10_000, "325704b01eb92e1e2a6215ae6a916bb7db7de054af0c496be1c7be2e0fcfbf5f")


def load(files: PublishedFiles, train: Records, test: Records, data_dir: Path | None, allow_download: bool) -> Dataset:
    """Find, read and verify the archive or the files.

    Args:
        files: The archive and the files: those for training, then the one for testing.
        train, test: Records of both parts.
        data_dir: Root directory that the user names.
        allow_download: Whether the network may be used.

    Raises:
        DataNotFoundError: The files are nowhere to be found.
        InputError: One is damaged or is not the published one.
    """
    root, source = files.find(data_dir, allow_download=allow_download)
    most = RECORD * max(train.count, test.count)
    archive = files.packed_together(root)
    contents = _from_folder(files, root, most) if archive is None else _from_archive(files, archive, most)
    origin = str(archive or root / files.folder)
    names = [file.name for file in files.files]
    train_records = sorted_records([contents[name] for name in names[:-1]], train, origin, "training")
    test_records = sorted_records([contents[names[-1]]], test, origin, "test")
    return Dataset(
        name=files.name,
        source=source,
        train_inputs=_pixels(train_records),
        train_labels=torch.from_numpy(train_records[:, 0].astype(np.int64)),
        test_inputs=_pixels(test_records),
        test_labels=torch.from_numpy(test_records[:, 0].astype(np.int64)),
        image_shape=IMAGE,
        classes=CLASSES,
    )


def sorted_records(contents: list[bytes], known: Records, origin: str, part: str) -> UInt8[np.ndarray, "image byte"]:
    """The records of some files in the order of their digests, verified as a set.

    Args:
        contents: Content of each file.
        known: What is known of the records.
        origin: Name of their source for messages.
        part: Name of the part for messages.

    Raises:
        InputError: A file does not consist of whole records, or they are not the published ones.
    """
    for content in contents:
        if not content or len(content) % RECORD:
            raise InputError(f"{origin}: a {part} file of {len(content)} bytes: records have {RECORD} bytes each")
    whole = b"".join(contents)
    count = len(whole) // RECORD
    if count != known.count:
        raise InputError(f"{origin}: {count} {part} images where the published set has {known.count}")
    view = memoryview(whole)
    digests = [hashlib.sha256(view[start : start + RECORD]).digest() for start in range(0, len(whole), RECORD)]
    order = sorted(range(count), key=digests.__getitem__)
    found = hashlib.sha256(b"".join(digests[place] for place in order)).hexdigest()
    if found != known.digest:
        raise InputError(
            f"{origin}: the {part} images are not the published ones (digest of all records {found}, "
            f"not {known.digest})"
        )
    records = np.frombuffer(whole, dtype=np.uint8).reshape(count, RECORD)[order]
    if int(records[:, 0].max()) >= CLASSES:
        raise InputError(f"{origin}: label {records[:, 0].max()}, but the classes are 0 to {CLASSES - 1}")
    return records


def _pixels(records: UInt8[np.ndarray, "image byte"]) -> torch.Tensor:
    return torch.from_numpy(records[:, 1:].astype(np.float32)).div_(255)


def _from_folder(files: PublishedFiles, root: Path, most: int) -> dict[str, bytes]:
    """Contents of the files of a folder, by name."""
    contents = {}
    for file in files.files:
        path, checksum = files.present(file, root)
        stored = read_bytes(path, binary=True)
        content = unpacked_xz(stored, str(path), most) if path.suffix == ".xz" else stored
        check_sum(path, content, checksum)
        contents[file.name] = content
    return contents


def _from_archive(files: PublishedFiles, path: Path, most: int) -> dict[str, bytes]:
    """Contents of the files of the archive, by name; nothing is written to the disk.

    Raises:
        InputError: It is not the published archive, or is damaged.
    """
    assert files.archive is not None
    check_file(path)
    stored = read_bytes(path, binary=True)
    check_sum(path, stored, files.archive.packed)
    contents: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(stored), mode="r:gz") as archive:
            for file in files.files:
                member = archive.extractfile(f"{files.folder}/{file.name}")
                if member is None:
                    raise KeyError(f"{files.folder}/{file.name} is no file")
                contents[file.name] = member.read(most + 1)
    except (tarfile.TarError, KeyError, OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: damaged archive ({error})") from None
    return contents


CIFAR10 = DATASETS.register(
    "cifar10",
    DatasetEntry(
        name="cifar10",
        label="CIFAR-10",
        load=partial(load, FILES, TRAIN, TEST),
        image_shape=IMAGE,
        classes=CLASSES,
        citation="A. Krizhevsky, Learning multiple layers of features from tiny images (2009)",
    ),
)
