"""Fashion-MNIST: photographs of clothes."""

from __future__ import annotations

from functools import partial

from barkhausen.data.idx import idx_files, load_idx
from barkhausen.data.published import PublishedFiles
from barkhausen.data.registry import DATASETS, DatasetEntry

FILES = PublishedFiles(
    name="fashion-mnist",
    folder="FashionMNIST/raw",
    address="https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    files=idx_files(
        train_images=(
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ),
        train_labels=(
            "25c81989df183df01b3e8a0aad5dffbe",
            "9018921c3c673c538a1fc5bad174d6f9",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        test_images=(
            "bef4ecab320f06d8554ea6380940ec79",
            "8181f5470baa50b63fa0f6fddb340f0a",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ),
        test_labels=(
            "bb300cfdad3c16e7a12a480ee83cd310",
            "15d484375f8d13e6eb1aabb0c3f46965",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ),
)
"""Files, with the MD5s and SHA-256s of their packed and unpacked forms."""

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
