"""Calibration of the compact model on micromagnetic runs of the device of a search."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from barkhausen.core.config import read_text
from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.core.progress import Progress
from barkhausen.device.domain_wall.compact.calibration import Calibration, calibrate
from barkhausen.device.domain_wall.compact.model import CompactParameters
from barkhausen.device.domain_wall.design.front.space import NOTCH_DEPTH, NOTCH_HALF_LENGTH
from barkhausen.experiment.design.search_file import SearchRecipe
from barkhausen.micromagnetics import Film, Notch

INNER = (0.25, 0.75)
"""Depths of the fitted notches, as fractions of the range of the search."""


def calibrated(
    recipe: SearchRecipe, path: Path, backend: str, threads: int | None, progress: Progress
) -> CompactParameters:
    """Parameters of the compact model for the material, track, notches and voltages of a search.

    Args:
        recipe: Search file.
        path: File of the calibration, which is reused if it exists. Unfinished work is kept beside it.
        backend, threads: As in :func:`barkhausen.micromagnetics.simulate`.
        progress: Progress display.

    Raises:
        InputError: The device cannot be calibrated, or the file is not a calibration.
    """
    if path.exists():
        try:
            return Calibration.model_validate_json(read_text(path)).parameters
        except ValidationError as error:
            first = error.errors()[0]["msg"]
            raise InputError(f"{path}: is not a calibration ({first}); delete it to calibrate anew") from None
    device, work, bench = recipe.device, path.with_suffix(".work"), _Bench.of(recipe)
    plain = device.shape.model_copy(update={"roughness": device.shape.roughness.model_copy(update={"rms": 0.0})})
    grid = plain.outline(device.track).grid(device.track.thickness, device.characterisation.cell)
    low, high = bench.depth
    notches = [Notch(position=0.0, depth=low + share * (high - low), half_length=bench.half_length) for share in INNER]
    between = Notch(position=0.0, depth=0.5 * (low + high), half_length=bench.half_length)
    found = calibrate(
        Film(grid, device.material),
        device.gate_at(device.characterisation.temperature),
        voltages=sorted({bench.voltage[0], 0.5 * sum(bench.voltage), bench.voltage[1]}),
        notches=notches,
        held_out=between,
        pulse=bench.pulse,
        temperature=device.characterisation.temperature,
        seed=recipe.search.seed,
        backend=backend,
        threads=threads,
        checkpoint=work,
        progress=progress,
    )
    atomic_write(path, found.model_dump_json(indent=1) + "\n")
    shutil.rmtree(work, ignore_errors=True)
    return found.parameters


@dataclass(frozen=True)
class _Bench:
    """What a calibration takes from the ranges of a search."""

    depth: tuple[float, float]
    """Shallowest and deepest notch in m."""
    half_length: float
    voltage: tuple[float, float]
    """Lowest and highest gate voltage in V."""
    pulse: float
    """Duration of a pulse in s."""

    @staticmethod
    def of(recipe: SearchRecipe) -> _Bench:
        if recipe.search.mode == "cost":
            ranges = recipe.search.ranges
            return _Bench(
                ranges.notch_depth,
                0.5 * sum(ranges.notch_half_length),
                ranges.gate_voltage,
                0.5 * sum(ranges.pulse_width),
            )
        space, width = recipe.front_space(), recipe.device.track.width
        ranges_of = space.ranges
        low, high = (width * share for share in ranges_of[NOTCH_DEPTH][:2])
        voltages = space.voltages(recipe.device)
        pulse = ranges_of["protocol.program.width"]
        return _Bench(
            (low, high),
            0.5 * (ranges_of[NOTCH_HALF_LENGTH][0] + ranges_of[NOTCH_HALF_LENGTH][1]),
            (min(voltages), max(voltages)),
            0.5 * (pulse[0] + pulse[1]),
        )
