"""Window that follows a wall or a skyrmion along an endless track."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
import xarray as xr
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers, checks_arguments
from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.excitation.waveform import Waveform
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.observables import Observable, SkyrmionPosition
from barkhausen.micromagnetics.observables.wall import profile_along_track
from barkhausen.micromagnetics.plan import whole_records
from barkhausen.micromagnetics.rows import check_single
from barkhausen.micromagnetics.simulation import Simulation

AlongTrack = Callable[[Float[Tensor, "replica nx 1"], Float[Tensor, "1 1 ny"]], Tensor]
"""Quantity as a function of the position on the track, x and y in m."""

INTERVAL = 1e-11
"""Default time between two looks at the texture in s: a wall of 400 m/s moves 4 nm."""


class FollowingWindow:
    """Window on an endless track that follows a wall or a skyrmion, each replica on its own.

    The grid of the simulation is the window. When the texture is more than a cell away from the middle of the window,
    the magnetisation is moved back by whole cells; the columns that come in continue the outermost column, and what
    leaves is forgotten. Positions on the track are counted in m from where the left end of the window was at the start.
    The stray field is that of the window alone, hence that of a track of its length, and random numbers stay with the
    cells of the window.

    Args:
        simulation: Simulation of the window. Its film must look the same at every place along x; what differs along the
            track is given as a function.
        what: ``wall`` or ``skyrmion``.
        anisotropy: Ku in J/m³ as a function of the position on the track: ``anisotropy(x, y)`` takes x of the shape
            ``[replica, nx, 1]`` and y of ``[1, 1, ny]`` and returns a tensor that broadcasts with them. Default: that
            of the film.
        component: Component of m that changes sign in the wall.
        interval: Time between two looks in s. The texture must not leave the window within it.

    Raises:
        InputError: The film differs along x, or an argument is not among what is allowed.
    """

    @checks_arguments("Simulation")
    def __init__(
        self,
        simulation: Simulation,
        what: str = "wall",
        *,
        anisotropy: AlongTrack | None = None,
        component: str = "z",
        interval: float = INTERVAL,
    ) -> None:
        if what not in {"wall", "skyrmion"}:
            raise InputError(f"what = '{what}': must be 'wall' or 'skyrmion'")
        if component not in {"x", "y", "z"}:
            raise InputError(f"component = '{component}': must be 'x', 'y' or 'z'")
        if not (math.isfinite(interval) and interval > 0):
            raise InputError(f"interval = {interval}: must be a positive time in s")
        if anisotropy is not None and not callable(anisotropy):
            raise InputError(f"anisotropy: {type(anisotropy).__name__} is no function of x and y")
        check_single(simulation.film, "window")
        _check_same_along_track(simulation.film, anisotropy is not None)
        self.simulation, self.what, self.component, self.interval = simulation, what, component, interval
        self._anisotropy = anisotropy
        self._offset = torch.zeros(simulation.replicas, dtype=torch.int64)
        if anisotropy is not None:
            self._move_maps()

    @property
    def offset(self) -> Int[Tensor, " replica"]:
        """Cells by which the window of each replica has moved along x."""
        return self._offset.clone()

    @property
    def position(self) -> Float[Tensor, " replica"]:
        """Position of the texture on the track in m; NaN if the window holds none (or several skyrmions)."""
        return self._offset * self.simulation.film.grid.dx + self._in_window(self.simulation.m)

    def advance(
        self,
        duration: float,
        drive: Drive | None = None,
        observe: Sequence[Observable] = (),
        every: float | None = None,
    ) -> xr.Dataset:
        """Take the state on by that time, following the texture.

        Args:
            duration: Simulated time in s, a whole number of records.
            drive: Drive of this piece alone, whose waveforms count from its start. Default: that of the simulation.
            observe: Observables, which see the window.
            every: Time between records in s, a whole number of looks. Default: one record, at the end.

        Returns:
            ``track_position`` and ``window_offset`` in m and the observables, with the dimensions ``time`` and
            ``replica``.

        Raises:
            InputError: An argument is wrong.
            IntegrationError: The integration of a replica broke down.
        """
        every = duration if every is None else every
        records, looks = whole_records(duration, every), max(1, math.ceil(every / self.interval * (1 - 1e-9)))
        found = []
        for record in range(records):
            for look in range(looks):
                elapsed = (record + look / looks) * every
                self.simulation.advance(every / looks, None if drive is None else _later(drive, elapsed))
                self.follow()
            seen = self.simulation.observe(observe) if observe else xr.Dataset(attrs=self.simulation.attributes)
            offset = self._offset * self.simulation.film.grid.dx
            seen["track_position"] = ("replica", self.position.cpu().numpy(), {"units": "m"})
            seen["window_offset"] = ("replica", offset.numpy(), {"units": "m"})
            found.append(seen.assign_coords(time=self.simulation.time, replica=range(self.simulation.replicas)))
        result = xr.concat(found, "time", combine_attrs="override")
        result["time"].attrs["units"] = "s"
        return result

    def follow(self) -> None:
        """Move the windows back to their textures: what :meth:`advance` does at every look."""
        grid, m = self.simulation.film.grid, self.simulation.m
        away = self._in_window(m) / grid.dx - grid.nx / 2
        cells = torch.where(away.abs() > 1, away.round(), 0.0).nan_to_num(0.0).to(torch.int64)
        if not bool(cells.any()):
            return
        # A window that stands still keeps its bits: unlike the setter of m, this does not normalise.
        self.simulation._batch.stepper.set_magnetisation(_shifted(m, cells))
        self._offset += cells.cpu()
        if self._anisotropy is not None:
            self._move_maps()

    def state_dict(self) -> dict[str, Tensor]:
        """State from which the window goes on to the last bit: that of the simulation, and the offsets."""
        return self.simulation.state_dict() | {"offset": self._offset.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Resume from what :meth:`state_dict` of an equal window returned.

        Raises:
            InputError: The state is of another simulation.
        """
        if not isinstance(state, Mapping):
            raise InputError("state: must be a dictionary of tensors, as state_dict returns")
        rest = dict(state)
        offset = rest.pop("offset", None)
        if not isinstance(offset, Tensor) or offset.shape != self._offset.shape:
            raise InputError(f"state: holds no offsets of {len(self._offset)} windows")
        self.simulation.load_state_dict(rest)
        self._offset = offset.clone()
        if self._anisotropy is not None:
            self._move_maps()

    def _in_window(self, m: Float[Tensor, "replica 3 nx ny"]) -> Float[Tensor, " replica"]:
        """Place of the texture in the window in m from its left end: of several walls that nearest to the middle."""
        film = self.simulation.film
        if self.what == "skyrmion":
            return SkyrmionPosition().of(film, m)[:, 0]
        profile, present = profile_along_track(film.select(torch.arange(len(m))), m, self.component)
        up = profile > 0
        crossing = (up[:, 1:] != up[:, :-1]) & present[:, 1:] & present[:, :-1]
        distance = (torch.arange(1, film.grid.nx, device=m.device) - film.grid.nx / 2).abs()
        first = torch.where(crossing, distance, torch.inf).argmin(1, keepdim=True)
        a, b = profile.gather(1, first), profile.gather(1, first + 1)
        return torch.where(crossing.any(1), ((first + 0.5 + a / (a - b)) * film.grid.dx)[:, 0], torch.nan)

    def _move_maps(self) -> None:
        """Evaluate what is fixed to the track where the windows now are."""
        assert self._anisotropy is not None
        film, replicas = self.simulation.film, self.simulation.replicas
        x = self._offset[:, None, None] * film.grid.dx + film.grid.x[:, None]
        values = as_tensor_of_numbers("anisotropy", self._anisotropy(x, film.grid.y[None, None]))
        shape = (replicas, *film.grid.shape)
        if values.dim() > 3 or any(a not in (1, b) for a, b in zip(values.shape[::-1], shape[::-1], strict=False)):
            raise InputError(f"anisotropy: the function gives the shape {tuple(values.shape)}, not {shape}")
        self.simulation.film = replace(film, anisotropy=values.expand(shape).contiguous())


def _shifted(m: Float[Tensor, "replica 3 nx ny"], cells: Int[Tensor, " replica"]) -> Tensor:
    """Magnetisation moved to the left by so many cells; the columns that come in are copies of the outermost one."""
    columns = (torch.arange(m.shape[2], device=m.device) + cells.to(m.device)[:, None]).clamp(0, m.shape[2] - 1)
    return m.gather(2, columns[:, None, :, None].expand_as(m))


def _later(drive: Drive, elapsed: float) -> Drive:
    """Drive whose waveforms begin earlier by that time (s)."""
    if elapsed == 0:
        return drive
    moved: dict[str, Any] = {
        name: Waveform(wave.times - elapsed, wave.values) for name, wave in drive.waveforms.items()
    }
    return replace(drive, **moved)


def _check_same_along_track(film: Film, anisotropy_given: bool) -> None:
    if film.grid.periodic[0]:
        raise InputError("film: a window that follows a texture cannot be periodic along x")
    if anisotropy_given and film.device_of_replica is not None:
        raise InputError("film: give one film for all replicas, or one device for each; device_of_replica is not known")
    for name, values in film.tensors.items():
        if name == "anisotropy" and anisotropy_given:
            continue
        if values.shape[-2] > 1 and not torch.equal(values, values[..., :1, :].expand_as(values)):
            hint = "; use anisotropy=, a function of the position" if name == "anisotropy" else ""
            raise InputError(f"film.{name}: must be the same all along x in a window that moves{hint}")
