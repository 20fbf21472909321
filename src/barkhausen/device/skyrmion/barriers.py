"""Barriers of the states along paths of least energy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import OutcomeError
from barkhausen.core.files import atomic_write
from barkhausen.core.units import BOLTZMANN
from barkhausen.device.skyrmion.parameters import SkyrmionParameters
from barkhausen.micromagnetics import Film, minimum_energy_path, skyrmion, uniform
from barkhausen.version import __version__

IMAGES, ITERATIONS = 16, 1500
WAYS = ("core shrinks", "core leaves at the edge", "core grows")
"""Ways out of a skyrmion with its core up; backwards they are ways out of down and up."""

ATTEMPT = 1e9
"""Attempt frequency in Hz of retention times; assumed."""


@dataclass(frozen=True)
class _Way:
    """One way out of a state: ends by name, and states on the way."""

    start: str
    end: str
    through: Sequence[Tensor]


def _ways(film: Film) -> dict[str, _Way]:
    """Ways from a skyrmion with its core up."""
    middle, whole = film.grid.length / 2, film.grid.length

    def texture(radius: float, shift: float = 0.0) -> Tensor:
        at = (min(middle + shift * whole, 0.999 * whole), middle)
        return skyrmion(film, at, radius=radius * whole, width=0.1 * whole, polarity=1)

    return {
        "core shrinks": _Way("skyrmion", "down", [texture(r) for r in (0.15, 0.08, 0.04)]),
        "core leaves at the edge": _Way(
            "skyrmion", "down", [texture(r, x) for x, r in ((0.12, 0.19), (0.26, 0.19), (0.37, 0.17), (0.48, 0.12))]
        ),
        "core grows": _Way("skyrmion", "up", [texture(r) for r in (0.29, 0.37, 0.46, 0.62)]),
    }


def kept_barriers(parameters: SkyrmionParameters, checkpoint: Path | None) -> xr.Dataset:
    """:func:`barriers` of all ways, kept in a directory way by way."""
    if checkpoint is None:
        return barriers(parameters)
    used = parameters.model_dump(mode="json", include={"disc", "material", "characterisation"})
    used["characterisation"] = {name: used["characterisation"][name] for name in ("cell", "temperature")}
    parts = []
    for name in WAYS:
        digest = hashlib.sha256(json.dumps([used, name, __version__], sort_keys=True).encode()).hexdigest()[:24]
        path = checkpoint / f"{digest}.json"
        if path.is_file():
            parts.append(xr.Dataset.from_dict(json.loads(path.read_text(encoding="utf-8"))))
            continue
        parts.append(barriers(parameters, [name]))
        checkpoint.mkdir(parents=True, exist_ok=True)
        atomic_write(path, json.dumps(parts[-1].to_dict()))
    return xr.concat(parts, "way")


def barriers(
    parameters: SkyrmionParameters, names: Sequence[str] | None = None, cell: float | None = None
) -> xr.Dataset:
    """Barriers along several ways out of each state, in kB T, as free energies at the temperature.

    Args:
        parameters: Parameters of the device.
        names: Ways. Default: all.
        cell: Edge of the cells in m. Default: that of the parameters.

    Returns:
        ``energy`` [way, image] and ``forward``, ``backward`` [way] in units of kB T, ``force`` (T) and ``converged``
        [way]. A barrier of a path that has not converged is an upper bound of that way.
    """
    film = parameters.film_of_averages(cell=cell)
    ends = {
        "up": uniform(film, (0.0, 0.0, 1.0)),
        "down": uniform(film, (0.0, 0.0, -1.0)),
        "skyrmion": skyrmion(film, radius=0.22 * film.grid.length, width=0.1 * film.grid.length, polarity=1),
    }
    thermal = BOLTZMANN * parameters.characterisation.temperature
    chosen = {name: way for name, way in _ways(film).items() if names is None or name in names}
    energy, force, converged = [], [], []
    for way in chosen.values():
        path = minimum_energy_path(
            film, ends[way.start], ends[way.end], through=way.through, images=IMAGES, iterations=ITERATIONS,
            unfinished="ignore",
        )  # fmt: skip
        energy.append((path["energy"].values[0] - path["energy"].values[0, 0]) / thermal)
        force.append(float(path["force"].values[0]))
        converged.append(bool(path["converged"].values[0]))
    table = np.array(energy)
    top = table.max(1)
    return xr.Dataset(
        {
            "path_energy": (("way", "image"), table, {"units": "kB T"}),
            "barrier_forward": ("way", top, {"units": "kB T"}),
            "barrier_backward": ("way", top - table[:, -1], {"units": "kB T"}),
            "path_force": ("way", np.array(force), {"units": "T"}),
            "path_converged": ("way", np.array(converged, np.int8)),
        },
        coords={
            "way": list(chosen),
            "way_start": ("way", [way.start for way in chosen.values()]),
            "way_end": ("way", [way.end for way in chosen.values()]),
        },
    )


def lowest(paths: xr.Dataset) -> dict[str, float]:
    """The lowest barrier found out of each state, in kB T.

    Raises:
        OutcomeError: There is no way out of a state.
    """
    found = {"up": np.inf, "skyrmion": np.inf}
    mirror = {"up": "up", "down": "up", "skyrmion": "skyrmion"}
    for way in range(paths.sizes["way"]):
        for end, name in (("way_start", "barrier_forward"), ("way_end", "barrier_backward")):
            state = mirror[str(paths[end].values[way])]
            found[state] = min(found[state], float(paths[name].values[way]))
    if not np.isfinite(list(found.values())).all():
        raise OutcomeError("barriers: no way out of a state was computed")
    return {"up": found["up"], "down": found["up"], "skyrmion": found["skyrmion"]}


def retention_time(barrier: float) -> float:
    """Mean time in s until a state is left, exp(barrier/kB T)/:data:`ATTEMPT`."""
    return float(np.exp(min(barrier, 600.0)) / ATTEMPT)


def category_barriers(paths: xr.Dataset, temperature: float) -> Float[np.ndarray, " category"]:
    """Barrier in J of each category; NaN of those that are no state."""
    each = lowest(paths)
    thermal = BOLTZMANN * temperature
    return thermal * np.array([each["up"], each["down"], each["skyrmion"], each["skyrmion"], np.nan])
