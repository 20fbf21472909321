from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from barkhausen.core.errors import InputError
from barkhausen.core.files import (
    LOCK,
    atomic_path,
    atomic_write,
    claimed_directory,
    clear_directory,
    open_lock,
    take_lock,
)


def test_target_of_a_link_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link, chain = tmp_path / "real" / "file", tmp_path / "link", tmp_path / "chain"
    target.write_text("old")
    link.symlink_to(Path("real") / "file")
    chain.symlink_to(link)
    atomic_write(chain, "new")
    assert (target.read_text(), link.is_symlink(), chain.is_symlink()) == ("new", True, True)
    (tmp_path / "dangling").symlink_to(tmp_path / "real" / "later")
    atomic_write(tmp_path / "dangling", "made")
    assert (tmp_path / "real" / "later").read_text() == "made"


def test_device_is_written_to_and_not_replaced() -> None:
    atomic_write(Path("/dev/null"), "text")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_pipe_is_written_to(tmp_path: Path) -> None:
    pipe, found = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    while not found:
        try:
            atomic_write(pipe, "x" * 200_000)
        except InputError as error:
            # The reader is not there yet.
            assert os.strerror(errno.ENXIO) in str(error)
            continue
        break
    reader.join()
    assert found == [b"x" * 200_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_open_file_gets_the_content_after_what_was_printed(capfd: pytest.CaptureFixture[str]) -> None:
    print("before")  # noqa: T201
    atomic_write(Path("/dev/stdout"), "content\n")
    print("after")  # noqa: T201
    assert capfd.readouterr().out == "before\ncontent\nafter\n"


@pytest.mark.parametrize("name", ["/dev/full", "/proc/nothing", "loop", "nul\0", "/"])
def test_what_cannot_be_written_is_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError, match="cannot be written") as caught:
        atomic_write(tmp_path / name, "text")
    assert "\0" not in str(caught.value)


def test_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    with pytest.raises(InputError, match="No space left on device"), atomic_path(target) as temporary:
        temporary.write_text("part")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert target.read_text() == "old"


def test_partial_files_of_killed_writers_are_removed_and_those_of_others_are_not(tmp_path: Path) -> None:
    left, other = tmp_path / ".file.abc.partial", tmp_path / ".other.abc.partial"
    left.touch()
    other.touch()
    with atomic_path(tmp_path / "file") as first:
        first.write_text("first")
        atomic_write(tmp_path / "file", "second")
        assert first.exists()
    assert (tmp_path / "file").read_text() == "first"
    assert not left.exists()
    assert other.exists()


def test_text_of_another_encoding_is_written_as_an_escape(tmp_path: Path) -> None:
    atomic_write(tmp_path / "file", os.fsdecode(b"\xff"))
    assert (tmp_path / "file").read_bytes() == rb"\udcff"


def test_lock_of_a_directory_is_never_replaced_nor_a_link(tmp_path: Path) -> None:
    with claimed_directory(tmp_path / "a", "marker", "a thing"):
        number = (tmp_path / "a" / LOCK).stat().st_ino
        clear_directory(tmp_path / "a")
        assert (tmp_path / "a" / LOCK).stat().st_ino == number
        with (
            pytest.raises(InputError, match="another process is at work"),
            claimed_directory(tmp_path / "a", "marker", "a thing"),
        ):
            pass
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / LOCK).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="cannot be written"):
        open_lock(tmp_path / "b")
    with open_lock(tmp_path / "c") as file:
        assert take_lock(file)
