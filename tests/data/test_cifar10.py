"""CIFAR-10: every form of its files gives the same data set, and no wrong file is read."""

from __future__ import annotations

import functools
import hashlib
import io
import lzma
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.data import DATASETS, DatasetEntry, cifar10, load_dataset
from barkhausen.data.cifar10 import RECORD, Records
from barkhausen.data.published import PublishedFile

NAMES = (*cifar10.TRAIN_FILES, cifar10.TEST_FILE)
EACH = 4


def records(seed: int) -> np.ndarray:
    found = np.random.default_rng(seed).integers(0, 256, (EACH, RECORD), dtype=np.uint8)
    found[:, 0] = np.arange(EACH) % 10
    return found


CONTENTS = {name: records(seed).tobytes() for seed, name in enumerate(NAMES)}


def digest(names: tuple[str, ...]) -> str:
    """Computed from the description: the digest of the sorted digests of all records."""
    rows = [CONTENTS[name][start : start + RECORD] for name in names for start in range(0, EACH * RECORD, RECORD)]
    return hashlib.sha256(b"".join(sorted(hashlib.sha256(row).digest() for row in rows))).hexdigest()


def archive_of(contents: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


ARCHIVE = archive_of(CONTENTS)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = Records(5 * EACH, digest(NAMES[:-1])), Records(EACH, digest(NAMES[-1:]))
    archive = PublishedFile("cifar-10-binary.tar.gz", packed_md5=hashlib.md5(ARCHIVE).hexdigest())
    files = replace(cifar10.FILES, archive=archive)
    load = functools.partial(cifar10.load, files, train, test)
    monkeypatch.setitem(DATASETS, "tiny-cifar", DatasetEntry("tiny-cifar", "tiny", load))


def put(root: Path, *, packed: bool = False, **changed: bytes) -> Path:
    folder = root / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    for name, content in {**CONTENTS, **{f"{key}.bin": value for key, value in changed.items()}}.items():
        (folder / (f"{name}.xz" if packed else name)).write_bytes(lzma.compress(content) if packed else content)
    return root


def test_every_form_and_order_gives_the_same_data_set(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "cifar-10-binary.tar.gz").write_bytes(ARCHIVE)
    swapped = {"data_batch_1": CONTENTS["data_batch_3.bin"], "data_batch_3": CONTENTS["data_batch_1.bin"]}
    roots = [
        put(tmp_path / "plain"),
        put(tmp_path / "packed", packed=True),
        put(tmp_path / "other", **swapped),
        tmp_path / "archive",
    ]
    first, *others = [load_dataset("tiny-cifar", root) for root in roots]
    assert first.image_shape == (3, 32, 32)
    assert first.train_inputs.shape == (5 * EACH, 3072)
    assert first.train_labels.bincount(minlength=10)[:EACH].tolist() == [5] * EACH
    for other in others:
        assert torch.equal(first.train_inputs, other.train_inputs)
        assert torch.equal(first.test_inputs, other.test_inputs)
        assert torch.equal(first.train_labels, other.train_labels)
    # A record is its label, then its pixels.
    row = next(r for r in records(NAMES.index(cifar10.TEST_FILE)) if r[0] == int(first.test_labels[0]))
    assert torch.equal(first.test_inputs[0], torch.from_numpy(row[1:].astype(np.float32)) / 255)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (CONTENTS["data_batch_2.bin"][:-1], "records have 3073 bytes each"),
        (CONTENTS["data_batch_2.bin"][:-RECORD], "19 training images where the published set has 20"),
        (bytes([CONTENTS["data_batch_2.bin"][0] ^ 1]) + CONTENTS["data_batch_2.bin"][1:], "not the published ones"),
    ],
)
def test_a_wrong_file_is_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_dataset("tiny-cifar", put(tmp_path / "wrong", data_batch_2=content))
    assert "\n" not in str(caught.value)


def test_a_wrong_archive_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(archive_of({**CONTENTS, "extra": b"x"}))
    with pytest.raises(InputError, match="wrong checksum: md5"):
        load_dataset("tiny-cifar", tmp_path)
    packed = put(tmp_path / "xz", packed=True) / "cifar-10-batches-bin" / "data_batch_1.bin.xz"
    packed.write_bytes(packed.read_bytes()[:-8])
    with pytest.raises(InputError, match="xz"):
        load_dataset("tiny-cifar", tmp_path / "xz")


def test_a_lacking_file_names_both_forms(tmp_path: Path) -> None:
    root = put(tmp_path / "lacking")
    (root / "cifar-10-batches-bin" / "data_batch_4.bin").unlink()
    with pytest.raises(InputError, match=r"cifar-10-binary.tar.gz or cifar-10-batches-bin/\{data_batch_1.bin.*xz"):
        load_dataset("tiny-cifar", root)


@pytest.mark.slow
def test_published_images() -> None:
    dataset = load_dataset("cifar10")
    assert dataset.train_labels.bincount().tolist() == [5000] * 10
    assert dataset.test_labels.bincount().tolist() == [1000] * 10
    colours = dataset.train_inputs.view(-1, 3, 1024).double()
    assert colours.mean((0, 2)).tolist() == pytest.approx([0.4914, 0.4822, 0.4465], abs=1e-4)
    assert colours.flatten(2).std((0, 2)).tolist() == pytest.approx([0.2470, 0.2435, 0.2616], abs=1e-4)
