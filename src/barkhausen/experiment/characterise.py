"""``barkhausen characterize``: from a TOML file to a device file, its histories and a page."""

from __future__ import annotations

import io
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

import h5netcdf
import xarray as xr
from xarray.backends import H5NetCDFStore

from barkhausen.atomic import atomic_write
from barkhausen.device import CharacterisedDevice, load_parameters, write_device
from barkhausen.device.characterise import characterise
from barkhausen.errors import InputError
from barkhausen.experiment.characterisation_report import write_characterisation_report
from barkhausen.progress import Progress

WORK = ".work"
"""Suffix of the directory beside the device file where unfinished work is kept."""


def characterise_to_file(
    source: Path,
    out: Path,
    *,
    settings: Sequence[str] = (),
    page: Path | None = None,
    backend: str = "auto",
    threads: int | None = None,
    accelerator: str = "cpu",
    progress: Progress | None = None,
) -> CharacterisedDevice:
    """Characterise the device of a TOML file; write ``out``, its histories beside it, and a page.

    Unfinished work is kept in a directory beside ``out``; the same call goes on in it. Histories (wall position and
    number of walls in time, maps of one event a state) go to ``<out>.history.nc``.

    Args:
        source: the TOML file of :func:`~barkhausen.device.load_parameters`.
        out: device file to write.
        settings: ``key=value`` that replace what the file says.
        page: page to write; ``out`` with the suffix ``.html`` if left out.
        backend, threads, accelerator: as of :func:`barkhausen.micromagnetics.simulate`.
        progress: where to show how far it is.

    Raises:
        InputError: the parameters are wrong, ``out`` cannot be written, or its unfinished work is of another device.
    """
    parameters = load_parameters(source, settings)
    if out.suffix != ".nc":
        raise InputError(f"--out {out}: must end in .nc")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: there is no directory {out.parent}")
    work = out.with_name(out.name + WORK)
    found = characterise(
        parameters,
        checkpoint=work,
        backend=backend,
        threads=threads,
        accelerator=accelerator,
        progress=progress,
        attributes={"command": _command(source, out, settings)},
    )
    write_device(found.device, out)
    _write_history(found.history, out.with_suffix(".history.nc"))
    write_characterisation_report(found, page or out.with_suffix(".html"))
    shutil.rmtree(work, ignore_errors=True)
    return found.device


def _command(source: Path, out: Path, settings: Sequence[str]) -> str:
    """The command as it would be given anywhere: no path of this machine."""
    words = ["barkhausen", "characterize", source.name, "--out", out.name]
    return shlex.join([*words, *(word for setting in settings for word in ("--set", setting))])


def _write_history(history: xr.Dataset, path: Path) -> None:
    content = io.BytesIO()
    squeeze = {name: {"zlib": True, "complevel": 4} for name in history.data_vars}
    with h5netcdf.File(content, "w") as file:
        history.dump_to_store(H5NetCDFStore(file), encoding=squeeze)
    atomic_write(path, content.getvalue())
