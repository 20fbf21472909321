"""Checkpoints: everything a run needs to resume exactly where it was, in one safetensors file.

Nothing is pickled: tensors are stored under dotted names, all else as one JSON text in the file's metadata. The
same state gives the same bytes.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_path
from barkhausen.core.files.reading import check_file

_TENSOR = "tensor:"

LARGEST_LATENT_WEIGHT = 1e6


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a nested state of dictionaries, lists, tensors, numbers, strings and None, atomically.

    Raises:
        InputError: The file cannot be written.
        TypeError: The state holds something else.
    """
    tensors: dict[str, Tensor] = {}
    skeleton = json.dumps(_split(state, "", tensors), sort_keys=True)
    with atomic_path(path) as temporary:
        try:
            save_file(tensors, temporary, metadata={"state": skeleton})
        except SafetensorError as error:
            raise OSError(str(error)) from error


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read what :func:`save_checkpoint` wrote, onto the CPU.

    Raises:
        InputError: The file is damaged or is no checkpoint.
    """
    path = Path(path)
    check_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            skeleton = json.loads((file.metadata() or {})["state"])
            state: dict[str, Any] = _join(skeleton, file.get_tensor)
    # A header that was edited may ask for anything.
    except (
        SafetensorError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        RuntimeError,
        RecursionError,
        OSError,
    ) as error:
        raise InputError(f"{path}: is not a whole checkpoint ({error}); use --overwrite to start anew") from None
    return state


@contextlib.contextmanager
def fitting(path: Path, what: str) -> Iterator[None]:
    """Report a checkpoint that does not fit what it is loaded into.

    Args:
        path: Checkpoint, for the message.
        what: Description of what it has to fit.

    Raises:
        InputError: The block failed in a way that a state of other names, types or sizes leads to.
    """
    try:
        yield
    except InputError:
        raise
    except (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        # Torch says in the first line that something is wrong, and in the second what.
        lines = [line.strip() for line in str(error).splitlines()[:2]]
        raise InputError(f"{path}: does not fit {what} ({' '.join(lines)[:200] or type(error).__name__})") from None


def load_model(model: nn.Module, state: Any) -> None:
    """Load the state of a network, all numbers of which must be finite.

    Raises:
        InputError: A device or state that there is not.
        ValueError: A number is not finite.
        RuntimeError: Names or sizes differ.
    """
    model.load_state_dict(state)
    for name, value in model.state_dict().items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise ValueError(f"{name}: a number is not finite")
        # Latent weights live on [-1, 1]; far outside, no state is the nearest.
        if name.endswith("latent_weight") and value.numel() and float(value.abs().max()) > LARGEST_LATENT_WEIGHT:
            raise ValueError(f"{name}: a latent weight is above {LARGEST_LATENT_WEIGHT:g}")


def _split(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return _TENSOR + name
    if isinstance(value, dict):
        # JSON knows only text as keys; an optimiser numbers its parameters.
        return {
            json.dumps(key): _split(item, f"{name}.{key}" if name else str(key), tensors) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_split(item, f"{name}.{i}", tensors) for i, item in enumerate(value)]
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str) and not value.startswith(_TENSOR):
        return value
    raise TypeError(f"{name}: a checkpoint cannot hold {type(value).__name__}")


def _join(value: Any, tensor: Any) -> Any:
    if isinstance(value, dict):
        return {json.loads(key): _join(item, tensor) for key, item in value.items()}
    if isinstance(value, list):
        return [_join(item, tensor) for item in value]
    if isinstance(value, str) and value.startswith(_TENSOR):
        return tensor(value.removeprefix(_TENSOR))
    return value
