"""MNIST: handwritten digits."""

from __future__ import annotations

from functools import partial

from barkhausen.data.idx import idx_files, load_idx
from barkhausen.data.published import PublishedFiles
from barkhausen.data.registry import DATASETS, DatasetEntry

FILES = PublishedFiles(
    name="mnist",
    folder="MNIST/raw",
    address="https://ossci-datasets.s3.amazonaws.com/mnist/",
    files=idx_files(
        train_images=("f68b3c2dcbeaaa9fbdd348bbdeb94873", "6bbc9ace898e44ae57da46a324031adb"),
        train_labels=("d53e105ee54ea40749a09fcbcd1e9432", "a25bea736e30d166cdddb491f175f624"),
        test_images=("9fb629c4189551a2d022fa330f9573f3", "2646ac647ad5339dbf082846283269ea"),
        test_labels=("ec29112dd5afa0611ce80d1b7f02629c", "27ae3e4e09519cfbb04c329615203637"),
    ),
)
"""Files, with the checksums of their packed and unpacked forms."""

MNIST = DATASETS.register(
    "mnist",
    DatasetEntry(
        name="mnist",
        label="MNIST",
        load=partial(load_idx, FILES, 10),
        image_shape=(28, 28),
        classes=10,
        citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Proc. IEEE 86, 2278 (1998)",
    ),
)
