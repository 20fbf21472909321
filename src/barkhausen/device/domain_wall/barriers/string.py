"""Barriers of every state of every device from paths of least energy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float

from barkhausen.core.errors import InputError, warn
from barkhausen.core.progress import Progress, display_of
from barkhausen.core.units import BOLTZMANN
from barkhausen.device.domain_wall.barriers.landscape import along_path
from barkhausen.device.domain_wall.barriers.paths import Way, find_paths
from barkhausen.device.domain_wall.barriers.resting import resting_walls
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.micromagnetics import Film
from barkhausen.micromagnetics.checkpoints import Checkpoint, digest

BATCH = 8
"""Ways of one batch: two paths of a dozen images each, whose vectors stay in the processor's cache."""

FAR = 10.0
"""Height in kB T by which, in the compact model, the way off an end has to be above the saddle on a wall's other side
for its path to be left out."""

RELATIVE_ERROR = 0.03
"""Relative standard error of a barrier: that of the constants at the temperature; paths add a few hundredths kB T."""

SPACING = 0.25e-9
"""Spacing of the places of a landscape in m."""


def string_barriers(
    parameters: DeviceParameters,
    positions: Float[np.ndarray, "state device"],
    *,
    temperature: float | None = None,
    devices: Sequence[int] | None = None,
    film: Film | None = None,
    checkpoint: Path | None = None,
    threads: int | None = None,
    progress: Progress | bool | None = None,
) -> xr.Dataset:
    """Energy of a wall along its path of least energy from one end of each device to the other.

    Walls come to rest in the notches and near the given positions; paths lead from each rest to the next, with a
    climbing image on the saddle (:func:`~barkhausen.micromagnetics.minimum_energy_path`), and from the outermost ones
    off the track, unless the compact model has that way more than 10 kB T above the saddle on the wall's other side:
    there the compact model's energy is appended. The film has the constants that are averages at the temperature
    (:meth:`.DeviceParameters.film_at`), so that its energy is the free energy.

    Args:
        parameters: Parameters of the device; ``characterisation`` gives the number of devices, their edges and cells.
        positions: Wall positions in m [state, device], NaN where missing. One column stands for all devices.
        temperature: Temperature in K. Default: that of ``characterisation``.
        devices: Numbers of the devices. Default: all.
        film: Film of all devices with constants at the temperature. Default: that of the parameters.
        checkpoint: Directory of finished batches, from which the same call resumes. The caller deletes it.
        threads: Number of batches at once, one thread each. Default: that of torch.
        progress: Progress display.

    Returns:
        Data set with the dimensions device, place and way. ``energy`` (J) [device, place] is that of the wall, NaN for
        devices left out; ``from_path`` says where it is a path's and not the compact model's. For each way:
        ``device_of_way``, ``end_of_way`` (−1 or 1 off the left or right end, else 0), ``begin`` and ``end`` (m),
        ``barrier_forward`` and ``barrier_backward`` (J), ``saddle_position`` (m), ``saddle_tilt`` (rad), ``other_tilt``
        (J, by which the saddle of the other tilt is higher, before refinement) and ``converged``.

    Raises:
        InputError: The positions do not fit the devices, or the temperature is not positive.
    """
    how = parameters.characterisation
    temperature = how.temperature if temperature is None else temperature
    if not (math.isfinite(temperature) and temperature > 0):
        raise InputError(f"temperature = {temperature}: barriers need a positive temperature in K")
    film = parameters.film_at(temperature) if film is None else film
    places = np.asarray(positions, dtype=np.float64)
    places = places[:, None] if places.ndim == 1 else places
    if places.ndim != 2 or places.shape[1] not in (1, film.devices):
        raise InputError(f"positions: shape {places.shape} is not (state, device) of {film.devices} devices")
    places = np.broadcast_to(places, (len(places), film.devices))
    taken = range(film.devices) if devices is None else [int(d) for d in devices]
    if not all(0 <= d < film.devices for d in taken):
        raise InputError(f"devices = {list(taken)}: numbers must be 0 to {film.devices - 1}")
    notches = [notch.position for notch in parameters.shape.notches]
    starts = [[*notches, *places[:, d]] if d in taken else [] for d in range(film.devices)]
    work = _Work(film, starts, temperature, checkpoint, threads, progress)
    return work.landscapes()


class _Work:
    """Paths of all devices, in batches."""

    def __init__(  # noqa: PLR0917 (of one caller)
        self,
        film: Film,
        starts: list[list[float]],
        temperature: float,
        checkpoint: Path | None,
        threads: int | None,
        progress: Progress | bool | None,
    ) -> None:
        self.film, self.heat, self.progress = film, BOLTZMANN * temperature, progress
        self.threads = torch.get_num_threads() if threads is None else threads
        plan = {
            "film": digest(*film.tensors.values(), film.material, film.grid),
            "starts": digest(starts),
            "temperature": temperature,
        }
        self.checkpoint = None if checkpoint is None else Checkpoint(checkpoint, plan)
        self.walls = resting_walls(film, starts)
        model = CompactModel(film, CompactParameters())
        grid, compact = model.landscape()
        self.places = np.arange(0.0, film.grid.length + SPACING / 2, SPACING)
        table = compact[0].numpy()
        self.compact = np.stack([np.interp(self.places, grid.numpy(), row) for row in table])
        self.compact = np.broadcast_to(self.compact, (film.devices, len(self.places)))
        self.numbered = 0

    def landscapes(self) -> xr.Dataset:
        """Energies of the walls of all devices, and what each path found."""
        inner = [Way(a, b) for row in self.walls for a, b in pairwise(row)]
        found = self._found(inner, "paths between notches")
        ways = list(zip(inner, found, strict=True))
        outer = [way for d, row in enumerate(self.walls) if row for way in self._needed_ends(d, ways)]
        ways += list(zip(outer, self._found(outer, "paths off the track"), strict=True))
        energy = np.full((self.film.devices, len(self.places)), np.nan)
        from_path = np.zeros(energy.shape, dtype=bool)
        for way, path in ways:
            reached = self._along(way, path)
            here = np.isfinite(reached)
            energy[way.device, here] = reached[here]
            from_path[way.device, here] = True
        for device, row in enumerate(self.walls):
            if row:
                self._append_ends(device, energy[device], from_path[device])
        late = sum(not bool(path["converged"]) for _, path in ways)
        if late:
            warn(f"barriers: {late} of {len(ways)} paths have not converged; their barriers are upper bounds")
        return self._dataset(ways, energy, from_path)

    def _found(self, ways: list[Way], title: str) -> list[dict[str, np.ndarray]]:
        """The path of each way, in batches of one number of images."""
        result: list[dict[str, np.ndarray]] = [{} for _ in ways]
        counts = [way.images(self.film) for way in ways]
        batches = []
        for images in sorted(set(counts)):
            alike = [k for k, count in enumerate(counts) if count == images]
            batches += [(images, alike[k : k + BATCH]) for k in range(0, len(alike), BATCH)]
        numbers = range(self.numbered, self.numbered + len(batches))
        self.numbered += len(batches)

        def one(number: int, images: int, members: list[int]) -> dict[str, torch.Tensor]:
            kept = None if self.checkpoint is None else self.checkpoint.finished(number)
            if kept is None:
                kept = find_paths(self.film, [ways[k] for k in members], images).records()
                if self.checkpoint is not None:
                    self.checkpoint.finish(number, kept)
            return kept

        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with display_of(self.progress).task(title, len(ways)) as advance, ThreadPoolExecutor(self.threads) as pool:
                started = [pool.submit(one, number, *batch) for number, batch in zip(numbers, batches, strict=True)]
                for (_, members), future in zip(batches, started, strict=True):
                    records = future.result()
                    for row, k in enumerate(members):
                        result[k] = {name: value[row].numpy() for name, value in records.items()}
                    advance(len(members))
        finally:
            torch.set_num_threads(before)
        return result

    def _needed_ends(self, device: int, ways: list[tuple[Way, dict[str, np.ndarray]]]) -> list[Way]:
        """The ways off the ends of a device that may decide when a wall is lost."""
        row = self.walls[device]
        inner: dict[int, float] = {}
        for way, path in ways:
            if way.device == device:
                climbs = path["energy"].max() - path["energy"]
                inner.setdefault(-1, float(climbs[0]))
                inner[1] = float(climbs[-1])
        needed = []
        for end, wall in ((-1, row[0]), (1, row[-1])):
            here = np.abs(self.places - wall.position).argmin()
            beyond = self.compact[device, : here + 1] if end < 0 else self.compact[device, here:]
            climb = float(beyond.max() - self.compact[device, here])
            if end not in inner or climb < inner[end] + FAR * self.heat:
                needed.append(Way(wall, wall, end))
        return needed

    def _along(self, way: Way, path: dict[str, np.ndarray]) -> Float[np.ndarray, " place"]:
        position = path["position"].copy()
        if way.end:
            position = _to_the_end(position, way.places(self.film)[1])
        position[0] = way.first.position
        # An image with a bubble beside the wall has no position of its own.
        known = np.isfinite(position)
        position = np.interp(path["coordinate"], path["coordinate"][known], position[known])
        return along_path(path["coordinate"], path["energy"], position, self.places)

    def _append_ends(self, device: int, energy: np.ndarray, from_path: np.ndarray) -> None:
        """Continue a landscape with the compact model's."""
        if not from_path.any():
            k = int(np.abs(self.places - self.walls[device][0].position).argmin())
            energy[k], from_path[k] = self.walls[device][0].energy, True
        known = np.nonzero(from_path)[0]
        for k, side in ((known[0], slice(0, known[0])), (known[-1], slice(known[-1] + 1, None))):
            energy[side] = energy[k] + self.compact[device, side] - self.compact[device, k]

    def _dataset(
        self, ways: list[tuple[Way, dict[str, np.ndarray]]], energy: np.ndarray, from_path: np.ndarray
    ) -> xr.Dataset:
        lowest = np.full(len(energy), np.nan)
        for device, row in enumerate(self.walls):
            if row:
                lowest[device] = min(wall.energy for wall in row)
        tops = [int(path["energy"].argmax()) for _, path in ways]
        columns: dict[str, tuple[list[float], str]] = {
            "begin": ([way.places(self.film)[0] for way, _ in ways], "m"),
            "end": ([way.places(self.film)[1] for way, _ in ways], "m"),
            "barrier_forward": (
                [float(p["energy"][t] - p["energy"][0]) for (_, p), t in zip(ways, tops, strict=True)],
                "J",
            ),
            "barrier_backward": (
                [float(p["energy"][t] - p["energy"][-1]) for (_, p), t in zip(ways, tops, strict=True)],
                "J",
            ),
            "saddle_position": ([float(p["position"][t]) for (_, p), t in zip(ways, tops, strict=True)], "m"),
            "saddle_tilt": ([float(p["tilt"][t]) for (_, p), t in zip(ways, tops, strict=True)], "rad"),
            "other_tilt": ([float(p["other"]) for _, p in ways], "J"),
        }
        return xr.Dataset(
            {
                "energy": (("device", "place"), energy - lowest[:, None], {"units": "J"}),
                "from_path": (("device", "place"), from_path),
                "device_of_way": ("way", np.array([way.device for way, _ in ways], dtype=np.int64)),
                "end_of_way": ("way", np.array([way.end for way, _ in ways], dtype=np.int64)),
                **{name: ("way", np.array(values), {"units": unit}) for name, (values, unit) in columns.items()},
                "converged": ("way", np.array([bool(path["converged"]) for _, path in ways], dtype=bool)),
            },
            coords={"place": ("place", self.places, {"units": "m"})},
            attrs={"temperature": self.heat / BOLTZMANN, "method": "string", "relative_error": RELATIVE_ERROR},
        )


def _to_the_end(position: Float[np.ndarray, " image"], end: float) -> Float[np.ndarray, " image"]:
    """Positions of the images of a way off the track: those without a wall lie at its end."""
    here = np.isfinite(position)
    last = int(np.nonzero(here)[0].max())
    position[last + 1 :] = end
    return position
