"""``barkhausen characterize-pulses``: from a TOML file to a device file of kind ``pulses`` and its histories."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from barkhausen.core.config import differing, flat
from barkhausen.core.errors import InputError, shortened
from barkhausen.device.domain_wall.trains.characterise import PulseCharacterisation, characterise_pulses
from barkhausen.device.domain_wall.trains.parameters import PulsedTrackParameters, load_pulsed_track
from barkhausen.device.file import write_device
from barkhausen.device.pulses.file import read_pulsed_device
from barkhausen.experiment.characterise import WORK, history_file, write_history
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
    if out.suffix != ".nc":
        raise InputError(f"--out {out}: must end in .nc")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: there is no directory {out.parent}")
    if not overwrite and out.is_file():
        _check_replaceable(out, parameters)
    work = out.with_name(out.name + WORK)
    if overwrite:
        shutil.rmtree(work, ignore_errors=True)
    words = ["barkhausen", "characterize-pulses", source.name, "--out", out.name]
    command = shlex.join([*words, *(word for setting in settings for word in ("--set", setting))])
    try:
        found = characterise_pulses(
            parameters, checkpoint=work, attributes={"command": command, "software": software()}, **how
        )
    except InputError as error:
        if str(work) not in str(error):
            raise
        raise InputError(
            f"--out {out}: {work} holds the unfinished work of another characterisation; choose another --out, or "
            "--overwrite to discard it"
        ) from None
    write_device(found.device, out)
    write_history(found.history, history_file(out))
    shutil.rmtree(work, ignore_errors=True)
    return found


def _check_replaceable(out: Path, parameters: PulsedTrackParameters) -> None:
    """Refuse to replace a file of anything else than a characterisation with these parameters."""
    remedy = "choose another --out, or --overwrite to replace it"
    try:
        found = read_pulsed_device(out)
        kept = PulsedTrackParameters.model_validate(json.loads(found.data.attrs["parameters"]))
    except ValueError:
        raise InputError(f"--out {out}: exists and is no device file of a pulsed track; {remedy}") from None
    theirs, mine = (flat(model.model_dump(mode="json")) for model in (kept, parameters))
    for key in differing(mine, theirs):
        there, here = (shortened(repr(values.get(key))) for values in (theirs, mine))
        raise InputError(f"--out {out}: holds a device with {key} = {there}, this one has {here}; {remedy}")
