"""``barkhausen characterize``: from a TOML file to a device file and the histories of its walls."""

from __future__ import annotations

import io
import json
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

import h5netcdf
import xarray as xr
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
    _check_place(out)
    if not overwrite and out.is_file():
        _check_replaceable(out, parameters)
    work = out.with_name(out.name + WORK)

    def attempt() -> Characterisation:
        found: Characterisation = characterise(
            parameters,
            checkpoint=work,
            backend=backend,
            threads=threads,
            accelerator=accelerator,
            progress=progress,
            attributes={"command": _command(source, out, settings), "software": software()},
        )
        return found

    try:
        found = attempt()
    except OtherSimulationError as error:
        if not overwrite:
            why = shortened(error.why, 100)
            raise InputError(
                f"--out {out}: {work} holds the unfinished work of another characterisation ({why}); choose another "
                "--out, or --overwrite to discard it"
            ) from None
        shutil.rmtree(work)
        found = attempt()
    write_device(found.device, out)
    write_history(found.history, history_file(out))
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
    _check_place(out)
    device: CharacterisedDevice = technology.declare(
        parameters, attributes={"command": _command(source, out, settings)}
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


def _check_place(out: Path) -> None:
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
    remedy = "choose another --out, or --overwrite to replace it"
    try:
        found = read_device(out)
        # Read by the model: files of earlier versions lack the keys that have been added since.
        kept = type(parameters).model_validate(json.loads(found.data.attrs["parameters"]))
    except ValueError:
        raise InputError(f"--out {out}: exists and is no device file of this technology; {remedy}") from None
    if found.source != how:
        was = "simulated" if how == "micromagnetics" else how
        raise InputError(f"--out {out}: holds a device that was not {was} ({found.source}); {remedy}")
    theirs, mine = (flat(model.model_dump(mode="json")) for model in (kept, parameters))
    for key in differing(mine, theirs):
        there, here = (shortened(repr(values.get(key))) for values in (theirs, mine))
        raise InputError(f"--out {out}: holds a device with {key} = {there}, this one has {here}; {remedy}")


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


def _command(source: Path, out: Path, settings: Sequence[str]) -> str:
    """The command as it would be given anywhere: no path of this machine."""
    words = ["barkhausen", "characterize", source.name, "--out", out.name]
    return shlex.join([*words, *(word for setting in settings for word in ("--set", setting))])


def write_history(history: xr.Dataset, path: str | Path) -> None:
    """Write histories of walls as a compressed NetCDF file, atomically."""
    content = io.BytesIO()
    squeeze = {name: {"zlib": True, "complevel": 4} for name in history.data_vars}
    with h5netcdf.File(content, "w") as file:
        history.dump_to_store(H5NetCDFStore(file), encoding=squeeze)
    atomic_write(Path(path), content.getvalue())
