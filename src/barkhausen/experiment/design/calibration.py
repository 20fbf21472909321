"""Calibration of the compact model on micromagnetic runs of the device of a search."""

from __future__ import annotations

import shutil
from pathlib import Path

from pydantic import ValidationError

from barkhausen.core.config import read_text
from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.core.progress import Progress
from barkhausen.device.domain_wall.compact.calibration import Calibration, calibrate
from barkhausen.device.domain_wall.compact.model import CompactParameters
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
    device, ranges, work = recipe.device, recipe.search.ranges, path.with_suffix(".work")
    plain = device.shape.model_copy(update={"roughness": device.shape.roughness.model_copy(update={"rms": 0.0})})
    grid = plain.outline(device.track).grid(device.track.thickness, device.characterisation.cell)
    low, high = ranges.notch_depth
    half_length = 0.5 * sum(ranges.notch_half_length)
    notches = [Notch(position=0.0, depth=low + share * (high - low), half_length=half_length) for share in INNER]
    between = Notch(position=0.0, depth=0.5 * (low + high), half_length=half_length)
    found = calibrate(
        Film(grid, device.material),
        device.gate_at(device.characterisation.temperature),
        voltages=sorted({ranges.gate_voltage[0], 0.5 * sum(ranges.gate_voltage), ranges.gate_voltage[1]}),
        notches=notches,
        held_out=between,
        pulse=0.5 * sum(ranges.pulse_width),
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
