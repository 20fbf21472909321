"""NSL-KDD: network connections, normal ones and attacks, as rows of features for an autoencoder.

M. Tavallaee, E. Bagheri, W. Lu, A. A. Ghorbani, "A detailed analysis of the KDD CUP 99 data set", CISDA (2009);
Canadian Institute for Cybersecurity, University of New Brunswick. A line has 41 features, the name of the attack or
"normal", and how many of 21 classifiers classified it correctly, which is not used. The test file has attacks of kinds
that the training file does not have.
"""

from __future__ import annotations

import io
import warnings
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float, Int

from barkhausen.core.errors import InputError
from barkhausen.core.files.reading import read_bytes, unpacked
from barkhausen.data.base import Dataset
from barkhausen.data.published import PublishedFile, PublishedFiles, check_sum
from barkhausen.data.registry import DATASETS, DatasetEntry

TASK: Final = "anomaly-detection"

FILES = PublishedFiles(
    name="nsl-kdd",
    folder="NSL-KDD",
    home="the Canadian Institute for Cybersecurity, University of New Brunswick "
    "(https://www.unb.ca/cic/datasets/nsl.html)",
    files=(
        PublishedFile(
            "KDDTrain+.txt",
            None,
            "f5592a95d1d1428348dfa6ca9652a800",
            None,
            "1b86d2f957b33082081bba410fe129b475efebcc13c9014c3f447c8271aadf95",
        ),
        PublishedFile(
            "KDDTest+.txt",
            None,
            "7c6d1b1af246690766394920d6b4c751",
            None,
            "fa46b0935342616aa83b7c2578db355b6a7aaabbc492248172c7a1e8b7ab8f84",
        ),
    ),
)
"""Training and test file; they are not downloaded."""

NORMAL: Final = "normal"

_FEATURES: Final = 41
_WORDS: Final = (1, 2, 3)
"""Columns of protocol, service and flag; the other features are numbers."""
_NAME: Final = 41
_COLUMNS: Final = 43
# Longer than any word of the published files, so that none is cut short.
_ROW: Final = np.dtype([(f"c{n}", "U24" if n in (*_WORDS, _NAME) else "f8") for n in range(_COLUMNS)])
_NUMBERS: Final = tuple(n for n in range(_FEATURES) if n not in _WORDS)

MOST_BYTES: Final = 64_000_000
"""Largest text that is read; the largest published one has 19 MB."""

Rows = np.ndarray[Any, Any]
"""One element for each connection, with the fields c0 to c42."""


def load(files: PublishedFiles, data_dir: Path | None, allow_download: bool) -> Dataset:
    """Find, read and verify both files.

    Raises:
        DataNotFoundError: The files are nowhere to be found.
        InputError: One is damaged or is not the published one.
    """
    root, source = files.find(data_dir, allow_download=allow_download)
    train, test = ((files.present(file, root)[0], file.unpacked) for file in files.files)
    return read_nsl_kdd(train, test, files.name, source)


def read_nsl_kdd(train: tuple[Path, str | None], test: tuple[Path, str | None], name: str, source: str) -> Dataset:
    """Read, verify and prepare both files.

    Args:
        train: Path of ``KDDTrain+.txt`` or ``KDDTrain+.txt.gz``, and the checksum of the unpacked text.
        test: Path and checksum of ``KDDTest+.txt``.
        name: Name of the data set.
        source: Where the files come from.

    Raises:
        InputError: A file cannot be read, is damaged, or is not the published one.
    """
    train_rows, test_rows = read_connections(*train), read_connections(*test)
    names = set(train_rows[f"c{_NAME}"]) | set(test_rows[f"c{_NAME}"])
    kinds = (NORMAL, *sorted(str(kind) for kind in names if kind != NORMAL))
    train_kinds, test_kinds = _kinds(train_rows, kinds), _kinds(test_rows, kinds)
    for path, found in ((train[0], train_kinds), (test[0], test_kinds)):
        if not found.any() or found.all():
            raise InputError(f"{path}: has no {NORMAL if found.all() else 'attack'} row")
    train_inputs, test_inputs = prepare(train_rows, test_rows)
    return Dataset(
        name=name,
        source=source,
        train_inputs=torch.from_numpy(train_inputs),
        train_labels=torch.from_numpy((train_kinds != 0).astype(np.int64)),
        test_inputs=torch.from_numpy(test_inputs),
        test_labels=torch.from_numpy((test_kinds != 0).astype(np.int64)),
        image_shape=(train_inputs.shape[1],),
        classes=2,
        task=TASK,
        prepared=True,
        kinds=kinds,
        train_kinds=torch.from_numpy(train_kinds),
        test_kinds=torch.from_numpy(test_kinds),
    )


def prepare(
    train: Rows, test: Rows
) -> tuple[Float[np.ndarray, "train_row feature"], Float[np.ndarray, "test_row feature"]]:
    """Turn connections into features in [0, 1], float32.

    A number becomes its rank among the normal training rows: the fraction of them that has a smaller value, equal
    ones counted half. Durations and bytes reach over nine decades, and what is rare in normal traffic is what counts;
    the rank needs no choice of scale for either. A word becomes one feature for each value that occurs in training, 1
    or 0; a value that does not occur in training leaves all of them 0. Numbers come first, in the order of the file,
    then protocols, services and flags in alphabetical order.
    """
    normal = train[train[f"c{_NAME}"] == NORMAL]
    parts: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
    for column in (f"c{n}" for n in _NUMBERS):
        ordered = np.sort(normal[column])
        parts.append((_rank(ordered, train[column])[:, None], _rank(ordered, test[column])[:, None]))
    for column in (f"c{n}" for n in _WORDS):
        words = np.unique(train[column])
        parts.append((train[column][:, None] == words, test[column][:, None] == words))
    first, second = (np.concatenate(side, axis=1, dtype=np.float32) for side in zip(*parts, strict=True))
    return first, second


def read_connections(path: str | Path, checksum: str | None) -> Rows:
    """Read one file, unpacked if its name ends in ``.gz``.

    Args:
        path: The file.
        checksum: Of the text, unpacked: an MD5 in hexadecimal, or ``sha256:`` and a SHA-256.

    Raises:
        InputError: The file cannot be read, is damaged, or has another checksum. Damage is
            looked for first, because it tells the user more than a checksum.
    """
    path = Path(path)
    stored = read_bytes(path)
    text = unpacked(stored, str(path), MOST_BYTES) if path.suffix == ".gz" else stored
    rows = parse_connections(text, str(path))
    check_sum(path, text, checksum, " of the text", "one")
    return rows


def parse_connections(text: bytes, origin: str) -> Rows:
    """Turn the text of a file into rows.

    Args:
        text: Lines of 43 values separated by commas.
        origin: Name of the file in error messages.

    Raises:
        InputError: No line; a line with another number of values; a value that is no finite number where one belongs,
            or an empty word.
    """
    try:
        with warnings.catch_warnings():
            # An empty file is reported below, as an error.
            warnings.simplefilter("ignore", UserWarning)
            rows = np.loadtxt(io.BytesIO(text), dtype=_ROW, delimiter=",", comments=None, ndmin=1, encoding="ascii")
    except UnicodeDecodeError:
        raise InputError(f"{origin}: is not plain text") from None
    except ValueError as error:
        raise InputError(f"{origin}: not the lines of {_COLUMNS} values that NSL-KDD has ({error})") from None
    if not len(rows):
        raise InputError(f"{origin}: has no line")
    for n in range(_COLUMNS):
        values = rows[f"c{n}"]
        wrong = values == "" if values.dtype.kind == "U" else ~np.isfinite(values)
        if wrong.any():
            row = int(wrong.argmax())
            what = "no word" if values.dtype.kind == "U" else f"{values[row]}, no finite number"
            raise InputError(f"{origin}: row {row + 1}: value {n + 1} is {what}")
    return rows


def _kinds(rows: Rows, kinds: tuple[str, ...]) -> Int[np.ndarray, " row"]:
    number = {kind: place for place, kind in enumerate(kinds)}
    return np.array([number[kind] for kind in rows[f"c{_NAME}"].tolist()], dtype=np.int64)


def _rank(ordered: Float[np.ndarray, " normal"], values: Float[np.ndarray, " row"]) -> Float[np.ndarray, " row"]:
    below = np.searchsorted(ordered, values) + np.searchsorted(ordered, values, side="right")
    return below / (2.0 * len(ordered))


NSL_KDD = DATASETS.register(
    "nsl-kdd",
    DatasetEntry(
        name="nsl-kdd",
        label="NSL-KDD",
        load=partial(load, FILES),
        task=TASK,
        classes=2,
        citation="M. Tavallaee, E. Bagheri, W. Lu, A. A. Ghorbani, CISDA (2009)",
    ),
)
