"""NSL-KDD: what the rows become, what a wrong file says, and where the files are looked for."""

from __future__ import annotations

import functools
import gzip
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from barkhausen.core.errors import DataNotFoundError, InputError
from barkhausen.data import DATASETS, Dataset, load_dataset, nsl_kdd
from barkhausen.data import published as datasets
from barkhausen.data.nsl_kdd import parse_connections, read_connections
from barkhausen.data.published import DATA_VARIABLE
from barkhausen.experiment.tasks.anomaly_detection import anomaly_rows

TRAIN_FILE, TEST_FILE = "KDDTrain+.txt", "KDDTest+.txt"


def line(kind: str, duration: float = 0, protocol: str = "tcp", service: str = "http", flag: str = "SF") -> str:
    """A connection whose other 37 numbers are its duration's remainder by 5, so that no column is alike."""
    numbers = [(duration * n) % 5 for n in range(1, 38)]
    return ",".join(map(str, [duration, protocol, service, flag, *numbers, kind, 21]))


TRAIN = [
    line("normal", 1),
    line("normal", 2, service="smtp"),
    line("normal", 2, protocol="udp", service="domain_u"),
    line("normal", 7),
    line("neptune", 0, flag="S0"),
    line("back", 900),
]
TEST = [line("normal", 3), line("mailbomb", 2, service="smtp", protocol="udp"), line("back", 0, service="gopher")]


def text(lines: list[str]) -> bytes:
    return "".join(f"{row}\n" for row in lines).encode()


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(root: Path, train: bytes, test: bytes, *, gz: bool = False) -> Path:
    folder = root / "NSL-KDD"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ((TRAIN_FILE, train), (TEST_FILE, test)):
        (folder / (f"{name}.gz" if gz else name)).write_bytes(gzip.compress(content) if gz else content)
    return folder


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the few lines above the published files."""
    publish(monkeypatch, text(TRAIN), text(TEST))


def publish(monkeypatch: pytest.MonkeyPatch, train: bytes, test: bytes) -> None:
    files = tuple(
        replace(file, unpacked_md5=md5(content), unpacked_sha256=sha256(content))
        for file, content in zip(nsl_kdd.FILES.files, (train, test), strict=True)
    )
    load = functools.partial(nsl_kdd.load, replace(nsl_kdd.FILES, files=files))
    monkeypatch.setitem(DATASETS, "nsl-kdd", replace(nsl_kdd.NSL_KDD, load=load))


def refused(root: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_dataset("nsl-kdd", root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- what the rows become -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("gz", [True, False])
def test_labels_kinds_and_shapes(tmp_path: Path, gz: bool) -> None:
    put(tmp_path, text(TRAIN), text(TEST), gz=gz)
    data = load_dataset("nsl-kdd", tmp_path)
    assert (data.name, data.task, data.classes) == ("nsl-kdd", "anomaly-detection", 2)
    assert data.kinds == ("normal", "back", "mailbomb", "neptune")
    assert data.train_labels.tolist() == [0, 0, 0, 0, 1, 1]
    assert data.train_kinds.tolist() == [0, 0, 0, 0, 3, 1]
    assert data.test_labels.tolist() == [0, 1, 1]
    assert data.test_kinds.tolist() == [0, 2, 1]
    # 38 numbers, 2 protocols, 3 services and 2 flags of the training file.
    assert data.train_inputs.shape == (6, 38 + 7)
    assert data.test_inputs.shape == (3, 45)
    assert data.image_shape == (45,)
    assert data.train_inputs.dtype == data.test_inputs.dtype == torch.float32


@pytest.mark.usefixtures("published")
def test_numbers_become_their_rank_among_normal_training_rows(tmp_path: Path) -> None:
    put(tmp_path, text(TRAIN), text(TEST))
    data = load_dataset("nsl-kdd", tmp_path)
    # Normal durations in training: 1, 2, 2, 7. Of two equal ones, one lies below and one above, on average.
    assert data.train_inputs[:, 0].tolist() == [0.125, 0.5, 0.5, 0.875, 0.0, 1.0]
    assert data.test_inputs[:, 0].tolist() == [0.75, 0.5, 0.0]
    # The last number of a row is 37 times its duration, modulo 5: 2, 4, 4, 4 in normal rows; 0 and 0 in attacks.
    assert data.train_inputs[:, 37].tolist() == [0.125, 0.625, 0.625, 0.625, 0.0, 0.0]


@pytest.mark.usefixtures("published")
def test_words_become_one_feature_for_each_value_of_the_training_file(tmp_path: Path) -> None:
    put(tmp_path, text(TRAIN), text(TEST))
    data = load_dataset("nsl-kdd", tmp_path)
    # tcp, udp; domain_u, http, smtp; S0, SF
    assert data.train_inputs[2, 38:].tolist() == [0, 1, 1, 0, 0, 0, 1]
    assert data.train_inputs[4, 38:].tolist() == [1, 0, 0, 1, 0, 1, 0]
    assert data.test_inputs[1, 38:].tolist() == [0, 1, 0, 0, 1, 0, 1]
    # gopher does not occur in training.
    assert data.test_inputs[2, 38:].tolist() == [1, 0, 0, 0, 0, 0, 1]


def test_the_test_file_and_the_attacks_have_no_say_in_the_preparation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "a", text(TRAIN), text(TEST))
    publish(monkeypatch, text(TRAIN), text(TEST))
    data = load_dataset("nsl-kdd", tmp_path / "a")
    others = [*TRAIN[:4], line("neptune", 3, flag="S0"), line("neptune", 4)], [line("normal", 5000), *TEST[1:]]
    put(tmp_path / "b", *map(text, others))
    publish(monkeypatch, *map(text, others))
    again = load_dataset("nsl-kdd", tmp_path / "b")
    assert torch.equal(data.train_inputs[:4], again.train_inputs[:4])
    assert torch.equal(data.test_inputs[1:], again.test_inputs[1:])


# --- wrong files --------------------------------------------------------------------------------------------


MALFORMED: list[tuple[bytes, str]] = [
    (b"", "has no line"),
    (text(TRAIN)[:-20], "not the lines of 43 values"),
    (b"<html>not here</html>", "not the lines of 43 values"),
    (text([*TRAIN, line("normal", 1) + ",1"]), "not the lines of 43 values"),
    (text([TRAIN[0], TRAIN[1].replace("2,tcp", "two,tcp", 1)]), "not the lines of 43 values"),
    (text([TRAIN[0], TRAIN[1].replace("2,tcp", "nan,tcp", 1)]), "row 2: value 1 is nan, no finite number"),
    (text([TRAIN[0], TRAIN[1].replace("tcp", "", 1)]), "row 2: value 2 is no word"),
    (text(TRAIN).replace(b"smtp", b"sm\xfftp"), "plain text"),
    (bytes(range(256)), "file: "),
]


def test_malformed_text_is_one_line_that_names_the_file() -> None:
    for content, complaint in MALFORMED:
        with pytest.raises(InputError) as caught:
            parse_connections(content, "file")
        assert str(caught.value).startswith("file: ")
        assert complaint in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("published")
def test_another_text_is_a_wrong_checksum(tmp_path: Path) -> None:
    for gz in (True, False):
        root = tmp_path / str(gz)
        folder = put(root, text(TRAIN), text(TEST[:2]), gz=gz)
        message = refused(root)
        assert message.startswith(
            f"{folder / TEST_FILE}{'.gz' if gz else ''}: wrong checksum: sha256 {sha256(text(TEST[:2]))}"
        )
        assert sha256(text(TEST)) in message


@pytest.mark.usefixtures("published")
def test_damaged_gzip_files(tmp_path: Path) -> None:
    path = put(tmp_path, text(TRAIN), text(TEST), gz=True) / f"{TRAIN_FILE}.gz"
    sound = path.read_bytes()
    path.write_bytes(sound[: len(sound) // 2])
    assert refused(tmp_path).startswith(f"{path}: truncated")
    path.write_bytes(b"not gzip")
    assert refused(tmp_path).startswith(f"{path}: damaged gzip")
    with pytest.raises(InputError, match="no such file"):
        read_connections(tmp_path / "absent", "")


@pytest.mark.parametrize(("kind", "lacks"), [("normal", "attack"), ("neptune", "normal")])
def test_both_normal_rows_and_attacks_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, lacks: str
) -> None:
    only = text([line(kind, n) for n in range(3)])
    publish(monkeypatch, text(TRAIN), only)
    path = put(tmp_path, text(TRAIN), only) / TEST_FILE
    assert refused(tmp_path) == f"{path}: has no {lacks} row"


# --- the search ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("published")
def test_the_places_are_those_of_the_other_data_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.setattr(datasets, "beside_repository", lambda: tmp_path / "shared")
    monkeypatch.setattr(datasets, "user_cache", lambda: tmp_path / "cache")
    with pytest.raises(DataNotFoundError, match="University of New Brunswick") as caught:
        load_dataset("nsl-kdd")
    assert "shared/data beside the repository (no " in str(caught.value)
    put(tmp_path / "cache", text(TRAIN), text(TEST))
    assert load_dataset("nsl-kdd").source == "user cache"
    put(tmp_path / "shared", text(TRAIN), text(TEST), gz=True)
    assert load_dataset("nsl-kdd").source == "shared/data beside the repository"
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "named"))
    (tmp_path / "named").mkdir()
    layout = "NSL-KDD/{KDDTrain+.txt,KDDTest+.txt}, each with or without .gz"
    with pytest.raises(InputError, match="No such file") as absent:
        load_dataset("nsl-kdd")
    assert str(absent.value).endswith(layout)


# --- the parts of an anomaly task ---------------------------------------------------------------------------


def numbered(samples: int = 60) -> Dataset:
    """Samples whose first feature tells which they are; every third is an attack, of three kinds in turn."""
    inputs = torch.rand(samples, 2, generator=torch.Generator().manual_seed(1))
    inputs[:, 0] = torch.arange(samples)
    row = torch.arange(samples)
    kinds = torch.where(row % 3 == 0, 1 + row // 3 % 3, 0)
    labels = (kinds != 0).long()
    parts = (inputs, labels, inputs[:10], labels[:10], (2,), 2, "anomaly-detection", ("normal", "a", "b", "c"))
    return Dataset("numbered", "test", *parts, kinds, kinds[:10], prepared=True)


def test_the_autoencoder_learns_from_normal_rows_and_the_threshold_sees_none_of_them() -> None:
    data = numbered()
    learned, held_out = anomaly_rows(data)
    assert sorted([*learned.tolist(), *held_out.tolist()]) == list(range(60))
    assert not data.train_labels[learned].any()
    assert int((data.train_labels[held_out] == 0).sum()) == 8  # a fifth of the 40 normal ones
    assert int(data.train_labels[held_out].sum()) == 20
    again = anomaly_rows(numbered())
    assert torch.equal(learned, again[0])
    # Shuffled: not merely the last ones.
    assert held_out[data.train_labels[held_out] == 0].min() < 30


def test_prepared_features_are_left_alone() -> None:
    data = numbered()
    assert torch.equal(data.standardised().train_inputs, data.train_inputs)


def test_validation_takes_the_kinds_along() -> None:
    data = numbered()
    part = data.with_validation(20)
    for inputs, labels, kinds in (
        (part.train_inputs, part.train_labels, part.train_kinds),
        (part.test_inputs, part.test_labels, part.test_kinds),
    ):
        row = inputs[:, 0].long()
        assert torch.equal(labels, data.train_labels[row])
        assert torch.equal(kinds, data.train_kinds[row])
    assert part.task == "anomaly-detection"
    assert len(anomaly_rows(part)[0]) < len(anomaly_rows(data)[0])


def test_a_classification_has_no_anomalies() -> None:
    with pytest.raises(ValueError, match="numbered has no kinds of samples"):
        anomaly_rows(replace(numbered(), task="classification", kinds=()))


# --- the real files -----------------------------------------------------------------------------------------


def test_the_published_files() -> None:
    try:
        data = load_dataset("nsl-kdd", allow_download=False)
    except DataNotFoundError as error:
        pytest.skip(str(error))
    assert data.train_inputs.shape == (125_973, 122)
    assert data.test_inputs.shape == (22_544, 122)
    assert data.train_labels.bincount().tolist() == [67_343, 58_630]
    assert data.test_labels.bincount().tolist() == [9_711, 12_833]
    assert len(data.kinds) == 40
    assert len(data.train_kinds.unique()) == 23
    assert (data.train_inputs.min(), data.train_inputs.max()) == (0, 1)
    # Every word of the test file occurs in training: each row has one protocol, one service and one flag.
    assert torch.equal(data.test_inputs[:, 38:].sum(dim=1), torch.full((22_544,), 3.0))
    normal = data.train_inputs[data.train_labels == 0]
    np.testing.assert_allclose(normal[:, :38].double().mean(dim=0), 0.5, atol=1e-6)
    assert [len(rows) for rows in anomaly_rows(data)] == [53_874, 72_099]
