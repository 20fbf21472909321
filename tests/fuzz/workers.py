"""Processes that try inputs: forked from one that has loaded everything, watched for time and memory."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cases
import psutil
import samples
from samples import Samples

from all_modules import import_all_modules

MOST_SECONDS = 20.0
"""CPU time in s that an input may take; of waiting, three times as much on a busy machine."""

MOST_BYTES = 2_000_000_000
"""Memory that an input may take, with all that was loaded before."""

INPUTS_OF_A_WORKER = 1000
FINE, TRACEBACK, HANG, MEMORY, UNTIDY = "fine", "traceback", "hang", "memory", "untidy"


class Accepted(BaseException):
    """Raised where long work would start: the input has been read and was not refused."""


def load() -> None:
    """Import everything, in the process that workers are forked from."""
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch
    import torch._dynamo

    torch.set_num_threads(1)
    torch.set_num_threads = lambda number: None  # type: ignore[assignment]
    # All modules, so that a change of the code during a run changes nothing.
    import_all_modules()
    with contextlib.suppress(ImportError):
        import discretisedfield  # noqa: F401


def made_samples(root: Path) -> Samples:
    """All samples in a directory, made by a process of its own: it starts threads, and workers are forked from here."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            samples.make(root)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    if status:
        raise RuntimeError("the samples could not be made")
    return Samples(root)


def end_early() -> None:
    """Let work end where it would begin, after the samples are made."""
    import pooch

    import barkhausen.experiment.design.search
    import barkhausen.micromagnetics.ensemble
    import barkhausen.sweep.engine
    from barkhausen.experiment.training import Training

    def stop(*_: Any, **__: Any) -> Any:
        raise Accepted

    def absent(*_: Any, **__: Any) -> Any:
        raise OSError("there is no network here")

    Training.run_epoch = stop  # type: ignore[method-assign]
    barkhausen.sweep.engine.local_cluster = stop  # type: ignore[assignment]
    barkhausen.micromagnetics.ensemble._Chunk.execute = stop  # type: ignore[method-assign]
    barkhausen.experiment.design.search.trials = stop
    pooch.retrieve = absent


def warm_up(made: Samples, folder: Path) -> None:
    """Import what is imported when it is first needed, once instead of in every worker."""
    lines = (
        f"train {made / 'recipe.toml'} --out run",
        f"report {made / 'run'} --out report.html",
        f"sweep {made / 'sweep.toml'} --out {made / 'sweep'}",
        f"devices {made / 'device.nc'} --report page.html",
        f"devices {made / 'device.nc'} --figure figure.svg",
        f"table {made / 'sweep'}",
        f"export {made / 'run'} --to npz --out out.npz",
        f"import-device {made / 'measured.csv'} --parameters {made / 'device.toml'} --out out.nc",
    )
    work = Path(tempfile.mkdtemp(dir=folder))
    for line in lines:
        with _captured(folder, False) as output:
            code, error = _tried(cases.Case(line.split()), work)
        if code or error is not None:
            raise RuntimeError(f"{line}: exit code {code}: {error or output['err']}")
    shutil.rmtree(work)


@dataclass
class Verdict:
    """What became of one input."""

    number: int
    kind: str
    outcome: str
    seconds: float = 0.0
    peak: int = 0
    code: int | None = None
    detail: str = ""


def attempt(seed: int, number: int, made: Samples, folder: Path, kinds: list[str] | None = None) -> Verdict:
    """Try one input, in this process; the same seed and number make the same input."""
    chance = random.Random(f"{seed}/{number}")
    work = Path(tempfile.mkdtemp(dir=folder))
    name, verdict = "making", None
    _forget_peak()
    began, before = time.process_time(), os.environ.copy()
    try:
        name, case = cases.make(chance, made, work, kinds)
        began = time.process_time()
        with _captured(folder, case.file_size is not None) as output:
            code, error = _tried(case, work)
        err = output["err"]
        detail = f"{' '.join(case.words)[:500]}\n{(error or err)[-3000:]}"
        verdict = Verdict(number, name, _judged(code, error, err), code=code, detail=detail)
    except Exception:
        verdict = Verdict(number, name, "harness", detail=traceback.format_exc()[-3000:])
    finally:
        os.environ.clear()
        os.environ.update(before)
        os.chdir("/")
        shutil.rmtree(work, ignore_errors=True)
    verdict.seconds, verdict.peak = time.process_time() - began, _peak()
    if verdict.outcome == FINE and verdict.peak > MOST_BYTES:
        verdict.outcome = MEMORY
    if verdict.outcome == FINE and verdict.seconds > MOST_SECONDS:
        verdict.outcome = HANG
    return verdict


def _tried(case: cases.Case, work: Path) -> tuple[int | None, str | None]:
    """Exit code (None: accepted), and the traceback of an error that escaped."""
    from barkhausen.cli.app import main
    from barkhausen.core.errors import BarkhausenError

    os.chdir(work)
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    if case.file_size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (case.file_size, allowed[1]))
    words, sys.argv = sys.argv, ["barkhausen", *case.words]
    try:
        if case.call is None:
            main()
            return 0, None
        case.call()
        return 0, None
    except Accepted:
        return None, None
    except BarkhausenError as error:
        return (2, None) if len(str(error).splitlines()) <= 1 else (2, f"message of several lines: {error}")
    except SystemExit as stop:
        return int(stop.code or 0), None
    except BaseException:
        return 1, traceback.format_exc()
    finally:
        sys.argv = words
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)


def _judged(code: int | None, error: str | None, err: str) -> str:
    if error is not None or "Traceback (most recent call last)" in err:
        return TRACEBACK
    if "not enough memory" in err:
        return MEMORY
    # Wrong input is one line, which notes and warnings may precede.
    last = err.splitlines()[-1:]
    if code not in (None, 0, 1, 2) or (code == 2 and not all(line.startswith("barkhausen: ") for line in last)):
        return UNTIDY
    return FINE


@contextlib.contextmanager
def _captured(folder: Path, small_files: bool) -> Iterator[dict[str, str]]:
    """Whatever is written to stderr within the block, as ``err``; what is written to stdout is thrown away.

    Args:
        folder: Directory for a file.
        small_files: Whether files cannot grow: then a pipe takes what is written, a few pages at most.
    """
    found: dict[str, str] = {}
    sys.stdout.flush()
    sys.stderr.flush()
    if small_files:
        source, sink = os.pipe()
    else:
        sink, name = tempfile.mkstemp(dir=folder)
        source = os.open(name, os.O_RDONLY)
        Path(name).unlink()
    nothing = os.open(os.devnull, os.O_WRONLY)
    kept = [os.dup(1), os.dup(2)]
    os.dup2(nothing, 1)
    os.dup2(sink, 2)
    try:
        yield found
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        for number, old in enumerate(kept, 1):
            os.dup2(old, number)
            os.close(old)
        os.close(sink)
        os.close(nothing)
        found["err"] = os.read(source, 200_000).decode("utf-8", "replace")
        os.close(source)


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


@dataclass
class Worker:
    """One forked process and what it is at."""

    pid: int
    pipe: int
    number: int | None = None
    since: float = field(default_factory=time.monotonic)
    cpu: float = 0.0
    buffer: bytes = b""


class Pool:
    """Workers that try inputs until they are told to stop.

    Args:
        seed: Seed of all inputs.
        made: Whole files.
        folder: Directory for the files of the inputs, best in memory.
        kinds: Names of the kinds to try. Default: all.
    """

    def __init__(self, seed: int, made: Samples, folder: Path, kinds: list[str] | None = None) -> None:
        self.seed, self.made, self.folder, self.kinds = seed, made, folder, kinds

    def verdicts(self, first: int, step: int, until: float, most: int | None = None) -> Iterator[Verdict]:
        """Verdicts of the inputs ``first``, ``first + 1``, … from ``step`` workers.

        Args:
            first: Number of the first input.
            step: Number of workers.
            until: Time of :func:`time.monotonic` at which to stop.
            most: Largest number of inputs. Default: no limit.
        """
        end = None if most is None else first + most
        workers = [self._start(first + offset, step, until, end) for offset in range(step)]
        while workers:
            ready, _, _ = select.select([worker.pipe for worker in workers], [], [], 1.0)
            for worker in list(workers):
                if worker.pipe in ready:
                    part = os.read(worker.pipe, 1 << 16)
                    worker.buffer += part
                    *lines, worker.buffer = worker.buffer.split(b"\n")
                    for line in lines:
                        yield from self._heard(worker, line)
                    if not part:
                        workers.remove(worker)
                        again = self._ended(worker)
                        if worker.number is not None:
                            yield again
                        follow = (worker.number if worker.number is not None else worker.next) + (
                            step if worker.number is not None else 0
                        )
                        if time.monotonic() < until and (end is None or follow < end):
                            workers.append(self._start(follow, step, until, end))
                elif self._hangs(worker):
                    os.kill(worker.pid, signal.SIGKILL)
                    worker.killed = True

    def _heard(self, worker: Any, line: bytes) -> Iterator[Verdict]:
        said = json.loads(line)
        if "begins" in said:
            worker.number, worker.since = said["begins"], time.monotonic()
            worker.cpu = _cpu(worker.pid)
        else:
            worker.next, worker.number = said["number"] + worker.step, None
            yield Verdict(**said)

    @staticmethod
    def _hangs(worker: Any) -> bool:
        if worker.number is None or time.monotonic() - worker.since < MOST_SECONDS:
            return False
        waited = time.monotonic() - worker.since > 6 * MOST_SECONDS
        return waited or _cpu(worker.pid) - worker.cpu > MOST_SECONDS

    def _ended(self, worker: Any) -> Verdict:
        """Collect a worker; the verdict on the input that it died of, if any."""
        os.close(worker.pipe)
        _, status = os.waitpid(worker.pid, 0)
        outcome = HANG if worker.killed else TRACEBACK
        detail = "killed: it never ended" if worker.killed else f"the process died (status {status})"
        return Verdict(worker.number or 0, "?", outcome, detail=detail)

    def _start(self, first: int, step: int, until: float, end: int | None) -> Any:
        source, sink = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.close(source)
                self._work(sink, first, step, until, end)
                status = 0
            finally:
                os._exit(status)
        os.close(sink)
        worker: Any = Worker(pid, source)
        worker.next, worker.step, worker.killed = first, step, False
        return worker

    def _work(self, sink: int, first: int, step: int, until: float, end: int | None) -> None:
        used = psutil.Process().memory_info().vms
        resource.setrlimit(resource.RLIMIT_AS, (used + 2 * MOST_BYTES, resource.RLIM_INFINITY))
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        number = first
        try:
            for number in range(first, first + step * INPUTS_OF_A_WORKER, step):
                if time.monotonic() > until or (end is not None and number >= end):
                    return
                os.write(sink, json.dumps({"begins": number}).encode() + b"\n")
                verdict = attempt(self.seed, number, self.made, folder, self.kinds)
                os.write(sink, json.dumps(vars(verdict)).encode() + b"\n")
                if verdict.peak > MOST_BYTES // 2 and psutil.Process().memory_info().rss > MOST_BYTES // 2:
                    return
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _cpu(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
