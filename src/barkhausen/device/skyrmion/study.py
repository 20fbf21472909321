"""Maps and variants around a device: where three states are stable, which pulses work, and what spreads do to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.device.skyrmion.parameters import SkyrmionParameters, WritePulse
from barkhausen.device.skyrmion.textures import CATEGORIES
from barkhausen.device.skyrmion.transitions import COUNTED, SIMULATED, measure
from barkhausen.device.skyrmion.writing import PulseSequence, run
from barkhausen.micromagnetics.observables.texture import CORE_UP, UP

DISCS = 32
"""Discs with grains of their own, where Ku has a spread."""

Done = Callable[[int], None]


def _nothing(replicas: int) -> None:
    return


def stable_states(
    parameters: SkyrmionParameters, *, checkpoint: Path | None = None, threads: int | None = None, done: Done = _nothing
) -> xr.Dataset:
    """Share of replicas that stay up, and that stay a skyrmion, for one hold at 0 V, over Ku and D.

    A point whose film is not perpendicular at the temperature has no value.
    """
    study = parameters.study
    shape = (len(study.anisotropies), len(study.dmis))
    stay, mz = np.full((2, *shape), np.nan), np.full((2, *shape), np.nan)
    for k, ku in enumerate(study.anisotropies):
        for d, dmi in enumerate(study.dmis):
            material = parameters.material.model_copy(update={"anisotropy": ku, "dmi": dmi})
            point = parameters.model_copy(update={"material": material})
            for row, category in enumerate((UP, CORE_UP)):
                sequence = PulseSequence(category, ("hold",), study.replicas, parameters.characterisation.seed)
                try:
                    found = run(point, sequence, checkpoint=checkpoint, threads=threads, done=done)
                except InputError:
                    # No perpendicular film: no bare constants.
                    continue
                stay[row, k, d] = (found.category[-1] == category).mean()
                mz[row, k, d] = found.average.mean()
    return xr.Dataset(
        {
            "stay": (("texture", "anisotropy", "dmi"), stay, {"long_name": "share that stays for one hold"}),
            "stay_mz": (("texture", "anisotropy", "dmi"), mz, {"long_name": "mean m_z over the hold"}),
        },
        coords={
            "texture": ["up", "skyrmion"],
            "anisotropy": ("anisotropy", list(study.anisotropies), {"units": "J/m3"}),
            "dmi": ("dmi", list(study.dmis), {"units": "J/m2"}),
        },
    )


def pulse_maps(
    parameters: SkyrmionParameters, *, checkpoint: Path | None = None, threads: int | None = None, done: Done = _nothing
) -> xr.Dataset:
    """Textures after a pulse over its voltage and width: ``nucleate`` on up, ``collapse`` on a skyrmion."""
    study, writing, film = parameters.study, parameters.writing, parameters.film()
    contents: dict[str, Any] = {}
    coordinates: dict[str, Any] = {"category": list(CATEGORIES)}
    for name, category in (("nucleate", UP), ("collapse", CORE_UP)):
        voltages, widths = getattr(study, f"{name}_voltages"), getattr(study, f"{name}_widths")
        table = np.zeros((len(voltages), len(widths), len(CATEGORIES)), np.int64)
        for v, voltage in enumerate(voltages):
            for w, width in enumerate(widths):
                pulse = WritePulse(voltage=voltage, width=width)
                point = parameters.model_copy(update={"writing": writing.model_copy(update={name: pulse})})
                sequence = PulseSequence(category, (name,), study.replicas, parameters.characterisation.seed)
                found = run(point, sequence, film=film, checkpoint=checkpoint, threads=threads, done=done)
                table[v, w] = np.bincount(found.category[-1], minlength=len(CATEGORIES))
        axes = (f"{name}_voltage", f"{name}_width")
        contents[f"{name}_map"] = ((*axes, "category"), table, {"long_name": f"replicas after {name}"})
        coordinates[axes[0]] = (axes[0], list(voltages), {"units": "V"})
        coordinates[axes[1]] = (axes[1], list(widths), {"units": "s"})
    return xr.Dataset(contents, coords=coordinates)


def variants(
    parameters: SkyrmionParameters, *, checkpoint: Path | None = None, threads: int | None = None, done: Done = _nothing
) -> xr.Dataset:
    """Transitions of discs with grains, of other diameters, and on finer cells, by the pulses of the nominal disc.

    Returns:
        ``variant_count`` [variant, sequence, category, next_category], pooled over mirror images.
    """
    study, how = parameters.study, parameters.characterisation
    names = tuple(name for name in SIMULATED if name in ("uniform", "skyrmion"))
    tables, labels = [], []

    def add(label: str, point: SkyrmionParameters, replicas: int, **film: Any) -> None:
        found = measure(
            point, names=names, replicas=replicas, checkpoint=checkpoint, threads=threads, done=done, **film
        )
        tables.append(found.counts())
        labels.append(label)

    def changed(**update: Any) -> SkyrmionParameters:
        return parameters.model_copy(update={"characterisation": how.model_copy(update=update)})

    if study.variants:
        for spread in study.spreads:
            point = changed(anisotropy_spread=spread)
            add(f"Ku spread {100 * spread:g} %", point, study.variants, film=point.film(devices=DISCS))
        for factor in study.diameters:
            add(f"diameter {100 * (factor - 1):+g} %", changed(diameter_factor=factor), study.variants)
    if study.fine:
        add(f"cells of {5e8 * how.cell:g} nm", parameters, study.fine, cell=how.cell / 2)
    return xr.Dataset(
        {
            "variant_count": (
                ("variant", "sequence", "category", "next_category"),
                np.array(tables).reshape(len(labels), len(COUNTED), len(CATEGORIES), len(CATEGORIES)),
                {"long_name": "events by category before and after"},
            )
        },
        coords={"variant": np.array(labels, object), "sequence": list(COUNTED), "category": list(CATEGORIES)},
    )
