"""Choice of a backend: the compiled kernel or torch, and the number of replicas computed at once."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from numbers import Integral

import torch

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import compiled
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.integrators.compiled_splitting import why_not_compiled
from barkhausen.micromagnetics.integrators.lanes.problem import why_not
from barkhausen.micromagnetics.integrators.local_fields import why_not_split
from barkhausen.micromagnetics.terms import Term
from barkhausen.micromagnetics.terms.thermal import GROUP

BACKENDS = ("auto", "compiled", "torch")

INTEGRATORS = ("auto", "heun", "splitting", "dormand-prince")
"""Names of integrators; ``auto`` stands for one of the others (:func:`choose_integrator`)."""

COMPILED_INTEGRATORS = ("heun", "splitting")

CACHED_CELLS = 8 * 256 * 32
"""Number of cells of a chunk up to which torch computes in the cache of a CPU."""

ACCELERATOR_MEMORY = 2 << 30
"""Default limit in bytes on the working memory of a chunk on an accelerator."""


@dataclass(frozen=True)
class Backend:
    """Backend settings that have been checked."""

    name: str
    device: torch.device
    dtype: torch.dtype
    chunk: int
    """Number of replicas computed at once."""
    threads: int

    def describe(self) -> dict[str, str]:
        """Settings as attributes of a result."""
        name = f"compiled ({compiled.variant()})" if self.name == "compiled" else "torch"
        return {"backend": name, "device": str(self.device), "precision": str(self.dtype).removeprefix("torch.")}


def check_choice(name: str, device: torch.device | str) -> None:
    """Refuse a backend that there is not, and a device that this machine has not.

    Args:
        name: ``compiled``, ``torch`` or ``auto``.
        device: ``cpu`` or ``cuda``.

    Raises:
        InputError: One of them is not there.
    """
    if name not in BACKENDS:
        raise InputError(f"backend = '{name}': must be one of {', '.join(BACKENDS)}")
    _device(device)


def choose_backend(
    film: Film,
    terms: tuple[Term, ...],
    replicas: int,
    *,
    name: str = "auto",
    integrator: str = "heun",
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    chunk: int | None = None,
    memory: float | None = None,
    threads: int | None = None,
) -> Backend:
    """Checked backend settings, with defaults for what is left open.

    Args:
        film, terms, replicas: Film, terms and number of replicas of the ensemble.
        name: ``compiled``, ``torch`` or ``auto``: the compiled kernel if it can compute these terms, otherwise torch.
        integrator: Name from :data:`INTEGRATORS` but ``auto``; the adaptive integrator runs in torch.
        device: ``cpu`` or ``cuda``.
        dtype: Precision, float32 or float64.
        chunk: Number of replicas computed at once, a multiple of 8. Default: what fits the cache or the memory.
        memory: Limit in bytes on the working memory of a chunk.
        threads: Number of threads of the compiled kernel. Default: that of torch (``torch.set_num_threads``).

    Raises:
        InputError: An unknown name, a backend that cannot do it (with the reason), a device that is not there, or a
            chunk that is no multiple of 8.
    """
    check_choice(name, device)
    check_integrator(integrator)
    if dtype not in (torch.float32, torch.float64):
        raise InputError(f"dtype = {dtype}: must be torch.float32 or torch.float64")
    device = _device(device)
    reason = (why_not_compiled if integrator == "splitting" else why_not)(terms, dtype, device, film)
    if integrator not in COMPILED_INTEGRATORS:
        reason = f"it does not know the integrator '{integrator}'"
    if name == "compiled" and reason is not None:
        raise InputError(f"backend = 'compiled': the compiled kernel cannot be used: {reason}")
    if name == "auto":
        name = "torch" if reason else "compiled"
        if integrator in COMPILED_INTEGRATORS and device.type == "cpu" and not compiled.available():
            why = compiled.unavailable_reason()
            warnings.warn(f"torch computes, some ten times slower than the compiled kernel: {why}", stacklevel=3)
    if name == "compiled":
        try:
            compiled.variant()
        except ValueError as error:
            raise InputError(str(error)) from None
    if threads is not None and not (isinstance(threads, Integral) and threads >= 1):
        raise InputError(f"threads = {threads}: must be a whole number, 1 or more")
    threads = torch.get_num_threads() if threads is None else threads
    size = _chunk(film, name, device, dtype, chunk=chunk, memory=memory, threads=threads)
    return Backend(name, device, dtype, min(size, -(-replicas // GROUP) * GROUP), threads)


def check_integrator(name: str) -> None:
    """Raise :class:`InputError` if there is no integrator of that name."""
    if name not in INTEGRATORS:
        raise InputError(f"integrator = '{name}': must be one of {', '.join(INTEGRATORS)}")


def choose_integrator(name: str, film: Film, terms: tuple[Term, ...], *, hot: bool) -> str:
    """The integrator that a name stands for.

    ``auto`` is the splitting where there is a temperature or no damping, and Heun's method otherwise and where the
    splitting would not treat all terms exactly (:func:`why_not_split`).

    Args:
        name: Name from :data:`INTEGRATORS`.
        film, terms: Film and terms of the simulation.
        hot: Whether the temperature is ever above zero.

    Raises:
        InputError: An unknown name.
    """
    check_integrator(name)
    if name != "auto":
        return name
    wanted = hot or film.material.damping == 0
    return "splitting" if wanted and why_not_split(terms, film) is None else "heun"


def _device(device: torch.device | str) -> torch.device:
    try:
        device = torch.device(device)
    except (RuntimeError, TypeError):
        raise InputError(f"device = '{device}': is no device of torch") from None
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"device = '{device}': must be cpu or cuda")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(f"device = '{device}': torch sees {torch.cuda.device_count()} CUDA devices")
    return device


def _chunk(
    film: Film,
    name: str,
    device: torch.device,
    dtype: torch.dtype,
    *,
    chunk: int | None,
    memory: float | None,
    threads: int,
) -> int:
    if chunk is not None:
        if not isinstance(chunk, Integral) or chunk < GROUP or chunk % GROUP:
            raise InputError(f"chunk = {chunk}: must be a multiple of {GROUP}, the replicas that share a random stream")
        return chunk
    if memory is not None and not (math.isfinite(memory) and memory > 0):
        raise InputError(f"memory = {memory:g}: must be a positive number of bytes")
    if memory is None and device.type != "cpu":
        memory = ACCELERATOR_MEMORY
    fitting = None if memory is None else int(memory // bytes_per_replica(film, name, dtype)) // GROUP * GROUP
    if fitting is not None and fitting < GROUP:
        needed = GROUP * bytes_per_replica(film, name, dtype)
        raise InputError(f"memory = {memory:g} bytes: {GROUP} replicas of this film need {needed:.3g} bytes")
    if device.type != "cpu":
        assert fitting is not None
        return fitting
    # Compiled: enough blocks of eight that threads of unequal speed stay busy, few enough to hear of progress. Torch:
    # as many as fit the cache of a CPU, more are slower, fewer pay more for each call.
    cells = film.grid.cells * film.layer_count
    suitable = GROUP * (4 * threads if name == "compiled" else max(1, CACHED_CELLS // (GROUP * cells)))
    return suitable if fitting is None else min(suitable, fitting)


def bytes_per_replica(film: Film, name: str, dtype: torch.dtype) -> float:
    """Upper estimate of the working memory in bytes for one more replica in a chunk."""
    grid = film.grid
    size = 4 if dtype == torch.float32 else 8
    field = 3 * grid.cells * size * film.layer_count
    # In fields of one replica, a fifth above what was measured, as allocators differ from run to run: what differs from
    # device to device, and the arrays and transforms on the way.
    family = 0.0 if film.devices == 1 else 8.0 if film.maps is None else 20.0
    return (family + (11.0 if name == "compiled" else 33.0)) * field
