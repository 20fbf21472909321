"""Time of the stray field with replicas as lanes, compared with general transform libraries.

One transform forward and back of the three components of m, zero-padded to twice the film along both axes, float32, in
blocks of eight replicas; microseconds per replica, medians over rounds in which each candidate runs in turn (A B C A B
C …; the second of two calls), so all meet the same disturbances. The libraries compute the two transforms alone; ours
is the whole stray field: it packs the components, multiplies with the tensor and unpacks. The libraries use their
threads within a block, ours has one thread per block. Libraries that are not installed are reported as such.

    python benchmarks/devices/transforms.py [--threads 2] [--rounds 15]
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import time
from collections.abc import Callable
from types import ModuleType

import numpy as np
import scipy.fft
import torch

from barkhausen.micromagnetics.compiled import LANES, LaneEnsemble, LaneProblem, available, unavailable_reason, variant

SIZES = ((256, 32), (128, 16))
BLOCKS = 4
"""Blocks of LANES replicas per measurement; a library computes them one after the other."""

REST = 0.01
"""Seconds before each measurement, until the threads of the last candidate are idle."""

Candidate = Callable[[], object]


def optional(name: str) -> ModuleType | None:
    """A module, if installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def dipole_tensor(nx: int, ny: int) -> np.ndarray:
    """Any tensor of the right symmetry; the time does not depend on its values."""
    x, y = np.meshgrid(np.arange(1 - nx, nx), np.arange(1 - ny, ny), indexing="ij")
    r2 = np.maximum(x * x + y * y, 1).astype(float)
    return np.stack([3 * x * x - r2, 3 * y * y - r2, -r2, 3.0 * x * y]) / (100 * r2**2.5)


def ours(nx: int, ny: int, threads: int) -> Candidate:
    """The whole stray field, by the kernel."""
    problem = LaneProblem(
        nx=nx,
        ny=ny,
        exchange=(0.0, 0.0),
        dmi=(0.0, 0.0),
        anisotropy=np.zeros(()),
        gate_profile=None,
        fill=None,
        demag=dipole_tensor(nx, ny),
        damping=0.1,
        polarisation=(0.0, -1.0, 0.0),
        non_adiabaticity=0.0,
        cell_x=2e-9,
    )
    replicas, repetitions = BLOCKS * LANES, 32
    ensemble = LaneEnsemble(problem, replicas, threads)
    ensemble.set_magnetisation(np.random.default_rng(0).normal(size=(replicas, 3, nx, ny)))
    return Repeated(lambda: ensemble.stray_field(repetitions), repetitions)


class Repeated:
    """A candidate that repeats its work in one call."""

    def __init__(self, call: Candidate, repetitions: int) -> None:
        self.call, self.repetitions = call, repetitions

    def __call__(self) -> object:
        """Run it."""
        return self.call()


def candidates(nx: int, ny: int, threads: int) -> dict[str, Candidate | str]:
    """Candidates by name: a call that transforms BLOCKS blocks, or the reason why there is none."""
    m = np.random.default_rng(0).normal(size=(LANES, 3, nx, ny)).astype(np.float32)
    padded = np.zeros((LANES, 3, 2 * nx, 2 * ny), dtype=np.float32)
    padded[:, :, :nx, :ny] = m
    tensor, shape, axes = torch.from_numpy(m), (2 * nx, 2 * ny), (2, 3)

    def with_scipy() -> None:
        for _ in range(BLOCKS):
            spectrum = scipy.fft.rfft2(m, shape, axes, workers=threads)
            scipy.fft.irfft2(spectrum, shape, axes, workers=threads)

    def with_torch() -> None:
        for _ in range(BLOCKS):
            torch.fft.irfft2(torch.fft.rfft2(tensor, shape), shape)

    found: dict[str, Candidate | str] = {"scipy.fft": with_scipy, "torch.fft": with_torch}
    if (ducc0 := optional("ducc0")) is None:
        found["ducc0"] = "not installed"
    else:

        def with_ducc() -> None:
            for _ in range(BLOCKS):
                spectrum = ducc0.fft.r2c(padded, axes=axes, nthreads=threads)
                ducc0.fft.c2r(spectrum, axes=axes, lastsize=2 * ny, forward=False, inorm=2, nthreads=threads)

        found["ducc0"] = with_ducc
    if (pyfftw := optional("pyfftw")) is None:
        found["FFTW"] = "not installed"
    else:
        real = pyfftw.empty_aligned(padded.shape, dtype="float32")
        spectrum = pyfftw.empty_aligned((LANES, 3, 2 * nx, ny + 1), dtype="complex64")
        options = {"axes": axes, "threads": threads, "flags": ("FFTW_MEASURE", "FFTW_DESTROY_INPUT")}
        forward = pyfftw.FFTW(real, spectrum, **options)
        back = pyfftw.FFTW(spectrum, real, direction="FFTW_BACKWARD", **options)
        real[:] = padded

        def with_fftw() -> None:
            for _ in range(BLOCKS):
                forward.execute()
                back.execute()
                real[:] = padded  # what a film's padding needs each time, and the values must stay finite

        found["FFTW"] = with_fftw
    found[f"ours ({variant()})" if available() else "ours"] = (
        ours(nx, ny, threads) if available() else (unavailable_reason() or "")
    )
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for nx, ny in SIZES:
        found = candidates(nx, ny, arguments.threads)
        times: dict[str, list[float]] = {name: [] for name, call in found.items() if not isinstance(call, str)}
        for _ in range(arguments.rounds):
            for name, seconds in times.items():
                call = found[name]
                assert not isinstance(call, str)
                time.sleep(REST)
                call()
                start = time.perf_counter()
                call()
                seconds.append((time.perf_counter() - start) / getattr(call, "repetitions", 1))
        print(f"{nx} x {ny} cells, {arguments.threads} threads, microseconds per replica")
        for name, call in found.items():
            if isinstance(call, str):
                print(f"  {name:16} {call}")
            else:
                print(f"  {name:16} {statistics.median(times[name]) / (BLOCKS * LANES) * 1e6:8.1f}")


if __name__ == "__main__":
    main()
