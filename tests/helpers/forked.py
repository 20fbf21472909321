"""Commands in processes of their own, without the seconds that imports take in each.

One process of a session has imported the package and torch; for each command it forks, and the copy becomes the
command: with its own arguments, environment, directory, limits, signals and exit code. What a test of this session has
registered, patched or started is not there. That ``python -m barkhausen`` itself starts is tested by
``test_start_up.py`` and ``test_cli_bad_input.py``.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from all_modules import import_all_modules

COMMAND = "from barkhausen.__main__ import main; main()"
"""What ``python -m barkhausen`` executes."""

LATER = ("torch._dynamo", "matplotlib.pyplot", "sklearn.datasets", "h5netcdf", "plotly.graph_objects")
"""What commands import when they need it."""


@dataclass
class Ended:
    """What became of a command."""

    returncode: int
    stdout: str
    stderr: str


class Running:
    """A command at work.

    Args:
        pid: Number of its process.
        output: Ends of the pipes for its output and its errors.
    """

    def __init__(self, pid: int, output: list[int]) -> None:
        self.pid, self._output = pid, output
        self._code: int | None = None
        self._read = [b"", b""]

    def poll(self) -> int | None:
        """Exit code, or None while it runs; minus the number of a signal that ended it."""
        if self._code is None:
            self._code = _server().asked(poll=self.pid)
            self._drain()
            if self._code is not None:
                for end in self._output:
                    os.close(end)
        return self._code

    def _drain(self) -> None:
        for number, end in enumerate(self._output):
            with contextlib.suppress(BlockingIOError):
                while part := os.read(end, 1 << 16):
                    self._read[number] += part

    @property
    def errors(self) -> str:
        """What it has written to stderr so far."""
        if self._code is None:
            self._drain()
        return self._read[1].decode("utf-8", "surrogateescape")

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def result(self, timeout: float = 600.0) -> Ended:
        """Wait until it ends.

        Raises:
            subprocess.TimeoutExpired: It did not within that time in s; it is killed.
        """
        limit, pause = time.monotonic() + timeout, 0.002
        while self.poll() is None:
            if time.monotonic() > limit:
                self.send_signal(signal.SIGKILL)
                raise subprocess.TimeoutExpired("forked command", timeout)
            time.sleep(pause)
            pause = min(0.05, 1.5 * pause)
        # Bytes of a file name that are no text come back as they went.
        assert self._code is not None
        return Ended(self._code, *(part.decode("utf-8", "surrogateescape") for part in self._read))


def start(
    *words: object,
    where: Path | str | None = None,
    environment: Mapping[str, str] | None = None,
    first: str = "",
    code: str = COMMAND,
) -> Running:
    """Start ``barkhausen WORDS…``.

    Args:
        words: Arguments.
        where: Directory. Default: that of the tests.
        environment: Environment variables. Default: those of the tests.
        first: Python statements to execute before anything else.
        code: Python statements to execute in place of the command.
    """
    with tempfile.TemporaryDirectory(prefix="forked-") as folder:
        # Pipes: a limit on the size of files is none on these.
        pipes = [str(Path(folder) / name) for name in ("out", "err")]
        for pipe in pipes:
            os.mkfifo(pipe)
        output = [os.open(pipe, os.O_RDONLY | os.O_NONBLOCK) for pipe in pipes]
        pid = _server().asked(
            words=[os.fsdecode(word) if isinstance(word, bytes) else str(word) for word in words],
            where=str(where or Path.cwd()),
            environment=dict(os.environ if environment is None else environment),
            code=f"{first}\n{code}",
            pipes=pipes,
        )
    return Running(pid, output)


def run(*words: object, timeout: float = 600.0, **how: Any) -> Ended:
    """Start a command as :func:`start` does, and wait until it ends."""
    return start(*words, **how).result(timeout)


class _Server:
    """The process that forks, of this one."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        atexit.register(self._end)

    def asked(self, **request: Any) -> Any:
        """Its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            self.process.communicate(timeout=10)


_SERVERS: dict[int, _Server] = {}


def _server() -> _Server:
    """That of this process; a copy of it has its own."""
    if os.getpid() not in _SERVERS:
        _SERVERS[os.getpid()] = _Server()
    return _SERVERS[os.getpid()]


def _serve(requests: IO[str], answers: IO[str]) -> None:
    import_all_modules()
    for name in LATER:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for line in iter(requests.readline, ""):
        request = json.loads(line)
        answer: int | None
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            # Opened here: the names are gone after the answer.
            pipes = [os.open(pipe, os.O_WRONLY) for pipe in request["pipes"]]
            answer = os.fork()
            if answer == 0:
                _become(request, pipes)
            for pipe in pipes:
                os.close(pipe)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _become(request: dict[str, Any], pipes: list[int]) -> None:
    """Turn this process into the command, which ends it."""
    status = 1
    # As in a terminal: a shell that starts the tests in the background makes them, and their children, ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for number, source in enumerate([os.open(os.devnull, os.O_RDONLY), *pipes]):
            os.dup2(source, number)
            os.close(source)
        environment = request["environment"]
        os.environ.clear()
        os.environ.update(environment)
        encoding = environment.get("PYTHONIOENCODING") or "utf-8"
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding)
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), encoding)
        sys.stderr = io.TextIOWrapper(
            io.BufferedWriter(io.FileIO(2, "w", closefd=False)), encoding, "backslashreplace", line_buffering=True
        )
        os.chdir(request["where"])
        # The folder of this file, for tests that a command imports, comes last.
        sys.path = ["", *sys.path[1:], sys.path[0]]
        paths = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path and path not in sys.path]
        sys.path[1:1] = paths
        sys.argv = ["barkhausen", *request["words"]]
        exec(compile(request["code"], "<command>", "exec"), {"__name__": "__main__"})
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1 if stop.code else 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve(sys.stdin, sys.stdout)
