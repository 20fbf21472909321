"""``barkhausen characterize`` for kinds of devices other than ``states``: from a parameter file to a device file."""

from __future__ import annotations

import importlib
import json
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from barkhausen.core.config import apply_setting, read_toml, source_of
from barkhausen.core.errors import InputError, shortened
from barkhausen.core.progress import Progress
from barkhausen.device import read_any_device, write_device
from barkhausen.device.kinds import DEVICE_KINDS, STATES, DeviceKind
from barkhausen.experiment.summary import software
from barkhausen.micromagnetics.checkpoints import OtherSimulationError

WORK = ".work"


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
    assert kind.simulated is not None
    module = importlib.import_module(kind.simulated)
    parameters = module.parameters_from(read_toml(source), settings, str(source))
    if out.suffix != ".nc":
        raise InputError(f"--out {out}: must end in .nc")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: there is no directory {out.parent}")
    if not overwrite and out.is_file():
        _check_replaceable(out, kind, parameters)
    work = out.with_name(out.name + WORK)
    words = ["barkhausen", "characterize", source.name, "--out", out.name]
    command = shlex.join([*words, *(word for setting in settings for word in ("--set", setting))])
    attributes = {"command": command, "software": software()}

    def attempt() -> Any:
        return module.characterise(parameters, checkpoint=work, progress=progress, attributes=attributes, **how)

    try:
        device = attempt()
    except OtherSimulationError as error:
        if not overwrite:
            raise InputError(
                f"--out {out}: {work} holds the unfinished work of another characterisation "
                f"({shortened(error.why, 100)}); choose another --out, or --overwrite to discard it"
            ) from None
        shutil.rmtree(work)
        device = attempt()
    write_device(device, out)
    shutil.rmtree(work, ignore_errors=True)
    return device


def _check_replaceable(out: Path, kind: DeviceKind, parameters: Any) -> None:
    """Refuse to replace a file of anything else than a simulation with these parameters.

    Raises:
        InputError: The file holds something else.
    """
    remedy = "choose another --out, or --overwrite to replace it"
    found = read_any_device(out)
    if found.data.attrs.get("kind") != kind.name:
        raise InputError(f"--out {out}: holds a device of kind {found.data.attrs.get('kind')!r}; {remedy}")
    if json.loads(found.data.attrs.get("parameters", "{}")) != json.loads(parameters.model_dump_json()):
        raise InputError(f"--out {out}: holds a device with other parameters; {remedy}")
