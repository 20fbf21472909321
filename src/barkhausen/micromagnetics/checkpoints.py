"""Checkpoint of an ensemble: a directory from which a killed run is resumed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from barkhausen.core.config import differing
from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write, read_json, remove_partial
from barkhausen.core.files.reading import read_bytes

PLAN = "plan.json"


class OtherSimulationError(InputError):
    """The directory of a checkpoint holds something else than the simulation.

    Attributes:
        why: What it holds.
    """

    def __init__(self, directory: Path, why: str) -> None:
        super().__init__(f"{directory}: {why}")
        self.why = why


class Checkpoint:
    """Directory with the finished chunks and the state of the current one.

    Args:
        directory: Directory, created if missing.
        plan: Description of the simulation as plain values and digests; the directory of another one is refused.

    Raises:
        InputError: The directory belongs to another simulation, is damaged, or cannot be written.
    """

    def __init__(self, directory: Path, plan: dict[str, Any]) -> None:
        self.directory = directory
        path = directory / PLAN
        text = json.dumps(plan, indent=1, sort_keys=True)
        if path.exists():
            kept = read_json(path)
            if not isinstance(kept, dict):
                raise InputError(f"{path}: holds no plan of a simulation")
            wanted = json.loads(text)
            keys = differing(wanted, kept)
            if keys:
                raise OtherSimulationError(directory, f"holds another simulation (differs in {', '.join(keys)})")
            remove_partial(directory)
        else:
            if directory.exists() and not directory.is_dir():
                raise InputError(f"{directory}: is not a directory")
            if directory.exists() and any(directory.iterdir()):
                raise OtherSimulationError(directory, "is not empty and holds no simulation of ours")
            atomic_write(path, text)

    def finished(self, chunk: int) -> dict[str, Tensor] | None:
        """Records of a chunk, or None if it is not finished."""
        return self._load(self._chunk(chunk))

    def finish(self, chunk: int, records: dict[str, Tensor]) -> None:
        """Save the records of a finished chunk and delete its intermediate state."""
        self._save(self._chunk(chunk), records)
        self._running(chunk).unlink(missing_ok=True)

    def running(self, chunk: int) -> dict[str, Tensor] | None:
        """Last saved state and records of an unfinished chunk, or None."""
        return self._load(self._running(chunk))

    def keep(self, chunk: int, state: dict[str, Tensor]) -> None:
        """Save the state of the current chunk."""
        self._save(self._running(chunk), state)

    def remove(self) -> None:
        """Delete the directory, once the result has been saved elsewhere."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def _chunk(self, chunk: int) -> Path:
        return self.directory / f"chunk-{chunk:05d}.safetensors"

    def _running(self, chunk: int) -> Path:
        return self.directory / f"running-{chunk:05d}.safetensors"

    @staticmethod
    def _save(path: Path, tensors: dict[str, Tensor]) -> None:
        atomic_write(path, safetensors.torch.save({key: value.cpu().contiguous() for key, value in tensors.items()}))

    @staticmethod
    def _load(path: Path) -> dict[str, Tensor] | None:
        if not path.exists():
            return None
        try:
            return safetensors.torch.load(read_bytes(path, binary=True))
        except (OSError, ValueError, KeyError, safetensors.SafetensorError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path}: is damaged ({error}); delete it to compute this part again") from None


def digest(*values: object) -> str:
    """Short fingerprint of tensors, numbers and texts."""
    total = hashlib.sha256()
    for value in values:
        if isinstance(value, Tensor):
            total.update(f"{value.dtype}{tuple(value.shape)}".encode())
            total.update(
                value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes() if value.numel() else b""
            )
        else:
            total.update(repr(value).encode())
        total.update(b"\0")
    return total.hexdigest()[:32]


def sum_of(tensors: Mapping[str, Tensor]) -> str:
    """Fingerprint of named tensors, to tell a damaged file."""
    return digest(*(part for name, value in sorted(tensors.items()) for part in (name, value.reshape(-1))))


def identity_of(about: Mapping[str, Any], film: Mapping[str, Any]) -> Tensor:
    """Number that tells simulations apart by all but what an exchange of films may change."""
    lasting = {key: value for key, value in about.items() if key not in film or key.startswith("material.")}
    return torch.tensor(int(digest(json.dumps(lasting, sort_keys=True))[:15], 16))


def check_state(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Check of the state of a simulation beside that of the simulation that is to take it.

    Raises:
        InputError: It holds other tensors or shapes, numbers that are not finite, or is of another simulation.
    """
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError("state: must be a dictionary of tensors, as state_dict returns")
    # States written before there was an identity have none.
    needed = expected.keys() - ({"identity"} - state.keys())
    if state.keys() != needed:
        raise InputError(f"state: holds {', '.join(sorted(state)) or 'nothing'}, expected {', '.join(sorted(needed))}")
    for key in sorted(needed):
        value, own = state[key], expected[key]
        if value.shape != own.shape:
            raise InputError(f"state: {key} has the shape {tuple(value.shape)}, expected {tuple(own.shape)}")
        if key in {"m", "clock"} and not bool(torch.isfinite(value).all()):
            raise InputError(f"state: not all values of {key} are finite")
    if "identity" in state and int(state["identity"]) != int(expected["identity"]):
        raise InputError("state: is of a simulation with another seed, temperature, film, integrator or backend")
    if int(state["steps"]) < 0:
        raise InputError(f"state: steps = {int(state['steps'])}: must be zero or positive")
