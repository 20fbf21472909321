"""``barkhausen characterize``: from a TOML file to a device file and the histories of its walls."""

from __future__ import annotations

import io
import json
import shlex
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import h5netcdf
import xarray as xr
from pydantic import BaseModel
from xarray.backends import H5NetCDFStore

from barkhausen.core.config import Parameters, differing, flat
from barkhausen.core.errors import InputError, shortened
from barkhausen.core.files import atomic_write
from barkhausen.core.files.netcdf import read_netcdf
from barkhausen.core.progress import Progress
from barkhausen.device import CharacterisedDevice, load_technology, read_device, write_device
from barkhausen.device.domain_wall.characterise import Characterisation
from barkhausen.experiment.summary import software
from barkhausen.micromagnetics.checkpoints import OtherSimulationError

WORK = ".work"
"""Suffix of the directory beside the device file where unfinished work is kept."""

REMEDY = "choose another --out, or --overwrite to replace it"

Found = TypeVar("Found")
"""What a simulation gives."""


def characterise_to_file(
    source: Path,
    out: Path,
    *,
    settings: Sequence[str] = (),
    backend: str = "auto",
    threads: int | None = None,
    accelerator: str = "cpu",
    overwrite: bool = False,
    progress: Progress | bool | None = None,
) -> Characterisation:
    """Characterise the device of a TOML file; write ``out``, and its histories beside it.

    Unfinished work is kept in a directory beside ``out``; the same call resumes in it. Histories (wall position and
    number of walls in time, maps of one event a state) go to ``<out>.history.nc``.

    Args:
        source: TOML file with the parameters of a technology.
        out: Device file to write.
        settings: ``key=value`` pairs that replace what the file says.
        backend, threads, accelerator: Arguments of :func:`barkhausen.micromagnetics.simulate`.
        overwrite: Whether to discard the unfinished work of another characterisation, and to replace the device file
            of one.
        progress: Where progress is shown.

    Raises:
        InputError: The parameters are wrong, ``out`` cannot be written or holds another device, or its unfinished work
            is of another device.
    """
    technology, parameters = load_technology(source, settings)
    characterise = technology.simulated()
    check_place(out)
    if not overwrite and out.is_file():
        _check_replaceable(out, parameters)

    def attempt(work: Path) -> Characterisation:
        found: Characterisation = characterise(
            parameters,
            checkpoint=work,
            backend=backend,
            threads=threads,
            accelerator=accelerator,
            progress=progress,
            attributes={"command": command_of("characterize", source, out, settings), "software": software()},
        )
        return found

    def write(found: Characterisation) -> None:
        write_device(found.device, out)
        write_history(found.history, history_file(out))

    return simulated_to_file(out, attempt, write, overwrite=overwrite)


def simulated_to_file(
    out: Path, attempt: Callable[[Path], Found], write: Callable[[Found], None], *, overwrite: bool
) -> Found:
    """Simulate a device and write its files. Unfinished work beside ``out`` is resumed; once written, it is deleted.

    Args:
        out: Device file.
        attempt: Function that simulates, with the directory of unfinished work.
        write: Function that writes what was found.
        overwrite: Whether to discard unfinished work of another characterisation.

    Raises:
        InputError: The unfinished work is of another characterisation.
    """
    work = out.with_name(out.name + WORK)
    try:
        found = attempt(work)
    except OtherSimulationError as error:
        if not overwrite:
            why = shortened(error.why, 100)
            raise InputError(
                f"--out {out}: {work} holds the unfinished work of another characterisation ({why}); choose another "
                "--out, or --overwrite to discard it"
            ) from None
        shutil.rmtree(work)
        found = attempt(work)
    write(found)
    shutil.rmtree(work, ignore_errors=True)
    return found


def declare_to_file(
    source: Path, out: Path, *, settings: Sequence[str] = (), overwrite: bool = False
) -> CharacterisedDevice:
    """Write the device whose states the parameters of a TOML file declare.

    Args:
        source: TOML file with the parameters of a technology.
        out: Device file to write.
        settings: ``key=value`` pairs that replace what the file says.
        overwrite: Whether to replace the file of another device.

    Raises:
        InputError: The parameters are wrong, declare no states, or ``out`` cannot be written or holds another device.
    """
    technology, parameters = load_technology(source, settings)
    if technology.declare is None:
        raise InputError(f"technology = {technology.name!r}: a {technology.label} is not declared")
    check_place(out)
    device: CharacterisedDevice = technology.declare(
        parameters, attributes={"command": command_of("characterize", source, out, settings)}
    )
    if not overwrite and out.is_file():
        _check_replaceable(out, parameters, "declared")
    write_device(device, out)
    return device


def is_declared(source: Path, settings: Sequence[str] = ()) -> bool:
    """Whether devices of a parameter file are declared, not simulated.

    Raises:
        InputError: The parameters are wrong.
    """
    technology, _ = load_technology(source, settings)
    return technology.characterise is None and technology.declare is not None


def check_place(out: Path) -> None:
    """Refuse a place where no device file can be."""
    if out.suffix != ".nc":
        raise InputError(f"--out {out}: must end in .nc")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: there is no directory {out.parent}")


def _check_replaceable(out: Path, parameters: Parameters, how: str = "micromagnetics") -> None:
    """Refuse to replace a file of anything else than a device that these parameters give.

    Raises:
        InputError: The file holds something else.
    """
    try:
        found = read_device(out)
        # Read by the model: files of earlier versions lack the keys that have been added since.
        kept = type(parameters).model_validate(json.loads(found.data.attrs["parameters"]))
    except ValueError:
        raise InputError(f"--out {out}: exists and is no device file of this technology; {REMEDY}") from None
    if found.source != how:
        was = "simulated" if how == "micromagnetics" else how
        raise InputError(f"--out {out}: holds a device that was not {was} ({found.source}); {REMEDY}")
    check_same_parameters(out, kept, parameters)


def check_same_parameters(out: Path, kept: BaseModel, given: BaseModel) -> None:
    """Refuse to replace a device file of other parameters.

    Raises:
        InputError: A parameter differs; the first is named.
    """
    theirs, mine = (flat(model.model_dump(mode="json")) for model in (kept, given))
    for key in differing(mine, theirs):
        there, here = (shortened(repr(values.get(key))) for values in (theirs, mine))
        raise InputError(f"--out {out}: holds a device with {key} = {there}, this one has {here}; {REMEDY}")


def history_file(device: Path) -> Path:
    """The file of histories beside a device file."""
    return device.with_suffix(".history.nc")


def history_beside(device: Path) -> xr.Dataset | None:
    """Histories beside a device file that a characterisation wrote; None where there are none.

    Raises:
        InputError: The file of histories is damaged.
    """
    path = history_file(device)
    return read_netcdf(path, decode_times=True) if path.is_file() else None


def read_characterisation(device: str | Path) -> Characterisation:
    """A device file with the histories beside it.

    Raises:
        InputError: A file is missing or damaged.
    """
    device = Path(device)
    return Characterisation(read_device(device), read_netcdf(history_file(device), decode_times=True))


def command_of(name: str, source: Path, out: Path, settings: Sequence[str]) -> str:
    """The command of that name as it would be given anywhere: no path of this machine."""
    words = ["barkhausen", name, source.name, "--out", out.name]
    return shlex.join([*words, *(word for setting in settings for word in ("--set", setting))])


def write_history(history: xr.Dataset, path: str | Path) -> None:
    """Write histories of walls as a compressed NetCDF file, atomically."""
    content = io.BytesIO()
    squeeze = {name: {"zlib": True, "complevel": 4} for name in history.data_vars}
    with h5netcdf.File(content, "w") as file:
        history.dump_to_store(H5NetCDFStore(file), encoding=squeeze)
    atomic_write(Path(path), content.getvalue())
