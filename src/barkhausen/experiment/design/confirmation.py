"""Micromagnetic confirmation of a design: the same score, computed from simulated walls."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from barkhausen.core.errors import InputError, OutcomeError
from barkhausen.core.files import atomic_write, read_json
from barkhausen.core.progress import Progress
from barkhausen.device import DeviceParameters, write_device
from barkhausen.device.domain_wall.characterise import Characterisation, characterise
from barkhausen.device.domain_wall.design import Score, StateStatistics, Weights, assess_of
from barkhausen.device.domain_wall.event import ProgrammingEvent
from barkhausen.micromagnetics.checkpoints import OtherSimulationError


def confirm(
    parameters: DeviceParameters, stem: Path, weights: Weights, *, progress: Progress, **simulating: Any
) -> dict[str, Any]:
    """Simulate the ensemble of a design; return its score and states, or the reason why such a device is impossible.

    The device file and the result are stored as ``<stem>.nc`` and ``<stem>.json``, with unfinished work beside them. A
    design with stored results is not simulated again.

    Args:
        parameters: Parameters of the design, with the numbers of devices and cycles to simulate.
        stem: Path of the files without suffix.
        weights: Weights of the parts of the score.
        progress: Progress display.
        simulating: Backend, threads and accelerator of
            :func:`~barkhausen.device.domain_wall.characterise.characterise`.

    Raises:
        InputError: The backend cannot be used, or a file cannot be read or written.
    """
    kept, work = stem.with_suffix(".json"), stem.with_suffix(".work")
    described = parameters.model_dump(mode="json")
    if kept.exists():
        held = read_json(kept)
        if not isinstance(held, dict) or not isinstance(held.get("result"), dict):
            raise InputError(f"{kept}: is damaged; delete it to compute this part again")
        kept_result: dict[str, Any] = held["result"]
        if _completed(held.get("parameters")) == described:
            return kept_result
    try:
        found = characterise(parameters, checkpoint=work, progress=progress, **simulating)
    except OtherSimulationError as error:
        raise InputError(
            f"{work}: holds unfinished work of other settings ({error.why}); go on with those, or delete it to "
            "simulate this design anew"
        ) from None
    except OutcomeError as error:
        result: dict[str, Any] = {"refused": str(error)}
    else:
        write_device(found.device, stem.with_suffix(".nc"))
        score, states = assess_simulated(found, parameters, weights)
        result = {"score": asdict(score), "states": plain(states)}
    atomic_write(kept, json.dumps({"parameters": described, "result": result}, indent=1, allow_nan=False) + "\n")
    shutil.rmtree(work, ignore_errors=True)
    return result


def _completed(held: object) -> object:
    """Stored parameters with the keys that a later version added; as they are if they are no parameters."""
    try:
        return DeviceParameters.model_validate(held).model_dump(mode="json")
    except ValidationError:
        return held


def assess_simulated(
    found: Characterisation, parameters: DeviceParameters, weights: Weights
) -> tuple[Score, StateStatistics]:
    """Score of simulated walls.

    Args:
        found: Their resting positions and histories.
        parameters: Parameters of the device.
        weights: Weights of the parts of the score.
    """
    data, history = found.device.data, found.history
    positions = data["state_value"].transpose("state", "device", "cycle").values
    event = ProgrammingEvent(parameters.protocol, parameters.protocol.gate_voltages or ())
    times = history["time"].values
    settled = int(np.searchsorted(times, event.reset_end + parameters.protocol.settle)) - 1
    walls, counts = (history[name].values[settled] for name in ("wall_position", "wall_count"))
    in_order = parameters.protocol.model_copy(update={"gate_voltages": tuple(data["gate_voltage"].values.tolist())})
    return assess_of(
        positions,
        np.where(counts == 1, walls, np.nan),
        parameters.model_copy(update={"protocol": in_order}),
        weights,
    )


def plain(states: StateStatistics) -> dict[str, Any]:
    """State statistics for JSON, with null in place of NaN."""
    return {
        name: [value if np.isfinite(value) else None for value in values] for name, values in asdict(states).items()
    }
