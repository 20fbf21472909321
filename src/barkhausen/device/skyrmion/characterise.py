"""Characterisation of a skyrmion memory: thermal ensembles of its transitions, barriers, and maps around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from barkhausen.core.progress import Progress, display_of
from barkhausen.device.domain_wall.characterise import Characterisation
from barkhausen.device.skyrmion import study
from barkhausen.device.skyrmion.barriers import category_barriers, kept_barriers
from barkhausen.device.skyrmion.labelled import skyrmion_device
from barkhausen.device.skyrmion.parameters import SkyrmionParameters
from barkhausen.device.skyrmion.textures import CATEGORIES, MIRRORED
from barkhausen.device.skyrmion.transitions import COUNTED, SIMULATED, Measured, measure
from barkhausen.micromagnetics.observables.texture import CORE_DOWN, CORE_UP, DOWN, OTHER, UP


def characterise(
    parameters: SkyrmionParameters,
    *,
    checkpoint: Path | None = None,
    progress: Progress | bool | None = None,
    backend: str = "auto",
    threads: int | None = None,
    accelerator: str = "cpu",
    attributes: dict[str, Any] | None = None,
) -> Characterisation:
    """Simulate the transitions that ``parameters`` describe, and make a device from them.

    Args:
        parameters: Parameters of the device.
        checkpoint: Directory of finished chunks of replicas, from which the same call resumes. The caller deletes it.
        progress: Progress display.
        backend, accelerator: Not used: the compiled kernel computes where there is one.
        threads: Threads of the compiled kernel.
        attributes: Further metadata of the device file.

    Returns:
        The device, and as history: traces of m_z, events of each ensemble, paths, and the maps of ``study``.

    Raises:
        InputError: The parameters do not describe a possible device.
    """
    how = parameters.characterisation
    with display_of(progress).task("replicas", len(SIMULATED) * how.replicas) as done:
        measured = measure(parameters, checkpoint=checkpoint, threads=threads, done=done)
        paths = kept_barriers(parameters, checkpoint)
        parts = [paths]
        if parameters.study.replicas:
            parts.append(study.stable_states(parameters, checkpoint=checkpoint, threads=threads))
            parts.append(study.pulse_maps(parameters, checkpoint=checkpoint, threads=threads))
        if parameters.study.variants or parameters.study.fine:
            parts.append(study.variants(parameters, checkpoint=checkpoint, threads=threads))
    history = xr.merge([_traces(measured), _events(measured), *parts], compat="no_conflicts")
    mz, sigma = _magnetisation(measured)
    barrier = xr.Dataset(
        {
            "category_barrier": (
                "category",
                category_barriers(paths, how.temperature),
                {"units": "J", "method": "string"},
            )
        }
    )
    device = skyrmion_device(
        measured.counts(),
        parameters,
        mz=mz,
        mz_sigma=sigma,
        assumed=parameters.assumed(),
        extras=[barrier],
        attributes={"seed": how.seed, "temperature": how.temperature, "cell": how.cell, **(attributes or {})},
    )
    return Characterisation(device, history)


def _magnetisation(measured: Measured) -> tuple[Float[np.ndarray, " category"], Float[np.ndarray, " category"]]:
    """Mean m_z of each category over one hold, and its spread between replicas; mirror images share theirs."""
    size = len(CATEGORIES)
    mean, sigma = np.zeros(size), np.zeros(size)
    sign = {UP: 1.0, DOWN: -1.0, CORE_DOWN: 1.0, CORE_UP: -1.0}
    for category, side in sign.items():
        name = "hold uniform" if category in (UP, DOWN) else "hold skyrmion"
        values = []
        for each in (category, MIRRORED[category]):
            found = measured.outcomes[name, each]
            stayed = (found.before == each) & (found.category[-1] == each)
            values.append(side * sign[each] * found.average[stayed])
        both = np.concatenate(values)
        mean[category], sigma[category] = both.mean(), both.std(ddof=1)
    failed = [
        found.mz[-1][found.category[-1] == OTHER]
        for (name, _), found in measured.outcomes.items()
        if "hold" not in name
    ]
    last = np.concatenate(failed)
    mean[OTHER], sigma[OTHER] = (0.0, 0.0) if len(last) < 2 else (np.abs(last).mean(), last.std(ddof=1))
    return mean, sigma


def _traces(measured: Measured) -> xr.Dataset:
    """m_z of the first replicas in time, and the voltage, of each ensemble."""
    contents: dict[str, Any] = {}
    for (name, category), found in measured.outcomes.items():
        if category not in (UP, CORE_UP, OTHER):
            continue
        key = name.replace(" ", "_")
        contents[f"{key}_mz"] = ((f"{key}_replica", f"{key}_time"), found.traces.astype(np.float32))
        contents[f"{key}_voltage"] = (f"{key}_time", found.voltage.astype(np.float32), {"units": "V"})
        contents[f"{key}_time"] = (f"{key}_time", found.time, {"units": "s"})
    return xr.Dataset(contents)


def _events(measured: Measured) -> xr.Dataset:
    """Events of each sequence, each category for itself."""
    return xr.Dataset(
        {
            "event_count": (
                ("sequence", "category", "next_category"),
                measured.counts(pooled=False),
                {"long_name": "events by category before and after, mirror images apart"},
            )
        },
        coords={"sequence": list(COUNTED), "category": list(CATEGORIES)},
    )
