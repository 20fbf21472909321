"""Data sets: every way a file can be wrong is one line that names it; places are searched in order."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import logging
import logging.handlers
import os
import re
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pooch
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from barkhausen.core.errors import DataNotFoundError, InputError
from barkhausen.data import DATASETS, Dataset, DatasetEntry, fashion_mnist, load_dataset, mnist, nsl_kdd
from barkhausen.data import published as datasets
from barkhausen.data.idx import idx_files, load_idx, parse_idx, read_idx
from barkhausen.data.published import DATA_VARIABLE, PublishedFiles

TRAIN, TEST, ROWS, COLUMNS, CLASSES = 12, 5, 3, 4, 3
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
NAMES = (IMAGES, LABELS, TEST_IMAGES, TEST_LABELS)
NOWHERE = "http://127.0.0.1:1/"

# Another split would make results incomparable with earlier ones.
PINNED_TEST_LABELS = [1, 5, 6, 8, 2, 5, 6, 5, 8, 1, 7, 0, 6, 3, 6, 5, 3, 1, 4, 2]
PINNED_TEST_IMAGES = "3b033357fc6430a64d78776ea99a6bd7"
PINNED_VALIDATION = [18, 7, 24, 31, 4]


def idx_bytes(array: np.ndarray) -> bytes:
    """The IDX file of an array of unsigned bytes, written from the format's description."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {
        IMAGES: generator.integers(0, 256, (TRAIN, ROWS, COLUMNS)),
        LABELS: np.arange(TRAIN) % CLASSES,
        TEST_IMAGES: generator.integers(0, 256, (TEST, ROWS, COLUMNS)),
        TEST_LABELS: np.arange(TEST) % CLASSES,
    }


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


@dataclass
class World:
    """A published data set of a few bytes, and the places of one machine, all of them empty at first."""

    contents: dict[str, bytes]
    named: Path
    shared: Path
    cache: Path
    publish: Callable[..., None]

    def put(self, root: Path, *, gz: bool = True, only: tuple[str, ...] = NAMES) -> Path:
        folder = root / "Tiny" / "raw"
        folder.mkdir(parents=True, exist_ok=True)
        for name in only:
            content = self.contents[name]
            (folder / (f"{name}.gz" if gz else name)).write_bytes(packed(content) if gz else content)
        return folder


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    # A proxy set for the machine must not catch the requests to the tests' own server.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    contents = {name: idx_bytes(array) for name, array in arrays().items()}

    def publish(address: str = NOWHERE, sha256_of: Mapping[str, bytes] | None = None) -> None:
        sums: list[tuple[str, ...]] = [(md5(packed(contents[name])), md5(contents[name])) for name in NAMES]
        if sha256_of is not None:
            pairs = [(sha256(packed(sha256_of[name])), sha256(sha256_of[name])) for name in NAMES]
            sums = [(*first, *second) for first, second in zip(sums, pairs, strict=True)]
        files = PublishedFiles("tiny", "Tiny/raw", idx_files(*sums), address)
        load = functools.partial(load_idx, files, CLASSES)
        monkeypatch.setitem(DATASETS, "tiny", DatasetEntry("tiny", "tiny", load))

    publish()
    shared, cache = tmp_path / "shared", tmp_path / "cache"
    monkeypatch.setattr(datasets, "beside_repository", lambda: shared)
    monkeypatch.setattr(datasets, "user_cache", lambda: cache)
    return World(contents, tmp_path / "named", shared, cache, publish)


def refused(root: Path) -> str:
    """Load from a directory named by the user; return the one line of the error."""
    with pytest.raises(InputError) as caught:
        load_dataset("tiny", root, allow_download=False)
    assert not isinstance(caught.value, DataNotFoundError)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- what is loaded -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("gz", [True, False])
def test_pixels_labels_and_shapes_are_those_of_the_files(world: World, gz: bool) -> None:
    world.put(world.named, gz=gz)
    data = load_dataset("tiny", world.named)
    truth = arrays()
    assert (data.name, data.source) == ("tiny", "directory given by --data-dir")
    assert (data.image_shape, data.classes) == ((ROWS, COLUMNS), CLASSES)
    for inputs, labels, images_of, labels_of in (
        (data.train_inputs, data.train_labels, IMAGES, LABELS),
        (data.test_inputs, data.test_labels, TEST_IMAGES, TEST_LABELS),
    ):
        assert inputs.dtype == torch.float32
        assert labels.dtype == torch.int64
        expected = (truth[images_of].reshape(len(truth[images_of]), -1) / 255).astype(np.float32)
        np.testing.assert_allclose(inputs.numpy(), expected, rtol=1e-7)
        np.testing.assert_array_equal(labels.numpy(), truth[labels_of])


def test_the_packed_file_is_preferred(world: World) -> None:
    world.put(world.named)
    folder = world.put(world.named, gz=False)
    (folder / IMAGES).write_bytes(b"never read")
    assert len(load_dataset("tiny", world.named).train_inputs) == TRAIN


def test_packed_and_unpacked_files_may_be_mixed(world: World) -> None:
    world.put(world.named, only=NAMES[:2])
    world.put(world.named, gz=False, only=NAMES[2:])
    assert len(load_dataset("tiny", world.named).test_inputs) == TEST


# --- damaged files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("gz", [True, False])
def test_a_corrupt_byte_names_the_file(world: World, name: str, gz: bool) -> None:
    path = world.put(world.named, gz=gz) / (f"{name}.gz" if gz else name)
    content = bytearray(path.read_bytes())
    # Of a packed file the last byte but one belongs to the length, of an unpacked one it is a pixel or label.
    content[-2] ^= 1
    path.write_bytes(content)
    message = refused(world.named)
    assert message.startswith(f"{path}: ")
    assert ("damaged gzip" if gz else "wrong checksum") in message


def test_every_single_corrupt_byte_is_found(world: World) -> None:
    for gz in (True, False):
        path = world.put(world.named, gz=gz) / (f"{LABELS}.gz" if gz else LABELS)
        sound = path.read_bytes()
        assert len(sound) > 10
        for position in range(len(sound)):
            path.write_bytes(sound[:position] + bytes([sound[position] ^ 0x10]) + sound[position + 1 :])
            assert str(path) in refused(world.named)
        path.write_bytes(sound)
        load_dataset("tiny", world.named)
        path.unlink()


def test_a_truncated_gzip_says_so(world: World) -> None:
    path = world.put(world.named) / f"{IMAGES}.gz"
    sound = path.read_bytes()
    for kept in (1, 5, 30, len(sound) - 1):
        path.write_bytes(sound[:kept])
        message = refused(world.named)
        assert str(path) in message
        assert "truncated" in message
    path.write_bytes(b"")
    assert f"{path}: has 0 bytes" in refused(world.named)


def test_a_file_that_is_not_gzip_says_so(world: World) -> None:
    path = world.put(world.named) / f"{IMAGES}.gz"
    path.write_bytes(b"<html>not here</html>")
    assert f"{path}: damaged gzip file" in refused(world.named)


def test_a_truncated_unpacked_file_gives_both_lengths(world: World) -> None:
    path = world.put(world.named, gz=False) / IMAGES
    path.write_bytes(path.read_bytes()[:-7])
    message = refused(world.named)
    assert message == f"{path}: declares 12 by 3 by 4 = 144 elements, but 137 follow its header"


def test_labels_in_place_of_images_are_a_wrong_magic_number(world: World) -> None:
    folder = world.put(world.named)
    (folder / f"{IMAGES}.gz").write_bytes((folder / f"{LABELS}.gz").read_bytes())
    expected = f"{folder / IMAGES}.gz: begins with the magic number 0x00000801, not 0x00000803"
    assert refused(world.named) == expected


def test_a_sound_file_that_is_not_the_published_one_gives_both_checksums(world: World) -> None:
    other = packed(idx_bytes(arrays(seed=1)[IMAGES]))
    path = world.put(world.named) / f"{IMAGES}.gz"
    published = md5(path.read_bytes())
    path.write_bytes(other)
    assert refused(world.named) == f"{path}: wrong checksum: md5 {md5(other)} where the published file has {published}"


@pytest.mark.parametrize("gz", [True, False])
def test_a_file_is_checked_by_its_sha256_where_that_is_published(world: World, gz: bool) -> None:
    path = world.put(world.named, gz=gz) / (f"{IMAGES}.gz" if gz else IMAGES)
    world.publish(sha256_of=world.contents)
    assert len(load_dataset("tiny", world.named).train_inputs) == TRAIN
    # The MD5 is the file's, as after a collision; the SHA-256 is that of another file.
    other = {**world.contents, IMAGES: idx_bytes(arrays(seed=1)[IMAGES])}
    world.publish(sha256_of=other)
    ours, published = ((packed(each) if gz else each) for each in (world.contents[IMAGES], other[IMAGES]))
    assert refused(world.named) == (
        f"{path}: wrong checksum: sha256 {sha256(ours)} where the published file has {sha256(published)}"
    )


@pytest.mark.parametrize(
    ("name", "array", "complaint"),
    [
        (LABELS, np.zeros(TRAIN - 1), f"{TRAIN - 1} labels for {TRAIN} images"),
        (TEST_LABELS, np.zeros(TEST + 1), f"{TEST + 1} labels for {TEST} images"),
        (LABELS, np.full(TRAIN, CLASSES), f"label {CLASSES}, but the classes are 0 to {CLASSES - 1}"),
        (TEST_IMAGES, np.zeros((TEST, COLUMNS, ROWS)), "those for training have (3, 4)"),
        (IMAGES, np.zeros((0, ROWS, COLUMNS)), "declares 0 by 3 by 4 = 0 elements"),
    ],
)
def test_files_that_do_not_fit_each_other(world: World, name: str, array: np.ndarray, complaint: str) -> None:
    world.contents[name] = idx_bytes(array)
    world.publish()
    path = world.put(world.named) / f"{name}.gz"
    message = refused(world.named)
    assert message.startswith(f"{path}: ")
    assert complaint in message


# --- the directory the user named ---------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["argument", "variable"])
def test_a_named_directory_is_never_skipped(world: World, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    world.put(world.shared)
    world.put(world.cache)

    def complaint() -> str:
        if how == "argument":
            return refused(world.named)
        monkeypatch.setenv(DATA_VARIABLE, str(world.named))
        with pytest.raises(InputError) as caught:
            load_dataset("tiny")
        return str(caught.value)

    layout = "Tiny/raw/{" + ",".join(NAMES) + "}, each with or without .gz"
    named_by = "--data-dir" if how == "argument" else DATA_VARIABLE

    message = complaint()
    assert message.startswith(f"{world.named}: No such file or directory; {named_by} must name")
    assert message.endswith(layout)

    world.named.write_text("a file")
    assert complaint().startswith(f"{world.named}: not a directory")
    world.named.unlink()

    folder = world.put(world.named)
    (folder / f"{TEST_LABELS}.gz").unlink()
    message = complaint()
    assert message.startswith(f"{folder / TEST_LABELS}.gz: No such file")
    assert message.endswith(layout)

    (folder / f"{TEST_LABELS}.gz").mkdir()
    assert complaint().startswith(f"{folder / TEST_LABELS}.gz: not a file")
    (folder / f"{TEST_LABELS}.gz").rmdir()

    (folder / f"{TEST_LABELS}.gz").write_bytes(b"rubbish")
    assert complaint().startswith(f"{folder / TEST_LABELS}.gz: damaged")


def test_a_path_no_file_system_can_hold_is_an_input_error(world: World) -> None:
    assert "too long" in refused(Path("x" * 5000))
    assert "null" in refused(Path("x\0y"))


# --- the order of the search --------------------------------------------------------------------------------


def test_the_first_place_that_has_it_wins(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from_variable = tmp_path / "from variable"
    for root in (world.named, from_variable, world.shared, world.cache):
        world.put(root)
    monkeypatch.setenv(DATA_VARIABLE, str(from_variable))
    assert load_dataset("tiny", world.named).source == "directory given by --data-dir"
    assert load_dataset("tiny").source == "BARKHAUSEN_DATA"
    monkeypatch.setenv(DATA_VARIABLE, "")
    assert load_dataset("tiny").source == "shared/data beside the repository"
    monkeypatch.delenv(DATA_VARIABLE)
    assert load_dataset("tiny").source == "shared/data beside the repository"
    monkeypatch.setattr(datasets, "beside_repository", lambda: None)
    assert load_dataset("tiny", allow_download=False).source == "user cache"


def test_the_argument_spares_a_wrong_variable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(world.named)
    monkeypatch.setenv(DATA_VARIABLE, "does-not-exist")
    assert load_dataset("tiny", world.named).source == "directory given by --data-dir"


def test_an_incomplete_place_nobody_named_is_skipped(world: World) -> None:
    world.put(world.shared, only=NAMES[:3])
    world.put(world.cache)
    assert load_dataset("tiny").source == "user cache"


@pytest.mark.parametrize("place", ["shared", "cache"])
def test_a_corrupt_file_in_a_place_nobody_named_is_not_skipped(world: World, place: str) -> None:
    world.put(world.cache)
    root = getattr(world, place)
    path = world.put(root) / f"{IMAGES}.gz"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="truncated") as caught:
        load_dataset("tiny")
    assert not isinstance(caught.value, DataNotFoundError)
    assert str(path) in str(caught.value)


def test_the_repository_is_found_from_the_source_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    inside = tmp_path / "repository" / "src" / "barkhausen" / "data" / "published.py"
    inside.parent.mkdir(parents=True)
    monkeypatch.setattr(datasets, "__file__", str(inside))
    assert datasets.beside_repository() is None
    # The project a virtual environment lies in is not the package's own repository.
    (tmp_path / "pyproject.toml").touch()
    assert datasets.beside_repository() is None
    (tmp_path / "repository" / "pyproject.toml").touch()
    assert datasets.beside_repository() == tmp_path / "shared" / "data"


# --- names --------------------------------------------------------------------------------------------------


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match=r"dataset.name = 'mnits': no such data set; did you mean 'mnist'\?"):
        load_dataset("mnits")
    with pytest.raises(
        InputError, match="'ciphers': no such data set; known: airline-passengers, breast-cancer, cifar10, digits, fa"
    ):
        load_dataset("ciphers")


# --- download -----------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on this machine: its address and the folder it serves."""
    served = tmp_path / "served"
    served.mkdir()

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Silent, directory=str(served))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/", served
        running.shutdown()
        thread.join()


def files_below(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


def test_a_download_fills_the_cache_and_is_not_repeated(
    world: World,
    server: tuple[str, Path],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    address, served = server
    world.publish(address)
    for name in NAMES:
        (served / f"{name}.gz").write_bytes(packed(world.contents[name]))
    # pooch's logger stands outside the tree of loggers, and its handler writes to the stderr of import time.
    level, records = pooch.get_logger().level, logging.handlers.BufferingHandler(100)
    pooch.get_logger().addHandler(records)
    try:
        first = load_dataset("tiny")
    finally:
        pooch.get_logger().removeHandler(records)
    assert first.source == "download"
    assert not records.buffer
    assert capfd.readouterr() == ("", "")
    assert pooch.get_logger().level == level
    assert files_below(world.cache) == sorted(f"{name}.gz" for name in NAMES)
    for path in served.iterdir():
        path.unlink()
    second = load_dataset("tiny")
    assert second.source == "user cache"
    assert torch.equal(first.train_inputs, second.train_inputs)


def test_an_interrupted_download_is_completed(world: World, server: tuple[str, Path]) -> None:
    address, served = server
    world.publish(address)
    world.put(world.cache, only=NAMES[:2])
    for name in NAMES[2:]:
        (served / f"{name}.gz").write_bytes(packed(world.contents[name]))
    assert load_dataset("tiny").source == "download"


def test_a_damaged_file_in_an_incomplete_cache_is_not_replaced_in_silence(
    world: World, server: tuple[str, Path]
) -> None:
    address, served = server
    world.publish(address)
    for name in NAMES:
        (served / f"{name}.gz").write_bytes(packed(world.contents[name]))
    damaged_file = world.put(world.cache, only=(IMAGES,)) / f"{IMAGES}.gz"
    damaged_file.write_bytes(b"rubbish")
    with pytest.raises(InputError, match="damaged gzip") as caught:
        load_dataset("tiny")
    assert str(damaged_file) in str(caught.value)
    assert damaged_file.read_bytes() == b"rubbish"


def test_a_download_with_the_wrong_checksum_leaves_nothing(world: World, server: tuple[str, Path]) -> None:
    address, served = server
    world.publish(address)
    for name in NAMES:
        (served / f"{name}.gz").write_bytes(packed(world.contents[name]))
    (served / f"{LABELS}.gz").write_bytes(b"<html>please log in</html>")
    with pytest.raises(DataNotFoundError, match="wrong checksum") as caught:
        load_dataset("tiny")
    assert f"{address}{LABELS}.gz" in str(caught.value)
    assert files_below(world.cache) == [f"{IMAGES}.gz"]


def test_a_refusing_server_gives_its_status(world: World, server: tuple[str, Path]) -> None:
    world.publish(server[0])
    with pytest.raises(DataNotFoundError, match=r"failed \(HTTPError 404\)"):
        load_dataset("tiny")
    assert files_below(world.cache) == []


def test_a_download_with_the_right_md5_and_another_sha256_leaves_nothing(
    world: World, server: tuple[str, Path]
) -> None:
    address, served = server
    for name in NAMES:
        (served / f"{name}.gz").write_bytes(packed(world.contents[name]))
    world.publish(address, sha256_of={name: content + b"?" for name, content in world.contents.items()})
    with pytest.raises(DataNotFoundError, match="what came has the wrong checksum"):
        load_dataset("tiny")
    assert files_below(world.cache) == []
    world.publish(address, sha256_of=world.contents)
    assert load_dataset("tiny").source == "download"


@pytest.mark.parametrize("files", [mnist.FILES, fashion_mnist.FILES, nsl_kdd.FILES], ids=lambda files: files.name)
def test_the_packages_data_come_over_https_and_have_a_sha256(files: PublishedFiles) -> None:
    assert files.address is None or files.address.startswith("https://")
    for file in files.files:
        assert re.fullmatch("[0-9a-f]{64}", file.unpacked_sha256 or "")
        assert (file.packed_md5 is None) == (file.packed_sha256 is None)
        assert file.packed_sha256 is None or re.fullmatch("[0-9a-f]{64}", file.packed_sha256)


def test_a_failed_download_is_one_line_with_the_places_and_the_reason(world: World) -> None:
    with pytest.raises(DataNotFoundError) as caught:
        load_dataset("tiny")
    message = str(caught.value)
    assert "\n" not in message
    for part in (
        "tiny: not found",
        f"shared/data beside the repository (no {world.shared}",
        f"user cache (no {world.cache}",
        f"{NOWHERE}{IMAGES}.gz failed (ConnectionError)",
        "--data-dir",
        DATA_VARIABLE,
    ):
        assert part in message
    assert files_below(world.cache) == []


def test_a_cache_that_cannot_be_written_is_a_failed_download(world: World) -> None:
    world.cache.write_text("a file where the directory should be")
    with pytest.raises(DataNotFoundError) as caught:
        load_dataset("tiny")
    assert str(caught.value).count(str(world.cache)) == 2


def test_a_forbidden_download_is_not_tried(world: World, server: tuple[str, Path]) -> None:
    address, served = server
    world.publish(address)
    for name in NAMES:
        (served / f"{name}.gz").write_bytes(packed(world.contents[name]))
    with pytest.raises(DataNotFoundError, match="downloading is not allowed"):
        load_dataset("tiny", allow_download=False)
    assert not world.cache.exists()


# --- IDX ----------------------------------------------------------------------------------------------------

SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


@st.composite
def byte_arrays(draw: st.DrawFn) -> np.ndarray:
    shape = draw(SHAPES)
    size = int(np.prod(shape))
    content = draw(st.binary(min_size=size, max_size=size))
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


@st.composite
def damaged(draw: st.DrawFn, intact: bytes) -> bytes:
    """The bytes with a few changed, some perhaps cut off, some perhaps appended."""
    content = bytearray(intact)
    for _ in range(draw(st.integers(0, 3))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    del content[draw(st.integers(0, len(content))) :]
    return bytes(content) + draw(st.binary(max_size=3))


@given(byte_arrays())
def test_idx_round_trip(array: np.ndarray) -> None:
    read = parse_idx(idx_bytes(array), array.ndim, "memory")
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)


@given(st.data(), st.integers(1, 4))
@settings(max_examples=200)
def test_any_bytes_are_a_valid_array_or_an_input_error(data: st.DataObject, dimensions: int) -> None:
    intact = idx_bytes(data.draw(byte_arrays()))
    content = data.draw(st.one_of(damaged(intact), st.binary(max_size=40)))
    try:
        read = parse_idx(content, dimensions, "memory")
    except InputError as error:
        assert str(error).startswith("memory: ")
    else:
        assert read.ndim == dimensions
        assert idx_bytes(read) == content


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("idx")


@given(st.data())
@settings(max_examples=150)
def test_any_packed_bytes_are_the_published_array_or_an_input_error(scratch: Path, data: st.DataObject) -> None:
    array = arrays()[IMAGES]
    intact = packed(idx_bytes(array))
    path = scratch / "fuzzed.gz"
    path.write_bytes(data.draw(st.one_of(damaged(intact), st.just(intact), st.binary(max_size=40))))
    try:
        read = read_idx(path, 3, md5(intact))
    except InputError as error:
        assert str(error).startswith(f"{path}: ")
        assert path.read_bytes() != intact
    else:
        np.testing.assert_array_equal(read, array)
        assert path.read_bytes() == intact


def test_lengths_that_overflow_a_machine_word_are_an_input_error() -> None:
    # 2^16 · 2^16 · 2^16 · 2^16 = 2^64, which is 0 in 64 bits, as many as elements follow.
    header = struct.pack(">BBBB4I", 0, 0, 8, 4, *(2**16,) * 4)
    with pytest.raises(InputError, match="18446744073709551616 elements, but 0 follow"):
        parse_idx(header, 4, "memory")


def test_a_file_shorter_than_its_header() -> None:
    for length in range(8):
        with pytest.raises(InputError, match="too few for an IDX file" if length < 4 else "ends inside its header"):
            parse_idx(idx_bytes(np.zeros(3))[:length], 1, "memory")


def test_an_unreadable_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_idx(tmp_path / "absent", 1, "")


# --- digits -------------------------------------------------------------------------------------------------


def test_digits_are_whole_and_in_range() -> None:
    data = load_dataset("digits")
    assert (data.source, data.image_shape, data.classes) == ("bundled with scikit-learn", (8, 8), 10)
    assert (DATASETS["digits"].image_shape, DATASETS["digits"].classes) == (data.image_shape, data.classes)
    assert data.train_inputs.shape == (1437, 64)
    assert data.test_inputs.shape == (360, 64)
    for inputs, labels in ((data.train_inputs, data.train_labels), (data.test_inputs, data.test_labels)):
        assert inputs.dtype == torch.float32
        assert labels.dtype == torch.int64
        assert (inputs.min(), inputs.max()) == (0, 1)
        assert len(labels) == len(inputs)


def test_the_digits_split_is_disjoint_and_covers_everything() -> None:
    from sklearn.datasets import load_digits  # noqa: PLC0415

    def rows(inputs: np.ndarray, labels: np.ndarray) -> list[tuple[float, ...]]:
        return sorted(map(tuple, np.column_stack([inputs, labels]).tolist()))

    data, bundled = load_dataset("digits"), load_digits()
    both = torch.cat([data.train_inputs, data.test_inputs]), torch.cat([data.train_labels, data.test_labels])
    # No two of the images are alike, so equal multisets of rows leave no room for one on both sides.
    assert len(np.unique(bundled.data, axis=0)) == 1797
    assert rows(both[0].numpy(), both[1].numpy()) == rows(bundled.data / 16, bundled.target)


def test_the_digits_split_is_stratified() -> None:
    data = load_dataset("digits")
    in_test = data.test_labels.bincount(minlength=10).double()
    in_all = in_test + data.train_labels.bincount(minlength=10)
    assert in_test.sum() == 360
    assert (in_test - in_all * 360 / 1797).abs().max() < 1


def test_the_digits_split_is_the_same_everywhere_and_shuffled() -> None:
    data = load_dataset("digits")
    again = load_dataset("digits")
    assert torch.equal(data.test_inputs, again.test_inputs)
    assert data.test_labels[:20].tolist() == PINNED_TEST_LABELS
    assert md5((data.test_inputs * 16).to(torch.uint8).numpy().tobytes()) == PINNED_TEST_IMAGES


# --- derived data sets --------------------------------------------------------------------------------------


def numbered(train: int = 40, test: int = 7) -> Dataset:
    """A data set whose first pixel and label both tell which sample it is."""
    inputs = torch.rand(train + test, 6, generator=torch.Generator().manual_seed(3))
    inputs[:, 0] = torch.arange(train + test) / 64
    labels = torch.arange(train + test)
    return Dataset("numbered", "test", inputs[:train], labels[:train], inputs[train:], labels[train:], (2, 3), 64)


def test_standardised_takes_both_scalars_from_training_alone() -> None:
    data = numbered()
    result = data.standardised()
    mean = data.train_inputs.double().mean().item()
    deviation = data.train_inputs.double().std(correction=0).item()
    torch.testing.assert_close(result.train_inputs, (data.train_inputs - mean) / deviation, atol=1e-6, rtol=0)
    torch.testing.assert_close(result.test_inputs, (data.test_inputs - mean) / deviation, atol=1e-6, rtol=0)
    assert result.train_inputs.dtype == torch.float32
    assert abs(result.train_inputs.mean()) < 1e-6
    assert abs(result.train_inputs.std(correction=0) - 1) < 1e-6
    # Else the test above could not tell training's scalars from the test part's.
    assert abs(result.test_inputs.mean()) > 0.05
    assert torch.equal(result.train_labels, data.train_labels)
    assert torch.equal(data.train_inputs, numbered().train_inputs)


def test_standardised_needs_pixels_that_differ() -> None:
    with pytest.raises(InputError, match="all training pixels are equal"):
        replace(numbered(), train_inputs=torch.full((40, 6), 0.5)).standardised()


def test_standardised_sums_over_more_rows_than_one_piece() -> None:
    inputs = torch.rand(2 * 4096 + 5, 3, generator=torch.Generator().manual_seed(4)) ** 2
    result = replace(numbered(), train_inputs=inputs, train_labels=torch.zeros(len(inputs))).standardised()
    assert abs(result.train_inputs.double().mean()) < 1e-6
    assert abs(result.train_inputs.double().std(correction=0) - 1) < 1e-6


@given(st.integers(2, 40), st.data())
def test_validation_is_disjoint_from_training_and_covers_it(train: int, data: st.DataObject) -> None:
    samples = data.draw(st.integers(1, train - 1))
    whole = numbered(train)
    part = whole.with_validation(samples)
    assert (len(part.train_labels), len(part.test_labels)) == (train - samples, samples)
    assert sorted([*part.train_labels.tolist(), *part.test_labels.tolist()]) == list(range(train))
    # Inputs have moved along with their labels, and none comes from the true test part.
    assert torch.equal(part.train_inputs, whole.train_inputs[part.train_labels])
    assert torch.equal(part.test_inputs, whole.train_inputs[part.test_labels])


def test_validation_is_fixed_shuffled_and_nested() -> None:
    whole = numbered()
    few, again, many = whole.with_validation(5), whole.with_validation(5), whole.with_validation(20)
    assert torch.equal(few.test_labels, again.test_labels)
    assert few.test_labels.tolist() != list(range(35, 40))
    assert few.test_labels.tolist() == many.test_labels[-5:].tolist()
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    assert torch.equal(few.train_labels, whole.with_validation(5).train_labels)
    assert few.test_labels.tolist() == PINNED_VALIDATION


@pytest.mark.parametrize("samples", [-1, 0, 40, 41])
def test_validation_of_nothing_or_everything_is_refused(samples: int) -> None:
    with pytest.raises(InputError, match=f"validation samples = {samples}: must be from 1 to 39"):
        numbered().with_validation(samples)


# --- the real files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "per_class", "mean", "deviation"),
    [("mnist", None, 0.1307, 0.3081), ("fashion-mnist", 6000, 0.2860, 0.3530)],
)
def test_the_published_files(name: str, per_class: int | None, mean: float, deviation: float) -> None:
    try:
        data = load_dataset(name, allow_download=False)
    except DataNotFoundError as error:
        pytest.skip(str(error))
    assert data.train_inputs.shape == (60_000, 784)
    assert data.test_inputs.shape == (10_000, 784)
    assert (data.image_shape, data.classes) == ((28, 28), 10)
    assert (DATASETS[name].image_shape, DATASETS[name].classes) == (data.image_shape, data.classes)
    assert (data.train_inputs.min(), data.train_inputs.max()) == (0, 1)
    # The constants everyone normalises these with.
    assert abs(data.train_inputs.mean() - mean) < 1e-4
    assert abs(data.train_inputs.std() - deviation) < 1e-4
    if per_class is None:
        assert data.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    else:
        assert data.train_labels.bincount().tolist() == [per_class] * 10


@pytest.mark.parametrize("published", [mnist.FILES, fashion_mnist.FILES], ids=lambda files: files.name)
def test_the_checksums_of_the_unpacked_files_belong_to_the_packed_ones(published: PublishedFiles) -> None:
    named = os.environ.get(DATA_VARIABLE)
    roots = [Path(named)] if named else [datasets.beside_repository(), datasets.user_cache()]
    found = 0
    for file in published.files:
        for root in roots:
            path = (root or Path()) / published.folder / f"{file.name}.gz"
            if root is not None and path.is_file():
                found += 1
                stored = path.read_bytes()
                assert md5(stored) == file.packed_md5
                assert md5(gzip.decompress(stored)) == file.unpacked_md5
                assert sha256(stored) == file.packed_sha256
                assert sha256(gzip.decompress(stored)) == file.unpacked_sha256
    if not found:
        pytest.skip(f"no {published.name} in the places searched")
