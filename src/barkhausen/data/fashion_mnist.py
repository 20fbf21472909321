"""Fashion-MNIST: photographs of clothes."""

from __future__ import annotations

from functools import partial

from barkhausen.data.idx import idx_files, load_idx
from barkhausen.data.published import PublishedFiles
from barkhausen.data.registry import DATASETS, DatasetEntry

FILES = PublishedFiles(
    name="fashion-mnist",
    folder="FashionMNIST/raw",
    address="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    files=idx_files(
        train_images=("8d4fb7e6c68d591d4c3dfef9ec88bf0d", "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
        train_labels=("25c81989df183df01b3e8a0aad5dffbe", "9018921c3c673c538a1fc5bad174d6f9"),
        test_images=("bef4ecab320f06d8554ea6380940ec79", "8181f5470baa50b63fa0f6fddb340f0a"),
        test_labels=("bb300cfdad3c16e7a12a480ee83cd310", "15d484375f8d13e6eb1aabb0c3f46965"),
    ),
)
"""Files, with the checksums of their packed and unpacked forms."""

FASHION_MNIST = DATASETS.register(
    "fashion-mnist",
    DatasetEntry(
        name="fashion-mnist",
        label="Fashion-MNIST",
        load=partial(load_idx, FILES, 10),
        image_shape=(28, 28),
        classes=10,
        citation="H. Xiao, K. Rasul, R. Vollgraf, arXiv:1708.07747",
    ),
)
