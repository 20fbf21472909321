from __future__ import annotations

import gzip
import os
import threading
import time
from pathlib import Path

import pytest

from barkhausen.core.config import apply_setting, read_text, read_toml
from barkhausen.core.errors import InputError
from barkhausen.core.files import read_json, read_json_lines, reading
from barkhausen.core.files.reading import check_file, read_bytes, unpacked
from barkhausen.core.limits import MEMORY_VARIABLE, UNASKED, check_memory, memory_allowed


def refused(path: Path | str) -> str:
    with pytest.raises(InputError) as caught:
        read_bytes(Path(path))
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/dev/zero", "is a device, not a file"),
        ("/dev/null", "is a device, not a file"),
        ("/tmp", "is a directory, not a file"),
        ("/nowhere/at/all", "no such file"),
        ("a\0b", "cannot be read"),
        ("x" * 5000, "cannot be read"),
    ],
)
def test_what_is_no_file_is_refused(path: str, why: str) -> None:
    assert why in refused(path)
    assert "\0" not in refused(path)
    with pytest.raises(InputError):
        check_file(Path(path))


def test_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "cannot be read" in refused(tmp_path / "loop")


def test_file_of_terabytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.toml"
    with path.open("wb") as file:
        file.truncate(10**12)
    assert "has 1 TB" in refused(path)
    with pytest.raises(InputError, match="1 TB"):
        check_file(path)


def test_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    source, sink = os.pipe()
    os.write(sink, b"seed = 1\n")
    os.close(sink)
    assert read_toml(Path(f"/dev/fd/{source}")) == {"seed": 1}
    os.close(source)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"late\n"))
    writer.start()
    assert read_text(pipe) == "late\n"
    writer.join()


def test_pipe_that_nobody_writes_to_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PIPE_SECONDS", 0.1)
    os.mkfifo(tmp_path / "pipe")
    began = time.monotonic()
    assert "has delivered no end within 0.1 s" in refused(tmp_path / "pipe")
    assert time.monotonic() - began < 5


def test_gzip_bomb_is_unpacked_to_a_limit_only() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    with pytest.raises(InputError, match=r"unpacks 48\.6 kB to more"):
        unpacked(bomb, "file", most=1_000_000)
    assert unpacked(gzip.compress(b"abc"), "file") == b"abc"


@pytest.mark.parametrize("text", ["seed = 1979-05-27", "a.b = [07:32:00]", "seed = 1979-05-27T07:32:00Z"])
def test_dates_in_toml_are_refused_by_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"(seed|a\.b) = .*is a date or a time"):
        read_toml(path)
    with pytest.raises(InputError, match="is a date or a time"):
        apply_setting({}, text.replace(" = ", "="))


def test_nul_and_integers_of_more_than_64_bits_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_text('recipe = "a\\u0000b"')
    with pytest.raises(InputError, match=r"recipe = .*holds the character NUL"):
        read_toml(path)
    path.write_text(f"seed = {2**63}")
    with pytest.raises(InputError, match="seed = 9223372036854775808: has more than 64 bits"):
        read_toml(path)
    path.write_text(f"seed = {2**63 - 1}")
    assert read_toml(path) == {"seed": 2**63 - 1}


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff", b"1" * 10_000])
def test_damaged_json_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"is damaged|is not UTF-8"):
        read_json(path)
    if content:
        with pytest.raises(InputError, match=r"is damaged|is not UTF-8"):
            read_json_lines(path)


def test_memory_is_refused_with_an_estimate_and_the_way_to_allow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MEMORY_VARIABLE, raising=False)
    check_memory(UNASKED, "all")
    with pytest.raises(InputError, match=r"^net: would take about 31\.4 GB .* set BARKHAUSEN_MEMORY.*'37\.7 GB'"):
        check_memory(31.4e9, "net")
    monkeypatch.setenv(MEMORY_VARIABLE, "37.7 GB")
    check_memory(31.4e9, "net")
    for text, size in (("1e9", 1e9), ("3GiB", 3 * 2**30), (" 8 gb ", 8e9)):
        monkeypatch.setenv(MEMORY_VARIABLE, text)
        assert memory_allowed() == size
    monkeypatch.setenv(MEMORY_VARIABLE, "much")
    with pytest.raises(InputError, match="must be an amount of memory"):
        memory_allowed()
