"""``barkhausen characterize`` for kinds of devices other than ``states``: from a parameter file to a device file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from barkhausen.core.config import apply_setting, read_toml, source_of
from barkhausen.core.errors import InputError
from barkhausen.core.progress import Progress
from barkhausen.device import read_any_device, write_device
from barkhausen.device.kinds import DEVICE_KINDS, STATES, DeviceKind
from barkhausen.experiment.characterisation.states import REMEDY, check_place, command_of, simulated_to_file
from barkhausen.experiment.summary import software


def kind_of_parameters(source: Path, settings: Sequence[str] = ()) -> DeviceKind | None:
    """The kind that a parameter file asks for; None for ``states``.

    Raises:
        InputError: The file cannot be read, or there is no such kind.
    """
    values = read_toml(source)
    for setting in settings:
        if setting.partition("=")[0].strip() == "kind":
            apply_setting(values, setting)
    name = values.get("kind", STATES)
    if name == STATES:
        return None
    found = DEVICE_KINDS.find(name)
    if found is None or found.simulated is None:
        simulated = [STATES, *(entry.name for entry in DEVICE_KINDS.values() if entry.simulated is not None)]
        raise InputError(
            f"{source_of('kind', str(source), settings)}: kind = {name!r}: must be {' or '.join(map(repr, simulated))}"
        )
    return found


def characterise_kind_to_file(
    kind: DeviceKind,
    source: Path,
    out: Path,
    *,
    settings: Sequence[str] = (),
    overwrite: bool = False,
    progress: Progress | bool | None = None,
    **how: Any,
) -> Any:
    """Simulate the device of a parameter file, and write its device file. The same call resumes unfinished work.

    Args:
        kind: Kind of the device.
        source: Parameter file.
        out: Device file to write.
        settings: ``key=value`` pairs that replace what the file says.
        overwrite: Whether to replace a device file, or discard unfinished work, of other parameters.
        progress: Where progress is shown.
        how: ``backend``, ``threads`` and ``accelerator`` of the simulation.

    Returns:
        The device.

    Raises:
        InputError: The parameters are wrong, or ``out`` cannot be written or holds something else.
    """
    values = read_toml(source)
    for setting in settings:
        if setting.partition("=")[0].strip() == "technology":
            apply_setting(values, setting)
    module = kind.simulator(values)
    parameters = module.parameters_from(values, settings, str(source))
    check_place(out)
    if not overwrite and out.is_file():
        _check_replaceable(out, kind, parameters)
    attributes = {"command": command_of("characterize", source, out, settings), "software": software()}
    return simulated_to_file(
        out,
        lambda work: module.characterise(parameters, checkpoint=work, progress=progress, attributes=attributes, **how),
        lambda device: write_device(device, out),
        overwrite=overwrite,
    )


def _check_replaceable(out: Path, kind: DeviceKind, parameters: Any) -> None:
    """Refuse to replace a file of anything else than a simulation with these parameters.

    Raises:
        InputError: The file holds something else.
    """
    found = read_any_device(out)
    if found.data.attrs.get("kind") != kind.name:
        raise InputError(f"--out {out}: holds a device of kind {found.data.attrs.get('kind')!r}; {REMEDY}")
    if json.loads(found.data.attrs.get("parameters", "{}")) != json.loads(parameters.model_dump_json()):
        raise InputError(f"--out {out}: holds a device with other parameters; {REMEDY}")
