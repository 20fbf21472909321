"""Terminals of other encodings, disks that are full, readers that go away, and too little memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import forked
from barkhausen.cli.terminal.failures import failure_in_words


def run(*words: str | bytes, first: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    done = forked.run("devices", *words, environment=os.environ | environment, first=first)
    out, err = (text.encode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(words, done.returncode, out, err)


def test_ascii_terminal_and_bytes_of_no_encoding(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/\xff\xfe"
    # Python asks for the language of the system as it starts.
    command = [sys.executable, "-m", "barkhausen", "devices", "racetrack-2", "--out", folder + b"/device.nc"]
    ascii_only = {"PYTHONIOENCODING": "ascii", "LANG": "C", "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, env=os.environ | ascii_only, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"device file in" in done.stdout
    assert (Path(os.fsdecode(folder)) / "device.nc").exists()
    command = [sys.executable, "-m", "barkhausen", "devices", folder + b"/device.nc"]
    done = subprocess.run(command, capture_output=True, env=os.environ | ascii_only, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
    assert b"state" in done.stdout
    done = run(folder + b"/missing.nc", PYTHONIOENCODING="latin-1")
    assert done.returncode == 2
    assert done.stderr == b"barkhausen: " + folder + b"/missing.nc: no such device file\n"


def test_full_disk_is_one_line(tmp_path: Path) -> None:
    small_files = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))"
    )
    done = run("racetrack-2", "--out", str(tmp_path / "device.nc"), first=small_files)
    assert done.returncode == 2
    assert done.stderr == f"barkhausen: {tmp_path}/device.nc: cannot be written (File too large)\n".encode()
    assert not list(tmp_path.iterdir())
    done = run("racetrack-2", "--toml", "/dev/full")
    assert (done.returncode, done.stderr) == (
        2,
        b"barkhausen: /dev/full: cannot be written (No space left on device)\n",
    )


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError(13, "Permission denied", "a/file"), "a/file: Permission denied"),
        (MemoryError(), "there is not enough memory on this machine"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "there is not enough memory on this machine"),
        (RuntimeError("a defect"), None),
        (ValueError("a defect"), None),
    ],
)
def test_failures_of_the_machine_are_told_from_defects(error: Exception, line: str | None) -> None:
    assert failure_in_words(error) == line
