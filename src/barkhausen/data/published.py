"""The data sets: found on disk, verified, or downloaded; always whole, never a damaged part.

MNIST: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition",
Proc. IEEE 86, 2278 (1998). Fashion-MNIST: H. Xiao, K. Rasul, R. Vollgraf, arXiv:1708.07747. Digits: the test
part of E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI repository (1998), as bundled
with scikit-learn. NSL-KDD: see :mod:`barkhausen.data.nsl_kdd`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import pooch
import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.errors import DataNotFoundError, InputError, did_you_mean
from barkhausen.data.base import Dataset
from barkhausen.data.idx import read_idx
from barkhausen.data.nsl_kdd import read_nsl_kdd

DATA_VARIABLE: Final = "BARKHAUSEN_DATA"
"""Environment variable that names the root of the data sets."""

DOWNLOAD_TIMEOUT: Final = 15.0
"""Seconds to wait for a connection, and for each piece of the answer."""

DIGITS_TEST_SAMPLES: Final = 360
"""A fifth of scikit-learn's 1797 digits."""

# Part of the definition of the split: another value is another split.
_DIGITS_SEED: Final = 20_240_601


@dataclass(frozen=True)
class PublishedFile:
    """One file of a published data set.

    Attributes:
        name: file name without ``.gz``.
        packed_md5: checksum of the original ``.gz`` file; None if it was not published packed.
        unpacked_md5: checksum of its content.
    """

    name: str
    packed_md5: str | None
    unpacked_md5: str


@dataclass(frozen=True)
class PublishedSet:
    """A data set of four IDX files in torchvision's layout.

    Attributes:
        folder: where the files lie below the root, with forward slashes.
        address: URL of the folder the files are downloaded from, with the slash at its end.
        train_images: shape (sample, row, column).
        train_labels: shape (sample).
        test_images: shape (sample, row, column).
        test_labels: shape (sample).
        classes: number of classes.
    """

    folder: str
    address: str
    train_images: PublishedFile
    train_labels: PublishedFile
    test_images: PublishedFile
    test_labels: PublishedFile
    classes: int

    @property
    def files(self) -> tuple[PublishedFile, ...]:
        """All four files."""
        return self.train_images, self.train_labels, self.test_images, self.test_labels


@dataclass(frozen=True)
class PublishedTables:
    """A data set of one table for training and one for testing, which is not to be had by a plain download.

    Attributes:
        folder: where the files lie below the root.
        home: where a person can get them, in words.
        train: lines of text.
        test: lines of text.
    """

    folder: str
    home: str
    train: PublishedFile
    test: PublishedFile

    @property
    def files(self) -> tuple[PublishedFile, ...]:
        """Both files."""
        return self.train, self.test


PUBLISHED: Final[Mapping[str, PublishedSet]] = MappingProxyType(
    {
        "mnist": PublishedSet(
            folder="MNIST/raw",
            address="https://ossci-datasets.s3.amazonaws.com/mnist/",
            train_images=PublishedFile(
                name="train-images-idx3-ubyte",
                packed_md5="f68b3c2dcbeaaa9fbdd348bbdeb94873",
                unpacked_md5="6bbc9ace898e44ae57da46a324031adb",
            ),
            train_labels=PublishedFile(
                name="train-labels-idx1-ubyte",
                packed_md5="d53e105ee54ea40749a09fcbcd1e9432",
                unpacked_md5="a25bea736e30d166cdddb491f175f624",
            ),
            test_images=PublishedFile(
                name="t10k-images-idx3-ubyte",
                packed_md5="9fb629c4189551a2d022fa330f9573f3",
                unpacked_md5="2646ac647ad5339dbf082846283269ea",
            ),
            test_labels=PublishedFile(
                name="t10k-labels-idx1-ubyte",
                packed_md5="ec29112dd5afa0611ce80d1b7f02629c",
                unpacked_md5="27ae3e4e09519cfbb04c329615203637",
            ),
            classes=10,
        ),
        "fashion-mnist": PublishedSet(
            folder="FashionMNIST/raw",
            address="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            train_images=PublishedFile(
                name="train-images-idx3-ubyte",
                packed_md5="8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                unpacked_md5="f4a8712d7a061bf5bd6d2ca38dc4d50a",
            ),
            train_labels=PublishedFile(
                name="train-labels-idx1-ubyte",
                packed_md5="25c81989df183df01b3e8a0aad5dffbe",
                unpacked_md5="9018921c3c673c538a1fc5bad174d6f9",
            ),
            test_images=PublishedFile(
                name="t10k-images-idx3-ubyte",
                packed_md5="bef4ecab320f06d8554ea6380940ec79",
                unpacked_md5="8181f5470baa50b63fa0f6fddb340f0a",
            ),
            test_labels=PublishedFile(
                name="t10k-labels-idx1-ubyte",
                packed_md5="bb300cfdad3c16e7a12a480ee83cd310",
                unpacked_md5="15d484375f8d13e6eb1aabb0c3f46965",
            ),
            classes=10,
        ),
    }
)
"""The data sets of images that are looked for on disk, by name."""

TABLES: Final[Mapping[str, PublishedTables]] = MappingProxyType(
    {
        "nsl-kdd": PublishedTables(
            folder="NSL-KDD",
            home="the Canadian Institute for Cybersecurity, University of New Brunswick "
            "(https://www.unb.ca/cic/datasets/nsl.html)",
            train=PublishedFile("KDDTrain+.txt", None, "f5592a95d1d1428348dfa6ca9652a800"),
            test=PublishedFile("KDDTest+.txt", None, "7c6d1b1af246690766394920d6b4c751"),
        ),
    }
)
"""The data sets of tables that are looked for on disk, by name."""

DATASET_NAMES: Final = ("digits", *sorted([*PUBLISHED, *TABLES]))
"""Every name :func:`load_dataset` knows."""


def load_dataset(name: str, data_dir: Path | None = None, *, allow_download: bool = True) -> Dataset:
    """Load a data set from the first place that has it.

    The places: ``data_dir``; the directory named by the environment variable ``BARKHAUSEN_DATA`` (unset and
    empty are the same); ``../shared/data`` beside the repository; the user's cache; a download into that
    cache. The first two are the user's word: if one is given, no later place is looked at. Digits need no
    place at all. NSL-KDD is never downloaded.

    Args:
        name: "mnist", "fashion-mnist", "nsl-kdd" or "digits".
        data_dir: root in torchvision's layout, so that MNIST lies in ``data_dir/MNIST/raw``; NSL-KDD in
            ``data_dir/NSL-KDD``.
        allow_download: whether the network may be used.

    Raises:
        DataNotFoundError: in none of the places, and downloading failed or is not allowed.
        InputError: unknown name; the directory named by the user does not exist or lacks a file; a file in
            any place is damaged or is not the published one.
    """
    if name == "digits":
        return _digits()
    published = PUBLISHED.get(name) or TABLES.get(name)
    if published is None:
        raise InputError(f"unknown data set '{name}'{did_you_mean(name, DATASET_NAMES)}")

    if data_dir is not None:
        _require(published, data_dir, "--data-dir")
        return _read(name, published, data_dir, "directory given by --data-dir")
    if os.environ.get(DATA_VARIABLE):
        root = Path(os.environ[DATA_VARIABLE])
        _require(published, root, DATA_VARIABLE)
        return _read(name, published, root, DATA_VARIABLE)

    searched = []
    for source, root in _places():
        lacking = _first_lacking(published, root)
        if lacking is None:
            return _read(name, published, root, source)
        searched.append(f"{source} (no {lacking})")

    if isinstance(published, PublishedTables):
        failure: str | None = f"it is not downloaded: get it from {published.home}"
    else:
        failure = _download(published, user_cache()) if allow_download else "downloading is not allowed"
    if failure is not None:
        raise DataNotFoundError(
            f"{name}: not found in {', '.join(searched)}; {failure}; "
            f"name a directory that has it with --data-dir or {DATA_VARIABLE}"
        )
    return _read(name, published, user_cache(), "download")


def user_cache() -> Path:
    """Where downloads are kept: the operating system's directory for this user's caches."""
    return Path(pooch.os_cache("barkhausen"))


def beside_repository() -> Path | None:
    """``../shared/data`` of the repository this file lies in; None if the package was installed elsewhere."""
    # Exactly two levels up (src layout): a search further up could end at another project's file.
    repository = Path(__file__).resolve().parents[1].parent.parent
    if not (repository / "pyproject.toml").is_file():
        return None
    return repository.parent / "shared" / "data"


def _places() -> Iterator[tuple[str, Path]]:
    """The places nobody named, first choice first, each with its name in summaries."""
    shared = beside_repository()
    if shared is not None:
        yield "shared/data beside the repository", shared
    yield "user cache", user_cache()


def _why_not(path: Path, *, directory: bool = False) -> str | None:
    """Why there is no such file (or directory) to be had at the path; None if there is."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        return (error.strerror if isinstance(error, OSError) else None) or str(error)
    if directory:
        return None if stat.S_ISDIR(mode) else "not a directory"
    return None if stat.S_ISREG(mode) else "not a file"


def _packed(published: PublishedSet | PublishedTables, file: PublishedFile, root: Path) -> Path:
    return root / published.folder / f"{file.name}.gz"


def _unpacked(published: PublishedSet | PublishedTables, file: PublishedFile, root: Path) -> Path:
    return root / published.folder / file.name


def _lacks(published: PublishedSet | PublishedTables, file: PublishedFile, root: Path) -> bool:
    packed, unpacked = _packed(published, file, root), _unpacked(published, file, root)
    return _why_not(packed) is not None and _why_not(unpacked) is not None


def _first_lacking(published: PublishedSet | PublishedTables, root: Path) -> Path | None:
    """The first file that lies at the root in neither form; None if all are there."""
    lacking = (_packed(published, file, root) for file in published.files if _lacks(published, file, root))
    return next(lacking, None)


def _require(published: PublishedSet | PublishedTables, root: Path, named_by: str) -> None:
    """Hold the user to the directory they named.

    Raises:
        InputError: the directory, or a file in it, is not there.
    """
    absent, reason = root, _why_not(root, directory=True)
    if reason is None:
        lacking = _first_lacking(published, root)
        if lacking is None:
            return
        absent, reason = lacking, _why_not(lacking)
    names = ",".join(file.name for file in published.files)
    raise InputError(
        f"{absent}: {reason}; {named_by} must name a directory that holds {published.folder}/{{{names}}}, "
        "each with or without .gz"
    )


def _read(name: str, published: PublishedSet | PublishedTables, root: Path, source: str) -> Dataset:
    """Read and verify the files.

    Raises:
        InputError: one is damaged, is not the published one, or does not fit the others.
    """
    if isinstance(published, PublishedTables):
        train, test = ((_present(published, file, root)[0], file.unpacked_md5) for file in published.files)
        return read_nsl_kdd(train, test, name, source)
    train_inputs, train_shape = _images(published, published.train_images, root)
    test_inputs, test_shape = _images(published, published.test_images, root)
    if train_shape != test_shape:
        path = _present(published, published.test_images, root)[0]
        raise InputError(f"{path}: images of {test_shape} pixels, but those for training have {train_shape}")
    return Dataset(
        name=name,
        source=source,
        train_inputs=train_inputs,
        train_labels=_labels(published, published.train_labels, root, len(train_inputs)),
        test_inputs=test_inputs,
        test_labels=_labels(published, published.test_labels, root, len(test_inputs)),
        image_shape=train_shape,
        classes=published.classes,
    )


def _present(published: PublishedSet | PublishedTables, file: PublishedFile, root: Path) -> tuple[Path, str]:
    """The form of the file that lies at the root, packed if both do, and the checksum it must have.

    Of a file that was not published packed, the checksum is that of its content in either form.
    """
    packed = _packed(published, file, root)
    if _why_not(packed) is None:
        return packed, file.packed_md5 or file.unpacked_md5
    return _unpacked(published, file, root), file.unpacked_md5


def _images(
    published: PublishedSet, file: PublishedFile, root: Path
) -> tuple[Float[Tensor, "sample feature"], tuple[int, ...]]:
    """Pixels in [0, 1], and rows and columns of an image."""
    path, md5 = _present(published, file, root)
    pixels = read_idx(path, 3, md5)
    return torch.from_numpy(pixels.astype(np.float32)).div_(255).flatten(1), pixels.shape[1:]


def _labels(published: PublishedSet, file: PublishedFile, root: Path, images: int) -> Int[Tensor, " sample"]:
    path, md5 = _present(published, file, root)
    labels = read_idx(path, 1, md5)
    if len(labels) != images:
        raise InputError(f"{path}: {len(labels)} labels for {images} images")
    if labels.max() >= published.classes:
        raise InputError(f"{path}: label {labels.max()}, but the classes are 0 to {published.classes - 1}")
    return torch.from_numpy(labels.astype(np.int64))


def _download(published: PublishedSet, cache: Path) -> str | None:
    """Complete the cache from the network; return why that failed, or None.

    A file that is there already is left alone, sound or not: reading it will tell.
    """
    downloader = pooch.HTTPDownloader(timeout=DOWNLOAD_TIMEOUT)
    for file in published.files:
        if not _lacks(published, file, cache):
            continue
        target = _packed(published, file, cache)
        address = f"{published.address}{target.name}"
        try:
            with _quiet_pooch():
                pooch.retrieve(
                    address,
                    known_hash=f"md5:{file.packed_md5}",
                    fname=target.name,
                    path=target.parent,
                    downloader=downloader,
                )
        # The errors of requests are OSErrors, some of them ValueErrors too; pooch's own ValueError is a wrong
        # checksum, for which it has already removed the file.
        except OSError as error:
            return f"downloading {address} failed ({_in_short(error)})"
        except ValueError:
            return f"downloading {address} failed (what came has the wrong checksum)"
    return None


def _in_short(error: OSError) -> str:
    # Only the errors of requests have a response; the others are the file system's and name the path.
    if not hasattr(error, "response"):
        return str(error)
    # The text of a connection error is half a page of nested objects; its type says enough: ConnectTimeout.
    status = getattr(error.response, "status_code", None)
    return type(error).__name__ if status is None else f"{type(error).__name__} {status}"


@contextlib.contextmanager
def _quiet_pooch() -> Iterator[None]:
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _digits() -> Dataset:
    """The 8 × 8 digits bundled with scikit-learn, a fixed fifth of each class for testing."""
    # Takes as long to import as torch, and only this one data set needs it.
    from sklearn.datasets import load_digits  # noqa: PLC0415

    bundled = load_digits()
    inputs = torch.from_numpy((bundled.data / 16).astype(np.float32))
    labels = torch.from_numpy(bundled.target.astype(np.int64))
    test = np.zeros(len(labels), dtype=np.bool_)
    test[_stratified(bundled.target, DIGITS_TEST_SAMPLES)] = True
    for_test = torch.from_numpy(test)
    return Dataset(
        name="digits",
        source="bundled with scikit-learn",
        train_inputs=inputs[~for_test],
        train_labels=labels[~for_test],
        test_inputs=inputs[for_test],
        test_labels=labels[for_test],
        image_shape=tuple(bundled.images.shape[1:]),
        classes=len(bundled.target_names),
    )


def _stratified(labels: Int[np.ndarray, " sample"], samples: int) -> Int[np.ndarray, " chosen"]:
    """Indices of a fixed choice in which each class has its share of ``samples``, to within one."""
    generator = np.random.Generator(np.random.PCG64(_DIGITS_SEED))
    shuffled = generator.permutation(len(labels))
    # Class after class, shuffled within each; even steps through that take of each class what it is due.
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    steps = np.arange(samples) * len(labels) // samples
    return by_class[steps]
