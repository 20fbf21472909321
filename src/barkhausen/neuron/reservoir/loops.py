"""Runs of reservoirs in open and closed loop, that resume where they were interrupted."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.neuron.reservoir.base import Element

Done = Callable[[int], None]


@dataclass(frozen=True)
class Record:
    """What a run gave.

    Attributes:
        states: States after each input.
        outputs: What the read-out gave in each step of the closed loop, which was the next input.
        intact: Share of the replicas that held their texture to the end.
    """

    states: Float[np.ndarray, "sequence step node"]
    outputs: Float[np.ndarray, "sequence step"]
    intact: float


@dataclass(frozen=True)
class Feedback:
    """A read-out whose output is the next input.

    Args:
        steps: Number of outputs.
        reach: Number of the last states that it reads.
        predict: Function from these states, the latest last, to one output for each sequence.
        name: What the outputs depend on, for the name of checkpoints.
    """

    steps: int
    reach: int
    predict: Callable[[Float[np.ndarray, "sequence reach node"]], Float[np.ndarray, " sequence"]]
    name: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """Where a run is kept.

    Args:
        folder: Folder of the files.
        every: Steps between two savings; a run of fewer steps is kept when it is finished.
    """

    folder: Path
    every: int = 25


def drive(
    element: Element,
    inputs: Float[np.ndarray, "sequence step"],
    *,
    seed: int = 0,
    feedback: Feedback | None = None,
    checkpoint: Checkpoint | None = None,
    done: Done = lambda steps: None,
) -> Record:
    """Drive an element by given inputs, and then by its own read-out.

    Args:
        element: Element.
        inputs: Inputs of each sequence.
        seed: Seed of the noise.
        feedback: Closed loop after the inputs. Default: none.
        checkpoint: Where the run is kept; the same call resumes there, with the same result to the last bit.
        done: Function that is called with the steps made.

    Raises:
        InputError: Inputs are not finite or too few for the read-out.
    """
    forced = np.ascontiguousarray(inputs, np.float64)
    if forced.ndim != 2 or not forced.size or not np.isfinite(forced).all():
        raise InputError(f"inputs: must be finite numbers of shape (sequence, step), got shape {forced.shape}")
    more = 0 if feedback is None else feedback.steps
    if feedback is not None and forced.shape[1] < feedback.reach:
        raise InputError(f"inputs: {forced.shape[1]} steps are fewer than the {feedback.reach} that the read-out needs")
    sequences, first = forced.shape
    total = first + more
    path = None if checkpoint is None else checkpoint.folder / f"{_digest(element, forced, seed, feedback)}.npz"
    kept = _kept(path)
    if kept is not None and int(kept["made"]) == total:
        done(total)
        return Record(kept["states"], kept["outputs"], float(kept["intact"]))
    states = np.zeros((sequences, total, element.nodes))
    outputs = np.zeros((sequences, more))
    run, made = element.start(sequences, seed), 0
    if kept is not None:
        made = int(kept["made"])
        states[:, :made], outputs[:, : max(made - first, 0)] = kept["states"], kept["outputs"]
        run.restore({name.removeprefix("run."): value for name, value in kept.items() if name.startswith("run.")})
        done(made)
    for step in range(made, total):
        if step < first:
            given = forced[:, step]
        else:
            assert feedback is not None
            given = outputs[:, step - first] = feedback.predict(states[:, step - feedback.reach : step])
        states[:, step] = run.step(given)
        done(1)
        made = step + 1
        if path is not None and checkpoint is not None and (made % checkpoint.every == 0 and made < total):
            plain = {f"run.{name}": value for name, value in run.state().items()}
            _save(path, made, states[:, :made], outputs[:, : max(made - first, 0)], plain)
    intact = run.intact()
    if path is not None:
        _save(path, total, states, outputs, {"intact": np.array(intact)})
    return Record(states, outputs, intact)


def _digest(element: Element, inputs: np.ndarray, seed: int, feedback: Feedback | None) -> str:
    parts = [
        element.describe(),
        seed,
        list(inputs.shape),
        None if feedback is None else [feedback.steps, feedback.name],
    ]
    found = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    found.update(inputs.tobytes())
    return found.hexdigest()[:24]


def _kept(path: Path | None) -> dict[str, np.ndarray] | None:
    if path is None or not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is damaged ({error}); delete it, and the run starts again") from None


def _save(path: Path, made: int, states: np.ndarray, outputs: np.ndarray, others: Mapping[str, np.ndarray]) -> None:
    content = io.BytesIO()
    np.savez(content, made=np.array(made), states=states, outputs=outputs, **others)  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, content.getvalue())
