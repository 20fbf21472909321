"""Clusters on which tasks run: new worker processes, or the workers of an existing scheduler."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from types import FrameType

import dask
from distributed import Client, LocalCluster

from barkhausen.core.errors import InputError

WORKER = "barkhausen.sweep.worker"
"""Module that each worker loads first."""

DEATHS = 20
"""Workers that may die under a task before it counts as failed: they may be killed for reasons of their own."""

CONNECT_SECONDS = 20
ADDRESS = re.compile(r"[a-z]+://[^/\s]+:\d+")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@contextlib.contextmanager
def local_cluster(workers: int, threads: int, *, dashboard: bool = False) -> Iterator[Client]:
    """A client of new worker processes on this machine, which always end with this process.

    Args:
        workers: Number of processes; each runs one task at a time.
        threads: Number of threads of each process; at most ``workers * threads`` cores are used.
        dashboard: Whether dask's own pages are served on port 8787 (or another, if that is taken).
    """
    environment = {name: str(threads) for name in THREAD_VARIABLES}
    settings = {
        "distributed.scheduler.allowed-failures": DEATHS,
        # Torch must not be forked, and libraries read these when they are loaded.
        "distributed.worker.multiprocessing-method": "spawn",
        "distributed.nanny.pre-spawn-environ": environment,
        # What a task needs of memory is not ours to limit.
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.terminate": False,
    }
    with dask.config.set(settings), _quiet(), contextlib.ExitStack() as stack:
        with signals_held():
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=0,
                # Other users of this machine must not send tasks to the workers, which would run them as this user.
                security=True,
                # Something listens in any case; on a port that nobody else wants, and to this machine alone.
                dashboard_address="127.0.0.1:8787" if dashboard else "127.0.0.1:0",
                scheduler_kwargs={"dashboard": dashboard},
                preload=[WORKER],
                silence_logs=logging.CRITICAL,
            )
            stack.callback(_close, cluster)
            client = stack.enter_context(Client(cluster))
        try:
            yield client
        except BaseException:
            _kill_workers(cluster)
            raise


def _close(cluster: LocalCluster) -> None:
    with contextlib.suppress(TimeoutError, OSError):
        cluster.close(timeout=10)


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the block ends, so that they do not break in where half a cluster stands.

    Threads and processes that are started in the block never see Ctrl-C, which a terminal sends to all processes: it is
    for this process to end the others.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def hold(number: int, frame: FrameType | None) -> None:
        caught.append(number)

    for number in before:
        signal.signal(number, hold)
    # Started later, this helper of multiprocessing would unblock Ctrl-C in the thread that starts the workers.
    resource_tracker.ensure_running()
    blocked = {signal.SIGINT} if hasattr(signal, "pthread_sigmask") else set()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, blocked) if blocked else set()
    try:
        yield
    finally:
        if blocked:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)
    if caught:
        signal.raise_signal(caught[0])


def _kill_workers(cluster: LocalCluster) -> None:
    """Stop workers in the middle of their tasks: left to themselves they would take seconds to end the epoch."""
    for nanny in cluster.workers.values():
        nanny.auto_restart = False
        if nanny.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(nanny.pid, getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows has only the latter


@contextlib.contextmanager
def external_cluster(address: str, log: Callable[[str], None]) -> Iterator[Client]:
    """A client of an existing scheduler, whose workers keep running when the client closes.

    Raises:
        InputError: The scheduler cannot be reached.
    """
    if not ADDRESS.fullmatch(address):
        raise InputError(f"--scheduler {address}: must be an address such as tcp://host:8786")
    with _quiet():
        try:
            client = Client(address, timeout=CONNECT_SECONDS)
        except (OSError, ValueError, ImportError) as error:
            raise InputError(f"--scheduler {address}: cannot be reached ({error})") from None
        with client:
            if not client.nthreads():
                log(f"the scheduler at {address} has no workers yet; waiting for the first")
            yield client


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Dask tells of every lost worker at length; the engine reports what matters of it."""
    names = ("distributed", "distributed.worker", "distributed.scheduler", "distributed.nanny", "tornado.application")
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
