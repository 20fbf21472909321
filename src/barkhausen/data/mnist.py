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
        train_images=(
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "6bbc9ace898e44ae57da46a324031adb",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        train_labels=(
            "d53e105ee54ea40749a09fcbcd1e9432",
            "a25bea736e30d166cdddb491f175f624",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        test_images=(
            "9fb629c4189551a2d022fa330f9573f3",
            "2646ac647ad5339dbf082846283269ea",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        test_labels=(
            "ec29112dd5afa0611ce80d1b7f02629c",
            "27ae3e4e09519cfbb04c329615203637",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
)
"""Files, with the MD5s and SHA-256s of their packed and unpacked forms."""

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
