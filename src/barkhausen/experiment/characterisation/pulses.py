"""``barkhausen characterize-pulses``: from a TOML file to a device file of kind ``pulses`` and its histories."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from barkhausen.core.errors import InputError
from barkhausen.device.domain_wall.trains.characterise import PulseCharacterisation, characterise_pulses
from barkhausen.device.domain_wall.trains.parameters import PulsedTrackParameters, load_pulsed_track
from barkhausen.device.file import write_device
from barkhausen.device.pulses.file import read_pulsed_device
from barkhausen.experiment.characterisation.states import (
    REMEDY,
    check_place,
    check_same_parameters,
    command_of,
    history_file,
    simulated_to_file,
    write_history,
)
from barkhausen.experiment.summary import software


def characterise_pulses_to_file(
    source: Path, out: Path, *, settings: Sequence[str] = (), overwrite: bool = False, **how: Any
) -> PulseCharacterisation:
    """Characterise the track of a TOML file; write ``out``, and its histories beside it.

    Unfinished work is kept in a directory beside ``out``; the same call resumes in it.

    Args:
        source: TOML file with the parameters of a track and its train of pulses.
        out: Device file to write.
        settings: ``key=value`` pairs that replace what the file says.
        overwrite: Whether to discard the unfinished work of another characterisation, and to replace the device file
            of one.
        how: Progress, backend, threads and accelerator of :func:`.simulate_train`.

    Raises:
        InputError: The parameters are wrong, ``out`` cannot be written or holds another device, or its unfinished work
            is of another device.
    """
    parameters = load_pulsed_track(source, list(settings))
    check_place(out)
    if not overwrite and out.is_file():
        _check_replaceable(out, parameters)
    attributes = {"command": command_of("characterize-pulses", source, out, settings), "software": software()}

    def write(found: PulseCharacterisation) -> None:
        write_device(found.device, out)
        write_history(found.history, history_file(out))

    return simulated_to_file(
        out,
        lambda work: characterise_pulses(parameters, checkpoint=work, attributes=attributes, **how),
        write,
        overwrite=overwrite,
    )


def _check_replaceable(out: Path, parameters: PulsedTrackParameters) -> None:
    """Refuse to replace a file of anything else than a characterisation with these parameters."""
    try:
        found = read_pulsed_device(out)
        kept = PulsedTrackParameters.model_validate(json.loads(found.data.attrs["parameters"]))
    except ValueError:
        raise InputError(f"--out {out}: exists and is no device file of a pulsed track; {REMEDY}") from None
    check_same_parameters(out, kept, parameters)
